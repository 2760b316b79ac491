/** Rows as plain data, the array model that tables are compared with, and helpers that build and read tables. */

import * as fc from "fast-check";
import { expect } from "vitest";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import { type ChecksumName, checksumByName } from "../../../src/engine/format/checksum.js";
import { hashKey } from "../../../src/engine/format/hash.js";
import { KIND_DELETE, KIND_PUT } from "../../../src/engine/format/operation.js";
import type { RangeFragment } from "../../../src/engine/memtable/range-tombstones.js";
import { BlockCache } from "../../../src/engine/table/block-cache.js";
import { TableBuilder } from "../../../src/engine/table/builder.js";
import type { CompressionName } from "../../../src/engine/table/compression.js";
import type { TableSummary } from "../../../src/engine/table/properties.js";
import { TableReader } from "../../../src/engine/table/reader.js";
import { RowResult } from "../../../src/engine/table/row-result.js";
import type { TableCursor } from "../../../src/engine/table/table-cursor.js";
import { MemoryFile } from "./memory-file.js";

export interface Row {
  readonly key: Uint8Array;
  readonly version: number;
  readonly kind: number;
  readonly value: Uint8Array;
}

export interface Shape {
  readonly blockBytes: number;
  readonly checksum: ChecksumName;
  readonly compression: CompressionName;
  readonly bloomBitsPerKey: number;
  readonly chunkBytes: number;
}

export const SHAPE: Shape = {
  blockBytes: 256,
  checksum: "crc32",
  compression: "none",
  bloomBitsPerKey: 10,
  chunkBytes: 1024,
};

export const FILE_NUMBER = 7;

export function compareRows(a: Row, b: Row): number {
  return compareKeys(a.key, b.key) || b.version - a.version;
}

/** Sorts and drops rows that are equal in key and version. */
export function inOrder(rows: readonly Row[]): Row[] {
  const sorted = [...rows].sort(compareRows);
  return sorted.filter((row, i) => i === 0 || compareRows(sorted[i - 1] as Row, row) < 0);
}

export interface BuiltTable {
  readonly file: MemoryFile;
  readonly summary: TableSummary;
}

export function buildTable(
  rows: readonly Row[],
  shape: Shape = SHAPE,
  fragments: readonly RangeFragment[] = [],
  fileNumber = FILE_NUMBER,
): BuiltTable {
  const file = new MemoryFile(`/table/${String(fileNumber).padStart(6, "0")}.sst`);
  const builder = new TableBuilder({ file, fileNumber, ...shape, checksum: checksumByName(shape.checksum) });
  for (const row of rows) addRow(builder, row);
  if (fragments.length > 0) builder.addRangeTombstones(fragments);
  return { file, summary: builder.finish() };
}

/** Adds from buffers that hold other bytes around the row and are overwritten afterwards. */
export function addRow(builder: TableBuilder, row: Row): void {
  const buffer = new Uint8Array(row.key.length + row.value.length + 6).fill(0x5a);
  buffer.set(row.key, 3);
  buffer.set(row.value, 3 + row.key.length);
  const value = row.version % 2 === 0 ? buffer : buffer.slice();
  builder.add(buffer, 3, row.key.length, row.version, row.kind, value, 3 + row.key.length, row.value.length);
  buffer.fill(0xa5);
  value.fill(0xa5);
}

export function newCache(capacityBytes = 1 << 20, slotBytes = 256): BlockCache {
  return new BlockCache({ capacityBytes, slotBytes });
}

export function openTable(table: BuiltTable, cache: BlockCache | null = newCache()): TableReader {
  const { file, summary } = table;
  return TableReader.open({ file, fileNumber: summary.fileNumber, expectedBytes: summary.bytes, cache });
}

export function rowAt(cursor: TableCursor): Row {
  const { keyBytes, keyStart, keyLength, valueBytes, valueStart, valueLength } = cursor;
  return {
    key: keyBytes.slice(keyStart, keyStart + keyLength),
    version: cursor.version,
    kind: cursor.kind,
    value: valueBytes.slice(valueStart, valueStart + valueLength),
  };
}

