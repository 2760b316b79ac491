/**
 * A case: one run as a file, with its options, operations and choices written out literally, so that it stays the same
 * run when generators change. Saved from a failing seed, kept in `seeds/`, replayed by `npm test`, cut down by the
 * shrinker. Plain JSON; owns the format and its checks, not the running (`replay.ts`).
 */
import { resolveOptions } from "../../src/engine/options.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { type ChoiceLog, parseAddress } from "../choices/choices.js";
import { ORACLES, type OracleId } from "../oracles/failure.js";
import type { SeedResult } from "../run/seed.js";
import { OPERATION_KINDS, type Operation } from "../workload/operation.js";
import type { SimulationOptions } from "../workload/options.js";

export const CASE_FORMAT = 1;

export interface SimulationCase {
  readonly format: typeof CASE_FORMAT;
  readonly name: string;
  /** What this case is about, for people. */
  readonly note: string;
  readonly seed: string;
  readonly options: SimulationOptions;
  readonly operations: readonly Operation[];
  readonly choices: ChoiceLog;
  /** Planted bugs that are switched on in this case. */
  readonly mutants: readonly string[];
  /** The oracle that must fail; null when the run must pass. */
  readonly expect: { readonly oracle: OracleId | null };
  /** Of the run that was saved. A replay that differs says that the code behaves in another way by now. */
  readonly traceHash?: string;
}

/** Streams that a case does not need: what they decided is there literally. */
const LITERAL_STREAMS: readonly string[] = ["options", "workload"];

/** The case of a seed that was run. */
export function caseOf(
  result: SeedResult,
  mutants: readonly string[],
  name: string,
  note: string,
): SimulationCase {
  const choices = Object.fromEntries(
    Object.entries(result.choices).filter(([stream]) => !LITERAL_STREAMS.includes(stream)),
  );
  return {
    format: CASE_FORMAT,
    name,
    note,
    seed: result.seed,
    options: result.options,
    operations: result.operations,
    choices,
    mutants,
    expect: { oracle: result.failure?.oracle ?? null },
    traceHash: result.fingerprint.traceHash,
  };
}

/** One operation and one choice a line would be long; arrays of choices stay on one line each. */
export function formatCase(one: SimulationCase): string {
  const { operations, choices, ...rest } = one;
  const head = JSON.stringify(rest, null, 2).slice(0, -2);
  const lines = operations.map((operation) => `    ${JSON.stringify(operation)}`).join(",\n");
  const streams = Object.entries(choices)
    .map(([stream, answers]) => `    ${JSON.stringify(stream)}: ${JSON.stringify(answers)}`)
    .join(",\n");
  const operationText = operations.length === 0 ? "[]" : `[\n${lines}\n  ]`;
  const choiceText = streams === "" ? "{}" : `{\n${streams}\n  }`;
  return `${head},\n  "operations": ${operationText},\n  "choices": ${choiceText}\n}\n`;
}

/**
 * Parses the text of a case file; `path` is for messages. Throws `UNSUPPORTED_FORMAT` for another format version and
 * `INVALID_ARGUMENT`, with the place, for anything that is not a case.
 */
export function parseCase(text: string, path: string): SimulationCase {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new StillwaterError("INVALID_ARGUMENT", `${path} is not JSON: ${(error as Error).message}`, {
      cause: error,
      path,
    });
  }
  const check = new Checker(path);
  const root = check.object(json, "the file");
  if (root["format"] !== CASE_FORMAT) {
    if (typeof root["format"] !== "number") check.fail("format", `the number ${CASE_FORMAT}`);
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `${path} has case format ${root["format"]}, but this version reads format ${CASE_FORMAT}. ` +
        "Replay it with the version that saved it.",
      { path },
    );
  }
  for (const name of ["name", "note", "seed"]) check.text(root[name], name);
  checkOptions(check, root["options"]);
  const operations = check.array(root["operations"], "operations");
  operations.forEach((operation, index) => checkOperation(check, operation, `operations[${index}]`));
  checkChoices(check, root["choices"]);
  check.array(root["mutants"], "mutants").forEach((id, index) => check.text(id, `mutants[${index}]`));
  const { oracle } = check.object(root["expect"], "expect");
  const known = typeof oracle === "string" && Object.hasOwn(ORACLES, oracle);
  if (oracle !== null && !known) check.fail("expect.oracle", 'null or the number of an oracle, like "O1"');
  if (root["traceHash"] !== undefined) check.text(root["traceHash"], "traceHash");
  return json as SimulationCase;
}

