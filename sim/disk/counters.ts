/**
 * What a simulated disk did: calls, bytes, crashes, and how often each kind of fault really happened. Plain numbers
 * for reports and for the tests that demand that every kind was seen. Does not own: deciding faults.
 */

/** Every kind of fault the disk can inflict, by its row in the fault table (`fault-table.ts`). */
export const FAULT_KINDS = [
  "S1 torn write",
  "S2 lost write",
  "S3 out of order",
  "S4 intermediate version",
  "S5 size apart from data",
  "S6 lost create",
  "S7 undone unlink",
  "S8 unlink before earlier",
  "S9 undone rename",
  "S9 rename without data",
  "S10 split rename",
  "S11 undone truncate",
  "S12 collateral sector",
  "S13 read error",
  "S14 latent sector",
  "S15 bit rot",
  "S16 wrong bytes read",
  "S17 wrong bytes written",
  "S18 misdirected write",
  "S19 misdirected read",
  "S20 write never made",
  "S21 write error",
  "S21 error on a name",
  "S22 sync error",
  "S22 reported late",
  "S22 not reported",
  "S22 sync lied",
  "S23 close error",
  "S24 no space",
  "S24 no space at sync",
  "S24 no space for a name",
  "S25 file too big",
  "S26 too many open files",
  "S27 denied",
  "S28 file in use",
  "S29 interrupted",
  "S30 short read",
  "S31 short write",
  "S32 error though done",
  "S33 stall",
  "S34 reordered completion",
  "S35 stuck",
  "S36 slow window",
  "S42 stale size",
  "B5 eviction",
] as const;

/** The faults that are counted. */
export type FaultKind = (typeof FAULT_KINDS)[number];

export class DiskCounters {
  /** Kinds that never happened are there with 0. */
  readonly faults: Record<FaultKind, number>;
  calls = 0;
  /** Calls of each kind, by its position in `VFS_OPERATIONS`. */
  readonly callsOf: number[] = [];
  syncs = 0;
  bytesRead = 0;
  bytesWritten = 0;
  /** Times that the page cache has let go of what the medium does not have. */
  evictions = 0;
  processKills = 0;
  powerLosses = 0;
  /** Power losses that found something unsynced, so that there was a state to choose. */
  crashStates = 0;

  constructor() {
    this.faults = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as Record<FaultKind, number>;
  }
}
