/**
 * The reads of a transaction, once with conflicts and once without (snapshot reads). Both see the same view, and the
 * transaction's own writes unless it has switched that off.
 */
import { StillwaterError } from "../platform/errors.js";
import { mutant } from "../platform/probes.js";
import { andThen } from "./answers.js";
import type { Attempt } from "./attempt.js";
import { addRead } from "./conflict-ranges.js";
import { TransactionError } from "./errors.js";
import type { KeySelector } from "./key-selector.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import { checkRangeEnd, checkReadKey, KEY_BYTES_MAX } from "./limits.js";
import { MergedRows, type SeenWrites, unreadable, writtenValue } from "./merged-rows.js";
import { RangeIterator } from "./range-iterator.js";
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
  addedReadConflict(attempt: Attempt, begin: string, end: string): void;
  /** Lets others run. */
  turn(): Promise<void>;
}

/** One read, with the writes of its transaction that it sees: those before it was asked for. Null for none. */
export interface OwnRead extends SeenWrites {
  writes: WriteBuffer | null;
}

/** Reads are done at once where the storage answers at once, so that what is written afterwards cannot matter to them. */
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
      checkReadKey(key, this.#transaction.keysEnd);
      if (key.length > KEY_BYTES_MAX) return Promise.resolve(undefined);
      const read = this.#read(attempt);
      return attempt.reading(read, () => this.#get(attempt, read, key));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getKey(selector: KeySelector): Promise<Uint8Array> {
    try {
      const attempt = this.#transaction.useForRead();
      checkRangeEnd(selector.key, this.#transaction.keysEnd);
      const read = this.#read(attempt);
      return attempt.reading(read, () => andThen(this.#find(attempt, read, selector), keyBytes));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getRange(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): AsyncIterable<KeyValue> {
    const { limit, isReverse } = checkRangeOptions(options);
    const attempt = this.#transaction.useForRead();
    const bounds = this.#bounds(begin, end);
    const read = this.#read(attempt);
    const refresh = (): void => {
      if (this.#transaction.useForRead() !== attempt) throw outlived();
      // Each step sees what has been written by then.
      read.writes = this.#read(attempt).writes;
    };
    const open = (): Answer<ConflictingRange> => this.#open(attempt, read, bounds, isReverse);
    const turn = (): Promise<void> => this.#transaction.turn();
    return {
      [Symbol.asyncIterator]: () => new RangeIterator(attempt, read, { refresh, open, turn }, limit),
    };
  }

  getRangeAll(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): Promise<KeyValue[]> {
    try {
      const { limit, isReverse } = checkRangeOptions(options);
      const attempt = this.#transaction.useForRead();
      const bounds = this.#bounds(begin, end);
      if (limit === 0) return Promise.resolve([]);
      const read = this.#read(attempt);
      return attempt.reading(read, () => this.#readAll(attempt, read, bounds, isReverse, limit));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  getReadVersion(): Promise<number> {
    try {
      const attempt = this.#transaction.useForRead();
      return attempt.reading(this.#read(attempt), () => andThen(attempt.view(), ({ version }) => version));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #readAll(
    attempt: Attempt,
    read: OwnRead,
    bounds: readonly [RangeBound, RangeBound],
    isReverse: boolean,
    limit: number,
  ): Answer<KeyValue[]> {
    const [begin, end] = bounds;
    const view = attempt.view();
    // Nothing of its own to mix in, and rows that can be had in one go.
    if (
      !(view instanceof Promise) &&
      view.readRows !== undefined &&
      read.writes?.isEmpty !== false &&
      isBytes(begin) &&
      isBytes(end)
    ) {
      const rows = view.readRows(begin, end, isReverse, limit);
      const [from, to] = [keyText(begin), keyText(end)];
      const last = rows.length < limit ? undefined : rows[rows.length - 1];
      if (!this.#isSnapshot) {
        const farthest = last === undefined ? null : keyText(last[0]);
        if (farthest === null) this.#addConflict(attempt, read, from, to);
        else if (isReverse) this.#addConflict(attempt, read, farthest, to);
        else this.#addConflict(attempt, read, from, keyTextAfter(farthest));
      }
      return rows;
    }
    return andThen(this.#open(attempt, read, bounds, isReverse), (range) => {
      const rows: KeyValue[] = [];
      return andThen(
        visit(range, limit, (row) => rows.push(row)),
        () => rows,
      );
    });
  }

  #read(attempt: Attempt): OwnRead {
    return { writes: this.#transaction.readsOwnWrites(this.#isSnapshot) ? attempt.writes : null };
  }

  #get(attempt: Attempt, read: OwnRead, key: Uint8Array): Answer<Uint8Array | undefined> {
    const at = keyText(key);
    const after = keyTextAfter(at);
    const { writes } = read;
    if (writes?.isUnreadable(at, after) === true) throw unreadable();
    const written = writes?.lookUp(at);
    if (written?.kind === "known") return written.value && new Uint8Array(written.value);
    if (!this.#isSnapshot || mutant("T23-snapshot-read-conflicts"))
      this.#addConflict(attempt, read, at, after);
    const view = attempt.view();
    const stored = view instanceof Promise ? view.then((opened) => opened.get(key)) : view.get(key);
    return written === undefined ? stored : andThen(stored, (below) => writtenValue(written, below));
  }

  /** Checked bounds. */
  #bounds(begin: RangeBound, end: RangeBound): readonly [RangeBound, RangeBound] {
    return [this.#checkedBound(begin), this.#checkedBound(end)];
  }

  /** A copy, since it may be needed later; and the first key at or after another bounds a range just as that other does. */
  #checkedBound(bound: RangeBound): RangeBound {
    const { keysEnd } = this.#transaction;
    if (isBytes(bound)) {
      checkRangeEnd(bound, keysEnd);
      return new Uint8Array(bound);
    }
    checkRangeEnd(bound.key, keysEnd);
    if (bound.offset === 1) return keyBytes(startOf(bound, keyText(keysEnd)));
    return { ...bound, key: new Uint8Array(bound.key) };
  }

  #open(
    attempt: Attempt,
    read: OwnRead,
    [begin, end]: readonly [RangeBound, RangeBound],
    isReverse: boolean,
  ): Answer<ConflictingRange> {
    return andThen(attempt.view(), (view) =>
      andThen(this.#bound(attempt, read, begin), (from) =>
        andThen(this.#bound(attempt, read, end), (to) =>
          this.#range(attempt, read, view, from, to, isReverse),
        ),
      ),
    );
  }

  #range(
    attempt: Attempt,
    read: OwnRead,
    view: StorageView,
    begin: string,
    end: string,
    isReverse: boolean,
  ): ConflictingRange {
    const rows = new MergedRows(view, read, begin, end, isReverse);
    const onRead = (from: string, to: string): void => {
      if (!this.#isSnapshot) this.#addConflict(attempt, read, from, to);
    };
    return new ConflictingRange(attempt, rows, { begin, end, isReverse }, onRead);
  }

  #bound(attempt: Attempt, read: OwnRead, bound: RangeBound): Answer<string> {
    return isBytes(bound) ? keyText(bound) : this.#find(attempt, read, bound);
  }

  /** Walks from the selector's key as many keys as its offset says. */
  #find(attempt: Attempt, read: OwnRead, selector: KeySelector): Answer<string> {
    return andThen(attempt.view(), (view) => {
      const { offset } = selector;
      const isForward = offset > 0;
      const keysEnd = keyText(this.#transaction.keysEnd);
      const start = startOf(selector, keysEnd);
      const range = isForward
        ? this.#range(attempt, read, view, start, keysEnd, false)
        : this.#range(attempt, read, view, "", start, true);
      let found = isForward ? keysEnd : "";
      let left = isForward ? offset : 1 - offset;
      const walked = visit(range, left, ([key]) => {
        if (--left === 0) found = keyText(key);
      });
      return andThen(walked, () => found);
    });
  }

  #addConflict(attempt: Attempt, { writes }: OwnRead, begin: string, end: string): void {
    addRead(attempt.readConflicts, writes, begin, end);
    this.#transaction.addedReadConflict(attempt, begin, end);
  }
}

/** Calls `visitor` with up to `count` rows, and closes the range. */
function visit(range: ConflictingRange, count: number, visitor: (row: KeyValue) => void): Answer<void> {
  let left = count;
  const took = (row: KeyValue | null): boolean => {
    if (row === null) return false;
    visitor(row);
    return --left > 0;
  };
  const step = (): Answer<void> => {
    for (;;) {
      const answer = range.next();
      if (answer instanceof Promise) return answer.then((row) => (took(row) ? step() : undefined));
      if (!took(answer)) return undefined;
    }
  };
  let walked: Answer<void>;
  try {
    walked = step();
  } catch (error) {
    range.close();
    throw error;
  }
  if (walked instanceof Promise) return walked.finally(() => range.close());
  range.close();
  return undefined;
}

/** Where a selector starts to count. */
function startOf({ key, orEqual }: KeySelector, keysEnd: string): string {
  const start = orEqual ? keyTextAfter(keyText(key)) : keyText(key);
  return start < keysEnd ? start : keysEnd;
}

function outlived(): TransactionError {
  return new TransactionError(
    "TRANSACTION_CANCELLED",
    "the range read is of an earlier try of the transaction.",
  );
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
  /** Whether rows came that have not been told of. */
  #hasMoved = false;
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
    if (!this.#hasMoved && !this.#isAtEnd) return;
    this.#hasMoved = false;
    const begin = this.#begin;
    const end = this.#end;
    const last = this.#isAtEnd ? null : this.#rows.lastKey();
    if (last !== null && mutant("T21-range-left-early-conflicts-on-nothing")) return;
    if (last === null) {
      // All of it has been read, or nobody knows how much.
      this.#begin = end;
      this.#onRead(begin, end);
    } else if (this.#isReverse) {
      this.#end = last;
      this.#onRead(last, end);
    } else {
      this.#begin = keyTextAfter(last);
      this.#onRead(begin, this.#begin);
    }
  }

  #took(row: KeyValue | null): KeyValue | null {
    if (row === null) this.#isAtEnd = true;
    else this.#hasMoved = true;
    return row;
  }
}

function isBytes(bound: RangeBound): bound is Uint8Array {
  return bound instanceof Uint8Array;
}

const RANGE_OPTIONS = ["limit", "reverse", "streamingMode"];
const STREAMING_MODES = ["wantAll", "iterator", "exact", "small", "medium", "large", "serial"];

export function checkRangeOptions(options: RangeOptions): { limit: number; isReverse: boolean } {
  for (const name of Object.keys(options)) {
    if (RANGE_OPTIONS.includes(name)) continue;
    throw new StillwaterError(
      "UNKNOWN_OPTION",
      `a range read has no option "${name}". Known: ${RANGE_OPTIONS.join(", ")}.`,
    );
  }
  const { limit = Number.POSITIVE_INFINITY, reverse = false, streamingMode = "iterator" } = options;
  const isLimit = limit === Number.POSITIVE_INFINITY || (Number.isSafeInteger(limit) && limit >= 0);
  if (!isLimit) {
    throw new TransactionError(
      "RANGE_LIMITS_INVALID",
      `${String(limit)} is no number of rows: a whole number of at least 0.`,
    );
  }
  if (typeof reverse !== "boolean" || !STREAMING_MODES.includes(streamingMode)) {
    throw new TransactionError(
      "INVALID_OPTION_VALUE",
      `${JSON.stringify(options)} are no options of a range read.`,
    );
  }
  return { limit, isReverse: reverse };
}
