/**
 * What is compacted next, as pure functions of the tree's shape: cases by hand, then random trees on which every plan is
 * checked and carried out. Carrying a plan out merges versions as sets, so newer data below older shows at once.
 */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LeveledStrategy } from "../../../src/engine/compaction/leveled.js";
import {
  type CompactionPlan,
  type CompactionStrategy,
  strategyFor,
} from "../../../src/engine/compaction/strategy.js";
import { TieredStrategy } from "../../../src/engine/compaction/tiered.js";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import {
  coveringRange,
  type TableMeta,
  tablesOverlap,
  totalBytes,
} from "../../../src/engine/manifest/table-meta.js";
import { applyEdit, LEVEL_COUNT, type Levels } from "../../../src/engine/manifest/tree.js";
import { resolveOptions, type StoreOptions } from "../../../src/engine/options.js";
import { bytes } from "../fixtures/model.js";

const OPTIONS = resolveOptions({
  memtableBytes: 4096,
  levelBaseBytes: 10_000,
  levelRatio: 10,
  tableBytes: 1024,
  level0CompactionFiles: 4,
});
const leveled = new LeveledStrategy(OPTIONS);

interface Shape {
  readonly number: number;
  readonly first: string;
  readonly last: string;
  readonly bytes?: number;
  readonly versions?: readonly [number, number];
  readonly tombstones?: number;
}

function table(shape: Shape): TableMeta {
  const [minVersion, maxVersion] = shape.versions ?? [1, 1];
  return {
    fileNumber: shape.number,
    bytes: shape.bytes ?? 1000,
    smallest: bytes(shape.first),
    largest: bytes(shape.last),
    largestExclusive: false,
    minVersion,
    maxVersion,
    entryCount: 10,
    tombstoneCount: shape.tombstones ?? 0,
    rangeTombstoneCount: 0,
  };
}

/** Levels by number; level 0 newest first. */
function tree(levels: { readonly [level: number]: readonly Shape[] }): Levels {
  return Array.from({ length: LEVEL_COUNT }, (_, level) => (levels[level] ?? []).map(table));
}

/** Level-0 tables with disjoint versions, the first the newest. */
function level0(...ranges: readonly (readonly [number: number, first: string, last: string])[]): Shape[] {
  return ranges.map(([number, first, last], i) => {
    const newest = 100 * (ranges.length - i);
    return { number, first, last, versions: [newest, newest + 9] };
  });
}

function numbers(plan: CompactionPlan | null): { [level: number]: number[] } | null {
  if (plan === null) return null;
  const found: { [level: number]: number[] } = {};
  for (const { level, tables } of plan.runs) {
    found[level] = [...(found[level] ?? []), ...tables.map(({ fileNumber }) => fileNumber)];
  }
  return found;
}

