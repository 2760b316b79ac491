/**
 * Opening after a crash: at every file call of a small life the power is cut, and what was acknowledged must be there.
 * And what recovery may not do: lose evidence, change what it refuses, write where nothing is to be done.
 */
import { describe, expect, test } from "vitest";
import type { DiskOptions } from "../../sim/disk/options.js";
import type { CrashKind } from "../../sim/disk/simulation-disk.js";
import { Batch } from "../../src/engine/batch.js";
import { loadManifest } from "../../src/engine/manifest/manifest-log.js";
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { CrashMachine } from "./fixtures/crash-machine.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes, reverseRowsOf, rowsOf, text } from "./fixtures/model.js";
import { type Call, type Files, failure, PlainVFS } from "./fixtures/plain-vfs.js";

const TINY: StoreOptions = {
  memtableBytes: 4096,
  immutableMemtablesMax: 2,
  blockBytes: 512,
  level0CompactionFiles: 2,
  level0StallFiles: 5,
  level0LimitFiles: 9,
  levelBaseBytes: 4096,
  levelRatio: 2,
  tableBytes: 2048,
  beatRows: 4,
};

/** What has been acknowledged, and what may or may not be there besides: the commits under way, in order. */
interface Ledger {
  /** State after each commit, by number of commits. */
  readonly states: (readonly (readonly [string, string])[])[];
  acknowledged: number;
  newestVersion: number;
}

/** A life of puts, deletes, range deletes, batches, flush and compact, on keys that are overwritten often. */
async function life(store: Store, ledger: Ledger, round: number): Promise<void> {
  const state = new Map(ledger.states.at(-1));
  const commit = async (change: () => void, write: () => Promise<number>): Promise<void> => {
    change();
    ledger.states.push([...state].sort(([a], [b]) => (a < b ? -1 : 1)));
    const number = ledger.states.length - 1;
    const version = await write();
    expect(version).toBeGreaterThan(ledger.newestVersion);
    ledger.newestVersion = version;
    ledger.acknowledged = number;
  };
  for (let i = 0; i < 18; i++) {
    const key = `k${(i * 5 + round) % 9}`;
    const value = `${round}.${i}`.padEnd(50 + ((i * 97) % 500), "x");
    if (i % 6 === 4) {
      await commit(
        () => state.delete(key),
        () => store.delete(bytes(key)),
      );
    } else if (i % 9 === 7) {
      await commit(
        () => {
          for (const name of Array.from(state.keys())) if (name >= "k2" && name < "k5") state.delete(name);
          state.set("k3", value);
        },
        () => store.write(new Batch().deleteRange(bytes("k2"), bytes("k5")).put(bytes("k3"), bytes(value))),
      );
    } else {
      await commit(
        () => state.set(key, value),
        () => store.put(bytes(key), bytes(value)),
      );
    }
    if (i === 8) await store.flush();
    if (i === 15) await store.compact();
  }
  await store.close();
}

/** The store holds the state after all that was acknowledged, or after some of the commits that were under way too. */
function expectPrefix(store: Store, ledger: Ledger, where: string): void {
  const rows = rowsOf(store);
  const at = ledger.states.findIndex(
    (state, i) => i >= ledger.acknowledged && JSON.stringify(state) === JSON.stringify(rows),
  );
  if (at < 0) expect.fail(`${where}: ${rows.length} rows are no state from commit ${ledger.acknowledged} on`);
  expect(reverseRowsOf(store)).toEqual(rows.toReversed());
  ledger.states.length = at + 1;
  ledger.acknowledged = at;
}

/** Kinds of crash and of disk, and every how many calls one is tried. */
const CRASHES: readonly (readonly [
  name: string,
  kind: CrashKind,
  disk: Partial<DiskOptions>,
  stride: number,
])[] = [
  ["power loss", "power-loss", {}, 2],
  [
    "power loss that damages the sectors being written",
    "power-loss",
    { powersafeOverwrite: false, collateralProbability: 0.7 },
    4,
  ],
  [
    "power loss that shows garbage where bytes were lost",
    "power-loss",
    { holeContent: "garbage", tearProbability: 1 },
    6,
  ],
  ["process kill", "process-kill", {}, 7],
];