function checkOptions(check: Checker, value: unknown): void {
  const options = check.object(value, "options");
  check.text(options["workload"], "options.workload");
  check.text(options["schedule"], "options.schedule");
  for (const name of ["operations", "committersMax", "valueBytesMax", "batchMutationsMax"]) {
    check.count(options[name], `options.${name}`);
  }
  if (typeof options["logRotProbability"] !== "number") check.fail("options.logRotProbability", "a number");
  for (const name of ["weights", "mutations", "keys", "crashes", "world"]) {
    check.object(options[name], `options.${name}`);
  }
  const disk = check.object(options["disk"], "options.disk");
  check.count(disk["capacityBytes"], "options.disk.capacityBytes");
  check.object(disk["faults"], "options.disk.faults");
  check.object(disk["latency"], "options.disk.latency");
  resolveOptions(check.object(options["store"], "options.store"));
}

/** For each kind the fields that must be there, by type; the rest is optional. */
const FIELDS: Readonly<
  Record<Operation["kind"], Readonly<Record<string, "text" | "count" | "flag" | "array" | "object">>>
> = {
  write: { call: "text", mutations: "array" },
  get: { key: "text" },
  scan: {},
  openSnapshot: { id: "count" },
  closeSnapshot: { id: "count" },
  openIterator: { id: "count" },
  stepIterator: { id: "count", count: "count" },
  seekIterator: { id: "count", key: "text" },
  closeIterator: { id: "count" },
  flush: { waits: "flag" },
  compact: { waits: "flag" },
  checkpoint: { restores: "flag" },
  verify: {},
  checkAll: {},
  settle: {},
  pause: {},
  reopen: { settles: "flag" },
  limitSpace: {},
  dropCaches: {},
  crash: { how: "text", at: "object", nested: "array" },
};

function checkOperation(check: Checker, value: unknown, place: string): void {
  const operation = check.object(value, place);
  const kind = OPERATION_KINDS.find((known) => known === operation["kind"]);
  if (kind === undefined) return check.fail(`${place}.kind`, `one of ${OPERATION_KINDS.join(", ")}`);
  for (const [name, type] of Object.entries(FIELDS[kind])) check[type](operation[name], `${place}.${name}`);
  if (kind === "write") {
    check.array(operation["mutations"], `${place}.mutations`).forEach((mutation, index) => {
      checkMutation(check, mutation, `${place}.mutations[${index}]`);
    });
  }
}

function checkMutation(check: Checker, value: unknown, place: string): void {
  const [kind, first, second, third] = check.array(value, place);
  check.text(first, `${place}[1]`);
  if (kind === "put") {
    check.count(second, `${place}[2]`);
    check.count(third, `${place}[3]`);
  } else if (kind === "deleteRange") {
    check.text(second, `${place}[2]`);
  } else if (kind !== "delete") {
    check.fail(`${place}[0]`, "put, delete or deleteRange");
  }
}

function checkChoices(check: Checker, value: unknown): void {
  for (const [stream, answers] of Object.entries(check.object(value, "choices"))) {
    const lastOf = new Map<string, number>();
    check.array(answers, `choices.${stream}`).forEach((entry, index) => {
      const place = `choices.${stream}[${index}]`;
      const [at, answer] = check.array(entry, place);
      const address = typeof at === "number" || typeof at === "string" ? parseAddress(at) : null;
      if (address === null) return check.fail(`${place}[0]`, 'an address like "7:3": segment, colon, index');
      check.count(answer, `${place}[1]`);
      const last = lastOf.get(address.segment) ?? -1;
      if (address.index <= last) check.fail(`${place}[0]`, `more than ${last} in its segment`);
      lastOf.set(address.segment, address.index);
    });
  }
}

class Checker {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  fail(place: string, wanted: string): never {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `${this.#path} is not a case: ${place} must be ${wanted}.`,
      {
        path: this.#path,
      },
    );
  }

  object(value: unknown, place: string): Record<string, unknown> {
    if (typeof value !== "object" || value === null || Array.isArray(value)) this.fail(place, "an object");
    return value as Record<string, unknown>;
  }

  array(value: unknown, place: string): readonly unknown[] {
    if (!Array.isArray(value)) this.fail(place, "an array");
    return value as readonly unknown[];
  }

  text(value: unknown, place: string): void {
    if (typeof value !== "string") this.fail(place, "a text");
  }

  flag(value: unknown, place: string): void {
    if (typeof value !== "boolean") this.fail(place, "true or false");
  }

  count(value: unknown, place: string): void {
    if (!Number.isSafeInteger(value) || (value as number) < 0)
      this.fail(place, "a whole number of at least 0");
  }
}
