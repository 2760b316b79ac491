/**
 * A transaction over any storage with versions. Owns what may be called when, the limits of size and time, and the hand-over
 * of everything to one commit. Reads are in `reads.ts`, what a reset forgets in `attempt.ts`; checking conflicts and making
 * commits durable is the storage's.
 *
 * States: active → committing → committed, and from each of these cancelled. Only `reset` and `onError` lead back.
 */
import type { Clock, Scheduler, Timer } from "../platform/platform.js";
import { ATOMIC_OPERATIONS, type AtomicOperation } from "./atomic.js";
import { Attempt } from "./attempt.js";
import { addRead } from "./conflict-ranges.js";
import { ConflictError, TransactionError } from "./errors.js";
import type { KeySelector } from "./key-selector.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import {
  ALL_KEYS_END,
  checkKey,
  checkRange,
  checkReadKey,
  checkValue,
  KEY_BYTES_MAX,
  USER_KEYS_END,
} from "./limits.js";
import { unreadable } from "./merged-rows.js";
import {
  type ResolvedTransactionOptions,
  resolveTransactionOptions,
  type TransactionOptions,
} from "./options.js";
import { type ReadingTransaction, Reads } from "./reads.js";
import { Backoff } from "./retry.js";
import type { CommitResult, ConflictingRanges, TransactionStorage } from "./storage.js";
import type {
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
  Transaction,
  Watch,
} from "./transaction.js";
import { stampedBytes, versionstampOf } from "./versionstamp.js";
import { PendingWatch } from "./watch.js";

/** What a database gives each of its transactions. */
export interface TransactionContext {
  readonly storage: TransactionStorage;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: ConstructorParameters<typeof Backoff>[0];
  readonly options: ResolvedTransactionOptions;
  /** Watches of the database that wait, for their limit. */
  readonly watches: { count: number };
}

type State = "active" | "committing" | "committed" | "cancelled";

/** Counted for each mutation and each conflict range beside their bytes, about as FoundationDB's client does. */
const MUTATION_OVERHEAD_BYTES = 28;
const RANGE_OVERHEAD_BYTES = 24;
const VERSIONSTAMP_BYTES = 10;
const LAST_STAMP = new Uint8Array(VERSIONSTAMP_BYTES).fill(0xff);
/** A commit that has so many lets others have a turn before it goes to the storage. */
const LONG_COMMIT_RANGES = 8_192;
/** The version of a commit that wrote nothing. */
const READ_ONLY_VERSION = -1;

export class BufferedTransaction implements Transaction, ReadingTransaction {
  readonly snapshot: ReadTransaction;
  readonly #context: TransactionContext;
  readonly #reads: ReadTransaction;
  readonly #backoff: Backoff;
  #options: ResolvedTransactionOptions;
  #state: State = "active";
  #attempt: Attempt;
  #result: CommitResult | null = null;
  #stamp: Stamp = new Stamp();
  #conflicts: ConflictingRanges = [];
  #deadlineMs: number | null = null;
  #timer: Timer | null = null;

  constructor(context: TransactionContext, options: TransactionOptions = {}) {
    this.#context = context;
    this.#options = resolveTransactionOptions(context.options, options);
    this.#backoff = new Backoff(context.random);
    this.#attempt = new Attempt(context.storage);
    this.#reads = new Reads(this, false);
    this.snapshot = new Reads(this, true);
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
    const attempt = this.#useForWrite();
    checkKey(key, this.keysEnd);
    checkValue(value);
    this.#grow(MUTATION_OVERHEAD_BYTES + key.length + value.length + pointBytes(key));
    attempt.writes.set(key, value);
    wrote(attempt, key);
  }

  clear(key: Uint8Array): void {
    const attempt = this.#useForWrite();
    checkReadKey(key, this.keysEnd);
    if (key.length > KEY_BYTES_MAX) return;
    this.#grow(MUTATION_OVERHEAD_BYTES + key.length + pointBytes(key));
    attempt.writes.clear(key);
    wrote(attempt, key);
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    const attempt = this.#useForWrite();
    const range = checkRange(begin, end, this.keysEnd);
    if (range === null) return;
    const [from, to] = range;
    this.#grow(MUTATION_OVERHEAD_BYTES + 2 * (from.length + to.length) + RANGE_OVERHEAD_BYTES);
    attempt.writes.clearRange(from, to);
    if (attempt.writeConflicts.isListing) attempt.writeConflicts.wrote(keyText(from), keyText(to));
  }

  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void {
    const attempt = this.#useForWrite();
    if (!Object.hasOwn(ATOMIC_OPERATIONS, operation)) {
      throw new TransactionError(
        "INVALID_MUTATION_TYPE",
        `there is no atomic operation "${String(operation)}". Known: ${Object.keys(ATOMIC_OPERATIONS).join(", ")}.`,
      );
    }
    checkKey(key, this.keysEnd);
    checkValue(operand);
    this.#grow(MUTATION_OVERHEAD_BYTES + key.length + operand.length + pointBytes(key));
    attempt.writes.atomic(key, operation, operand);
    wrote(attempt, key);
  }

