/**
 * A set of range deletes as a pure value: which versions delete which keys. Used alike for memtables, tables and
 * compactions. Kept fragmented: sorted ranges that do not overlap, each with the versions that delete all of it,
 * newest first. The form is canonical: neighbours that touch have different versions, so equal sets of tombstones
 * have equal fragments, in whatever order they were added.
 *
 * Begins are inclusive, ends exclusive, and ranges never empty: an empty or inverted one is the caller's error. Byte
 * strings that are handed in or out are shared and must not be changed. An empty set is a value, never null: code that
 * lets "no tombstones" end a level drops the others' (pebble#449).
 */
import { assert } from "../../platform/assert.js";
import { compareBytes, compareKeys } from "../format/bytes.js";

export interface RangeFragment {
  /** Inclusive. */
  readonly begin: Uint8Array;
  /** Exclusive. */
  readonly end: Uint8Array;
  /** Descending, without duplicates, never empty. */
  readonly versions: readonly number[];
}

export class RangeTombstones {
  private sorted: RangeFragment[] = [];
  /** Whether `sorted` has been given out: then the next change is made to a copy. */
  private shared = false;

  /** A set from fragments in canonical form, as `fragments` gives them. Shares them. O(1). */
  static fromFragments(fragments: readonly RangeFragment[]): RangeTombstones {
    const set = new RangeTombstones();
    set.sorted = fragments as RangeFragment[];
    set.shared = true;
    return set;
  }

  get isEmpty(): boolean {
    return this.sorted.length === 0;
  }

  /** Adds the delete of [begin, end) at `version`. O(log n), plus the fragments it touches, plus one splice. */
  add(begin: Uint8Array, end: Uint8Array, version: number): void {
    assert(compareKeys(begin, end) < 0, "a range delete covers at least one key");
    assert(version > 0, "version 0 means that no tombstone covers a key");
    // Neighbours that only touch are taken in, because they may have to be joined.
    const from = this.firstEndingAtOrAfter(begin);
    const to = this.firstBeginningAfter(end);
    const touched = overlay(this.sorted.slice(from, to), [{ begin, end, versions: [version] }]);
    if (this.shared || touched.length > SPLICE_MAX) {
      this.sorted = this.sorted.slice(0, from).concat(touched, this.sorted.slice(to));
      this.shared = false;
    } else {
      this.sorted.splice(from, to - from, ...touched);
    }
  }

  /**
   * The newest version at or below `version` whose tombstone covers the key, or 0 when there is none. O(log n), no
   * allocation.
   */
  coveringVersion(key: Uint8Array, start: number, length: number, version: number): number {
    const fragment = this.fragmentCovering(key, start, length);
    return fragment === undefined ? 0 : newestVisible(fragment.versions, version);
  }

  /**
   * The end of the gapless run of fragments from `key` on that all have a version at or below `version`: every key in
   * [key, end) is covered for a reader at `version`, though not necessarily by one and the same tombstone. Null when
   * `key` itself is not covered. O(log n + run).
   */
  endOfCover(key: Uint8Array, version: number): Uint8Array | null {
    let end: Uint8Array | null = null;
    for (let i = this.firstEndingAfter(key, 0, key.length); i < this.sorted.length; i++) {
      const fragment = this.sorted[i] as RangeFragment;
      if (compareKeys(fragment.begin, end ?? key) > 0 || newestVisible(fragment.versions, version) === 0)
        break;
      end = fragment.end;
    }
    return end;
  }

  /** Sorted, not overlapping, canonical. A snapshot: later additions do not change it. */
  fragments(): readonly RangeFragment[] {
    return this.share();
  }

  /**
   * What of the set lies inside [begin, end); null means unbounded. A table must hold only this much of it: a
   * tombstone that reaches past its table later deletes newer keys (pebble#26).
   */
  clipped(begin: Uint8Array | null, end: Uint8Array | null): RangeTombstones {
    assert(
      begin === null || end === null || compareKeys(begin, end) < 0,
      "a set is clipped to a range with keys",
    );
    const inside = new RangeTombstones();
    for (
      let i = begin === null ? 0 : this.firstEndingAfter(begin, 0, begin.length);
      i < this.sorted.length;
      i++
    ) {
      const fragment = this.sorted[i] as RangeFragment;
      if (end !== null && compareKeys(fragment.begin, end) >= 0) break;
      const cutsBegin = begin !== null && compareKeys(fragment.begin, begin) < 0;
      const cutsEnd = end !== null && compareKeys(fragment.end, end) > 0;
      inside.sorted.push(
        cutsBegin || cutsEnd
          ? {
              begin: cutsBegin ? begin : fragment.begin,
              end: cutsEnd ? end : fragment.end,
              versions: fragment.versions,
            }
          : fragment,
      );
    }
    return inside;
  }

