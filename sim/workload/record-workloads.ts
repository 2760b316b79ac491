/**
 * The workloads of records by name; `records` on the command line stands for all of them. Clients write and read documents, indexes
 * are built and checked beside them, and the same maintenance, reopening and crashes go on as beside transactions. Does not own:
 * their steps (`record-generator.ts`), what they promise (`oracles/index-rows.ts` and its neighbours).
 */
import { TRANSACTION_WORKLOADS } from "./transaction-workloads.js";
import type { Workload } from "./workloads.js";

/** What the command line calls all of them. */
export const RECORD_FAMILY = "records";

const BESIDE = TRANSACTION_WORKLOADS.idempotency.families;

export const RECORD_WORKLOADS = {
  documents: {
    about: "documents come, change, swap unique values and go: every index follows",
    families: BESIDE,
  },
  "index-builds": {
    about: "indexes are disabled, enabled, built and rebuilt beside writers and one another",
    families: BESIDE,
  },
  migrations: {
    about: "schemas are migrated twice, beside writers of the former ones and one another",
    families: BESIDE,
  },
} as const satisfies Record<string, Workload>;

export type RecordWorkloadName = keyof typeof RECORD_WORKLOADS;

export function isRecordWorkload(name: string): name is RecordWorkloadName {
  return Object.hasOwn(RECORD_WORKLOADS, name);
}
