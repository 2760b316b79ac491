/** Options of a store and of single calls: each is checked at the door, and a wrong one changes nothing. */
import { describe, expect, test } from "vitest";
import { Batch } from "../../src/engine/batch.js";
import { resolveOptions, type StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes } from "./fixtures/model.js";
import { PlainVFS } from "./fixtures/plain-vfs.js";

const MIB = 1024 * 1024;

const DEFAULTS: Required<StoreOptions> = {
  createIfMissing: true,
  errorIfExists: false,
  lockTimeoutMs: 0,
  durability: "sync",
  memtableBytes: 16 * MIB,
  immutableMemtablesMax: 2,
  blockBytes: 4096,
  blockCacheBytes: 64 * MIB,
  tableCacheBytes: 64 * MIB,
  bloomBitsPerKey: 10,
  compression: "none",
  checksum: "crc32",
  groupCommitsMax: 512,
  blockingSyncMicros: 500,
  bufferedSyncMs: 100,
  pendingCommitsMax: 10_000,
  compaction: "leveled",
  levelBaseBytes: 64 * MIB,
  levelRatio: 10,
  tableBytes: 8 * MIB,
  level0CompactionFiles: 4,
  level0StallFiles: 8,
  level0LimitFiles: 12,
  slowdownDebtBytes: 256 * MIB,
  backgroundThread: true,
  detectLeaks: false,
  beatRows: 512,
};

/** The smallest and largest legal value of each number. */
const BOUNDS: Partial<Record<keyof StoreOptions, readonly [min: number, max: number]>> = {
  memtableBytes: [4096, 1024 * MIB],
  immutableMemtablesMax: [1, 64],
  blockBytes: [256, 32 * 1024],
  blockCacheBytes: [0, 64 * 1024 * MIB],
  tableCacheBytes: [0, 64 * 1024 * MIB],
  bloomBitsPerKey: [0, 32],
  groupCommitsMax: [1, 65_536],
  blockingSyncMicros: [0, 1_000_000],
  bufferedSyncMs: [1, 3_600_000],
  lockTimeoutMs: [0, 2_147_483_647],
  pendingCommitsMax: [1, 10_000_000],
  levelBaseBytes: [1024, 1024 * 1024 * MIB],
  levelRatio: [2, 100],
  tableBytes: [1024, 1024 * MIB],
  level0CompactionFiles: [1, 1000],
  level0StallFiles: [2, 10_000],
  level0LimitFiles: [3, 100_000],
  slowdownDebtBytes: [0, Number.MAX_SAFE_INTEGER],
  beatRows: [1, 1_000_000],
};

const CHOICES: Partial<Record<keyof StoreOptions, readonly string[]>> = {
  durability: ["sync", "buffered", "none"],
  compression: ["none", "deflate"],
  checksum: ["crc32", "blake3"],
  compaction: ["leveled", "tiered"],
};

const names = Object.keys(DEFAULTS) as (keyof StoreOptions)[];

function errorOf(call: () => unknown): StillwaterError {
  try {
    call();
  } catch (error) {
    if (error instanceof StillwaterError) return error;
    throw error;
  }
  throw new Error("no error");
}

test("every option has its documented default, and undefined is as good as absent", () => {
  expect(resolveOptions({})).toEqual(DEFAULTS);
  const absent = Object.fromEntries(names.map((name) => [name, undefined])) as StoreOptions;
  expect(resolveOptions(absent)).toEqual(DEFAULTS);
  expect(resolveOptions({ compaction: "tiered" }).levelRatio).toBe(4);
  expect(resolveOptions({ compaction: "tiered", levelRatio: 7 }).levelRatio).toBe(7);
});

