/**
 * The reads of a transaction, once with conflicts and once without (snapshot reads). Both see the same view, and the
 * transaction's own writes unless it has switched that off.
 */

import type { Attempt } from "./attempt.js";
import { addRead } from "./conflict-ranges.js";
import { TransactionError } from "./errors.js";
import type { KeySelector } from "./key-selector.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import { checkKey, checkRangeEnd } from "./limits.js";
import { MergedRows, unreadable, writtenValue } from "./merged-rows.js";
import type { Answer, StorageView } from "./storage.js";
import type { KeyValue, RangeBound, RangeOptions, ReadTransaction } from "./transaction.js";
import type { WriteBuffer } from "./write-buffer.js";

/** What reads need to know of their transaction. */
export interface ReadingTransaction {
  /** The attempt that a read starting now belongs to. Throws when the transaction cannot be used. */
  useForRead(): Attempt;
  /** The first key that may not be read. */
  readonly keysEnd: Uint8Array;
  readsOwnWrites(isSnapshot: boolean): boolean;
  /** Counts the conflict ranges of a read. */
  addedReadConflict(begin: string, end: string): void;
}

export class Reads implements ReadTransaction {
  readonly #transaction: ReadingTransaction;
  readonly #isSnapshot: boolean;

  constructor(transaction: ReadingTransaction, isSnapshot: boolean) {
    this.#transaction = transaction;
    this.#isSnapshot = isSnapshot;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    try {
      const attempt = this.#transaction.useForRead();
      checkKey(key, this.#transaction.keysEnd);
      return settle(attempt, this.#get(attempt, key));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getKey(selector: KeySelector): Promise<Uint8Array> {
    try {
      const attempt = this.#transaction.useForRead();
      checkRangeEnd(selector.key, this.#transaction.keysEnd);
      return attempt.orEnd(this.#find(attempt, selector).then(keyBytes));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getRange(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): AsyncIterable<KeyValue> {
    const { limit, isReverse } = checkRangeOptions(options);
    const attempt = this.#transaction.useForRead();
    return {
      [Symbol.asyncIterator]: () =>
        new RangeIterator(attempt, () => this.#open(attempt, begin, end, isReverse), limit),
    };
  }

  async getRangeAll(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): Promise<KeyValue[]> {
    const { limit, isReverse } = checkRangeOptions(options);
    const attempt = this.#transaction.useForRead();
    return attempt.orEnd(this.#readAll(attempt, begin, end, isReverse, limit));
  }

  async getReadVersion(): Promise<number> {
    const attempt = this.#transaction.useForRead();
    return attempt.orEnd(Promise.resolve(attempt.view()).then(({ version }) => version));
  }

  async #readAll(
    attempt: Attempt,
    begin: RangeBound,
    end: RangeBound,
    isReverse: boolean,
    limit: number,
  ): Promise<KeyValue[]> {
    const range = await this.#open(attempt, begin, end, isReverse);
    const rows: KeyValue[] = [];
    try {
      while (rows.length < limit) {
        const answer = range.next();
        const row = answer instanceof Promise ? await answer : answer;
        if (row === null) break;
        rows.push(row);
      }
    } finally {
      range.close();
    }
    return rows;
  }

  #get(attempt: Attempt, key: Uint8Array): Answer<Uint8Array | undefined> {
    const at = keyText(key);
    const writes = this.#writes(attempt);
    if (writes?.unreadable.has(at) === true) throw unreadable();
    const written = writes?.lookUp(at);
    if (written?.kind === "known") return written.value && new Uint8Array(written.value);
    if (!this.#isSnapshot) this.#addConflict(attempt, at, keyTextAfter(at));
    const finish = (stored: Uint8Array | undefined): Uint8Array | undefined =>
      written === undefined ? stored : writtenValue(written, stored);
    const view = attempt.view();
    if (view instanceof Promise) return view.then((open) => open.get(key)).then(finish);
    const stored = view.get(key);
    return stored instanceof Promise ? stored.then(finish) : finish(stored);
  }

  async #open(
    attempt: Attempt,
    begin: RangeBound,
    end: RangeBound,
    isReverse: boolean,
  ): Promise<ConflictingRange> {
    const from = await this.#bound(attempt, begin);
    const to = await this.#bound(attempt, end);
    if (isBytes(begin) && isBytes(end) && from > to) {
      throw new TransactionError("INVERTED_RANGE", "the end of the range lies before its begin. Swap them.");
    }
    const view = await attempt.view();
    return this.#range(attempt, view, from, to, isReverse);
  }

  #range(
    attempt: Attempt,
    view: StorageView,
    begin: string,
    end: string,
    isReverse: boolean,
  ): ConflictingRange {
    const rows = new MergedRows(view, this.#writes(attempt), begin, end, isReverse);
    const read = (from: string, to: string): void => {
      if (!this.#isSnapshot) this.#addConflict(attempt, from, to);
    };
    return new ConflictingRange(attempt, rows, { begin, end, isReverse }, read);
  }

  async #bound(attempt: Attempt, bound: RangeBound): Promise<string> {
    const key = isBytes(bound) ? bound : bound.key;
    checkRangeEnd(key, this.#transaction.keysEnd);
    return isBytes(bound) ? keyText(bound) : this.#find(attempt, bound);
  }

  /** Walks from the selector's key as many keys as its offset says. */
  async #find(attempt: Attempt, { key, orEqual, offset }: KeySelector): Promise<string> {
    const view = await attempt.view();
    const start = orEqual ? keyTextAfter(keyText(key)) : keyText(key);
    const isForward = offset > 0;
    const keysEnd = keyText(this.#transaction.keysEnd);
    const range = isForward
      ? this.#range(attempt, view, start, keysEnd, false)
      : this.#range(attempt, view, "", start, true);
    try {
      for (let left = isForward ? offset : 1 - offset; ; left--) {
        const answer = range.next();
        const row = answer instanceof Promise ? await answer : answer;
        if (row === null) return isForward ? keysEnd : "";
        if (left === 1) return keyText(row[0]);
      }
    } finally {
      range.close();
    }
  }

  #writes(attempt: Attempt): WriteBuffer | null {
    return this.#transaction.readsOwnWrites(this.#isSnapshot) ? attempt.writes : null;
  }

  #addConflict(attempt: Attempt, begin: string, end: string): void {
    addRead(attempt.readConflicts, this.#writes(attempt), begin, end);
    this.#transaction.addedReadConflict(begin, end);
  }
}

interface Span {
  readonly begin: string;
  readonly end: string;
  readonly isReverse: boolean;
}

/** Rows of a range that tells how far it has been read: when it is left, and before the transaction writes anything. */
class ConflictingRange {
  readonly #attempt: Attempt;
  readonly #rows: MergedRows;
  readonly #isReverse: boolean;
  readonly #onRead: (begin: string, end: string) => void;
  /** What has been told of is outside [begin, end). */
  #begin: string;
  #end: string;
  #last: Uint8Array | null = null;
  #isAtEnd = false;

  constructor(attempt: Attempt, rows: MergedRows, span: Span, onRead: (begin: string, end: string) => void) {
    this.#attempt = attempt;
    this.#rows = rows;
    this.#begin = span.begin;
    this.#end = span.end;
    this.#isReverse = span.isReverse;
    this.#onRead = onRead;
    attempt.openRanges.add(this);
  }

  next(): Answer<KeyValue | null> {
    const answer = this.#rows.next();
    return answer instanceof Promise ? answer.then((row) => this.#took(row)) : this.#took(answer);
  }

  /** Idempotent. */
  close(): void {
    this.settleConflicts();
    this.#attempt.openRanges.delete(this);
    this.#rows.close();
  }

  settleConflicts(): void {
    const begin = this.#begin;
    const end = this.#end;
    if (this.#isAtEnd) this.#begin = this.#end;
    else if (this.#last === null) return;
    else if (this.#isReverse) this.#end = keyText(this.#last);
    else this.#begin = keyTextAfter(keyText(this.#last));
    this.#last = null;
    if (this.#isReverse && !this.#isAtEnd) this.#onRead(this.#end, end);
    else this.#onRead(begin, this.#begin);
  }

  #took(row: KeyValue | null): KeyValue | null {
    if (row === null) this.#isAtEnd = true;
    else this.#last = row[0];
    return row;
  }
}

class RangeIterator implements AsyncIterator<KeyValue> {
  readonly #attempt: Attempt;
  readonly #open: () => Promise<ConflictingRange>;
  #left: number;
  #range: ConflictingRange | null = null;

  constructor(attempt: Attempt, open: () => Promise<ConflictingRange>, limit: number) {
    this.#attempt = attempt;
    this.#open = open;
    this.#left = limit;
  }

  next(): Promise<IteratorResult<KeyValue>> {
    if (this.#range === null) {
      return this.#attempt.orEnd(
        this.#open().then((range) => {
          this.#range = range;
          return this.#take(range);
        }),
      );
    }
    if (this.#attempt.error !== null) return Promise.reject(this.#attempt.error);
    try {
      const answer = this.#take(this.#range);
      return answer instanceof Promise ? this.#attempt.orEnd(answer) : Promise.resolve(answer);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  return(): Promise<IteratorResult<KeyValue>> {
    this.#range?.close();
    this.#left = 0;
    return Promise.resolve(DONE);
  }

  #take(range: ConflictingRange): Answer<IteratorResult<KeyValue>> {
    if (this.#left === 0) {
      range.close();
      return DONE;
    }
    const answer = range.next();
    return answer instanceof Promise
      ? answer.then((row) => this.#took(range, row))
      : this.#took(range, answer);
  }

  #took(range: ConflictingRange, row: KeyValue | null): IteratorResult<KeyValue> {
    if (row === null) {
      this.#left = 0;
      range.close();
      return DONE;
    }
    if (--this.#left === 0) range.close();
    return { done: false, value: row };
  }
}

const DONE: IteratorResult<KeyValue> = { done: true, value: undefined };

function settle<T>(attempt: Attempt, answer: Answer<T>): Promise<T> {
  return answer instanceof Promise ? attempt.orEnd(answer) : Promise.resolve(answer);
}

function isBytes(bound: RangeBound): bound is Uint8Array {
  return bound instanceof Uint8Array;
}

const RANGE_OPTIONS = ["limit", "reverse", "streamingMode"];
const STREAMING_MODES = ["wantAll", "iterator", "exact", "small", "medium", "large", "serial"];

function checkRangeOptions(options: RangeOptions): { limit: number; isReverse: boolean } {
  for (const name of Object.keys(options)) {
    if (RANGE_OPTIONS.includes(name)) continue;
    throw new TransactionError(
      "INVALID_OPTION_VALUE",
      `a range read has no option "${name}". Known: ${RANGE_OPTIONS.join(", ")}.`,
    );
  }
  const { limit = Number.POSITIVE_INFINITY, reverse = false, streamingMode = "iterator" } = options;
  const isLimit = limit === Number.POSITIVE_INFINITY || (Number.isSafeInteger(limit) && limit >= 0);
  if (!isLimit || typeof reverse !== "boolean" || !STREAMING_MODES.includes(streamingMode)) {
    throw new TransactionError(
      "INVALID_OPTION_VALUE",
      `${JSON.stringify(options)} are no options of a range read.`,
    );
  }
  return { limit, isReverse: reverse };
}
