/**
 * A set of keys made of ranges: disjoint, sorted, neighbours joined. Holds what a transaction has cleared, and what it has
 * read or written as far as conflicts go. The ranges live in chunks of a few hundred, so that adding one costs a search
 * and a short shift wherever it lies; in ascending order, as scans add them, it takes constant time.
 */
import { assert } from "../platform/assert.js";

const CHUNK_RANGES_MAX = 256;

type Range = readonly [begin: string, end: string];

/** Parallel and ascending: range i is [begins[i], ends[i]), and ends[i] < begins[i + 1]. Never empty. */
interface Chunk {
  readonly begins: string[];
  readonly ends: string[];
}

export class RangeSet {
  readonly #chunks: Chunk[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get isEmpty(): boolean {
    return this.#size === 0;
  }

  add(begin: string, end: string): void {
    if (begin >= end) return;
    const last = this.#chunks[this.#chunks.length - 1];
    if (last === undefined || begin > (last.ends[last.ends.length - 1] as string))
      this.#push(last, begin, end);
    else this.#insert(begin, end);
  }

  /** Takes [begin, end) out. O(ranges) when there is anything to take. */
  remove(begin: string, end: string): void {
    if (!this.touches(begin, end)) return;
    const before = this.#chunks.splice(0);
    this.#size = 0;
    for (const { begins, ends } of before) {
      for (let i = 0; i < begins.length; i++) {
        const from = begins[i] as string;
        const to = ends[i] as string;
        this.add(from, to < begin ? to : begin);
        this.add(from > end ? from : end, to);
      }
    }
  }

  copy(): RangeSet {
    const copy = new RangeSet();
    for (const { begins, ends } of this.#chunks) copy.#chunks.push({ begins: [...begins], ends: [...ends] });
    copy.#size = this.#size;
    return copy;
  }

  has(key: string): boolean {
    return this.rangeOf(key) !== null;
  }

  /** The range that holds `key`. */
  rangeOf(key: string): Range | null {
    const last = this.#lastAtOrBefore(key, true);
    return last !== null && last[1] > key ? last : null;
  }

  /** The first range that begins after `key`. */
  nextAfter(key: string): Range | null {
    // The chunk after the last one that begins at or before `key`, or inside that one.
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk !== undefined) {
      const index = upperBound(chunk.begins, key);
      if (index < chunk.begins.length) return rangeAt(chunk, index);
    }
    const next = this.#chunks[at + 1];
    return next === undefined ? null : rangeAt(next, 0);
  }

  /** The last range that begins before `key`. */
  lastBefore(key: string): Range | null {
    return this.#lastAtOrBefore(key, false);
  }

  /** Whether any key of [begin, end) is in a range. */
  touches(begin: string, end: string): boolean {
    const last = this.lastBefore(end);
    return begin < end && last !== null && last[1] > begin;
  }

  *[Symbol.iterator](): IterableIterator<Range> {
    for (const { begins, ends } of this.#chunks) {
      for (let i = 0; i < begins.length; i++) yield [begins[i] as string, ends[i] as string];
    }
  }

  /** As the iteration, without objects. */
  forEach(visit: (begin: string, end: string) => void): void {
    for (const { begins, ends } of this.#chunks) {
      for (let i = 0; i < begins.length; i++) visit(begins[i] as string, ends[i] as string);
    }
  }

  #push(last: Chunk | undefined, begin: string, end: string): void {
    this.#size++;
    if (last === undefined || last.begins.length === CHUNK_RANGES_MAX) {
      this.#chunks.push({ begins: [begin], ends: [end] });
    } else {
      last.begins.push(begin);
      last.ends.push(end);
    }
  }

  #insert(begin: string, end: string): void {
    // The first range that touches the new one is the first that does not end before it.
    let at = this.#chunkEndingAt(begin);
    const place = this.#chunks[at];
    assert(place !== undefined, "what lies behind all ranges is pushed");
    const index = lowerBound(place.ends, begin);
    let low = begin;
    let high = end;
    let chunk: Chunk | undefined = place;
    let first = index;
    while (chunk !== undefined) {
      let after = first;
      while (after < chunk.begins.length && (chunk.begins[after] as string) <= end) {
        if ((chunk.begins[after] as string) < low) low = chunk.begins[after] as string;
        if ((chunk.ends[after] as string) > high) high = chunk.ends[after] as string;
        after++;
      }
      const isDone = after < chunk.begins.length;
      chunk.begins.splice(first, after - first);
      chunk.ends.splice(first, after - first);
      this.#size -= after - first;
      if (chunk !== place && chunk.begins.length === 0) this.#chunks.splice(at, 1);
      else at++;
      if (isDone) break;
      chunk = this.#chunks[at];
      first = 0;
    }
    place.begins.splice(index, 0, low);
    place.ends.splice(index, 0, high);
    this.#size++;
    if (place.begins.length > CHUNK_RANGES_MAX) this.#split(place);
  }

  #split(chunk: Chunk): void {
    const half = chunk.begins.length >> 1;
    const begins = chunk.begins.splice(half);
    const ends = chunk.ends.splice(half);
    this.#chunks.splice(this.#chunkOf(begins[0] as string) + 1, 0, { begins, ends });
  }

  #lastAtOrBefore(key: string, isAt: boolean): Range | null {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return null;
    const index = (isAt ? upperBound(chunk.begins, key) : lowerBound(chunk.begins, key)) - 1;
    if (index >= 0) return rangeAt(chunk, index);
    const before = this.#chunks[at - 1];
    return before === undefined ? null : rangeAt(before, before.begins.length - 1);
  }

  /** The last chunk that begins at or before `key`; −1 when none does. */
  #chunkOf(key: string): number {
    let low = -1;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (((this.#chunks[middle] as Chunk).begins[0] as string) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The first chunk whose last range ends at or after `key`. */
  #chunkEndingAt(key: string): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const { ends } = this.#chunks[middle] as Chunk;
      if ((ends[ends.length - 1] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function rangeAt({ begins, ends }: Chunk, index: number): Range {
  return [begins[index] as string, ends[index] as string];
}

/** Index of the first element that is not below `key`. */
function lowerBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Index of the first element above `key`. */
function upperBound(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] as string) <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}
