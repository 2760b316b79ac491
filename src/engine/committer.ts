/**
 * The commit pipeline: assign version → append to the log → sync (as durability asks) → apply to the memtable →
 * acknowledge, in one order for all commits. Between a commit's arrival and its version there is no await, so version
 * order is arrival order and log order.
 *
 * Group commit needs no timer: what arrives in one turn shares a record, and while a sync is in flight the open record
 * keeps filling, so the slower the disk the larger the groups, and a lone committer never waits (features: TD-8). While commits come
 * one by one and syncs are quick, each is synced here instead of by the thread pool, whose way there and back takes as long as such a
 * sync (engine.md, fact 2); see `blockingSyncMicros`.
 *
 * A commit becomes visible when it is applied, which for `sync` commits is after their sync, and never before an
 * earlier commit: nobody reads what a power cut could still take back ahead of something already acknowledged.
 *
 * After a failed write or sync nothing further is accepted or acknowledged (`FAILED_STOP`); reads go on, and reopening
 * recovers. Commits that were under way have an unknown outcome until then.
 *
 * Does not own: when segments may be created and what becomes of sealed ones (the store), conflicts (above).
 */
import { assert } from "../platform/assert.js";
import { StillwaterError } from "../platform/errors.js";
import type { Scheduler, Timer } from "../platform/platform.js";
import { buggify, crashPoint, mutant, sometimes } from "../platform/probes.js";
import type { Batch } from "./batch.js";
import { COUNTER, type EngineMetrics } from "./engine-metrics.js";
import type { ResolvedOptions } from "./options.js";
import type { StallReason } from "./store-events.js";
import type { Segment, SegmentEnd } from "./wal/segment.js";

/** What the pipeline asks of the store. */
export interface CommitterHost {
  /** Milliseconds that a commit should be held back now: 0 in good shape, Infinity in a stall. Throws `BUSY` past the limit. */
  admissionDelayMs(): number;
  /** Why background work keeps failing, if it does: commits that would have to wait for it are refused with this. */
  obstacle(): StillwaterError | null;
  /** False while too many sealed memtables wait for their flush. */
  mayCreateSegment(): boolean;
  /** A new active segment with room for a commit of `payloadBytes`. */
  createSegment(payloadBytes: number, baseVersion: number, previous: SegmentEnd | null): Segment;
  /** A sealed, durable segment, to be flushed. */
  onSealed(segment: Segment): void;
  onFailedStop(error: StillwaterError): void;
  /** `waiting` commits wait for background work. */
  onStall(reason: StallReason, waiting: number): void;
  /** No commit waits any more. Also called when none has. */
  onNoneWaiting(): void;
}

interface Waiter {
  readonly version: number;
  /** When the commit began to wait, or the first of its group came. */
  readonly sinceMs: number;
  readonly resolve: (version: number) => void;
  readonly reject: (error: Error) => void;
}

interface Group {
  readonly segment: Segment;
  readonly from: number;
  readonly to: number;
  /** Offset that must be durable before the group is applied; 0 when it need not be. */
  readonly durableTo: number;
  readonly lastVersion: number;
  readonly waiters: readonly Waiter[];
}

/**
 * A commit whose content is decided at the moment it gets its version, so that what it was decided on cannot have changed
 * since: nothing runs between `prepare`, `accepted` and the log.
 */
export interface PreparedCommit {
  /**
   * What to write at `version`. Decided anew, for another version, if there turns out to be no room yet. Throws what the
   * commit is to fail with.
   */
  prepare(version: number): Batch;
  /** The batch of the last `prepare` has this version. */
  accepted(version: number): void;
}

/** Who goes first when commits have to wait. `system` commits are not held back either, but in a full stall. */
export type CommitPriority = "system" | "default" | "batch";

const RANKS: Readonly<Record<CommitPriority, number>> = { system: 0, default: 1, batch: 2 };

