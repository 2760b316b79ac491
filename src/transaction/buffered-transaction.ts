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
import { ConflictError, TransactionError } from "./errors.js";
import type { KeySelector } from "./key-selector.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import { ALL_KEYS_END, checkKey, checkRange, checkValue, USER_KEYS_END } from "./limits.js";
import { writtenValue } from "./merged-rows.js";
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
const FIRST_STAMP = "\0".repeat(VERSIONSTAMP_BYTES);
const LAST_STAMP = "\xff".repeat(VERSIONSTAMP_BYTES);
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
    checkKey(key, this.keysEnd);
    this.#grow(MUTATION_OVERHEAD_BYTES + key.length + pointBytes(key));
    attempt.writes.clear(key);
    wrote(attempt, key);
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    const attempt = this.#useForWrite();
    checkRange(begin, end, this.keysEnd);
    this.#grow(MUTATION_OVERHEAD_BYTES + 2 * (begin.length + end.length) + RANGE_OVERHEAD_BYTES);
    attempt.writes.clearRange(begin, end);
    if (attempt.writeConflicts.isListing) attempt.writeConflicts.wrote(keyText(begin), keyText(end));
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
    const text = keyText(key);
    const before = text.slice(0, offset);
    const after = text.slice(offset + VERSIONSTAMP_BYTES);
    const first = before + FIRST_STAMP + after;
    const end = keyTextAfter(before + LAST_STAMP + after);
    attempt.writes.setStampedKey(
      { key: new Uint8Array(key), offset, value: new Uint8Array(value) },
      first,
      end,
    );
    if (attempt.writeConflicts.isListing) attempt.writeConflicts.wrote(first, end);
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
    checkRange(begin, end, this.keysEnd);
    this.#grow(begin.length + end.length + RANGE_OVERHEAD_BYTES);
    attempt.readConflicts.add(keyText(begin), keyText(end));
  }

  addReadConflictKey(key: Uint8Array): void {
    this.addReadConflictRange(key, keyBytes(keyTextAfter(keyText(key))));
  }

  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void {
    const attempt = this.#use();
    checkRange(begin, end, this.keysEnd);
    this.#grow(begin.length + end.length + RANGE_OVERHEAD_BYTES);
    attempt.writeConflicts.add(keyText(begin), keyText(end));
  }

  addWriteConflictKey(key: Uint8Array): void {
    this.addWriteConflictRange(key, keyBytes(keyTextAfter(keyText(key))));
  }

  skipNextWriteConflict(): void {
    this.#use().writeConflicts.skipNext();
  }

  watch(key: Uint8Array): Watch {
    const attempt = this.#use();
    checkKey(key, this.keysEnd);
    if (!this.#options.readYourWrites) {
      throw new TransactionError(
        "WATCHES_DISABLED",
        "a watch compares with what the transaction leaves under the key, so it needs readYourWrites.",
      );
    }
    const watch = new PendingWatch(key, this.#context.watches);
    attempt.watches.push(watch);
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
    this.#options = resolveTransactionOptions(this.#options, options);
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
    const mayRetry =
      error instanceof TransactionError &&
      error.retryable &&
      (!error.maybeCommitted || this.#options.idempotent || this.#options.idempotencyKey !== undefined);
    const ended = this.#attempt.error;
    if (!mayRetry || (ended !== null && !ended.retryable)) throw error;
    const delayMs = this.#backoff.nextDelayMs(this.#options);
    if (delayMs === null) throw error;
    this.#begin(cancelled("it was reset"));
    await this.#attempt.orEnd(
      new Promise<void>((resolve) => {
        this.#context.scheduler.after(delayMs, resolve);
      }),
    );
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

  addedReadConflict(begin: string, end: string): void {
    this.#attempt.sizeBytes += begin.length + end.length + RANGE_OVERHEAD_BYTES;
  }

  async #commit(attempt: Attempt): Promise<void> {
    for (const range of attempt.openRanges) range.settleConflicts();
    const { writes, readConflicts } = attempt;
    const writeConflicts = attempt.writeConflicts.all();
    const leaves = await this.#watchedValues(attempt);
    const readVersion = attempt.readVersion;
    let result: CommitResult | null = null;
    if (!writes.isEmpty || !writeConflicts.isEmpty) {
      try {
        result = await this.#context.storage.commit({
          readVersion,
          view: attempt.openedView,
          readConflicts,
          writeConflicts,
          writes,
          options: this.#options,
        });
      } catch (error) {
        if (this.#attempt === attempt && error instanceof ConflictError) this.#conflicts = error.ranges;
        throw error;
      }
    }
    // After a reset or cancel nobody waits for this any more.
    if (this.#attempt !== attempt || attempt.error !== null) return;
    this.#result = result;
    this.#state = "committed";
    this.#stopTimer();
    attempt.closeView();
    const version = result?.version ?? readVersion ?? 0;
    attempt.watches.forEach((watch, index) => {
      watch.start(this.#context.storage, leaves[index], version);
    });
    if (result === null) this.#stamp.fail(noStamp());
    else this.#stamp.give(result.versionstamp);
  }

  /** What the transaction leaves under each watched key. */
  async #watchedValues(attempt: Attempt): Promise<(Uint8Array | undefined)[]> {
    const values: (Uint8Array | undefined)[] = [];
    for (const { key } of attempt.watches) {
      const written = attempt.writes.lookUp(keyText(key));
      if (written?.kind === "known") values.push(written.value);
      else {
        const view = await attempt.view();
        const stored = await view.get(key);
        values.push(written === undefined ? stored : writtenValue(written, stored));
      }
    }
    return values;
  }

  /** The current attempt, if calls are legal now. */
  #use(): Attempt {
    const { error } = this.#attempt;
    if (error !== null) throw error;
    if (this.#state !== "active") {
      throw new TransactionError(
        "USED_DURING_COMMIT",
        "the transaction is committing or has committed. Reset it, or begin another.",
      );
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
      throw new TransactionError(
        "TRANSACTION_TOO_LARGE",
        `with this the transaction would have ${size} bytes of writes and conflict ranges, more than ` +
          `${this.#options.sizeLimitBytes}. Split it into several.`,
      );
    }
    this.#attempt.sizeBytes = size;
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
    // Watches of a transaction that has committed live on.
    if (this.#state === "committed") return;
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
    "INVALID_OPTION_VALUE",
    `the ten bytes of a versionstamp do not fit at offset ${offset} of ${bytes.length} bytes.`,
  );
}
