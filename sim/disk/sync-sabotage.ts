/**
 * Leaving syncs out on purpose, to see who notices (N11): asked at each sync, a saboteur says whether it is done,
 * dropped or postponed until the next sync is called. The program under test is told that all went well. The disk does
 * what is said; which syncs, and how they are named, is the saboteur's business (`sim/mutants/sabotage.ts`).
 */

export type SyncOperation = "syncData" | "syncDataLater" | "syncDirectory";

export type SyncFate = "done" | "dropped" | "postponed";

export interface SyncSabotage {
  /** Called when a sync begins, on the stack of its caller. */
  fateOf(operation: SyncOperation, path: string): SyncFate;
}