describe("leveled", () => {
  test("a tree in shape needs nothing", () => {
    expect(leveled.pick(tree({}))).toBeNull();
    expect(leveled.pick(tree({ 0: level0([3, "a", "z"], [2, "a", "z"], [1, "a", "z"]) }))).toBeNull();
    expect(leveled.pick(tree({ 1: [{ number: 1, first: "a", last: "b", bytes: 9999 }] }))).toBeNull();
    expect(leveled.debtBytes(tree({ 1: [{ number: 1, first: "a", last: "b", bytes: 9999 }] }))).toBe(0);
  });

  test("level 0 goes to level 1 from four tables on, with every table of level 1 that it overlaps", () => {
    const levels = tree({
      0: level0([14, "c", "f"], [13, "e", "k"], [12, "a", "c"], [11, "b", "d"]),
      1: [
        { number: 1, first: "a", last: "b" },
        { number: 2, first: "g", last: "h" },
        { number: 3, first: "p", last: "q" },
      ],
    });
    const plan = leveled.pick(levels);
    expect(numbers(plan)).toEqual({ 0: [14, 13, 12, 11], 1: [1, 2] });
    expect([plan?.outputLevel, plan?.isTrivialMove]).toEqual([1, false]);
    expect(plan?.runs.map(({ tables }) => tables.length)).toEqual([1, 1, 1, 1, 2]);
  });

  test("[C1][D28] the oldest table of level 0 takes with it all that overlap it, through others too, and only those", () => {
    const levels = tree({
      0: level0([15, "x", "z"], [14, "a", "c"], [13, "c", "m"], [12, "p", "q"], [11, "m", "n"]),
    });
    expect(numbers(leveled.pick(levels))).toEqual({ 0: [14, 13, 11] });
    expect(leveled.pick(levels)?.isTrivialMove).toBe(false);
  });

  test("a table alone moves without work, unless it would lie over too much of the level below", () => {
    const four = level0([14, "a", "b"], [13, "c", "d"], [12, "e", "f"], [11, "g", "h"]);
    const moved = leveled.pick(tree({ 0: four }));
    expect([numbers(moved), moved?.isTrivialMove, moved?.outputLevel]).toEqual([{ 0: [11] }, true, 1]);
    const crowded = Array.from({ length: 11 }, (_, i) => ({
      number: 20 + i,
      first: `g${i + 10}`,
      last: `g${i + 10}5`,
      bytes: 1024,
    }));
    expect(leveled.pick(tree({ 0: four, 2: crowded }))?.isTrivialMove).toBe(false);
    expect(leveled.pick(tree({ 0: four, 2: crowded.slice(0, 10) }))?.isTrivialMove).toBe(true);
    expect(leveled.pick(tree({ 0: four, 1: [{ number: 1, first: "h", last: "i" }] }))?.isTrivialMove).toBe(
      false,
    );
  });

  test("of a level that is too full the table goes whose overlap below is least for its size; ties go to the lowest number", () => {
    const levels = tree({
      1: [
        { number: 4, first: "a", last: "b", bytes: 4000 },
        { number: 2, first: "c", last: "d", bytes: 4000 },
        { number: 3, first: "e", last: "f", bytes: 4000 },
      ],
      2: [
        { number: 8, first: "a", last: "a5", bytes: 3000 },
        { number: 9, first: "d", last: "d5", bytes: 1000 },
        { number: 10, first: "f", last: "g", bytes: 1000 },
      ],
    });
    expect(numbers(leveled.pick(levels))).toEqual({ 1: [2], 2: [9] });
    const tied = tree({
      1: [7, 5, 6].map((number, i) => ({ number, first: `${i}`, last: `${i}5`, bytes: 4000 })),
    });
    expect(numbers(leveled.pick(tied))).toEqual({ 1: [5] });
    expect(leveled.pick(tied)?.isTrivialMove).toBe(true);
  });

  test("[D35] a full level is less urgent the fuller the next one is, so deep levels get their turn", () => {
    const full = (level: number, size: number): Shape[] => [
      { number: 100 + level, first: "a", last: "z", bytes: size },
    ];
    const inverted = tree({
      0: level0([14, "a", "z"], [13, "a", "z"], [12, "a", "z"], [11, "a", "z"]),
      1: full(1, 11_000),
      2: full(2, 700_000),
    });
    expect(numbers(leveled.pick(inverted))).toEqual({ 2: [102] });
    const afterwards = tree({
      0: level0([14, "a", "z"], [13, "a", "z"], [12, "a", "z"], [11, "a", "z"]),
      1: full(1, 11_000),
      3: full(2, 700_000),
    });
    expect(numbers(leveled.pick(afterwards))).toEqual({ 1: [101] });
  });

  test("[CX-17] debt is what is beyond the targets, and the backlog the tables of level 0", () => {
    const levels = tree({
      0: level0(
        [16, "a", "z"],
        [15, "a", "z"],
        [14, "a", "z"],
        [13, "a", "z"],
        [12, "a", "z"],
        [11, "a", "z"],
      ),
      1: [{ number: 1, first: "a", last: "z", bytes: 12_500 }],
      2: [{ number: 2, first: "a", last: "z", bytes: 100_001 }],
    });
    expect(leveled.debtBytes(levels)).toBe(2000 + 2500 + 1);
    expect(leveled.backlog(levels)).toBe(6);
  });

  test("the last level is never too full: there is nowhere to go", () => {
    const levels = tree({ 6: [{ number: 1, first: "a", last: "z", bytes: Number.MAX_SAFE_INTEGER }] });
    expect(leveled.pick(levels)).toBeNull();
    expect(leveled.debtBytes(levels)).toBe(0);
  });
});

