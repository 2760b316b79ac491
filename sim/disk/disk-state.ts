/**
 * The parts of a simulated disk that its calls share: names, space, faults, counters, trace, and the process life in
 * which a call is made. Every call of a life begins with `begin`, which is the one place where a crash can come
 * between calls. Does not own: what calls do (`simulation-vfs.ts`, `simulation-file.ts`), crashes
 * (`simulation-disk.ts`).
 */
import type { StillwaterError } from "../../src/platform/errors.js";
import type { ChoiceStream, Choices } from "../choices/choices.js";
import type { Trace } from "../trace/trace.js";
import { Completions, type Flight } from "./completions.js";
import { DiskCounters } from "./counters.js";
import { DAMAGE_KINDS, type DamageKind, type DamageRecord } from "./damage.js";
import type { DiskRecorder } from "./disk-recorder.js";
import { type Errno, SimulatedCrash, systemError } from "./errors.js";
import { FaultDice } from "./fault-dice.js";
import type { FileNode } from "./file-node.js";
import { type LifeFaults, lifeFaults } from "./life-faults.js";
import type { DirectoryNode } from "./name-log.js";
import { Namespace } from "./namespace.js";
import {
  CLOSE_FAULTS,
  type DiskOptions,
  HOLD_FAULTS,
  LIFE_FAULTS,
  NAME_FAULTS,
  READ_FAULTS,
  STAT_FAULTS,
  SYNC_FAULTS,
  WRITE_FAULTS,
} from "./options.js";
import { PAGE_BYTES, type Page, pagesFor } from "./page.js";
import { type Path, PathTable } from "./paths.js";
import type { CrashKind } from "./simulation-disk.js";
import type { SyncOperation, SyncSabotage } from "./sync-sabotage.js";

/** The disk's view of virtual time. */
export interface DiskTimers {
  after(delayMs: number, task: () => void): void;
  nowMs(): number;
}

/** Every kind of call; the position is its number in the trace. */
export const VFS_OPERATIONS = [
  "createFile",
  "openFile",
  "removeFile",
  "rename",
  "link",
  "makeDirectory",
  "removeDirectory",
  "list",
  "syncDirectory",
  "stat",
  "lockDirectory",
  "read",
  "write",
  "truncate",
  "syncData",
  "syncDataLater",
  "readLater",
  "size",
  "close",
] as const;

/** The calls on the disk. */
export type VFSOperation = (typeof VFS_OPERATIONS)[number];

/** Trace numbers of what is not a call. */
export const TRACE_DATA = 64;
export const TRACE_ERROR = 65;
export const TRACE_COMPLETION = 66;
export const TRACE_FAULT = 67;
export const TRACE_CRASH = 68;

/** An open file, as far as the end of its life is concerned. */
export interface OpenHandle {
  readonly path: string;
  readonly node: FileNode;
}

/** One process: from `mount` to its crash or clean end. */
export class Life {
  readonly number: number;
  alive = true;
  readonly handles = new Set<OpenHandle>();
  /** Locked directories with the path they were locked by. */
  readonly locks = new Map<DirectoryNode, string>();
  readonly flights = new Set<Flight>();
  /** Completions that are due, and stuck (S35). */
  readonly stuck: (() => void)[] = [];
  readonly faults: LifeFaults;

  constructor(number: number, faults: LifeFaults) {
    this.number = number;
    this.faults = faults;
  }
}

/** Pages remembered of deleted files, and how many of one file. */
const GRAVEYARD_PAGES = 16;
const GRAVEYARD_PAGES_PER_FILE = 4;
/** Bytes that the checksum in the trace looks at; the durable hash looks at all. */
const CHECKSUM_SAMPLES = 32;

