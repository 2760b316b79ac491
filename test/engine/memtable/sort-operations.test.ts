/**
 * The sort of a segment against a stable comparison sort: for keys of every shape, and for loads that each contradict
 * one thing a radix sort might take for granted. Does not check speed, only that nothing is quadratic.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { KIND_PUT } from "../../../src/engine/format/operation.js";
import { sortOperations } from "../../../src/engine/memtable/sort-operations.js";
import { ArenaFixture, anyKey, integers, latestInOrder, type Row, text } from "./arena-fixture.js";

const BASE = 10;

function expectSorted(fixture: ArenaFixture, rows: readonly Row[]): void {
  const expected = latestInOrder(rows).map((row) => row.at);
  const { bytes, words } = fixture.arena;
  // Longer than the count, as a flush's reused array is.
  const offsets = new Uint32Array(rows.length + 3);
  offsets.set(rows.map((row) => row.at));
  const kept = sortOperations(bytes, words, offsets, rows.length);
  expect([...offsets.subarray(0, kept)]).toEqual(expected);
}

test("sorts as a stable comparison sort does and keeps the last of equal key and version", () => {
  const anyVersion = fc.oneof(
    fc.integer({ min: BASE, max: BASE + 4 }),
    fc.constantFrom(BASE + 0x7fff_ffff, BASE + 0x8000_0000, BASE + 0xffff_ffff),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(anyKey, anyVersion), { maxLength: 400, size: "max" }), (operations) => {
      const fixture = new ArenaFixture(128 * 1024, BASE);
      expectSorted(
        fixture,
        operations.map(([key, version]) => fixture.append(key, version)),
      );
    }),
    { numRuns: 200 },
  );
});

/** Loads of 20,000 operations, each against one assumption that a radix sort might make. */
const loads: Record<string, (i: number, next: () => number) => Uint8Array> = {
  "random bytes": (_, next) => new Uint8Array(Uint32Array.of(next(), next()).buffer),
  "random decimals": (_, next) => text(String(next() % 1e6).padStart(16, "0")),
  "in order already": (i) => text(String(i).padStart(16, "0")),
  "in reverse order": (i) => text(String(99_999 - i)),
  "three subspaces": (_, next) => text(`${["users/", "log/2024/", "index/by/"][next() % 3]}${next() % 1e8}`),
  "one key that breaks the prefix of all others": (i, next) =>
    text(i === 12_345 ? "samf/0000" : `same/${next()}`),
  "one key nearly always, others of great variety": (_, next) =>
    next() % 100 === 0 ? new Uint8Array(Uint32Array.of(next(), next()).buffer) : text("frequent"),
  "runs of zero bytes of any length": (_, next) => new Uint8Array(next() % 40),
  "0x7f, 0x80 and 0xff": (_, next) =>
    Uint8Array.from({ length: next() % 16 }, () => [0x7f, 0x80, 0xff][next() % 3] as number),
  "prefixes of each other": (_, next) => text("a".repeat(next() % 200)),
  "alike but for the last byte": (_, next) => text(`${"x".repeat(60)}${String.fromCharCode(next() % 256)}`),
  "empty keys": () => new Uint8Array(0),
};

test.each(Object.keys(loads))("sorts 20,000 operations: %s", (name) => {
  const load = loads[name] as (i: number, next: () => number) => Uint8Array;
  const next = integers(11);
  const fixture = new ArenaFixture(8 << 20, BASE);
  const rows: Row[] = [];
  for (let i = 0; i < 20_000; i++) rows.push(fixture.append(load(i, next), BASE + (i >> 2)));
  expectSorted(fixture, rows);
});

test("a key whose value goes on where the key ends is not taken for a longer key", () => {
  const next = integers(17);
  const fixture = new ArenaFixture(1 << 16, BASE);
  const rows: Row[] = [];
  for (let i = 0; i < 1000; i++) {
    rows.push(
      i === 777
        ? fixture.append(text("sam"), BASE, KIND_PUT, text("e/5"))
        : fixture.append(text(`same/${next()}`), BASE),
    );
  }
  expectSorted(fixture, rows);
});

test("equal keys with versions in any order stay far from quadratic", () => {
  const count = 100_000;
  const next = integers(5);
  const fixture = new ArenaFixture(64 + count * 16, BASE);
  const rows: Row[] = [];
  for (let i = 0; i < count; i++) rows.push(fixture.append(text("same"), BASE + next()));
  expectSorted(fixture, rows);
});

test("sorts offsets of either kind of array, and none at all", () => {
  const fixture = new ArenaFixture(4096, BASE);
  const offsets = Int32Array.from(["b", "a", "a", "c"], (key) => fixture.append(text(key), BASE).at);
  const [b, , laterA, c] = offsets;
  const { bytes, words } = fixture.arena;
  expect(sortOperations(bytes, words, offsets, 0)).toBe(0);
  expect(sortOperations(bytes, words, offsets, 4)).toBe(3);
  expect([...offsets.subarray(0, 3)]).toEqual([laterA, b, c]);
});
