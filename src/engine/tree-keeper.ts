/**
 * Keeper of the tree: the sealed memtables, the current shape, the manifest that records it, and the background work
 * that changes it. Every change takes the same road: outputs durable → edit durable → new shape installed → only then
 * are superseded files removed (engine.md A11).
 *
 * One flush and one compaction run at a time, flushes in log order. A job that fails for want of space or by an I/O
 * error has cost nothing but its unreferenced outputs; it is run again, with new files, after a pause that doubles. A
 * compaction that finds a damaged input is not tried again. An error of the manifest itself is fail-stop.
 *
 * Does not own: commits, visibility, snapshots' lifetimes, reads.
 */
import { assert } from "../platform/assert.js";
import { hasCode, StillwaterError } from "../platform/errors.js";
import { joinPath } from "../platform/path.js";
import type { Scheduler, Timer } from "../platform/platform.js";
import { buggify, crashPoint, mutant, sometimes } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";
import type { JobCallback, JobRunner } from "./background/runner.js";
import type { CompactionDescription } from "./compaction/compaction-job.js";
import { type FlushDescription, flushSegment } from "./compaction/flush-job.js";
import type { JobResult, TableFormat } from "./compaction/job.js";
import { type CompactionPlan, type CompactionStrategy, strategyFor } from "./compaction/strategy.js";
import type { EngineMetrics } from "./engine-metrics.js";
import { manifestName, tableName, tablePath, temporaryName, walName, walPath } from "./files.js";
import { checksumByName } from "./format/checksum.js";
import type { ManifestCounters, ManifestEdit } from "./manifest/edit.js";
import { ManifestLog } from "./manifest/manifest-log.js";
import { coveringRange, type TableMeta, tablesOverlap, totalBytes } from "./manifest/table-meta.js";
import { applyEdit, LEVEL_COUNT, type Levels } from "./manifest/tree.js";
import { type TreeVersion, VersionSet } from "./manifest/version-set.js";
import type { ResolvedOptions } from "./options.js";
import { type KeyRange, rangeOfBoth } from "./range.js";
import type { RecoveredStore } from "./recovery.js";
import type { JobTrace, StoreEvents } from "./store-events.js";
import type { TableCache } from "./table-cache.js";
import type { Segment } from "./wal/segment.js";
import { parseSegment } from "./wal/segment-reader.js";

export interface TreeKeeperContext {
  readonly vfs: VFS;
  readonly directory: string;
  readonly options: ResolvedOptions;
  readonly format: TableFormat;
  readonly scheduler: Scheduler;
  readonly runner: JobRunner;
  readonly tables: TableCache;
  readonly metrics: EngineMetrics;
  readonly events: StoreEvents;
  /** Open snapshots, ascending: a copy. */
  readonly snapshots: () => number[];
  /** A flush or compaction has changed something. */
  readonly onProgress: () => void;
  /** The sealed segment's data is in tables now. */
  readonly onFlushed: (segment: Segment) => void;
  /** The manifest could not be written, or a job failed in a way that must not happen. */
  readonly onFatal: (error: Error) => void;
}

export interface BackgroundCounters {
  flushes: number;
  compactions: number;
  trivialMoves: number;
  jobFailures: number;
  bytesFlushed: number;
  bytesCompacted: number;
  rowsDropped: number;
}

/** What became of an edit: it counts, the store has stopped, or the error for which nothing was done. */
type RecordOutcome = "recorded" | "stopped" | StillwaterError;

const RETRY_FIRST_MS = 10;
const RETRY_MAX_MS = 1000;
/** From the n-th failure in a row on, commits are refused rather than kept waiting. */
const OBSTACLE_FAILURES = 3;
/** A manifest is written anew after this many edits, or as many as there are tables, whichever is more (Pebble's rule). */
const MANIFEST_EDITS_MAX = 1000;
/** Longest delay of a commit by compaction debt (features: FS-23). */
const SLOWDOWN_MAX_MS = 5;