describe.each(CRASHES)("after a %s", (_name, kind, disk, stride) => {
  test("[D9][D12][D17][D18][FS-defect 1][FS-defect 4][FS-defect 8] at any file call, in recovery too, everything acknowledged is there, and no version comes twice", async () => {
    const total = await callsOfLife();
    for (let call = 1; call < total; call += stride) {
      const machine = new CrashMachine(call, disk);
      const ledger: Ledger = { states: [[]], acknowledged: 0, newestVersion: 9 };
      // Three lives: one crashes at this call, the next soon, perhaps within its recovery; the last looks.
      for (const crashCall of [call, 1 + ((call * 7) % 60), Number.POSITIVE_INFINITY]) {
        const platform = machine.boot();
        machine.crashAtCall(crashCall, kind);
        let store: Store | null = null;
        const opening = Store.open("/store", TINY, platform).then((one) => {
          store = one;
          return one;
        });
        if (!(await machine.run(platform, opening))) continue;
        const open = store as unknown as Store;
        machine.counts = false;
        expectPrefix(open, ledger, `call ${call}`);
        machine.counts = true;
        expect(open.version).toBeGreaterThanOrEqual(ledger.newestVersion);
        ledger.newestVersion = open.version;
        if (crashCall !== Number.POSITIVE_INFINITY) {
          await machine.run(platform, life(open, ledger, crashCall));
          if (!machine.isDown) machine.shutdown();
          continue;
        }
        const problems: string[] = [];
        await machine.run(
          platform,
          open.verify().then((report) => problems.push(...report.problems)),
        );
        expect(problems).toEqual([]);
        await machine.run(platform, open.close());
        expect(machine.shutdown()).toEqual([]);
      }
    }
  });
});

async function callsOfLife(): Promise<number> {
  const machine = new CrashMachine(1);
  const platform = machine.boot();
  const ledger: Ledger = { states: [[]], acknowledged: 0, newestVersion: 9 };
  await machine.run(
    platform,
    Store.open("/store", TINY, platform).then((store) => life(store, ledger, 0)),
  );
  return machine.calls;
}

test("[D1][D2][D3][D17][FS-defect 2][FS-defect 3][FS-defect 6][FS-defect 9] at every instant what is durable is a whole store: CURRENT, its manifest, its tables, and the log above them", async () => {
  const machine = new CrashMachine(7);
  const platform = machine.boot();
  const ledger: Ledger = { states: [[]], acknowledged: 0, newestVersion: 9 };
  let created = false;
  let looked = 0;
  machine.observer = () => {
    const durable = machine.disk.snapshotDurable();
    if (!created) return;
    const manifest = loadManifest(durable, "/store");
    expect(manifest).not.toBeNull();
    if (manifest === null) return;
    // Versions that the manifest counts as flushed are in tables: nothing is skipped by replay.
    const newest = Math.max(9, ...manifest.levels.flat().map(({ maxVersion }) => maxVersion));
    expect(manifest.counters.lastVersion).toBeGreaterThanOrEqual(newest);
    expect(manifest.counters.lastVersion).toBeLessThanOrEqual(ledger.newestVersion + 1);
    looked++;
  };
  await machine.run(
    platform,
    Store.open("/store", TINY, platform).then((store) => {
      created = true;
      return life(store, ledger, 0);
    }),
  );
  expect(looked).toBeGreaterThan(100);
  machine.observer = null;
  expect(machine.shutdown()).toEqual([]);
  machine.crash("power-loss");
  const second = machine.boot();
  let store: Store | null = null;
  await machine.run(
    second,
    Store.open("/store", TINY, second).then((one) => {
      store = one;
    }),
  );
  expectPrefix(store as unknown as Store, ledger, "after a clean close and a power loss");
  expect(ledger.acknowledged).toBe(18);
});

