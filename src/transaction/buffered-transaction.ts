/**
 * A transaction over any storage with versions. Owns what may be called when, the limits of size and time, and the hand-over
 * of everything to one commit. Reads are in `reads.ts`, writes in `writes.ts`, what a reset forgets in `attempt.ts`; checking conflicts and making
 * commits durable is the storage's.
 *
 * States: active → committing → committed, and from each of these cancelled. Only `reset` and `onError` lead back.
 */
import type { Clock, Scheduler, Timer } from "../platform/platform.js";
import type { AtomicOperation } from "./atomic.js";
import { Attempt } from "./attempt.js";
import { ConflictError, TransactionError } from "./errors.js";
import type { KeySelector } from "./key-selector.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import { ALL_KEYS_END, checkKey, USER_KEYS_END } from "./limits.js";
import { unreadable } from "./merged-rows.js";
import {
  type ResolvedTransactionOptions,
  resolveTransactionOptions,
  type TransactionOptions,
} from "./options.js";
import { PromisedStamp } from "./promised-stamp.js";
import { type ReadingTransaction, Reads } from "./reads.js";
import { Backoff } from "./retry.js";
import type { CommitResult, ConflictingRanges, TransactionStorage } from "./storage.js";
import { TimeLimit } from "./time-limit.js";
import type {
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
  Transaction,
  Watch,
} from "./transaction.js";
import { TRANSACTION_COUNTER, type TransactionMetrics } from "./transaction-metrics.js";
import { PendingWatch } from "./watch.js";
import { RANGE_OVERHEAD_BYTES, Writes, type WritingTransaction } from "./writes.js";

/** What a database gives each of its transactions. */
export interface TransactionContext {
  readonly storage: TransactionStorage;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: ConstructorParameters<typeof Backoff>[0];
  readonly options: ResolvedTransactionOptions;
  /** Watches of the database that wait, for their limit. */
  readonly watches: { count: number };
  readonly metrics: TransactionMetrics;
}

type State = "active" | "committing" | "committed" | "cancelled";

/** A commit that has so many lets others have a turn before it goes to the storage. */
const LONG_COMMIT_RANGES = 8_192;
/** The version of a commit that wrote nothing. */
const READ_ONLY_VERSION = -1;

export class BufferedTransaction implements Transaction, ReadingTransaction, WritingTransaction {
  readonly #context: TransactionContext;
  readonly #reads: ReadTransaction;
  readonly #writes: Writes;
  #snapshot: ReadTransaction | null = null;
  readonly #backoff: Backoff;
  #options: ResolvedTransactionOptions;
  #state: State = "active";
  #attempt: Attempt;
  #result: CommitResult | null = null;
  #stamp = new PromisedStamp();
  #conflicts: ConflictingRanges = [];
  readonly #timeLimit: TimeLimit;
  readonly #sinceMs: number;

  constructor(context: TransactionContext, options: TransactionOptions = {}) {
    this.#context = context;
    context.metrics.counters.add(TRANSACTION_COUNTER.transactions_begun_total);
    this.#sinceMs = context.clock.nowMs();
    this.#options = resolveTransactionOptions(context.options, options);
    this.#backoff = new Backoff(context.random);
    this.#timeLimit = new TimeLimit(context, (timeoutMs) => this.#timedOut(timeoutMs));
    this.#attempt = new Attempt(context.storage);
    this.#reads = new Reads(this, false);
    this.#writes = new Writes(this);
  }

  get snapshot(): ReadTransaction {
    this.#snapshot ??= new Reads(this, true);
    return this.#snapshot;
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
    this.#writes.set(key, value);
  }

  clear(key: Uint8Array): void {
    this.#writes.clear(key);
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    this.#writes.clearRange(begin, end);
  }

  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void {
    this.#writes.atomic(operation, key, operand);
  }

  setVersionstampedKey(key: Uint8Array, offset: number, value: Uint8Array): void {
    this.#writes.setVersionstampedKey(key, offset, value);
  }

  setVersionstampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    this.#writes.setVersionstampedValue(key, value, offset);
  }

  addReadConflictRange(begin: Uint8Array, end: Uint8Array): void {
    this.#writes.addReadConflictRange(begin, end);
  }

  addReadConflictKey(key: Uint8Array): void {
    this.addReadConflictRange(key, keyBytes(keyTextAfter(keyText(key))));
  }

  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void {
    this.#writes.addWriteConflictRange(begin, end);
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
    if ("timeoutMs" in options) this.#timeLimit.change(resolved.timeoutMs);
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
    this.#context.metrics.counters.add(TRANSACTION_COUNTER.transaction_retries_total);
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
    this.#timeLimit.reset();
    this.#backoff.reset();
    this.#options = this.#context.options;
    this.#begin(cancelled("it was reset"));
  }

  cancel(): void {
    this.#timeLimit.stop();
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

  // For `Reads` and `Writes`.

  get keysEnd(): Uint8Array {
    return this.#options.accessSystemKeys ? ALL_KEYS_END : USER_KEYS_END;
  }

  useForRead(): Attempt {
    return this.#use();
  }

  useForWrite(): Attempt {
    const attempt = this.#use();
    attempt.beforeWrite();
    return attempt;
  }

  use(): Attempt {
    return this.#use();
  }

  /** Counts what is about to be written. Throws `TRANSACTION_TOO_LARGE`. */
  grow(bytes: number): void {
    const size = this.#attempt.sizeBytes + bytes;
    if (size > this.#options.sizeLimitBytes) {
      // What was refused is missing, so the rest must not commit.
      const error = this.#tooLarge(size);
      this.#attempt.failure ??= error;
      throw error;
    }
    this.#attempt.sizeBytes = size;
  }

  get readsItsWrites(): boolean {
    return this.#options.readYourWrites;
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
      this.#countFailure(error);
      stamp.fail(error as Error);
      for (const watch of attempt.watches) watch.fail(error as Error);
      // Nothing can be read any more; who forgets to reset must not hold it.
      attempt.closeView();
      throw error;
    }
    this.#countCommit(result);
    // After a reset or cancel nobody waits for this any more.
    if (this.#attempt !== attempt || attempt.error !== null) return;
    this.#result = result;
    this.#state = "committed";
    this.#timeLimit.stop();
    const version = result?.version ?? attempt.readVersion ?? 0;
    attempt.closeView();
    // From here on they are on their own.
    for (const watch of attempt.watches.splice(0)) watch.start(this.#context.storage, version);
    if (result === null) stamp.fail(noStamp());
    else stamp.give(result.versionstamp);
  }

  #countCommit(result: CommitResult | null): void {
    const { metrics, clock } = this.#context;
    const { transactions_committed_total, transactions_read_only_total } = TRANSACTION_COUNTER;
    metrics.counters.add(result === null ? transactions_read_only_total : transactions_committed_total);
    metrics.latency.observe(clock.nowMs() - this.#sinceMs);
  }

  #countFailure(error: unknown): void {
    const { counters } = this.#context.metrics;
    if (error instanceof ConflictError) counters.add(TRANSACTION_COUNTER.transaction_conflicts_total);
    else if (error instanceof TransactionError && error.maybeCommitted)
      counters.add(TRANSACTION_COUNTER.transaction_unknown_results_total);
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
    this.#timeLimit.start(this.#options.timeoutMs);
    return this.#attempt;
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
    this.#stamp = new PromisedStamp();
    this.#conflicts = [];
    this.#result = null;
    this.#state = "active";
  }

  #end(reason: TransactionError): void {
    this.#attempt.fail(reason);
    this.#stamp.fail(reason);
  }

  #timedOut(timeoutMs: number): void {
    if (this.#state === "committed") return;
    this.#state = "cancelled";
    this.#end(
      new TransactionError(
        "TRANSACTION_TIMED_OUT",
        `the transaction took longer than ${timeoutMs} ms, retries included.`,
      ),
    );
  }
}

function noStamp(): TransactionError {
  return new TransactionError("NO_COMMIT_VERSION", "a transaction that writes nothing has no versionstamp.");
}

function cancelled(why: string): TransactionError {
  return new TransactionError("TRANSACTION_CANCELLED", `the transaction does not go on: ${why}.`);
}
