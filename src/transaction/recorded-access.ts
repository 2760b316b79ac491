/**
 * The reads and writes of a transaction with a tally: what has been read and written is counted, and for hooks the writes are
 * kept in order. Two of these share one tally, the user's and the one for hooks, each with its own rule of when it may be used.
 * Knows any `Transaction` below; owns no commit.
 */
import type { Clock } from "../platform/platform.js";
import type { AtomicOperation } from "./atomic.js";
import type { HookTransaction, WrittenMutation } from "./commit-hooks.js";
import type { KeySelector } from "./key-selector.js";
import type {
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
  Transaction,
  Watch,
} from "./transaction.js";
import { noReads, noTimings, noWrites } from "./transaction-observer.js";

/** What one transaction has done. */
export class Tally {
  readonly clock: Clock;
  readonly reads = noReads();
  readonly timings = noTimings();
  writes = noWrites();
  /** Null: nobody will ask for them. */
  mutations: WrittenMutation[] | null;

  constructor(clock: Clock, keepsMutations: boolean) {
    this.clock = clock;
    this.mutations = keepsMutations ? [] : null;
  }

  /** The next try begins: nothing is written yet. */
  forgetWrites(): void {
    this.writes = noWrites();
    if (this.mutations !== null) this.mutations = [];
  }
}

/** Throws when the access is not to be used now. */
export type Check = () => void;

class RecordedReads implements ReadTransaction {
  readonly #inner: ReadTransaction;
  readonly #tally: Tally;
  readonly #check: Check;

  constructor(inner: ReadTransaction, tally: Tally, check: Check) {
    this.#inner = inner;
    this.#tally = tally;
    this.#check = check;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#check();
    const value = await this.#timed(this.#inner.get(key));
    this.#tally.reads.points++;
    this.#tally.reads.bytes += key.length + (value?.length ?? 0);
    return value;
  }

  async getKey(selector: KeySelector): Promise<Uint8Array> {
    this.#check();
    const key = await this.#timed(this.#inner.getKey(selector));
    this.#tally.reads.points++;
    this.#tally.reads.bytes += key.length;
    return key;
  }

  getRange(begin: RangeBound, end: RangeBound, options?: RangeOptions): AsyncIterable<KeyValue> {
    this.#check();
    const range = this.#inner.getRange(begin, end, options);
    return { [Symbol.asyncIterator]: () => this.#rows(range) };
  }

  async getRangeAll(begin: RangeBound, end: RangeBound, options?: RangeOptions): Promise<KeyValue[]> {
    this.#check();
    const rows = await this.#timed(this.#inner.getRangeAll(begin, end, options));
    this.#readRange(rows.length);
    for (const row of rows) this.#readRow(row);
    return rows;
  }

  async getReadVersion(): Promise<number> {
    this.#check();
    return this.#timed(this.#inner.getReadVersion());
  }

  async *#rows(range: AsyncIterable<KeyValue>): AsyncGenerator<KeyValue, void, void> {
    const iterator = range[Symbol.asyncIterator]();
    let count = 0;
    try {
      for (;;) {
        const next = await this.#timed(iterator.next());
        if (next.done === true) return;
        count++;
        this.#readRow(next.value);
        yield next.value;
      }
    } finally {
      this.#readRange(count);
      await iterator.return?.();
    }
  }

  #readRange(rows: number): void {
    this.#tally.reads.ranges++;
    if (rows === 0) this.#tally.reads.emptyRanges++;
  }

  #readRow([key, value]: KeyValue): void {
    this.#tally.reads.rows++;
    this.#tally.reads.bytes += key.length + value.length;
  }

  async #timed<T>(promise: Promise<T>): Promise<T> {
    const { clock, timings } = this.#tally;
    const startMs = clock.nowMs();
    try {
      return await promise;
    } finally {
      timings.readsMs += clock.nowMs() - startMs;
    }
  }
}

export class RecordedAccess extends RecordedReads implements HookTransaction {
  readonly snapshot: ReadTransaction;
  readonly #inner: Transaction;
  readonly #tally: Tally;
  readonly #check: Check;

  constructor(inner: Transaction, tally: Tally, check: Check) {
    super(inner, tally, check);
    this.snapshot = new RecordedReads(inner.snapshot, tally, check);
    this.#inner = inner;
    this.#tally = tally;
    this.#check = check;
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#check();
    this.#inner.set(key, value);
    this.#tally.writes.sets++;
    this.#wrote(key.length + value.length, () => ({ type: "set", key: copy(key), value: copy(value) }));
  }

  clear(key: Uint8Array): void {
    this.#check();
    this.#inner.clear(key);
    this.#tally.writes.clears++;
    this.#wrote(key.length, () => ({ type: "clear", key: copy(key) }));
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    this.#check();
    this.#inner.clearRange(begin, end);
    this.#tally.writes.rangeClears++;
    this.#wrote(begin.length + end.length, () => ({
      type: "clearRange",
      begin: copy(begin),
      end: copy(end),
    }));
  }

  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void {
    this.#check();
    this.#inner.atomic(operation, key, operand);
    this.#tally.writes.atomics++;
    this.#wrote(key.length + operand.length, () => ({
      type: "atomic",
      operation,
      key: copy(key),
      operand: copy(operand),
    }));
  }

  setVersionstampedKey(key: Uint8Array, offset: number, value: Uint8Array): void {
    this.#check();
    this.#inner.setVersionstampedKey(key, offset, value);
    this.#wroteStamped("setVersionstampedKey", key, value, offset);
  }

  setVersionstampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    this.#check();
    this.#inner.setVersionstampedValue(key, value, offset);
    this.#wroteStamped("setVersionstampedValue", key, value, offset);
  }

  addReadConflictRange(begin: Uint8Array, end: Uint8Array): void {
    this.#check();
    this.#inner.addReadConflictRange(begin, end);
  }

  addReadConflictKey(key: Uint8Array): void {
    this.#check();
    this.#inner.addReadConflictKey(key);
  }

  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void {
    this.#check();
    this.#inner.addWriteConflictRange(begin, end);
  }

  addWriteConflictKey(key: Uint8Array): void {
    this.#check();
    this.#inner.addWriteConflictKey(key);
  }

  skipNextWriteConflict(): void {
    this.#check();
    this.#inner.skipNextWriteConflict();
  }

  watch(key: Uint8Array): Watch {
    this.#check();
    return this.#inner.watch(key);
  }

  getApproximateSize(): number {
    return this.#inner.getApproximateSize();
  }

  #wroteStamped(
    type: "setVersionstampedKey" | "setVersionstampedValue",
    key: Uint8Array,
    value: Uint8Array,
    offset: number,
  ): void {
    this.#tally.writes.sets++;
    this.#wrote(key.length + value.length, () => ({ type, key: copy(key), value: copy(value), offset }));
  }

  #wrote(bytes: number, mutation: () => WrittenMutation): void {
    this.#tally.writes.bytes += bytes;
    this.#tally.mutations?.push(mutation());
  }
}

function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
