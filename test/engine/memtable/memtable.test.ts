/**
 * The memtable against a sorted array: finds, cursor steps and inserts in any interleaving (D37), and loads large
 * enough to split nodes on every level. Visibility of versions and range tombstones is not the memtable's and not
 * tested here.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Cursor } from "../../../src/engine/cursor.js";
import { compareKeys, copyOf, keyAfter } from "../../../src/engine/format/bytes.js";
import { KIND_DELETE, KIND_PUT, KIND_RANGE_DELETE } from "../../../src/engine/format/operation.js";
import { Memtable } from "../../../src/engine/memtable/memtable.js";
import { ArenaFixture, anyKey, integers, latestInOrder, type Row, text } from "./arena-fixture.js";

const BASE = 10;
/** The greatest version that a segment of this base can hold. */
const TOP = BASE + 0xffff_ffff;

type Step =
  | { readonly do: "insert"; readonly key: Uint8Array; readonly age: number; readonly remove: boolean }
  | { readonly do: "find"; readonly key: Uint8Array; readonly version: number }
  | { readonly do: "seekAtOrAfter" | "seekBefore"; readonly key: Uint8Array }
  | { readonly do: "seekFirst" | "seekLast" | "next" | "previous" };

const anyVersion = fc.oneof(
  fc.integer({ min: BASE, max: BASE + 6 }),
  fc.constantFrom(BASE + 0x7fff_ffff, BASE + 0x8000_0000, TOP),
);

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("insert" as const),
      key: anyKey,
      age: anyVersion,
      remove: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("find" as const),
      key: anyKey,
      version: fc.oneof(anyVersion, fc.constantFrom(0, BASE - 1, Number.MAX_SAFE_INTEGER)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("seekAtOrAfter" as const, "seekBefore" as const),
      key: anyKey,
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("next" as const, "previous" as const, "seekFirst" as const, "seekLast" as const),
    }),
  },
);

/** A memtable beside a sorted array, and the array's idea of where the cursor stands. */
class Pair {
  readonly fixture: ArenaFixture;
  readonly memtable: Memtable;
  readonly cursor: Cursor;
  rows: Row[] = [];
  private current: Row | undefined;

  constructor(capacityBytes: number) {
    this.fixture = new ArenaFixture(capacityBytes, BASE);
    this.memtable = new Memtable(this.fixture.arena, BASE);
    this.cursor = this.memtable.cursor();
  }

  insert(key: Uint8Array, version: number, kind: number = KIND_PUT): void {
    const row = this.fixture.append(key, version, kind, text(`value of ${version}`));
    this.memtable.insert(row.at);
    this.rows = latestInOrder([...this.rows, row]);
    expect(this.memtable.count).toBe(this.rows.length);
  }

  find(key: Uint8Array, version: number): void {
    const row = this.rows.find((other) => compareKeys(other.key, key) === 0 && other.version <= version);
    expect(this.memtable.find(key, version)).toBe(row?.at ?? -1);
  }

  step(step: Step): void {
    const { rows, cursor, current } = this;
    if (step.do === "insert") {
      this.insert(step.key, step.age, step.remove ? KIND_DELETE : KIND_PUT);
      return;
    }
    if (step.do === "find") {
      this.find(step.key, step.version);
      return;
    }
    if (step.do === "seekFirst") {
      cursor.seekFirst();
      this.current = rows[0];
    } else if (step.do === "seekLast") {
      cursor.seekLast();
      this.current = rows.at(-1);
    } else if (step.do === "seekAtOrAfter") {
      cursor.seekAtOrAfter(step.key);
      this.current = rows.find((row) => compareKeys(row.key, step.key) >= 0);
    } else if (step.do === "seekBefore") {
      cursor.seekBefore(step.key);
      this.current = rows.findLast((row) => compareKeys(row.key, step.key) < 0);
    } else {
      if (current === undefined) return;
      if (step.do === "next") cursor.next();
      else cursor.previous();
      const isAfter = (row: Row): boolean =>
        (compareKeys(row.key, current.key) || current.version - row.version) > 0;
      const isBefore = (row: Row): boolean =>
        (compareKeys(row.key, current.key) || current.version - row.version) < 0;
      this.current = step.do === "next" ? rows.find(isAfter) : rows.findLast(isBefore);
    }
    this.expectCurrent();
  }

