/**
 * What the manifest knows of one table, and how tables relate by key range. Plain data and pure functions.
 * A table's bounds include its range tombstones; `largestExclusive` says that the upper bound is the end of a range
 * tombstone and no key of the table is equal to it.
 */
import { mutant } from "../../platform/probes.js";
import { compareKeys } from "../format/bytes.js";
import type { TableSummary } from "../table/properties.js";

/** The summary that a table gives of itself, as the manifest keeps it. */
export type TableMeta = Omit<TableSummary, "rawBytes">;

/** True when the table may hold `key`. */
export function tableCovers(table: TableMeta, key: Uint8Array): boolean {
  return compareKeys(table.smallest, key) <= 0 && !endsBefore(table, key);
}

/** True when every key of the table is < `key`. */
export function endsBefore(table: TableMeta, key: Uint8Array): boolean {
  const order = compareKeys(table.largest, key);
  return order < 0 || (order === 0 && (table.largestExclusive || mutant("R7-largest-key-excluded")));
}

/** True when the key ranges of two tables share a key. */
export function tablesOverlap(a: TableMeta, b: TableMeta): boolean {
  return !endsBefore(a, b.smallest) && !endsBefore(b, a.smallest);
}

/** Smallest range that covers all of `tables` (at least one). */
export function coveringRange(tables: readonly TableMeta[]): {
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  readonly largestExclusive: boolean;
} {
  let { smallest, largest, largestExclusive } = tables[0] as TableMeta;
  for (const table of tables) {
    if (compareKeys(table.smallest, smallest) < 0) smallest = table.smallest;
    const order = compareKeys(table.largest, largest);
    if (order > 0) {
      largest = table.largest;
      largestExclusive = table.largestExclusive;
    } else if (order === 0 && !table.largestExclusive) {
      largestExclusive = false;
    }
  }
  return { smallest, largest, largestExclusive };
}

export function totalBytes(tables: readonly TableMeta[]): number {
  let sum = 0;
  for (const table of tables) sum += table.bytes;
  return sum;
}

/** Index of the first table of a sorted, non-overlapping level that does not end before `key`; length when none. */
export function firstTableAtOrAfter(level: readonly TableMeta[], key: Uint8Array): number {
  let low = 0;
  let high = level.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (endsBefore(level[middle] as TableMeta, key)) low = middle + 1;
    else high = middle;
  }
  return low;
}