describe.each(names)("option %s", (name) => {
  test("refuses every value of another type, and says its name and what is legal", () => {
    const usual = typeof DEFAULTS[name];
    const wrong: unknown[] = [
      null,
      {},
      [],
      Symbol("x"),
      () => 1,
      1n,
      "5",
      "",
      5.5,
      Number.NaN,
      Infinity,
      -1,
      1e300,
    ];
    if (usual !== "boolean") wrong.push(true, false);
    else wrong.push(0, 1, "true");
    for (const value of wrong) {
      if (name === "slowdownDebtBytes" && value === 0) continue;
      const error = errorOf(() => resolveOptions({ [name]: value } as StoreOptions));
      expect(error.code).toBe("INVALID_ARGUMENT");
      expect(error.message).toContain(`"${name}"`);
      expect(error.message).toContain("must be");
    }
  });

  test("accepts its whole legal range and nothing beyond", () => {
    const bounds = BOUNDS[name];
    const choices = CHOICES[name];
    const others: StoreOptions =
      name === "level0CompactionFiles" || name === "level0StallFiles" || name === "level0LimitFiles"
        ? { level0CompactionFiles: 1, level0StallFiles: 2, level0LimitFiles: 3 }
        : {};
    const room: StoreOptions =
      name === "level0CompactionFiles"
        ? { level0StallFiles: 10_000, level0LimitFiles: 100_000 }
        : name === "level0StallFiles"
          ? { level0LimitFiles: 100_000 }
          : {};
    if (bounds !== undefined) {
      const [min, max] = bounds;
      expect(resolveOptions({ ...others, ...room, [name]: min })[name]).toBe(min);
      expect(resolveOptions({ ...others, ...room, [name]: max })[name]).toBe(max);
      for (const value of [min - 1, max + 1]) {
        expect(errorOf(() => resolveOptions({ ...others, ...room, [name]: value })).code).toBe(
          "INVALID_ARGUMENT",
        );
      }
    } else if (choices !== undefined) {
      for (const choice of choices) expect(resolveOptions({ [name]: choice })[name]).toBe(choice);
      const error = errorOf(() => resolveOptions({ [name]: "other" } as unknown as StoreOptions));
      for (const choice of choices) expect(error.message).toContain(choice);
    } else {
      for (const value of [true, false]) expect(resolveOptions({ [name]: value })[name]).toBe(value);
    }
  });
});

test("level-0 limits must grow: compaction < stall < limit", () => {
  const bad: StoreOptions[] = [
    { level0CompactionFiles: 8 },
    { level0StallFiles: 4 },
    { level0StallFiles: 12 },
    { level0LimitFiles: 8 },
  ];
  for (const options of bad) expect(errorOf(() => resolveOptions(options)).code).toBe("INVALID_ARGUMENT");
});

test("an unknown name is refused by name, with the known ones; names of Object.prototype are unknown too", () => {
  for (const name of ["memtablebytes", "cacheSize", "constructor", "__proto__x", "toString", ""]) {
    const error = errorOf(() => resolveOptions({ [name]: 1 } as StoreOptions));
    expect(error.code).toBe("UNKNOWN_OPTION");
    expect(error.message).toContain(`"${name}"`);
    expect(error.message).toContain("memtableBytes");
  }
});

test("options that are no object are refused", () => {
  for (const options of [null, 5, "fast", true, [], () => ({})]) {
    expect(errorOf(() => resolveOptions(options as unknown as StoreOptions)).code).toBe("INVALID_ARGUMENT");
  }
});

test("a store refused for its options has touched no file", async () => {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler);
  const platform = manualPlatform(vfs, scheduler);
  const bad: unknown[] = [{ typo: 1 }, { memtableBytes: 1 }, { durability: "maybe" }, null];
  for (const options of bad) {
    const outcome = await platform.outcome(Store.open("/store", options as StoreOptions, platform));
    expect(outcome.kind).toBe("rejected");
  }
  expect([...vfs.counts.keys()]).toEqual([]);
});

