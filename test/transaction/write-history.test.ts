/** The resolver's history against a plain list of all writes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { RangeSet } from "../../src/transaction/range-set.js";
import { WriteHistory } from "../../src/transaction/write-history.js";

const key = fc.string({ unit: fc.constantFrom("a", "b", "c", "\u00ff"), maxLength: 3 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("write" as const), begin: key, end: key }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("ask" as const), begin: key, end: key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("forget" as const), by: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("sweep" as const) }) },
);

test("the newest write that touches a range is known exactly above the horizon", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const history = new WriteHistory(0);
      const writes: { begin: string; end: string; version: number }[] = [];
      let version = 0;
      for (const one of steps) {
        if (one.kind === "write") {
          history.wrote(one.begin, one.end, ++version);
          if (one.begin < one.end) writes.push({ ...one, version });
        } else if (one.kind === "ask") {
          const touched = writes.filter(
            ({ begin, end }) => one.begin < one.end && begin < one.end && one.begin < end,
          );
          const expected = Math.max(history.horizon, ...touched.map((write) => write.version));
          expect(history.newest(one.begin, one.end)).toBe(expected);
          for (const above of [0, expected - 1, expected, expected + 1])
            expect(history.newest(one.begin, one.end, above)).toBe(Math.max(expected, above));
        } else if (one.kind === "forget") {
          history.forget(Math.min(version, history.horizon + one.by));
        } else {
          history.sweep();
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("many writes stay exact over chunks that split, empty and join, and forgetting gives the memory back", () => {
  const history = new WriteHistory(0);
  const newest = new Map<string, number>();
  const name = (n: number): string => String(n).padStart(5, "0");
  for (let version = 1; version <= 5000; version++) {
    const at = (version * 7919) % 5000;
    history.wrote(name(at), `${name(at)}\0`, version);
    newest.set(name(at), version);
  }
  for (let n = 0; n < 5000; n += 7) {
    expect(history.newest(name(n), `${name(n)}\0`)).toBe(newest.get(name(n)) ?? 0);
    const wide = Math.max(...Array.from({ length: 50 }, (_, i) => newest.get(name(n + i)) ?? 0));
    expect(history.newest(name(n), name(n + 50))).toBe(wide);
  }
  history.wrote(name(100), name(4900), 5001);
  expect(history.newest(name(4000), name(4001))).toBe(5001);
  expect(history.size).toBeLessThan(500);
  history.forget(5001);
  for (let i = 0; i < 100; i++) history.sweep();
  expect(history.size).toBe(1);
  expect(history.newest("", "\u00ff")).toBe(5001);
});

test("a large commit counts like others, between older and newer ones, until it is forgotten", () => {
  const history = new WriteHistory(0);
  const name = (n: number): string => String(n).padStart(6, "0");
  const large = (step: number): RangeSet => {
    const ranges = new RangeSet();
    for (let n = 0; n < 60_000; n += step) ranges.add(name(n), `${name(n)}\0`);
    return ranges;
  };
  history.wrote(name(6), name(7), 1);
  history.wroteAll(large(2), 2);
  history.wroteAll(large(3), 3);
  history.wrote(name(12), `${name(12)}\0`, 4);
  const at = (n: number): number => history.newest(name(n), `${name(n)}\0`);
  expect([6, 2, 3, 5, 12].map(at)).toEqual([3, 2, 3, 0, 4]);
  expect(history.newest(name(5), name(6))).toBe(0);
  expect(history.newest(name(59_990), name(60_000))).toBe(3);
  history.forget(2);
  expect([2, 3, 5].map(at)).toEqual([2, 3, 2]);
  history.forget(3);
  expect([3, 12].map(at)).toEqual([3, 4]);
});

test("what is forgotten goes as fast as commits of thousands of ranges bring it", () => {
  const history = new WriteHistory(0);
  const RANGES = 2_000;
  const KEPT_COMMITS = 20;
  let most = 0;
  for (let version = 1; version <= 400; version++) {
    const ranges = new RangeSet();
    for (let i = 0; i < RANGES; i++) {
      // New keys all over the key space.
      const at = `${String((i * 7_919 + version * 104_729) % 1_000_003).padStart(8, "0")}/${version}`;
      ranges.add(at, `${at}\0`);
    }
    history.wroteAll(ranges, version);
    if (version % 16 !== 0) continue;
    history.forget(version - KEPT_COMMITS);
    history.sweep();
    most = Math.max(most, history.size);
  }
  expect(most).toBeLessThan(3 * 2 * RANGES * (KEPT_COMMITS + 16));
});