interface WaitingCommit {
  readonly source: PreparedCommit;
  readonly rank: number;
  readonly needsSync: boolean;
  /** When it began to wait; 0 unless it was put off. */
  sinceMs: number;
  readonly resolve: (version: number) => void;
  readonly reject: (error: Error) => void;
}

/** A record is written out when it has grown this large, full group or not (LevelDB's bound for a write group). */
const RECORD_BYTES_MAX = 1024 * 1024;
/** After this long without a commit, the log is told how far it is durable. */
const MARK_IDLE_MS = 50;
/** So many commits in a row must have come alone before one is synced here: several at once share a sync, which is better. */
const LONE_COMMITS_MIN = 8;
/** Of syncs, for the moving average of how long they take. */
const SYNC_SAMPLES = 8;

export class Committer {
  readonly #options: ResolvedOptions;
  readonly #scheduler: Scheduler;
  readonly #host: CommitterHost;
  readonly #metrics: EngineMetrics;
  #active: Segment | null = null;
  #previous: SegmentEnd | null = null;
  #visibleVersion: number;
  #lastVersion: number;
  /** Commits in the open record. */
  #open: Waiter[] = [];
  /** When the first of them came. */
  #openSinceMs = 0;
  #openNeedsSync = false;
  /** Written records that are not applied yet, in order. */
  readonly #queue: Group[] = [];
  /** Commits that could not be given a version yet. */
  #waiting: WaitingCommit[] = [];
  #rotating = false;
  #rotationBytes = 0;
  #turnScheduled = false;
  /** A blocking commit is under way: it syncs by itself. */
  #isBlocking = false;
  #slowTimer: Timer | null = null;
  #syncTimer: Timer | null = null;
  #markTimer: Timer | null = null;
  #failure: StillwaterError | null = null;
  /** The newest group that was acknowledged without a sync. */
  #buffered: Pick<Group, "segment" | "to"> | null = null;
  #onSyncSettled: (() => void) | null = null;
  /** Records in a row that held one commit, with nothing else under way. */
  #loneCommits = 0;
  /** About how long syncs take now. */
  #syncMs = Number.POSITIVE_INFINITY;
  readonly #idleListeners: (() => void)[] = [];

  constructor(
    options: ResolvedOptions,
    scheduler: Scheduler,
    host: CommitterHost,
    metrics: EngineMetrics,
    lastVersion: number,
  ) {
    this.#options = options;
    this.#scheduler = scheduler;
    this.#host = host;
    this.#metrics = metrics;
    this.#visibleVersion = lastVersion;
    this.#lastVersion = lastVersion;
  }

  get visibleVersion(): number {
    return this.#visibleVersion;
  }

  /** The segment that commits go to; null before the first commit and between two segments. */
  get active(): Segment | null {
    return this.#active;
  }

  get failure(): StillwaterError | null {
    return this.#failure;
  }

  /** Whether commits that were acknowledged without a sync have not been made durable yet. */
  get holdsUnsynced(): boolean {
    return this.#buffered !== null && this.#buffered.segment.syncedTo < this.#buffered.to;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  get isRotating(): boolean {
    return this.#rotating;
  }

