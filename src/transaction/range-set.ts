/**
 * A set of keys made of ranges: disjoint, sorted, neighbours joined. Holds what a transaction has cleared, and what it has
 * read or written as far as conflicts go. Adding in ascending order, as scans do, takes constant time.
 */

export class RangeSet {
  /** Parallel and ascending: range i is [begins[i], ends[i]), and ends[i] < begins[i + 1]. */
  readonly #begins: string[] = [];
  readonly #ends: string[] = [];

  get size(): number {
    return this.#begins.length;
  }

  get isEmpty(): boolean {
    return this.#begins.length === 0;
  }

  add(begin: string, end: string): void {
    if (begin >= end) return;
    const last = this.#ends.length - 1;
    if (last < 0 || begin > (this.#ends[last] as string)) {
      this.#begins.push(begin);
      this.#ends.push(end);
      return;
    }
    // Every range from `first` up to `after` touches the new one.
    const first = lowerBound(this.#ends, begin);
    let after = first;
    let low = begin;
    let high = end;
    while (after < this.#begins.length && (this.#begins[after] as string) <= end) {
      if ((this.#begins[after] as string) < low) low = this.#begins[after] as string;
      if ((this.#ends[after] as string) > high) high = this.#ends[after] as string;
      after++;
    }
    this.#begins.splice(first, after - first, low);
    this.#ends.splice(first, after - first, high);
  }

  /** Takes [begin, end) out. O(ranges). */
  remove(begin: string, end: string): void {
    if (!this.touches(begin, end)) return;
    const before = [...this];
    this.clear();
    for (const [from, to] of before) {
      this.add(from, to < begin ? to : begin);
      this.add(from > end ? from : end, to);
    }
  }

  copy(): RangeSet {
    const copy = new RangeSet();
    copy.#begins.push(...this.#begins);
    copy.#ends.push(...this.#ends);
    return copy;
  }

  has(key: string): boolean {
    return this.rangeOf(key) !== null;
  }

  /** The range that holds `key`. */
  rangeOf(key: string): readonly [begin: string, end: string] | null {
    const index = upperBound(this.#ends, key);
    return index < this.#begins.length && (this.#begins[index] as string) <= key ? this.#at(index) : null;
  }

  /** The first range that begins after `key`. */
  nextAfter(key: string): readonly [begin: string, end: string] | null {
    const index = upperBound(this.#begins, key);
    return this.#at(index);
  }

  /** The last range that begins before `key`. */
  lastBefore(key: string): readonly [begin: string, end: string] | null {
    return this.#at(lowerBound(this.#begins, key) - 1);
  }

  /** Whether any key of [begin, end) is in a range. */
  touches(begin: string, end: string): boolean {
    const last = this.lastBefore(end);
    return begin < end && last !== null && last[1] > begin;
  }

  *[Symbol.iterator](): IterableIterator<readonly [begin: string, end: string]> {
    for (let i = 0; i < this.#begins.length; i++) yield [this.#begins[i] as string, this.#ends[i] as string];
  }

  #at(index: number): readonly [begin: string, end: string] | null {
    const begin = this.#begins[index];
    return begin === undefined ? null : [begin, this.#ends[index] as string];
  }

  clear(): void {
    this.#begins.length = 0;
    this.#ends.length = 0;
  }
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