  private expectCurrent(): void {
    expect(this.cursor.valid).toBe(this.current !== undefined);
    if (this.current !== undefined) expect(rowOf(this.cursor)).toEqual(withoutOffset(this.current));
  }
}

function rowOf(cursor: Cursor): Omit<Row, "at"> {
  return {
    key: copyOf(cursor.keyBytes, cursor.keyStart, cursor.keyLength),
    version: cursor.version,
    kind: cursor.kind,
    value: copyOf(cursor.valueBytes, cursor.valueStart, cursor.valueLength),
  };
}

function withoutOffset({ key, version, kind, value }: Row): Omit<Row, "at"> {
  return { key, version, kind, value };
}

/** Offsets in cursor order, forward; throws when the way back is another. */
function offsetsBothWays(memtable: Memtable): number[] {
  const cursor = memtable.cursor();
  const forward: number[] = [];
  for (cursor.seekFirst(); cursor.valid; cursor.next()) forward.push(cursor.keyStart - 12);
  const backward: number[] = [];
  for (cursor.seekLast(); cursor.valid; cursor.previous()) backward.push(cursor.keyStart - 12);
  cursor.close();
  expect(backward.reverse()).toEqual(forward);
  return forward;
}

test("finds and cursor steps agree with a sorted array, whatever is inserted between them", () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 200, size: "max" }), (steps) => {
      const pair = new Pair(64 * 1024);
      for (const step of steps) pair.step(step);
      expect(offsetsBothWays(pair.memtable)).toEqual(pair.rows.map((row) => row.at));
      for (const row of pair.rows) pair.find(row.key, row.version);
    }),
    { numRuns: 150 },
  );
});

test("a cursor that turns round at every row while neighbours are inserted neither skips nor repeats", () => {
  const next = integers(7);
  const pair = new Pair(1 << 20);
  for (let i = 0; i < 300; i++) pair.insert(text(String(next() % 5000).padStart(9, "0")), BASE + i);
  pair.step({ do: "seekFirst" });
  for (let i = 0; i < 600 && pair.cursor.valid; i++) {
    const near = copyOf(pair.cursor.keyBytes, pair.cursor.keyStart, pair.cursor.keyLength);
    if (i % 3 === 0) pair.insert(keyAfter(near), BASE + 300 + i);
    if (i % 3 === 1) pair.insert(near, BASE + 300 + i);
    pair.step({ do: i % 4 === 3 ? "previous" : "next" });
  }
});

const loads: Record<string, (i: number, next: () => number) => Uint8Array> = {
  "random bytes": (_, next) => new Uint8Array(Uint32Array.of(next(), next()).buffer),
  "ascending decimals": (i) => text(String(i).padStart(16, "0")),
  "descending decimals": (i) => text(String(1_000_000 - i).padStart(16, "0")),
  "three ascending subspaces": (i) =>
    text(`${["users/", "log/2024/", "index/"][i % 3]}${String(i).padStart(9, "0")}`),
  "versions of ten keys": (i) => text(`hot${i % 10}`),
  "versions of one key amid others": (i, next) => (i % 2 === 0 ? text("m") : text(String(next() % 9999))),
  "keys that are prefixes of each other": (_, next) => text("ab".repeat(next() % 60)),
  "zero and 0xff tails": (_, next) => Uint8Array.from({ length: next() % 14 }, () => (next() & 1) * 0xff),
  "two far subspaces with long prefixes": (_, next) =>
    text(`${next() & 1 ? "\x02".repeat(50) : "\xfe".repeat(50)}${next() % 100_000}`),
};

