/**
 * Keys in order, built up one by one. New keys wait unsorted until somebody asks for the order, at most a few hundred;
 * then they go into a small sorted list, which is joined with the large one when it has grown to the square root of that.
 * So a transaction that only writes sorts next to nothing, a million keys cost little more than sorting them once, and no
 * single call costs much more than others. Keys are never taken out; who owns the set knows which still count.
 */

const FRESH_MAX = 512;
const RECENT_MIN = 1_024;

export class SortedKeys {
  #main: string[] = [];
  #recent: string[] = [];
  #fresh: string[] = [];

  /** `key` must not have been added before. */
  add(key: string): void {
    this.#fresh.push(key);
    if (this.#fresh.length === FRESH_MAX) this.#settle();
  }

  /** The smallest key at or after `from`, or null. O(log n). */
  atOrAfter(from: string): string | null {
    this.#settle();
    const a = this.#main[lowerBound(this.#main, from)];
    const b = this.#recent[lowerBound(this.#recent, from)];
    if (a === undefined) return b ?? null;
    return b === undefined || a < b ? a : b;
  }

  /** The largest key before `before`, or null. O(log n). */
  before(before: string): string | null {
    this.#settle();
    const a = this.#main[lowerBound(this.#main, before) - 1];
    const b = this.#recent[lowerBound(this.#recent, before) - 1];
    if (a === undefined) return b ?? null;
    return b === undefined || a > b ? a : b;
  }

  copy(): SortedKeys {
    this.#settle();
    const copy = new SortedKeys();
    copy.#main = [...this.#main];
    copy.#recent = [...this.#recent];
    return copy;
  }

  /** All in ascending order. */
  all(): readonly string[] {
    this.#settle();
    if (this.#recent.length > 0) this.#join();
    return this.#main;
  }

  #settle(): void {
    const fresh = this.#fresh;
    if (fresh.length === 0) return;
    this.#fresh = [];
    if (fresh.length > 1) fresh.sort(byBytes);
    const { length } = this.#main;
    if (
      this.#recent.length === 0 &&
      (length === 0 || (fresh[0] as string) > (this.#main[length - 1] as string))
    ) {
      for (const key of fresh) this.#main.push(key);
      return;
    }
    this.#recent = joined(this.#recent, fresh);
    if (this.#recent.length > RECENT_MIN + 8 * Math.sqrt(length)) this.#join();
  }

  #join(): void {
    this.#main = joined(this.#main, this.#recent);
    this.#recent = [];
  }
}

function joined(a: readonly string[], b: readonly string[]): string[] {
  const both: string[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const takeA = j >= b.length || (i < a.length && (a[i] as string) < (b[j] as string));
    both.push((takeA ? a[i++] : b[j++]) as string);
  }
  return both;
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : 1;
}

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
