/**
 * What an iterator keeps alive: memtables, the shape of the tree, tables that its cursor stands in. Apart from the iterator, so that
 * the store can give all of it back when the iterator itself is forgotten. Promise: given back once.
 */
import type { Cursor } from "../cursor.js";
import type { IterationSources } from "./store-iterator.js";

export class IteratorHold {
  /** Rows that the iterator has moved to so far. */
  rowsGiven = 0;
  readonly #sources: IterationSources;
  readonly #cursor: Cursor;
  #isClosed = false;

  constructor(sources: IterationSources, cursor: Cursor) {
    this.#sources = sources;
    this.#cursor = cursor;
    sources.tree.hold();
    for (const segment of sources.segments) segment.pins++;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Idempotent. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#cursor.close();
    this.#sources.tree.release();
    for (const segment of this.#sources.segments) segment.pins--;
    this.#sources.onClose(this);
  }
}
