/**
 * A store as those see it who only read: beside a writer in another process (or in this one), or where there is none. The
 * public face; how a view is found among the writer's changes is `view-loader.ts`.
 */
import { assert } from "../../platform/assert.js";
import { StillwaterError } from "../../platform/errors.js";
import type { Platform, Scheduler } from "../../platform/platform.js";
import { mutant, sometimes } from "../../platform/probes.js";
import { checkKey } from "../batch.js";
import type { TableMeta } from "../manifest/table-meta.js";
import { EMPTY_LEVELS } from "../manifest/tree.js";
import { VersionSet } from "../manifest/version-set.js";
import { refuseUnknownOptions, resolveOptions, type StoreOptions } from "../options.js";
import { iterationRange, type ScanOptions } from "../range.js";
import type { IteratorHold } from "../read/iterator-hold.js";
import type { IterationRange, StoreIterator } from "../read/store-iterator.js";
import { Scan } from "../scan.js";
import { Snapshot, type SnapshotList } from "../snapshots.js";
import type { ReadOptions, StoreStats } from "../store-types.js";
import { BlockCache } from "../table/block-cache.js";
import { TableCache } from "../table-cache.js";
import { HeldTables } from "./held-tables.js";
import { StoreView } from "./store-view.js";
import { ViewLoader } from "./view-loader.js";

/** Memory, as for `open`. What was written how stands in the store itself. */
export type ReadOnlyOptions = Pick<StoreOptions, "blockCacheBytes" | "tableCacheBytes">;

/** As of the store's, what a reader knows. */
export interface ReadOnlyStats
  extends Pick<
    StoreStats,
    | "version"
    | "levels"
    | "memtableBytes"
    | "openSnapshots"
    | "openIterators"
    | "cacheHits"
    | "cacheMisses"
    | "openTables"
    | "tableMemoryBytes"
  > {
  /** Log segments that are not in tables yet, and so are read from memory: `memtableBytes` of it. */
  readonly logSegments: number;
  /** Bytes at the end of the log that are no record: one that is being written, or what a crash has left. */
  readonly tornBytes: number;
  /** Files of tables that are kept open. */
  readonly heldFiles: number;
  readonly refreshes: number;
}

/**
 * Reads a store without owning it: takes no lock, writes nothing, not a byte, and works beside a writer in another process, on
 * a read-only volume, and on a store that a crash has left unrecovered.
 *
 * **What it sees.** One version: exactly the first so many commits of the writer, none of them in part, and among them every
 * commit that was acknowledged as durable before the call of `openReadOnly` (or of the latest `refresh`) began. It may hold
 * newer ones, also some that are not durable yet, which a power loss could take back, from writer and reader alike; a kill of
 * the writer cannot. Commits of a store of durability `none` are seen when they are flushed. The view stands still until
 * `refresh`, and never goes back. Snapshots and iterators keep theirs, whatever the writer compacts and removes.
 *
 * **What it costs.** Every table's file is kept open, so the limit of open files must allow as many as there are tables. A
 * snapshot or iterator of an older view keeps disk space of tables that the writer has removed. The part of the log that is not
 * in tables is held in memory (a few times `memtableBytes` of the writer), and a `refresh` reads the rest of its newest segment.
 *
 * On Windows a file that is open may not be removable: there the writer's removals fail while a reader has the table, and
 * are tried again until they succeed.
 */
export class ReadOnlyStore {
  readonly directory: string;
  readonly #scheduler: Scheduler;
  readonly #blocks: BlockCache;
  readonly #held: HeldTables;
  readonly #tables: TableCache;
  readonly #versions: VersionSet;
  readonly #loader: ViewLoader;
  readonly #iterators = new Set<IteratorHold>();
  readonly #views = new WeakMap<SnapshotList, StoreView>();
  #view: StoreView | null = null;
  /** Views with open snapshots. */
  readonly #pinned = new Set<StoreView>();
  #refreshes = 0;
  /** The load that was asked for last, and one that waits for it. */
  #running: Promise<unknown> = Promise.resolve();
  #next: Promise<number> | null = null;
  #closing: Promise<void> | null = null;

