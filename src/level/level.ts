/**
 * The store behind the interface of Level (abstract-level 3), so that everything built on Level runs on it. Each call of the private
 * interface is one call of the store; answers that need no waiting come without a promise of their own.
 *
 * Promise: a batch is one commit, whatever sublevels it spans; so is a `clear`. Reads, iterators and snapshots show the moment of
 * their call. A write that is not told otherwise is on the disk when its promise resolves (classic-level: when it is in the page
 * cache). Errors carry Level's codes and the store's error as their cause.
 *
 * Does not own: sublevels, events, hooks, deferred calls, encodings (the package's), the store's guarantees.
 */
import type { AbstractChainedBatch, AbstractLevel, AbstractSnapshot } from "abstract-level";
import { Batch } from "../engine/batch.js";
import type { Snapshot } from "../engine/snapshots.js";
import { Store } from "../engine/store.js";
import type { Platform } from "../platform/platform.js";
import { mutant } from "../platform/probes.js";
import {
  AbstractLevelBase,
  type Encoded,
  type LevelBatchOperation,
  type LevelIteratorOptions,
  type LevelRangeOptions,
  type LevelReadOptions,
  type LevelWriteOptions,
} from "./abstract-level.js";
import { ChainedBatch, requireOwn } from "./chained-batch.js";
import { inFormat, Scratch } from "./encoded.js";
import { levelError, notOpen, throwLevelError } from "./errors.js";
import { EntryIterator, KeyIterator, ValueIterator } from "./iterators.js";
import { makeParents } from "./location.js";
import { durabilityOf, type StillwaterLevelOptions, storeOptionsOf } from "./options.js";
import { deleteRange, keyRange, scanOptions } from "./range.js";
import { pinnedBy, StillwaterSnapshot } from "./snapshot.js";

/** What a database is made over: a place to open a store at, or an open store that is somebody else's. */
export type LevelSource =
  | { readonly location: string; readonly platform: Platform }
  | { readonly store: LevelStore };

/** What is used of a store. */
export type LevelStore = Pick<
  Store,
  | "platform"
  | "directory"
  | "getSync"
  | "write"
  | "iterator"
  | "snapshot"
  | "approximateBytes"
  | "compact"
  | "close"
>;

export class LevelOverStore<K = string, V = string> extends AbstractLevelBase<K, V> {
  readonly #source: LevelSource;
  #store: LevelStore | null = null;
  /** Reused: the store copies a batch at the call. */
  readonly #batch = new Batch();
  readonly #keys = new Scratch();
  readonly #values = new Scratch();

  constructor(source: LevelSource, options: StillwaterLevelOptions<K, V>) {
    const { platform: _, ...forwarded } = options;
    storeOptionsOf(forwarded as Readonly<Record<string, unknown>>);
    const opensIt = "location" in source;
    const { vfs } = opensIt ? source.platform : source.store.platform;
    super(
      {
        encodings: { buffer: true, utf8: true, view: true },
        has: true,
        getSync: true,
        createIfMissing: opensIt,
        errorIfExists: opensIt,
        explicitSnapshots: true,
        permanence: vfs.capabilities.permanence,
        signals: { iterators: true },
        additionalMethods: { approximateSize: true, compactRange: true },
      },
      forwarded,
    );
    this.#source = source;
  }

  /** The directory of the store. */
  get location(): string {
    return "location" in this.#source ? this.#source.location : this.#source.store.directory;
  }

  /** The store beneath, for what Level has no words for: `stats`, `checkpoint`, `verify`. Throws while it is not open. */
  get store(): Store {
    return this.#storeFor("store") as Store; // who gives less than a store, as the simulator does, asks for no more
  }

  override async _open(options: Readonly<Record<string, unknown>>): Promise<void> {
    if ("store" in this.#source) {
      this.#store = this.#source.store;
      return;
    }
    const { location, platform } = this.#source;
    const storeOptions = storeOptionsOf(options);
    try {
      if (storeOptions.createIfMissing !== false) makeParents(platform.vfs, location);
      this.#store = await Store.open(location, storeOptions, platform);
    } catch (error) {
      throw levelError(error);
    }
  }

