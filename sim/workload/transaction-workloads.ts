/**
 * The workloads of transactions by name; `transactions` on the command line stands for all of them. Each is about one
 * promise; the same maintenance, reopening and crashes go on beside all of them. Does not own: their steps
 * (`transaction-generator.ts`), what they promise (`oracles/invariants.ts`, `oracles/transactions.ts`).
 */
import type { Workload } from "./workloads.js";

/** What the command line calls all of them. */
export const TRANSACTION_FAMILY = "transactions";

const BESIDE = {
  write: 0,
  get: 0,
  scan: 2,
  snapshot: 1,
  iterator: 0,
  flush: 1,
  compact: 1,
  checkpoint: 0.2,
  verify: 0.2,
  checkAll: 1,
  settle: 2,
  pause: 4,
  reopen: 0.8,
  space: 0.3,
  dropCaches: 0.5,
  transact: 60,
  reader: 0,
  backup: 0,
} as const;

export const TRANSACTION_WORKLOADS = {
  cycle: { about: "a ring is turned by swaps: it stays one ring", families: BESIDE },
  "atomic-ops": { about: "counters are added to unread: they equal their logs", families: BESIDE },
  bank: { about: "money moves between accounts: every audit finds the same sum", families: BESIDE },
  "conflict-range": {
    about: "range reads against writes: a commit is refused exactly when one has met the other",
    families: BESIDE,
  },
  serializability: {
    about: "every call there is, at random: all as if one after the other",
    families: BESIDE,
  },
  "write-skew": { about: "of two one stays on duty, though each changes only itself", families: BESIDE },
  watches: { about: "watches are told of what has changed, and only of that", families: BESIDE },
  versionstamps: {
    about: "what is filed under versionstamps stands in the order of commits",
    families: BESIDE,
  },
  directories: {
    about: "directories come and go: no two ever share a prefix, and none lies in another's",
    families: BESIDE,
  },
  "list-append": {
    about: "lists are appended to and read: clients see no anomaly that has a name",
    families: BESIDE,
  },
  idempotency: {
    about: "counters are added to under idempotency keys, again and again: each key counts once",
    families: BESIDE,
  },
  "change-feeds": {
    about: "change feeds come and go beside commits: each holds what has changed in its range",
    families: BESIDE,
  },
} as const satisfies Record<string, Workload>;

/** Workloads of the layers above the storage, drawn apart from the others so that those stay where they were. */
export const LAYER_WORKLOADS = [
  "idempotency",
  "change-feeds",
] as const satisfies readonly (keyof typeof TRANSACTION_WORKLOADS)[];

export type TransactionWorkloadName = keyof typeof TRANSACTION_WORKLOADS;

export function isLayerWorkload(name: string): name is (typeof LAYER_WORKLOADS)[number] {
  return (LAYER_WORKLOADS as readonly string[]).includes(name);
}

export function isTransactionWorkload(name: string): name is TransactionWorkloadName {
  return Object.hasOwn(TRANSACTION_WORKLOADS, name);
}
