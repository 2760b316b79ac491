/** The merge of cursors against one sorted array of all their rows, in both directions and turning anywhere. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import { MergingCursor } from "../../../src/engine/read/merging-cursor.js";
import { ArrayCursor, compareRows, type Row, rowOf } from "../fixtures/array-cursor.js";
import { bytes } from "../fixtures/model.js";

const KEYS = ["", "a", "a\0", "ab", "b", "\x7f", "\x80", "\xff", "\xff\xff"];
const key = fc.constantFrom(...KEYS);

type Step =
  | { readonly do: "seekFirst" | "seekLast" | "next" | "previous" }
  | { readonly do: "seekAtOrAfter" | "seekBefore"; readonly key: string };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom("next" as const, "previous" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("seekFirst" as const, "seekLast" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom("seekAtOrAfter" as const, "seekBefore" as const), key }),
  },
);

/** Sources, newest first, with each (key, version) once among them all. */
const sources = fc
  .uniqueArray(fc.tuple(key, fc.integer({ min: 10, max: 14 }), fc.nat(4)), {
    maxLength: 30,
    selector: ([name, version]) => `${name}|${version}`,
  })
  .map((rows) => {
    const split: Row[][] = [[], [], [], [], []];
    for (const [name, version, source] of rows) {
      (split[source] as Row[]).push({
        key: bytes(name),
        version,
        kind: 1,
        value: bytes(`${name}@${version}`),
      });
    }
    return split.map((one) => one.sort(compareRows));
  });

describe("a merging cursor", () => {
  test("[D38] stands after any moves where a sorted array of all rows would", () => {
    fc.assert(
      fc.property(sources, fc.array(step, { maxLength: 40 }), (split, steps) => {
        const rows = split.flat().sort(compareRows);
        const cursor = new MergingCursor(split.map((one) => new ArrayCursor(one)));
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
      }),
      { numRuns: 2000 },
    );
  });

  test("turns at every row of every merge of three, both ways, without skipping or repeating", () => {
    const rows: Row[] = [];
    for (const name of ["a", "b", "c", "d"]) {
      for (const version of [12, 11, 10]) rows.push({ key: bytes(name), version, kind: 1, value: bytes("") });
    }
    for (let assignment = 0; assignment < 3 ** 6; assignment++) {
      const split: Row[][] = [[], [], []];
      rows.forEach((row, i) => (split[Math.floor(assignment / 3 ** (i % 6)) % 3] as Row[]).push(row));
      const cursor = new MergingCursor(split.map((one) => new ArrayCursor(one)));
      cursor.seekFirst();
      for (let at = 0; at < rows.length; at++) {
        expect(rowOf(cursor)).toEqual(rows[at]);
        if (at > 0) {
          cursor.previous();
          expect(rowOf(cursor)).toEqual(rows[at - 1]);
          cursor.next();
          expect(rowOf(cursor)).toEqual(rows[at]);
        }
        cursor.next();
      }
      expect(cursor.valid).toBe(false);
    }
  });

  test("of no sources, and of empty ones, is valid nowhere", () => {
    for (const cursor of [
      new MergingCursor([]),
      new MergingCursor([new ArrayCursor([]), new ArrayCursor([])]),
    ]) {
      for (const seek of [
        () => cursor.seekFirst(),
        () => cursor.seekLast(),
        () => cursor.seekAtOrAfter(bytes("")),
        () => cursor.seekBefore(bytes("z")),
      ]) {
        seek();
        expect(cursor.valid).toBe(false);
      }
    }
  });

  test("closes all of its sources", () => {
    const split = [new ArrayCursor([]), new ArrayCursor([])];
    const cursor = new MergingCursor(split);
    cursor.close();
    expect(split.map(({ isClosed }) => isClosed)).toEqual([true, true]);
  });

  test("is left invalid by a source that fails, whatever the move, and usable again after a seek", () => {
    const row = (name: string): Row => ({ key: bytes(name), version: 10, kind: 1, value: bytes("") });
    const moves: ((cursor: MergingCursor) => void)[] = [
      (cursor) => cursor.next(),
      (cursor) => cursor.previous(),
      (cursor) => cursor.seekFirst(),
      (cursor) => cursor.seekLast(),
      (cursor) => cursor.seekAtOrAfter(bytes("b")),
      (cursor) => cursor.seekBefore(bytes("b")),
    ];
    for (const move of moves) {
      for (const failing of [0, 1, 2]) {
        const split = [
          new ArrayCursor([row("a"), row("d")]),
          new ArrayCursor([row("b"), row("e")]),
          new ArrayCursor([row("c"), row("f")]),
        ];
        const cursor = new MergingCursor(split);
        cursor.seekAtOrAfter(bytes("c"));
        (split[failing] as ArrayCursor).failsNext = true;
        let failed = false;
        try {
          move(cursor);
        } catch {
          failed = true;
        }
        if (failed) expect(cursor.valid).toBe(false);
        (split[failing] as ArrayCursor).failsNext = false;
        cursor.seekFirst();
        expect(rowOf(cursor)).toEqual(row("a"));
      }
    }
  });
});
