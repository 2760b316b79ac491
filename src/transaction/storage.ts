/**
 * What a storage must offer for `BufferedTransaction` to run on it: views of one version each, and a commit that checks and
 * applies at once. The seam between the transaction model and the engine, etcd and the like; never seen by users.
 */
import type { ResolvedTransactionOptions } from "./options.js";
import type { RangeSet } from "./range-set.js";
import type { KeyValue } from "./transaction.js";
import type { WriteBuffer } from "./write-buffer.js";

/** An answer that is there at once, or later: storage in memory costs no promise. */
export type Answer<T> = T | Promise<T>;

/** A fixed view of the storage at one version. Close it, or old versions pile up. */
export interface StorageView {
  readonly version: number;
  get(key: Uint8Array): Answer<Uint8Array | undefined>;
  /** Rows of [begin, end), ascending, or descending with `reverse`. Close the cursor. */
  rows(begin: Uint8Array, end: Uint8Array, reverse: boolean): RowCursor;
  /** The same all at once, `limit` of them at most; where that is cheaper than a cursor. */
  readonly readRows?: (begin: Uint8Array, end: Uint8Array, reverse: boolean, limit: number) => KeyValue[];
  close(): void;
}

export interface RowCursor {
  /** Null at the end. The arrays stay valid. */
  next(): Answer<KeyValue | null>;
  /**
   * The key of the row that came last, as text, also once closed: the row itself is the caller's, who may have changed it. Null
   * before the first, and when reading on has failed.
   */
  lastKey(): string | null;
  close(): void;
}

export interface CommitRequest {
  /** The version that was read; null when nothing was, so that nothing can conflict. */
  readonly readVersion: number | null;
  /**
   * What was read from, at that version; null when nothing was. It may remember what it has told: a storage that checks key by
   * key needs to know which keys there were.
   */
  readonly view: StorageView | null;
  readonly readConflicts: RangeSet;
  readonly writeConflicts: RangeSet;
  readonly writes: WriteBuffer;
  readonly options: ResolvedTransactionOptions;
}

export interface CommitResult {
  readonly version: number;
  /** Ten bytes. */
  readonly versionstamp: Uint8Array;
}

/** Thrown by `commit` for a conflict: which of the read ranges were written, if the options ask for it. */
export type ConflictingRanges = readonly (readonly [begin: string, end: string])[];

export interface StorageWatch {
  readonly changed: Promise<void>;
  cancel(): void;
}

export interface TransactionStorage {
  /** A view of the newest version costs next to nothing, so that nobody gains by reading an older one. */
  readonly hasFreeVersions?: boolean;
  /** Nobody else can commit to it: what has been seen through this object is all there is. */
  readonly isExclusive?: boolean;
  /** A view of everything that is committed when it is asked for, or of an earlier `version`. */
  openView(version: number | null): Answer<StorageView>;
  /** All or nothing. Rejects with `NOT_COMMITTED`, `TRANSACTION_TOO_OLD`, `COMMIT_UNKNOWN_RESULT` and errors of the storage. */
  commit(request: CommitRequest): Promise<CommitResult>;
  /** Resolves when the key's value is not `value` any more, as of some version after `version`. */
  watch(key: Uint8Array, value: Uint8Array | undefined, version: number): StorageWatch;
}