describe("tiered", () => {
  const tiered = new TieredStrategy(resolveOptions({ compaction: "tiered", memtableBytes: 4096 }));
  const runs = (...sizes: readonly number[]): Levels =>
    tree({
      0: sizes.map((size, i) => ({
        number: 50 - i,
        first: "a",
        last: "z",
        bytes: size,
        versions: [1000 - 10 * i, 1009 - 10 * i],
      })),
    });

  test("four neighbours of one size are merged, the newest such group first", () => {
    expect(tiered.pick(runs(4000, 4000, 4000))).toBeNull();
    expect(numbers(tiered.pick(runs(4000, 4000, 4000, 4000)))).toEqual({ 0: [50, 49, 48, 47] });
    expect(numbers(tiered.pick(runs(4000, 16_000, 16_000, 16_000, 16_000, 60_000)))).toEqual({
      0: [49, 48, 47, 46],
    });
    expect(numbers(tiered.pick(runs(4000, 4000, 4000, 4000, 16_000, 16_000, 16_000, 16_000)))).toEqual({
      0: [50, 49, 48, 47],
    });
  });

  test("a smaller run behind a larger one is merged with its neighbours, never across them", () => {
    expect(numbers(tiered.pick(runs(16_000, 100, 16_000, 16_000)))).toEqual({ 0: [50, 49, 48, 47] });
    expect(tiered.pick(runs(100, 16_000, 100, 60_000, 16_000))).toBeNull();
  });

  test("a manual compaction takes along what a leveled life of the store has left below, as the oldest runs", () => {
    const levels = tree({
      0: [{ number: 9, first: "a", last: "z", versions: [20, 29] }],
      1: [
        { number: 5, first: "a", last: "c", versions: [10, 19] },
        { number: 6, first: "d", last: "f", versions: [1, 9] },
      ],
      3: [{ number: 2, first: "a", last: "f", versions: [1, 5] }],
    });
    const plan = tiered.pickManual(levels, 0, () => false);
    expect(numbers(plan)).toEqual({ 0: [9], 1: [5, 6], 3: [2] });
    expect(plan?.outputLevel).toBe(0);
    expect(tiered.pickManual(levels, 1, () => false)).toBeNull();
    expect(tiered.pickManual(tree({}), 0, () => true)).toBeNull();
    expect(
      numbers(tiered.pickManual(tree({ 3: [{ number: 2, first: "a", last: "f" }] }), 0, () => false)),
    ).toEqual({
      3: [2],
    });
  });

  test("debt and backlog are those of the group that is due", () => {
    expect([tiered.debtBytes(runs(4000, 4000)), tiered.backlog(runs(4000, 4000))]).toEqual([0, 0]);
    expect([
      tiered.debtBytes(runs(4000, 4000, 4000, 4000)),
      tiered.backlog(runs(4000, 4000, 4000, 4000)),
    ]).toEqual([16_000, 4]);
  });
});

/** Runs plans on a tree whose tables hold, for each key of a small alphabet, sets of versions. */
class Simulation {
  levels: Levels = tree({});
  readonly contents = new Map<number, ReadonlyMap<string, readonly number[]>>();
  private nextNumber = 1;
  private nextVersion = 1;

  flush(keys: readonly string[]): void {
    const content = new Map<string, number[]>();
    for (const key of keys) content.set(key, [this.nextVersion++]);
    this.edit([], [{ level: 0, table: this.make(content, 300 * keys.length) }]);
  }

