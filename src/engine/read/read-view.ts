/**
 * What a read looks at: memtables newest first and one shape of the tree. Owns the order of sources that makes reads
 * right: newer sources shadow older ones, and within a source a point entry at a version beats a range delete at the
 * same version (the batch has voided what its range deletes cover). Does not own visibility of versions: the caller
 * gives the version to read at.
 */
import { mutant } from "../../platform/probes.js";
import { compareKeys } from "../format/bytes.js";
import { hashKey } from "../format/hash.js";
import {
  KIND_PUT,
  OPERATION_HEADER_BYTES,
  operationKeyLength,
  operationKind,
  operationValueLength,
  operationVersionDelta,
} from "../format/operation.js";
import { endsBefore, firstTableAtOrAfter, type TableMeta, tableCovers } from "../manifest/table-meta.js";
import type { Levels } from "../manifest/tree.js";
import type { Memtable } from "../memtable/memtable.js";
import type { KeyRange } from "../range.js";
import { RowResult } from "../table/row-result.js";
import type { TableCache } from "../table-cache.js";

/** What reads need of a log segment: its operations in order, and that they stay while somebody looks. */
export interface ReadableSegment {
  readonly memtable: Memtable;
  /** Iterators that look into it. */
  pins: number;
}

const row = new RowResult();

/** The value of `key` at `version` as a fresh copy, or undefined. Synchronous; reads blocks where they are not cached. */
export function readKey(
  segments: readonly ReadableSegment[],
  levels: Levels,
  tables: TableCache,
  key: Uint8Array,
  version: number,
): Uint8Array | undefined {
  for (const segment of segments) {
    const { memtable } = segment;
    const at = memtable.find(key, version);
    const covering = memtable.rangeTombstones.isEmpty
      ? 0
      : memtable.rangeTombstones.coveringVersion(key, 0, key.length, version);
    if (at >= 0) {
      const { bytes, words } = memtable.arena;
      const found = memtable.baseVersion + operationVersionDelta(words, at);
      if (covering > found || operationKind(words, at) !== KIND_PUT) return undefined;
      const valueAt = at + OPERATION_HEADER_BYTES + operationKeyLength(words, at);
      return copyValue(bytes, valueAt, operationValueLength(words, at));
    }
    if (covering > 0) return undefined;
  }
  const hash = hashKey(key, 0, key.length);
  for (let level = 0; level < levels.length; level++) {
    const inLevel = levels[level] as readonly TableMeta[];
    if (inLevel.length === 0) continue;
    if (level === 0) {
      for (const table of inLevel) {
        if (!tableCovers(table, key)) continue;
        const state = readTable(tables, table, key, hash, version);
        if (state === FOUND) return copyValue(row.valueBytes, row.valueStart, row.valueLength);
        if (state === DELETED && !mutant("C5-tombstone-ignored-by-reads")) return undefined;
      }
      continue;
    }
    const table = inLevel[firstTableAtOrAfter(inLevel, key)];
    if (table === undefined || compareKeys(table.smallest, key) > 0) continue;
    const state = readTable(tables, table, key, hash, version);
    if (state === FOUND) return copyValue(row.valueBytes, row.valueStart, row.valueLength);
    if (state === DELETED) return undefined;
  }
  return undefined;
}

const ABSENT = 0;
const FOUND = 1;
const DELETED = 2;

/** Looks into one table; `row` holds the value when the answer is FOUND. */
function readTable(
  tables: TableCache,
  table: TableMeta,
  key: Uint8Array,
  hash: number,
  version: number,
): number {
  if (table.minVersion > version) return ABSENT;
  const reader = tables.reader(table);
  const found = reader.get(key, hash, version, row);
  const covering =
    table.rangeTombstoneCount === 0
      ? 0
      : tables.rangeTombstones(table).coveringVersion(key, 0, key.length, version);
  if (found) return covering > row.version || row.kind !== KIND_PUT ? DELETED : FOUND;
  return covering > 0 ? DELETED : ABSENT;
}

/** Values are handed out as copies: the memory they lie in will be reused. */
export function copyValue(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const copy = Buffer.allocUnsafe(length);
  if (length <= 24) for (let i = 0; i < length; i++) copy[i] = bytes[start + i] as number;
  else copy.set(bytes.subarray(start, start + length));
  return copy;
}

/** Bytes of tables between the blocks where a range begins and ends. */
export function bytesInRange(levels: Levels, tables: TableCache, { begin, end }: KeyRange): number {
  if (compareKeys(begin, end) >= 0) return 0;
  let bytes = 0;
  for (const level of levels) {
    for (const table of tablesInRange(level, begin, end)) {
      const isInside = compareKeys(table.smallest, begin) >= 0 && endsBefore(table, end);
      if (isInside) bytes += table.bytes;
      else {
        const reader = tables.reader(table);
        bytes += reader.bytesBefore(end) - reader.bytesBefore(begin);
      }
    }
  }
  return bytes;
}

/** Tables of a sorted level that may hold keys in [begin, end); null is unbounded. */
export function tablesInRange(
  level: readonly TableMeta[],
  begin: Uint8Array | null,
  end: Uint8Array | null,
): readonly TableMeta[] {
  return level.filter(
    (table) =>
      (begin === null || !endsBefore(table, begin)) && (end === null || compareKeys(table.smallest, end) < 0),
  );
}
