/**
 * The interface of transactions, whatever is below: FoundationDB's model in TypeScript. Strictly serializable by optimistic
 * concurrency: a transaction reads one version, remembers what it read and wrote, and commits only if nothing it read was
 * written meanwhile. Nothing here knows of a backend; `buffered-transaction.ts` implements it over any storage with
 * versions, and a client of a FoundationDB cluster can implement it directly.
 *
 * Keys and values are bytes; keys order by unsigned byte. Versions are safe integers: FoundationDB counts about a million
 * a second, which lasts for 285 years.
 */
import type { MetricsSnapshot } from "../metrics/snapshot.js";
import type { AtomicOperation } from "./atomic.js";
import type { KeySelector } from "./key-selector.js";
import type { TransactionOptions } from "./options.js";

/** A key and its value. */
export type KeyValue = readonly [key: Uint8Array, value: Uint8Array];

/** How much a range read fetches at a time. A hint: it changes no result. FoundationDB's names. */
export type StreamingMode = "wantAll" | "iterator" | "exact" | "small" | "medium" | "large" | "serial";

/** Which rows of a range, and from which end. */
export interface RangeOptions {
  /** At most so many rows; unlimited by default. */
  readonly limit?: number;
  /** From the end to the begin. */
  readonly reverse?: boolean;
  readonly streamingMode?: StreamingMode;
}

/** The end of a range is exclusive. A key stands for the first key at or after it. */
export type RangeBound = Uint8Array | KeySelector;

/** Reads at the version of the transaction, which is taken by the first of them. */
export interface ReadTransaction {
  /** `undefined` when the key is not there. Throws `ACCESSED_UNREADABLE` for what the commit's versionstamp decides. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** The key that the selector finds; the empty key before the first, 0xFF after the last. */
  getKey(selector: KeySelector): Promise<Uint8Array>;
  /**
   * Rows of [begin, end) as they are read. What the transaction writes meanwhile ahead of them shows, unless the backend
   * has read on so far already. Leaving the loop early ends the read, and what was not read cannot conflict. No rows where
   * the end is not above the begin.
   */
  getRange(begin: RangeBound, end: RangeBound, options?: RangeOptions): AsyncIterable<KeyValue>;
  getRangeAll(begin: RangeBound, end: RangeBound, options?: RangeOptions): Promise<KeyValue[]>;
  getReadVersion(): Promise<number>;
}

/** Tells of a change of one key's value. */
export interface Watch {
  /**
   * Resolves once the key's value is no longer what the transaction saw when it asked for the watch: a write of its own
   * after that counts as well. A value that changes and changes back may go unnoticed.
   */
  readonly changed: Promise<void>;
  /** Ends it; `changed` rejects with `OPERATION_CANCELLED`. */
  cancel(): void;
}

export interface Transaction extends ReadTransaction {
  /** The same reads without conflicts: another commit may change what they saw. They see this transaction's writes. */
  readonly snapshot: ReadTransaction;

  set(key: Uint8Array, value: Uint8Array): void;
  clear(key: Uint8Array): void;
  /** Removes every key of [begin, end). */
  clearRange(begin: Uint8Array, end: Uint8Array): void;
  /** Changes a value without reading it, so that two such changes never conflict with each other. */
  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void;
  /** The ten bytes of `key` at `offset` become the versionstamp of the commit. */
  setVersionstampedKey(key: Uint8Array, offset: number, value: Uint8Array): void;
  /** The ten bytes of `value` at `offset` become the versionstamp of the commit. */
  setVersionstampedValue(key: Uint8Array, value: Uint8Array, offset: number): void;

  /**
   * As if [begin, end) had been read: whoever writes there before this commits makes it fail. As with a read, not on keys
   * that the transaction has set or cleared before, unless `readYourWrites` is off.
   */
  addReadConflictRange(begin: Uint8Array, end: Uint8Array): void;
  addReadConflictKey(key: Uint8Array): void;
  /** As if [begin, end) had been written: who has read there and commits later fails. */
  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void;
  addWriteConflictKey(key: Uint8Array): void;
  /** The next write makes no reader fail: it does not count as one. For keys whose readers do not care what is written. */
  skipNextWriteConflict(): void;

  /** Reads the key now, with a conflict. Waits from the commit on; fails with what the commit fails with. */
  watch(key: Uint8Array): Watch;

  /** Reads at this version instead of the newest. Before any read. */
  setReadVersion(version: number): void;
  setOptions(options: TransactionOptions): void;

  /**
   * Makes all writes durable and visible at once, or none. Waits for outstanding reads; a read that failed, other than by
   * its arguments, fails the commit as well. Using the transaction before the commit is done fails both, with
   * `USED_DURING_COMMIT`; then it may or may not have committed. Rejects with `NOT_COMMITTED` when something read was written
   * meanwhile, `COMMIT_UNKNOWN_RESULT` when no answer came. Without writes it succeeds without asking anybody.
   */
  commit(): Promise<void>;
  /**
   * Says what to do about an error of this transaction: waits and resets it when trying again may help, otherwise cancels
   * it and rejects with the error.
   */
  onError(error: unknown): Promise<void>;
  /** Everything is forgotten but the options of the database; outstanding reads fail with `TRANSACTION_CANCELLED`. */
  reset(): void;
  /** Every later call, and every outstanding one, fails with `TRANSACTION_CANCELLED`. */
  cancel(): void;

  /** The version of the commit; −1 for one that wrote nothing. Throws `NO_COMMIT_VERSION` before. */
  getCommittedVersion(): number;
  /** Ten bytes, once committed. Do not await it inside the transaction: it would never commit. */
  getVersionstamp(): Promise<Uint8Array>;
  /** Bytes of mutations and conflict ranges so far. */
  getApproximateSize(): number;
  /** After `NOT_COMMITTED`: the read ranges that were written meanwhile. */
  getConflictingRanges(): readonly (readonly [begin: Uint8Array, end: Uint8Array])[];
}

/** Transactions, whatever is below. */
export interface Database extends AsyncDisposable {
  createTransaction(options?: TransactionOptions): Transaction;
  /**
   * Runs `body` in a transaction and commits it, again from the start as long as it fails for a reason that passes. So
   * `body` may run several times and must do nothing outside the transaction. Resolves with what it returned.
   */
  transact<T>(body: (transaction: Transaction) => Promise<T> | T, options?: TransactionOptions): Promise<T>;
  /** As `transact`, for bodies that only read: nothing is committed. */
  read<T>(body: (transaction: ReadTransaction) => Promise<T> | T, options?: TransactionOptions): Promise<T>;
  /** What it has counted since it was opened. Absent where nothing counts. */
  metrics?(): MetricsSnapshot;
  close(): Promise<void>;
}
