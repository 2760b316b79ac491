/** Range tombstones against the plain list of all range deletes, over a key space of a few cells. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import { RangeTombstones } from "../../../src/engine/memtable/range-tombstones.js";
import { text } from "./arena-fixture.js";

/** The key space of the model: cell i holds all keys from [i] up to [i + 1]. */
const CELLS = 24;
const VERSION_MAX = 12;

interface Add {
  readonly begin: number;
  readonly end: number;
  readonly version: number;
}

const anyAdd: fc.Arbitrary<Add> = fc
  .record({
    begin: fc.nat(CELLS - 1),
    length: fc.integer({ min: 1, max: CELLS }),
    version: fc.integer({ min: 1, max: VERSION_MAX }),
  })
  .map(({ begin, length, version }) => ({ begin, end: Math.min(begin + length, CELLS), version }));
const anyAdds = fc.array(anyAdd, { maxLength: 30 });

function setOf(adds: readonly Add[]): RangeTombstones {
  const set = new RangeTombstones();
  for (const { begin, end, version } of adds) set.add(Uint8Array.of(begin), Uint8Array.of(end), version);
  return set;
}

/** Versions that cover a cell, by brute force. */
function covering(adds: readonly Add[], cell: number, version: number): number {
  let newest = 0;
  for (const add of adds) {
    if (add.begin <= cell && cell < add.end && add.version <= version) newest = Math.max(newest, add.version);
  }
  return newest;
}

function expectSame(set: RangeTombstones, adds: readonly Add[]): void {
  expect(set.isEmpty).toBe(adds.length === 0);
  for (let cell = 0; cell <= CELLS; cell++) {
    for (let version = 0; version <= VERSION_MAX; version++) {
      const expected = covering(adds, cell, version);
      // In the midst of other bytes, as in a block or an arena; at a cell's first key and within the cell.
      expect(set.coveringVersion(Uint8Array.of(9, cell, 9), 1, 1, version)).toBe(expected);
      expect(set.coveringVersion(Uint8Array.of(cell, 0xff), 0, 2, version)).toBe(expected);
    }
  }
  expectCanonical(set);
}

function expectCanonical(set: RangeTombstones): void {
  const fragments = set.fragments();
  for (const [i, { begin, end, versions }] of fragments.entries()) {
    expect(compareKeys(begin, end)).toBeLessThan(0);
    expect(versions.length).toBeGreaterThan(0);
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => b - a));
    const next = fragments[i + 1];
    if (next === undefined) continue;
    const gap = compareKeys(end, next.begin);
    expect(gap).toBeLessThanOrEqual(0);
    if (gap === 0) expect(next.versions).not.toEqual(versions);
  }
}

test("covers what a list of all range deletes covers, at every version", () => {
  fc.assert(
    fc.property(anyAdds, (adds) => expectSame(setOf(adds), adds)),
    { numRuns: 60 },
  );
});

test("equal sets have equal fragments, in whatever order they came and however they were merged", () => {
  fc.assert(
    fc.property(anyAdds, fc.array(fc.nat(), { minLength: 30, maxLength: 30 }), (adds, picks) => {
      const whole = setOf(adds).fragments();
      expect(setOf([...adds].reverse()).fragments()).toEqual(whole);
      const parts: Add[][] = [[], [], [], [], []];
      for (const [i, add] of adds.entries()) (parts[(picks[i] as number) % 5] as Add[]).push(add);
      const sets = parts.map(setOf);
      expect(RangeTombstones.merge(sets).fragments()).toEqual(whole);
      for (const [i, set] of sets.entries()) {
        expect(set.fragments()).toEqual(setOf(parts[i] as Add[]).fragments());
      }
    }),
  );
});

function clipAdds(adds: readonly Add[], begin: number, end: number): Add[] {
  return adds
    .map((add) => ({ ...add, begin: Math.max(add.begin, begin), end: Math.min(add.end, end) }))
    .filter((add) => add.begin < add.end);
}