  /** Checks the plan against the tree, and carries it out as the engine would. */
  carryOut(plan: CompactionPlan): void {
    const { levels } = this;
    const taken = new Set<number>();
    for (const { level, tables } of plan.runs) {
      expect(tables.length).toBeGreaterThan(0);
      for (const one of tables) {
        expect(levels[level]).toContain(one);
        expect(taken.has(one.fileNumber)).toBe(false);
        taken.add(one.fileNumber);
      }
    }
    const inputs = plan.runs.flatMap(({ tables }) => [...tables]);
    const range = { ...(inputs[0] as TableMeta), ...coveringRange(inputs) };
    const sources = new Set(plan.runs.map(({ level }) => level));
    if (plan.outputLevel > 0) {
      for (const left of levels[plan.outputLevel] ?? []) {
        if (!taken.has(left.fileNumber)) expect(tablesOverlap(left, range)).toBe(false);
      }
      for (const run of levels[0] ?? []) {
        // What stays in level 0 and shares keys with what leaves it must be newer.
        if (!sources.has(0) || taken.has(run.fileNumber)) continue;
        for (const input of plan.runs
          .filter(({ level }) => level === 0)
          .flatMap(({ tables }) => [...tables])) {
          if (tablesOverlap(run, input)) expect(run.minVersion).toBeGreaterThan(input.maxVersion);
        }
      }
    } else {
      const positions = inputs.map((one) => (levels[0] ?? []).indexOf(one)).sort((a, b) => a - b);
      expect(positions).toEqual(positions.map((_, i) => (positions[0] as number) + i));
    }
    if (plan.isTrivialMove) {
      expect(inputs).toHaveLength(1);
      expect(
        totalBytes((levels[plan.outputLevel + 1] ?? []).filter((one) => tablesOverlap(one, range))),
      ).toBeLessThanOrEqual(10 * plan.tableBytes);
      const level = plan.runs[0]?.level as number;
      this.edit(
        [{ level, fileNumber: (inputs[0] as TableMeta).fileNumber }],
        [{ level: plan.outputLevel, table: inputs[0] as TableMeta }],
      );
      return;
    }
    const merged = new Map<string, number[]>();
    for (const { fileNumber } of inputs) {
      for (const [key, versions] of this.contents.get(fileNumber) ?? []) {
        merged.set(key, [Math.max(...versions, ...(merged.get(key) ?? []))]);
      }
    }
    const perTable = plan.tableBytes > 1e12 ? Number.POSITIVE_INFINITY : 3;
    const added: { level: number; table: TableMeta }[] = [];
    let part = new Map<string, number[]>();
    for (const key of [...merged.keys()].sort()) {
      part.set(key, merged.get(key) as number[]);
      if (part.size >= perTable) {
        added.push({ level: plan.outputLevel, table: this.make(part, 300 * part.size) });
        part = new Map();
      }
    }
    if (part.size > 0) added.push({ level: plan.outputLevel, table: this.make(part, 300 * part.size) });
    this.edit(
      plan.runs.flatMap(({ level, tables }) => tables.map(({ fileNumber }) => ({ level, fileNumber }))),
      added,
    );
  }

  /** For each key, what a read finds first is the newest. */
  check(newest: ReadonlyMap<string, number>): void {
    for (const [key, version] of newest) {
      for (const tables of this.levels) {
        const found = tables
          .map(({ fileNumber }) => this.contents.get(fileNumber)?.get(key))
          .find((one) => one !== undefined);
        if (found === undefined) continue;
        expect(Math.max(...found)).toBe(version);
        break;
      }
    }
  }

  newest(): Map<string, number> {
    const newest = new Map<string, number>();
    for (const tables of this.levels) {
      for (const { fileNumber } of tables) {
        for (const [key, versions] of this.contents.get(fileNumber) ?? []) {
          newest.set(key, Math.max(newest.get(key) ?? 0, ...versions));
        }
      }
    }
    return newest;
  }

  private make(content: ReadonlyMap<string, readonly number[]>, size: number): TableMeta {
    const keys = [...content.keys()].sort();
    const versions = [...content.values()].flat();
    const number = this.nextNumber++;
    this.contents.set(number, new Map(content));
    return table({
      number,
      first: keys[0] as string,
      last: keys.at(-1) as string,
      bytes: size,
      versions: [Math.min(...versions), Math.max(...versions)],
    });
  }

  private edit(
    removed: { level: number; fileNumber: number }[],
    added: { level: number; table: TableMeta }[],
  ): void {
    this.levels = applyEdit(this.levels, {
      counters: { nextFileNumber: 0, lastVersion: 0, minWalNumber: 0 },
      added,
      removed,
    });
  }
}

const alphabet = [..."abcdefghijklmnop"];
const flushes = fc.array(fc.uniqueArray(fc.constantFrom(...alphabet), { minLength: 1, maxLength: 8 }), {
  maxLength: 30,
});
const kinds: readonly StoreOptions[] = [
  { compaction: "leveled", levelBaseBytes: 1024, levelRatio: 2, tableBytes: 1024, level0CompactionFiles: 2 },
  {
    compaction: "leveled",
    levelBaseBytes: 4000,
    levelRatio: 3,
    tableBytes: 2000,
    level0CompactionFiles: 1,
    level0StallFiles: 3,
    level0LimitFiles: 4,
  },
  { compaction: "tiered", memtableBytes: 4096, levelRatio: 2 },
  { compaction: "tiered", memtableBytes: 4096 },
];

