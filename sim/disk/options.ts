/**
 * What kind of disk a simulated machine has: capacity, how it fails, how it crashes, how slow it is. Plain data, drawn
 * by the runner from the `options` stream, printed with every run and stored in every case. Does not own: the
 * mechanisms. The S numbers are those of the fault table in the simulator's design (B3).
 */

/**
 * Faults decided call by call. Each comes with the probability, per call that may suffer it, in [0, 1]; 0 is off.
 * Those of class D damage what a single node cannot restore: they strike only where `SimulationDisk.damageAllowed`
 * says so, and are recorded in `SimulationDisk.damage`.
 */
export interface FaultProbabilities {
  // Reads.
  /** S13: this read fails, the next one may succeed. Sensible up to 1e-2. */
  readonly readError: number;
  /** S14, class D: a sector gives errors until it is rewritten. */
  readonly latentSector: number;
  /** S15, class D: bits of a sector flip at rest. */
  readonly bitRot: number;
  /** S30: a read moves fewer bytes than it could. Sensible up to 1e-1. */
  readonly shortRead: number;
  /** B5: the cache drops pages whose write-back failed, so that the old content shows. */
  readonly eviction: number;
  /** S16, class D: this read gives wrong bytes, the next one the right ones. */
  readonly readCorruption: number;
  /** S19, class D: this read gives the bytes of another sector. */
  readonly misdirectedRead: number;
  // Writes.
  /** S21: a write fails, with nothing, a prefix or all of it in the page cache. Sensible up to 1e-2. */
  readonly writeError: number;
  /** S31: a write accepts fewer bytes than asked. Sensible up to 1e-1. */
  readonly shortWrite: number;
  /** S17, class D: a bit flips on the way to the page cache; the call succeeds. */
  readonly writeCorruption: number;
  /** S25: a write that would make a file longer fails with EFBIG, having done nothing. */
  readonly fileTooBig: number;
  // Syncs of files and directories.
  /** S22: a sync fails, by `syncFailure`. Sensible up to 1e-3. */
  readonly syncError: number;
  /** S20, class D: a sync of a file succeeds, but one page on the medium stays as it was. */
  readonly lostWrite: number;
  /** S18, class D: as S20, and the sector lands elsewhere, in this file or one beside it. */
  readonly misdirectedWrite: number;
  // Several kinds of calls.
  /** S32: rename, link, unlink, or the sync of a directory is done in full, and reports an error. */
  readonly errorThoughDone: number;
  /** S29: EINTR or EAGAIN; nothing was done. Reads, writes, syncs and calls on names. */
  readonly interrupted: number;
  /** S21 on names: create, rename, link, unlink, make or remove directory fail, and did nothing. */
  readonly nameError: number;
  /** S23: closing a file that was written reports an error; the handle is gone all the same. */
  readonly closeError: number;
  /** S42: `stat` of a file that is being written gives the size it had before the last change. */
  readonly staleSize: number;
  // Once for each process life.
  /** S27: from a time on, calls that change anything are denied, until the life or the safety phase ends. */
  readonly accessDenied: number;
  /** S35: from a time on, asynchronous calls do not complete; after a while a watchdog crashes the machine. */
  readonly stuckCalls: number;
  /** S36: for a while, asynchronous calls take `latency.stallFactor` times as long. */
  readonly slowWindow: number;
  /** S28, on Windows: a file that was just closed is looked at by somebody for a while. Sensible up to 3e-1. */
  readonly fileHeld: number;
}

export type DiskFault = keyof FaultProbabilities;

/**
 * The faults that each kind of call may suffer, in one roll of the dice. The position in a list is the number of the
 * fault in choice logs: lists only grow, at their end.
 */
export const READ_FAULTS = [
  "readError",
  "latentSector",
  "bitRot",
  "shortRead",
  "eviction",
  "readCorruption",
  "misdirectedRead",
  "interrupted",
] as const satisfies readonly DiskFault[];
export const WRITE_FAULTS = [
  "writeError",
  "shortWrite",
  "writeCorruption",
  "fileTooBig",
  "interrupted",
] as const satisfies readonly DiskFault[];
export const SYNC_FAULTS = [
  "syncError",
  "lostWrite",
  "misdirectedWrite",
  "errorThoughDone",
  "interrupted",
] as const satisfies readonly DiskFault[];
export const NAME_FAULTS = [
  "nameError",
  "errorThoughDone",
  "interrupted",
  "fileTooBig",
] as const satisfies readonly DiskFault[];
export const CLOSE_FAULTS = ["closeError"] as const satisfies readonly DiskFault[];
export const STAT_FAULTS = ["staleSize"] as const satisfies readonly DiskFault[];
export const HOLD_FAULTS = ["fileHeld"] as const satisfies readonly DiskFault[];
export const LIFE_FAULTS = [
  "accessDenied",
  "stuckCalls",
  "slowWindow",
] as const satisfies readonly DiskFault[];

