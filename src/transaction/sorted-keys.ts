/**
 * Keys in order, built up one by one: a large sorted list and a small one that takes the new keys, joined when the small
 * one has grown to the square root of the large. So a million keys cost little more than sorting them once, and a walk
 * may begin after any of them. Keys are never taken out; who owns the set knows which still count.
 */

const RECENT_MIN = 256;

export class SortedKeys {
  #main: string[] = [];
  #recent: string[] = [];

  /** `key` must not have been added before. */
  add(key: string): void {
    const main = this.#main;
    if (this.#recent.length === 0 && (main.length === 0 || key > (main[main.length - 1] as string))) {
      main.push(key);
      return;
    }
    this.#recent.splice(lowerBound(this.#recent, key), 0, key);
    if (this.#recent.length > RECENT_MIN + 8 * Math.sqrt(main.length)) this.#join();
  }

  /** The smallest key at or after `from`, or null. O(log n). */
  atOrAfter(from: string): string | null {
    const a = this.#main[lowerBound(this.#main, from)];
    const b = this.#recent[lowerBound(this.#recent, from)];
    if (a === undefined) return b ?? null;
    return b === undefined || a < b ? a : b;
  }

  /** The largest key before `before`, or null. O(log n). */
  before(before: string): string | null {
    const a = this.#main[lowerBound(this.#main, before) - 1];
    const b = this.#recent[lowerBound(this.#recent, before) - 1];
    if (a === undefined) return b ?? null;
    return b === undefined || a > b ? a : b;
  }

  copy(): SortedKeys {
    const copy = new SortedKeys();
    copy.#main = [...this.#main];
    copy.#recent = [...this.#recent];
    return copy;
  }

  clear(): void {
    this.#main = [];
    this.#recent = [];
  }

  #join(): void {
    const a = this.#main;
    const b = this.#recent;
    const joined: string[] = [];
    let i = 0;
    let j = 0;
    while (i < a.length || j < b.length) {
      const takeA = j >= b.length || (i < a.length && (a[i] as string) < (b[j] as string));
      joined.push((takeA ? a[i++] : b[j++]) as string);
    }
    this.#main = joined;
    this.#recent = [];
  }
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