export class DiskState {
  readonly options: DiskOptions;
  readonly trace: Trace;
  readonly names: Namespace;
  readonly paths = new PathTable();
  readonly counters = new DiskCounters();
  readonly damage: DamageRecord[] = [];
  readonly readDice: FaultDice<(typeof READ_FAULTS)[number]>;
  readonly writeDice: FaultDice<(typeof WRITE_FAULTS)[number]>;
  readonly syncDice: FaultDice<(typeof SYNC_FAULTS)[number]>;
  readonly nameDice: FaultDice<(typeof NAME_FAULTS)[number]>;
  readonly closeDice: FaultDice<(typeof CLOSE_FAULTS)[number]>;
  readonly statDice: FaultDice<(typeof STAT_FAULTS)[number]>;
  readonly holdDice: FaultDice<(typeof HOLD_FAULTS)[number]>;
  private readonly lifeDice: FaultDice<(typeof LIFE_FAULTS)[number]>;
  /** Whether a sync lies, in the personality that does. */
  readonly lies: ChoiceStream;
  readonly graveyard: Page[] = [];
  capacityPages: number;
  usedPages = 0;
  faultsEnabled = true;
  durableVersion = 0;
  onCall: ((operation: VFSOperation, path: string) => void) | null = null;
  /** Called when a sync of a file fails, before the caller learns of it. */
  onSyncFailed: ((path: string) => void) | null = null;
  damageAllowed: ((path: string, offset: number, length: number) => boolean) | null = null;
  /** S35: a call has been stuck for so long that a watchdog would end the process. */
  onStuck: ((endsIn: CrashKind) => void) | null = null;
  wasStuck = false;
  /** A sync has claimed what is not so, and nothing has made it true yet. */
  isLying = false;
  /** What a lie or a split rename has cost can be seen by now. */
  lossShows = false;
  /** S18: at most one pair of a sector that kept its old bytes and one that got them instead. */
  misdirected: { readonly from: FileNode; readonly to: FileNode } | null = null;
  recorder: DiskRecorder | null = null;
  sabotage: SyncSabotage | null = null;
  readonly timers: DiskTimers;
  readonly completions: Completions;
  private sequence = 0;
  /** A sync that is to fail: the n-th of those that are wanted. */
  private syncToFail: { left: number; readonly wanted: (path: string) => boolean } | null = null;
  /** A sync that is to be done when the next one is called. */
  private postponed: (() => void) | null = null;

  constructor(
    options: DiskOptions,
    choices: Choices,
    trace: Trace,
    timers: DiskTimers,
    names: Namespace = new Namespace(),
  ) {
    const { faults } = options;
    this.options = options;
    this.names = names;
    this.trace = trace;
    this.timers = timers;
    this.completions = new Completions(this, choices.stream("latency"));
    this.capacityPages = Math.floor(options.capacityBytes / PAGE_BYTES);
    this.readDice = new FaultDice(choices.stream("disk.read"), READ_FAULTS, faults);
    this.writeDice = new FaultDice(choices.stream("disk.write"), WRITE_FAULTS, faults);
    this.syncDice = new FaultDice(choices.stream("disk.sync"), SYNC_FAULTS, faults);
    this.nameDice = new FaultDice(choices.stream("disk.name"), NAME_FAULTS, faults);
    this.closeDice = new FaultDice(choices.stream("disk.close"), CLOSE_FAULTS, faults);
    this.statDice = new FaultDice(choices.stream("disk.stat"), STAT_FAULTS, faults);
    this.holdDice = new FaultDice(choices.stream("disk.hold"), HOLD_FAULTS, faults);
    this.lifeDice = new FaultDice(choices.stream("disk.life"), LIFE_FAULTS, faults);
    this.lies = choices.stream("disk.lie");
  }

  /**
   * A copy with decisions, trace and time of its own. Hooks, handles, locks and calls in flight stay behind: they
   * belong to processes.
   */
  fork(choices: Choices, trace: Trace, timers: DiskTimers): DiskState {
    const fork = new DiskState(this.options, choices, trace, timers, this.names.fork());
    for (const file of fork.names.files()) fork.usedPages += file.allocatedPages;
    fork.capacityPages = this.capacityPages;
    fork.faultsEnabled = this.faultsEnabled;
    fork.isLying = this.isLying;
    fork.lossShows = this.lossShows;
    fork.durableVersion = this.durableVersion;
    fork.sequence = this.sequence;
    fork.damage.push(...this.damage);
    fork.graveyard.push(...this.graveyard);
    const { faults, ...counts } = this.counters;
    Object.assign(fork.counters, counts);
    Object.assign(fork.counters.faults, faults);
    return fork;
  }

