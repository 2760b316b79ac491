/**
 * A transaction of a FoundationDB cluster behind our interface. The cluster and its client do the work: own writes in reads,
 * conflicts, retries, limits of time. What is checked here is what the client would notice only at the commit, so that a
 * misuse fails at its call as on every other backend.
 */
import { ATOMIC_OPERATIONS, type AtomicOperation } from "../../transaction/atomic.js";
import { TransactionError } from "../../transaction/errors.js";
import type { KeySelector } from "../../transaction/key-selector.js";
import {
  ALL_KEYS_END,
  checkKey,
  checkRange,
  checkReadKey,
  checkValue,
  USER_KEYS_END,
} from "../../transaction/limits.js";
import {
  type ResolvedTransactionOptions,
  resolveTransactionOptions,
  type TransactionOptions,
} from "../../transaction/options.js";
import type {
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
  Transaction,
  Watch,
} from "../../transaction/transaction.js";
import { type FdbTransaction, MUTATION, OPTION } from "./client.js";
import { conflictingRanges } from "./conflicting-ranges.js";
import { translated } from "./errors.js";
import { applyOptions, checkSupported } from "./options.js";
import { answered, bufferOf, FoundationReads, type ReadingTransaction } from "./reads.js";
import { versionBytes, versionOf } from "./versions.js";
import { FoundationWatch } from "./watch.js";

/** Failed: the commit has, and until a reset nothing else is legal, a cancel included. */
type State = "active" | "committing" | "failed" | "committed" | "cancelled";

/** Counted beside the bytes of a mutation and of a conflict range, about as FoundationDB's client does. */
const MUTATION_OVERHEAD_BYTES = 28;
const RANGE_OVERHEAD_BYTES = 24;
const VERSIONSTAMP_BYTES = 10;

export class FoundationTransaction implements Transaction, ReadingTransaction {
  readonly snapshot: ReadTransaction;
  readonly #native: FdbTransaction;
  readonly #reads: ReadTransaction;
  readonly #defaults: ResolvedTransactionOptions;
  #options: ResolvedTransactionOptions;
  #state: State = "active";
  #hasReadVersion = false;
  #tries = 1;
  #sizeBytes = 0;
  /** An operation came while it was committing, so the commit fails as well. */
  #isUsedDuringCommit = false;
  #watches: FoundationWatch[] = [];
  readonly #living: Set<FoundationWatch>;
  #conflicts: readonly (readonly [begin: Uint8Array, end: Uint8Array])[] = [];