export class TreeKeeper {
  readonly counters: BackgroundCounters = {
    flushes: 0,
    compactions: 0,
    trivialMoves: 0,
    jobFailures: 0,
    bytesFlushed: 0,
    bytesCompacted: 0,
    rowsDropped: 0,
  };
  readonly #context: TreeKeeperContext;
  readonly #versions: VersionSet;
  readonly #strategy: CompactionStrategy;
  readonly #storeId: Uint8Array;
  /** Sealed and not flushed yet, oldest first. */
  readonly #sealed: Segment[] = [];
  readonly #damaged = new Set<number>();
  /** Files that could not be removed yet. */
  #removals: string[] = [];
  #manifestLog: ManifestLog | null;
  #manifestNumber: number;
  #editNumber: number;
  #nextFileNumber: number;
  /** Tables below this number were written before this opening. */
  readonly #firstFileNumber: number;
  /** Tables that keep old versions for snapshots which were open when they were written. */
  readonly #writtenUnderSnapshots = new Set<number>();
  #lastVersion: number;
  #minWalNumber: number;
  #flushing: FlushDescription | null = null;
  #compacting: CompactionDescription | null = null;
  /** Steps of a manual compaction that are still to do. */
  /** `range` null: everything. */
  #manual: { step: number; readonly range: KeyRange | null; readonly done: () => void } | null = null;
  #retryTimer: Timer | null = null;
  #retryMs = RETRY_FIRST_MS;
  #failuresInARow = 0;
  #isStopped = false;
  #isBlocked = false;
  #delayMs = 0;
  #lastJobError: Error | null = null;

  constructor(context: TreeKeeperContext, recovered: RecoveredStore) {
    const { state } = recovered;
    this.#context = context;
    this.#strategy = strategyFor(context.options);
    this.#storeId = state.storeId;
    this.#removals = [...recovered.putOff];
    this.#manifestLog = recovered.manifestLog;
    this.#manifestNumber = recovered.manifestNumber;
    this.#editNumber = state.editNumber;
    this.#nextFileNumber = state.counters.nextFileNumber;
    this.#firstFileNumber = this.#nextFileNumber;
    this.#lastVersion = state.counters.lastVersion;
    this.#minWalNumber = state.counters.minWalNumber;
    this.#versions = new VersionSet(state.levels, (table) => this.#removeTable(table));
    this.#weighAdmission();
  }

  get current(): TreeVersion {
    return this.#versions.current;
  }

  get sealed(): readonly Segment[] {
    return this.#sealed;
  }

  get storeId(): Uint8Array {
    return this.#storeId;
  }

  get manifestNumber(): number {
    return this.#manifestNumber;
  }

  get editNumber(): number {
    return this.#editNumber;
  }

  get nextFileNumber(): number {
    return this.#nextFileNumber;
  }

  get counterState(): ManifestCounters {
    return {
      nextFileNumber: this.#nextFileNumber,
      lastVersion: this.#lastVersion,
      minWalNumber: this.#minWalNumber,
    };
  }

  get debtBytes(): number {
    return this.#strategy.debtBytes(this.current.levels);
  }

  get backlog(): number {
    return this.#strategy.backlog(this.current.levels);
  }

  get isBusy(): boolean {
    return (
      this.#flushing !== null ||
      this.#compacting !== null ||
      this.#manual !== null ||
      this.#retryTimer !== null
    );
  }

  get heldVersions(): number {
    return this.#versions.heldCount;
  }

