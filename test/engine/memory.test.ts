/**
 * Memory does not grow with the data: a store ten times and more as large as its budgets is filled, opened, scanned and
 * read at random, and what it accounts for stays within them. On the real file system. What the process as a whole takes
 * is bounded loosely, since the garbage collector decides when it gives back.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Batch } from "../../src/engine/batch.js";
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { integers } from "./fixtures/manual-platform.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const ROWS = 24_000;
const VALUE_BYTES = 500;

const OPTIONS: StoreOptions = {
  memtableBytes: 256 * KIB,
  blockCacheBytes: 512 * KIB,
  tableCacheBytes: 256 * KIB,
  tableBytes: 512 * KIB,
  levelBaseBytes: 2 * MIB,
  durability: "buffered",
};
/** Memtables: the active one and two that wait; caches; and nothing else that grows. */
const BUDGET_BYTES = 3 * 256 * KIB + 512 * KIB + 256 * KIB;

function key(i: number): Buffer {
  return Buffer.from(`row-${String(i).padStart(12, "0")}`);
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is in use after a collection, on the heap and off it. */
function usedBytes(): number {
  collectGarbage();
  const { external, heapUsed } = process.memoryUsage();
  return external + heapUsed;
}

test("a data set ten times the budget is written, opened, scanned and read within the budget", async () => {
  const directory = join(mkdtempSync(join(tmpdir(), "stillwater-memory-")), "store");
  const platform = nodePlatform({ workers: false });
  let highest = 0;
  const watch = (store: Store): void => {
    const { tableMemoryBytes, memtableBytes, immutableMemtables, openTables } = store.stats();
    expect(memtableBytes).toBeLessThanOrEqual(300 * KIB);
    expect(immutableMemtables).toBeLessThanOrEqual(2);
    // One table may be open beyond the budget for each source that a cursor stands in; none does here but the scan's.
    expect(tableMemoryBytes, `${openTables} open tables`).toBeLessThanOrEqual(256 * KIB + 64 * KIB);
    highest = Math.max(highest, usedBytes());
  };
  try {
    const filling = await Store.open(directory, OPTIONS, platform);
    const before = usedBytes();
    const value = new Uint8Array(VALUE_BYTES);
    for (let i = 0; i < ROWS; i += 20) {
      const batch = new Batch();
      for (let j = i; j < i + 20; j++) {
        const number = (j * 7919) % ROWS;
        value.fill(number & 0xff);
        batch.put(key(number), value);
      }
      await filling.write(batch);
      if (i % 2000 === 0) watch(filling);
    }
    await filling.close();
    const store = await Store.open(directory, OPTIONS, platform);
    const bytes = store.stats().levels.reduce((sum, level) => sum + level.bytes, 0);
    expect(bytes).toBeGreaterThan(7 * BUDGET_BYTES);
    expect(bytes).toBeGreaterThan(10 * MIB);
    let rows = 0;
    for await (const [found, content] of store.scan()) {
      expect(content[0]).toBe(Number(found.subarray(4).toString()) & 0xff);
      if (++rows % 1000 === 0) watch(store);
    }
    expect(rows).toBe(ROWS);
    const next = integers(42);
    for (let i = 0; i < 20_000; i++) {
      const number = next() % ROWS;
      expect(store.getSync(key(number))?.[0]).toBe(number & 0xff);
      if (i % 1000 === 0) watch(store);
    }
    const { cacheHits, cacheMisses } = store.stats();
    expect(cacheMisses).toBeGreaterThan(bytes / 4096 / 2);
    expect(cacheHits + cacheMisses).toBeGreaterThan(20_000);
    // Everything besides is small: what is not given back yet, and the test's own.
    expect(highest - before).toBeLessThan(BUDGET_BYTES + 48 * MIB);
    await store.close();
  } finally {
    rmSync(join(directory, ".."), { recursive: true, force: true });
  }
});

test("one giant value does not stay in memory when its commit is done", async () => {
  const directory = join(mkdtempSync(join(tmpdir(), "stillwater-memory-")), "store");
  try {
    const store = await Store.open(directory, OPTIONS, nodePlatform({ workers: false }));
    await store.put(key(1), Buffer.from("small"));
    await store.flush();
    const before = usedBytes();
    await putGiant(store);
    await store.flush();
    await store.put(key(3), Buffer.from("small"));
    // Freed buffers are counted off by a helper thread of the runtime, a moment after the collection.
    for (let i = 0; i < 20 && usedBytes() - before > 8 * MIB; i++)
      await new Promise((resolve) => setImmediate(resolve));
    expect(usedBytes() - before).toBeLessThan(8 * MIB);
    expect(store.stats().memtableBytes).toBeLessThan(300 * KIB);
    expect(store.getSync(key(2))).toHaveLength(32 * MIB);
    await store.close();
  } finally {
    rmSync(join(directory, ".."), { recursive: true, force: true });
  }
});

/** Apart, so that no frame of the test holds the value. */
function putGiant(store: Store): Promise<number> {
  return store.put(key(2), new Uint8Array(32 * MIB));
}
