/**
 * The reads of a reference transaction by their definition: the whole database at the read version, with the transaction's
 * writes so far on top, and then the answer picked out of that. Every read is done when it is asked for, so it sees the
 * writes before it and none after. Reads with conflicts also say which keys the answer depended on.
 */
import { StillwaterError } from "../../../src/platform/errors.js";
import { TransactionError } from "../../../src/transaction/errors.js";
import type { KeySelector } from "../../../src/transaction/key-selector.js";
import { checkRangeEnd, checkReadKey, KEY_BYTES_MAX } from "../../../src/transaction/limits.js";
import type {
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
} from "../../../src/transaction/transaction.js";
import { type KeyRange, rangeOfKey, touches } from "./key-ranges.js";
import { bytesOf, type OwnView, type Row, textOf } from "./replay.js";

/** What the reads need of their transaction. */
export interface ReadingReference {
  /** Begins a read. Throws when the transaction cannot be used. */
  beginRead(): object;
  /** Ends in `TRANSACTION_CANCELLED` when that read belongs to an earlier try. */
  continueRead(attempt: object): void;
  /** What the reads see, as of now. The first call takes the read version. */
  view(isSnapshot: boolean): OwnView;
  /** The same of an empty database: what the reads see of the transaction's own writes. */
  written(isSnapshot: boolean): OwnView;
  openReadVersion(): number;
  readonly keysEnd: Uint8Array;
  addReadConflict(range: KeyRange, view: OwnView): void;
  /** A read that fails makes the commit fail. */
  readFailed(error: unknown): void;
}

export class ReferenceReads implements ReadTransaction {
  readonly #transaction: ReadingReference;
  readonly #isSnapshot: boolean;

  constructor(transaction: ReadingReference, isSnapshot: boolean) {
    this.#transaction = transaction;
    this.#isSnapshot = isSnapshot;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    this.#transaction.beginRead();
    checkReadKey(key, this.#transaction.keysEnd);
    if (key.length > KEY_BYTES_MAX) return undefined;
    return this.#reading(() => this.lookUp(textOf(key)));
  }

  /** What the transaction has set or cleared itself it knows without reading, and without a read version. */
  lookUp(key: string): Uint8Array | undefined {
    const written = this.#transaction.written(this.#isSnapshot);
    const isOwn = touches([...written.known, ...written.unreadable], rangeOfKey(key));
    const view = isOwn ? written : this.#transaction.view(this.#isSnapshot);
    this.#depends(view, rangeOfKey(key));
    const value = view.rows.find((row) => row.key === key)?.value;
    return value && new Uint8Array(value);
  }

  async getKey(selector: KeySelector): Promise<Uint8Array> {
    this.#transaction.beginRead();
    checkRangeEnd(selector.key, this.#transaction.keysEnd);
    return this.#reading(() => bytesOf(this.#find(this.#view(), selector)));
  }

  async getRangeAll(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): Promise<KeyValue[]> {
    const { limit, reverse } = checked(options);
    this.#transaction.beginRead();
    this.#checkBounds(begin, end);
    if (limit === 0) return [];
    return this.#reading(() => {
      const view = this.#view();
      const from = this.#bound(view, begin);
      const to = this.#bound(view, end);
      return this.#rows(view, [from, to], reverse, limit).map(keyValue);
    });
  }