  /**
   * Opens the store in `directory` for reading. Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`, `NOT_A_STORE`, `CORRUPTION`,
   * `UNSUPPORTED_FORMAT`, `TOO_MANY_OPEN_FILES`, file errors, and `BUSY` when the writer changed the store again and again
   * while it was being read.
   */
  static async open(directory: string, options: ReadOnlyOptions, platform: Platform): Promise<ReadOnlyStore> {
    if (typeof directory !== "string" || directory === "") {
      throw new StillwaterError("INVALID_ARGUMENT", "the store's directory must be a path.");
    }
    refuseUnknownOptions(options, ["blockCacheBytes", "tableCacheBytes"], "openReadOnly");
    const store = new ReadOnlyStore(directory, options, platform);
    try {
      await store.refresh();
      return store;
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  private constructor(directory: string, options: ReadOnlyOptions, platform: Platform) {
    const { vfs, scheduler } = platform;
    const { blockCacheBytes, tableCacheBytes, blockBytes } = resolveOptions(options);
    this.directory = directory;
    this.#scheduler = scheduler;
    this.#blocks = new BlockCache({ capacityBytes: blockCacheBytes, slotBytes: blockBytes });
    this.#held = new HeldTables(vfs, directory);
    this.#tables = new TableCache(this.#held, directory, this.#blocks, tableCacheBytes);
    this.#loader = new ViewLoader(vfs, directory, this.#held);
    this.#versions = new VersionSet(EMPTY_LEVELS, ({ fileNumber }) => {
      this.#tables.forget(fileNumber);
      this.#held.release(fileNumber);
    });
  }

  /** The version that reads see. */
  get version(): number {
    return this.#current.version;
  }

