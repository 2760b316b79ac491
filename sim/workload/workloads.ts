/**
 * The workloads by name: which families of operations each one mixes, and how strongly. Within a workload the seed
 * still switches families off (`options.ts`). Does not own: how an operation of a family is made (`generator.ts`).
 */
import { StillwaterError } from "../../src/platform/errors.js";
import { LEVEL_WORKLOADS } from "./level-workloads.js";
import { READER_WORKLOADS } from "./reader-workloads.js";
import { RECORD_FAMILY, RECORD_WORKLOADS } from "./record-workloads.js";
import { TRANSACTION_FAMILY, TRANSACTION_WORKLOADS } from "./transaction-workloads.js";

export const OPERATION_FAMILIES = [
  "write",
  "get",
  "scan",
  "snapshot",
  "iterator",
  "flush",
  "compact",
  "checkpoint",
  "verify",
  "checkAll",
  "settle",
  "pause",
  "reopen",
  "space",
  "dropCaches",
  "transact",
  "reader",
  "backup",
] as const;
export type OperationFamily = (typeof OPERATION_FAMILIES)[number];

export interface Workload {
  readonly about: string;
  readonly families: Readonly<Record<OperationFamily, number>>;
}

const NOTHING: Readonly<Record<OperationFamily, number>> = {
  write: 0,
  get: 0,
  scan: 0,
  snapshot: 0,
  iterator: 0,
  flush: 0,
  compact: 0,
  checkpoint: 0,
  verify: 0,
  checkAll: 0,
  settle: 0,
  pause: 0,
  reopen: 0,
  space: 0,
  dropCaches: 0,
  transact: 0,
  reader: 0,
  backup: 0,
};

export const STORE_WORKLOADS = {
  mixed: {
    about: "everything beside everything",
    families: {
      write: 40,
      get: 12,
      scan: 8,
      snapshot: 6,
      iterator: 6,
      flush: 1,
      compact: 1,
      checkpoint: 0.3,
      verify: 0.3,
      checkAll: 0.5,
      settle: 2,
      pause: 4,
      reopen: 0.4,
      space: 0.3,
      dropCaches: 0.5,
      transact: 0,
      reader: 0,
      backup: 0,
    },
  },
  commits: {
    about: "durability and order of commits: many writers, little else",
    families: { ...NOTHING, write: 80, get: 8, settle: 4, pause: 6, flush: 0.5, reopen: 0.6, checkAll: 0.4 },
  },
  ranges: {
    about: "scans, iterators and snapshots over a tree that is being compacted",
    families: {
      ...NOTHING,
      write: 40,
      get: 6,
      scan: 20,
      snapshot: 8,
      iterator: 20,
      flush: 1.5,
      compact: 1.5,
      pause: 4,
      checkAll: 0.4,
    },
  },
  maintenance: {
    about: "flush, compaction, checkpoint, verify, reopen and a full disk under writes",
    families: {
      ...NOTHING,
      write: 60,
      get: 6,
      snapshot: 2,
      flush: 6,
      compact: 6,
      checkpoint: 1.5,
      verify: 1,
      checkAll: 1,
      settle: 2,
      pause: 6,
      reopen: 1.5,
      space: 1,
      dropCaches: 1,
    },
  },
} as const satisfies Record<string, Workload>;

/** Backups into one repository, and what is made of them, beside everything that changes tables. */
export const BACKUP_WORKLOADS = {
  backups: {
    about: "backups are made, verified, restored, deleted and pruned beside commits, flushes and compactions",
    families: {
      ...NOTHING,
      write: 55,
      get: 3,
      snapshot: 1,
      flush: 4,
      compact: 3,
      settle: 2,
      pause: 5,
      reopen: 1,
      space: 0.6,
      dropCaches: 0.5,
      backup: 14,
    },
  },
} as const satisfies Record<string, Workload>;

/** The workloads, with what each is about. */
export const WORKLOADS = {
  ...STORE_WORKLOADS,
  ...READER_WORKLOADS,
  ...TRANSACTION_WORKLOADS,
  ...RECORD_WORKLOADS,
  ...BACKUP_WORKLOADS,
  ...LEVEL_WORKLOADS,
} as const;

/** The names of the workloads. */
export type WorkloadName = keyof typeof WORKLOADS;

/** Parses the value of `--workload`; `transactions` and `records` are all of these. Throws `INVALID_ARGUMENT` for a name that is none. */
export function parseWorkloads(text: string): readonly WorkloadName[] {
  return text.split(",").flatMap((name) => {
    if (name === TRANSACTION_FAMILY) return Object.keys(TRANSACTION_WORKLOADS) as WorkloadName[];
    if (name === RECORD_FAMILY) return Object.keys(RECORD_WORKLOADS) as WorkloadName[];
    if (Object.hasOwn(WORKLOADS, name)) return [name as WorkloadName];
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `there is no workload "${name}". Known: ${[...Object.keys(WORKLOADS), TRANSACTION_FAMILY, RECORD_FAMILY].join(", ")}.`,
    );
  });
}
