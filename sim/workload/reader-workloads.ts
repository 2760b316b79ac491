/**
 * The workload of readers beside the writer (`run/readers.ts`): what the store does anyway, with much flushing, merging, reopening
 * and crashing, while they open, refresh and read.
 */
import type { Workload } from "./workloads.js";

export const READER_WORKLOADS = {
  readers: {
    about:
      "readers in another process open, refresh and scan beside the writer, through its flushes, merges, crashes and lives",
    families: {
      write: 40,
      get: 1,
      scan: 1,
      snapshot: 1,
      iterator: 0,
      flush: 3,
      compact: 2,
      checkpoint: 0,
      verify: 0.2,
      checkAll: 0.3,
      settle: 2,
      pause: 5,
      reopen: 1.5,
      space: 0.2,
      dropCaches: 0.5,
      transact: 0,
      reader: 30,
      backup: 0,
    },
  },
} as const satisfies Record<string, Workload>;

export type ReaderWorkloadName = keyof typeof READER_WORKLOADS;

export function isReaderWorkload(name: string): name is ReaderWorkloadName {
  return Object.hasOwn(READER_WORKLOADS, name);
}