  /** Resolves with the commit version when the batch is as durable as asked and visible. `batch` is copied at once. */
  commit(batch: Batch, needsSync: boolean): Promise<number> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    if (this.#waiting.length === 0 && this.#canAppend(batch.byteLength)) {
      return new Promise((resolve, reject) => {
        this.#append(batch, needsSync, resolve, reject);
      });
    }
    return this.#wait(
      new DecidedCommit(mutant("B2-waiting-batch-not-copied") ? batch : batch.clone()),
      needsSync,
    );
  }

  /** As `commit`, for a batch that is decided when it gets its version. `prepare` is called at once, if that is now. */
  commitPrepared(source: PreparedCommit, needsSync: boolean, priority: CommitPriority): Promise<number> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return this.#wait(source, needsSync, RANKS[priority]);
  }

  #wait(source: PreparedCommit, needsSync: boolean, rank = RANKS.default): Promise<number> {
    if (this.#waiting.length >= this.#options.pendingCommitsMax) {
      // RARE: the limit of waiting commits is 10,000 unless the options say less
      sometimes("commit.too-many-waiting");
      this.#metrics.counters.add(COUNTER.commits_refused_total);
      return Promise.reject(
        new StillwaterError(
          "BUSY",
          `${this.#waiting.length} commits are waiting already. Await some of them before writing more.`,
        ),
      );
    }
    return new Promise((resolve, reject) => {
      let place = this.#waiting.length;
      while (place > 0 && (this.#waiting[place - 1] as WaitingCommit).rank > rank) place--;
      const commit: WaitingCommit = { source, rank, needsSync, sinceMs: 0, resolve, reject };
      this.#waiting.splice(place, 0, commit);
      this.#admit();
      this.#refuseIfObstructed();
      if (this.#waiting.length > 0) commit.sinceMs = this.#metrics.nowMs();
    });
  }

  /** As `commit`, blocking. Throws `BUSY` where the commit would have to wait for background work. */
  commitSync(batch: Batch, needsSync: boolean): number {
    if (this.#failure !== null && !mutant("F1-blocking-commit-after-failure")) throw this.#failure;
    if (
      this.#waiting.length > 0 ||
      this.#rotating ||
      this.#host.admissionDelayMs() === Number.POSITIVE_INFINITY
    ) {
      sometimes("commit.blocking-refused");
      this.#metrics.counters.add(COUNTER.commits_refused_total);
      throw new StillwaterError(
        "BUSY",
        "background work has to catch up before this commit. Use the asynchronous call, or let the event loop run.",
      );
    }
    const hasRoom = this.#hasRoom(batch.byteLength);
    // Of two syncs of one handle only one is told of a failure, so none may be relied on while another is in flight.
    if (this.#active?.syncInFlight === true && (needsSync || !hasRoom || this.#queue.length > 0)) {
      sometimes("commit.blocking-beside-a-sync");
      this.#metrics.counters.add(COUNTER.commits_refused_total);
      throw new StillwaterError(
        "BUSY",
        "a sync of earlier commits has to end before this commit. Use the asynchronous call, or let the event loop run.",
      );
    }
    this.#isBlocking = true;
    try {
      return this.#commitBlocking(batch, needsSync, hasRoom);
    } finally {
      this.#isBlocking = false;
    }
  }

  #commitBlocking(batch: Batch, needsSync: boolean, hasRoom: boolean): number {
    if (!hasRoom) this.#rotateSync(batch.byteLength);
    const outcome: { version: number; error: Error | null } = { version: 0, error: null };
    this.#append(
      batch,
      needsSync,
      (version) => {
        outcome.version = version;
      },
      (error) => {
        outcome.error = error;
      },
    );
    if (this.#active !== null && this.#active.hasOpenRecord) this.#writeRecord();
    // Earlier commits may be waiting for their sync, and this one is visible only after them.
    if (outcome.version === 0 && outcome.error === null) this.#syncNow();
    if (outcome.error !== null) throw outcome.error;
    assert(outcome.version > 0, "a blocking commit has an outcome when it returns");
    return outcome.version;
  }

  /** To be called whenever background work has made progress. */
  poke(): void {
    if (this.#failure !== null) return;
    this.#continueRotation();
    this.#admit();
    this.#refuseIfObstructed();
  }

  /** Seals the active segment if it holds anything; `onSealed` follows when the log is durable. */
  rotate(): void {
    if (this.#failure === null && this.#active !== null && this.#hasCommits(this.#active))
      this.#beginRotation(0);
  }

  /** Calls back once nothing is open, written or waiting. Not called after a failure. */
  whenIdle(listener: () => void): void {
    this.#idleListeners.push(listener);
    this.#notifyIfIdle();
  }

  /** Ends all timers, waits for a sync in flight and gives the active segment back, unsealed if it is. */
  async close(): Promise<void> {
    this.#cancelTimers();
    if (this.#active?.syncInFlight === true) {
      await new Promise<void>((resolve) => {
        this.#onSyncSettled = resolve;
      });
    }
    // What came in with that sync may have set them anew.
    this.#cancelTimers();
    const active = this.#active;
    this.#active = null;
    active?.close();
  }

  /** Ends acceptance of commits for good; everything under way fails. */
  fail(cause: Error): void {
    if (this.#failure !== null) return;
    const error = new StillwaterError(
      "FAILED_STOP",
      `the store stopped accepting writes, because writing failed: ${cause.message} Reads go on. ` +
        "Close and reopen the store once the cause is gone; commits that were under way may or may not be there then.",
      { cause },
    );
    this.#failure = error;
    this.#cancelTimers();
    const failed: { readonly reject: (error: Error) => void }[] = [];
    for (const group of this.#queue) failed.push(...group.waiters);
    failed.push(...this.#open, ...this.#waiting);
    sometimes("fail-stop.entered");
    sometimes("fail-stop.with-commits-under-way", failed.length > 0);
    this.#queue.length = 0;
    this.#open = [];
    this.#waiting = [];
    for (const waiter of failed) waiter.reject(error);
    this.#host.onNoneWaiting();
    this.#host.onFailedStop(error);
  }

  #canAppend(payloadBytes: number): boolean {
    return (
      !this.#rotating &&
      this.#active !== null &&
      this.#hasRoom(payloadBytes) &&
      this.#host.admissionDelayMs() === 0
    );
  }

  /** Whether a commit fits into the active segment, if there is one. */
  #hasRoom(payloadBytes: number): boolean {
    const segment = this.#active;
    if (segment === null || !segment.hasRoom(payloadBytes)) return false;
    return !(this.#hasCommits(segment) && buggify("committer.early-rotation"));
  }

  #append(
    batch: Batch,
    needsSync: boolean,
    resolve: (version: number) => void,
    reject: (error: Error) => void,
    sinceMs = 0,
  ): number {
    const segment = this.#active;
    assert(segment !== null && !this.#rotating, "commits are appended to an active segment");
    const length = batch.byteLength;
    const at = segment.reserve(length);
    const encoded = batch.encoded();
    segment.arena.bytes.set(length === encoded.length ? encoded : encoded.subarray(0, length), at);
    const version = segment.commitAt(at, at + length);
    assert(version === this.#lastVersion + 1, "versions are given out one by one");
    this.#lastVersion = version;
    if (this.#open.length === 0) this.#openSinceMs = this.#metrics.nowMs();
    this.#open.push({ version, sinceMs: sinceMs === 0 ? this.#openSinceMs : sinceMs, resolve, reject });
    if (needsSync || mutant("W2-buffered-commit-clears-sync")) this.#openNeedsSync = needsSync;
    if (
      segment.openRecordCommits >= this.#options.groupCommitsMax ||
      segment.openRecordBytes >= RECORD_BYTES_MAX ||
      buggify("committer.tiny-groups")
    ) {
      this.#writeRecord();
    } else {
      this.#scheduleTurn();
    }
    return version;
  }

  #scheduleTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    this.#scheduler.defer(() => {
      this.#turnScheduled = false;
      const segment = this.#active;
      if (this.#failure !== null || segment === null || !segment.hasOpenRecord) return;
      // The sync in flight will not cover this record, so it may as well keep filling until that one is done.
      if (this.#openNeedsSync && segment.syncInFlight) {
        sometimes("commit.record-fills-behind-a-sync");
        return;
      }
      this.#writeRecord();
    });
  }

  #writeRecord(): void {
    const segment = this.#active as Segment;
    const waiters = this.#open;
    const needsSync = this.#openNeedsSync;
    const lastVersion = this.#lastVersion;
    try {
      const formerTo = segment.writtenTo;
      const { from, to } = segment.writeRecord();
      const { counters, groupSize } = this.#metrics;
      counters.add(COUNTER.wal_bytes_written_total, to - formerTo);
      counters.add(COUNTER.commit_groups_total);
      groupSize.observe(waiters.length);
      this.#open = [];
      this.#openNeedsSync = false;
      const durableTo = needsSync && !mutant("W1-ack-before-sync") ? segment.writtenTo : 0;
      const isLone = waiters.length === 1 && this.#queue.length === 0 && !segment.syncInFlight;
      this.#loneCommits = isLone ? this.#loneCommits + 1 : 0;
      this.#queue.push({ segment, from, to, durableTo, lastVersion, waiters });
      sometimes("commit.group-of-many", waiters.length > 1);
      sometimes("commit.waits-behind-an-earlier-sync", this.#queue.length > 1);
    } catch (error) {
      this.fail(error as Error);
      throwIfForeign(error);
      return;
    }
    this.#advance();
  }

  /** Applies and acknowledges every group whose turn has come, then sees to the next sync. */
  #advance(): void {
    for (;;) {
      this.#apply();
      const next = this.#queue[0];
      if (next === undefined) {
        this.#continueRotation();
        break;
      }
      if (next.segment.syncInFlight || this.#isBlocking) break;
      if (!this.#maySyncHere(next)) {
        this.#sync(next.segment);
        break;
      }
      this.#syncHere(next.segment);
      if (this.#failure !== null) return;
    }
    this.#armTimers();
    this.#notifyIfIdle();
  }

  #apply(): void {
    while (this.#queue.length > 0) {
      const group = this.#queue[0] as Group;
      if (group.durableTo > group.segment.syncedTo) break;
      this.#queue.shift();
      group.segment.apply(group.from, group.to, this.#metrics.counters);
      if (group.durableTo === 0) this.#buffered = group;
      assert(group.lastVersion > this.#visibleVersion, "visibility advances");
      this.#visibleVersion = group.lastVersion;
      // CRASH_POINT(id: memtable.apply)
      crashPoint("memtable.apply");
      this.#count(group.waiters);
      for (const waiter of group.waiters) waiter.resolve(waiter.version);
    }
  }

  /** Whether the sync of a commit is quicker done here than asked for, with nobody else to share it. */
  #maySyncHere(group: Group): boolean {
    const limitMs = this.#options.blockingSyncMicros / 1000;
    if (group.waiters.length !== 1 || this.#queue.length !== 1 || this.#waiting.length > 0) return false;
    if (group.segment.hasOpenRecord || this.#rotating || limitMs === 0) return false;
    if (this.#loneCommits < LONE_COMMITS_MIN && !buggify("committer.lone-at-once")) return false;
    return this.#syncMs <= limitMs;
  }

  #syncHere(segment: Segment): void {
    const sinceMs = this.#metrics.nowMs();
    try {
      segment.sync();
    } catch (error) {
      if (mutant("W28-lone-sync-error-ignored") && !isForeign(error)) segment.syncedTo = segment.writtenTo;
      else {
        this.fail(error as Error);
        throwIfForeign(error);
      }
      return;
    }
    sometimes("commit.lone-sync");
    this.#countSync(sinceMs);
  }

  #count(acknowledged: readonly Waiter[]): void {
    const { counters, commitLatency } = this.#metrics;
    counters.add(COUNTER.commits_total, mutant("N1-group-counted-as-one-commit") ? 1 : acknowledged.length);
    const nowMs = this.#metrics.nowMs();
    // Most of a group have come at the same time as far as is known.
    for (let from = 0; from < acknowledged.length; ) {
      const { sinceMs } = acknowledged[from] as Waiter;
      let to = from + 1;
      while (acknowledged[to]?.sinceMs === sinceMs) to++;
      commitLatency.observe(nowMs - sinceMs, to - from);
      from = to;
    }
  }

  #sync(segment: Segment): void {
    if (segment.hasOpenRecord && !mutant("S12-sync-beside-open-record")) {
      // An open record has its place, and may begin in a sector that this sync is to make durable. It goes along.
      sometimes("commit.sync-takes-the-open-record");
      this.#writeRecord();
      if (this.#failure !== null || segment.syncInFlight) return;
    }
    const sinceMs = this.#metrics.nowMs();
    try {
      segment.syncLater((error) => {
        if (error === null) this.#countSync(sinceMs);
        this.#onSynced(error);
        this.#onSyncSettled?.();
      });
    } catch (error) {
      this.fail(error as Error);
      throwIfForeign(error);
    }
  }

  #countSync(sinceMs: number): void {
    const { counters, walSync } = this.#metrics;
    counters.add(COUNTER.wal_syncs_total);
    const tookMs = this.#metrics.nowMs() - sinceMs;
    walSync.observe(tookMs);
    // What took long counts at once, and is forgotten over the next syncs.
    if (tookMs > this.#syncMs || this.#syncMs === Number.POSITIVE_INFINITY) this.#syncMs = tookMs;
    else this.#syncMs += (tookMs - this.#syncMs) / SYNC_SAMPLES;
  }

  #onSynced(error: Error | null): void {
    if (this.#failure !== null) return;
    if (error !== null) {
      this.fail(error);
      return;
    }
    this.#advance();
    // On a later turn: those just acknowledged may join the record that is open now.
    if (this.#active !== null && this.#active.hasOpenRecord) this.#scheduleTurn();
  }

  /** Blocks until everything written is durable and applied. */
  #syncNow(): void {
    const segment = this.#active;
    if (segment === null || this.#queue.length === 0) return;
    const sinceMs = this.#metrics.nowMs();
    try {
      segment.sync();
      this.#countSync(sinceMs);
    } catch (error) {
      this.fail(error as Error);
      throwIfForeign(error);
      return;
    }
    this.#advance();
  }

  #beginRotation(payloadBytes: number): void {
    this.#rotationBytes = Math.max(this.#rotationBytes, payloadBytes);
    if (this.#rotating) return;
    this.#rotating = true;
    if (this.#active !== null && this.#active.hasOpenRecord) this.#writeRecord();
    else this.#continueRotation();
  }

  /** Seal → sync → hand over → create the next one; each call goes as far as it can. */
  #continueRotation(): void {
    if (!this.#rotating || this.#queue.length > 0 || this.#failure !== null) return;
    const segment = this.#active;
    if (segment !== null) {
      if (segment.syncInFlight || segment.hasOpenRecord) {
        sometimes("memtable.switch-waits-for-a-sync", segment.syncInFlight);
        return;
      }
      if (!segment.isSealed) {
        this.#cancelTimers();
        try {
          segment.writeSeal();
        } catch (error) {
          this.fail(error as Error);
          throwIfForeign(error);
          return;
        }
        if (!mutant("W4-segment-sealed-without-sync")) {
          this.#sync(segment);
          return;
        }
      }
      this.#handOver(segment);
      if (this.#failure !== null) return;
    }
    if (this.#rotationBytes === 0) {
      // Sealed for a flush: the next commit creates its segment.
      this.#rotating = false;
      this.#admit();
    } else if (this.#host.mayCreateSegment()) {
      this.#createActive(this.#rotationBytes);
      this.#admit();
    } else {
      sometimes("memtable.switch-waits-for-a-flush");
      this.#host.onStall("flush", this.#waiting.length);
    }
  }

  #handOver(segment: Segment): void {
    this.#active = null;
    this.#previous = segment.end;
    let failure: Error | null = null;
    try {
      segment.close();
    } catch (error) {
      throwIfForeign(error);
      failure = error as Error;
    }
    // CRASH_POINT(id: memtable.switch)
    crashPoint("memtable.switch");
    // Also of a file that closes with an error: what has been acknowledged stays to be read.
    this.#host.onSealed(segment);
    if (failure !== null) this.fail(failure);
  }

  #createActive(payloadBytes: number): void {
    this.#rotationBytes = 0;
    try {
      this.#active = this.#host.createSegment(payloadBytes, this.#lastVersion, this.#previous);
      this.#metrics.counters.add(COUNTER.wal_rotations_total);
      this.#rotating = false;
    } catch (error) {
      this.fail(error as Error);
      throwIfForeign(error);
    }
  }

  #rotateSync(payloadBytes: number): void {
    const segment = this.#active;
    if (segment !== null) {
      if (segment.hasOpenRecord) this.#writeRecord();
      this.#syncNow();
      if (this.#failure !== null) throw this.#failure;
      try {
        segment.writeSeal();
        const sinceMs = this.#metrics.nowMs();
        if (!mutant("W5-blocking-rotation-without-sync")) segment.sync();
        this.#countSync(sinceMs);
      } catch (error) {
        this.fail(error as Error);
        throw this.#failure ?? error;
      }
      this.#handOver(segment);
      if (this.#failure !== null) throw this.#failure;
    }
    if (!this.#host.mayCreateSegment()) {
      this.#metrics.counters.add(COUNTER.commits_refused_total);
      throw new StillwaterError(
        "BUSY",
        "flushes have to catch up before this commit. Use the asynchronous call, or let the event loop run.",
      );
    }
    this.#createActive(payloadBytes);
    if (this.#failure !== null) throw this.#failure;
  }

  /** Gives waiting commits their turn, in order, as far as the state of the tree and the log allows. */
  #admit(): void {
    let admitted = 0;
    while (admitted < this.#waiting.length && this.#failure === null) {
      const next = this.#waiting[admitted] as WaitingCommit;
      if (this.#rotating) break;
      const isUrgent = next.rank === RANKS.system;
      let delayMs: number;
      try {
        delayMs =
          this.#slowTimer === null || isUrgent ? this.#host.admissionDelayMs() : Number.POSITIVE_INFINITY;
      } catch (error) {
        admitted++;
        this.#refuse(next, error as Error);
        continue;
      }
      sometimes("commit.stalled", delayMs === Number.POSITIVE_INFINITY && this.#slowTimer === null);
      if (delayMs === Number.POSITIVE_INFINITY) {
        if (this.#slowTimer === null) this.#host.onStall("compaction", this.#waiting.length - admitted);
        break;
      }
      if (delayMs > 0 && !isUrgent) {
        this.#slowDown(delayMs);
        break;
      }
      const missingRoomBytes = this.#take(next);
      if (missingRoomBytes > 0) {
        this.#waiting.splice(0, admitted);
        admitted = 0;
        this.#beginRotation(missingRoomBytes);
        // It may have ended at once and, by admitting, have changed the list.
        if (this.#rotating) return;
        continue;
      }
      admitted++;
    }
    this.#waiting.splice(0, admitted);
    this.#notifyIfIdle();
  }

  /** Decides and appends a commit, or refuses it. Returns 0, or the bytes that there is no room for: then it still waits. */
  #take(next: WaitingCommit): number {
    let batch: Batch;
    try {
      batch = next.source.prepare(this.#lastVersion + 1);
    } catch (error) {
      next.reject(error as Error);
      return 0;
    }
    if (!this.#hasRoom(batch.byteLength)) return batch.byteLength;
    next.source.accepted(this.#append(batch, next.needsSync, next.resolve, next.reject, next.sinceMs));
    return 0;
  }

  /** Commits that could only wait for work which keeps failing get its error instead. */
  #refuseIfObstructed(): void {
    if (this.#waiting.length === 0 || this.#slowTimer !== null) return;
    if (this.#rotating && (this.#active !== null || this.#host.mayCreateSegment())) return;
    const obstacle = this.#host.obstacle();
    if (obstacle === null) return;
    sometimes("commit.refused-for-an-obstacle");
    const refused = mutant("W19-refused-commit-stays-queued") ? this.#waiting : this.#waiting.splice(0);
    for (const commit of refused) this.#refuse(commit, obstacle);
    // The rotation was for them; the next commit begins another.
    this.#rotationBytes = 0;
    this.#rotating = false;
    this.#notifyIfIdle();
  }

  /** For background work that is behind or fails. */
  #refuse({ reject }: WaitingCommit, error: Error): void {
    this.#metrics.counters.add(COUNTER.commits_refused_total);
    reject(error);
  }

  /** Holds back the commits that are waiting now, once, for `delayMs`. */
  #slowDown(delayMs: number): void {
    const held = this.#waiting.length;
    sometimes("commit.held-back");
    this.#host.onStall("slowdown", held);
    const goOn = (): void => {
      this.#slowTimer = null;
      this.#admitHeld(held);
      this.#admit();
    };
    this.#slowTimer = this.#scheduler.after(delayMs, goOn, true);
  }

  /** Admits up to `count` commits that have been held back long enough, unless there is a full stall by now. */
  #admitHeld(count: number): void {
    for (let i = 0; i < count && this.#waiting.length > 0 && this.#failure === null; i++) {
      const next = this.#waiting[0] as WaitingCommit;
      try {
        if (this.#rotating || this.#host.admissionDelayMs() === Number.POSITIVE_INFINITY) return;
      } catch (error) {
        this.#waiting.shift();
        this.#refuse(next, error as Error);
        continue;
      }
      const missingRoomBytes = this.#take(next);
      if (missingRoomBytes > 0) {
        sometimes("commit.held-back-rotates");
        if (!mutant("L1-held-commit-does-not-rotate")) this.#beginRotation(missingRoomBytes);
        return;
      }
      this.#waiting.shift();
    }
  }

  #armTimers(): void {
    const segment = this.#active;
    if (segment === null || segment.isSealed || this.#failure !== null) return;
    if (segment.syncedTo < segment.writtenTo) {
      this.#syncTimer ??= this.#scheduler.after(this.#options.bufferedSyncMs, () => {
        this.#syncTimer = null;
        const active = this.#active;
        if (active === null || active.isSealed || active.syncInFlight || active.syncedTo >= active.writtenTo)
          return;
        if (this.#options.durability === "none" || mutant("D11-buffered-never-synced")) return;
        sometimes("commit.buffered-sync-is-due");
        this.#sync(active);
      });
    } else if (segment.syncedTo === segment.usedBytes && this.#hasCommits(segment)) {
      this.#markTimer?.cancel();
      this.#markTimer = this.#scheduler.after(MARK_IDLE_MS, () => {
        this.#markTimer = null;
        const active = this.#active;
        if (active === null || active.isSealed || active.syncedTo !== active.usedBytes) return;
        try {
          sometimes("wal.idle-mark");
          active.writeMark();
        } catch (error) {
          this.fail(error as Error);
          throwIfForeign(error);
        }
      });
    }
  }

  #hasCommits(segment: Segment): boolean {
    return segment.lastVersion > segment.baseVersion;
  }

  #notifyIfIdle(): void {
    if (this.#waiting.length === 0) this.#host.onNoneWaiting();
    if (
      this.#idleListeners.length === 0 ||
      this.#queue.length > 0 ||
      (this.#waiting.length > 0 && !mutant("E8-close-forgets-waiting-commits")) ||
      this.#rotating
    )
      return;
    if (this.#active !== null && (this.#active.hasOpenRecord || this.#active.syncInFlight)) return;
    for (const listener of this.#idleListeners.splice(0)) listener();
  }

  #cancelTimers(): void {
    this.#slowTimer?.cancel();
    this.#syncTimer?.cancel();
    this.#markTimer?.cancel();
    this.#slowTimer = null;
    this.#syncTimer = null;
    this.#markTimer = null;
  }
}

/** A batch that was handed in whole. */
class DecidedCommit implements PreparedCommit {
  readonly #batch: Batch;

  constructor(batch: Batch) {
    this.#batch = batch;
  }

  prepare(): Batch {
    return this.#batch;
  }

  accepted(): void {}
}

/** What is not an error of the disk (an assertion, a simulated crash) goes on upwards. */
function throwIfForeign(error: unknown): void {
  if (isForeign(error)) throw error;
}

function isForeign(error: unknown): boolean {
  return !(error instanceof StillwaterError) || error.code === "ASSERTION";
}
