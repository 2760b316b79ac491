/**
 * The disk of a simulated machine: lives across process lives, and decides what a crash leaves of what they wrote.
 * In memory, seeded and exact. A process kill keeps the page cache, so nothing that a completed call wrote is lost. A
 * power loss keeps what was synced and any part of the rest (`power-loss.ts`). Calls in flight at a crash never
 * complete; what they were to make durable is part of the rest.
 * Promise: everything it does follows from its options, the choices and the calls made; time is only asked for to
 * delay completions. Does not own: when to crash; the faults of the network, the clock or the memory.
 */
import { assert } from "../../src/platform/assert.js";
import type { VFS } from "../../src/platform/vfs.js";
import { Choices } from "../choices/choices.js";
import { Sfc32 } from "../choices/random.js";
import { Trace } from "../trace/trace.js";
import type { DiskCounters } from "./counters.js";
import { type CrashItem, describeItems } from "./crash-items.js";
import type { DamageRecord } from "./damage.js";
import type { DiskRecorder } from "./disk-recorder.js";
import { DiskState, type DiskTimers, type Life, TRACE_CRASH, type VFSOperation } from "./disk-state.js";
import { DurableView, hashDurable } from "./durable-view.js";
import { mix } from "./fault-dice.js";
import { flipBit } from "./media-damage.js";
import type { DirectoryNode } from "./name-log.js";
import type { DiskOptions } from "./options.js";
import { PAGE_BYTES } from "./page.js";
import { countAlternatives, losePower } from "./power-loss.js";
import type { PowerLossReport } from "./power-loss-report.js";
import { SimulationVFS } from "./simulation-vfs.js";
import type { SyncSabotage } from "./sync-sabotage.js";

export type { CrashItem } from "./crash-items.js";
export type { DamageRecord } from "./damage.js";
export type { DiskTimers, VFSOperation } from "./disk-state.js";

/** A process beside the one that owns the store. */
export interface ProcessBeside {
  readonly vfs: VFS;
  readonly alive: boolean;
  /** Its clean end. Returns what it left open, one line each. */
  end(): readonly string[];
}

/** How the machine goes down. */
export type CrashKind = "process-kill" | "power-loss";

/** Of a copy that no process uses, so that nothing is ever asked to happen later. */
const NO_TIMERS: DiskTimers = { after: () => {}, nowMs: () => 0 };

/** A disk that has what processes see and what the medium holds, and everything that may go wrong between the two. */
export class SimulationDisk {
  private readonly state: DiskState;
  /** Processes beside the one that `mount` began. */
  private readonly beside = new Set<Life>();
  private besideCount = 0;
  private readonly choices: Choices;
  private life: Life | null = null;
  private lives = 0;
  /** Hears of each power loss: what was not synced, item by item, and what became of it. */
  onPowerLoss: ((report: PowerLossReport) => void) | null = null;
  /** Garbage is no decision: nothing but its presence may matter, so it need not be in the log. */
  private readonly garbageSeed: number;

  /** `origin`: a disk to be the copy of, see `fork`. */
  constructor(
    options: DiskOptions,
    choices: Choices,
    trace: Trace,
    timers: DiskTimers,
    origin: SimulationDisk | null = null,
  ) {
    this.choices = choices;
    this.garbageSeed = origin?.garbageSeed ?? new Sfc32(choices.seed, "garbage").nextUint32();
    this.state = origin?.state.fork(choices, trace, timers) ?? new DiskState(options, choices, trace, timers);
  }

  /**
   * A second disk with the same names, bytes, sizes and unsynced versions of them, and no process: what a process kill
   * leaves. Pages are shared until one of the disks writes them, so that a copy costs microseconds. Callable at any
   * time, within `onCall` too; this disk does not change.
   */
  fork(choices: Choices, trace: Trace, timers: DiskTimers): SimulationDisk {
    const fork = new SimulationDisk(this.state.options, choices, trace, timers, this);
    fork.lives = this.lives;
    return fork;
  }