  get damagedTables(): number[] {
    return [...this.#damaged].sort((a, b) => a - b);
  }

  /** The compaction that is due would need a damaged table, so none will run. */
  get isBlocked(): boolean {
    return this.#isBlocked;
  }

  /**
   * What keeps flushes or compactions from succeeding, once it has done so several times in a row: a full disk, most
   * likely. Commits that would have to wait for them are refused with it; the work itself is tried on.
   */
  get obstacle(): StillwaterError | null {
    if (this.#failuresInARow < OBSTACLE_FAILURES || !(this.#lastJobError instanceof StillwaterError))
      return null;
    const { code, message, path } = this.#lastJobError;
    const details = { cause: this.#lastJobError, ...(path === undefined ? {} : { path }) };
    return new StillwaterError(
      code === "NO_SPACE" ? "NO_SPACE" : "BUSY",
      `background work keeps failing, and until it succeeds no more can be written: ${message} What was acknowledged is safe in the log.`,
      details,
    );
  }

  get lastJobError(): Error | null {
    return this.#lastJobError;
  }

  /** How long a commit should be held back for compaction to keep up; Infinity in a stall. */
  get admissionDelayMs(): number {
    return this.#delayMs;
  }

  /** A number that no file has ever had. */
  takeFileNumber(): number {
    return this.#nextFileNumber++;
  }

  /** Names of files that must exist in the directory now, log segments in use included. */
  liveFiles(active: Segment | null): string[] {
    const names = this.#versions.liveTables().map(tableName);
    for (const segment of this.#sealed) names.push(walName(segment.fileNumber));
    if (active !== null) names.push(walName(active.fileNumber));
    names.push(manifestName(this.#manifestNumber), "CURRENT");
    return names.sort();
  }

  addSealed(segment: Segment): void {
    sometimes("memtable.switch-beside-a-flush", this.#flushing !== null);
    this.#sealed.push(segment);
    this.work();
  }

  /** Starts what background work there is to start. Cheap when there is none. */
  work(): void {
    if (this.#isStopped || this.#retryTimer !== null) return;
    this.#retryRemovals();
    if (this.#flushing === null && this.#sealed.length > 0) this.#startFlush(this.#sealed[0] as Segment);
    if (this.#compacting === null) this.#startCompaction();
  }

  /** Tries at once, and with a clean slate, what has been failing: somebody who asks may have removed the cause. */
  retryNow(): void {
    this.#failuresInARow = 0;
    this.#retryMs = RETRY_FIRST_MS;
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
    this.work();
  }

  /** Merges everything, or what may hold keys of a range, into its final place; calls back when that is done. */
  compactManually(range: KeyRange | null, done: () => void): void {
    const former = this.#manual;
    this.#manual = {
      step: 0,
      range: former === null ? range : rangeOfBoth(former.range, range),
      done: () => {
        if (!mutant("L4-earlier-manual-compaction-forgotten")) former?.done();
        done();
      },
    };
    this.work();
  }

  /**
   * No more background work, now or later; removes outputs of jobs that were running. `inOrder`: nothing has failed in
   * this life, so the manifest is sealed.
   */
  async close(inOrder: boolean): Promise<void> {
    this.#isStopped = true;
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
    const unfinished: number[] = [];
    if (this.#flushing !== null) unfinished.push(this.#flushing.fileNumber);
    if (this.#compacting !== null) unfinished.push(...this.#compacting.fileNumbers);
    try {
      // A job that is cut off may fail to close its output.
      await this.#context.runner.close();
      for (const fileNumber of unfinished) {
        removeUnlessBusy(this.#context.vfs, tablePath(this.#context.directory, fileNumber));
      }
      if (inOrder && !mutant("M34-close-without-seal")) this.#manifestLog?.seal();
    } finally {
      this.#manifestLog?.close();
      this.#manifestLog = null;
    }
  }

  /** After an error of log or manifest: nothing on disk is touched any more. */
  stop(): void {
    this.#isStopped = true;
    this.#retryTimer?.cancel();
    this.#retryTimer = null;
  }

  #startFlush(segment: Segment): void {
    const { directory, options, format, runner, snapshots } = this.#context;
    const flush: FlushDescription = {
      kind: "flush",
      directory,
      storeId: this.#storeId,
      walNumber: segment.fileNumber,
      fileNumber: mutant("M20-flush-number-not-taken") ? this.#nextFileNumber : this.takeFileNumber(),
      snapshots: snapshots(),
      format,
      beatRows: options.beatRows,
    };
    this.#flushing = flush;
    const sinceMs = this.#context.metrics.nowMs();
    sometimes("flush.beside-a-compaction", this.#compacting !== null);
    sometimes("flush.under-snapshots", flush.snapshots.length > 0);
    // CRASH_POINT(id: memtable.flush-begin)
    crashPoint("memtable.flush-begin");
    const done: JobCallback = (error, result) => {
      if (this.#isStopped) return;
      this.#flushing = null;
      this.#noteSnapshots(flush.snapshots, result);
      if (result !== null) this.#onFlushed(segment, result, sinceMs);
      else if (hasCode(error, "CORRUPTION")) this.#flushFromMemory(segment, flush, sinceMs);
      else this.#onJobError("flush", error as Error, [flush.fileNumber]);
      if (result === null && mutant("G2-number-of-failed-job-freed")) this.#nextFileNumber = flush.fileNumber;
    };
    const { flushing } = this.#context.events;
    if (!flushing.isHeard) runner.submit(flush, done);
    else {
      const message: JobTrace = {
        directory,
        job: "flush",
        tablesRead: 0,
        bytesRead: segment.usedBytes,
        outputLevel: 0,
      };
      flushing.traceCallback<JobResult>(message, (traced) => runner.submit(flush, traced), done);
    }
  }

  /** The log does not read back, but the memtable is its image: flush that, on this thread. */
  #flushFromMemory(segment: Segment, flush: FlushDescription, sinceMs: number): void {
    // RARE: damage never strikes the log of a running store
    sometimes("flush.from-memory");
    const fileNumber = this.takeFileNumber();
    try {
      const path = walPath(flush.directory, flush.walNumber);
      const contents = parseSegment(path, segment.arena, segment.usedBytes, {
        fileNumber: flush.walNumber,
        storeId: this.#storeId,
      });
      assert(contents !== null, "the image of a segment has a header");
      const job = flushSegment(this.#context.vfs, { ...flush, fileNumber }, contents);
      let step = job.next();
      while (step.done !== true) step = job.next();
      this.#onFlushed(segment, step.value, sinceMs);
    } catch (error) {
      this.#onJobError("flush", error as Error, [fileNumber]);
    }
  }

  #onFlushed(segment: Segment, result: JobResult, sinceMs: number): void {
    assert(this.#sealed[0] === segment, "segments are flushed in order");
    const former = { lastVersion: this.#lastVersion, minWalNumber: this.#minWalNumber };
    if (!mutant("R11-flushed-version-not-recorded")) this.#lastVersion = segment.lastVersion;
    this.#minWalNumber = mutant("M11-replay-starts-too-late") ? this.#nextFileNumber : segment.fileNumber + 1;
    const outcome = this.#record({
      added: result.tables.map((table) => ({ level: 0, table })),
      removed: [],
    });
    if (outcome !== "recorded") {
      if (outcome === "stopped") return;
      // The log is live still, and another edit must not say otherwise.
      if (!mutant("P3-log-given-up-with-an-edit-put-off")) {
        this.#lastVersion = former.lastVersion;
        this.#minWalNumber = former.minWalNumber;
      }
      this.#onJobError("flush", outcome, fileNumbers(result));
      return;
    }
    this.#sealed.shift();
    this.#countJob(result);
    // RARE: it takes a segment of nothing but empty range deletes
    sometimes("flush.left-nothing", result.tables.length === 0);
    this.counters.flushes++;
    this.counters.bytesFlushed += result.bytesWritten;
    const { metrics, events } = this.#context;
    const durationMs = metrics.observeSince(metrics.flush, sinceMs);
    events.flushed(() => ({
      walNumber: segment.fileNumber,
      tables: result.tables.length,
      bytesWritten: result.bytesWritten,
      rowsWritten: result.rowsWritten,
      durationMs,
    }));
    this.#context.onFlushed(segment);
    // CRASH_POINT(id: wal.gc.before-delete)
    crashPoint("wal.gc.before-delete");
    if (!mutant("G9-flushed-log-kept")) this.#remove(walPath(this.#context.directory, segment.fileNumber));
    // CRASH_POINT(id: memtable_flush)
    crashPoint("memtable_flush");
    this.#progress();
  }

  #startCompaction(): void {
    const levels = this.current.levels;
    const plan = this.#strategy.pick(levels) ?? this.#nextManualPlan(levels);
    this.#isBlocked =
      plan?.runs.some(({ tables }) => tables.some(({ fileNumber }) => this.#damaged.has(fileNumber))) ??
      false;
    if (plan === null) return;
    if (this.#isBlocked) {
      this.#endManual();
      return;
    }
    // CRASH_POINT(id: compaction.picked)
    crashPoint("compaction.picked");
    sometimes("compaction.manual", this.#manual !== null);
    sometimes("compaction.below-level-1", plan.outputLevel > 1);
    sometimes("compaction.trivial-move", plan.isTrivialMove);
    sometimes("compaction.many-runs-of-level-0", plan.runs.filter(({ level }) => level === 0).length > 1);
    if (plan.isTrivialMove) this.#move(plan);
    else this.#submit(plan);
  }

  /** The next step of a manual compaction; null when there is none going on, or none is left, and then it ends. */
  #nextManualPlan(levels: Levels): CompactionPlan | null {
    const manual = this.#manual;
    if (manual === null) return null;
    while (manual.step <= LEVEL_COUNT) {
      const mayShrink = (table: TableMeta): boolean => this.#mayShrink(table);
      const plan = this.#strategy.pickManual(levels, manual.step++, mayShrink, manual.range);
      if (plan !== null) return plan;
    }
    this.#endManual();
    return null;
  }

  /** At the bottom, whether rewriting a table might drop rows. Of tables from before this opening nobody knows. */
  #mayShrink(table: TableMeta): boolean {
    return (
      table.tombstoneCount + table.rangeTombstoneCount > 0 ||
      table.fileNumber < this.#firstFileNumber ||
      this.#writtenUnderSnapshots.has(table.fileNumber)
    );
  }

  #endManual(): void {
    const manual = this.#manual;
    this.#manual = null;
    manual?.done();
  }

  #move(plan: CompactionPlan): void {
    const [run] = plan.runs;
    const [table] = run?.tables ?? [];
    assert(run !== undefined && table !== undefined, "a move has one table");
    const outcome = this.#record({
      added: [{ level: plan.outputLevel, table }],
      removed: [{ level: run.level, fileNumber: table.fileNumber }],
    });
    if (outcome !== "recorded") {
      if (outcome !== "stopped") this.#onJobError("compaction", outcome, []);
      return;
    }
    if (!mutant("N3-trivial-move-not-counted")) this.counters.trivialMoves++;
    this.#context.events.compacted(() => ({
      fromLevels: [run.level],
      outputLevel: plan.outputLevel,
      isTrivialMove: true,
      tablesRead: 0,
      tablesWritten: 0,
      bytesRead: 0,
      bytesWritten: 0,
      rowsDropped: 0,
      durationMs: 0,
    }));
    this.#progress();
  }

  #submit(plan: CompactionPlan): void {
    const { directory, options, format, runner, snapshots } = this.#context;
    const inputs = plan.runs.flatMap(({ tables }) => tables);
    const inputBytes = totalBytes(inputs);
    const outputs =
      plan.tableBytes > inputBytes ? 1 : Math.ceil(inputBytes / plan.tableBytes) + inputs.length + 4;
    const description: CompactionDescription = {
      kind: "compaction",
      directory,
      runs: plan.runs.map(({ tables }) => tables),
      outputLevel: plan.outputLevel,
      older: this.#olderThan(plan, inputs),
      grandparents:
        plan.outputLevel === 0 ? [] : overlapping(this.current.levels[plan.outputLevel + 1] ?? [], inputs),
      snapshots: snapshots(),
      tableBytes: plan.tableBytes,
      fileNumbers: Array.from({ length: outputs }, () => this.takeFileNumber()),
      format,
      beatRows: options.beatRows,
    };
    this.#compacting = description;
    const sinceMs = this.#context.metrics.nowMs();
    sometimes("compaction.under-snapshots", description.snapshots.length > 0);
    sometimes("compaction.above-older-data", description.older.length > 0);
    const done: JobCallback = (error, result) => {
      if (this.#isStopped) return;
      this.#compacting = null;
      this.#noteSnapshots(description.snapshots, result);
      if (result !== null) this.#onCompacted(plan, result, sinceMs);
      else this.#onCompactionError(error as Error, description.fileNumbers);
    };
    const { compacting } = this.#context.events;
    if (!compacting.isHeard) runner.submit(description, done);
    else {
      const message: JobTrace = {
        directory,
        job: "compaction",
        tablesRead: inputs.length,
        bytesRead: inputBytes,
        outputLevel: plan.outputLevel,
      };
      compacting.traceCallback<JobResult>(message, (traced) => runner.submit(description, traced), done);
    }
  }

  /** Tables with data older than the plan's inputs that might lie under their keys. */
  #olderThan(plan: CompactionPlan, inputs: readonly TableMeta[]): (readonly TableMeta[])[] {
    const levels = this.current.levels;
    const older: (readonly TableMeta[])[] = [];
    const newest = Math.max(...inputs.map(({ maxVersion }) => maxVersion));
    const taken = new Set(inputs.map(({ fileNumber }) => fileNumber));
    for (const run of levels[0] ?? []) {
      if (!taken.has(run.fileNumber) && run.maxVersion < newest)
        older.push(...overlapping([run], inputs).map((table) => [table]));
    }
    for (let level = Math.max(plan.outputLevel + 1, 1); level < LEVEL_COUNT; level++) {
      const tables = overlapping(levels[level] ?? [], inputs).filter(
        ({ fileNumber }) => !taken.has(fileNumber),
      );
      if (tables.length > 0) older.push(tables);
    }
    return older;
  }

  #onCompacted(plan: CompactionPlan, result: JobResult, sinceMs: number): void {
    // CRASH_POINT(id: compaction.output-written)
    crashPoint("compaction.output-written");
    if (mutant("G1-inputs-removed-before-edit")) {
      for (const { tables } of plan.runs)
        for (const table of tables) this.#remove(tablePath(this.#context.directory, table.fileNumber));
    }
    const outcome = this.#record({
      added: result.tables.map((table) => ({ level: plan.outputLevel, table })),
      removed: plan.runs.flatMap(({ level, tables }) =>
        tables.map(({ fileNumber }) => ({ level, fileNumber })),
      ),
    });
    if (outcome !== "recorded") {
      if (outcome !== "stopped") this.#onJobError("compaction", outcome, fileNumbers(result));
      return;
    }
    // CRASH_POINT(id: compaction.installed)
    crashPoint("compaction.installed");
    this.#countJob(result);
    this.counters.compactions++;
    sometimes("compaction.left-nothing", result.tables.length === 0);
    sometimes("compaction.many-outputs", result.tables.length > 1);
    this.counters.bytesCompacted += result.bytesWritten;
    const { metrics, events } = this.#context;
    const durationMs = metrics.observeSince(metrics.compaction, sinceMs);
    events.compacted(() => ({
      fromLevels: [...new Set(plan.runs.map(({ level }) => level))],
      outputLevel: plan.outputLevel,
      isTrivialMove: false,
      tablesRead: plan.runs.reduce((sum, { tables }) => sum + tables.length, 0),
      tablesWritten: result.tables.length,
      bytesRead: result.bytesRead,
      bytesWritten: result.bytesWritten,
      rowsDropped: result.rowsRead - result.rowsWritten,
      durationMs,
    }));
    this.#progress();
  }

  #onCompactionError(error: Error, outputs: readonly number[]): void {
    if (!hasCode(error, "CORRUPTION")) {
      this.#onJobError("compaction", error, outputs);
      return;
    }
    this.#removeOutputs(outputs);
    this.counters.jobFailures++;
    this.#tellFailure("compaction", error, null);
    this.#lastJobError = error;
    for (const tables of this.current.levels) {
      for (const { fileNumber } of tables) {
        if (error.path?.endsWith(tableName(fileNumber)) === true) this.#damaged.add(fileNumber);
      }
    }
    assert(this.#damaged.size > 0, "a corruption error of a compaction names one of its inputs");
    sometimes("compaction.stopped-by-damage");
    this.#progress();
  }

  #tellFailure(job: "flush" | "compaction", error: Error, retryInMs: number | null): void {
    const failuresInARow = this.#failuresInARow;
    this.#context.events.jobFailed(() => ({ job, error, failuresInARow, retryInMs }));
  }