test("a clipped set covers inside its bounds what the whole covers, and nothing outside", () => {
  fc.assert(
    fc.property(anyAdds, fc.nat(CELLS - 1), fc.integer({ min: 1, max: CELLS }), (adds, begin, length) => {
      const end = Math.min(begin + length, CELLS);
      const set = setOf(adds);
      const expectClip = (clipped: RangeTombstones, from: number, to: number): void => {
        expect(clipped.fragments()).toEqual(setOf(clipAdds(adds, from, to)).fragments());
      };
      expectClip(set.clipped(Uint8Array.of(begin), Uint8Array.of(end)), begin, end);
      expectClip(set.clipped(null, Uint8Array.of(end)), 0, end);
      expectClip(set.clipped(Uint8Array.of(begin), null), begin, CELLS);
      expectClip(set.clipped(null, null), 0, CELLS);
    }),
  );
});

test("the end of the cover is the first key from the given one on that a reader at the version could see", () => {
  fc.assert(
    fc.property(
      anyAdds,
      fc.nat(CELLS - 1),
      fc.integer({ min: 0, max: VERSION_MAX }),
      (adds, cell, version) => {
        let end = cell;
        while (covering(adds, end, version) > 0) end++;
        const expected = end === cell ? null : Uint8Array.of(end);
        expect(setOf(adds).endOfCover(Uint8Array.of(cell), version)).toEqual(expected);
        expect(setOf(adds).endOfCover(Uint8Array.of(cell, 0x80), version)).toEqual(expected);
      },
    ),
  );
});

test("fragments once given out do not change, and a merged set is apart from its parts", () => {
  const set = new RangeTombstones();
  set.add(text("a"), text("m"), 5);
  const before = set.fragments();
  const merged = RangeTombstones.merge([set]);
  set.add(text("c"), text("d"), 7);
  merged.add(text("x"), text("y"), 9);
  expect(before).toEqual([{ begin: text("a"), end: text("m"), versions: [5] }]);
  expect(set.fragments()).toHaveLength(3);
  expect(merged.fragments()).toEqual([
    { begin: text("a"), end: text("m"), versions: [5] },
    { begin: text("x"), end: text("y"), versions: [9] },
  ]);
});

function numbered(i: number): Uint8Array {
  return text(String(i).padStart(6, "0"));
}

test("one wide delete over many narrow ones splits each and fills the gaps", () => {
  const set = new RangeTombstones();
  for (let i = 0; i < 1500; i++) set.add(numbered(2 * i), numbered(2 * i + 1), 3);
  set.add(numbered(0), numbered(3000), 8);
  expect(set.fragments()).toHaveLength(3000);
  expectCanonical(set);
  expect(set.endOfCover(numbered(17), 7)).toBeNull();
  expect(set.endOfCover(numbered(16), 7)).toEqual(numbered(17));
  expect(set.endOfCover(numbered(17), 8)).toEqual(numbered(3000));
});

test("one delete over a hundred thousand others is no different", () => {
  const set = new RangeTombstones();
  for (let i = 0; i < 100_000; i++) set.add(numbered(2 * i), numbered(2 * i + 1), 3);
  set.add(numbered(0), numbered(200_000), 8);
  expect(set.fragments()).toHaveLength(200_000);
});

test("no tombstones are an empty set, which merges and clips like any other", () => {
  const empty = new RangeTombstones();
  const one = setOf([{ begin: 1, end: 2, version: 3 }]);
  expect(RangeTombstones.merge([]).isEmpty).toBe(true);
  expect(RangeTombstones.merge([empty, one, empty]).fragments()).toEqual(one.fragments());
  expect(empty.clipped(null, null).isEmpty).toBe(true);
  expect(empty.endOfCover(text("a"), VERSION_MAX)).toBeNull();
});

test("refuses empty and inverted ranges", () => {
  const set = new RangeTombstones();
  expect(() => set.add(text("b"), text("b"), 1)).toThrow("internal assertion failed");
  expect(() => set.add(text("b"), text("a"), 1)).toThrow("internal assertion failed");
  expect(() => set.clipped(text("b"), text("b"))).toThrow("internal assertion failed");
});
