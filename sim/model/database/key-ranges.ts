/**
 * Sets of keys as plain lists of ranges, for the reference database: no order, no merging, nothing clever. Keys are byte
 * strings as text, one character a byte.
 */
export type KeyRange = readonly [begin: string, end: string];

/** The range of one key. */
export function rangeOfKey(key: string): KeyRange {
  return [key, `${key}\0`];
}

export function intersects(a: KeyRange, b: KeyRange): boolean {
  return a[0] < b[1] && b[0] < a[1];
}

export function touches(ranges: readonly KeyRange[], range: KeyRange): boolean {
  return ranges.some((one) => intersects(one, range));
}

/** What is left of `ranges` without `taken`. */
export function without(ranges: readonly KeyRange[], taken: KeyRange): KeyRange[] {
  return ranges.flatMap((range) => {
    if (!intersects(range, taken)) return [range];
    const before: KeyRange = [range[0], taken[0]];
    const after: KeyRange = [taken[1], range[1]];
    return [before, after].filter(([begin, end]) => begin < end);
  });
}

/** The same keys as disjoint ranges in order, neighbours joined. */
export function coalesced(ranges: readonly KeyRange[]): KeyRange[] {
  const joined: [begin: string, end: string][] = [];
  for (const [begin, end] of [...ranges].sort((a, b) => (a[0] < b[0] ? -1 : 1))) {
    const last = joined.at(-1);
    if (last === undefined || last[1] < begin) joined.push([begin, end]);
    else if (last[1] < end) last[1] = end;
  }
  return joined;
}
