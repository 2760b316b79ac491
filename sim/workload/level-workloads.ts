/**
 * The workload of `stillwater/level`: the operations of the store's workloads, each made through the interface of Level. Keys lie in
 * the database itself, in a sublevel and in one below that. Does not own: how an operation becomes calls (`run/level.ts`).
 */
import type { Workload } from "./workloads.js";

export const LEVEL_WORKLOADS = {
  level: {
    about: "puts, batches over sublevels, clears, snapshots and iterators through abstract-level",
    families: {
      write: 50,
      get: 10,
      scan: 10,
      snapshot: 8,
      iterator: 14,
      flush: 1,
      compact: 1,
      checkpoint: 0.2,
      verify: 2,
      checkAll: 0.6,
      settle: 2,
      pause: 4,
      reopen: 0.6,
      space: 0.3,
      dropCaches: 0.5,
      transact: 0,
      reader: 0,
      backup: 0,
    },
  },
} as const satisfies Record<string, Workload>;

export function isLevelWorkload(name: string): name is keyof typeof LEVEL_WORKLOADS {
  return Object.hasOwn(LEVEL_WORKLOADS, name);
}

/** Where keys lie: what the physical key begins with, and the path of the sublevel. */
export const SUBLEVELS: readonly { readonly prefix: string; readonly path: readonly string[] }[] = [
  { prefix: "", path: [] },
  { prefix: "!a!", path: ["a"] },
  { prefix: "!a!!b!", path: ["a", "b"] },
];