  /**
   * A second disk as a crash now would leave this one: exactly what `crash` leaves with these answers in the `crash`
   * stream. Answers that are not there are 0, so that what they decide keeps its newest state; `crashItems` says what
   * a power loss decides and what its last answer is. For explorers and lints.
   */
  crashedCopy(answers: readonly number[], kind: CrashKind = "power-loss"): SimulationDisk {
    const crash = answers.flatMap((answer, index) => (answer === 0 ? [] : [[index, answer] as const]));
    const copy = this.fork(Choices.fromLog(this.choices.seed, { crash }), new Trace(), NO_TIMERS);
    copy.crash(kind);
    return copy;
  }

  /** Number of the file that processes see under this path, by which `crashItems` names it; 0 for none. */
  fileNumberAt(path: string): number {
    const node = this.state.names.peek(this.state.paths.intern(path));
    return node?.kind === "file" ? node.id : 0;
  }

  /** What a power loss now would decide, in the order in which the `crash` stream is asked. */
  crashItems(): readonly CrashItem[] {
    return describeItems(this.state.names);
  }

  /** Grows with whatever changes what a crash may leave: while it stands, every crash leaves what it would have left. */
  get changes(): number {
    return this.state.currentSequence + this.state.durableVersion;
  }

  /** Begins a new process life. The former one must have ended. */
  mount(): SimulationVFS {
    assert(this.life === null, "one process at a time has the disk");
    this.life = this.state.beginLife(++this.lives);
    return new SimulationVFS(this.state, this.life);
  }

  /** Begins another process, which lives beside the first until `end` or the next power loss. */
  mountBeside(): ProcessBeside {
    const life = this.state.beginLifeBeside(-++this.besideCount);
    this.beside.add(life);
    return {
      vfs: new SimulationVFS(this.state, life),
      get alive() {
        return life.alive;
      },
      end: () => {
        const leaks = [...life.handles].map(({ path }) => `open file ${path}`);
        this.beside.delete(life);
        this.state.end(life);
        return leaks;
      },
    };
  }

  /**
   * Ends the life, if there is one: each later call of it throws `SimulatedCrash`, and its calls in flight never
   * complete. Callable from within `onCall`, and while no process runs (then a power loss takes what none has synced).
   */
  crash(kind: CrashKind): void {
    const { state } = this;
    const { counters, names, trace } = state;
    trace.event(TRACE_CRASH, kind === "power-loss" ? 1 : 0, this.lives, counters.calls);
    if (trace.recording) trace.line(`crash ${kind} in life ${this.lives}`);
    state.recorder?.crash(kind, this.lives);
    this.endLife();
    if (kind === "process-kill") {
      counters.processKills++;
      return;
    }
    counters.powerLosses++;
    for (const life of this.beside) state.end(life);
    this.beside.clear();
    if (state.isLying) state.lossShows = true;
    losePower(names, names.filesThatMaySurvive(), {
      options: state.options,
      stream: this.choices.stream("crash"),
      counters,
      graveyard: state.graveyard,
      salt: mix(this.garbageSeed, counters.powerLosses),
      onReport: this.onPowerLoss,
      renames: this.choices.stream("crash.rename"),
      onSplitRename: (path) => {
        state.recordDamage("split-rename", path, 0, 0);
        state.lossShows = true;
      },
    });
    state.isLying = false;
    state.usedPages = 0;
    for (const file of names.becomeDurable()) {
      assert(file.handles === 0, "no handle outlives its process");
      state.usedPages += file.allocatedPages;
    }
    state.durableVersion++;
  }

