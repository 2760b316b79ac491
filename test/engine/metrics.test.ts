import { describe, expect, it } from "vitest";
import { Batch } from "../../src/engine/batch.js";
import { Store } from "../../src/engine/store.js";
import { familyOf, METRICS } from "../../src/metrics/catalogue.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { VFS } from "../../src/platform/vfs.js";

const bytes = (text: string): Uint8Array => Buffer.from(text);

const opened = async (vfs?: VFS) =>
  await Store.open("/store", {}, nodePlatform({ vfs: vfs ?? (await createMemoryVFS()) }));

describe("metrics of a store", () => {
  it("count what was done, and nothing else", async () => {
    await using store = await opened();
    await store.put(bytes("a"), bytes("1"));
    await store.delete(bytes("a"));
    const batch = new Batch().put(bytes("b"), bytes("2")).put(bytes("c"), bytes("3"));
    await store.write(batch.deleteRange(bytes("x"), bytes("y")));
    store.writeSync(new Batch().put(bytes("d"), bytes("4")));
    await store.get(bytes("a"));
    await store.getMany([bytes("b"), bytes("c")]);
    expect([...store.scan()]).toHaveLength(3);
    const open = store.iterator();
    open.next();
    await store.flush();
    const { counters, gauges, histograms } = store.metrics();
    expect(counters).toMatchObject({
      commits_total: 4,
      puts_total: 4,
      deletes_total: 1,
      range_deletes_total: 1,
      gets_total: 3,
      iterators_total: 2,
      rows_scanned_total: 4,
      flushes_total: 1,
      wal_rotations_total: 1,
    });
    expect(gauges).toMatchObject({
      open_iterators: 1,
      immutable_memtables: 0,
      wal_segments: 0,
      failed_stop: 0,
    });
    expect(gauges['level_tables{level="0"}']).toBe(1);
    expect(histograms["commit_latency_ms"]?.count).toBe(4);
    expect(histograms["commit_group_size"]?.sum).toBe(4);
    expect(histograms["flush_ms"]?.count).toBe(1);
    open.close();
    expect(store.metrics().counters["rows_scanned_total"]).toBe(4);
  });

  it("begin anew with each opening, and never go down within one", async () => {
    const vfs = await createMemoryVFS();
    const first = await opened(vfs);
    let former = first.metrics().counters;
    for (let i = 0; i < 20; i++) {
      await first.put(bytes(`key ${i}`), bytes("v"));
      if (i % 5 === 0) await first.compact();
      const now = first.metrics().counters;
      for (const [name, value] of Object.entries(now))
        expect(value, name).toBeGreaterThanOrEqual(former[name] as number);
      former = now;
    }
    await first.close();
    await using second = await opened(vfs);
    expect(second.metrics().counters["commits_total"]).toBe(0);
  });

  it("are told of in the catalogue, each as what it is, and are JSON", async () => {
    await using store = await opened();
    const snapshot = store.metrics();
    for (const [kind, values] of [
      ["counter", snapshot.counters],
      ["gauge", snapshot.gauges],
      ["histogram", snapshot.histograms],
    ] as const) {
      for (const name of Object.keys(values)) expect(METRICS[familyOf(name)]?.kind, name).toBe(kind);
    }
    const read = JSON.parse(JSON.stringify(snapshot)) as typeof snapshot;
    expect(read.gauges).toEqual(snapshot.gauges);
    expect(read.histograms["commit_latency_ms"]?.buckets.at(-1)?.le).toBeNull();
  });
});
