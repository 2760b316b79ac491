/**
 * The rows that a transaction sees in a range: those of its view, changed by what it has written. One pass in either
 * direction, reading no more of the view than it is asked for; a range that the transaction has cleared costs one row.
 * Answers at once where the view does, so that a scan in memory makes no promises.
 */
import { assert } from "../platform/assert.js";
import { applyAtomic } from "./atomic.js";
import { TransactionError } from "./errors.js";
import { keyBytes, keyText, keyTextAfter } from "./key-text.js";
import type { Answer, RowCursor, StorageView } from "./storage.js";
import type { KeyValue } from "./transaction.js";
import type { WriteBuffer, WrittenKey } from "./write-buffer.js";

/** What a read sees of the transaction's writes; null for nothing. A read that goes on later may be given others. */
export interface SeenWrites {
  readonly writes: WriteBuffer | null;
}

export class MergedRows {
  readonly #view: StorageView;
  readonly #seen: SeenWrites;
  readonly #reverse: boolean;
  /** What is left: [begin, end), of which rows and written keys that were passed are no part any more. */
  #begin: string;
  #end: string;
  #stored: RowCursor | null = null;
  /** The next row of the view, and its key; not loaded, or at its end. */
  #row: KeyValue | null = null;
  #rowKey = "";
  #isLoaded = false;
  /** The key that came last, unless it is where the cursor stands. */
  #last = "";
  #isAtCursor = false;

  /** Rows of [begin, end). */
  constructor(view: StorageView, seen: SeenWrites, begin: string, end: string, reverse: boolean) {
    this.#view = view;
    this.#seen = seen;
    this.#begin = begin;
    this.#end = end;
    this.#reverse = reverse;
  }

  /** Throws `ACCESSED_UNREADABLE` for a row beyond what the versionstamp decides. */
  next(): Answer<KeyValue | null> {
    return this.#isLoaded || this.#seen.writes?.isEmpty === false ? this.#nextMerged() : this.#nextStored();
  }

  /** Nothing has been written, so the rows are those of the view. */
  #nextStored(): Answer<KeyValue | null> {
    if (this.#begin >= this.#end) return null;
    const answer = this.#cursor().next();
    return answer instanceof Promise ? answer.then((row) => this.#tookStored(row)) : this.#tookStored(answer);
  }

  #tookStored(row: KeyValue | null): KeyValue | null {
    if (row === null) this.#begin = this.#end;
    else this.#isAtCursor = true;
    return row;
  }

  #nextMerged(): Answer<KeyValue | null> {
    const last = this.#isAtCursor ? this.lastKey() : null;
    if (last !== null) this.#moveBehind(last);
    for (;;) {
      if (this.#begin >= this.#end) return null;
      if (!this.#isLoaded) {
        const loading = this.#load();
        if (loading !== null) return loading.then(() => this.next());
      }
      const written = this.#nextWritten();
      if (written !== null && (this.#row === null || this.#comesFirst(written, this.#rowKey))) {
        const stored = written === this.#rowKey ? this.#row?.[1] : undefined;
        if (written === this.#rowKey) this.#isLoaded = false;
        this.#pass(written);
        const entry = this.#seen.writes?.lookUp(written);
        assert(entry !== undefined, "a written key has an entry");
        const value = writtenValue(entry, stored);
        if (value !== undefined) return [keyBytes(written), value];
        continue;
      }
      const row = this.#row;
      if (row === null) {
        this.#checkReadable(this.#begin, this.#end);
        return null;
      }
      if (this.#seen.writes?.isEmpty === false && this.#seen.writes.lookUp(this.#rowKey) !== undefined) {
        this.#skipCleared();
        continue;
      }
      this.#pass(this.#rowKey);
      this.#isLoaded = false;
      return row;
    }
  }

  /** The key of the row that came last, which the caller may have changed meanwhile; null when that is not known any more. */
  lastKey(): string | null {
    return this.#isAtCursor ? (this.#stored?.lastKey() ?? null) : this.#last;
  }

  close(): void {
    this.#stored?.close();
    this.#stored = null;
    this.#begin = this.#end;
  }

  /** Null when the row was there at once. */
  #load(): Promise<void> | null {
    const answer = this.#cursor().next();
    if (answer instanceof Promise) return answer.then((row) => this.#loaded(row));
    this.#loaded(answer);
    return null;
  }

  #cursor(): RowCursor {
    this.#stored ??= this.#view.rows(keyBytes(this.#begin), keyBytes(this.#end), this.#reverse);
    return this.#stored;
  }

  #loaded(row: KeyValue | null): void {
    this.#row = row;
    this.#rowKey = row === null ? "" : keyText(row[0]);
    this.#isLoaded = true;
  }

  #nextWritten(): string | null {
    if (this.#seen.writes === null || this.#seen.writes.isEmpty) return null;
    const key = this.#reverse
      ? this.#seen.writes.previousKey(this.#end)
      : this.#seen.writes.nextKey(this.#begin);
    return key !== null && key >= this.#begin && key < this.#end ? key : null;
  }

  #comesFirst(written: string, row: string): boolean {
    return this.#reverse ? written >= row : written <= row;
  }

  #pass(key: string): void {
    if (this.#reverse) this.#checkReadable(key, this.#end);
    else this.#checkReadable(this.#begin, keyTextAfter(key));
    this.#moveBehind(key);
  }

  #moveBehind(key: string): void {
    this.#last = key;
    this.#isAtCursor = false;
    if (this.#reverse) this.#end = key;
    else this.#begin = keyTextAfter(key);
  }

  #checkReadable(begin: string, end: string): void {
    if (this.#seen.writes?.isUnreadable(begin, end) === true) throw unreadable();
  }

  /** The row lies in a cleared range, in which nothing of the view counts: goes on behind it. Written keys there still come. */
  #skipCleared(): void {
    const cleared = this.#seen.writes?.cleared.rangeOf(this.#rowKey) ?? null;
    assert(cleared !== null, "what is known to be absent without an entry lies in a cleared range");
    this.#stored?.close();
    const [begin, end] = cleared;
    this.#stored = this.#reverse
      ? this.#view.rows(keyBytes(this.#begin), keyBytes(begin > this.#begin ? begin : this.#begin), true)
      : this.#view.rows(keyBytes(end < this.#end ? end : this.#end), keyBytes(this.#end), false);
    this.#isLoaded = false;
  }
}

/** The value of a written key, given what is stored, in an array of its own. Throws `ACCESSED_UNREADABLE`. */
export function writtenValue(written: WrittenKey, stored: Uint8Array | undefined): Uint8Array | undefined {
  if (written.kind === "known") return written.value && new Uint8Array(written.value);
  let value = stored;
  for (const step of written.steps) {
    if (step.operation === "setStamped") throw unreadable();
    value = applyAtomic(step.operation, value, step.operand);
  }
  return value && new Uint8Array(value);
}

export function unreadable(): TransactionError {
  return new TransactionError(
    "ACCESSED_UNREADABLE",
    "this depends on the versionstamp that the transaction will get when it commits. Read it in another transaction.",
  );
}
