import { describe, expect, test } from "vitest";
import { Model } from "../../../sim/model/model.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkCompacted, checkLevels, checkNothingHidden } from "../../../sim/oracles/space.js";
import type { TableMeta } from "../../../src/engine/manifest/table-meta.js";
import { resolveOptions } from "../../../src/engine/options.js";
import type { StoreInspection } from "../../../src/engine/store-types.js";

const ledger = new OracleLedger();
const LIMITS = resolveOptions({
  levelBaseBytes: 8192,
  levelRatio: 2,
  level0CompactionFiles: 2,
  bloomBitsPerKey: 8,
});

function table(bytes: number, changes: Partial<TableMeta> = {}): TableMeta {
  return {
    fileNumber: 1,
    bytes,
    smallest: Buffer.from("a"),
    largest: Buffer.from("b"),
    largestExclusive: false,
    minVersion: 1,
    maxVersion: 2,
    entryCount: 2,
    tombstoneCount: 0,
    rangeTombstoneCount: 0,
    ...changes,
  };
}

function shape(...levels: TableMeta[][]): StoreInspection {
  const all = Array.from({ length: 7 }, (_, level) => levels[level] ?? []);
  return { levels: all } as unknown as StoreInspection;
}

describe("O19 at rest", () => {
  test("pages that no name leads to fail", () => {
    expect(() => checkNothingHidden(ledger, 8192, 8192)).not.toThrow();
    expect(() => checkNothingHidden(ledger, 12_288, 8192)).toThrow(/^O19.*12288.*8192/);
  });

  test("a level beyond what the options let it be fails; the last level takes what there is", () => {
    const check =
      (...levels: TableMeta[][]) =>
      () =>
        checkLevels(ledger, shape(...levels), LIMITS);
    expect(check([table(9000)], [table(8191)], [table(16_383)], [], [], [], [table(1e9)])).not.toThrow();
    expect(check([table(1), table(1)])).toThrow(/^O19.*level 0 has 2 tables/);
    expect(check([], [table(8192)])).toThrow(/^O19.*level 1 has 8192/);
    expect(check([], [], [table(8192), table(8192)])).toThrow(/^O19.*level 2 has 16384/);
  });

  test("after a compaction anything dead, and bytes beyond the bound, fail", () => {
    const model = new Model();
    model.submit(1, [["put", "a", 1, 100]], "sync");
    model.submit(2, [["put", "b", 2, 200]], "sync");
    model.submit(3, [["put", "c", 3, 300]], "sync");
    model.submit(4, [["delete", "c"]], "sync");
    const check = (one: TableMeta) => () => checkCompacted(ledger, shape([], [one]), model, 4, LIMITS);
    expect(check(table(700))).not.toThrow();
    expect(check(table(700, { entryCount: 3 }))).toThrow(/^O19.*2 live keys holds 3 rows/);
    expect(check(table(700, { tombstoneCount: 1 }))).toThrow(/^O19.*1 tombstones/);
    expect(check(table(700, { rangeTombstoneCount: 1 }))).toThrow(/^O19.*1 tombstones/);
    expect(check(table(1600))).toThrow(/^O19.*302 live bytes in 2 rows take 1600/);
  });
});