test.each(Object.keys(loads))("keeps order, finds all and replaces any through many splits: %s", (name) => {
  const load = loads[name] as (i: number, next: () => number) => Uint8Array;
  const next = integers(42);
  const fixture = new ArenaFixture(4 << 20, BASE);
  const memtable = new Memtable(fixture.arena, BASE);
  const rows: Row[] = [];
  for (let i = 0; i < 8_000; i++) {
    // Two operations a batch, so that some replace their neighbour.
    const row = fixture.append(load(i, next), BASE + (i >> 1));
    rows.push(row);
    memtable.insert(row.at);
    // A look elsewhere in the tree must not lead the next insert astray.
    const other = rows[next() % rows.length] as Row;
    memtable.find(other.key, other.version);
  }
  const expected = latestInOrder(rows);
  expect(memtable.count).toBe(expected.length);
  expect(offsetsBothWays(memtable)).toEqual(expected.map((row) => row.at));
  const wrong = expected.filter(
    (row, i) =>
      memtable.find(row.key, row.version) !== row.at ||
      memtable.find(row.key, row.version - 1) !== olderVersion(row, expected[i + 1]),
  );
  expect(wrong).toEqual([]);
  for (let i = 0; i < expected.length; i++) {
    const { key, version } = expected[(i * 7919) % expected.length] as Row;
    const again = fixture.append(key, version);
    rows.push(again);
    memtable.insert(again.at);
  }
  expect(memtable.count).toBe(expected.length);
  expect(offsetsBothWays(memtable)).toEqual(latestInOrder(rows).map((row) => row.at));
});

function olderVersion(row: Row, next: Row | undefined): number {
  return next !== undefined && compareKeys(next.key, row.key) === 0 ? next.at : -1;
}

test("a tree with three levels of inner nodes keeps the order of a quarter million keys", () => {
  const count = 250_000;
  const next = integers(3);
  const fixture = new ArenaFixture(64 + count * 16, BASE);
  const memtable = new Memtable(fixture.arena, BASE);
  for (let i = 0; i < count; i++) {
    memtable.insert(fixture.append(new Uint8Array(Uint32Array.of(next()).buffer), BASE + i).at);
  }
  const cursor = memtable.cursor();
  const { bytes } = fixture.arena;
  let previous = -1;
  let seen = 0;
  for (cursor.seekFirst(); cursor.valid; cursor.next()) {
    const at = cursor.keyStart;
    const order =
      (((bytes[at] as number) << 24) |
        ((bytes[at + 1] as number) << 16) |
        ((bytes[at + 2] as number) << 8) |
        (bytes[at + 3] as number)) >>>
      0;
    if (order < previous) expect.fail(`row ${seen} is out of order`);
    previous = order;
    seen++;
  }
  expect(seen).toBe(count);
  expect(memtable.count).toBe(count);
});

test("of two operations of one batch on one key the later is found, and it counts once", () => {
  const { fixture, memtable, cursor } = new Pair(4096);
  memtable.insert(fixture.append(text("k"), 12, KIND_PUT, text("first")).at);
  cursor.seekFirst();
  const later = fixture.append(text("k"), 12, KIND_DELETE);
  memtable.insert(later.at);
  expect(memtable.count).toBe(1);
  expect(memtable.find(text("k"), 12)).toBe(later.at);
  cursor.next();
  expect(cursor.valid).toBe(false);
});

test("an empty memtable finds nothing and its cursor is valid nowhere", () => {
  const { memtable, cursor } = new Pair(4096);
  expect(memtable.count).toBe(0);
  expect(memtable.find(text(""), TOP)).toBe(-1);
  for (const seek of [
    () => cursor.seekFirst(),
    () => cursor.seekLast(),
    () => cursor.seekAtOrAfter(text("")),
    () => cursor.seekBefore(text("z")),
  ]) {
    seek();
    expect(cursor.valid).toBe(false);
  }
  expect(() => cursor.next()).toThrow("internal assertion failed");
});

test("a range delete becomes a tombstone that does not alias the arena, and no point entry", () => {
  const { fixture, memtable } = new Pair(4096);
  const row = fixture.append(text("b"), 15, KIND_RANGE_DELETE, text("d"));
  memtable.insertRangeDelete(row.at);
  fixture.arena.bytes.fill(0xee);
  expect(memtable.count).toBe(0);
  expect(memtable.rangeTombstones.fragments()).toEqual([
    { begin: text("b"), end: text("d"), versions: [15] },
  ]);
});

test("refuses an operation of the wrong kind", () => {
  const { fixture, memtable } = new Pair(4096);
  const range = fixture.append(text("a"), 11, KIND_RANGE_DELETE, text("b"));
  const point = fixture.append(text("a"), 11);
  expect(() => memtable.insert(range.at)).toThrow("internal assertion failed");
  expect(() => memtable.insertRangeDelete(point.at)).toThrow("internal assertion failed");
});
