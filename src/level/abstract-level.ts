/**
 * The classes of the package `abstract-level` that ours extend, with the private methods that the package calls and its own types
 * leave out (they declare the public interface alone). Loaded here and nowhere else, so that a missing package is one clear error.
 * Keys and values arrive encoded in one of the formats of the manifest; names with an underscore are the package's.
 */
import type {
  AbstractBatchOperation,
  AbstractBatchOptions,
  AbstractChainedBatch,
  AbstractClearOptions,
  AbstractDatabaseOptions,
  AbstractDelOptions,
  AbstractIterator,
  AbstractKeyIterator,
  AbstractLevel,
  AbstractPutOptions,
  AbstractSnapshot,
  AbstractValueIterator,
} from "abstract-level";
import { requireOptional } from "../platform/node/optional-package.js";

/** Keys and values as they arrive: text in the format `utf8`, bytes in `buffer` and `view`. */
export type Encoded = string | Uint8Array;
export type Format = "utf8" | "buffer" | "view";

export interface LevelReadOptions {
  readonly keyEncoding: Format;
  readonly valueEncoding: Format;
  readonly snapshot?: AbstractSnapshot | null;
}

export interface LevelWriteOptions {
  readonly sync?: unknown;
}

export interface LevelRangeOptions {
  readonly gt?: Encoded;
  readonly gte?: Encoded;
  readonly lt?: Encoded;
  readonly lte?: Encoded;
  readonly reverse: boolean;
  /** -1: none. */
  readonly limit: number;
  readonly snapshot?: AbstractSnapshot | null;
}

export interface LevelIteratorOptions extends LevelRangeOptions {
  readonly keys?: boolean;
  readonly values?: boolean;
  readonly keyEncoding: Format;
  readonly valueEncoding: Format;
  readonly signal?: AbortSignal | null;
}

export interface LevelBatchOperation {
  readonly type: "put" | "del";
  readonly key: Encoded;
  readonly value?: Encoded;
  /** Left over where it is none of this database. */
  readonly sublevel?: unknown;
}

/** A method may answer with what it promises, or with the value where that is there already. */
type Answer<T> = T | Promise<T>;

/** Of `put`, `del`, `batch`, `clear` and `batch().write()`. */
export interface StillwaterWriteOptions {
  /**
   * Whether the promise waits until the write is on the disk. Default: as the database's `durability` says, and that is true
   * unless it was opened with `buffered` or `none`.
   */
  readonly sync?: boolean;
}

/** The public writes with the option that is ours. */
interface LevelWrites<K, V> {
  put<A = K, B = V>(
    key: A,
    value: B,
    options: AbstractPutOptions<A, B> & StillwaterWriteOptions,
  ): Promise<void>;
  del<A = K>(key: A, options: AbstractDelOptions<A> & StillwaterWriteOptions): Promise<void>;
  batch<A = K, B = V>(
    operations: AbstractBatchOperation<AbstractLevel<Encoded, K, V>, A, B>[],
    options: AbstractBatchOptions<A, B> & StillwaterWriteOptions,
  ): Promise<void>;
  clear<A = K>(options: AbstractClearOptions<A> & StillwaterWriteOptions): Promise<void>;
}

interface LevelMethods<K, V> extends LevelWrites<K, V> {
  _open(options: Readonly<Record<string, unknown>>): Promise<void>;
  _close(): Promise<void>;
  _get(key: Encoded, options: LevelReadOptions): Answer<Encoded | undefined>;
  _getSync(key: Encoded, options: LevelReadOptions): Encoded | undefined;
  _getMany(keys: readonly Encoded[], options: LevelReadOptions): Answer<(Encoded | undefined)[]>;
  _has(key: Encoded, options: LevelReadOptions): Answer<boolean>;
  _hasMany(keys: readonly Encoded[], options: LevelReadOptions): Answer<boolean[]>;
  _put(key: Encoded, value: Encoded, options: LevelWriteOptions): Answer<void>;
  _del(key: Encoded, options: LevelWriteOptions): Answer<void>;
  _batch(operations: readonly LevelBatchOperation[], options: LevelWriteOptions): Answer<void>;
  _chainedBatch(): AbstractChainedBatch<AbstractLevel<Encoded, K, V>, K, V>;
  _clear(options: LevelRangeOptions): Answer<void>;
  _iterator(options: LevelIteratorOptions): AbstractIterator<AbstractLevel<Encoded, K, V>, K, V>;
  _keys(options: LevelIteratorOptions): AbstractKeyIterator<AbstractLevel<Encoded, K, V>, K>;
  _values(options: LevelIteratorOptions): AbstractValueIterator<AbstractLevel<Encoded, K, V>, K, V>;
  _snapshot(options: { readonly owner: unknown }): AbstractSnapshot;
}

interface IteratorMethods<Item> {
  _next(): Answer<Item | undefined>;
  _nextv(size: number, options: object): Answer<Item[]>;
  _all(options: object): Answer<Item[]>;
  _seek(target: Encoded, options: object): void;
  _close(): Promise<void>;
}

interface ChainedBatchMethods {
  _put(key: Encoded, value: Encoded, options: object): void;
  _del(key: Encoded, options: object): void;
  _clear(): void;
  _write(options: LevelWriteOptions): Answer<void>;
  _close(): Promise<void>;
}

export type EntryItem = [key: Encoded | undefined, value: Encoded | undefined];

interface Classes {
  readonly AbstractLevel: new <K, V>(
    manifest: object,
    options?: AbstractDatabaseOptions<K, V>,
  ) => AbstractLevel<Encoded, K, V> & LevelMethods<K, V>;
  readonly AbstractIterator: new <K, V>(
    database: object,
    options: LevelIteratorOptions,
  ) => AbstractIterator<AbstractLevel<Encoded, K, V>, K, V> & IteratorMethods<EntryItem>;
  readonly AbstractKeyIterator: new <K, V>(
    database: object,
    options: LevelIteratorOptions,
  ) => AbstractKeyIterator<AbstractLevel<Encoded, K, V>, K> & IteratorMethods<Encoded>;
  readonly AbstractValueIterator: new <K, V>(
    database: object,
    options: LevelIteratorOptions,
  ) => AbstractValueIterator<AbstractLevel<Encoded, K, V>, K, V> & IteratorMethods<Encoded>;
  readonly AbstractChainedBatch: new <K, V>(
    database: object,
  ) => AbstractChainedBatch<AbstractLevel<Encoded, K, V>, K, V> & ChainedBatchMethods;
  readonly AbstractSnapshot: new (options: {
    readonly owner: unknown;
  }) => AbstractSnapshot & { _close(): Promise<void> };
}

const classes = requireOptional(
  "abstract-level",
  "stillwater/level builds on",
  "abstract-level@3",
) as Classes;

export const AbstractLevelBase = classes.AbstractLevel;
export const AbstractIteratorBase = classes.AbstractIterator;
export const AbstractKeyIteratorBase = classes.AbstractKeyIterator;
export const AbstractValueIteratorBase = classes.AbstractValueIterator;
export const AbstractChainedBatchBase = classes.AbstractChainedBatch;
export const AbstractSnapshotBase = classes.AbstractSnapshot;