export function expectRow(cursor: TableCursor, row: Row | undefined): void {
  if (row === undefined) {
    expect(cursor.valid).toBe(false);
  } else {
    if (!cursor.valid) expect(cursor.valid).toBe(true);
    expectSameRow(rowAt(cursor), row);
  }
}

/** Much faster than `toEqual` on typed arrays, which these tests compare by the million. */
export function expectSameRow(got: Row, wanted: Row): void {
  const same =
    compareKeys(got.key, wanted.key) === 0 &&
    got.version === wanted.version &&
    got.kind === wanted.kind &&
    compareKeys(got.value, wanted.value) === 0;
  if (!same) expect(got).toEqual(wanted);
}

export function getRow(reader: TableReader, key: Uint8Array, version: number): Row | undefined {
  const out = new RowResult();
  if (!reader.get(key, hashKey(key, 0, key.length), version, out)) return undefined;
  const value = out.valueBytes.slice(out.valueStart, out.valueStart + out.valueLength);
  return { key, version: out.version, kind: out.kind, value };
}

// The model: an array of rows in internal order.

export function modelGet(rows: readonly Row[], key: Uint8Array, version: number): Row | undefined {
  return rows.find((row) => compareKeys(row.key, key) === 0 && row.version <= version);
}

/** Position of the first row whose key is at or after `key`. */
export function modelLowerBound(rows: readonly Row[], key: Uint8Array): number {
  const at = rows.findIndex((row) => compareKeys(row.key, key) >= 0);
  return at < 0 ? rows.length : at;
}

// Generators

const byte = fc.constantFrom(0x00, 0x01, 0x61, 0x62, 0x7f, 0x80, 0xfe, 0xff);

/** Keys from few bytes, so that prefixes, equal heads, zero padding and neighbours are common. */
export const keyArbitrary: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 6, arbitrary: fc.array(byte, { maxLength: 9 }).map((bytes) => Uint8Array.from(bytes)) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(1, 5, 70, 300), fc.array(byte, { maxLength: 6 }))
      .map(([shared, bytes]) => Uint8Array.from([...Array.from({ length: shared }, () => 0x70), ...bytes])),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 20 }) },
);

export const versionArbitrary: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 10, max: 14 }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 2 ** 31 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(0, 2 ** 32 - 1, 2 ** 32, 2 ** 33 + 5, 2 ** 53 - 2, Number.MAX_SAFE_INTEGER),
  },
);

const valueArbitrary: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 8, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 50, max: 3000 }), fc.nat(255))
      .map(([length, fill]) => new Uint8Array(length).fill(fill)),
  },
);

export const rowsArbitrary: fc.Arbitrary<Row[]> = fc
  .array(
    fc.record({
      key: keyArbitrary,
      version: versionArbitrary,
      kind: fc.constantFrom(KIND_PUT, KIND_PUT, KIND_PUT, KIND_DELETE),
      value: valueArbitrary,
    }),
    { minLength: 1, maxLength: 120 },
  )
  .map(inOrder);

export const shapeArbitrary: fc.Arbitrary<Shape> = fc.record({
  blockBytes: fc.oneof(fc.integer({ min: 64, max: 600 }), fc.constantFrom(256, 1024, 4096, 32_768, 65_536)),
  checksum: fc.constantFrom<ChecksumName>("crc32", "crc32", "blake3"),
  compression: fc.constantFrom<CompressionName>("none", "none", "deflate"),
  bloomBitsPerKey: fc.constantFrom(0, 1, 10),
  chunkBytes: fc.constantFrom(1, 300, 65_536),
});

export const cacheArbitrary: fc.Arbitrary<{ capacityBytes: number; slotBytes: number }> = fc.record({
  capacityBytes: fc.constantFrom(0, 300, 1024, 5000, 1 << 20),
  slotBytes: fc.constantFrom(64, 256, 257, 4096),
});

/** Many distinct keys of one family: "key000000", "key000001", … with a value each. */
export function numberedRows(count: number, valueBytes = 8, version = 100): Row[] {
  return Array.from({ length: count }, (_, i) => ({
    key: new TextEncoder().encode(`key${String(i).padStart(6, "0")}`),
    version,
    kind: KIND_PUT,
    value: new Uint8Array(valueBytes).fill(i & 0xff),
  }));
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
