/** A level as one cursor against the array of its rows: any moves, any cut into tables, one table open at a time. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Cursor } from "../../../src/engine/cursor.js";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import type { TableMeta } from "../../../src/engine/manifest/table-meta.js";
import { LevelCursor, type TableSource } from "../../../src/engine/read/level-cursor.js";
import { ArrayCursor, compareRows, type Row, rowOf } from "../fixtures/array-cursor.js";
import { bytes } from "../fixtures/model.js";

const KEYS = Array.from({ length: 12 }, (_, i) => String.fromCharCode(97 + i));

/** Tables over given rows, which keep count of what is open. */
class Tables implements TableSource {
  readonly metas: TableMeta[] = [];
  readonly open_ = new Map<number, ArrayCursor>();
  opens = 0;
  openMost = 0;
  fails = -1;
  private readonly rows = new Map<number, Row[]>();

  add(rows: Row[], bounds: readonly [string, string], largestExclusive: boolean): void {
    const fileNumber = this.metas.length + 1;
    this.rows.set(fileNumber, rows);
    this.metas.push({
      fileNumber,
      bytes: 1,
      smallest: bytes(bounds[0]),
      largest: bytes(bounds[1]),
      largestExclusive,
      minVersion: 1,
      maxVersion: 99,
      entryCount: rows.length,
      tombstoneCount: 0,
      rangeTombstoneCount: 1,
    });
  }

  open(table: TableMeta): Cursor {
    if (table.fileNumber === this.fails) throw new Error("the table cannot be opened");
    expect(this.open_.has(table.fileNumber)).toBe(false);
    const cursor = new ArrayCursor(this.rows.get(table.fileNumber) as Row[]);
    this.open_.set(table.fileNumber, cursor);
    this.opens++;
    this.openMost = Math.max(this.openMost, this.open_.size);
    return cursor;
  }

  release(table: TableMeta): void {
    expect(this.open_.get(table.fileNumber)?.isClosed).toBe(true);
    this.open_.delete(table.fileNumber);
  }
}

/** A sorted level: each key in one table; some tables hold range tombstones only, so they have bounds but no rows. */
const level = fc
  .array(fc.record({ keys: fc.nat(3), versions: fc.integer({ min: 0, max: 3 }), exclusive: fc.boolean() }), {
    maxLength: 5,
  })
  .map((cuts) => {
    const tables = new Tables();
    let at = 0;
    for (const { keys, versions, exclusive } of cuts) {
      const mine = KEYS.slice(at, at + keys + 1);
      if (mine.length === 0) break;
      at += keys + 1;
      const rows = mine.flatMap((name) =>
        Array.from({ length: versions }, (_, i) => ({
          key: bytes(name),
          version: 10 + i,
          kind: 1,
          value: bytes(name),
        })),
      );
      const end = exclusive ? `${mine.at(-1)}~` : (mine.at(-1) as string);
      tables.add(rows.sort(compareRows), [mine[0] as string, end], exclusive);
    }
    return tables;
  });

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("next" as const, "previous" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("seekFirst" as const, "seekLast" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom("seekAtOrAfter" as const, "seekBefore" as const),
      key: fc.constantFrom("", "Z", ...KEYS, "a\0", "c~", "f5", "zz"),
    }),
  },
);

test("[D33] stands after any moves where an array of all rows would, tables without rows included, with one table open", () => {
  fc.assert(
    fc.property(level, fc.array(step, { maxLength: 40 }), (tables, steps) => {
      const cursor = new LevelCursor(tables.metas, tables);
      const rows = [...tables.metas].flatMap((meta) => tables["rows"].get(meta.fileNumber) as Row[]);
      let at = -1;
      for (const one of steps) {
        switch (one.do) {
          case "seekFirst":
            cursor.seekFirst();
            at = 0;
            break;
          case "seekLast":
            cursor.seekLast();
            at = rows.length - 1;
            break;
          case "seekAtOrAfter":
            cursor.seekAtOrAfter(bytes(one.key));
            at = rows.findIndex((row) => compareKeys(row.key, bytes(one.key)) >= 0);
            break;
          case "seekBefore":
            cursor.seekBefore(bytes(one.key));
            at = rows.findLastIndex((row) => compareKeys(row.key, bytes(one.key)) < 0);
            break;
          default:
            if (!cursor.valid) continue;
            if (one.do === "next") cursor.next();
            else cursor.previous();
            at += one.do === "next" ? 1 : -1;
        }
        const expected = rows[at];
        expect(cursor.valid).toBe(expected !== undefined);
        if (expected !== undefined) expect(rowOf(cursor)).toEqual(expected);
        else at = -1;
      }
      expect(tables.openMost).toBeLessThanOrEqual(1);
      cursor.close();
      cursor.close();
      expect(tables.open_.size).toBe(0);
    }),
    { numRuns: 2000 },
  );
});

test("a seek within the open table opens nothing", () => {
  const tables = new Tables();
  const row = (name: string): Row => ({ key: bytes(name), version: 10, kind: 1, value: bytes("") });
  tables.add([row("a"), row("c")], ["a", "c"], false);
  tables.add([row("e"), row("g")], ["e", "g"], false);
  const cursor = new LevelCursor(tables.metas, tables);
  cursor.seekAtOrAfter(bytes("e"));
  cursor.seekAtOrAfter(bytes("f"));
  cursor.previous();
  cursor.next();
  cursor.seekFirst();
  cursor.seekAtOrAfter(bytes("b"));
  expect(tables.opens).toBe(2);
  cursor.close();
});

test("a table that cannot be opened or read leaves the cursor invalid and nothing open, and others stay readable", () => {
  const tables = new Tables();
  const row = (name: string): Row => ({ key: bytes(name), version: 10, kind: 1, value: bytes("") });
  tables.add([row("a"), row("c")], ["a", "c"], false);
  tables.add([row("e"), row("g")], ["e", "g"], false);
  const cursor = new LevelCursor(tables.metas, tables);
  tables.fails = 2;
  cursor.seekAtOrAfter(bytes("c"));
  expect(() => cursor.next()).toThrow("cannot be opened");
  expect(cursor.valid).toBe(false);
  expect(tables.open_.size).toBe(0);
  cursor.seekFirst();
  expect(rowOf(cursor)).toEqual(row("a"));
  (tables.open_.get(1) as ArrayCursor).failsNext = true;
  expect(() => cursor.next()).toThrow("cannot be read");
  expect(cursor.valid).toBe(false);
  cursor.close();
  expect(tables.open_.size).toBe(0);
});
