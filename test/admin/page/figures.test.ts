/** What the admin's page makes of metrics and tables: rates, quantiles, gaps, places on the line of keys, axes. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { MetricsSnapshot } from "../../../src/admin/page/answers.js";
import {
  gaugeOf,
  History,
  quantileBetween,
  quantileOf,
  rateOf,
  shareOf,
} from "../../../src/admin/page/history.js";
import { type KeyedTable, placeOnKeyLine } from "../../../src/admin/page/key-line.js";
import {
  amountText,
  axisEnd,
  durationText,
  millisecondsText,
  sizeText,
} from "../../../src/admin/page/numbers.js";
import { compareKeys } from "../../../src/engine/format/bytes.js";

const MEASURES = {
  commits: rateOf("commits_total"),
  memory: gaugeOf("memtable_bytes", "cache_bytes"),
  unknown: gaugeOf("no_such"),
  hits: shareOf("hits_total", "misses_total"),
  median: quantileOf("latency_ms", 0.5),
};

function metrics(counters: Record<string, number>, counts: readonly number[] = [0, 0, 0]): MetricsSnapshot {
  const bounds = [1, 2, null];
  const buckets = counts.map((count, at) => ({ le: bounds[at] ?? null, count }));
  return {
    counters,
    gauges: { memtable_bytes: 10, cache_bytes: 5 },
    histograms: { latency_ms: { count: counts.at(-1) ?? 0, sum: 0, buckets } },
  };
}

describe("the history", () => {
  it("has rates per second, sums of gauges, shares and quantiles between two moments", () => {
    const history = new History(MEASURES, 10_000);
    history.add(metrics({ commits_total: 10, hits_total: 5, misses_total: 5 }, [0, 0, 0]), 1_000);
    expect(history.points).toEqual([]);
    history.add(metrics({ commits_total: 30, hits_total: 8, misses_total: 6 }, [4, 8, 8]), 3_000);
    expect(history.points).toEqual([
      { atMs: 3_000, values: { commits: 10, memory: 15, unknown: null, hits: 0.75, median: 1 } },
    ]);
  });

  it("has a gap where a counter went back, and where nobody looked for a while", () => {
    const history = new History(MEASURES, 10_000);
    history.add(metrics({ commits_total: 10 }), 0);
    history.add(metrics({ commits_total: 3 }), 2_000);
    history.add(metrics({ commits_total: 5 }), 60_000);
    history.add(metrics({ commits_total: 9 }), 62_000);
    expect(history.points.map(({ values }) => values["commits"])).toEqual([null, null, 2]);
  });

  it("forgets the oldest", () => {
    const history = new History(MEASURES, 10_000);
    for (let i = 0; i <= 1_900; i++) history.add(metrics({ commits_total: i }), i * 1_000);
    expect(history.points).toHaveLength(1_800);
    expect(history.points.at(-1)?.atMs).toBe(1_900_000);
  });
});

test("a quantile lies between the least and the largest of what was observed, and rises", () => {
  const bounds = [1, 2, 4, 8, 16];
  const histogram = (values: readonly number[]) => ({
    count: values.length,
    sum: 0,
    buckets: [...bounds, null].map((le) => ({
      le,
      count: values.filter((one) => le === null || one <= le).length,
    })),
  });
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 16 })),
      fc.array(fc.integer({ min: 1, max: 16 }), { minLength: 1 }),
      (old, fresh) => {
        const now = histogram([...old, ...fresh]);
        const at = (quantile: number): number => quantileBetween(histogram(old), now, quantile) ?? Number.NaN;
        const roundedUp = bounds.find((bound) => bound >= Math.max(...fresh)) as number;
        expect(at(1)).toBe(roundedUp);
        expect(at(0.5)).toBeLessThanOrEqual(at(0.99));
        expect(at(0.01)).toBeGreaterThanOrEqual(Math.min(...fresh) / 2 - 0.5);
      },
    ),
  );
  expect(quantileBetween(histogram([3]), histogram([3]), 0.5)).toBeNull();
  expect(quantileBetween(undefined, histogram([100]), 0.5)).toBe(16);
});

describe("the line of keys", () => {
  const key = fc.uint8Array({ maxLength: 3 });
  const table = fc.tuple(key, key, fc.integer({ min: 0, max: 1_000 })).map(([a, b, bytes]): KeyedTable => {
    const [smallest, largest] = compareKeys(a, b) <= 0 ? [a, b] : [b, a];
    return { smallest, largest, bytes };
  });

  it("has every table once, in the order of keys, within the line, and none over another of its lane", () => {
    fc.assert(
      fc.property(fc.array(fc.array(table, { maxLength: 12 }), { maxLength: 4 }), (levels) => {
        const placed = placeOnKeyLine(levels);
        for (const [at, { blocks, lanes }] of placed.entries()) {
          expect(new Set(blocks.map((block) => block.table))).toEqual(new Set(levels[at]));
          const ends = Array.from({ length: lanes }, () => 0);
          for (const { from, to, lane } of blocks) {
            expect(from).toBeGreaterThanOrEqual(ends[lane] as number);
            expect(to).toBeGreaterThan(from);
            expect(to).toBeLessThanOrEqual(1.000_001);
            ends[lane] = to;
          }
        }
        const all = placed.flatMap(({ blocks }) => blocks);
        for (const a of all)
          for (const b of all)
            if (compareKeys(a.table.largest, b.table.smallest) < 0) expect(a.to).toBeLessThanOrEqual(b.from);
      }),
    );
  });

  it("is as wide as the bytes are", () => {
    const of = (from: number, to: number, bytes: number): KeyedTable => ({
      smallest: Uint8Array.of(from),
      largest: Uint8Array.of(to),
      bytes,
    });
    const [level] = placeOnKeyLine([[of(0, 1, 100), of(2, 3, 300), of(200, 201, 600)]]);
    const widths = level?.blocks.map(({ from, to }) => to - from) ?? [];
    expect(widths.map((width) => Math.round(width * 10))).toEqual([1, 3, 6]);
  });

  it("has nothing to place in a store without tables", () => {
    expect(placeOnKeyLine([[], []])).toEqual([
      { blocks: [], lanes: 1 },
      { blocks: [], lanes: 1 },
    ]);
  });
});

test("numbers have three digits and the unit that fits", () => {
  expect([0, 999, 1000, 1024 ** 2, 29.8 * 1024 ** 2].map(sizeText)).toEqual([
    "0 B",
    "999 B",
    "0.98 KiB",
    "1 MiB",
    "29.8 MiB",
  ]);
  expect([0.5, 394, 12_345, 2_500_000].map(amountText)).toEqual(["0.50", "394", "12.3 k", "2.50 M"]);
  expect([0.382, 9, 1_500].map(millisecondsText)).toEqual(["382 µs", "9 ms", "1.50 s"]);
  expect([59_000, 61_000, 3_600_000, 200_000_000].map(durationText)).toEqual([
    "59 s",
    "1 min 1 s",
    "1 h 0 min",
    "2 d 7 h",
  ]);
});

test("an axis ends at or above the largest value, and not far above", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-6, max: 1e15, noNaN: true }), fc.boolean(), (value, isBytes) => {
      const end = axisEnd(value, isBytes);
      expect(end).toBeGreaterThanOrEqual(value * 0.999_999);
      expect(end).toBeLessThanOrEqual(value * 2.500_001);
    }),
  );
  expect(axisEnd(0, false)).toBe(1);
});