  #onJobError(job: "flush" | "compaction", error: Error, outputs: readonly number[]): void {
    this.#removeOutputs(outputs);
    this.counters.jobFailures++;
    this.#lastJobError = error;
    // A failed sync of the directory may have lost the names of other jobs' files as well, whatever the next one says.
    const losesNames =
      error instanceof StillwaterError &&
      error.operation === "syncDirectory" &&
      !mutant("M27-directory-sync-tried-again");
    if (hasCode(error, "ASSERTION") || !isStoreError(error) || losesNames) {
      this.#tellFailure(job, error, null);
      this.#context.onFatal(error);
      return;
    }
    this.#failuresInARow++;
    const delayMs = this.#retryMs;
    this.#tellFailure(job, error, delayMs);
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
    this.#retryTimer?.cancel();
    if (mutant("L3-failed-job-not-retried")) return;
    const goOn = () => {
      this.#retryTimer = null;
      sometimes("background.tried-again");
      this.work();
    };
    // Who awaits a flush is answered by the last of these tries, also where nothing else keeps the process alive.
    this.#retryTimer = this.#context.scheduler.after(delayMs, goOn, this.#failuresInARow < OBSTACLE_FAILURES);
    this.#context.onProgress();
  }

  /** The job has tried to remove them, and the disk that failed it may have failed that too. */
  #removeOutputs(fileNumbers: readonly number[]): void {
    for (const fileNumber of fileNumbers) this.#remove(tablePath(this.#context.directory, fileNumber));
  }

  #noteSnapshots(snapshots: readonly number[], result: JobResult | null): void {
    if (snapshots.length === 0) return;
    for (const { fileNumber } of result?.tables ?? []) this.#writtenUnderSnapshots.add(fileNumber);
  }

  #countJob(result: JobResult): void {
    this.#retryMs = RETRY_FIRST_MS;
    this.#failuresInARow = 0;
    this.counters.rowsDropped += result.rowsRead - result.rowsWritten;
  }

  #progress(): void {
    this.work();
    this.#context.onProgress();
  }

  /** Makes an edit durable and installs its shape. With an error nothing has changed, and the work may be done again. */
  #record(change: Pick<ManifestEdit, "added" | "removed">): RecordOutcome {
    let levels: Levels;
    try {
      levels = applyEdit(this.current.levels, { ...change, counters: this.counterState });
      const tableCount = levels.reduce((sum, tables) => sum + tables.length, 0);
      const log = this.#manifestLog;
      const isLong =
        log !== null &&
        (log.editsSinceSnapshot >= Math.max(MANIFEST_EDITS_MAX, tableCount) ||
          buggify("tree-keeper.early-manifest"));
      const refusal = log === null || isLong ? this.#startManifest(levels) : null;
      if (log === null && refusal !== null) return refusal;
      // A long one takes one edit more where the next cannot take its place yet.
      if (log !== null && (!isLong || refusal !== null))
        log.append({ ...change, counters: this.counterState });
    } catch (error) {
      if (!isStoreError(error)) throw error;
      if (mutant("M5-failed-manifest-removes-former"))
        this.#remove(joinPath(this.#context.directory, manifestName(this.#manifestNumber)));
      if (!mutant("M4-manifest-error-not-fatal")) this.#context.onFatal(error);
      return "stopped";
    }
    this.#editNumber = this.#manifestLog?.editNumber ?? this.#editNumber;
    sometimes("tree.shape-held-by-a-reader", this.current.references > 1);
    this.#versions.install(levels);
    this.#weighAdmission();
    return "recorded";
  }

  /** A new manifest in the place of the former one; the error when somebody has CURRENT open, and the former one stays. */
  #startManifest(levels: Levels): StillwaterError | null {
    const { vfs, directory, options } = this.#context;
    const log = this.#manifestLog;
    const former = this.#manifestNumber;
    sometimes("manifest.first-edit-after-a-clean-open", log === null);
    // RARE: it takes a thousand edits in one life
    sometimes("manifest.rewritten", log !== null);
    const number = this.takeFileNumber();
    const state = {
      storeId: this.#storeId,
      counters: this.counterState,
      levels: mutant("C17-stale-shape-recorded") ? this.current.levels : levels,
      editNumber: this.#editNumber,
    };
    try {
      this.#manifestLog = ManifestLog.create(vfs, directory, checksumByName(options.checksum), number, state);
    } catch (error) {
      if (!hasCode(error, "FILE_BUSY") || !isStoreError(error) || mutant("P5-busy-current-stops-store"))
        throw error;
      sometimes("manifest.switch-put-off");
      for (const name of [manifestName(number), temporaryName(number)])
        this.#remove(joinPath(directory, name));
      return error;
    }
    this.#manifestNumber = number;
    log?.close();
    this.#remove(joinPath(directory, manifestName(former)));
    return null;
  }

  #removeTable(table: TableMeta): void {
    if (!mutant("P6-table-removed-while-open")) this.#context.tables.forget(table.fileNumber);
    this.#writtenUnderSnapshots.delete(table.fileNumber);
    this.#remove(tablePath(this.#context.directory, table.fileNumber));
    // CRASH_POINT(id: compaction.input-deleted)
    crashPoint("compaction.input-deleted");
  }

  /** A file that cannot be removed now is remembered and tried again with the next work. */
  #remove(path: string): void {
    if (this.#isStopped) return;
    try {
      if (this.#context.vfs.stat(path) !== null) this.#context.vfs.removeFile(path);
    } catch (error) {
      if (!isStoreError(error)) throw error;
      sometimes("file.removal-put-off");
      this.#removals.push(path);
    }
  }

  #retryRemovals(): void {
    const paths = this.#removals;
    if (paths.length === 0) return;
    this.#removals = [];
    for (const path of paths) this.#remove(path);
  }

  #weighAdmission(): void {
    const { level0StallFiles, slowdownDebtBytes } = this.#context.options;
    const debt = this.debtBytes;
    if (this.backlog >= level0StallFiles) this.#delayMs = Number.POSITIVE_INFINITY;
    else if (debt > slowdownDebtBytes)
      this.#delayMs = Math.min(
        SLOWDOWN_MAX_MS,
        (SLOWDOWN_MAX_MS * (debt - slowdownDebtBytes)) / (slowdownDebtBytes + 1) + 1,
      );
    else this.#delayMs = buggify("tree-keeper.slow-admission") ? 1 : 0;
    sometimes("tree.stall", this.#delayMs === Number.POSITIVE_INFINITY);
    sometimes("tree.slow-down", this.#delayMs > 0 && this.#delayMs < Number.POSITIVE_INFINITY);
  }
}

function overlapping(tables: readonly TableMeta[], inputs: readonly TableMeta[]): readonly TableMeta[] {
  const bounding = mutant("C7-older-data-by-first-input") ? inputs.slice(0, 1) : inputs;
  const range = { ...(inputs[0] as TableMeta), ...coveringRange(bounding) };
  return tables.filter((table) => tablesOverlap(table, range));
}

/** True for errors of ours; anything else (a bug, a simulated crash) goes on upwards. */
function isStoreError(error: unknown): error is StillwaterError {
  return error instanceof StillwaterError;
}

function fileNumbers(result: JobResult): number[] {
  return result.tables.map(({ fileNumber }) => fileNumber);
}

/** What somebody has open is left for the next open to tidy. */
function removeUnlessBusy(vfs: VFS, path: string): void {
  try {
    if (vfs.stat(path) !== null) vfs.removeFile(path);
  } catch (error) {
    if (!hasCode(error, "FILE_BUSY")) throw error;
  }
}
