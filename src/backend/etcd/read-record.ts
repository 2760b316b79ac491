/**
 * What a view has told its readers: ranges, and the keys that it had in them with their revisions. etcd compares the keys
 * that are there; that one has gone shows only to who knows that it was there.
 */
import { RangeSet } from "../../transaction/range-set.js";

export class ReadRecord {
  readonly #revisions = new Map<string, number>();
  readonly #covered = new RangeSet();
  readonly #keysMax: number;

  /** Remembers no more than `keysMax` keys: a commit that depends on more is refused anyhow. */
  constructor(keysMax: number) {
    this.#keysMax = keysMax;
  }

  /** [begin, end) has been read, and held exactly `keys`. */
  add(
    begin: string,
    end: string,
    keys: readonly { readonly key: string; readonly revision: number }[],
  ): void {
    if (this.#revisions.size + keys.length > this.#keysMax) return;
    for (const { key, revision } of keys) this.#revisions.set(key, revision);
    this.#covered.add(begin, end);
  }

  /** Keys that were there, in no order. */
  get keys(): ReadonlyMap<string, number> {
    return this.#revisions;
  }

  /** The parts of [begin, end) of which it is not known which keys they held. */
  gaps(begin: string, end: string): [begin: string, end: string][] {
    return rangesOutside(this.#covered, begin, end);
  }
}

/** The parts of [begin, end) that lie in no range of `set`. */
export function rangesOutside(set: RangeSet, begin: string, end: string): [begin: string, end: string][] {
  const outside: [string, string][] = [];
  let from = begin;
  while (from < end) {
    const inside = set.rangeOf(from);
    if (inside !== null) {
      from = inside[1];
      continue;
    }
    const next = set.nextAfter(from);
    const to = next === null || next[0] > end ? end : next[0];
    outside.push([from, to]);
    from = to;
  }
  return outside;
}
