/**
 * What a client saw of a database: transactions of appends to lists and reads of whole lists, in the form in which the checker
 * takes it (`check.ts`) and which any database's test can record. Owns what makes a history well-formed.
 *
 * Appended values are unique for each key, so a list that is read tells which appends it contains, and in which order.
 */
import { StillwaterError } from "../../src/platform/errors.js";

/** What is appended. `1` and `"1"` are two values. */
export type ListValue = number | string;
export type List = readonly ListValue[];

/** A read or an append of one transaction. */
export type HistoryOperation =
  | { readonly kind: "append"; readonly key: string; readonly value: ListValue }
  /** `list` is null when no answer came. `isSnapshot`: the transaction asked for a read that does not conflict. */
  | {
      readonly kind: "read";
      readonly key: string;
      readonly list: List | null;
      readonly isSnapshot?: boolean;
    }
  /** All keys that begin with `prefix`; those that are not among the rows were absent. */
  | {
      readonly kind: "range";
      readonly prefix: string;
      readonly rows: readonly (readonly [key: string, list: List])[] | null;
      readonly isSnapshot?: boolean;
    };

/** What the client was told: committed, not committed, or nothing that says which. */
export type Outcome = "ok" | "failed" | "unknown";

/** One transaction: who, when, what, and how it ended. */
export interface HistoryTransaction {
  readonly outcome: Outcome;
  readonly operations: readonly HistoryOperation[];
  /** Who ran it, one after the other. Transactions without one are each their own process. */
  readonly process?: number | string;
  /** When it began and ended by one monotonic clock, of any unit. An unknown one may have no end. */
  readonly start?: number;
  readonly end?: number;
  /** Its reads come after everything else, and of the newest state: what was acknowledged must be in them. */
  readonly isFinal?: boolean;
}

/** Transactions as clients have seen them. */
export type History = readonly HistoryTransaction[];

/** A key's list at some point, and what appended each value. */
export interface Appended {
  /** Index in the history. */
  readonly transaction: number;
  /** Its place among the transaction's appends to this key, and how many these are. */
  readonly place: number;
  readonly count: number;
}

export type Appends = ReadonlyMap<string, ReadonlyMap<ListValue, Appended>>;

/** Every append by key and value. Throws `INVALID_ARGUMENT` for a value that was appended to a key twice. O(operations). */
export function indexAppends(history: History): Appends {
  const appends = new Map<string, Map<ListValue, Appended>>();
  for (const [transaction, { operations }] of history.entries()) {
    const counts = new Map<string, number>();
    for (const operation of operations) {
      if (operation.kind === "append") counts.set(operation.key, (counts.get(operation.key) ?? 0) + 1);
    }
    const places = new Map<string, number>();
    for (const operation of operations) {
      if (operation.kind !== "append") continue;
      const { key, value } = operation;
      const ofKey = appends.get(key) ?? new Map<ListValue, Appended>();
      const before = ofKey.get(value);
      if (before !== undefined) {
        throw malformed(
          transaction,
          `appends ${JSON.stringify(value)} to ${JSON.stringify(key)}, as T${before.transaction + 1} does. Append a value to a key once only, also when a transaction is tried again.`,
        );
      }
      const place = places.get(key) ?? 0;
      places.set(key, place + 1);
      ofKey.set(value, { transaction, place, count: counts.get(key) as number });
      appends.set(key, ofKey);
    }
  }
  return appends;
}

/** Throws `INVALID_ARGUMENT` where times or processes contradict each other, or times that are needed are missing. */
export function checkTimes(history: History, needsTimes: boolean): void {
  let lastEnd = Number.NEGATIVE_INFINITY;
  for (const [index, { start, end, outcome, isFinal }] of history.entries()) {
    if (start !== undefined && end !== undefined && end < start) {
      throw malformed(index, `ends at ${end}, before it starts at ${start}.`);
    }
    if (needsTimes && (start === undefined || (end === undefined && outcome !== "unknown"))) {
      throw malformed(
        index,
        "has no start or no end, which real time is judged by. Record both, or ask for serializable.",
      );
    }
    if (isFinal !== true && outcome !== "unknown") lastEnd = Math.max(lastEnd, end ?? lastEnd);
  }
  for (const [index, { start, isFinal }] of history.entries()) {
    if (isFinal !== true || start === undefined || start >= lastEnd) continue;
    throw malformed(index, `is final, but starts at ${start}, before another ends at ${lastEnd}.`);
  }
  for (const ofProcess of byProcess(history).values()) {
    let before = -1;
    for (const index of ofProcess) {
      const { start, outcome } = history[index] as HistoryTransaction;
      const ended = before < 0 ? undefined : history[before]?.end;
      if (start !== undefined && ended !== undefined && ended > start) {
        throw malformed(
          index,
          `starts at ${start}, while T${before + 1} of the same process ends at ${ended}.`,
        );
      }
      // Who does not know the outcome may go on at once.
      if (outcome !== "unknown") before = index;
    }
  }
}

/** Indices of each process's transactions, in its order. */
export function byProcess(history: History): Map<number | string, number[]> {
  const processes = new Map<number | string, number[]>();
  for (const [index, { process }] of history.entries()) {
    if (process === undefined) continue;
    const ofProcess = processes.get(process);
    if (ofProcess === undefined) processes.set(process, [index]);
    else ofProcess.push(index);
  }
  const startOf = (index: number): number => history[index]?.start ?? 0;
  for (const ofProcess of processes.values()) ofProcess.sort((a, b) => startOf(a) - startOf(b) || a - b);
  return processes;
}

/** Transactions are called by their place, from 1: in a file of JSON lines, by their line. */
export function malformed(index: number, what: string): StillwaterError {
  return new StillwaterError("INVALID_ARGUMENT", `T${index + 1} (line ${index + 1}) ${what}`);
}
