/**
 * What a simulated disk tells someone who records it for people (`sim/viewer`): that a call, a completion, an injected
 * error, damage or a crash comes now, always before it has an effect. The recorder reads the effects from the disk
 * itself when the next event comes, so that nothing here has to describe them. Costs one comparison while nobody
 * records. Promise to keep by recorders: looking changes nothing. Does not own: the trace, which is what runs are
 * compared by.
 */
import type { DiskCounters } from "./counters.js";
import type { DamageRecord } from "./damage.js";
import type { DiskTimers, VFSOperation } from "./disk-state.js";
import type { Errno } from "./errors.js";
import type { Namespace } from "./namespace.js";
import type { CrashKind } from "./simulation-disk.js";

/** The disk as a recorder may look at it. */
export interface RecordedDisk {
  readonly names: Namespace;
  readonly counters: DiskCounters;
  readonly timers: DiskTimers;
  /** All damage to bytes at rest so far; it grows. */
  readonly damage: readonly DamageRecord[];
}

export interface DiskRecorder {
  /** Comes once, before any event. */
  attached(disk: RecordedDisk): void;
  /** `a` and `b` are the call's numbers: offset and length of transfers, the size of a truncate; otherwise 0. */
  call(operation: VFSOperation, path: string, a: number, b: number): void;
  /** The second name of the call that has just begun. */
  secondPath(path: string): void;
  /** An asynchronous call completes. */
  completion(path: string, submission: number): void;
  /** The call or completion that has just begun fails with this errno. */
  error(errno: Errno, operation: VFSOperation, path: string, offset: number | undefined): void;
  damage(kind: DamageRecord["kind"], path: string, offset: number): void;
  crash(kind: CrashKind, life: number): void;
}
