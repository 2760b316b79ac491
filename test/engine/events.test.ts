/** What a store tells of itself while it runs, on channels that a test listens to. */
import { describe, expect, test } from "vitest";
import { NO_FAULTS } from "../../sim/disk/options.js";
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { CrashMachine } from "./fixtures/crash-machine.js";
import { ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes } from "./fixtures/model.js";
import { PlainVFS } from "./fixtures/plain-vfs.js";
import { RecordingChannels } from "./fixtures/recording-channels.js";

const TINY: StoreOptions = {
  memtableBytes: 4096,
  immutableMemtablesMax: 1,
  level0CompactionFiles: 2,
  level0StallFiles: 3,
  level0LimitFiles: 4,
  levelBaseBytes: 8192,
  tableBytes: 4096,
};

async function opened(options: StoreOptions = {}) {
  const scheduler = new ManualScheduler();
  const platform = manualPlatform(new PlainVFS(scheduler), scheduler);
  const channels = new RecordingChannels();
  platform.events = channels;
  const store = await platform.settle(Store.open("/store", options, platform));
  return { store, platform, channels };
}

describe("events of a store", () => {
  test("tell of opening, rotation, flush, compaction and close, in this order, each with the directory", async () => {
    const { store, platform, channels } = await opened();
    await platform.settle(store.put(bytes("a"), bytes("1")));
    await platform.settle(store.flush());
    await platform.settle(store.put(bytes("a"), bytes("2")));
    await platform.settle(store.compact());
    await platform.settle(store.close());
    const names = channels.heard.map(({ channel }) => channel);
    expect(names).toEqual([
      "stillwater:open",
      "stillwater:wal-rotate",
      "stillwater:flush",
      "stillwater:wal-rotate",
      "stillwater:flush",
      "stillwater:compaction",
      "stillwater:close",
    ]);
    for (const { event } of channels.heard) expect(event["directory"]).toBe("/store");
    expect(channels.of("stillwater:flush")[0]).toMatchObject({ tables: 1, rowsWritten: 1 });
    const { bytes_flushed_total: flushed, bytes_compacted_total: compacted } = store.metrics().counters;
    const written = (name: string) =>
      channels.of(name).reduce((sum, { bytesWritten }) => sum + (bytesWritten as number), 0);
    expect(written("stillwater:flush")).toBe(flushed);
    expect(written("stillwater:compaction")).toBe(compacted);
    expect(channels.of("stillwater:compaction")).toMatchObject([
      { fromLevels: [0], isTrivialMove: false, tablesRead: 2, rowsDropped: 1 },
    ]);
    expect(channels.of("stillwater:close")).toMatchObject([{ isFlushed: true, error: null, version: 11 }]);
  });

  test("tell of a recovery that had something to do, and of none else", async () => {
    const machine = new CrashMachine(1, {});
    const first = machine.boot();
    const opening = Store.open("/store", {}, first);
    await machine.run(first, opening);
    await machine.run(first, (await opening).put(bytes("a"), bytes("1")));
    machine.crash("power-loss");
    const second = machine.boot();
    const channels = new RecordingChannels();
    second.events = channels;
    const reopening = Store.open("/store", {}, second);
    await machine.run(second, reopening);
    expect(channels.of("stillwater:recovery")).toMatchObject([{ segmentsReplayed: 1, commitsReplayed: 1 }]);
    expect(channels.of("stillwater:open")).toMatchObject([{ recovery: { segmentsReplayed: 1 } }]);
    await machine.run(second, (await reopening).close());
    const quiet = await opened();
    expect(quiet.channels.of("stillwater:recovery")).toEqual([]);
  });

  test("tell of stalls from their beginning to their end, as the counters do", async () => {
    const { store, platform, channels } = await opened(TINY);
    const writes = Array.from({ length: 300 }, (_, i) =>
      store.put(bytes(`k${i % 40}`), bytes(`${i}`.padEnd(100, "."))),
    );
    await platform.settle(Promise.all(writes));
    const stalls = channels.of("stillwater:stall");
    expect(stalls.length).toBeGreaterThan(0);
    stalls.forEach(({ state }, at) => expect(state).toBe(at % 2 === 0 ? "begin" : "end"));
    const { counters, gauges } = store.metrics();
    for (const reason of ["flush", "compaction", "slowdown"]) {
      const own = stalls.filter((stall) => stall["reason"] === reason);
      expect(counters[`stalls_total{reason="${reason}"}`]).toBe(own.length / 2);
      const durations = own.reduce((sum, { durationMs }) => sum + (durationMs as number), 0);
      expect(counters[`stall_ms_total{reason="${reason}"}`]).toBeCloseTo(durations);
    }
    expect(counters['stalls_total{reason="flush"}']).toBeGreaterThan(0);
    expect(gauges["stalled"]).toBe(0);
    await platform.settle(store.close());
  });

  test("tell of failing jobs, and of the stop after a failed write", async () => {
    const machine = new CrashMachine(1, { faults: { ...NO_FAULTS, syncError: 1 } });
    machine.disk.faultsOff();
    const platform = machine.boot();
    const channels = new RecordingChannels();
    platform.events = channels;
    const opening = Store.open("/store", { memtableBytes: 4096 }, platform);
    await machine.run(platform, opening);
    const store = await opening;
    machine.disk.faultsOn();
    await expect(machine.run(platform, store.put(bytes("a"), bytes("1")))).rejects.toMatchObject({
      code: "FAILED_STOP",
    });
    expect(channels.of("stillwater:failure")).toMatchObject([{ error: { code: "FAILED_STOP" } }]);
    expect(store.metrics().gauges["failed_stop"]).toBe(1);
    machine.disk.faultsOff();
    await machine.run(platform, store.close());
    expect(channels.of("stillwater:close")).toMatchObject([{ isFlushed: false }]);
  });

  test("count commits that are refused", async () => {
    const { store, platform } = await opened({ ...TINY, pendingCommitsMax: 20 });
    let refused = 0;
    const writes = Array.from({ length: 300 }, (_, i) =>
      store.put(bytes(`k${i}`), bytes("x".repeat(100))).catch(() => {
        refused++;
      }),
    );
    await platform.settle(Promise.all(writes));
    expect(refused).toBeGreaterThan(0);
    expect(store.metrics().counters["commits_refused_total"]).toBe(refused);
    expect(store.metrics().counters["commits_total"]).toBe(300 - refused);
    await platform.settle(store.close());
  });
});

describe("traces of a store", () => {
  test("span commits, flushes and compactions, with what came of them", async () => {
    const { store, platform, channels } = await opened();
    await platform.settle(store.put(bytes("a"), bytes("1"), { durability: "buffered" }));
    await platform.settle(store.flush());
    await platform.settle(store.put(bytes("a"), bytes("2")));
    await platform.settle(store.compact());
    expect(channels.traced.map(({ channel }) => channel)).toEqual([
      "stillwater:commit",
      "stillwater:flush",
      "stillwater:commit",
      "stillwater:flush",
      "stillwater:compaction",
    ]);
    expect(channels.traced[0]?.event).toMatchObject({ operations: 1, durability: "buffered", result: 10 });
    expect(channels.traced[2]?.event).toMatchObject({ durability: "sync", result: 11 });
    expect(channels.traced[4]?.event).toMatchObject({ tablesRead: 2, result: { rowsWritten: 1 } });
    await platform.settle(store.close());
  });
});