  getRange(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): AsyncIterable<KeyValue> {
    const { limit, reverse } = checked(options);
    const attempt = this.#transaction.beginRead();
    this.#checkBounds(begin, end);
    const [from, to] = [copied(begin), copied(end)];
    return { [Symbol.asyncIterator]: () => this.#iterate(attempt, from, to, reverse, limit) };
  }

  async getReadVersion(): Promise<number> {
    this.#transaction.beginRead();
    return this.#transaction.openReadVersion();
  }

  /** Each step is a read of one row, of what there is by then. */
  async *#iterate(
    attempt: object,
    begin: RangeBound,
    end: RangeBound,
    reverse: boolean,
    limit: number,
  ): AsyncGenerator<KeyValue, undefined, undefined> {
    let span: KeyRange | null = null;
    for (let left = limit; left > 0; left--) {
      this.#transaction.continueRead(attempt);
      const row: Row | undefined = await this.#reading(() => {
        const view = this.#view();
        span ??= [this.#bound(view, begin), this.#bound(view, end)];
        const [found] = this.#rows(view, span, reverse, 1);
        if (found !== undefined) span = reverse ? [span[0], found.key] : [`${found.key}\0`, span[1]];
        return found;
      });
      if (row === undefined) return undefined;
      yield keyValue(row);
    }
    return undefined;
  }

  #view(): OwnView {
    return this.#transaction.view(this.#isSnapshot);
  }

  async #reading<T>(read: () => T): Promise<T> {
    try {
      return read();
    } catch (error) {
      this.#transaction.readFailed(error);
      throw error;
    }
  }

  #rows(view: OwnView, [begin, end]: KeyRange, reverse: boolean, limit: number): Row[] {
    if (begin >= end) return [];
    const all = view.rows.filter(({ key }) => begin <= key && key < end);
    if (reverse) all.reverse();
    const rows = all.slice(0, limit);
    const last = rows.length === limit ? rows[limit - 1] : undefined;
    if (last === undefined) this.#depends(view, [begin, end]);
    else this.#depends(view, reverse ? [last.key, end] : [begin, `${last.key}\0`]);
    return rows;
  }

  #bound(view: OwnView, bound: RangeBound): string {
    if (bound instanceof Uint8Array) return textOf(bound);
    // "The first key at or after k" bounds a range just as k does: nobody needs to know which key it is.
    if (bound.offset === 1) return this.#startOf(bound);
    return this.#find(view, bound);
  }

  /** The key at the selector's place, or the end of the key space on that side. */
  #find(view: OwnView, selector: KeySelector): string {
    const start = this.#startOf(selector);
    const keysEnd = textOf(this.#transaction.keysEnd);
    if (selector.offset > 0) {
      const found = view.rows.filter(({ key }) => start <= key && key < keysEnd)[selector.offset - 1];
      this.#depends(view, found === undefined ? [start, keysEnd] : [start, `${found.key}\0`]);
      return found === undefined ? keysEnd : found.key;
    }
    const found = view.rows.filter(({ key }) => key < start).at(selector.offset - 1);
    this.#depends(view, [found === undefined ? "" : found.key, start]);
    return found === undefined ? "" : found.key;
  }

  /** Where a selector starts to count: at the first key not before this, or downward from the last key before it. */
  #startOf({ key, orEqual }: KeySelector): string {
    const start = orEqual ? `${textOf(key)}\0` : textOf(key);
    const keysEnd = textOf(this.#transaction.keysEnd);
    return start < keysEnd ? start : keysEnd;
  }

  /** The answer is another if one of these keys is. */
  #depends(view: OwnView, range: KeyRange): void {
    if (touches(view.unreadable, range)) {
      throw new TransactionError("ACCESSED_UNREADABLE", "this depends on the versionstamp of the commit.");
    }
    if (!this.#isSnapshot) this.#transaction.addReadConflict(range, view);
  }

  #checkBounds(begin: RangeBound, end: RangeBound): void {
    for (const bound of [begin, end]) {
      checkRangeEnd(bound instanceof Uint8Array ? bound : bound.key, this.#transaction.keysEnd);
    }
  }
}

function copied(bound: RangeBound): RangeBound {
  if (bound instanceof Uint8Array) return new Uint8Array(bound);
  return { ...bound, key: new Uint8Array(bound.key) };
}

function keyValue({ key, value }: Row): KeyValue {
  return [bytesOf(key), new Uint8Array(value)];
}

const RANGE_OPTIONS = ["limit", "reverse", "streamingMode"];
const STREAMING_MODES = ["wantAll", "iterator", "exact", "small", "medium", "large", "serial"];

function checked(options: RangeOptions): { limit: number; reverse: boolean } {
  const { limit = Number.POSITIVE_INFINITY, reverse = false, streamingMode = "iterator" } = options;
  const unknown = Object.keys(options).find((name) => !RANGE_OPTIONS.includes(name));
  if (unknown !== undefined) {
    throw new StillwaterError("UNKNOWN_OPTION", `a range read has no option "${unknown}".`);
  }
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit >= 0)) {
    throw new TransactionError("RANGE_LIMITS_INVALID", `${limit} is no number of rows.`);
  }
  if (typeof reverse !== "boolean" || !STREAMING_MODES.includes(streamingMode)) {
    throw new TransactionError("INVALID_OPTION_VALUE", "no options of a range read.");
  }
  return { limit, reverse };
}
