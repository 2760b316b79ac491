/**
 * A transaction of the reference database: a read version, a list of mutations in the order in which they were made, and
 * lists of what was read and written. Owns which calls are legal when. Reads are in `reference-reads.ts`, what mutations
 * do in `replay.ts`, and who may commit is the database's.
 */
import type { Timer } from "../../../src/platform/platform.js";
import { ATOMIC_OPERATIONS, type AtomicOperation } from "../../../src/transaction/atomic.js";
import { TransactionError } from "../../../src/transaction/errors.js";
import type { KeySelector } from "../../../src/transaction/key-selector.js";
import {
  ALL_KEYS_END,
  checkKey,
  checkRange,
  checkReadKey,
  checkValue,
  KEY_BYTES_MAX,
  TRANSACTION_LIFETIME_MS,
  USER_KEYS_END,
  WATCHES_MAX,
} from "../../../src/transaction/limits.js";
import {
  type ResolvedTransactionOptions,
  resolveTransactionOptions,
  type TransactionOptions,
} from "../../../src/transaction/options.js";
import { Backoff } from "../../../src/transaction/retry.js";
import type {
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
  Transaction,
  Watch,
} from "../../../src/transaction/transaction.js";
import { type KeyRange, rangeOfKey } from "./key-ranges.js";
import { ReferenceAttempt } from "./reference-attempt.js";
import type { CommittedState, ReferenceDatabase } from "./reference-database.js";
import { type ReadingReference, ReferenceReads } from "./reference-reads.js";
import { ReferenceWatch } from "./reference-watch.js";
import {
  bytesOf,
  checkStampOffset,
  type Mutation,
  type OwnView,
  ownView,
  STAMP_BYTES,
  stamped,
  textOf,
  textRange,
} from "./replay.js";

export class ReferenceTransaction implements Transaction, ReadingReference {
  readonly snapshot: ReadTransaction;
  readonly #database: ReferenceDatabase;
  readonly #reads: ReferenceReads;
  readonly #backoff: Backoff;
  #options: ResolvedTransactionOptions;
  #attempt: ReferenceAttempt;
  #beganMs: number | null = null;
  #timer: Timer | null = null;

  constructor(database: ReferenceDatabase, options: TransactionOptions) {
    this.#database = database;
    this.#options = resolveTransactionOptions(database.options, options);
    this.#backoff = new Backoff(database.platform.random);
    this.#attempt = new ReferenceAttempt();
    this.#reads = new ReferenceReads(this, false);
    this.snapshot = new ReferenceReads(this, true);
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
    const conflicts = this.#useForWrite();
    checkKey(key, this.keysEnd);
    checkValue(value);
    this.#mutate({ kind: "set", key: textOf(key), value: new Uint8Array(value), conflicts });
  }