  /** The value of `key`, or undefined. Throws `CORRUPTION` or `IO` when it cannot be read. */
  // oxlint-disable-next-line typescript/promise-function-async -- as `Store.get`
  get(key: Uint8Array, options?: ReadOptions): Promise<Uint8Array | undefined> {
    try {
      return Promise.resolve(this.getSync(key, options));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** As `get`, at once. */
  getSync(key: Uint8Array, options: ReadOptions = {}): Uint8Array | undefined {
    const current = this.#current;
    checkKey(key);
    refuseUnknownOptions(options, ["snapshot"], "get");
    return (options.snapshot === undefined ? current : this.#viewOf(options.snapshot, "get")).get(key);
  }

  /** The values of several keys, in their order. */
  getMany(keys: readonly Uint8Array[], options?: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    try {
      if (!Array.isArray(keys))
        throw new StillwaterError("INVALID_ARGUMENT", "getMany takes an array of keys.");
      return Promise.resolve(keys.map((key) => this.getSync(key, options)));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  /** The view of now, to be read after later refreshes too. Close it: it keeps files open. */
  snapshot(): Snapshot {
    return this.#current.snapshot();
  }

  /** The rows of a range, for `for…of` and `for await`. Each iteration begins with the view of that moment. */
  scan(options: ScanOptions = {}): Scan {
    this.#requireOpen();
    const range = iterationRange(options, "scan");
    const { snapshot } = options;
    return new Scan(
      () => this.#iterate(range, snapshot, "scan"),
      () => new Promise((resolve) => this.#scheduler.defer(resolve)),
    );
  }

  /** A cursor over a range, created at once; its view does not change. Close it. */
  iterator(options: ScanOptions = {}): StoreIterator {
    this.#requireOpen();
    return this.#iterate(iterationRange(options, "iterator"), options.snapshot, "iterator");
  }

  /**
   * Moves to the newest version and resolves with it: every commit that was acknowledged as durable before the call is in it.
   * On error the view stays what it was. Throws what `openReadOnly` throws, and `STORE_REPLACED` when the directory holds
   * another store, or the store has lost what could be read. Reads the manifest, new tables' ends, and the rest of the newest
   * log segment; of calls made at the same time the later ones share one load.
   */
  refresh(): Promise<number> {
    if (this.#closing !== null) return Promise.reject(closed(this.directory));
    this.#next ??= this.#running.then(() => {
      this.#next = null;
      return this.#load();
    });
    this.#running = this.#next.catch(() => undefined);
    return this.#next;
  }

  /** The tables of every level, as the view has them. For tools. */
  get levels(): readonly (readonly TableMeta[])[] {
    return this.#current.tree.levels;
  }

  stats(): ReadOnlyStats {
    const { version, tree, log } = this.#current;
    return {
      version,
      levels: tree.levels.map((tables) => ({
        tables: tables.length,
        bytes: tables.reduce((sum, table) => sum + table.bytes, 0),
        entries: tables.reduce((sum, table) => sum + table.entryCount, 0),
      })),
      memtableBytes: log.reduce((sum, image) => sum + image.usedBytes, 0),
      openSnapshots: [...this.#pinned].reduce((sum, view) => sum + view.snapshots.count, 0),
      openIterators: this.#iterators.size,
      cacheHits: this.#blocks.hits,
      cacheMisses: this.#blocks.misses,
      openTables: this.#tables.openTables,
      tableMemoryBytes: this.#tables.memoryBytes,
      logSegments: log.length,
      tornBytes: log.reduce((sum, image) => sum + image.tornBytes, 0),
      heldFiles: this.#held.count,
      refreshes: this.#refreshes,
    };
  }

  /** Closes open iterators and gives every file back. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    // A load under way ends at its next step, since the store is closing.
    await this.#running;
    for (const hold of this.#iterators) hold.close();
    this.#tables.close();
    this.#held.close();
  }

  get #current(): StoreView {
    this.#requireOpen();
    assert(this.#view !== null, "whoever has a reader has loaded a view");
    return this.#view;
  }

  #requireOpen(): void {
    if (this.#closing !== null) throw closed(this.directory);
  }

  async #load(): Promise<number> {
    const work = this.#loader.load();
    try {
      for (;;) {
        this.#requireOpen();
        const step = work.next();
        if (step.done === true) {
          const { manifest } = step.value;
          this.#versions.install(manifest.levels);
          this.#show(new StoreView(step.value, this.#versions.current, this.#tables, this.#pinned));
          return step.value.version;
        }
        await new Promise<void>((resolve) => this.#scheduler.defer(resolve));
      }
    } finally {
      // Gives back what a step has open.
      work.return(undefined as never);
      // Also what was opened on the way and turned out to be superseded.
      this.#held.keepOnly(this.#versions.liveTables());
    }
  }

  #show(view: StoreView): void {
    sometimes("read-only.view-outlives-refresh", this.#versions.heldCount > 1);
    this.#view = view;
    this.#views.set(view.snapshots, view);
    this.#refreshes++;
  }

  #iterate(range: IterationRange, snapshot: Snapshot | undefined, call: string): StoreIterator {
    const current = this.#current;
    const view = snapshot === undefined ? current : this.#viewOf(snapshot, call);
    const iterator = view.iterate(range, (done) => this.#iterators.delete(done));
    this.#iterators.add(iterator.hold);
    return iterator;
  }

  #viewOf(snapshot: Snapshot, call: string): StoreView {
    if (!(snapshot instanceof Snapshot)) {
      throw new StillwaterError("INVALID_ARGUMENT", `${call}: snapshot must come from store.snapshot().`);
    }
    const view = this.#views.get(snapshot.list) ?? this.#current;
    // Throws for a snapshot that is closed, or another store's.
    snapshot.versionIn(view.snapshots);
    return mutant("Y5-snapshot-reads-newest-view") ? this.#current : view;
  }
}

function closed(directory: string): StillwaterError {
  return new StillwaterError("CLOSED", "the reader is closed. Open it again.", { path: directory });
}