/**
 * What a failed sync leaves behind (Rebello et al., "Can Applications Recover from fsync Failures?", ATC 2020).
 * `clean-keep` (ext4, XFS): the pages that failed keep the new bytes but count as clean; the next sync succeeds and
 * the medium keeps the old bytes. `clean-revert` (Btrfs): as that, and the cache falls back to the old bytes and
 * size. `dirty-keep` (FreeBSD): the pages stay dirty and the next sync tries them again. `late-report` (ext4 with
 * data=journal): as `clean-keep`, but this sync succeeds and the next one fails. `no-report` (old kernels): nobody is
 * told. With the last two a sync has lied, which no engine can survive: class D.
 */
export const SYNC_FAILURES = [
  "clean-keep",
  "clean-revert",
  "dirty-keep",
  "late-report",
  "no-report",
] as const;
export type SyncFailure = (typeof SYNC_FAILURES)[number];

/**
 * What a sync makes durable, and what of the rest may survive a power loss (simulation.md B1). `posix-strict`: the
 * weakest that POSIX allows. `journal-ordered` (ext4 with data=ordered): of the name operations a prefix in order
 * survives, the sync of a new file makes its name durable, and no size is durable before the bytes below it.
 * `journal-strict` (XFS, Btrfs): as that, and the sync of a file makes all earlier name operations durable; holes are
 * zeros. `sync-lies` (a drive that acknowledges from its cache): a sync takes effect with a later one, or never;
 * class D.
 */
export const SYNC_PERSONALITIES = ["posix-strict", "journal-ordered", "journal-strict", "sync-lies"] as const;
export type SyncPersonality = (typeof SYNC_PERSONALITIES)[number];

/**
 * By whose rules names and syncs go. `posix`: Linux. `macos`: the same, but a sync empties the drive's cache and takes
 * long (`latency`). `windows`: directories cannot be synced; what was done to names becomes durable along with the next
 * file that is synced, in order (`journal-strict`); and a file that somebody has open can be neither removed, nor moved,
 * nor replaced (S28).
 */
export const MACHINES = ["posix", "windows", "macos"] as const;
export type Machine = (typeof MACHINES)[number];

/** What is read where a size persisted and the bytes below it did not (S5). */
export const HOLE_CONTENTS = ["zeros", "stale", "garbage"] as const;
export type HoleContent = (typeof HOLE_CONTENTS)[number];

export interface LatencyOptions {
  /** S33: exponential around `meanMs`, at least `minimumMs`, for `syncDataLater` and `readLater`. */
  readonly minimumMs: number;
  readonly meanMs: number;
  /** The probability that a call takes `stallFactor` times as long. 0 outside the bimodal seeds. */
  readonly stallProbability: number;
  readonly stallFactor: number;
}

/** What the simulated disk is like: sizes, personality, faults, latency. */
export interface DiskOptions {
  readonly machine: Machine;
  /** Whether the volume has hard links; exFAT has none. */
  readonly links: boolean;
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
  readonly personality: SyncPersonality;
  /** S10, class D: how probable it is, for each rename that survives a power loss, that it is done by half. */
  readonly splitRenameProbability: number;
  /** S26: how many files a process may have open (EMFILE); 0 is no limit. */
  readonly openFilesMax: number;
  /** S24: whether a full disk is noticed at syncs, and by rename and link, instead of at writes. */
  readonly delayedAllocation: boolean;
  /** S24, S25: what a full disk says. */
  readonly spaceErrno: "ENOSPC" | "EDQUOT";
  readonly faults: FaultProbabilities;
  readonly latency: LatencyOptions;
  /** S34: whether calls in flight together may complete in another order than they were made. */
  readonly reorderCompletions: boolean;
}

/** No fault is ever drawn. */
export const NO_FAULTS = Object.fromEntries(
  [
    ...READ_FAULTS,
    ...WRITE_FAULTS,
    ...SYNC_FAULTS,
    ...NAME_FAULTS,
    ...CLOSE_FAULTS,
    ...STAT_FAULTS,
    ...LIFE_FAULTS,
    ...HOLD_FAULTS,
  ].map((name) => [name, 0]),
) as unknown as FaultProbabilities;

/** A sound disk of 1 GiB: no faults, crashes that tear half of what persists. The base for drawing others. */
export const SOUND_DISK: DiskOptions = {
  machine: "posix",
  links: true,
  capacityBytes: 1024 ** 3,
  powersafeOverwrite: true,
  collateralProbability: 0,
  tearProbability: 0.5,
  holeContent: "zeros",
  syncFailure: "clean-keep",
  personality: "posix-strict",
  splitRenameProbability: 0,
  openFilesMax: 0,
  delayedAllocation: false,
  spaceErrno: "ENOSPC",
  faults: NO_FAULTS,
  latency: { minimumMs: 0.1, meanMs: 1, stallProbability: 0, stallFactor: 100 },
  reorderCompletions: true,
};
