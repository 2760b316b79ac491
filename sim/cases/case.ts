/**
 * A case: one run as a file, with its options, operations and choices written out literally, so that it stays the same
 * run when generators change. Saved from a failing seed, kept in `seeds/`, replayed by `npm test`, cut down by the
 * shrinker. Plain JSON; owns the format and its checks, not the running (`replay.ts`). Whether the names of mutants and
 * crash points still exist is checked where the sources are at hand (`files.ts`).
 *
 * Format 2: options are there as far as they differ from the plain ones (`workload/plain-options.ts`); choices are
 * addressed by segments (`choices/choices.ts`); `traceMarks` are the hashes of the beginnings of the run.
 */
import { StillwaterError } from "../../src/platform/errors.js";
import { type ChoiceLog, parseAddress, STREAM_NAMES } from "../choices/choices.js";
import { ORACLE_IDS, type OracleId } from "../oracles/failure.js";
import type { SeedResult } from "../run/seed.js";
import { operationOfSegment } from "../run/segments.js";
import type { TraceMarks } from "../trace/trace.js";
import type { Operation } from "../workload/operation.js";
import type { SimulationOptions } from "../workload/options.js";
import { Checker } from "./checker.js";
import { checkOperations } from "./operations.js";
import { fullOptions, shortOptions } from "./short-options.js";

export const CASE_FORMAT = 2;

export interface SimulationCase {
  readonly format: typeof CASE_FORMAT;
  readonly name: string;
  /** What this case is about, for people. */
  readonly note: string;
  /** What makes the difference between failing and passing, as the shrinker found it. */
  readonly cause?: string;
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
  /** How many events it had, and the hashes of its beginnings, which tell where a replay parts from it. */
  readonly traceLength?: number;
  readonly traceMarks?: TraceMarks;
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
    traceLength: result.fingerprint.traceLength,
    traceMarks: result.traceMarks,
  };
}

/** One operation and the choices of one stream are a line each; so are the marks. */
export function formatCase(one: SimulationCase): string {
  const { options, operations, choices, traceMarks, ...rest } = one;
  const head = JSON.stringify({ ...rest, options: shortOptions(options) }, null, 2).slice(0, -2);
  const lines = operations.map((operation) => `    ${JSON.stringify(operation)}`).join(",\n");
  const streams = Object.entries(choices)
    .map(([stream, answers]) => `    ${JSON.stringify(stream)}: ${JSON.stringify(answers)}`)
    .join(",\n");
  const operationText = operations.length === 0 ? "[]" : `[\n${lines}\n  ]`;
  const choiceText = streams === "" ? "{}" : `{\n${streams}\n  }`;
  const marks = traceMarks === undefined ? "" : `,\n  "traceMarks": ${JSON.stringify(traceMarks)}`;
  return `${head}${marks},\n  "operations": ${operationText},\n  "choices": ${choiceText}\n}\n`;
}

const FIELDS: readonly string[] = [
  "format",
  "name",
  "note",
  "cause",
  "seed",
  "options",
  "operations",
  "choices",
  "mutants",
  "expect",
  "traceHash",
  "traceLength",
  "traceMarks",
];

/**
 * Parses the text of a case file; `path` is for messages. Throws `UNSUPPORTED_FORMAT` for another format version and
 * `INVALID_ARGUMENT`, with the place, for anything that is not a case.
 */
export function parseCase(text: string, path: string): SimulationCase {
  const check = new Checker(path);
  const root = check.object(parseJSON(text, path), "the file");
  checkFormat(check, root["format"]);
  check.names(root, FIELDS, "the file");
  for (const name of ["name", "note", "seed"]) check.text(root[name], name);
  if (root["cause"] !== undefined) check.text(root["cause"], "cause");
  const options = fullOptions(check, root["options"]);
  const operations = checkOperations(check, root["operations"]);
  checkChoices(check, root["choices"], operations.length);
  check.array(root["mutants"], "mutants").forEach((id, index) => check.text(id, `mutants[${index}]`));
  const expected = check.object(root["expect"], "expect");
  check.names(expected, ["oracle"], "expect");
  if (expected["oracle"] !== null) check.oneOf(expected["oracle"], ORACLE_IDS, "expect.oracle");
  checkTrace(check, root);
  return { ...root, options } as unknown as SimulationCase;
}

function parseJSON(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new StillwaterError("INVALID_ARGUMENT", `${path} is not JSON: ${(error as Error).message}`, {
      cause: error,
      path,
    });
  }
}

function checkFormat(check: Checker, format: unknown): void {
  if (format === CASE_FORMAT) return;
  if (typeof format !== "number") check.fail("format", `the number ${CASE_FORMAT}`);
  throw new StillwaterError(
    "UNSUPPORTED_FORMAT",
    `${check.path} has case format ${format}, but this version reads format ${CASE_FORMAT}. ` +
      "Replay it with the version that saved it.",
    { path: check.path },
  );
}

function checkChoices(check: Checker, value: unknown, operations: number): void {
  for (const [stream, answers] of Object.entries(check.object(value, "choices"))) {
    check.oneOf(stream, STREAM_NAMES, "choices");
    const lastOf = new Map<string, number>();
    check.array(answers, `choices.${stream}`).forEach((entry, index) => {
      const place = `choices.${stream}[${index}]`;
      const [at, answer] = check.array(entry, place);
      const address = typeof at === "number" || typeof at === "string" ? parseAddress(at) : null;
      if (address === null) return check.fail(`${place}[0]`, 'an address like "7:3": segment, colon, index');
      const operation = operationOfSegment(address.segment);
      if (operation !== null && operation >= operations)
        check.fail(
          `${place}[0]`,
          `about one of the ${operations} operations (it names operation ${operation})`,
        );
      check.count(answer, `${place}[1]`);
      const last = lastOf.get(address.segment) ?? -1;
      if (address.index <= last) check.fail(`${place}[0]`, `more than ${last} in its segment`);
      lastOf.set(address.segment, address.index);
    });
  }
}

function checkTrace(check: Checker, root: Readonly<Record<string, unknown>>): void {
  if (root["traceHash"] !== undefined) check.text(root["traceHash"], "traceHash");
  if (root["traceLength"] !== undefined) check.count(root["traceLength"], "traceLength");
  if (root["traceMarks"] === undefined) return;
  const marks = check.object(root["traceMarks"], "traceMarks");
  check.names(marks, ["every", "hashes"], "traceMarks");
  const every = check.count(marks["every"], "traceMarks.every");
  if (every < 64 || !Number.isInteger(Math.log2(every)))
    check.fail("traceMarks.every", "a power of two from 64");
  check.array(marks["hashes"], "traceMarks.hashes").forEach((hash, index) => {
    check.text(hash, `traceMarks.hashes[${index}]`);
  });
}
