/**
 * A history as a file: one transaction a line, in JSON. Owns the format and its checks; docs/SIMULATION.md describes it.
 *
 *   {"process":0,"start":3,"end":7,"outcome":"ok","operations":[["append","x",1],["read","y",[2,3]]]}
 *
 * Further operations: ["range","prefix",[["key",[1]]]], and ["snapshot-read",…], ["snapshot-range",…] for reads that the
 * transaction does not want to conflict. `null` for a list or rows that never came. `"final":true` marks a read after all.
 */
import { hasCode, StillwaterError } from "../../src/platform/errors.js";
import type { History, HistoryOperation, HistoryTransaction, List, ListValue, Outcome } from "./history.js";

const FIELDS: readonly string[] = ["outcome", "operations", "process", "start", "end", "final"];
const OUTCOMES: readonly string[] = ["ok", "failed", "unknown"];
const KINDS = "append, read, range, snapshot-read, snapshot-range";

export function formatHistory(history: History): string {
  return history.map((transaction) => `${formatTransaction(transaction)}\n`).join("");
}

/** One line, without its end. */
export function formatTransaction({ operations, isFinal, ...rest }: HistoryTransaction): string {
  const final = isFinal === true ? { final: true } : {};
  return JSON.stringify({ ...rest, ...final, operations: operations.map(tuple) });
}

/** Throws `INVALID_ARGUMENT` with the number of the line that is wrong. */
export function parseHistory(text: string): HistoryTransaction[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.map((line, index) => {
    try {
      return parseLine(line);
    } catch (error) {
      if (!(error instanceof SyntaxError) && !hasCode(error, "INVALID_ARGUMENT")) throw error;
      throw new StillwaterError("INVALID_ARGUMENT", `line ${index + 1} of the history: ${error.message}`, {
        cause: error,
      });
    }
  });
}

function tuple(operation: HistoryOperation): readonly unknown[] {
  if (operation.kind === "append") return ["append", operation.key, operation.value];
  const before = operation.isSnapshot === true ? "snapshot-" : "";
  return operation.kind === "read"
    ? [`${before}read`, operation.key, operation.list]
    : [`${before}range`, operation.prefix, operation.rows];
}

function parseLine(line: string): HistoryTransaction {
  const value = JSON.parse(line) as unknown;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong("a transaction is an object with outcome and operations", value);
  }
  const fields = value as Record<string, unknown>;
  for (const name of Object.keys(fields)) {
    if (!FIELDS.includes(name)) throw wrong(`a transaction has the fields ${FIELDS.join(", ")}`, name);
  }
  const { outcome, operations, process, start, end, final } = fields;
  if (!OUTCOMES.includes(outcome as string)) throw wrong("the outcome is ok, failed or unknown", outcome);
  if (!Array.isArray(operations)) throw wrong("the operations are an array", operations);
  if (process !== undefined && typeof process !== "number" && typeof process !== "string") {
    throw wrong("a process is a number or a text", process);
  }
  if (final !== undefined && typeof final !== "boolean") throw wrong("final is true or false", final);
  const startTime = parseTime("start", start);
  const endTime = parseTime("end", end);
  return {
    outcome: outcome as Outcome,
    operations: operations.map(parseOperation),
    ...(process === undefined ? {} : { process }),
    ...(startTime === undefined ? {} : { start: startTime }),
    ...(endTime === undefined ? {} : { end: endTime }),
    ...(final === undefined ? {} : { isFinal: final }),
  };
}

/** `null` is as good as absent. */
function parseTime(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrong(`${name} is a number`, value);
  return value;
}

function parseOperation(value: unknown): HistoryOperation {
  if (!Array.isArray(value) || value.length !== 3) {
    throw wrong("an operation is an array of its kind, its key and its value", value);
  }
  const [kind, key, content] = value as unknown[];
  if (typeof key !== "string") throw wrong("a key or prefix is a text", key);
  switch (kind) {
    case "append":
      return { kind, key, value: parseValue(content) };
    case "read":
    case "snapshot-read":
      return { kind: "read", key, list: parseList(content), ...snapshot(kind) };
    case "range":
    case "snapshot-range":
      return { kind: "range", prefix: key, rows: parseRows(key, content), ...snapshot(kind) };
    default:
      throw wrong(`an operation is one of ${KINDS}`, kind);
  }
}

function snapshot(kind: string): { isSnapshot: true } | Record<string, never> {
  return kind.startsWith("snapshot-") ? { isSnapshot: true } : {};
}

function parseRows(prefix: string, value: unknown): [string, List][] | null {
  if (value === null) return null;
  if (!Array.isArray(value)) throw wrong("a range has an array of rows, or null", value);
  const seen = new Set<string>();
  return value.map((row: unknown) => {
    if (!Array.isArray(row) || row.length !== 2) throw wrong("a row is an array of a key and its list", row);
    const [key, list] = row as unknown[];
    if (typeof key !== "string" || !key.startsWith(prefix)) {
      throw wrong(`a row's key is a text that begins with ${JSON.stringify(prefix)}`, key);
    }
    if (seen.has(key)) throw wrong("a range has each key once", key);
    seen.add(key);
    const values = parseList(list);
    if (values === null) throw wrong("a row has a list", row);
    return [key, values];
  });
}

function parseList(value: unknown): List | null {
  if (value === null) return null;
  if (!Array.isArray(value)) throw wrong("a read has an array of values, or null", value);
  return value.map(parseValue);
}

function parseValue(value: unknown): ListValue {
  if (typeof value === "string" || typeof value === "number") return value;
  throw wrong("a value is a number or a text", value);
}

function wrong(rule: string, found: unknown): StillwaterError {
  return new StillwaterError("INVALID_ARGUMENT", `${rule}; found ${JSON.stringify(found) ?? "nothing"}.`);
}
