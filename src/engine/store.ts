/**
 * The store as its users see it: an ordered map from byte strings to byte strings with atomic batches, snapshots and
 * chosen durability. This file is the coordinator: it checks arguments, holds the parts together and owns their
 * lifetimes; commits are the committer's, the tree is the keeper's, opening is recovery's.
 *
 * Synchronous core, asynchronous shell: whatever needs no waiting is done at once, and the `…Sync` twins never yield.
 */
import type { MetricsSnapshot } from "../metrics/snapshot.js";
import { StillwaterError } from "../platform/errors.js";
import { parentPath } from "../platform/path.js";
import type { Platform } from "../platform/platform.js";
import { crashPoint, mutant, sometimes } from "../platform/probes.js";
import type { VLock } from "../platform/vfs.js";
import { SliceRunner } from "./background/runner.js";
import { WorkerRunner } from "./background/worker-runner.js";
import type { BackupSource, HeldTables } from "./backup/types.js";
import { Batch, checkKey } from "./batch.js";
import { writeCheckpoint } from "./checkpoint.js";
import { type CommitPriority, Committer, type PreparedCommit } from "./committer.js";
import type { TableFormat } from "./compaction/job.js";
import { COUNTER, EngineMetrics } from "./engine-metrics.js";
import { checksumByName } from "./format/checksum.js";
import { Arena } from "./format/operation.js";
import { LeakDetector } from "./leak-detector.js";
import { metricsOf } from "./metrics-report.js";
import { type ResolvedOptions, refuseUnknownOptions, resolveOptions, type StoreOptions } from "./options.js";
import { takeOwnerLock } from "./owner-lock.js";
import { removeMadeDirectory } from "./partial-directory.js";
import { whileBusy } from "./patience.js";
import { checkKeyRange, iterationRange, type KeyRange, type ScanOptions } from "./range.js";
import type { IteratorHold } from "./read/iterator-hold.js";
import { bytesInRange, readKey } from "./read/read-view.js";
import { type IterationRange, StoreIterator } from "./read/store-iterator.js";
import { type RecoveredStore, type RecoveryReport, recoverStore } from "./recovery.js";
import { Scan } from "./scan.js";
import { Snapshot, SnapshotList } from "./snapshots.js";
import { StallWatch } from "./stall-watch.js";
import { type CommitTrace, StoreEvents } from "./store-events.js";
import type { ReadOptions, StoreInspection, StoreStats, WriteOptions } from "./store-types.js";
import { BlockCache } from "./table/block-cache.js";
import { TableCache } from "./table-cache.js";
import { TreeKeeper } from "./tree-keeper.js";
import { type VerifyReport, verifyStore } from "./verify.js";
import { Segment, type SegmentEnd, segmentCapacity } from "./wal/segment.js";

/** Arenas of the default size kept for the next segment. */
const SPARE_ARENAS_MAX = 2;
/** A `batch` commit waits so many times as long as others before it joins them, */
const BATCH_DELAY_FACTOR = 20;
/** but no longer than this, however far behind background work is: it gets less, not nothing. */
const BATCH_DELAY_MS = 100;

/** Longest slice of background work on the caller's thread. */
const SLICE_MS = 1;

