/**
 * One sorted stream out of several: a binary heap of cursors, ordered by key, then newest version first, then by the
 * sources' order (an earlier source is a newer one). Rows are not collapsed here; that is the reader's or the
 * compaction's business. Moving costs O(log sources) comparisons; no allocation per row.
 */
import { assert } from "../../platform/assert.js";
import { mutant } from "../../platform/probes.js";
import { Cursor } from "../cursor.js";
import { compareBytes, copyOf } from "../format/bytes.js";

export class MergingCursor extends Cursor {
  readonly #sources: readonly Cursor[];
  /** Indexes of the valid sources, as a heap: the first is the current row's. */
  readonly #heap: Int32Array;
  #heapSize = 0;
  #forward = true;

  constructor(sources: readonly Cursor[]) {
    super();
    this.#sources = sources;
    this.#heap = new Int32Array(sources.length);
  }

  seekFirst(): void {
    this.valid = false;
    for (const source of this.#sources) source.seekFirst();
    this.#rebuild(true);
  }

  seekLast(): void {
    this.valid = false;
    for (const source of this.#sources) source.seekLast();
    this.#rebuild(false);
  }

  seekAtOrAfter(key: Uint8Array): void {
    this.valid = false;
    for (const source of this.#sources) source.seekAtOrAfter(key);
    this.#rebuild(true);
  }

  seekBefore(key: Uint8Array): void {
    this.valid = false;
    for (const source of this.#sources) source.seekBefore(key);
    this.#rebuild(false);
  }

  next(): void {
    assert(this.valid, "next needs a current row");
    if (!this.#forward) this.#turn(true);
    this.valid = false;
    const top = this.#sources[this.#heap[0] as number] as Cursor;
    top.next();
    this.#settle(top);
  }

  previous(): void {
    assert(this.valid, "previous needs a current row");
    if (this.#forward) this.#turn(false);
    this.valid = false;
    const top = this.#sources[this.#heap[0] as number] as Cursor;
    top.previous();
    this.#settle(top);
  }

  close(): void {
    for (const source of this.#sources) source.close();
    this.#heapSize = 0;
    this.valid = false;
  }

  /** Places every other source just past the current row in the new direction, then orders the heap anew. */
  #turn(forward: boolean): void {
    const current = this.#heap[0] as number;
    const key = copyOf(this.keyBytes, this.keyStart, this.keyLength);
    const version = this.version;
    this.valid = false;
    this.#sources.forEach((source, index) => {
      if (index === current) return;
      source.seekAtOrAfter(key);
      // Past the rows that come before the current one, and past ties of newer sources.
      while (
        source.valid &&
        sameKey(source, key) &&
        (source.version > version || (source.version === version && index < current))
      ) {
        source.next();
      }
      if (forward) return;
      if (source.valid) source.previous();
      else source.seekLast();
    });
    this.#rebuild(forward);
    assert(this.#heap[0] === current, "turning a merge does not change its current row");
  }

  #rebuild(forward: boolean): void {
    this.#forward = forward;
    this.#heapSize = 0;
    for (let index = 0; index < this.#sources.length; index++) {
      if ((this.#sources[index] as Cursor).valid) this.#heap[this.#heapSize++] = index;
    }
    for (let at = (this.#heapSize >> 1) - 1; at >= 0; at--) this.#siftDown(at);
    this.#show();
  }

  /** Restores the heap after its top has moved. */
  #settle(top: Cursor): void {
    if (!top.valid) this.#heap[0] = this.#heap[--this.#heapSize] as number;
    if (this.#heapSize > 1) this.#siftDown(0);
    this.#show();
  }

  #siftDown(start: number): void {
    const heap = this.#heap;
    const size = this.#heapSize;
    let at = start;
    const moving = heap[at] as number;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#before(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.#before(heap[child] as number, moving)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = moving;
  }

  #before(a: number, b: number): boolean {
    const x = this.#sources[a] as Cursor;
    const y = this.#sources[b] as Cursor;
    let order = compareBytes(x.keyBytes, x.keyStart, x.keyLength, y.keyBytes, y.keyStart, y.keyLength);
    if (order === 0) order = mutant("C14-merge-prefers-older-source") ? b - a : y.version - x.version;
    if (order === 0) order = a - b;
    return this.#forward ? order < 0 : order > 0;
  }

  #show(): void {
    if (this.#heapSize === 0) {
      this.valid = false;
      return;
    }
    const top = this.#sources[this.#heap[0] as number] as Cursor;
    this.showRowOf(top);
  }
}

function sameKey(source: Cursor, key: Uint8Array): boolean {
  return compareBytes(source.keyBytes, source.keyStart, source.keyLength, key, 0, key.length) === 0;
}