  /** The store is closed even where this fails, so the next call of `close()` succeeds. */
  override async _close(): Promise<void> {
    const store = this.#store;
    this.#store = null;
    if (store !== null && "location" in this.#source) await store.close().catch(throwLevelError);
  }

  override _get(key: Encoded, options: LevelReadOptions): Encoded | undefined {
    return this._getSync(key, options);
  }

  override _getSync(key: Encoded, options: LevelReadOptions): Encoded | undefined {
    const store = this.#storeFor("get");
    return this.#read(store, key, options, pinnedBy(options.snapshot, store));
  }

  override _getMany(keys: readonly Encoded[], options: LevelReadOptions): (Encoded | undefined)[] {
    const store = this.#storeFor("getMany");
    const snapshot = pinnedBy(options.snapshot, store);
    return keys.map((key) => this.#read(store, key, options, snapshot));
  }

  override _has(key: Encoded, options: LevelReadOptions): boolean {
    const store = this.#storeFor("has");
    return this.#bytes(store, key, pinnedBy(options.snapshot, store)) !== undefined;
  }

  override _hasMany(keys: readonly Encoded[], options: LevelReadOptions): boolean[] {
    const store = this.#storeFor("hasMany");
    const snapshot = pinnedBy(options.snapshot, store);
    return keys.map((key) => this.#bytes(store, key, snapshot) !== undefined);
  }

  override _put(key: Encoded, value: Encoded, options: LevelWriteOptions): Promise<void> {
    const batch = this.#emptyBatch();
    this.#add(() => batch.put(this.#keys.bytesOf(key), this.#values.bytesOf(value)));
    return this.#commit(batch, options, "put");
  }

  override _del(key: Encoded, options: LevelWriteOptions): Promise<void> {
    const batch = this.#emptyBatch();
    this.#add(() => batch.delete(this.#keys.bytesOf(key)));
    return this.#commit(batch, options, "del");
  }

  override _batch(operations: readonly LevelBatchOperation[], options: LevelWriteOptions): Promise<void> {
    if (operations.length > 1 && mutant("A1-batch-in-two-commits")) {
      const first = this._batch(operations.slice(0, 1), options);
      return first.then(() => this._batch(operations.slice(1), options));
    }
    const batch = this.#emptyBatch();
    this.#add(() => {
      for (const { type, key, value, sublevel } of operations) {
        requireOwn(sublevel);
        const keyBytes = this.#keys.bytesOf(key);
        if (type === "del") batch.delete(keyBytes);
        else batch.put(keyBytes, this.#values.bytesOf(value as Encoded)); // the package refuses a put without one
      }
    });
    return this.#commit(batch, options, "batch");
  }

  override _chainedBatch(): AbstractChainedBatch<AbstractLevel<Encoded, K, V>, K, V> {
    return new ChainedBatch<K, V>(this, (batch, options) => this.#commit(batch, options, "batch"));
  }

  /**
   * One commit. Without a limit and a snapshot it costs one small entry, however many keys there are; with one, the keys are
   * looked up first, and must fit into one batch (`LEVEL_INVALID_BATCH`).
   */
  override _clear(options: LevelRangeOptions & LevelWriteOptions): Promise<void> {
    const store = this.#storeFor("clear");
    const batch = this.#emptyBatch();
    const given = pinnedBy(options.snapshot, store);
    this.#add(() => {
      if (given === undefined && options.limit < 0) deleteRange(store, batch, options);
      else deleteRows(store, batch, options, given);
    });
    return this.#commit(batch, options, "clear");
  }

  override _iterator(options: LevelIteratorOptions): EntryIterator<K, V> {
    return new EntryIterator<K, V>(this, this.#storeFor("iterator"), options);
  }

  override _keys(options: LevelIteratorOptions): KeyIterator<K, V> {
    return new KeyIterator<K, V>(this, this.#storeFor("keys"), options);
  }

  override _values(options: LevelIteratorOptions): ValueIterator<K, V> {
    return new ValueIterator<K, V>(this, this.#storeFor("values"), options);
  }

  override _snapshot(options: { readonly owner: unknown }): AbstractSnapshot {
    return new StillwaterSnapshot(this.#storeFor("snapshot"), options.owner);
  }

  /** Bytes that the keys from `start` up to `end` take on disk, about; see `Store.approximateBytes`. */
  approximateSize(start: K, end: K): Promise<number>;
  approximateSize<T = K>(start: T, end: T, options: { readonly keyEncoding?: string }): Promise<number>;
  async approximateSize(
    start: unknown,
    end: unknown,
    options?: { readonly keyEncoding?: string },
  ): Promise<number> {
    const range = this.#rangeOf("approximateSize", start, end, options);
    if (this.status === "opening") await this.deferAsync(() => Promise.resolve());
    try {
      return this.#storeFor("approximateSize").approximateBytes(range);
    } catch (error) {
      throw levelError(error);
    }
  }

  /** Compacts what holds the keys from `start` up to `end`, so that deleted and overwritten ones take no space; see `Store.compact`. */
  compactRange(start: K, end: K): Promise<void>;
  compactRange<T = K>(start: T, end: T, options: { readonly keyEncoding?: string }): Promise<void>;
  async compactRange(
    start: unknown,
    end: unknown,
    options?: { readonly keyEncoding?: string },
  ): Promise<void> {
    const range = this.#rangeOf("compactRange", start, end, options);
    if (this.status === "opening") await this.deferAsync(() => Promise.resolve());
    await this.#storeFor("compactRange").compact(range).catch(throwLevelError);
  }

  #rangeOf(call: string, start: unknown, end: unknown, options: { readonly keyEncoding?: string } = {}) {
    if (start === undefined || end === undefined)
      throw new TypeError(`The arguments 'start' and 'end' of ${call}() are required`);
    const encoding = this.keyEncoding(options.keyEncoding as "utf8"); // or any other name; the package refuses unknown ones
    return keyRange(encoding.encode(start as string), encoding.encode(end as string));
  }

  #storeFor(call: string): LevelStore {
    if (this.#store === null) throw notOpen(call);
    return this.#store;
  }

  #read(
    store: LevelStore,
    key: Encoded,
    options: LevelReadOptions,
    snapshot: Snapshot | undefined,
  ): Encoded | undefined {
    const bytes = this.#bytes(store, key, snapshot);
    return bytes === undefined ? undefined : inFormat(bytes, options.valueEncoding);
  }

  #bytes(store: LevelStore, key: Encoded, snapshot: Snapshot | undefined): Uint8Array | undefined {
    try {
      const bytes = this.#keys.bytesOf(key);
      return snapshot === undefined ? store.getSync(bytes) : store.getSync(bytes, { snapshot });
    } catch (error) {
      throw levelError(error);
    }
  }

  #emptyBatch(): Batch {
    this.#batch.clear();
    return this.#batch;
  }

  #add(add: () => void): void {
    try {
      add();
    } catch (error) {
      throw levelError(error);
    }
  }

  #commit(batch: Batch, { sync }: LevelWriteOptions, call: string): Promise<void> {
    const written = this.#storeFor(call).write(batch, durabilityOf(sync));
    if (mutant("A7-write-answered-at-once")) {
      written.catch(nothing);
      return Promise.resolve();
    }
    return written.then(nothing, throwLevelError);
  }
}

function nothing(): void {}

/** Deletes by key what a limited clear, or one of a snapshot, is to remove. */
function deleteRows(
  store: LevelStore,
  batch: Batch,
  options: LevelRangeOptions,
  snapshot: Snapshot | undefined,
): void {
  const limit = options.limit < 0 ? {} : { limit: options.limit };
  const reverse = options.reverse && !mutant("A6-limited-clear-always-forward");
  const iterator = store.iterator({ ...scanOptions(options, snapshot), reverse, ...limit });
  try {
    while (iterator.next()) batch.delete(iterator.key);
  } finally {
    iterator.close();
  }
}