describe("options of single calls", () => {
  async function opened(): Promise<{ store: Store; platform: ReturnType<typeof manualPlatform> }> {
    const scheduler = new ManualScheduler();
    const platform = manualPlatform(new PlainVFS(scheduler), scheduler);
    return { store: await platform.settle(Store.open("/store", {}, platform)), platform };
  }

  const wrongObjects: unknown[] = [null, 5, "sync", true, [], () => 1];
  const calls: readonly [string, (store: Store, options: never) => unknown][] = [
    ["put", (store, options) => store.put(bytes("k"), bytes("v"), options)],
    ["delete", (store, options) => store.delete(bytes("k"), options)],
    ["deleteRange", (store, options) => store.deleteRange(bytes("k"), bytes("l"), options)],
    ["write", (store, options) => store.write(new Batch().put(bytes("k"), bytes("v")), options)],
    ["writeSync", (store, options) => store.writeSync(new Batch().put(bytes("k"), bytes("v")), options)],
    ["get", (store, options) => store.get(bytes("k"), options)],
    ["getSync", (store, options) => store.getSync(bytes("k"), options)],
    ["getMany", (store, options) => store.getMany([bytes("k")], options)],
    ["scan", (store, options) => store.scan(options).toArray()],
    ["iterator", (store, options) => store.iterator(options)],
  ];

  test.each(calls)("%s refuses an unknown name, and options that are no object", async (_name, call) => {
    const { store, platform } = await opened();
    const version = store.version;
    const attempt = async (options: unknown): Promise<unknown> => call(store, options as never);
    const unknown = await platform.outcome(attempt({ snapshott: 1 }));
    expect(unknown).toMatchObject({ kind: "rejected", error: { code: "UNKNOWN_OPTION" } });
    for (const options of wrongObjects) {
      const outcome = await platform.outcome(attempt(options));
      expect(outcome, String(options)).toMatchObject({
        kind: "rejected",
        error: { code: "INVALID_ARGUMENT" },
      });
    }
    expect(store.version).toBe(version);
    await platform.settle(store.close());
  });

  test("each option of a write has its type, and durability none is not one of a single write", async () => {
    const { store, platform } = await opened();
    const bad: unknown[] = [
      { durability: "none" },
      { durability: "SYNC" },
      { durability: 1 },
      { durability: null },
      { requireVersionAtLeast: "9" },
      { requireVersionAtLeast: 9.5 },
      { requireVersionAtLeast: Number.NaN },
      { requireVersionAtLeast: null },
    ];
    for (const options of bad) {
      const outcome = await platform.outcome(store.put(bytes("k"), bytes("v"), options as never));
      expect(outcome, JSON.stringify(options)).toMatchObject({
        kind: "rejected",
        error: { code: "INVALID_ARGUMENT" },
      });
    }
    expect(store.getSync(bytes("k"))).toBeUndefined();
    await platform.settle(store.close());
  });

  test("each option of a scan has its type, and bounds of one side exclude each other", async () => {
    const { store, platform } = await opened();
    const key = bytes("k");
    const bad: unknown[] = [
      { gte: "k" },
      { gt: 5 },
      { lte: null },
      { lt: [1] },
      { reverse: 1 },
      { limit: -1 },
      { limit: 1.5 },
      { limit: "3" },
      { limit: Number.NaN },
      { snapshot: { version: 9 } },
      { snapshot: 9 },
      { gt: key, gte: key },
      { lt: key, lte: key },
    ];
    for (const options of bad) {
      for (const call of [() => store.scan(options as never), () => store.iterator(options as never)]) {
        expect(errorOf(call).code, JSON.stringify(options)).toBe("INVALID_ARGUMENT");
      }
    }
    expect(errorOf(() => store.getSync(key, { snapshot: 9 } as never)).code).toBe("INVALID_ARGUMENT");
    await platform.settle(store.close());
  });

  test("a store opened with durability none refuses a sync commit, since it could not keep it", async () => {
    const scheduler = new ManualScheduler();
    const platform = manualPlatform(new PlainVFS(scheduler), scheduler);
    const store = await platform.settle(Store.open("/store", { durability: "none" }, platform));
    const outcome = await platform.outcome(store.put(bytes("k"), bytes("v"), { durability: "sync" }));
    expect(outcome).toMatchObject({ kind: "rejected", error: { code: "INVALID_ARGUMENT" } });
    await platform.settle(store.close());
  });
});
