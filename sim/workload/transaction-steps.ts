/**
 * What a transaction of a workload does, as plain data: steps that are carried out one after the other on the public
 * interface (`transactions/steps.ts`), so that a recorded transaction runs again without its generator and a shrinker may
 * leave out any of them. Keys and values are byte strings. The first ones are single calls; the others are what a workload
 * is about: they read, and write what follows from it.
 */
import type { AtomicOperation } from "../../src/transaction/atomic.js";

export type TransactionStep =
  | readonly ["get", key: string, isSnapshot: boolean]
  /** `limit` 0 is none. */
  | readonly ["range", begin: string, end: string, limit: number, reverse: boolean, isSnapshot: boolean]
  /** Reads row by row, and leaves after `rows`. */
  | readonly ["walk", begin: string, end: string, rows: number, reverse: boolean]
  | readonly ["select", key: string, orEqual: boolean, offset: number, isSnapshot: boolean]
  | readonly ["set", key: string, value: string]
  | readonly ["clear", key: string]
  | readonly ["clearRange", begin: string, end: string]
  | readonly ["atomic", operation: AtomicOperation, key: string, operand: string]
  /** `prefix`, versionstamp, `suffix`. */
  | readonly ["stampKey", prefix: string, suffix: string, value: string]
  | readonly ["stampValue", key: string, prefix: string, suffix: string]
  | readonly ["readConflict", begin: string, end: string]
  | readonly ["writeConflict", begin: string, end: string]
  /** The next write makes no reader fail. */
  | readonly ["skipConflict"]
  /** Begins a watch with the commit. */
  | readonly ["watch", key: string]
  /** Takes the node after `at` of a ring of so many nodes and puts it one place further. */
  | readonly ["rotate", nodes: number, at: number]
  /** Adds to a counter, and writes down under `id` that it did. */
  | readonly ["count", counter: number, id: number, amount: number]
  /** Moves money between two of so many accounts, as far as there is any. */
  | readonly ["transfer", accounts: number, from: number, to: number, amount: number]
  /** Adds up all accounts, one by one, or by a range read in either direction. */
  | readonly ["audit", accounts: number, how: "points" | "range" | "reverse"]
  /** One of a pair goes off duty if the other is on, or comes back. */
  | readonly ["duty", pair: number, side: number]
  /** Takes the next number, and files it under a versionstamp. */
  | readonly ["file", suffix: string]
  /** Opens a directory, creating it if need be, or removes it. */
  | readonly ["directory", name: number, how: "open" | "remove"]
  /** Adds to a counter of those that idempotency keys are for. */
  | readonly ["increment", counter: number, amount: number]
  /** No transaction, but a call about a change feed; `part` in eighths says where, of what the feed holds. */
  | readonly ["feed", how: (typeof FEED_CALLS)[number], feed: number, part: number];

const FEED_CALLS = ["read", "create", "remove", "pop"] as const;

export type StepKind = TransactionStep[0];

/** Steps that one transaction may have. */
export const STEPS_MAX = 32;

type Field = "text" | "count" | "flag" | "integer" | readonly string[];

const ATOMICS: readonly AtomicOperation[] = [
  "add",
  "bitAnd",
  "bitOr",
  "bitXor",
  "appendIfFits",
  "max",
  "min",
  "byteMin",
  "byteMax",
  "compareAndClear",
];

/** What follows the name of each step. */
export const STEP_FIELDS: Readonly<Record<StepKind, readonly Field[]>> = {
  get: ["text", "flag"],
  range: ["text", "text", "count", "flag", "flag"],
  walk: ["text", "text", "count", "flag"],
  select: ["text", "flag", "integer", "flag"],
  set: ["text", "text"],
  clear: ["text"],
  clearRange: ["text", "text"],
  atomic: [ATOMICS, "text", "text"],
  stampKey: ["text", "text", "text"],
  stampValue: ["text", "text", "text"],
  readConflict: ["text", "text"],
  writeConflict: ["text", "text"],
  skipConflict: [],
  watch: ["text"],
  rotate: ["count", "count"],
  count: ["count", "count", "count"],
  transfer: ["count", "count", "count", "count"],
  audit: ["count", ["points", "range", "reverse"]],
  duty: ["count", "count"],
  file: ["text"],
  directory: ["count", ["open", "remove"]],
  increment: ["count", "count"],
  feed: [FEED_CALLS, "count", "count"],
};

/** Options of one transaction beside its steps; those of the client hold for all. */
export interface TransactionSettings {
  readonly durability?: "sync" | "buffered";
  /** Reads do not see the transaction's own writes. */
  readonly blind?: boolean;
  /** The first transaction with a key says what all of them do. */
  readonly idempotencyKey?: string;
}
