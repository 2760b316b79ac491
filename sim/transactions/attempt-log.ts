/**
 * What one try of a transaction was asked, in the order of the calls, with the answers that it gave: all that its judge
 * knows of it. Keys and values are byte strings. Does not own: listening (`observed-transaction.ts`), judging.
 */
import type { AtomicOperation } from "../../src/transaction/atomic.js";

/** As `KeySelector`, or a key. */
export type LoggedBound =
  | string
  | { readonly key: string; readonly orEqual: boolean; readonly offset: number };

export type LoggedRow = readonly [key: string, value: string];

/** A read whose answer has not come, or failed, has `answer` null. */
export interface LoggedGet {
  readonly kind: "get";
  readonly isSnapshot: boolean;
  readonly key: string;
  answer: { readonly value: string | undefined } | null;
}

export interface LoggedRange {
  readonly kind: "range";
  readonly isSnapshot: boolean;
  readonly begin: LoggedBound;
  readonly end: LoggedBound;
  readonly reverse: boolean;
  /** `isWhole`: it was read to its end; else it was left after these rows. */
  answer: { readonly rows: readonly LoggedRow[]; readonly isWhole: boolean } | null;
}

export interface LoggedSelect {
  readonly kind: "select";
  readonly isSnapshot: boolean;
  readonly bound: Exclude<LoggedBound, string>;
  answer: { readonly key: string } | null;
}

export type LoggedRead = LoggedGet | LoggedRange | LoggedSelect;

export type LoggedWrite =
  | { readonly kind: "set"; readonly key: string; readonly value: string }
  | { readonly kind: "clear"; readonly key: string }
  | { readonly kind: "clearRange"; readonly begin: string; readonly end: string }
  | {
      readonly kind: "atomic";
      readonly operation: AtomicOperation;
      readonly key: string;
      readonly operand: string;
    }
  | { readonly kind: "stampKey"; readonly key: string; readonly offset: number; readonly value: string }
  | { readonly kind: "stampValue"; readonly key: string; readonly offset: number; readonly value: string }
  /** The next write conflicts with no reader. */
  | { readonly kind: "skipConflict" }
  | { readonly kind: "readConflict" | "writeConflict"; readonly begin: string; readonly end: string };

export type LoggedCall = LoggedRead | LoggedWrite;

export class AttemptLog {
  readonly calls: LoggedCall[] = [];
  /** Whether reads see what was written before them. */
  readonly readYourWrites: boolean;
  /** The version that reads see, and when it was taken by the clock of the process; null before the first read. */
  read: { readonly version: number; readonly atMs: number } | null = null;
  /** The version of the commit once the store has taken it; null before, and when it never does. */
  accepted: number | null = null;
  /** What the storage has answered to the commit. */
  outcome: "none" | "acknowledged" | "refused" | "unknown" = "none";

  constructor(readYourWrites: boolean) {
    this.readYourWrites = readYourWrites;
  }

  /** Whether there is anything to commit. */
  get hasConflicts(): boolean {
    return this.calls.some((call) => WRITES.has(call.kind) && !isNothing(call));
  }
}

const WRITES: ReadonlySet<LoggedCall["kind"]> = new Set([
  "set",
  "clear",
  "clearRange",
  "atomic",
  "stampKey",
  "stampValue",
  "writeConflict",
]);

function isNothing(call: LoggedCall): boolean {
  return (call.kind === "clearRange" || call.kind === "writeConflict") && call.begin >= call.end;
}
