/**
 * Passes over everything that is no operation: options back to the plain ones, decisions to their benign answers,
 * names of keys, writers, snapshots and iterators to the simplest. Does not own operations.
 */
import type { SimulationCase } from "../cases/case.js";
import { shortOptions } from "../cases/short-options.js";
import type { ChoiceAddress } from "../choices/choices.js";
import { FAULT_STRIDE } from "../disk/fault-dice.js";
import { MUTATIONS_MAX, type Mutation, type Operation, writerOfMutation } from "../workload/operation.js";
import type { SimulationOptions } from "../workload/options.js";
import { GENERATOR_OPTIONS, PLAIN_OPTIONS } from "../workload/plain-options.js";
import { minimiseList } from "./ddmin.js";
import { isFaultStream } from "./size.js";
import { withoutTrace } from "./steps.js";
import type { Trials } from "./trials.js";

interface Field {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Which of the options that are not plain does the failure need? */
export async function plainerOptions(trials: Trials): Promise<void> {
  trials.pass = "plainer options";
  const base = trials.best;
  const fields = fieldsOf(shortOptions(base.options));
  const generators: readonly string[] = GENERATOR_OPTIONS;
  const asked = fields.filter(({ path }) => !generators.includes(path[0] ?? ""));
  const withFields = (kept: readonly Field[]) =>
    trials.accepts(withoutTrace({ ...trials.best, options: optionsOf(kept) }));
  // What only the generator asks matters no more; when that alone is not accepted there is nothing to gain.
  if (asked.length < fields.length) await withFields(asked);
  await minimiseList(asked, withFields);
  await rounderNumbers(trials);
}

/** Probabilities that remain are asked for being more than 0 only; sizes are easier to take in when they are round. */
async function rounderNumbers(trials: Trials): Promise<void> {
  for (const field of fieldsOf(shortOptions(trials.best.options))) {
    const { path, value } = field;
    if (typeof value !== "number" || value <= 0 || value >= 1 || value === ROUND_PROBABILITY) continue;
    const fields = fieldsOf(shortOptions(trials.best.options)).map((one) =>
      one.path.join() === path.join() ? { path, value: ROUND_PROBABILITY } : one,
    );
    await trials.accepts(withoutTrace({ ...trials.best, options: optionsOf(fields) }));
  }
}

const ROUND_PROBABILITY = 0.01;

function fieldsOf(value: Readonly<Record<string, unknown>>, path: readonly string[] = []): Field[] {
  return Object.entries(value).flatMap(([name, part]) => {
    const inner = [...path, name];
    const isObject = typeof part === "object" && part !== null && !Array.isArray(part);
    return isObject ? fieldsOf(part as Record<string, unknown>, inner) : [{ path: inner, value: part }];
  });
}

function optionsOf(fields: readonly Field[]): SimulationOptions {
  const options = structuredClone(PLAIN_OPTIONS) as unknown as Record<string, unknown>;
  for (const { path, value } of fields) {
    let at = options;
    for (const name of path.slice(0, -1)) {
      at[name] ??= {};
      at = at[name] as Record<string, unknown>;
    }
    at[path[path.length - 1] as string] = value; // a path has at least one name
  }
  return options as unknown as SimulationOptions;
}

interface Choice {
  readonly stream: string;
  readonly at: ChoiceAddress;
  readonly answer: number;
}

/** Decisions about order and time first, since they are many; then faults, and what a crash loses. */
export async function fewerChoices(trials: Trials): Promise<void> {
  trials.pass = "fewer decisions";
  for (const faults of [false, true]) {
    const all = choicesOf(trials.best);
    const rest = all.filter(({ stream }) => isFaultStream(stream) !== faults);
    const asked = all.filter(({ stream }) => isFaultStream(stream) === faults);
    await minimiseList(asked, (kept) =>
      // The run of the best has asked for all of them, so an empty list of what there is to take out changes nothing.
      trials.accepts(withChoices(trials.best, [...rest, ...kept])),
    );
  }
}

/** The least answer under which each decision that is left still does it: the detail of a fault, the state of a page. */
export async function simplerChoices(trials: Trials): Promise<void> {
  trials.pass = "simpler decisions";
  for (const choice of choicesOf(trials.best)) {
    for (const answer of simplerAnswers(choice)) {
      const changed = choicesOf(trials.best).map((one) =>
        one.stream === choice.stream && one.at === choice.at ? { ...one, answer } : one,
      );
      if (await trials.accepts(withChoices(trials.best, changed))) break;
    }
  }
}

/** Of a fault the number stays and the detail goes (see `FaultDice`); elsewhere small answers are the simple ones. */
function simplerAnswers({ stream, answer }: Choice): number[] {
  const candidates =
    stream.startsWith("disk.") || stream === "clock" ? [((answer - 1) % FAULT_STRIDE) + 1] : [1, 2, 3];
  return candidates.filter((simpler) => simpler < answer);
}

function choicesOf(one: SimulationCase): Choice[] {
  return Object.entries(one.choices).flatMap(([stream, entries]) =>
    entries.map(([at, answer]) => ({ stream, at, answer })),
  );
}

function withChoices(one: SimulationCase, all: readonly Choice[]): SimulationCase {
  const choices: Record<string, (readonly [ChoiceAddress, number])[]> = {};
  for (const { stream, at, answer } of all) {
    choices[stream] ??= [];
    choices[stream].push([at, answer]);
  }
  return withoutTrace({ ...one, choices });
}

/** Keys in order of size become a, b, c …; writers and ids are counted anew. */
export async function plainerNames(trials: Trials): Promise<void> {
  trials.pass = "plainer names";
  const writers = trials.best.operations.map(renumberedWriters);
  await trials.accepts(withoutTrace({ ...trials.best, operations: writers }));
  await trials.accepts(withoutTrace({ ...trials.best, operations: renumberedIds(trials.best.operations) }));
  const keys = [...new Set(trials.best.operations.flatMap(keysOf))].sort((a, b) => (a < b ? -1 : 1));
  const plain = keys.map((_, rank) => plainKey(rank, keys.length));
  const rename = (names: ReadonlyMap<string, string>) =>
    withoutTrace({
      ...trials.best,
      operations: trials.best.operations.map((operation) =>
        withKeys(operation, (key) => names.get(key) ?? key),
      ),
    });
  if (keys.every((key, i) => key === plain[i])) return;
  await trials.accepts(rename(new Map(keys.map((key, i) => [key, plain[i] as string]))));
}

function plainKey(rank: number, count: number): string {
  const letter = (n: number) => String.fromCharCode("a".charCodeAt(0) + n);
  return count <= 26 ? letter(rank) : letter(Math.floor(rank / 26)) + letter(rank % 26);
}

function renumberedWriters(operation: Operation, number: number): Operation {
  if (operation.kind !== "write" || operation.mutations.length > MUTATIONS_MAX) return operation;
  const mutations = operation.mutations.map(
    (mutation, index): Mutation =>
      mutation[0] === "put" ? ["put", mutation[1], writerOfMutation(number, index), mutation[3]] : mutation,
  );
  return { ...operation, mutations };
}

/** Snapshots and iterators have the number of the operation that opens them. */
function renumberedIds(operations: readonly Operation[]): Operation[] {
  const ids = new Map<number, number>();
  return operations.map((operation, number) => {
    if (operation.kind === "openSnapshot" || operation.kind === "openIterator") ids.set(operation.id, number);
    const renumbered: Record<string, unknown> = { ...operation };
    for (const field of ["id", "snapshot"]) {
      const id = renumbered[field];
      if (typeof id === "number") renumbered[field] = ids.get(id) ?? id;
    }
    return renumbered as unknown as Operation;
  });
}

const KEY_FIELDS = ["key", "gte", "gt", "lte", "lt"];

function keysOf(operation: Operation): string[] {
  const keys: string[] = [];
  withKeys(operation, (key) => {
    keys.push(key);
    return key;
  });
  return keys;
}

function withKeys(operation: Operation, change: (key: string) => string): Operation {
  const changed: Record<string, unknown> = { ...operation };
  for (const field of KEY_FIELDS) {
    const key = changed[field];
    if (typeof key === "string") changed[field] = change(key);
  }
  if (operation.kind === "write") {
    changed["mutations"] = operation.mutations.map((mutation): Mutation => {
      if (mutation[0] === "put") return ["put", change(mutation[1]), mutation[2], mutation[3]];
      if (mutation[0] === "delete") return ["delete", change(mutation[1])];
      return ["deleteRange", change(mutation[1]), change(mutation[2])];
    });
  }
  return changed as unknown as Operation;
}