  /** The clean end of a process, after `close()`. Returns what it left open, one line each: nothing, if it is correct. */
  shutdown(): readonly string[] {
    const { life } = this;
    assert(life !== null, "a process is there to shut down");
    const leaks: string[] = [];
    for (const { path } of life.handles) leaks.push(`open file ${path}`);
    for (const path of life.locks.values()) leaks.push(`locked directory ${path}`);
    for (const { path } of life.flights) leaks.push(`call in flight on ${path.text}`);
    this.endLife();
    return leaks;
  }

  /** What the running process holds and waits for, one line each, for the report of a stuck one. */
  describeLife(): string[] {
    const { life } = this;
    if (life === null) return [];
    return [
      ...[...life.flights].map(
        ({ path, syncs, sinceMs }) =>
          `VFS call ${syncs === null ? "readLater" : "syncDataLater"} ${path.text} is in flight since ${sinceMs} ms`,
      ),
      ...[...life.locks.values()].map((path) => `directory ${path} is locked`),
      ...[...life.handles].map(({ path }) => `file ${path} is open`),
    ];
  }

  /** Calls of the living process that have not completed. What they will answer may be decided already. */
  get callsInFlight(): number {
    return this.life?.flights.size ?? 0;
  }

  /** The liveness phase: no more injected faults, least latency. Damage done and a full disk stay. */
  faultsOff(): void {
    this.state.faultsEnabled = false;
    if (this.life !== null) this.state.completions.release(this.life);
  }

  faultsOn(): void {
    this.state.faultsEnabled = true;
  }

  /**
   * S22 at the n-th sync from now on, of those whose path is `wanted`, in a run whose syncs may fail and are honest about
   * it. Takes the place of one that has not struck yet.
   */
  failSync(nth: number, wanted: (path: string) => boolean = () => true): void {
    const { syncFailure } = this.state.options;
    if (syncFailure === "late-report" || syncFailure === "no-report") return;
    this.state.failSync(nth, wanted);
  }

  /** S24: the quota from now on. Below what is used, nothing more fits until enough is freed. */
  setCapacity(capacityBytes: number): void {
    this.state.capacityPages = Math.floor(capacityBytes / PAGE_BYTES);
  }

  /** Bytes that files take, in whole pages; deleted files take theirs until the last handle is closed. */
  get usedBytes(): number {
    return this.state.usedPages * PAGE_BYTES;
  }

  /** Of these, the bytes of files that have a name. */
  get namedBytes(): number {
    let pages = 0;
    for (const file of this.state.names.files()) pages += file.allocatedPages;
    return pages * PAGE_BYTES;
  }

  /** B5: the cache lets go of clean pages, so that reads show the medium even where a sync has failed. */
  dropCaches(): void {
    for (const file of this.state.names.files()) this.state.evict(file);
  }

  /** A read-only file system of what is durable. Live: it shows the state at the time of each call. */
  snapshotDurable(): VFS {
    return new DurableView(this.state.names, this.state.paths, this.state.timers);
  }

  /** The directory that is durable at a path, for oracles that follow what becomes durable. Not to be changed. */
  durableDirectory(path: string): DirectoryNode | null {
    const node = this.state.names.peekDurable(this.state.paths.intern(path));
    return node?.kind === "directory" ? node : null;
  }

  /** How many handles the living process has opened by this name and not closed. Other names of the file do not count. */
  handlesOf(path: string): number {
    return [...(this.life?.handles ?? [])].filter((handle) => handle.path === path).length;
  }

  /** 16 hexadecimal digits over all names, sizes and bytes that are durable. */
  hashDurable(): string {
    return hashDurable(this.state.names);
  }

  /** Grows whenever the durable state changes: an oracle over it need not run again while it stands. */
  get durableVersion(): number {
    return this.state.durableVersion;
  }

  /**
   * The number of states that each unsynced thing might be in after a power loss now, in the order in which the
   * `crash` stream is asked; answer 0 is the newest state, the last answer the durable one. For explorers.
   */
  crashAlternatives(): readonly number[] {
    return countAlternatives(this.state.names, this.state.names.filesThatMaySurvive());
  }

