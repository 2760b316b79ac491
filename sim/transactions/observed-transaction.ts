/**
 * A transaction with somebody who listens: every call goes on to the real one and into the log of its try, every answer
 * too. Changes nothing. Does not own: commits as the storage sees them (`observed-storage.ts`), judging.
 */
import type { AtomicOperation } from "../../src/transaction/atomic.js";
import type { KeySelector } from "../../src/transaction/key-selector.js";
import type { TransactionOptions } from "../../src/transaction/options.js";
import type {
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
  Transaction,
  Watch,
} from "../../src/transaction/transaction.js";
import { keyText } from "../workload/bytes.js";
import type { AttemptLog, LoggedBound, LoggedRange, LoggedRow } from "./attempt-log.js";
import { afterKey } from "./versioned-map.js";

export interface TransactionListener {
  /** The log of the try that begins now. */
  begins(): AttemptLog;
  /** A read has been answered. May throw. */
  hasRead(log: AttemptLog): void;
}

class ObservedReads implements ReadTransaction {
  readonly #inner: ReadTransaction;
  readonly #isSnapshot: boolean;
  readonly #listener: TransactionListener;
  readonly #log: () => AttemptLog;

  constructor(
    inner: ReadTransaction,
    isSnapshot: boolean,
    listener: TransactionListener,
    log: () => AttemptLog,
  ) {
    this.#inner = inner;
    this.#isSnapshot = isSnapshot;
    this.#listener = listener;
    this.#log = log;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const log = this.#log();
    const entry = {
      kind: "get" as const,
      isSnapshot: this.#isSnapshot,
      key: keyText(key),
      answer: null as { value: string | undefined } | null,
    };
    log.calls.push(entry);
    const value = await this.#inner.get(key);
    entry.answer = { value: value === undefined ? undefined : keyText(value) };
    this.#listener.hasRead(log);
    return value;
  }

  async getKey(selector: KeySelector): Promise<Uint8Array> {
    const log = this.#log();
    const { orEqual, offset } = selector;
    const entry = {
      kind: "select" as const,
      isSnapshot: this.#isSnapshot,
      bound: { key: keyText(selector.key), orEqual, offset },
      answer: null as { key: string } | null,
    };
    log.calls.push(entry);
    const key = await this.#inner.getKey(selector);
    entry.answer = { key: keyText(key) };
    this.#listener.hasRead(log);
    return key;
  }

  async getRangeAll(begin: RangeBound, end: RangeBound, options?: RangeOptions): Promise<KeyValue[]> {
    const log = this.#log();
    const entry = this.#range(log, begin, end, options);
    const rows = await this.#inner.getRangeAll(begin, end, options);
    const limit = options?.limit ?? Number.POSITIVE_INFINITY;
    entry.answer = { rows: rows.map(textRow), isWhole: rows.length < limit };
    this.#listener.hasRead(log);
    return rows;
  }

  async *getRange(
    begin: RangeBound,
    end: RangeBound,
    options?: RangeOptions,
  ): AsyncGenerator<KeyValue, void, undefined> {
    const log = this.#log();
    const entry = this.#range(log, begin, end, options);
    const rows: LoggedRow[] = [];
    const limit = options?.limit ?? Number.POSITIVE_INFINITY;
    for await (const row of this.#inner.getRange(begin, end, options)) {
      rows.push(textRow(row));
      entry.answer = { rows: [...rows], isWhole: false };
      this.#listener.hasRead(log);
      yield row;
    }
    entry.answer = { rows, isWhole: rows.length < limit };
    this.#listener.hasRead(log);
  }

  getReadVersion(): Promise<number> {
    return this.#inner.getReadVersion();
  }

  #range(
    log: AttemptLog,
    begin: RangeBound,
    end: RangeBound,
    options: RangeOptions | undefined,
  ): LoggedRange {
    const entry: LoggedRange = {
      kind: "range",
      isSnapshot: this.#isSnapshot,
      begin: boundText(begin),
      end: boundText(end),
      reverse: options?.reverse ?? false,
      answer: null,
    };
    log.calls.push(entry);
    return entry;
  }
}

export class ObservedTransaction implements Transaction {
  readonly snapshot: ReadTransaction;
  readonly #inner: Transaction;
  readonly #listener: TransactionListener;
  readonly #reads: ReadTransaction;
  #log: AttemptLog;

