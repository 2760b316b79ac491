/**
 * Where tables lie on the line of all keys. Keys in order from left to right, each stretch as wide as the bytes that lie there, so
 * that neither long common prefixes nor empty parts of the key space take the room. Tables of a level that overlap get lanes of
 * their own. Pure.
 */
import { compareKeys } from "../../engine/format/bytes.js";

export interface KeyedTable {
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly bytes: number;
}

/** In parts of the whole line, 0 to 1. */
export interface Block<Table> {
  readonly table: Table;
  readonly from: number;
  readonly to: number;
  readonly lane: number;
}

export interface PlacedLevel<Table> {
  readonly blocks: readonly Block<Table>[];
  readonly lanes: number;
}

/** A stretch without data takes this part of what the average one takes. */
const EMPTY_SHARE = 0.05;

/** O(n log n + n·c) for n tables that cover c others' ends each. */
export function placeOnKeyLine<Table extends KeyedTable>(
  levels: readonly (readonly Table[])[],
): PlacedLevel<Table>[] {
  const keys = distinct(levels.flat().flatMap(({ smallest, largest }) => [smallest, largest]));
  // Each key has a cell of its own at 2i, and what lies between it and the next one at 2i + 1.
  const spans = new Map<Table, readonly [first: number, last: number]>();
  const weights = Array.from({ length: Math.max(0, 2 * keys.length - 1) }, () => 0);
  for (const table of levels.flat()) {
    const span = [2 * indexOf(keys, table.smallest), 2 * indexOf(keys, table.largest)] as const;
    spans.set(table, span);
    const [first, last] = span;
    const share = Math.max(1, table.bytes) / (last - first + 1);
    for (let cell = first; cell <= last; cell++) weights[cell] = (weights[cell] as number) + share;
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const empty = (total / Math.max(1, weights.length)) * EMPTY_SHARE;
  const edges = [0];
  for (const weight of weights) edges.push((edges.at(-1) as number) + (weight || empty));
  const whole = edges.at(-1) as number;
  return levels.map((tables) =>
    inLanes(
      tables.map((table) => {
        const [first, last] = spans.get(table) as readonly [number, number]; // every table has got one
        return { table, from: (edges[first] as number) / whole, to: (edges[last + 1] as number) / whole };
      }),
    ),
  );
}

/** The first lane in which there is room, from left to right; those without neighbours share one. */
function inLanes<Table>(placed: readonly Omit<Block<Table>, "lane">[]): PlacedLevel<Table> {
  const ends: number[] = [];
  const blocks = placed
    .toSorted((a, b) => a.from - b.from || a.to - b.to)
    .map((block) => {
      const free = ends.findIndex((end) => end <= block.from);
      const lane = free < 0 ? ends.length : free;
      ends[lane] = block.to;
      return { ...block, lane };
    });
  return { blocks, lanes: Math.max(1, ends.length) };
}

function distinct(keys: readonly Uint8Array[]): Uint8Array[] {
  const sorted = keys.toSorted(compareKeys);
  return sorted.filter((key, at) => at === 0 || compareKeys(key, sorted[at - 1] as Uint8Array) !== 0);
}

/** `keys` ascend, and hold `key`. */
function indexOf(keys: readonly Uint8Array[], key: Uint8Array): number {
  let low = 0;
  let high = keys.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareKeys(keys[middle] as Uint8Array, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