  /** S22 at the n-th sync from now on of those that are `wanted`, in a run whose syncs may fail. */
  failSync(nth: number, wanted: (path: string) => boolean): void {
    this.syncToFail = { left: nth, wanted };
  }

  /** What strikes a sync, if anything does; how is in `syncDice.detail`. */
  rollSync(path: Path): (typeof SYNC_FAULTS)[number] | null {
    const { syncToFail, faultsEnabled, syncDice } = this;
    if (syncToFail !== null && faultsEnabled && syncToFail.wanted(path.text) && --syncToFail.left === 0) {
      this.syncToFail = null;
      syncDice.strikeNext();
    }
    return syncDice.roll(faultsEnabled);
  }

  /** A process begins, and with it what may befall it as a whole. */
  beginLife(number: number): Life {
    this.wasStuck = false;
    const fault = this.lifeDice.roll(this.faultsEnabled);
    return new Life(number, lifeFaults(fault, this.lifeDice.detail, this.timers.nowMs()));
  }

  /** Another process beside it, which nothing befalls as a whole. */
  beginLifeBeside(number: number): Life {
    return new Life(number, lifeFaults(null, 0, this.timers.nowMs()));
  }

  /** S27: throws when calls that change something are denied by now. `byHandle`: on a file that is open for writing. */
  needAccess(life: Life, operation: VFSOperation, path: Path, byHandle: boolean): void {
    const { deniedFromMs, denial } = life.faults;
    if (deniedFromMs === Number.POSITIVE_INFINITY || !this.faultsEnabled) return;
    if (this.timers.nowMs() < deniedFromMs || (byHandle && denial !== "EROFS")) return;
    this.counters.faults["S27 denied"]++;
    throw this.fault(denial, operation, path);
  }

  /** S26: throws when the process may open no more files. */
  needHandle(life: Life, operation: VFSOperation, path: Path): void {
    const { openFilesMax } = this.options;
    if (openFilesMax === 0 || life.handles.size < openFilesMax || !this.faultsEnabled) return;
    this.counters.faults["S26 too many open files"]++;
    throw this.fault("EMFILE", operation, path);
  }

  /** S29: "nothing was done", in two ways: one that production tries again, and one that it reports. */
  interrupted(detail: number, operation: VFSOperation, path: Path, offset?: number): StillwaterError {
    this.counters.faults["S29 interrupted"]++;
    return this.fault(detail % 4 === 0 ? "EAGAIN" : "EINTR", operation, path, offset);
  }

  /** Notes that a fault of class D has struck. */
  recordDamage(kind: DamageKind, path: string, offset: number, length: number): void {
    this.trace.event(TRACE_FAULT, DAMAGE_KINDS.indexOf(kind), this.paths.intern(path).id, offset);
    if (this.trace.recording) this.trace.line(`damage ${kind} ${path} ${offset}`);
    this.recorder?.damage(kind, path, offset);
    this.damage.push({ kind, path, offset, length });
  }

  /** A sync has succeeded without effect: from now on, what was promised may be lost. */
  lie(path: string): void {
    if (!this.isLying) this.recordDamage("sync-lied", path, 0, 0);
    this.isLying = true;
  }

  /** Clean pages that differ from the medium leave the cache; with them a lie may come to light. */
  evict(node: FileNode): void {
    if (node.forsaken.size === 0) return;
    this.counters.evictions++;
    this.accounting(node, () => node.evictForsaken());
    if (this.isLying) this.lossShows = true;
  }

  /** Starts a call: the hook may crash the life, and then, as in a life that has ended, this throws. */
  begin(life: Life, operation: VFSOperation, path: Path, a: number, b: number): void {
    if (!life.alive) throw new SimulatedCrash();
    if (this.onCall !== null) {
      this.onCall(operation, path.text);
      if (!life.alive) throw new SimulatedCrash();
    }
    const { callsOf } = this.counters;
    this.counters.calls++;
    const number = OPERATION_NUMBERS[operation];
    callsOf[number - 1] = (callsOf[number - 1] ?? 0) + 1;
    this.trace.event(number, path.id, a, b);
    if (this.trace.recording) this.trace.line(`vfs ${operation} ${path.text} ${a} ${b}`);
    if (this.recorder !== null) this.recorder.call(operation, path.text, a, b);
  }