  clear(key: Uint8Array): void {
    const conflicts = this.#useForWrite();
    checkReadKey(key, this.keysEnd);
    if (key.length > KEY_BYTES_MAX) return;
    this.#mutate({ kind: "clear", range: rangeOfKey(textOf(key)), conflicts });
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    const conflicts = this.#useForWrite();
    const range = checkRange(begin, end, this.keysEnd);
    if (range !== null) this.#mutate({ kind: "clear", range: textRange(range), conflicts });
  }

  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void {
    const conflicts = this.#useForWrite();
    if (!Object.hasOwn(ATOMIC_OPERATIONS, operation)) {
      throw new TransactionError("INVALID_MUTATION_TYPE", `there is no atomic operation "${operation}".`);
    }
    checkKey(key, this.keysEnd);
    checkValue(operand);
    this.#mutate({
      kind: "atomic",
      key: textOf(key),
      operation,
      operand: new Uint8Array(operand),
      conflicts,
    });
  }

  setVersionstampedKey(key: Uint8Array, offset: number, value: Uint8Array): void {
    this.#useForWrite();
    checkKey(key, this.keysEnd);
    checkValue(value);
    checkStampOffset(key, offset);
    const lowest = new Uint8Array(STAMP_BYTES);
    const { read } = this.#attempt;
    // Above everything that this transaction can have read.
    if (read !== null) new DataView(lowest.buffer).setBigUint64(0, BigInt(read.version + 1));
    const highest = new Uint8Array(STAMP_BYTES).fill(0xff);
    this.#mutate({
      kind: "stampedKey",
      key: new Uint8Array(key),
      offset,
      value: new Uint8Array(value),
      range: [textOf(stamped(key, offset, lowest)), `${textOf(stamped(key, offset, highest))}\0`],
      conflicts: true,
    });
  }

  setVersionstampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    const conflicts = this.#useForWrite();
    checkKey(key, this.keysEnd);
    checkValue(value);
    checkStampOffset(value, offset);
    this.#mutate({ kind: "stampedValue", key: textOf(key), value: new Uint8Array(value), offset, conflicts });
  }

  addReadConflictRange(begin: Uint8Array, end: Uint8Array): void {
    this.#use();
    const range = checkRange(begin, end, this.keysEnd);
    if (range !== null) this.addReadConflict(textRange(range), this.written(false));
  }

  addReadConflictKey(key: Uint8Array): void {
    this.addReadConflictRange(key, Uint8Array.of(...key, 0));
  }

  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void {
    this.#use();
    const range = checkRange(begin, end, this.keysEnd);
    if (range === null) return;
    this.#attempt.addWriteConflict(textRange(range), this.#options);
  }

  addWriteConflictKey(key: Uint8Array): void {
    this.addWriteConflictRange(key, Uint8Array.of(...key, 0));
  }

  skipNextWriteConflict(): void {
    this.#use().skipsConflict = true;
  }

  watch(key: Uint8Array): Watch {
    const attempt = this.#use();
    if (!this.#options.readYourWrites) {
      throw new TransactionError("WATCHES_DISABLED", "watches need readYourWrites.");
    }
    checkKey(key, this.keysEnd);
    if (this.#database.watches >= WATCHES_MAX) {
      throw new TransactionError("TOO_MANY_WATCHES", `${WATCHES_MAX} watches are waiting.`);
    }
    const watch = new ReferenceWatch(this.#database, textOf(key));
    attempt.watches.push(watch);
    try {
      watch.value = this.#reads.lookUp(watch.key);
    } catch (error) {
      watch.fail(error as Error);
    }
    return watch;
  }

  setReadVersion(version: number): void {
    const attempt = this.#use();
    if (!Number.isSafeInteger(version) || version < 0) {
      throw new TransactionError("VERSION_INVALID", `${version} is no version.`);
    }
    if (attempt.askedVersion !== null || attempt.read !== null) {
      throw new TransactionError("READ_VERSION_ALREADY_SET", "the transaction reads at a version already.");
    }
    attempt.askedVersion = version;
  }

  setOptions(options: TransactionOptions): void {
    const resolved = resolveTransactionOptions(this.#options, options);
    const attempt = this.#attempt;
    if (resolved.readYourWrites !== this.#options.readYourWrites) {
      if (attempt.read !== null || attempt.mutations.length > 0) {
        throw new TransactionError("CLIENT_INVALID_OPERATION", "set readYourWrites before reads and writes.");
      }
    }
    this.#options = resolved;
    if (this.#beganMs !== null) this.#startTimer(this.#beganMs);
  }

  async commit(): Promise<void> {
    const attempt = this.#use();
    attempt.state = "committing";
    try {
      attempt.commitTo(this.#database, this.#options, () => this.#read().version);
    } catch (error) {
      attempt.failStamp(error);
      for (const watch of attempt.watches) watch.fail(error as Error);
      throw error;
    }
    // The answer takes a turn, in which the transaction may be used or cancelled.
    await Promise.resolve();
    if (attempt.ended !== null) throw attempt.ended;
    attempt.state = "committed";
    this.#timer?.cancel();
    for (const watch of attempt.watches) watch.start();
  }

  async onError(error: unknown): Promise<void> {
    const { ended } = this.#attempt;
    // What is no error of ours is told as it is.
    if (ended !== null && error instanceof TransactionError) throw ended;
    const canRetry =
      error instanceof TransactionError &&
      error.retryable &&
      (!error.maybeCommitted || this.#options.idempotent || this.#options.idempotencyKey !== undefined);
    const delayMs = canRetry ? this.#backoff.nextDelayMs(this.#options) : null;
    if (delayMs === null) {
      this.#end(cancelled());
      throw error;
    }
    this.#begin();
    const attempt = this.#attempt;
    await new Promise<void>((resolve, reject) => {
      this.#database.platform.scheduler.after(delayMs, resolve, true);
      attempt.onEnd.add(reject);
    });
  }

  reset(): void {
    this.#timer?.cancel();
    this.#beganMs = null;
    this.#backoff.reset();
    this.#options = this.#database.options;
    this.#begin();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#end(cancelled());
  }

  getCommittedVersion(): number {
    if (this.#attempt.state === "committed" && this.#attempt.ended === null) return this.#attempt.version;
    throw new TransactionError("NO_COMMIT_VERSION", "the transaction has not committed.");
  }

  async getVersionstamp(): Promise<Uint8Array> {
    return this.#use().stamp;
  }

  getApproximateSize(): number {
    return this.#attempt.sizeBytes;
  }

  getConflictingRanges(): readonly (readonly [begin: Uint8Array, end: Uint8Array])[] {
    return this.#attempt.conflicts.map(([begin, end]) => [bytesOf(begin), bytesOf(end)]);
  }

  get keysEnd(): Uint8Array {
    return this.#options.accessSystemKeys ? ALL_KEYS_END : USER_KEYS_END;
  }

  beginRead(): object {
    return this.#use();
  }

  continueRead(attempt: object): void {
    if (this.#use() !== attempt) throw cancelled();
  }

  view(isSnapshot: boolean): OwnView {
    const { rows } = this.#read();
    return ownView(rows, this.#seen(isSnapshot));
  }

  written(isSnapshot: boolean): OwnView {
    return ownView([], this.#seen(isSnapshot));
  }

  openReadVersion(): number {
    return this.#read().version;
  }

  addReadConflict(range: KeyRange, view: OwnView): void {
    this.#attempt.addReadConflict(range, view.known);
  }

  readFailed(error: unknown): void {
    this.#attempt.failed ??= error;
  }

  /** The mutations that reads see. */
  #seen(isSnapshot: boolean): readonly Mutation[] {
    const { readYourWrites, snapshotReadYourWrites } = this.#options;
    const seesOwn = readYourWrites && (!isSnapshot || snapshotReadYourWrites);
    return seesOwn ? this.#attempt.mutations : [];
  }

  /** The state that all reads see. */
  #read(): CommittedState {
    const attempt = this.#attempt;
    const nowMs = this.#database.platform.clock.nowMs();
    if (attempt.read === null) {
      const { newest } = this.#database;
      attempt.read = attempt.askedVersion === null ? newest : this.#database.stateAt(attempt.askedVersion);
      attempt.readAtMs = nowMs;
    }
    if (nowMs - attempt.readAtMs > TRANSACTION_LIFETIME_MS) {
      throw new TransactionError("TRANSACTION_TOO_OLD", "the read version was taken too long ago.");
    }
    return attempt.read;
  }

  #use(): ReferenceAttempt {
    const attempt = this.#attempt;
    if (attempt.ended !== null) throw attempt.ended;
    if (attempt.state !== "active") {
      const error = new TransactionError("USED_DURING_COMMIT", "the transaction commits or has committed.");
      if (attempt.state === "committing") this.#end(error);
      throw error;
    }
    if (this.#beganMs === null) this.#startTimer(this.#database.platform.clock.nowMs());
    return attempt;
  }

  /** Whether the write that follows conflicts. */
  #useForWrite(): boolean {
    const attempt = this.#use();
    const conflicts = !attempt.skipsConflict;
    attempt.skipsConflict = false;
    return conflicts;
  }

  #mutate(mutation: Mutation): void {
    this.#attempt.mutate(mutation, this.#options);
  }

  #begin(): void {
    this.#end(cancelled());
    this.#attempt = new ReferenceAttempt();
  }

  #end(error: TransactionError): void {
    const attempt = this.#attempt;
    if (attempt.ended !== null) return;
    attempt.ended = error;
    if (attempt.state === "committed") return;
    attempt.failStamp(error);
    for (const tell of attempt.onEnd) tell(error);
    for (const watch of attempt.watches) watch.fail(error);
  }

  #startTimer(beganMs: number): void {
    this.#beganMs = beganMs;
    this.#timer?.cancel();
    const { timeoutMs } = this.#options;
    if (timeoutMs === 0) return;
    const { clock, scheduler } = this.#database.platform;
    this.#timer = scheduler.after(Math.max(0, beganMs + timeoutMs - clock.nowMs()), () => {
      if (this.#attempt.state === "committed") return;
      this.#end(new TransactionError("TRANSACTION_TIMED_OUT", `it took longer than ${timeoutMs} ms.`));
    });
  }
}

function cancelled(): TransactionError {
  return new TransactionError("TRANSACTION_CANCELLED", "the transaction was cancelled or reset.");
}