  constructor(inner: Transaction, listener: TransactionListener) {
    this.#inner = inner;
    this.#listener = listener;
    this.#log = listener.begins();
    const log = (): AttemptLog => this.#log;
    this.#reads = new ObservedReads(inner, false, listener, log);
    this.snapshot = new ObservedReads(inner.snapshot, true, listener, log);
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
    return this.#inner.getReadVersion();
  }

  set(key: Uint8Array, value: Uint8Array): void {
    this.#inner.set(key, value);
    this.#log.calls.push({ kind: "set", key: keyText(key), value: keyText(value) });
  }

  clear(key: Uint8Array): void {
    this.#inner.clear(key);
    this.#log.calls.push({ kind: "clear", key: keyText(key) });
  }

  clearRange(begin: Uint8Array, end: Uint8Array): void {
    this.#inner.clearRange(begin, end);
    this.#log.calls.push({ kind: "clearRange", begin: keyText(begin), end: keyText(end) });
  }

  atomic(operation: AtomicOperation, key: Uint8Array, operand: Uint8Array): void {
    this.#inner.atomic(operation, key, operand);
    this.#log.calls.push({ kind: "atomic", operation, key: keyText(key), operand: keyText(operand) });
  }

  setVersionstampedKey(key: Uint8Array, offset: number, value: Uint8Array): void {
    this.#inner.setVersionstampedKey(key, offset, value);
    this.#log.calls.push({ kind: "stampKey", key: keyText(key), offset, value: keyText(value) });
  }

  setVersionstampedValue(key: Uint8Array, value: Uint8Array, offset: number): void {
    this.#inner.setVersionstampedValue(key, value, offset);
    this.#log.calls.push({ kind: "stampValue", key: keyText(key), offset, value: keyText(value) });
  }

  addReadConflictRange(begin: Uint8Array, end: Uint8Array): void {
    this.#inner.addReadConflictRange(begin, end);
    this.#log.calls.push({ kind: "readConflict", begin: keyText(begin), end: keyText(end) });
  }

  addReadConflictKey(key: Uint8Array): void {
    this.#inner.addReadConflictKey(key);
    this.#log.calls.push({ kind: "readConflict", begin: keyText(key), end: afterKey(keyText(key)) });
  }

  addWriteConflictRange(begin: Uint8Array, end: Uint8Array): void {
    this.#inner.addWriteConflictRange(begin, end);
    this.#log.calls.push({ kind: "writeConflict", begin: keyText(begin), end: keyText(end) });
  }

  addWriteConflictKey(key: Uint8Array): void {
    this.#inner.addWriteConflictKey(key);
    this.#log.calls.push({ kind: "writeConflict", begin: keyText(key), end: afterKey(keyText(key)) });
  }

  skipNextWriteConflict(): void {
    this.#inner.skipNextWriteConflict();
    this.#log.calls.push({ kind: "skipConflict" });
  }

  watch(key: Uint8Array): Watch {
    const watch = this.#inner.watch(key);
    // It reads, and keeps the answer to itself.
    this.#log.calls.push({ kind: "get", isSnapshot: false, key: keyText(key), answer: null });
    return watch;
  }

  setReadVersion(version: number): void {
    this.#inner.setReadVersion(version);
  }

  setOptions(options: TransactionOptions): void {
    this.#inner.setOptions(options);
  }

  commit(): Promise<void> {
    return this.#inner.commit();
  }

  async onError(error: unknown): Promise<void> {
    await this.#inner.onError(error);
    this.#log = this.#listener.begins();
  }

  reset(): void {
    this.#inner.reset();
    this.#log = this.#listener.begins();
  }

  cancel(): void {
    this.#inner.cancel();
  }

  getCommittedVersion(): number {
    return this.#inner.getCommittedVersion();
  }

  getVersionstamp(): Promise<Uint8Array> {
    return this.#inner.getVersionstamp();
  }

  getApproximateSize(): number {
    return this.#inner.getApproximateSize();
  }

  getConflictingRanges(): readonly (readonly [begin: Uint8Array, end: Uint8Array])[] {
    return this.#inner.getConflictingRanges();
  }
}

function boundText(bound: RangeBound): LoggedBound {
  if (bound instanceof Uint8Array) return keyText(bound);
  return { key: keyText(bound.key), orEqual: bound.orEqual, offset: bound.offset };
}

function textRow([key, value]: KeyValue): LoggedRow {
  return [keyText(key), keyText(value)];
}