  /** Flips a bit (0 to 7) of the byte at `offset` of the file that has this name, on the medium and in the cache. */
  corrupt(path: string, offset: number, bit: number): void {
    const interned = this.state.paths.intern(path);
    const node = this.state.names.peek(interned) ?? this.state.names.peekDurable(interned);
    assert(node?.kind === "file", `${path} is a file`);
    flipBit(this.state, interned, node, offset, bit);
  }

  /** Takes back what `corrupt` has just done there, and that there was damage. */
  mend(path: string, offset: number, bit: number): void {
    this.corrupt(path, offset, bit);
    const { damage } = this.state;
    assert(damage.length >= 2, "what is mended was damaged before");
    damage.pop();
    damage.splice(
      damage.findLastIndex((record) => record.path === path && record.offset === offset),
      1,
    );
  }

  get counters(): DiskCounters {
    return this.state.counters;
  }

  /** Whether some read or opening for it has failed, for whatever reason. */
  get hasFailedReads(): boolean {
    const { faults } = this.counters;
    return faults["S13 read error"] + faults["S26 too many open files"] + faults["S29 interrupted"] > 0;
  }

  /** All damage done to bytes at rest so far, oldest first. */
  get damage(): readonly DamageRecord[] {
    return this.state.damage;
  }

  /** The tree of names as processes see it, to look at: what changes it goes through `mount`. */
  get root(): DirectoryNode {
    return this.state.names.root;
  }

  /** Order number of the latest change: what is in flight between two of its values was done between them. */
  get sequence(): number {
    return this.state.currentSequence;
  }

  /** S22, S20: a sync has succeeded and nothing has made it true since: what is durable is not what was promised. */
  get isLying(): boolean {
    return this.state.isLying;
  }

  /** Loss through a sync that lied (S22) or a rename that was split (S10) can be seen: promises about it are void. */
  get lossShows(): boolean {
    return this.state.lossShows;
  }

  /** S35: whether calls were stuck in the latest process life. */
  get wasStuck(): boolean {
    return this.state.wasStuck;
  }

  /** Hears of each failed sync of a file, before its caller does. */
  set onSyncFailed(hook: ((path: string) => void) | null) {
    this.state.onSyncFailed = hook;
  }

  /** Leaves syncs out (N11). Null: every sync is done. */
  get sabotage(): SyncSabotage | null {
    return this.state.sabotage;
  }

  set sabotage(sabotage: SyncSabotage | null) {
    this.state.sabotage = sabotage;
  }

  /** S35: hears that calls have been stuck for so long that a watchdog would end the process. May crash the disk. */
  set onStuck(hook: ((endsIn: CrashKind) => void) | null) {
    this.state.onStuck = hook;
  }

  /** Called before every call of a living process. May crash the disk: then that call throws `SimulatedCrash`. */
  get onCall(): ((operation: VFSOperation, path: string) => void) | null {
    return this.state.onCall;
  }

  set onCall(hook: ((operation: VFSOperation, path: string) => void) | null) {
    this.state.onCall = hook;
  }

  /** The budget for damage to bytes (S14 to S20): it strikes only where this says true. Null is nowhere. */
  get damageAllowed(): ((path: string, offset: number, length: number) => boolean) | null {
    return this.state.damageAllowed;
  }

  set damageAllowed(budget: ((path: string, offset: number, length: number) => boolean) | null) {
    this.state.damageAllowed = budget;
  }

  /** Who is told of every event from now on. Only on a disk that nobody has used yet is the recording whole. */
  get recorder(): DiskRecorder | null {
    return this.state.recorder;
  }

  set recorder(recorder: DiskRecorder | null) {
    this.state.recorder = recorder;
    const { names, counters, timers, damage } = this.state;
    recorder?.attached({ names, counters, timers, damage });
  }

  private endLife(): void {
    if (this.life !== null) this.state.end(this.life);
    this.life = null;
  }
}
