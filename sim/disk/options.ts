/**
 * What kind of disk a simulated machine has: capacity, how it fails, how it crashes, how slow it is. Plain data, drawn
 * by the runner from the `options` stream, printed with every run and stored in every case. Does not own: the
 * mechanisms. The S numbers are those of the fault table in the simulator's design (B3).
 */

/** Faults decided call by call. Each comes with the probability, per call that may suffer it, in [0, 1]; 0 is off. */
export interface FaultProbabilities {
  /** S13: this read fails, the next one may succeed. Sensible up to 1e-2. */
  readonly readError: number;
  /** S14: a sector gives errors until it is rewritten. Only where `SimulationDisk.damageAllowed` says so. */
  readonly latentSector: number;
  /** S15: bits of a sector flip at rest. Only where `SimulationDisk.damageAllowed` says so. */
  readonly bitRot: number;
  /** S30: a read moves fewer bytes than it could. Sensible up to 1e-1. */
  readonly shortRead: number;
  /** S31: a write accepts fewer bytes than asked. Sensible up to 1e-1. */
  readonly shortWrite: number;
  /** S21: a write fails, with nothing, a prefix or all of it in the page cache. Sensible up to 1e-2. */
  readonly writeError: number;
  /** S22: a sync of a file or directory fails, by `syncFailure`. Sensible up to 1e-3. */
  readonly syncError: number;
  /** B5: the cache drops pages whose write-back failed, so that the old content shows. Decided on reads. */
  readonly eviction: number;
}

/**
 * What a failed sync leaves behind (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
 * `clean-keep` (ext4, XFS): the pages that failed keep the new bytes but count as clean; the next sync succeeds and
 * the medium keeps the old bytes. `clean-revert` (Btrfs): as that, and the cache falls back to the old bytes and
 * size. `dirty-keep` (FreeBSD): the pages stay dirty and the next sync tries them again.
 */
export type SyncFailure = "clean-keep" | "clean-revert" | "dirty-keep";

/** What is read where a size persisted and the bytes below it did not (S5). */
export type HoleContent = "zeros" | "stale" | "garbage";

export interface LatencyOptions {
  /** S33: exponential around `meanMs`, at least `minimumMs`, for `syncDataLater` and `readLater`. */
  readonly minimumMs: number;
  readonly meanMs: number;
  /** The probability that a call takes `stallFactor` times as long. 0 outside the bimodal seeds. */
  readonly stallProbability: number;
  readonly stallFactor: number;
}

export interface DiskOptions {
  /** S24: bytes of file pages (4096 each) that fit; see `SimulationDisk.setCapacity`. */
  readonly capacityBytes: number;
  /** Whether a write leaves the bytes beside it in its sectors alone when the power fails. False is S12. */
  readonly powersafeOverwrite: boolean;
  /** S12: how probable the damage is, for each page with unsynced bytes at a power loss. Without `powersafeOverwrite`. */
  readonly collateralProbability: number;
  /** S1: how probable it is that a page which persists at a power loss is torn at a sector. */
  readonly tearProbability: number;
  readonly holeContent: HoleContent;
  readonly syncFailure: SyncFailure;
  readonly faults: FaultProbabilities;
  readonly latency: LatencyOptions;
  /** S34: whether calls in flight together may complete in another order than they were made. */
  readonly reorderCompletions: boolean;
}

export const NO_FAULTS: FaultProbabilities = {
  readError: 0,
  latentSector: 0,
  bitRot: 0,
  shortRead: 0,
  shortWrite: 0,
  writeError: 0,
  syncError: 0,
  eviction: 0,
};

/** A sound disk of 1 GiB: no faults, crashes that tear half of what persists. The base for drawing others. */
export const SOUND_DISK: DiskOptions = {
  capacityBytes: 1024 ** 3,
  powersafeOverwrite: true,
  collateralProbability: 0,
  tearProbability: 0.5,
  holeContent: "zeros",
  syncFailure: "clean-keep",
  faults: NO_FAULTS,
  latency: { minimumMs: 0.1, meanMs: 1, stallProbability: 0, stallFactor: 100 },
  reorderCompletions: true,
};
