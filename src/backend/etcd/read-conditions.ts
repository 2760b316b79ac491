/**
 * The reads of a transaction as conditions on its commit: nothing in a range that was read has changed since, and every key
 * that was there still is. The second half is what a comparison over a range cannot tell: it sees only keys that exist.
 * Allows the writes that count as none (`markers.ts`).
 */
import { keyTextAfter } from "../../transaction/key-text.js";
import type { RangeSet } from "../../transaction/range-set.js";
import type { EtcdCompare } from "./client.js";
import type { Layout } from "./layout.js";
import type { EtcdView } from "./view.js";

/** The conditions of one range that was read. */
export interface RangeConditions {
  readonly range: readonly [begin: string, end: string];
  readonly compares: EtcdCompare[];
}

export class ReadConditions {
  readonly conflicts: RangeSet;
  readonly #view: EtcdView;
  readonly #layout: Layout;
  /** The revision that each key of the ranges must have; keys that are not in it must not exist. */
  readonly #keys: Map<string, number>;
  /** Of `#keys`, those that may have been put after the view. */
  readonly #allowed = new Set<string>();

  private constructor(view: EtcdView, conflicts: RangeSet, layout: Layout, keys: Map<string, number>) {
    this.#view = view;
    this.conflicts = conflicts;
    this.#layout = layout;
    this.#keys = keys;
  }

  /** Asks the view for what it has not told yet. Throws what its reads throw. */
  static async of(
    view: EtcdView,
    conflicts: RangeSet,
    layout: Layout,
    keysMax: number,
  ): Promise<ReadConditions> {
    const keys = new Map<string, number>();
    for (const [key, revision] of view.record.keys) if (conflicts.has(key)) keys.set(key, revision);
    for (const [begin, end] of conflicts) {
      for (const [from, to] of view.record.gaps(begin, end)) {
        // One more than can be compared shows that there are too many.
        for (const { key, revision } of await view.keys(from, to, keysMax + 1)) keys.set(key, revision);
      }
    }
    return new ReadConditions(view, conflicts, layout, keys);
  }

  /** The revision in which the commit expects a key of the ranges; 0 is absent. */
  expected(key: string): number {
    return this.#keys.get(key) ?? 0;
  }

  /** The key may have changed to this revision. */
  allow(key: string, revision: number): void {
    if (revision === 0) this.#keys.delete(key);
    else this.#keys.set(key, revision);
    this.#allowed.add(key);
  }

  byRange(): RangeConditions[] {
    const all = new Map<string, RangeConditions>();
    for (const range of this.conflicts) all.set(range[0], { range, compares: this.#phantoms(range) });
    for (const [key, mod_revision] of this.#keys) {
      const range = this.conflicts.rangeOf(key);
      if (range === null) continue;
      const compare: EtcdCompare = {
        target: "Mod",
        result: "Equal",
        key: this.#layout.data(key),
        mod_revision,
      };
      all.get(range[0])?.compares.push(compare);
    }
    return [...all.values()];
  }

  /** That nothing else has appeared in the range, and nobody has removed what was not there. */
  #phantoms([begin, end]: readonly [begin: string, end: string]): EtcdCompare[] {
    const unchanged = { target: "Mod", result: "Less", mod_revision: this.#view.revision + 1 } as const;
    if (end === keyTextAfter(begin)) {
      if (this.#keys.has(begin)) return [];
      return [
        { target: "Mod", result: "Equal", key: this.#layout.data(begin), mod_revision: 0 },
        { ...unchanged, key: this.#layout.trace(begin) },
      ];
    }
    const compares: EtcdCompare[] = [
      { ...unchanged, key: this.#layout.trace(begin), range_end: this.#layout.trace(end) },
    ];
    const below = (from: string, to: string): void => {
      if (from >= to) return;
      compares.push({ ...unchanged, key: this.#layout.data(from), range_end: this.#layout.data(to) });
    };
    let from = begin;
    for (const key of [...this.#allowed].filter((one) => one >= begin && one < end).sort()) {
      below(from, key);
      from = keyTextAfter(key);
    }
    below(from, end);
    return compares;
  }
}