  setVersionstampedKey(key: Uint8Array, offset: number, value: Uint8Array): void {
    const attempt = this.#useForWrite();
    checkKey(key, this.keysEnd);
    checkValue(value);
    checkStampOffset(key, offset);
    this.#grow(MUTATION_OVERHEAD_BYTES + key.length + value.length + pointBytes(key));
    // It comes to lie above everything that this transaction can have read.
    const { readVersion } = attempt;
    const first = stampedBytes(key, offset, versionstampOf(readVersion === null ? 0 : readVersion + 1));
    const last = stampedBytes(key, offset, LAST_STAMP);
    attempt.writes.setStampedKey(key, offset, value, keyText(first), keyTextAfter(keyText(last)));
  }

  setVersionstampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    const attempt = this.#useForWrite();
    checkKey(key, this.keysEnd);
    checkValue(value);
    checkStampOffset(value, offset);
    this.#grow(MUTATION_OVERHEAD_BYTES + key.length + value.length + pointBytes(key));
    attempt.writes.setStampedValue(key, value, offset);
    wrote(attempt, key);
  }

  addReadConflictRange(begin: Uint8Array, end: Uint8Array): void {
    const attempt = this.#use();
    const range = checkRange(begin, end, this.keysEnd);
    if (range === null) return;
    this.#grow(begin.length + end.length + RANGE_OVERHEAD_BYTES);
    const seen = this.#options.readYourWrites ? attempt.writes : null;
    addRead(attempt.readConflicts, seen, keyText(range[0]), keyText(range[1]));
  }

  addReadConflictKey(key: Uint8Array): void {
    this.addReadConflictRange(key, keyBytes(keyTextAfter(keyText(key))));
  }

  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void {
    const attempt = this.#use();
    const range = checkRange(begin, end, this.keysEnd);
    if (range === null) return;
    this.#grow(begin.length + end.length + RANGE_OVERHEAD_BYTES);
    attempt.writeConflicts.add(keyText(range[0]), keyText(range[1]));
  }

  addWriteConflictKey(key: Uint8Array): void {
    this.addWriteConflictRange(key, keyBytes(keyTextAfter(keyText(key))));
  }

  skipNextWriteConflict(): void {
    this.#use().writeConflicts.skipNext();
  }

  watch(key: Uint8Array): Watch {
    const attempt = this.#use();
    if (!this.#options.readYourWrites) {
      throw new TransactionError(
        "WATCHES_DISABLED",
        "a watch compares with what the transaction sees under the key, so it needs readYourWrites.",
      );
    }
    checkKey(key, this.keysEnd);
    const watch = new PendingWatch(key, this.#context.watches);
    attempt.watches.push(watch);
    const at = keyText(key);
    if (attempt.writes.isUnreadable(at, keyTextAfter(at))) watch.fail(unreadable());
    else watch.observe(this.#reads.get(key));
    return watch;
  }

  setReadVersion(version: number): void {
    const attempt = this.#use();
    if (!Number.isSafeInteger(version) || version < 0) {
      throw new TransactionError(
        "VERSION_INVALID",
        `${version} is no version: a whole number of at least 0.`,
      );
    }
    if (attempt.readVersion !== null || attempt.hasRead) {
      throw new TransactionError("READ_VERSION_ALREADY_SET", "the transaction reads at a version already.");
    }
    attempt.askedVersion = version;
  }

  setOptions(options: TransactionOptions): void {
    const resolved = resolveTransactionOptions(this.#options, options);
    const { writes, hasRead } = this.#attempt;
    if (resolved.readYourWrites !== this.#options.readYourWrites && (hasRead || !writes.isEmpty)) {
      throw new TransactionError(
        "CLIENT_INVALID_OPERATION",
        "readYourWrites cannot change once the transaction has read or written. Set it before.",
      );
    }
    this.#options = resolved;
    if ("timeoutMs" in options && this.#deadlineMs !== null) this.#restartTimer();
  }

  commit(): Promise<void> {
    let attempt: Attempt;
    try {
      attempt = this.#use();
    } catch (error) {
      return Promise.reject(error);
    }
    this.#state = "committing";
    return attempt.orEnd(this.#commit(attempt));
  }

  async onError(error: unknown): Promise<void> {
    const ended = this.#attempt.error;
    // What is no error of ours is told as it is.
    if (ended !== null && error instanceof TransactionError) throw ended;
    const mayRetry =
      error instanceof TransactionError &&
      error.retryable &&
      (!error.maybeCommitted || this.#options.idempotent || this.#options.idempotencyKey !== undefined);
    const delayMs = mayRetry ? this.#backoff.nextDelayMs(this.#options) : null;
    if (delayMs === null) {
      this.cancel();
      throw error;
    }
    this.#begin(cancelled("it was reset"));
    let timer: Timer | null = null;
    try {
      await this.#attempt.orEnd(
        new Promise<void>((resolve) => {
          // A program that waits for nothing else must not end here.
          timer = this.#context.scheduler.after(delayMs, resolve, true);
        }),
      );
    } finally {
      // Cancelled, or out of time: nobody waits for it any more.
      (timer as Timer | null)?.cancel();
    }
  }

  reset(): void {
    this.#stopTimer();
    this.#deadlineMs = null;
    this.#backoff.reset();
    this.#options = this.#context.options;
    this.#begin(cancelled("it was reset"));
  }

  cancel(): void {
    this.#stopTimer();
    this.#state = "cancelled";
    this.#end(cancelled("it was cancelled"));
  }

  getCommittedVersion(): number {
    if (this.#state !== "committed") {
      throw new TransactionError(
        "NO_COMMIT_VERSION",
        "the transaction has no version before it has committed.",
      );
    }
    return this.#result === null ? READ_ONLY_VERSION : this.#result.version;
  }

  getVersionstamp(): Promise<Uint8Array> {
    try {
      this.#use();
      return this.#stamp.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getApproximateSize(): number {
    return this.#attempt.sizeBytes;
  }

  getConflictingRanges(): readonly (readonly [begin: Uint8Array, end: Uint8Array])[] {
    return this.#conflicts.map(([begin, end]) => [keyBytes(begin), keyBytes(end)]);
  }

  // For `Reads`.

  get keysEnd(): Uint8Array {
    return this.#options.accessSystemKeys ? ALL_KEYS_END : USER_KEYS_END;
  }

  useForRead(): Attempt {
    return this.#use();
  }

  readsOwnWrites(isSnapshot: boolean): boolean {
    return this.#options.readYourWrites && (!isSnapshot || this.#options.snapshotReadYourWrites);
  }

  addedReadConflict(attempt: Attempt, begin: string, end: string): void {
    attempt.sizeBytes += begin.length + end.length + RANGE_OVERHEAD_BYTES;
  }

  turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#context.scheduler.defer(resolve);
    });
  }

  async #commit(attempt: Attempt): Promise<void> {
    await attempt.readsDone();
    if (attempt.error !== null) throw attempt.error;
    const stamp = this.#stamp;
    let result: CommitResult | null;
    try {
      result = await this.#handOver(attempt);
    } catch (error) {
      stamp.fail(error as Error);
      for (const watch of attempt.watches) watch.fail(error as Error);
      // Nothing can be read any more; who forgets to reset must not hold it.
      attempt.closeView();
      throw error;
    }
    // After a reset or cancel nobody waits for this any more.
    if (this.#attempt !== attempt || attempt.error !== null) return;
    this.#result = result;
    this.#state = "committed";
    this.#stopTimer();
    const version = result?.version ?? attempt.readVersion ?? 0;
    attempt.closeView();
    // From here on they are on their own.
    for (const watch of attempt.watches.splice(0)) watch.start(this.#context.storage, version);
    if (result === null) stamp.fail(noStamp());
    else stamp.give(result.versionstamp);
  }

  /** Null when there was nothing to commit. */
  async #handOver(attempt: Attempt): Promise<CommitResult | null> {
    if (attempt.failure !== null) throw attempt.failure;
    for (const range of attempt.openRanges) range.settleConflicts();
    const { writes, readConflicts, readVersion } = attempt;
    const writeConflicts = attempt.writeConflicts.all();
    for (const watch of attempt.watches) if (watch.observed !== null) await watch.observed;
    // What is left has to be done in one go; what was done so far is as long again.
    if (writeConflicts.size >= LONG_COMMIT_RANGES) await this.turn();
    if (attempt.error !== null) throw attempt.error;
    if (writes.isEmpty && writeConflicts.isEmpty) return null;
    if (attempt.sizeBytes > this.#options.sizeLimitBytes) throw this.#tooLarge(attempt.sizeBytes);
    const options = this.#options;
    const view = attempt.openedView;
    try {
      return await this.#context.storage.commit({
        readVersion,
        view,
        readConflicts,
        writeConflicts,
        writes,
        options,
      });
    } catch (error) {
      if (this.#attempt === attempt && error instanceof ConflictError) this.#conflicts = error.ranges;
      throw error;
    }
  }

  /** The current attempt, if calls are legal now. */
  #use(): Attempt {
    const { error } = this.#attempt;
    if (error !== null) throw error;
    if (this.#state !== "active") {
      const used = new TransactionError(
        "USED_DURING_COMMIT",
        "the transaction is committing or has committed. Reset it, or begin another.",
      );
      // As in FoundationDB, the commit that is under way fails with it; it may take effect all the same.
      if (this.#state === "committing") this.#end(used);
      throw used;
    }
    if (this.#deadlineMs === null) this.#restartTimer();
    return this.#attempt;
  }

  #useForWrite(): Attempt {
    const attempt = this.#use();
    attempt.beforeWrite();
    return attempt;
  }

  #grow(bytes: number): void {
    const size = this.#attempt.sizeBytes + bytes;
    if (size > this.#options.sizeLimitBytes) {
      // What was refused is missing, so the rest must not commit.
      const error = this.#tooLarge(size);
      this.#attempt.failure ??= error;
      throw error;
    }
    this.#attempt.sizeBytes = size;
  }

  #tooLarge(bytes: number): TransactionError {
    return new TransactionError(
      "TRANSACTION_TOO_LARGE",
      `the transaction has ${bytes} bytes of writes and conflict ranges, more than ` +
        `${this.#options.sizeLimitBytes}. Split it into several.`,
    );
  }

  #begin(reason: TransactionError): void {
    this.#end(reason);
    this.#attempt = new Attempt(this.#context.storage);
    this.#stamp = new Stamp();
    this.#conflicts = [];
    this.#result = null;
    this.#state = "active";
  }

  #end(reason: TransactionError): void {
    this.#attempt.fail(reason);
    this.#stamp.fail(reason);
  }

  /** The time counts from the first call, over all tries. */
  #restartTimer(): void {
    this.#stopTimer();
    const { clock, scheduler } = this.#context;
    this.#deadlineMs ??= clock.nowMs();
    const { timeoutMs } = this.#options;
    if (timeoutMs === 0) return;
    const leftMs = Math.max(0, this.#deadlineMs + timeoutMs - clock.nowMs());
    this.#timer = scheduler.after(leftMs, () => {
      if (this.#state === "committed") return;
      this.#state = "cancelled";
      this.#end(
        new TransactionError(
          "TRANSACTION_TIMED_OUT",
          `the transaction took longer than ${timeoutMs} ms, retries included.`,
        ),
      );
    });
  }

  #stopTimer(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}

