/** Rows of a range as an iterable: `for (const [key, value] of store.scan(…))`, or `for await` in pages. */
import type { StoreIterator } from "./read/store-iterator.js";

/** A key and its value. */
export type Row = [key: Uint8Array, value: Uint8Array];

/** Rows that an asynchronous scan reads before it lets other work run. */
const PAGE_ROWS = 256;

/**
 * Lazily opens its iterator with the first row, so a scan that is never started holds nothing; each iteration starts
 * anew. Leaving a loop early closes the iterator.
 */
export class Scan implements Iterable<Row>, AsyncIterable<Row> {
  readonly #open: () => StoreIterator;
  readonly #yieldTurn: () => Promise<void>;

  constructor(open: () => StoreIterator, yieldTurn: () => Promise<void>) {
    this.#open = open;
    this.#yieldTurn = yieldTurn;
  }

  *[Symbol.iterator](): Iterator<Row> {
    const iterator = this.#open();
    try {
      while (iterator.next()) yield [iterator.key, iterator.value];
    } finally {
      iterator.close();
    }
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Row> {
    const iterator = this.#open();
    try {
      for (let rows = 1; iterator.next(); rows++) {
        yield [iterator.key, iterator.value];
        if (rows % PAGE_ROWS === 0) await this.#yieldTurn();
      }
    } finally {
      iterator.close();
    }
  }

  /** All rows at once. */
  toArray(): Row[] {
    return [...this];
  }
}
