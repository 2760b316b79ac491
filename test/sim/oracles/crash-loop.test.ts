import { expect, test } from "vitest";
import { FileNode } from "../../../sim/disk/file-node.js";
import { DirectoryNode } from "../../../sim/disk/name-log.js";
import { CrashLoop, type DirectoryUse, useOf } from "../../../sim/oracles/crash-loop.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { manifestName, tableName, temporaryName, walName } from "../../../src/engine/files.js";

const QUIET: DirectoryUse = {
  manifests: 1,
  temporaries: 0,
  logs: 1,
  others: 10,
};

/** Feeds what is in the directory after each of some crashes in a row. */
function loop(uses: readonly Partial<DirectoryUse>[]): OracleLedger {
  const ledger = new OracleLedger();
  const watch = new CrashLoop(ledger);
  for (const use of uses) watch.crashed({ ...QUIET, ...use });
  return ledger;
}

const growing = (from: number): number[] => Array.from({ length: 11 }, (_, index) => from + index);

test("a loop of crashes may fill the disk at first, but not on and on", () => {
  const tables = [10, 30, 50, 50, 50, 52, 50, 50, 50, 50];
  expect(loop(tables.map((others) => ({ others }))).evaluations.O19).toBe(6);
  expect(() => loop(growing(10).map((count) => ({ others: 10 * count })))).toThrow(/filled the disk/);
});

test("one table more with each crash is seen before a loop ends, where there is one log", () => {
  const uses = growing(3).map((others) => ({ others }));
  expect(() => loop(uses)).toThrow(expect.objectContaining({ oracle: "O19" }));
});

test("an attempt may write one table for each log, another one's may be in the quarantine", () => {
  expect(loop([0, 0, 0, 0, 6].map((more) => ({ logs: 3, others: 5 + more }))).evaluations.O19).toBe(1);
  expect(() => loop([0, 0, 0, 0, 7].map((more) => ({ logs: 3, others: 5 + more })))).toThrow(
    /filled the disk/,
  );
});

test("one manifest more with each crash is seen before a loop ends, a few whose removal was undone are not", () => {
  const counts = [1, 2, 2, 2, 3, 5, 6, 4, 2];
  expect(loop(counts.map((manifests) => ({ manifests }))).evaluations.O19).toBe(5);
  expect(() => loop(growing(1).map((manifests) => ({ manifests })))).toThrow(
    expect.objectContaining({ oracle: "O19" }),
  );
});

test("what an attempt leaves beside tables is no table: a store without a log may keep a temporary file or two", () => {
  const empty = { logs: 0 };
  const counts = [0, 0, 0, 0, 1, 2, 3, 2, 1];
  expect(loop(counts.map((temporaries) => ({ ...empty, temporaries }))).evaluations.O19).toBe(5);
  expect(() => loop(growing(0).map((temporaries) => ({ ...empty, temporaries })))).toThrow(/filled the disk/);
});

test("a recovery that is completed begins a new count", () => {
  const watch = new CrashLoop(new OracleLedger());
  for (let round = 0; round < 30; round++) {
    watch.crashed({ ...QUIET, others: 100 * round });
    expect(watch.length).toBe(1);
    watch.recovered();
  }
});

test("what is in a directory is counted by kind, its quarantine included", () => {
  const file = (pages: number): FileNode => {
    const node = new FileNode(1);
    node.write(new Uint8Array(4096 * pages), 0, 4096 * pages, 0, 1);
    return node;
  };
  const store = new DirectoryNode(1, null);
  const quarantine = new DirectoryNode(2, store);
  for (const number of [6, 7, 8]) store.entries.set(manifestName(number), file(1));
  store.entries.set(tableName(1), file(2));
  store.entries.set(temporaryName(8), file(1));
  store.entries.set(walName(2), file(3));
  store.entries.set("quarantine", quarantine);
  quarantine.entries.set(tableName(3), file(5));
  const expected = { manifests: 3, temporaries: 1, logs: 1, others: 2 };
  expect(useOf(store)).toEqual(expected);
  expect(useOf(null)).toEqual({
    manifests: 0,
    temporaries: 0,
    logs: 0,
    others: 0,
  });
});