  /** True when a sync is not to be done (N11); `sync` would do it. One that was postponed before has its turn now. */
  leavesOut(operation: SyncOperation, path: Path, sync: () => void): boolean {
    if (this.sabotage === null) return false;
    const due = this.postponed;
    this.postponed = null;
    due?.();
    const fate = this.sabotage.fateOf(operation, path.text);
    if (fate === "postponed") this.postponed = sync;
    return fate !== "done";
  }

  /** Order number of a change, for deciding what came before what. */
  nextSequence(): number {
    return ++this.sequence;
  }

  /** Of the latest change. */
  get currentSequence(): number {
    return this.sequence;
  }

  /** Builds the error of an injected fault, and notes it. */
  fault(errno: Errno, operation: VFSOperation, path: Path, offset?: number): StillwaterError {
    this.trace.event(TRACE_ERROR, OPERATION_NUMBERS[operation], path.id, offset ?? 0);
    if (this.trace.recording) this.trace.line(`fault ${errno} ${operation} ${path.text} ${offset ?? ""}`);
    if (this.recorder !== null) this.recorder.error(errno, operation, path.text, offset);
    return systemError(errno, operation, path.text, offset);
  }

  /** Folds what was written into the trace. */
  traceData(source: Uint8Array, start: number, length: number): void {
    const step = Math.max(1, Math.floor(length / CHECKSUM_SAMPLES));
    let sum = length;
    for (let at = start + length - 1; at >= start; at -= step) {
      sum = Math.imul(sum ^ (source[at] as number), 0x01000193);
    }
    this.trace.event(TRACE_DATA, sum, 0, 0);
  }

  /** How many of `length` bytes at `position` fit on the disk; the first ones. */
  fitting(node: FileNode, position: number, length: number): number {
    if (this.options.delayedAllocation) return length;
    let free = this.capacityPages - this.usedPages;
    if (pagesFor(length) + 1 <= free || node.pagesMissing(position, length) <= free) return length;
    let fits = 0;
    while (fits < length) {
      const index = Math.floor((position + fits) / PAGE_BYTES);
      if (node.cachePage(index) === null && --free < 0) break;
      fits = (index + 1) * PAGE_BYTES - position;
    }
    return Math.min(fits, length);
  }

  /** S24 with delayed allocation: more has been written than fits, which a sync finds out. */
  get isOverfull(): boolean {
    return this.options.delayedAllocation && this.usedPages > this.capacityPages;
  }

  /** Throws when not even an empty file or directory fits. */
  needSpaceForName(operation: VFSOperation, path: Path): void {
    if (this.usedPages < this.capacityPages) return;
    this.counters.faults["S24 no space for a name"]++;
    throw this.fault(this.options.spaceErrno, operation, path);
  }

  /** Runs a change of a file's pages and keeps the account of space. */
  accounting(node: FileNode, change: () => void): void {
    const before = node.allocatedPages;
    change();
    this.usedPages += node.allocatedPages - before;
  }

  /** Frees a file that has lost its last name and its last handle. */
  releaseIfUnused(node: FileNode): void {
    if (node.links > 0 || node.handles > 0) return;
    this.usedPages -= node.allocatedPages;
    for (let index = 0; index < GRAVEYARD_PAGES_PER_FILE; index++) {
      const page = node.mediaPage(index);
      if (page !== null) this.graveyard.push(page);
    }
    if (this.graveyard.length > GRAVEYARD_PAGES) {
      this.graveyard.splice(0, this.graveyard.length - GRAVEYARD_PAGES);
    }
  }

  /** The end of a process: what it held open is let go, what it waited for never comes. */
  end(life: Life): void {
    life.alive = false;
    this.postponed = null;
    for (const { syncs } of life.flights) if (syncs !== null) syncs.syncsInFlight--;
    life.flights.clear();
    life.stuck.length = 0;
    for (const { node } of life.handles) {
      node.handles--;
      this.releaseIfUnused(node);
    }
    life.handles.clear();
    life.locks.clear();
  }
}

const OPERATION_NUMBERS = Object.fromEntries(
  VFS_OPERATIONS.map((operation, index) => [operation, index + 1]),
) as Record<VFSOperation, number>;
