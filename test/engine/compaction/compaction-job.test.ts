/**
 * What compactions write, looked at from outside: where outputs are cut, how far range tombstones reach, what versions
 * rows keep. Driven through a store whose tables are tiny.
 */
import { expect, test } from "vitest";
import { Batch } from "../../../src/engine/batch.js";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import { endsBefore, type TableMeta } from "../../../src/engine/manifest/table-meta.js";
import type { StoreOptions } from "../../../src/engine/options.js";
import type { Snapshot } from "../../../src/engine/snapshots.js";
import { Store } from "../../../src/engine/store.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "../fixtures/manual-platform.js";
import { bytes, rowsOf, text } from "../fixtures/model.js";
import { PlainVFS } from "../fixtures/plain-vfs.js";

const OPTIONS: StoreOptions = {
  memtableBytes: 8192,
  blockBytes: 256,
  tableBytes: 1024,
  levelBaseBytes: 4096,
  levelRatio: 2,
  level0CompactionFiles: 2,
};

async function opened(): Promise<{ store: Store; platform: ManualPlatform }> {
  const scheduler = new ManualScheduler();
  const platform = manualPlatform(new PlainVFS(scheduler), scheduler);
  return { store: await platform.settle(Store.open("/store", OPTIONS, platform)), platform };
}

function deepTables(store: Store): TableMeta[] {
  return store.inspect().levels.slice(1).flat();
}

function expectApart(store: Store): void {
  for (const level of store.inspect().levels.slice(1)) {
    level.forEach((table, i) => {
      expect(compareKeys(table.smallest, table.largest)).toBeLessThanOrEqual(0);
      if (i > 0) expect(endsBefore(level[i - 1] as TableMeta, table.smallest)).toBe(true);
    });
  }
}

function key(i: number): string {
  return `k${String(i).padStart(2, "0")}`;
}

test("[D27] all versions of a key are in one table of a level, however many snapshots keep and however small tables are", async () => {
  const { store, platform } = await opened();
  const snapshots: { readonly snapshot: Snapshot; readonly rows: unknown }[] = [];
  for (let round = 0; round < 40; round++) {
    for (let i = 0; i < 4; i++)
      await platform.settle(store.put(bytes(key(i)), bytes(`${round}`.padEnd(90, "x"))));
    snapshots.push({ snapshot: store.snapshot(), rows: rowsOf(store) });
  }
  await platform.settle(store.compact());
  expectApart(store);
  const tables = deepTables(store);
  expect(tables.length).toBeGreaterThan(1);
  expect(tables.reduce((sum, { entryCount }) => sum + entryCount, 0)).toBe(160);
  // More than one target of one key's versions in one table.
  expect(Math.max(...tables.map(({ bytes: size }) => size))).toBeGreaterThan(2 * 1024);
  for (const { snapshot, rows } of snapshots) {
    expect(
      store
        .scan({ snapshot })
        .toArray()
        .map(([name, value]) => [text(name), text(value)]),
    ).toEqual(rows);
    snapshot.close();
  }
  await platform.settle(store.close());
});

test("[D32] a range delete that must be kept is cut to each table's share, and deletes nothing that came later", async () => {
  const { store, platform } = await opened();
  for (let i = 0; i < 40; i++) await platform.settle(store.put(bytes(key(i)), bytes("old".padEnd(200, "x"))));
  await platform.settle(store.compact());
  const snapshot = store.snapshot();
  await platform.settle(store.deleteRange(bytes(key(5)), bytes(key(35))));
  await platform.settle(store.compact());
  expectApart(store);
  const covering = deepTables(store).filter(({ rangeTombstoneCount }) => rangeTombstoneCount > 0);
  expect(covering.length).toBeGreaterThan(2);
  for (const table of covering) {
    expect(compareKeys(table.smallest, bytes(key(35)))).toBeLessThan(0);
    expect(compareKeys(table.largest, bytes(key(0)))).toBeGreaterThan(0);
  }
  expect(rowsOf(store)).toHaveLength(10);
  for (let round = 0; round < 6; round++) {
    for (let i = round; i < 40; i += 6)
      await platform.settle(store.put(bytes(key(i)), bytes("new".padEnd(200, "x"))));
    await platform.settle(store.flush());
    await platform.pass(0);
    for (let i = round; i < 40; i += 6)
      expect(text(store.getSync(bytes(key(i))) as Uint8Array)).toMatch(/^new/);
    expect(store.scan({ snapshot }).toArray()).toHaveLength(40);
  }
  expect(rowsOf(store)).toHaveLength(40);
  snapshot.close();
  await platform.settle(store.compact());
  expect(rowsOf(store)).toHaveLength(40);
  await platform.settle(store.close());
});

test("[D33] range deletes of one input hold when the other inputs have none, whichever it is", async () => {
  for (let deleting = 0; deleting < 4; deleting++) {
    const { store, platform } = await opened();
    for (let i = 0; i < 30; i++) await platform.settle(store.put(bytes(key(i)), bytes("v".padEnd(100, "x"))));
    await platform.settle(store.compact());
    const expected = new Set(Array.from({ length: 30 }, (_, i) => key(i)));
    for (let run = 0; run < 4; run++) {
      if (run === deleting) {
        await platform.settle(store.deleteRange(bytes(key(10)), bytes(key(20))));
        for (let i = 10; i < 20; i++) expected.delete(key(i));
      } else {
        await platform.settle(store.put(bytes(key(10 + run)), bytes("again")));
        expected.add(key(10 + run));
      }
      await platform.settle(store.flush());
      await platform.pass(0);
      expect(rowsOf(store).map(([name]) => name)).toEqual([...expected].sort());
    }
    await platform.settle(store.compact());
    expect(rowsOf(store).map(([name]) => name)).toEqual([...expected].sort());
    await platform.settle(store.close());
  }
});

test("[D31] rows keep the versions they were committed at, down to the last level; the first commit is 10, below it is nothing", async () => {
  const { store, platform } = await opened();
  expect(await platform.settle(store.put(bytes("first"), bytes("1")))).toBe(10);
  for (let i = 0; i < 60; i++) await platform.settle(store.put(bytes(key(i)), bytes("v".padEnd(100, "x"))));
  const at = await platform.settle(
    store.write(new Batch().deleteRange(bytes("k"), bytes("l")).put(bytes(key(7)), bytes("kept"))),
  );
  await platform.settle(store.compact());
  await platform.settle(store.compact());
  const tables = deepTables(store);
  expect(Math.min(...tables.map(({ minVersion }) => minVersion))).toBe(10);
  expect(Math.max(...tables.map(({ maxVersion }) => maxVersion))).toBe(at);
  expect(rowsOf(store)).toEqual([
    ["first", "1"],
    [key(7), "kept"],
  ]);
  await platform.settle(store.close());
});
