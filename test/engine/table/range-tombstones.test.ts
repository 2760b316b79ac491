import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import type { RangeFragment } from "../../../src/engine/memtable/range-tombstones.js";
import {
  buildTable,
  expectRow,
  getRow,
  keyArbitrary,
  numberedRows,
  openTable,
  SHAPE,
  shapeArbitrary,
  text,
} from "./rows.js";

function fragment(begin: string, end: string, ...versions: number[]): RangeFragment {
  return { begin: text(begin), end: text(end), versions };
}

function textOf(key: Uint8Array): string {
  return new TextDecoder().decode(key);
}

const fragmentsArbitrary: fc.Arbitrary<RangeFragment[]> = fc
  .tuple(
    fc.uniqueArray(keyArbitrary, {
      minLength: 2,
      maxLength: 12,
      comparator: (a, b) => compareKeys(a, b) === 0,
    }),
    fc.array(fc.uniqueArray(fc.maxSafeNat(), { minLength: 1, maxLength: 4 }), {
      minLength: 11,
      maxLength: 11,
    }),
    fc.boolean(),
  )
  .map(([keys, versions, touching]) => {
    const sorted = keys.sort(compareKeys);
    const fragments: RangeFragment[] = [];
    for (let i = 0; i + 1 < sorted.length; i += touching ? 1 : 2) {
      fragments.push({
        begin: sorted[i] as Uint8Array,
        end: sorted[i + 1] as Uint8Array,
        versions: (versions[i] as number[]).toSorted((a, b) => b - a),
      });
    }
    return fragments;
  });

describe("range tombstones of a table", () => {
  it("come back as they were, with the bounds and versions that they imply", () => {
    fc.assert(
      fc.property(fragmentsArbitrary, shapeArbitrary, (fragments, shape) => {
        const table = buildTable([], shape, fragments);
        const reader = openTable(table);
        expect(reader.rangeTombstones).toEqual(fragments);
        const versions = fragments.flatMap((each) => each.versions);
        expect(table.summary).toMatchObject({
          smallest: fragments[0]?.begin,
          largest: fragments.at(-1)?.end,
          largestExclusive: true,
          minVersion: Math.min(...versions),
          maxVersion: Math.max(...versions),
          entryCount: 0,
          rangeTombstoneCount: versions.length,
        });
        expect(reader.summary).toEqual(table.summary);
        expect(reader.verify().rangeTombstoneCount).toBe(versions.length);
        expect(getRow(reader, text("k"), 2 ** 40)).toBeUndefined();
        const cursor = reader.cursor({ fillCache: true });
        for (const seek of [
          () => cursor.seekFirst(),
          () => cursor.seekLast(),
          () => cursor.seekAtOrAfter(text("k")),
        ]) {
          seek();
          expectRow(cursor, undefined);
        }
        cursor.seekBefore(text("k"));
        expectRow(cursor, undefined);
        cursor.close();
        reader.close();
      }),
      { numRuns: 100 },
    );
  });

  it("widen the bounds of the rows, exclusively only where they reach beyond the last key", () => {
    const rows = numberedRows(50);
    const bounds = (...fragments: RangeFragment[]): unknown[] => {
      const { summary, file } = buildTable(rows, SHAPE, fragments);
      openTable({ summary, file }).verify();
      return [
        textOf(summary.smallest),
        textOf(summary.largest),
        summary.largestExclusive,
        summary.minVersion,
        summary.maxVersion,
      ];
    };
    expect(bounds(fragment("key000010", "key000020", 40))).toEqual([
      "key000000",
      "key000049",
      false,
      40,
      100,
    ]);
    expect(bounds(fragment("a", "b", 300, 200))).toEqual(["a", "key000049", false, 100, 300]);
    expect(bounds(fragment("key000010", "key000049", 7))).toEqual(["key000000", "key000049", false, 7, 100]);
    expect(bounds(fragment("key000010", "key000049\0", 7))).toEqual([
      "key000000",
      "key000049\0",
      true,
      7,
      100,
    ]);
    expect(bounds(fragment("a", "c", 7), fragment("c", "z", 8))).toEqual(["a", "z", true, 7, 100]);
  });

  it("do not change what the table's own rows say: sources are merged elsewhere", () => {
    const rows = numberedRows(10);
    const reader = openTable(buildTable(rows, SHAPE, [fragment("a", "z", 1000)]));
    expect(getRow(reader, text("key000003"), 5000)).toMatchObject({ version: 100 });
    reader.close();
  });

  it("are refused when they overlap, are empty, or name versions out of order", () => {
    const wrong = [
      [fragment("a", "c", 5), fragment("b", "d", 5)],
      [fragment("c", "d", 5), fragment("a", "b", 5)],
      [fragment("a", "a", 5)],
      [fragment("b", "a", 5)],
      [fragment("a", "b")],
      [fragment("a", "b", 5, 5)],
      [fragment("a", "b", 5, 6)],
    ];
    for (const fragments of wrong) expect(() => buildTable([], SHAPE, fragments)).toThrow(/fragmented/);
  });
});