  /** `living`: watches of the database that are not over. */
  constructor(
    native: FdbTransaction,
    defaults: ResolvedTransactionOptions,
    options: TransactionOptions,
    living: Set<FoundationWatch>,
  ) {
    this.#native = native;
    this.#defaults = defaults;
    this.#living = living;
    this.#options = resolveTransactionOptions(defaults, options);
    checkSupported(this.#options);
    this.#reads = new FoundationReads(this, false);
    this.snapshot = new FoundationReads(this, true);
    applyOptions(native, this.#options);
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#reads.get(key);
  }

  getKey(selector: KeySelector): Promise<Uint8Array> {
    return this.#reads.getKey(selector);
  }

  getRange(begin: RangeBound, end: RangeBound, options?: RangeOptions): AsyncIterable<KeyValue> {
    return this.#reads.getRange(begin, end, options);
  }

  getRangeAll(begin: RangeBound, end: RangeBound, options?: RangeOptions): Promise<KeyValue[]> {
    return this.#reads.getRangeAll(begin, end, options);
  }

  getReadVersion(): Promise<number> {
    return this.#reads.getReadVersion();
  }

  set(key: Uint8Array, value: Uint8Array): void {
    const native = this.#use();
    checkKey(key, this.keysEnd);
    checkValue(value);
    this.#count(mutationBytes(key, value));
    native.set(bufferOf(key), bufferOf(value));
  }

  clear(key: Uint8Array): void {
    const native = this.#use();
    checkReadKey(key, this.keysEnd);
    this.#count(mutationBytes(key));
    native.clear(bufferOf(key));
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    const native = this.#use();
    checkRange(begin, end, this.keysEnd);
    this.#count(MUTATION_OVERHEAD_BYTES + 2 * (begin.length + end.length) + RANGE_OVERHEAD_BYTES);
    native.clearRange(bufferOf(begin), bufferOf(end));
  }

  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void {
    const native = this.#use();
    if (!Object.hasOwn(ATOMIC_OPERATIONS, operation)) {
      throw new TransactionError(
        "INVALID_MUTATION_TYPE",
        `there is no atomic operation "${String(operation)}". Known: ${Object.keys(ATOMIC_OPERATIONS).join(", ")}.`,
      );
    }
    checkKey(key, this.keysEnd);
    checkValue(operand);
    this.#count(mutationBytes(key, operand));
    native.atomicOp(ATOMIC_OPERATIONS[operation], bufferOf(key), bufferOf(operand));
  }

  setVersionstampedKey(key: Uint8Array, offset: number, value: Uint8Array): void {
    const native = this.#use();
    checkKey(key, this.keysEnd);
    checkValue(value);
    this.#count(mutationBytes(key, value));
    native.atomicOp(MUTATION.setVersionstampedKey, withOffset(key, offset), bufferOf(value));
  }

  setVersionstampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    const native = this.#use();
    checkKey(key, this.keysEnd);
    checkValue(value);
    this.#count(mutationBytes(key, value));
    native.atomicOp(MUTATION.setVersionstampedValue, bufferOf(key), withOffset(value, offset));
  }

  addReadConflictRange(begin: Uint8Array, end: Uint8Array): void {
    const native = this.#use();
    this.#countRange(begin, end);
    native.addReadConflictRange(bufferOf(begin), bufferOf(end));
  }

  addReadConflictKey(key: Uint8Array): void {
    this.addReadConflictRange(key, keyAfter(key));
  }

  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void {
    const native = this.#use();
    this.#countRange(begin, end);
    native.addWriteConflictRange(bufferOf(begin), bufferOf(end));
  }

  addWriteConflictKey(key: Uint8Array): void {
    this.addWriteConflictRange(key, keyAfter(key));
  }

  skipNextWriteConflict(): void {
    this.#use().setOption(OPTION.nextWriteNoWriteConflictRange, null);
  }

  watch(key: Uint8Array): Watch {
    const native = this.#use();
    checkKey(key, this.keysEnd);
    if (!this.#options.readYourWrites) {
      throw new TransactionError(
        "WATCHES_DISABLED",
        "a watch compares with what the transaction leaves under the key, so it needs readYourWrites.",
      );
    }
    const watch = new FoundationWatch(native.watch(bufferOf(key), false));
    this.#watches.push(watch);
    const over = (): void => {
      this.#living.delete(watch);
    };
    this.#living.add(watch);
    watch.changed.then(over, over);
    return watch;
  }

  setReadVersion(version: number): void {
    const native = this.#use();
    if (!Number.isSafeInteger(version) || version < 0) {
      throw new TransactionError(
        "VERSION_INVALID",
        `${version} is no version: a whole number of at least 0.`,
      );
    }
    if (this.#hasReadVersion) {
      throw new TransactionError("READ_VERSION_ALREADY_SET", "the transaction reads at a version already.");
    }
    this.#hasReadVersion = true;
    native.setReadVersion(versionBytes(version));
  }

  setOptions(options: TransactionOptions): void {
    const resolved = resolveTransactionOptions(this.#options, options);
    checkSupported(resolved);
    applyOptions(this.#native, resolved, this.#options);
    this.#options = resolved;
  }

  async commit(): Promise<void> {
    const native = this.#use();
    this.#state = "committing";
    try {
      await native.commit();
    } catch (error) {
      if (this.#state === "committing") this.#state = "failed";
      if (this.#isUsedDuringCommit) throw usedDuringCommit();
      const ours = translated(error);
      if (isConflict(ours) && this.#options.reportConflictingRanges) {
        this.#conflicts = await answered(conflictingRanges(native));
      }
      throw ours;
    }
    if (this.#isUsedDuringCommit) throw usedDuringCommit();
    if (this.#state === "committing") this.#state = "committed";
  }

  async onError(error: unknown): Promise<void> {
    // What is no error of ours is told as it is.
    if (this.#state === "cancelled" && error instanceof TransactionError) throw cancelled();
    const mayRepeat =
      error instanceof TransactionError &&
      error.retryable &&
      (!error.maybeCommitted || this.#options.idempotent);
    if (!mayRepeat) {
      this.cancel();
      throw error;
    }
    try {
      await answered(this.#native.onError(error.fdbCode));
    } catch (final) {
      this.cancel();
      throw final;
    }
    this.#begin();
    applyOptions(this.#native, this.#options);
  }

  reset(): void {
    this.#native.reset();
    this.#options = this.#defaults;
    this.#begin();
    applyOptions(this.#native, this.#options);
  }

  cancel(): void {
    this.#native.cancel();
    // Watches of a transaction that has committed live on.
    if (this.#state !== "committed") {
      for (const watch of this.#watches) watch.fail(cancelled());
    }
    if (this.#state !== "failed") this.#state = "cancelled";
  }

  getCommittedVersion(): number {
    if (this.#state !== "committed") {
      throw new TransactionError(
        "NO_COMMIT_VERSION",
        "the transaction has no version before it has committed.",
      );
    }
    return versionOf(this.#native.getCommittedVersion());
  }

  async getVersionstamp(): Promise<Uint8Array> {
    return new Uint8Array(await answered(this.#use().getVersionstamp()));
  }

  getApproximateSize(): number {
    return this.#sizeBytes;
  }

  getConflictingRanges(): readonly (readonly [begin: Uint8Array, end: Uint8Array])[] {
    return this.#conflicts;
  }

  // For `FoundationReads`.

  get keysEnd(): Uint8Array {
    return this.#options.accessSystemKeys ? ALL_KEYS_END : USER_KEYS_END;
  }

  get tries(): number {
    return this.#tries;
  }

  useForRead(): FdbTransaction {
    const native = this.#use();
    this.#hasReadVersion = true;
    return native;
  }

  /** The native transaction, if calls are legal now. */
  #use(): FdbTransaction {
    if (this.#state === "active") return this.#native;
    if (this.#state === "cancelled") throw cancelled();
    if (this.#state === "committing") this.#isUsedDuringCommit = true;
    throw usedDuringCommit();
  }

  /** The cluster's client counts for itself, and refuses the commit. */
  #count(bytes: number): void {
    this.#sizeBytes += bytes;
  }

  #countRange(begin: Uint8Array, end: Uint8Array): void {
    checkRange(begin, end, this.keysEnd);
    this.#count(begin.length + end.length + RANGE_OVERHEAD_BYTES);
  }

  #begin(): void {
    this.#tries++;
    this.#state = "active";
    this.#isUsedDuringCommit = false;
    this.#hasReadVersion = false;
    this.#sizeBytes = 0;
    this.#watches = [];
    this.#conflicts = [];
  }
}

function mutationBytes(key: Uint8Array, value?: Uint8Array): number {
  return MUTATION_OVERHEAD_BYTES + 3 * key.length + 1 + (value?.length ?? 0) + RANGE_OVERHEAD_BYTES;
}

function keyAfter(key: Uint8Array): Uint8Array {
  const after = new Uint8Array(key.length + 1);
  after.set(key);
  return after;
}

/** The bytes with the place of the versionstamp behind them, 4 bytes, little-endian: what the client takes since API 520. */
function withOffset(bytes: Uint8Array, offset: number): Buffer {
  if (!Number.isSafeInteger(offset) || offset < 0 || offset + VERSIONSTAMP_BYTES > bytes.length) {
    throw new TransactionError(
      "CLIENT_INVALID_OPERATION",
      `the ten bytes of a versionstamp do not fit at offset ${offset} of ${bytes.length} bytes.`,
    );
  }
  const place = Buffer.alloc(4);
  place.writeUInt32LE(offset);
  return Buffer.concat([bytes, place]);
}

function isConflict(error: unknown): boolean {
  return error instanceof TransactionError && error.code === "NOT_COMMITTED";
}

function usedDuringCommit(): TransactionError {
  return new TransactionError(
    "USED_DURING_COMMIT",
    "the transaction is committing or has committed. Reset it, or begin another.",
  );
}

function cancelled(): TransactionError {
  return new TransactionError("TRANSACTION_CANCELLED", "the transaction does not go on: it was cancelled.");
}