/** A versionstamp that is promised. Who does not ask for it is not told that there is none. */
class Stamp {
  readonly promise: Promise<Uint8Array>;
  give: (stamp: Uint8Array) => void = () => {};
  fail: (error: Error) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.give = resolve;
      this.fail = reject;
    });
    this.promise.catch(() => {});
  }
}

function noStamp(): TransactionError {
  return new TransactionError("NO_COMMIT_VERSION", "a transaction that writes nothing has no versionstamp.");
}

function cancelled(why: string): TransactionError {
  return new TransactionError("TRANSACTION_CANCELLED", `the transaction does not go on: ${why}.`);
}

function wrote(attempt: Attempt, key: Uint8Array): void {
  if (!attempt.writeConflicts.isListing) return;
  const at = keyText(key);
  attempt.writeConflicts.wrote(at, keyTextAfter(at));
}

/** The write conflict of one key. */
function pointBytes(key: Uint8Array): number {
  return 2 * key.length + 1 + RANGE_OVERHEAD_BYTES;
}

function checkStampOffset(bytes: Uint8Array, offset: number): void {
  if (Number.isSafeInteger(offset) && offset >= 0 && offset + VERSIONSTAMP_BYTES <= bytes.length) return;
  throw new TransactionError(
    "CLIENT_INVALID_OPERATION",
    `the ten bytes of a versionstamp do not fit at offset ${offset} of ${bytes.length} bytes.`,
  );
}