test.each(kinds)(
  "any tree comes into shape after finitely many legal plans, and reads never change (%o)",
  (options) => {
    const strategy: CompactionStrategy = strategyFor(resolveOptions({ memtableBytes: 4096, ...options }));
    fc.assert(
      fc.property(flushes, fc.nat(3), (arrivals, lag) => {
        const simulation = new Simulation();
        let plans = 0;
        const settle = (limit: number): void => {
          for (let i = 0; i < limit; i++) {
            const plan = strategy.pick(simulation.levels);
            if (plan === null) return;
            expect(numbers(strategy.pick(simulation.levels))).toEqual(numbers(plan));
            const newest = simulation.newest();
            simulation.carryOut(plan);
            simulation.check(newest);
            plans++;
            expect(plans).toBeLessThan(2000);
          }
        };
        for (const keys of arrivals) {
          simulation.flush(keys);
          settle(lag);
        }
        settle(Number.POSITIVE_INFINITY);
        expect(strategy.pick(simulation.levels)).toBeNull();
        if (options.compaction === "leveled") expect(strategy.debtBytes(simulation.levels)).toBe(0);
        const sorted = simulation.levels
          .slice(1)
          .every((level) =>
            level.every(
              (one, i) => i === 0 || compareKeys((level[i - 1] as TableMeta).largest, one.smallest) < 0,
            ),
          );
        expect(sorted).toBe(true);
      }),
      { numRuns: 60 },
    );
  },
);

test.each(kinds)(
  "a manual compaction ends, its plans are legal, and it leaves one version of each key (%o)",
  (options) => {
    const strategy: CompactionStrategy = strategyFor(resolveOptions({ memtableBytes: 4096, ...options }));
    fc.assert(
      fc.property(flushes, fc.boolean(), (arrivals, mayAllShrink) => {
        const mayShrink = (table: TableMeta): boolean => mayAllShrink || hasTombstones(table);
        const simulation = new Simulation();
        for (const keys of arrivals) simulation.flush(keys);
        const newest = simulation.newest();
        for (let step = 0; step <= LEVEL_COUNT; ) {
          const plan =
            strategy.pick(simulation.levels) ?? strategy.pickManual(simulation.levels, step++, mayShrink);
          if (plan === null) continue;
          simulation.carryOut(plan);
          simulation.check(newest);
        }
        const copies = simulation.levels
          .flat()
          .map(({ fileNumber }) => simulation.contents.get(fileNumber)?.size ?? 0);
        expect(copies.reduce((sum, count) => sum + count, 0)).toBe(newest.size);
      }),
      { numRuns: 60 },
    );
  },
);

test("rewriting the bottom takes the clean tables between stale ones along: an output could span them", () => {
  const levels = tree({
    2: [
      { number: 1, first: "a", last: "c", tombstones: 1 },
      { number: 2, first: "d", last: "f" },
      { number: 3, first: "g", last: "i", tombstones: 1 },
      { number: 4, first: "j", last: "l" },
    ],
  });
  expect(numbers(leveled.pickManual(levels, 2, hasTombstones))).toEqual({ 2: [1, 2, 3] });
});

test("compacting a range takes what may hold its keys, of level 0 with all that overlaps that, and leaves the rest", () => {
  const levels = tree({
    0: [
      { number: 9, first: "a", last: "c" },
      { number: 8, first: "c", last: "e" },
      { number: 7, first: "m", last: "p" },
    ],
    1: [
      { number: 5, first: "a", last: "f" },
      { number: 6, first: "m", last: "z" },
    ],
  });
  const key = (text: string): Uint8Array => Buffer.from(text);
  const range = { begin: key("d"), end: key("g") };
  expect(numbers(leveled.pickManual(levels, 0, hasTombstones, range))).toEqual({ 0: [9, 8], 1: [5] });
  expect(leveled.pickManual(levels, 0, hasTombstones, { begin: key("g"), end: key("m") })).toBeNull();
  expect(numbers(leveled.pickManual(levels, 1, () => true, range))).toEqual({ 1: [5] });
});

function hasTombstones(table: TableMeta): boolean {
  return table.tombstoneCount + table.rangeTombstoneCount > 0;
}