/** An open store: reads, writes, scans, snapshots, upkeep. Opened by `open`. */
export class Store {
  /** What opening found and did. */
  readonly recovery: RecoveryReport;
  readonly directory: string;
  readonly #platform: Platform;
  readonly #options: ResolvedOptions;
  readonly #lock: VLock;
  readonly #blocks: BlockCache;
  readonly #tables: TableCache;
  readonly #keeper: TreeKeeper;
  readonly #committer: Committer;
  readonly #metrics: EngineMetrics;
  readonly #events: StoreEvents;
  readonly #stalls: StallWatch;
  readonly #leaks: LeakDetector;
  readonly #snapshots = new SnapshotList();
  readonly #iterators = new Set<IteratorHold>();
  /** Tables that backups under way keep. */
  readonly #held = new Set<HeldTables>();
  #onReleased: (() => void) | null = null;
  #backupSource: BackupSource | null = null;
  readonly #single = new Batch();
  #spareArenas: Arena[] = [];
  /** Sources of reads, newest first; rebuilt when a segment comes or goes. */
  #segments: readonly Segment[] = [];
  #conditions: {
    readonly needsWork: boolean;
    readonly isMet: () => boolean;
    readonly resolve: () => void;
    readonly reject: (error: Error) => void;
  }[] = [];
  #closing: Promise<void> | null = null;

  /**
   * Opens the store in `directory`, creating it if need be, and recovers what a crash has left. Throws
   * `UNKNOWN_OPTION`, `INVALID_ARGUMENT`, `LOCKED`, `NOT_A_STORE`, `EXISTS`, `CORRUPTION`, `UNSUPPORTED_FORMAT`, or
   * file errors; nothing is changed then.
   */
  static async open(directory: string, options: StoreOptions, platform: Platform): Promise<Store> {
    if (typeof directory !== "string" || directory === "") {
      throw new StillwaterError("INVALID_ARGUMENT", "the store's directory must be a path.");
    }
    const resolved = resolveOptions(options);
    const { vfs } = platform;
    const stat = vfs.stat(directory);
    if (stat === null) {
      if (!resolved.createIfMissing) {
        throw new StillwaterError(
          "NOT_A_STORE",
          `there is nothing at ${directory}. Check the path, or open it with createIfMissing: true.`,
          { path: directory },
        );
      }
      vfs.makeDirectory(directory);
      try {
        vfs.syncDirectory(parentPath(directory));
      } catch (error) {
        // Else the next attempt would find the directory, take its name for durable, and build on it.
        // RARE: it takes a failed sync of one directory, once in the life of a store; its case in seeds/ has it
        if (!mutant("M25-directory-of-unknown-durability-kept")) removeMadeDirectory(vfs, directory);
        throw error;
      }
    } else if (stat.kind === "file") {
      throw new StillwaterError(
        "NOT_A_STORE",
        `${directory} is a file. A store is a directory; choose another path.`,
        { path: directory },
      );
    }
    const lock = await takeOwnerLock(platform, directory, resolved.lockTimeoutMs);
    try {
      const sinceMs = platform.clock.nowMs();
      const format: TableFormat = {
        blockBytes: resolved.blockBytes,
        bloomBitsPerKey: resolved.bloomBitsPerKey,
        compression: resolved.compression,
        checksum: resolved.checksum,
      };
      const recovered = await whileBusy(platform.scheduler, () =>
        recoverStore({
          vfs,
          directory,
          isNewDirectory: stat === null,
          options: resolved,
          format,
          random: platform.random,
        }),
      );
      const store = new Store(directory, { platform, options: resolved, format, lock, recovered });
      store.#events.opened(store.version, store.recovery, platform.clock.nowMs() - sinceMs);
      return store;
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  private constructor(
    directory: string,
    parts: {
      readonly platform: Platform;
      readonly options: ResolvedOptions;
      readonly format: TableFormat;
      readonly lock: VLock;
      readonly recovered: RecoveredStore;
    },
  ) {
    const { platform, options, format, lock, recovered } = parts;
    const { vfs, scheduler, clock, workers } = platform;
    this.directory = directory;
    this.recovery = recovered.report;
    this.#platform = platform;
    this.#options = options;
    this.#lock = lock;
    this.#metrics = new EngineMetrics(clock);
    this.#events = new StoreEvents(platform.events, directory);
    this.#stalls = new StallWatch(this.#metrics, this.#events);
    this.#leaks = new LeakDetector(this.#metrics, this.#events, options.detectLeaks);
    this.#blocks = new BlockCache({ capacityBytes: options.blockCacheBytes, slotBytes: options.blockBytes });
    this.#tables = new TableCache(vfs, directory, this.#blocks, options.tableCacheBytes);
    const sliceRunner = new SliceRunner(vfs, scheduler, clock, workers === null ? 0 : SLICE_MS);
    this.#keeper = new TreeKeeper(
      {
        vfs,
        directory,
        options,
        format,
        scheduler,
        runner:
          workers !== null && options.backgroundThread ? new WorkerRunner(workers, sliceRunner) : sliceRunner,
        tables: this.#tables,
        metrics: this.#metrics,
        events: this.#events,
        snapshots: () => this.#snapshots.versions(),
        onProgress: () => {
          if (!mutant("L2-stalled-commits-not-woken")) this.#committer.poke();
          this.#checkConditions();
        },
        onFlushed: (segment) => this.#forgetSegment(segment),
        onFatal: (error) => this.#committer.fail(error),
      },
      recovered,
    );
    this.#committer = new Committer(
      options,
      scheduler,
      {
        admissionDelayMs: () => this.#admissionDelayMs(),
        obstacle: () => this.#keeper.obstacle,
        mayCreateSegment: () => this.#keeper.sealed.length < options.immutableMemtablesMax,
        createSegment: (payloadBytes, baseVersion, previous) =>
          this.#createSegment(payloadBytes, baseVersion, previous),
        onSealed: (segment) => {
          this.#keeper.addSealed(segment);
          this.#listSegments();
        },
        onStall: (reason, waiting) => this.#stalls.begin(reason, waiting),
        onNoneWaiting: () => this.#stalls.end(0),
        onFailedStop: (error) => {
          this.#events.failed(error);
          this.#keeper.stop();
          this.#checkConditions();
        },
      },
      this.#metrics,
      recovered.state.counters.lastVersion,
    );
    this.#keeper.work();
  }

  /** What the store runs on, for layers above it. */
  get platform(): Platform {
    return this.#platform;
  }

  /** Newest commit version that reads see. Grows with every commit, across openings too; a version is never used twice. */
  get version(): number {
    return this.#committer.visibleVersion;
  }

  /** The value of `key`, or undefined. Throws `CORRUPTION` or `IO` when it cannot be read. */
  // oxlint-disable-next-line typescript/promise-function-async -- an async function costs a second promise
  get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      return Promise.resolve(this.getSync(key, options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** As `get`, at once. */
  getSync(key: Uint8Array, options?: ReadOptions): Uint8Array | undefined {
    this.#requireOpen();
    checkKey(key);
    const version =
      options === undefined ? this.#committer.visibleVersion : this.#readVersion(options, "get");
    this.#metrics.counters.add(COUNTER.gets_total);
    return readKey(this.#segments, this.#keeper.current.levels, this.#tables, key, version);
  }

  /** The values of several keys, in their order. */
  getMany(keys: readonly Uint8Array[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    try {
      if (!Array.isArray(keys)) {
        throw new StillwaterError("INVALID_ARGUMENT", "getMany takes an array of keys.");
      }
      return Promise.resolve(keys.map((key) => this.getSync(key, options)));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** Sets one key. Resolves with the commit version. */
  put(key: Uint8Array, value: Uint8Array, options?: WriteOptions): Promise<number> {
    return this.#writeSingle(options, (batch) => batch.put(key, value));
  }

  /** Removes one key. */
  delete(key: Uint8Array, options?: WriteOptions): Promise<number> {
    return this.#writeSingle(options, (batch) => batch.delete(key));
  }

  /** Removes every key in [begin, end), at the cost of one small entry. */
  deleteRange(begin: Uint8Array, end: Uint8Array, options?: WriteOptions): Promise<number> {
    return this.#writeSingle(options, (batch) => batch.deleteRange(begin, end));
  }

  /**
   * Commits a batch: all or nothing. Resolves with its commit version once it is as durable as asked and visible. An
   * empty batch resolves with the current version. Rejects with `BUSY`, `VERSION_TOO_LOW`, `FAILED_STOP`, `CLOSED`.
   */
  write(batch: Batch, options?: WriteOptions): Promise<number> {
    try {
      const needsSync = this.#checkWrite(batch, options);
      if (batch.count === 0) return Promise.resolve(this.#committer.visibleVersion);
      const { commit } = this.#events;
      if (!commit.isHeard) return this.#committer.commit(batch, needsSync);
      return commit.trace(this.#commitTrace(needsSync, batch), () =>
        this.#committer.commit(batch, needsSync),
      );
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * As `write`, for a batch that is decided at the moment it gets its version; see `PreparedCommit`. While background work
   * is behind, a `batch` commit stays out of the others' way first, for `BATCH_DELAY_MS` at most.
   */
  writePrepared(
    commit: PreparedCommit,
    durability?: "sync" | "buffered",
    priority: CommitPriority = "default",
  ): Promise<number> {
    try {
      this.#requireOpen();
      const trace = this.#events.commit;
      if (!trace.isHeard) return this.#writePrepared(commit, durability, priority);
      return trace.trace(this.#commitTrace(this.#needsSync(durability), null), () =>
        this.#writePrepared(commit, durability, priority),
      );
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  // oxlint-disable-next-line typescript/promise-function-async -- an async function costs a second promise
  #writePrepared(
    commit: PreparedCommit,
    durability: "sync" | "buffered" | undefined,
    priority: CommitPriority,
  ): Promise<number> {
    const delayMs = priority === "batch" ? this.#keeper.admissionDelayMs * BATCH_DELAY_FACTOR : 0;
    if (delayMs > 0) return this.#writeLater(commit, durability, Math.min(delayMs, BATCH_DELAY_MS));
    return this.#committer.commitPrepared(commit, this.#needsSync(durability), priority);
  }

  #commitTrace(needsSync: boolean, batch: Batch | null): CommitTrace {
    const buffered = this.#options.durability === "none" ? "none" : "buffered";
    return {
      directory: this.directory,
      operations: batch?.count ?? 0,
      bytes: batch?.byteLength ?? 0,
      durability: needsSync ? "sync" : buffered,
    };
  }

  async #writeLater(
    commit: PreparedCommit,
    durability: "sync" | "buffered" | undefined,
    delayMs: number,
  ): Promise<number> {
    await new Promise<void>((resolve) => {
      this.#platform.scheduler.after(delayMs, resolve, true);
    });
    this.#requireOpen();
    return this.#committer.commitPrepared(commit, this.#needsSync(durability), "batch");
  }

  #needsSync(durability: "sync" | "buffered" | undefined): boolean {
    return (durability ?? this.#options.durability) === "sync";
  }

  /** As `write`, blocking until it is durable. Throws `BUSY` where it would have to wait for background work. */
  writeSync(batch: Batch, options?: WriteOptions): number {
    const needsSync = this.#checkWrite(batch, options);
    if (batch.count === 0) return this.#committer.visibleVersion;
    return this.#committer.commitSync(batch, needsSync);
  }

  /** A fixed view of now. Close it. */
  snapshot(): Snapshot {
    this.#requireOpen();
    const { visibleVersion: version } = this.#committer;
    const snapshot = this.#snapshots.take(version);
    this.#metrics.counters.add(COUNTER.snapshots_total);
    const unwatch = this.#leaks.watch("snapshot", snapshot, version, () => this.#snapshots.release(version));
    if (unwatch !== null) snapshot.onClose(unwatch);
    return snapshot;
  }

  /** The rows of a range, for `for…of` and `for await`. */
  scan(options: ScanOptions = {}): Scan {
    this.#requireOpen();
    const range = iterationRange(options, "scan");
    const { snapshot } = options;
    return new Scan(
      () => this.#iterate(range, snapshot),
      () => new Promise((resolve) => this.#platform.scheduler.defer(resolve)),
    );
  }

  /** A cursor over a range, created at once; its view does not change. Close it. */
  iterator(options: ScanOptions = {}): StoreIterator {
    this.#requireOpen();
    return this.#iterate(iterationRange(options, "iterator"), options.snapshot);
  }

  /** Moves all commits made so far from the log into tables. */
  flush(): Promise<void> {
    return this.#guarded(() => {
      // What is in the log only would stay there, so "done" (and a checkpoint built on it) would be a lie.
      if (this.#committer.failure !== null && !mutant("F3-flush-after-failure-says-done"))
        throw this.#committer.failure;
      this.#committer.rotate();
      this.#keeper.retryNow();
      return this.#until(() => this.#keeper.sealed.length === 0 && !this.#committer.isRotating);
    });
  }

  /**
   * Flushes, then merges all tables, so that nothing deleted or overwritten takes space any more; with a range, those that
   * may hold keys of it (with `tiered` compaction all of them even so).
   */
  compact(range: KeyRange | null = null): Promise<void> {
    return this.#guarded(async () => {
      if (range !== null) checkKeyRange(range, "compact");
      await this.flush();
      let isDone = false;
      this.#keeper.compactManually(range, () => {
        isDone = true;
        this.#checkConditions();
      });
      await this.#until(() => isDone);
    });
  }

  /**
   * Bytes that a range takes on disk, to within a block at each end of each table. What is in the log only does not count.
   * Reads the indexes of the tables at its ends: O(tables), O(log blocks) for those.
   */
  approximateBytes(range: KeyRange): number {
    this.#requireOpen();
    checkKeyRange(range, "approximateBytes");
    return bytesInRange(this.#keeper.current.levels, this.#tables, range);
  }

  /**
   * Writes a second store to `target`, by hard links where possible, holding every commit acknowledged before the call.
   * Resolves with its newest version. Throws `EXISTS` when there is something at `target`.
   */
  checkpoint(target: string): Promise<number> {
    return this.#guarded(async () => {
      if (typeof target !== "string" || target === "") {
        throw new StillwaterError("INVALID_ARGUMENT", "a checkpoint's target must be a path.");
      }
      if (!mutant("E7-checkpoint-without-flush")) await this.flush();
      const { vfs, scheduler } = this.#platform;
      return whileBusy(scheduler, () => {
        this.#requireOpen();
        const { levels } = this.#keeper.current;
        const { storeId, editNumber, counterState: counters } = this.#keeper;
        writeCheckpoint(vfs, this.directory, target, checksumByName(this.#options.checksum), {
          storeId,
          counters,
          levels: mutant("E7-checkpoint-misses-newest-table") ? [[], ...levels.slice(1)] : levels,
          editNumber,
        });
        return counters.lastVersion;
      });
    });
  }

  /** What backups are made of; see `createBackup`. Not part of the stable surface. */
  get backupSource(): BackupSource {
    this.#backupSource ??= {
      ...this.#platform,
      directory: this.directory,
      requireOpen: () => this.#requireOpen(),
      hold: () => this.#guarded(() => this.#holdTables()),
    };
    return this.#backupSource;
  }

  async #holdTables(): Promise<HeldTables> {
    if (!mutant("K18-backup-without-flush")) await this.flush();
    this.#requireOpen();
    const tree = this.#keeper.current;
    const { storeId, editNumber, counterState: counters } = this.#keeper;
    const isKept = !mutant("K19-tables-not-held-for-backup");
    if (isKept) tree.hold();
    const held: HeldTables = {
      state: { storeId, counters, levels: tree.levels, editNumber },
      release: () => {
        if (!this.#held.delete(held)) return;
        if (isKept) tree.release();
        if (this.#held.size === 0) this.#onReleased?.();
      },
    };
    this.#held.add(held);
    return held;
  }

  /** Reads everything back and checks it. Resolves with what is wrong; changes nothing. */
  verify(): Promise<VerifyReport> {
    return this.#guarded(async () => {
      const tree = this.#keeper.current;
      tree.hold();
      try {
        const segments =
          this.#committer.active === null ||
          this.#committer.failure !== null ||
          this.#options.durability === "none"
            ? []
            : [this.#committer.active];
        const { storeId, editNumber } = this.#keeper;
        const work = verifyStore({
          vfs: this.#platform.vfs,
          directory: this.directory,
          levels: tree.levels,
          storeId,
          editNumber,
          segments,
        });
        // The manifest and the log in use are compared in the first steps, before anything else can run.
        for (let steps = 0; ; steps++) {
          const step = work.next();
          if (step.done === true) return step.value;
          if (steps > segments.length)
            await new Promise<void>((resolve) => this.#platform.scheduler.defer(resolve));
          this.#requireOpen();
        }
      } finally {
        tree.release();
      }
    });
  }

  stats(): StoreStats {
    const { counters } = this.#keeper;
    return {
      version: this.version,
      levels: this.#keeper.current.levels.map((tables) => ({
        tables: tables.length,
        bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
        entries: tables.reduce((sum, table) => sum + table.entryCount, 0),
      })),
      memtableBytes: this.#committer.active?.usedBytes ?? 0,
      immutableMemtables: this.#keeper.sealed.length,
      debtBytes: this.#keeper.debtBytes,
      openSnapshots: this.#snapshots.count,
      openIterators: this.#iterators.size,
      cacheHits: this.#blocks.hits,
      cacheMisses: this.#blocks.misses,
      openTables: this.#tables.openTables,
      tableMemoryBytes: this.#tables.memoryBytes,
      ...counters,
      damagedTables: this.#keeper.damagedTables,
      failure: this.#committer.failure?.message ?? this.#keeper.lastJobError?.message ?? null,
    };
  }

  /**
   * What the store has counted since it was opened, and how it stands now; `METRICS` and docs/guides/operate.md say what each name
   * means. Costs some microseconds. There is no reset: keep a snapshot and subtract.
   */
  metrics(): MetricsSnapshot {
    return metricsOf({
      metrics: this.#metrics,
      stalls: this.#stalls,
      committer: this.#committer,
      keeper: this.#keeper,
      segments: this.#segments,
      snapshots: this.#snapshots,
      iterators: this.#iterators,
      blocks: this.#blocks,
      tables: this.#tables,
    });
  }

  /** Internals for oracles and tools; not part of the stable surface. */
  inspect(): StoreInspection {
    const { active } = this.#committer;
    const counters = this.#keeper.counterState;
    return {
      levels: this.#keeper.current.levels,
      immutableMemtables: this.#keeper.sealed.length,
      walNumbers: this.#segments.map(({ fileNumber }) => fileNumber).reverse(),
      manifestNumber: this.#keeper.manifestNumber,
      editNumber: this.#keeper.editNumber,
      nextFileNumber: counters.nextFileNumber,
      lastVersion: counters.lastVersion,
      minWalNumber: counters.minWalNumber,
      liveFiles: this.#keeper.liveFiles(active),
      snapshots: this.#snapshots.versions(),
      openTables: this.#tables.openTables,
      debtBytes: this.#keeper.debtBytes,
      failedStop: this.#committer.failure !== null,
      backgroundBusy: this.#keeper.isBusy,
      damagedTables: this.#keeper.damagedTables,
    };
  }

  /**
   * Makes every commit durable in tables, ends background work, closes open iterators and gives the lock back. Idempotent.
   * When it resolves, all that was acknowledged is durable. Rejects with `FAILED_STOP` when the store stopped while closing,
   * or had stopped with commits that were acknowledged (`buffered`, `none`) and never synced; it is closed all the same.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    const failureBefore = this.#committer.failure;
    const isFlushed = await this.#settle();
    sometimes("store.closed-without-flush", !isFlushed);
    sometimes("store.closed-under-an-iterator", this.#iterators.size > 0);
    for (const hold of this.#iterators) hold.close();
    this.#leaks.close();
    await this.#untilReleased();
    let problem: Error | null = null;
    for (const part of [
      () => this.#committer.close(),
      () => this.#keeper.close(isFlushed || mutant("M14-sealed-after-failure")),
    ]) {
      try {
        await part();
      } catch (error) {
        // Everything that can be is durable by now; what failed is tidying up. The handles go back all the same.
        problem ??= error as Error;
      }
    }
    this.#tables.close();
    // A compaction that was waited for ends with its store.
    const closed = new StillwaterError("CLOSED", "the store was closed before this was done.", {
      path: this.directory,
    });
    if (mutant("L5-calls-left-pending-at-close")) this.#conditions = [];
    for (const { reject } of this.#conditions.splice(0)) reject(closed);
    this.#segments = [];
    this.#spareArenas = [];
    // CRASH_POINT(id: store.closed)
    crashPoint("store.closed");
    await this.#lock.release();
    // Whoever closes must hear of a failure that came up only now, and of one that may have cost acknowledged commits.
    const { failure, holdsUnsynced } = this.#committer;
    const isNews = failure !== failureBefore && !mutant("K3-failure-while-closing-not-told");
    if (failure !== null && (isNews || (holdsUnsynced && !mutant("K9-loss-not-told-at-close"))))
      problem = failure;
    const error = problem;
    this.#events.closed(() => ({ version: this.version, isFlushed, error }));
    if (error !== null) throw error;
  }

  /** Backups under way end at their next step, with `CLOSED`; until then they read files that must not go. */
  #untilReleased(): Promise<void> {
    // RARE: it takes a read of a backup that outlasts the last flush
    sometimes("store.closed-under-a-backup", this.#held.size > 0);
    return new Promise((resolve) => {
      this.#onReleased = resolve;
      if (this.#held.size === 0) resolve();
    });
  }

  /** Lets everything under way end and moves it into tables; false when that fails, and then the log keeps it. */
  async #settle(): Promise<boolean> {
    try {
      let isIdle = false;
      this.#committer.whenIdle(() => {
        isIdle = true;
        this.#checkConditions();
      });
      const waitsFor = mutant("L6-close-leaves-commits-waiting") ? "work" : "commits";
      await this.#until(() => isIdle, waitsFor);
      if (!mutant("W7-close-without-flush")) this.#committer.rotate();
      this.#keeper.retryNow();
      await this.#until(() => this.#keeper.sealed.length === 0 && !this.#committer.isRotating);
      return this.#committer.failure === null;
    } catch (error) {
      if (error !== this.#committer.failure && this.#keeper.obstacle === null) throw error;
      return false;
    }
  }

  #writeSingle(options: WriteOptions | undefined, fill: (batch: Batch) => void): Promise<number> {
    try {
      const batch = this.#single;
      batch.clear();
      fill(batch);
      return this.write(batch, options);
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** True when the commit must be synced. */
  #checkWrite(batch: Batch, options: WriteOptions | undefined): boolean {
    this.#requireOpen();
    if (!(batch instanceof Batch)) {
      throw new StillwaterError("INVALID_ARGUMENT", "write takes a Batch. Make one with new Batch().");
    }
    const usual = this.#options.durability;
    if (options === undefined) return usual === "sync";
    refuseUnknownOptions(options, ["durability", "requireVersionAtLeast"], "write");
    const { durability, requireVersionAtLeast } = options;
    if (durability !== undefined && durability !== "sync" && durability !== "buffered") {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        `durability must be "sync" or "buffered", but is ${String(durability)}.`,
      );
    }
    if (durability === "sync" && usual === "none") {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        'a store opened with durability "none" cannot commit with "sync". Open it with another durability.',
      );
    }
    if (requireVersionAtLeast !== undefined) {
      if (!Number.isSafeInteger(requireVersionAtLeast)) {
        throw new StillwaterError("INVALID_ARGUMENT", "requireVersionAtLeast must be a version.");
      }
      if (this.version < requireVersionAtLeast && !mutant("R20-required-version-ignored")) {
        throw new StillwaterError(
          "VERSION_TOO_LOW",
          `the store is at version ${this.version}, but the write requires ${requireVersionAtLeast}.`,
        );
      }
    }
    return (durability ?? usual) === "sync";
  }

  #iterate(range: IterationRange, snapshot: Snapshot | undefined): StoreIterator {
    this.#requireOpen();
    const version = snapshot === undefined ? this.version : snapshot.versionIn(this.#snapshots);
    let unwatch: (() => void) | null = null;
    const iterator = new StoreIterator(
      {
        segments: this.#segments,
        tree: this.#keeper.current,
        tables: this.#tables,
        onClose: (closed) => {
          this.#metrics.counters.add(COUNTER.rows_scanned_total, closed.rowsGiven);
          this.#iterators.delete(closed);
          unwatch?.();
        },
      },
      version,
      range,
    );
    const { hold } = iterator;
    this.#iterators.add(hold);
    unwatch = this.#leaks.watch("iterator", iterator, version, () => hold.close());
    this.#metrics.counters.add(COUNTER.iterators_total);
    return iterator;
  }

  #readVersion(options: ReadOptions, call: string): number {
    refuseUnknownOptions(options, ["snapshot"], call);
    const { snapshot } = options;
    if (snapshot === undefined) return this.#committer.visibleVersion;
    if (!(snapshot instanceof Snapshot)) {
      throw new StillwaterError("INVALID_ARGUMENT", `${call}: snapshot must come from store.snapshot().`);
    }
    return snapshot.versionIn(this.#snapshots);
  }

  #admissionDelayMs(): number {
    const delayMs = this.#keeper.admissionDelayMs;
    if (delayMs !== Number.POSITIVE_INFINITY) return delayMs;
    const { backlog, isBlocked, damagedTables } = this.#keeper;
    if (isBlocked) {
      sometimes("commit.refused-beside-damage");
      throw new StillwaterError(
        "BUSY",
        `compaction cannot go on, because tables are damaged (${damagedTables.join(", ")}), and ${backlog} tables wait for it. ` +
          "Run verify, then restore a backup or salvage the store.",
        { path: this.directory },
      );
    }
    if (backlog >= this.#options.level0LimitFiles) {
      sometimes("commit.refused-for-backlog");
      throw new StillwaterError(
        "BUSY",
        `${backlog} tables wait for compaction. Write more slowly, and look at stats().failure if it lasts.`,
        { path: this.directory },
      );
    }
    return delayMs;
  }

  #createSegment(payloadBytes: number, baseVersion: number, previous: SegmentEnd | null): Segment {
    const usual = segmentCapacity(this.#options.memtableBytes);
    const capacity = Math.max(usual, segmentCapacity(payloadBytes));
    sometimes("wal.segment-for-one-large-commit", capacity > usual);
    sometimes("memtable.arena-reused", capacity === usual && this.#spareArenas.length > 0);
    const arena = (capacity === usual ? this.#spareArenas.pop() : undefined) ?? new Arena(capacity);
    const segment = Segment.create(this.#platform.vfs, this.directory, arena, {
      fileNumber: this.#keeper.takeFileNumber(),
      storeId: this.#keeper.storeId,
      checksum: checksumByName(this.#options.checksum),
      baseVersion,
      previous,
      isLogged: this.#options.durability !== "none",
    });
    this.#listSegments(segment);
    this.#events.rotated(() => ({ walNumber: segment.fileNumber, capacityBytes: capacity }));
    return segment;
  }

  #forgetSegment(segment: Segment): void {
    this.#listSegments();
    const isUsual = segment.arena.capacity === segmentCapacity(this.#options.memtableBytes);
    sometimes("memtable.flushed-under-a-reader", segment.pins > 0);
    const isFree = segment.pins === 0 || mutant("R1-pinned-arena-reused");
    if (isUsual && isFree && this.#spareArenas.length < SPARE_ARENAS_MAX)
      this.#spareArenas.push(segment.arena);
  }

  #listSegments(created: Segment | null = null): void {
    const segments = [...this.#keeper.sealed];
    if (!mutant("R3-sealed-memtables-out-of-order")) segments.reverse();
    const active = created ?? this.#committer.active;
    if (active !== null && !segments.includes(active)) segments.unshift(active);
    this.#segments = segments;
  }

  #requireOpen(): void {
    if (this.#closing !== null) {
      throw new StillwaterError("CLOSED", "the store is closed. Open it again.", { path: this.directory });
    }
  }

  #guarded<T>(call: () => Promise<T>): Promise<T> {
    try {
      this.#requireOpen();
      return call();
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /**
   * Resolves when the condition holds after some background progress; rejects when that cannot be: with the failure,
   * with what keeps background work from succeeding, or with `CLOSED`. `on` says what has to be done for it: work that keeps
   * failing ends the waiting for it; commits get their answers anyway.
   */
  #until(isMet: () => boolean, on: "work" | "commits" = "work"): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#conditions.push({ isMet, needsWork: on === "work", resolve, reject });
      this.#checkConditions();
    });
  }

  #checkConditions(): void {
    // Who has asked for the work hears what its error is; commits that only wait for it are told to come again.
    const jobError = this.#keeper.obstacle === null ? null : this.#keeper.lastJobError;
    this.#conditions = this.#conditions.filter(({ isMet, needsWork, resolve, reject }) => {
      const error = this.#committer.failure ?? (needsWork ? jobError : null);
      if (isMet()) resolve();
      else if (error !== null) reject(error);
      else return true;
      return false;
    });
  }
}