test("[D16] deletes, range deletes and batches survive a kill as puts do: nothing bypasses the log", async () => {
  const one = await opened();
  for (const key of ["a", "b", "c", "d", "e"])
    await one.platform.settle(one.store.put(bytes(key), bytes("1")));
  await one.platform.settle(one.store.flush());
  await one.platform.settle(one.store.delete(bytes("a")));
  await one.platform.settle(one.store.deleteRange(bytes("b"), bytes("d")));
  const again = await opened(one.vfs.files());
  expect(rowsOf(again.store)).toEqual([
    ["d", "1"],
    ["e", "1"],
  ]);
});

test("[FS-defect 7] a batch is whole in one log segment: killed at any turn of rotations and removals, it is there whole or not at all", async () => {
  for (let turns = 0; turns < 60; turns += 1) {
    const { store, vfs, platform } = await opened(new Map(), { ...TINY, immutableMemtablesMax: 4 });
    for (let number = 0; number < 12; number++) {
      const batch = new Batch();
      for (let i = 0; i < 4 + (number % 3); i++) batch.put(bytes(`b${number}.${i}`), bytes("x".repeat(250)));
      store.write(batch).catch(() => undefined);
    }
    for (let i = 0; i < turns; i++) await platform.turn();
    const { store: after } = await opened(vfs.files(), TINY);
    const found = new Map<string, number>();
    for (const [key] of rowsOf(after)) {
      const number = (key.split(".")[0] as string).slice(1);
      found.set(number, (found.get(number) ?? 0) + 1);
    }
    for (const [number, count] of found) expect(count, `batch ${number}`).toBe(4 + (Number(number) % 3));
    // And no batch without those before it.
    expect([...found.keys()].map(Number).sort((a, b) => a - b)).toEqual([...found.keys()].map((_, i) => i));
  }
});

test("[D11] keys deleted and flushed away do not come back with a reused log, life after life", async () => {
  let files: Files = new Map();
  for (let round = 0; round < 5; round++) {
    const { store, vfs, platform } = await opened(files, { memtableBytes: 4096 });
    expect(rowsOf(store)).toEqual(round === 0 ? [] : [["kept", `${round - 1}`]]);
    for (let i = 0; i < 30; i++) await platform.settle(store.put(bytes(`k${i}`), bytes("x".repeat(300))));
    await platform.settle(store.put(bytes("kept"), bytes(`${round}`)));
    await platform.settle(store.deleteRange(bytes("k"), bytes("kept")));
    await platform.settle(store.compact());
    if (round % 2 === 0) await platform.settle(store.close());
    files = vfs.files();
  }
});

interface Opened {
  readonly store: Store;
  readonly vfs: PlainVFS;
  readonly platform: ManualPlatform;
}

async function opened(
  files: Files = new Map(),
  options: StoreOptions = {},
  directories: string[] = [],
): Promise<Opened> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler, files, directories);
  const platform = manualPlatform(vfs, scheduler);
  return {
    store: await platform.settle(
      Store.open("/store", { memtableBytes: 65_536, blockCacheBytes: 65_536, ...options }, platform),
    ),
    vfs,
    platform,
  };
}

/** A store with tables in two levels and commits in its log, killed. */
async function killed(): Promise<{ files: Map<string, Uint8Array>; keys: string[] }> {
  const { store, vfs, platform } = await opened(new Map(), TINY);
  for (let i = 0; i < 40; i++)
    await platform.settle(store.put(bytes(`k${i % 30}`), bytes(`${i}`.padEnd(300, "x"))));
  await platform.settle(store.compact());
  for (let i = 0; i < 5; i++) await platform.settle(store.put(bytes(`log${i}`), bytes("v")));
  return { files: vfs.files(), keys: rowsOf(store).map(([key]) => key) };
}

/** The same, closed. */
async function closed(): Promise<{ files: Map<string, Uint8Array>; keys: string[] }> {
  const before = await killed();
  const { store, vfs, platform } = await opened(before.files, TINY);
  await platform.settle(store.close());
  return { files: vfs.files(), keys: before.keys };
}