  /** The union of sets, each left as it is. O(n log k) for n fragments in k sets. */
  static merge(list: readonly RangeTombstones[]): RangeTombstones {
    let runs = list.map((set) => set.share());
    while (runs.length > 1) {
      const next: RangeFragment[][] = [];
      for (let i = 0; i < runs.length; i += 2) next.push(overlay(runs[i] ?? [], runs[i + 1] ?? []));
      runs = next;
    }
    const merged = new RangeTombstones();
    merged.sorted = runs[0] ?? [];
    merged.shared = true;
    return merged;
  }

  private share(): RangeFragment[] {
    this.shared = true;
    return this.sorted;
  }

  private fragmentCovering(key: Uint8Array, start: number, length: number): RangeFragment | undefined {
    const fragment = this.sorted[this.firstEndingAfter(key, start, length)];
    if (fragment === undefined) return undefined;
    const { begin } = fragment;
    return compareBytes(begin, 0, begin.length, key, start, length) <= 0 ? fragment : undefined;
  }

  private firstEndingAfter(key: Uint8Array, start: number, length: number): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const { end } = this.sorted[middle] as RangeFragment;
      if (compareBytes(end, 0, end.length, key, start, length) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private firstEndingAtOrAfter(key: Uint8Array): number {
    const index = this.firstEndingAfter(key, 0, key.length);
    const before = this.sorted[index - 1];
    return before !== undefined && compareKeys(before.end, key) === 0 ? index - 1 : index;
  }

  private firstBeginningAfter(key: Uint8Array): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareKeys((this.sorted[middle] as RangeFragment).begin, key) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Arguments that one call may carry without fear for the stack. */
const SPLICE_MAX = 1024;

/** The union of two fragmented lists as one canonical list: a sweep over both at once. Linear. */
function overlay(a: readonly RangeFragment[], b: readonly RangeFragment[]): RangeFragment[] {
  const result: RangeFragment[] = [];
  let i = 0;
  let j = 0;
  // What is left of the current fragment of either list.
  let left = a[0];
  let right = b[0];
  while (left !== undefined || right !== undefined) {
    if (right === undefined || (left !== undefined && compareKeys(left.end, right.begin) <= 0)) {
      // The loop's condition leaves no other: `left` is there when `right` is not.
      append(result, left as RangeFragment);
      left = a[++i];
    } else if (left === undefined || compareKeys(right.end, left.begin) <= 0) {
      append(result, right);
      right = b[++j];
    } else {
      const order = compareKeys(left.begin, right.begin);
      if (order < 0) {
        append(result, { begin: left.begin, end: right.begin, versions: left.versions });
      } else if (order > 0) {
        append(result, { begin: right.begin, end: left.begin, versions: right.versions });
      }
      const begin = order < 0 ? right.begin : left.begin;
      const ends = compareKeys(left.end, right.end);
      const end = ends < 0 ? left.end : right.end;
      append(result, { begin, end, versions: unionDescending(left.versions, right.versions) });
      const rest: RangeFragment = ends < 0 ? right : left;
      const remainder = ends === 0 ? undefined : { begin: end, end: rest.end, versions: rest.versions };
      left = ends > 0 ? remainder : a[++i];
      right = ends < 0 ? remainder : b[++j];
    }
  }
  return result;
}

/** Adds a fragment at the end, joined with the last one when that touches it and has the same versions. */
function append(result: RangeFragment[], fragment: RangeFragment): void {
  const last = result[result.length - 1];
  if (
    last !== undefined &&
    compareKeys(last.end, fragment.begin) === 0 &&
    equalVersions(last.versions, fragment.versions)
  ) {
    result[result.length - 1] = { begin: last.begin, end: fragment.end, versions: last.versions };
  } else {
    result.push(fragment);
  }
}

function equalVersions(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  return a.length === b.length && a.every((version, i) => version === b[i]);
}

function unionDescending(a: readonly number[], b: readonly number[]): readonly number[] {
  const union: number[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i] ?? 0;
    const right = b[j] ?? 0;
    union.push(left > right ? left : right);
    if (left >= right) i++;
    if (right >= left) j++;
  }
  return union;
}

/** The first of the descending versions that is at or below `version`, or 0. */
function newestVisible(versions: readonly number[], version: number): number {
  let low = 0;
  let high = versions.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((versions[middle] as number) > version) low = middle + 1;
    else high = middle;
  }
  return versions[low] ?? 0;
}
