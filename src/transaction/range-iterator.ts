/**
 * A range read row by row, as an asynchronous iterator: steps one after the other also when they are asked for at once, a turn for
 * others after so many rows, and nothing left open when it ends, fails or is left. Does not own: what a row is, and which
 * conflicts it makes (`reads.ts`).
 */
import { andThen } from "./answers.js";
import type { Attempt } from "./attempt.js";
import type { OwnRead } from "./reads.js";
import type { Answer, RowCursor } from "./storage.js";
import type { KeyValue } from "./transaction.js";

/** As in a scan of the store: so many rows, then others have a turn. */
const ROWS_PER_TURN = 256;

type Rows = Pick<RowCursor, "next" | "close">;

export interface RangeSteps {
  /** Called before each step. Throws when there may be none. */
  readonly refresh: () => void;
  readonly open: () => Answer<Rows>;
  readonly turn: () => Promise<void>;
}

export class RangeIterator implements AsyncIterator<KeyValue> {
  readonly #attempt: Attempt;
  readonly #read: OwnRead;
  readonly #steps: RangeSteps;
  #left: number;
  #rows = 0;
  #range: Rows | null = null;
  /** Over when the step under way is. */
  #last: Promise<void> | null = null;

  constructor(attempt: Attempt, read: OwnRead, steps: RangeSteps, limit: number) {
    this.#attempt = attempt;
    this.#read = read;
    this.#steps = steps;
    this.#left = limit;
  }

  next(): Promise<IteratorResult<KeyValue>> {
    // Who asks again before the answer has come gets the row after it.
    if (this.#last !== null) return this.#last.then(() => this.next());
    if (this.#left === 0) return Promise.resolve(DONE);
    try {
      this.#steps.refresh();
    } catch (error) {
      this.#end();
      return Promise.reject(error);
    }
    let isThere = true;
    const answer = this.#attempt.reading(this.#read, () => {
      const isLong = ++this.#rows % ROWS_PER_TURN === 0;
      const step = isLong ? this.#steps.turn().then(() => this.#step()) : this.#step();
      isThere = !(step instanceof Promise);
      return step;
    });
    if (isThere) return answer;
    const done = (): void => {
      this.#last = null;
    };
    this.#last = answer.then(done, done);
    return answer;
  }

  #step(): Answer<IteratorResult<KeyValue>> {
    try {
      const step = andThen(this.#range ?? this.#steps.open(), (range) => {
        this.#range = range;
        return andThen(range.next(), (row) => this.#took(range, row));
      });
      if (!(step instanceof Promise)) return step;
      step.catch(() => this.#end());
      return step;
    } catch (error) {
      this.#end();
      throw error;
    }
  }

  /** After an error, or when the loop is left. */
  #end(): void {
    this.#range?.close();
    this.#left = 0;
  }

  /** Who leaves while a step is under way still gets its row, as from an asynchronous generator. */
  return(): Promise<IteratorResult<KeyValue>> {
    if (this.#last !== null) return this.#last.then(() => this.return());
    this.#end();
    return Promise.resolve(DONE);
  }

  #took(range: Rows, row: KeyValue | null): IteratorResult<KeyValue> {
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