const WRITING: readonly Call[] = [
  "createFile",
  "write",
  "truncate",
  "rename",
  "link",
  "removeFile",
  "makeDirectory",
  "removeDirectory",
  "syncData",
  "syncDataLater",
  "syncDirectory",
];

describe("recovery", () => {
  test("of a store that was closed in order writes nothing at all, however often it is opened and read", async () => {
    const { files, keys } = await closed();
    const scheduler = new ManualScheduler();
    const vfs = new PlainVFS(scheduler, files);
    const platform = manualPlatform(vfs, scheduler);
    const written: string[] = [];
    vfs.before = (call, path) => {
      if (WRITING.includes(call)) written.push(`${call} ${path}`);
    };
    for (let i = 0; i < 3; i++) {
      const store = await platform.settle(Store.open("/store", {}, platform));
      expect(store.recovery).toMatchObject({
        created: false,
        segmentsReplayed: 0,
        commitsReplayed: 0,
        tablesWritten: 0,
        quarantined: [],
        purged: [],
      });
      expect(rowsOf(store).map(([key]) => key)).toEqual(keys);
      await platform.settle(store.close());
    }
    expect(written).toEqual([]);
    expect(vfs.files()).toEqual(files);
  });

  test("[D18] is idempotent: recovered and killed at once, again and again, the store stays what it was", async () => {
    let { files } = await killed();
    const { keys } = await killed();
    for (let i = 0; i < 4; i++) {
      const { store, vfs, platform } = await opened(files, TINY);
      expect(rowsOf(store).map(([key]) => key)).toEqual(keys);
      if (i > 0) expect(store.recovery).toMatchObject({ commitsReplayed: 0, tornBytes: 0, quarantined: [] });
      expect((await platform.settle(store.verify())).problems).toEqual([]);
      files = vfs.files();
    }
  });

  test("reports what it replayed", async () => {
    const { files } = await killed();
    const { store } = await opened(files);
    expect(store.recovery).toMatchObject({
      created: false,
      segmentsReplayed: 1,
      commitsReplayed: 5,
      tornBytes: 0,
      tablesWritten: 1,
    });
  });

  test("that refuses leaves every byte as it was, whatever it is that is damaged", async () => {
    const { files } = await killed();
    let refused = 0;
    for (const [path, image] of files) {
      for (const change of ["flip", "cut", "remove"]) {
        const damaged = new Map(files);
        const copy = image.slice();
        if (change === "flip")
          copy[Math.min(40, copy.length - 1)] = (copy[Math.min(40, copy.length - 1)] as number) ^ 0xff;
        damaged.set(path, change === "cut" ? copy.slice(0, copy.length >> 1) : copy);
        if (change === "remove") damaged.delete(path);
        const scheduler = new ManualScheduler();
        const vfs = new PlainVFS(scheduler, damaged);
        const platform = manualPlatform(vfs, scheduler);
        const outcome = await platform.outcome(Store.open("/store", TINY, platform));
        if (outcome.kind === "resolved") continue;
        refused++;
        expect(outcome.error, `${change} ${path}`).toMatchObject({ code: "CORRUPTION" });
        expect(vfs.files()).toEqual(new Map([...damaged].sort(([a], [b]) => (a < b ? -1 : 1))));
        expect([vfs.handles.size, vfs.locks.size]).toEqual([0, 0]);
      }
    }
    expect(refused).toBeGreaterThan(6);
  });

  test("that is refused for a later segment takes back the tables that it wrote for earlier ones", async () => {
    const { store, vfs, platform } = await opened(new Map(), {
      memtableBytes: 4096,
      immutableMemtablesMax: 8,
    });
    vfs.before = (call, path) => {
      if (call === "createFile" && path.endsWith(".sst")) throw failure("NO_SPACE", call, path);
    };
    for (let i = 0; i < 40; i++) await platform.settle(store.put(bytes(`k${i}`), bytes("x".repeat(300))));
    const files = vfs.files();
    const segments = [...files.keys()].filter((path) => path.endsWith(".wal"));
    const damaged = files.get(segments[2] as string) as Uint8Array;
    damaged[700] = (damaged[700] as number) ^ 1;
    const scheduler = new ManualScheduler();
    const after = new PlainVFS(scheduler, files);
    const other = manualPlatform(after, scheduler);
    expect(await other.outcome(Store.open("/store", {}, other))).toMatchObject({
      error: { code: "CORRUPTION", path: segments[2] },
    });
    expect(after.files()).toEqual(files);
  });

  test("[D6] puts tables that nothing names into quarantine, and removes them only at the next opening that finds none", async () => {
    const { files, keys } = await closed();
    const stray = new Uint8Array(100).fill(7);
    files.set("/store/900000.sst", stray);
    files.set("/store/900001.sst", new Uint8Array(0));
    const first = await opened(files);
    expect(first.store.recovery).toMatchObject({ quarantined: ["900000.sst", "900001.sst"], purged: [] });
    expect(first.vfs.files().get("/store/quarantine/900000.sst")).toEqual(stray);
    expect(rowsOf(first.store).map(([key]) => key)).toEqual(keys);
    expect(first.store.inspect().nextFileNumber).toBeGreaterThan(900_001);
    const again = first.vfs.files();
    again.set("/store/900002.sst", stray);
    const second = await opened(again, {}, ["/store/quarantine"]);
    expect(second.store.recovery).toMatchObject({ quarantined: ["900002.sst"], purged: [] });
    expect([...second.vfs.files().keys()].filter((path) => path.includes("quarantine"))).toHaveLength(3);
    const third = await opened(second.vfs.files());
    expect(third.store.recovery.quarantined).toEqual([]);
    expect(third.store.recovery.purged).toHaveLength(3);
    expect([...third.vfs.files().keys()].filter((path) => path.includes("quarantine"))).toEqual([]);
  });

  test("leaves strangers alone, and clears away its own leftovers", async () => {
    const { files, keys } = await closed();
    const strangers = ["notes.txt", "000001.SST", "1.sst", "MANIFEST-abc", "000007.sst.bak", ".hidden"];
    for (const name of strangers) files.set(`/store/${name}`, bytes("mine"));
    for (const name of ["000990.tmp", "MANIFEST-000991", "000001.wal"])
      files.set(`/store/${name}`, new Uint8Array(10));
    const { store, vfs, platform } = await opened(files);
    expect(rowsOf(store).map(([key]) => key)).toEqual(keys);
    expect(await platform.settle(store.put(bytes("k"), bytes("v")))).toBeGreaterThan(0);
    await platform.settle(store.close());
    const left = [...vfs.files().keys()];
    for (const name of strangers) expect(left).toContain(`/store/${name}`);
    for (const name of ["000990.tmp", "MANIFEST-000991", "000001.wal"])
      expect(left).not.toContain(`/store/${name}`);
  });

  test("[T8] that is killed again and again before it is done leaves no more on the disk than the first time", async () => {
    let { files } = await killed();
    const { keys } = await killed();
    const sizes: number[] = [];
    for (let attempt = 0; attempt < 8; attempt++) {
      const scheduler = new ManualScheduler();
      const vfs = new PlainVFS(scheduler, files, ["/store/quarantine"]);
      const platform = manualPlatform(vfs, scheduler);
      // The new manifest never becomes CURRENT.
      vfs.before = (call, path) => {
        if (call === "rename" && path.endsWith(".tmp")) throw new Error("killed");
      };
      expect((await platform.outcome(Store.open("/store", TINY, platform))).kind).toBe("rejected");
      files = vfs.files();
      sizes.push([...files.values()].reduce((sum, image) => sum + image.length, 0));
    }
    expect(Math.max(...sizes)).toBeLessThan((sizes[0] as number) * 2);
    expect(sizes.at(-1)).toBe(sizes.at(-2));
    const { store } = await opened(files, TINY, ["/store/quarantine"]);
    expect(rowsOf(store).map(([key]) => key)).toEqual(keys);
  });

  test("takes directories for nobody's files, whatever they are called", async () => {
    const { files, keys } = await killed();
    const directories = [
      "000003.tmp",
      "900000.sst",
      "900001.wal",
      "MANIFEST-900002",
      "quarantine",
      "quarantine/900003.sst",
    ];
    const paths = directories.map((name) => `/store/${name}`);
    for (let i = 0; i < 3; i++) {
      const { store, vfs, platform } = await opened(files, TINY, paths);
      expect(rowsOf(store).map(([key]) => key)).toEqual(keys);
      for (const path of paths) expect(vfs.stat(path)?.kind, path).toBe("directory");
      if (i > 0) await platform.settle(store.close());
      files.clear();
      for (const [path, image] of vfs.files()) files.set(path, image);
    }
  });

  test("passes over an empty file in the log, but misses a segment that has become one", async () => {
    const { files, keys } = await killed();
    const [segment] = [...files.keys()].filter((path) => path.endsWith(".wal"));
    const number = Number(/(\d+)\.wal$/.exec(segment as string)?.[1]);
    const strayBefore = new Map(files).set(
      `/store/${String(number - 1).padStart(6, "0")}.wal`,
      new Uint8Array(0),
    );
    const strayAfter = new Map(files).set("/store/900000.wal", new Uint8Array(0));
    for (const strays of [strayBefore, strayAfter, new Map([...strayBefore, ...strayAfter])]) {
      const { store } = await opened(strays, TINY);
      expect(rowsOf(store).map(([key]) => key)).toEqual(keys);
    }

    const chain = await opened(new Map(), { memtableBytes: 4096, immutableMemtablesMax: 8 });
    chain.vfs.before = (call, path) => {
      if (call === "createFile" && path.endsWith(".sst")) throw failure("NO_SPACE", call, path);
    };
    for (let i = 0; i < 40; i++)
      await chain.platform.settle(chain.store.put(bytes(`k${i}`), bytes("x".repeat(300))));
    const segments = [...chain.vfs.files().keys()].filter((path) => path.endsWith(".wal"));
    expect(segments.length).toBeGreaterThan(2);
    for (const emptied of segments.slice(0, -1)) {
      const scheduler = new ManualScheduler();
      const damaged = chain.vfs.files().set(emptied, new Uint8Array(0));
      const platform = manualPlatform(new PlainVFS(scheduler, damaged), scheduler);
      expect(await platform.outcome(Store.open("/store", TINY, platform)), emptied).toMatchObject({
        error: { code: "CORRUPTION" },
      });
    }
  });

  test("of a store whose creation was cut short at any call creates it", async () => {
    const counting = await opened();
    const scheduler = new ManualScheduler();
    let calls = 0;
    for (const [, count] of counting.vfs.counts) calls += count;
    for (let stop = 1; stop <= calls; stop++) {
      const vfs = new PlainVFS(scheduler);
      const platform = manualPlatform(vfs, scheduler);
      let made = 0;
      vfs.before = (call, path) => {
        if (++made === stop) throw failure("IO", call, path);
      };
      const first = await platform.outcome(Store.open("/store", {}, platform));
      vfs.before = null;
      if (first.kind === "resolved") await platform.settle(first.value.close());
      vfs.locks.clear();
      const store = await platform.settle(Store.open("/store", { memtableBytes: 65_536 }, platform));
      expect(await platform.settle(store.put(bytes("k"), bytes("v")))).toBe(10);
      await platform.settle(store.close());
      const again = await platform.settle(Store.open("/store", {}, platform));
      expect(rowsOf(again)).toEqual([["k", "v"]]);
      await platform.settle(again.close());
    }
  });

  test("that meets an error of the disk at any call fails with it, changes nothing for good, and works the next time", async () => {
    const { files, keys } = await killed();
    const counting = await opened(files, TINY);
    let calls = 0;
    for (const [, count] of counting.vfs.counts) calls += count;
    for (let stop = 1; stop <= calls; stop += 2) {
      const scheduler = new ManualScheduler();
      const vfs = new PlainVFS(scheduler, files);
      const platform = manualPlatform(vfs, scheduler);
      let made = 0;
      vfs.before = (call, path) => {
        if (++made === stop && call !== "releaseLock") throw failure("IO", call, path);
      };
      const first = await platform.outcome(Store.open("/store", TINY, platform));
      vfs.before = null;
      if (first.kind === "resolved") continue;
      expect(first.error).toMatchObject({ code: "IO" });
      expect([vfs.handles.size, vfs.locks.size], `call ${stop}`).toEqual([0, 0]);
      const store = await platform.settle(Store.open("/store", TINY, platform));
      expect(rowsOf(store).map(([key]) => key)).toEqual(keys);
      await platform.settle(store.close());
    }
  });

  test("[D8] never truncates or overwrites a file that was there: a hard link of any of them stays what it was", async () => {
    const { files } = await killed();
    const linked = new Map(files);
    const scheduler = new ManualScheduler();
    const vfs = new PlainVFS(scheduler, linked);
    vfs.makeDirectory("/backup");
    for (const path of files.keys()) vfs.link(path, `/backup/${path.slice(7)}`);
    const platform = manualPlatform(vfs, scheduler);
    const store = await platform.settle(Store.open("/store", TINY, platform));
    for (let i = 0; i < 40; i++)
      await platform.settle(store.put(bytes(`k${i % 30}`), bytes("y".repeat(300))));
    await platform.settle(store.compact());
    await platform.settle(store.close());
    for (const [path, image] of files) expect(vfs.bytesOf(`/backup/${path.slice(7)}`), path).toEqual(image);
  });

  test("[TD-13] a checkpoint is a store of its own: whole, at the version it says, untouched by what follows in either", async () => {
    const { store, vfs, platform } = await opened(new Map(), TINY);
    for (let i = 0; i < 40; i++)
      await platform.settle(store.put(bytes(`k${i % 30}`), bytes(`${i}`.padEnd(300, "x"))));
    const expected = rowsOf(store);
    const version = await platform.settle(store.checkpoint("/copy"));
    expect(version).toBe(store.version);
    expect(await platform.outcome(store.checkpoint("/copy"))).toMatchObject({ error: { code: "EXISTS" } });
    await platform.settle(store.deleteRange(bytes("a"), bytes("z")));
    await platform.settle(store.compact());
    const copy = await platform.settle(Store.open("/copy", TINY, platform));
    expect(rowsOf(copy)).toEqual(expected);
    expect(copy.recovery.quarantined).toEqual([]);
    expect(await platform.settle(copy.put(bytes("new"), bytes("1")))).toBeGreaterThan(version);
    expect(rowsOf(store)).toEqual([]);
    await platform.settle(copy.close());
    await platform.settle(store.close());
    expect([...vfs.files().keys()].filter((path) => path.includes("partial"))).toEqual([]);
  });

  test("a checkpoint that failed midway is no obstacle to the next", async () => {
    const { store, vfs, platform } = await opened(new Map(), TINY);
    for (let i = 0; i < 20; i++) await platform.settle(store.put(bytes(`k${i}`), bytes("x".repeat(300))));
    await platform.settle(store.flush());
    for (const failing of ["makeDirectory", "link", "write", "syncData", "rename"] satisfies Call[]) {
      vfs.before = (call, path) => {
        if (call === failing && path.includes("copy")) throw failure("NO_SPACE", call, path);
        if (call === failing && failing === "link") throw failure("NO_SPACE", call, path);
      };
      expect(await platform.outcome(store.checkpoint("/copy")), failing).toMatchObject({
        error: { code: "NO_SPACE" },
      });
      vfs.before = null;
      expect(vfs.stat("/copy")).toBeNull();
    }
    await platform.settle(store.checkpoint("/copy"));
    const copy = await platform.settle(Store.open("/copy", {}, platform));
    expect(rowsOf(copy)).toHaveLength(20);
    expect(text(copy.getSync(bytes("k3")) as Uint8Array)).toBe("x".repeat(300));
    await platform.settle(copy.close());
    await platform.settle(store.close());
  });
});
