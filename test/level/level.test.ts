/** What `StillwaterLevel` does beyond the suite of abstract-level: durability, codes, places, the store beneath. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers";
import * as fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { Store } from "../../src/engine/store.js";
import { LevelError, type LevelErrorCode, levelError } from "../../src/level/errors.js";
import { StillwaterLevel } from "../../src/level/index.js";
import { LevelOverStore, type LevelStore } from "../../src/level/level.js";
import { type ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { requireOptional } from "../../src/platform/node/optional-package.js";

const root = mkdtempSync(join(tmpdir(), "stillwater-level-"));
afterAll(() => rmSync(root, { recursive: true }));
let made = 0;
const newLocation = (): string => join(root, `place-${made++}`);

async function inMemory(): Promise<StillwaterLevel> {
  const platform = nodePlatform({ vfs: await createMemoryVFS(), workers: false });
  const db = new StillwaterLevel("/db", { platform, memtableBytes: 16_384 });
  await db.open();
  return db;
}

/** A store that tells which durability each commit asks for. */
function listening(store: Store, asked: (string | undefined)[]): LevelStore {
  return {
    platform: store.platform,
    directory: store.directory,
    getSync: (key, options) => store.getSync(key, options),
    write: (batch, options) => {
      asked.push(options?.durability);
      return store.write(batch, options);
    },
    iterator: (options) => store.iterator(options),
    snapshot: () => store.snapshot(),
    approximateBytes: (range) => store.approximateBytes(range),
    compact: (range) => store.compact(range),
    close: () => store.close(),
  };
}

const cause = async (promise: Promise<unknown>): Promise<unknown> => {
  const error = await promise.then(
    () => new Error("it did not fail"),
    (thrown: Error) => thrown,
  );
  expect(error).toMatchObject({ code: "LEVEL_DATABASE_NOT_OPEN" });
  return error.cause;
};

describe("durability of a write", () => {
  it("is the store's unless `sync` says otherwise, for every way to write, through sublevels too", async () => {
    const { store } = await inMemory();
    const asked: (string | undefined)[] = [];
    const db = new LevelOverStore({ store: listening(store, asked) }, {});
    await db.put("a", "1");
    await db.put("a", "1", { sync: true });
    await db.del("a", { sync: false });
    await db.batch([{ type: "put", key: "a", value: "1" }], { sync: false });
    await db
      .batch()
      .put("a", "1")
      .write({ sync: true } as object);
    await db.clear({ sync: true });
    await db.sublevel("s").put("a", "1", { sync: false } as object);
    expect(asked).toEqual([undefined, "sync", "buffered", "buffered", "sync", "sync", "buffered"]);
    await expect(db.put("a", "1", { sync: 1 } as object)).rejects.toThrow(TypeError);
    await db.close();
    await store.close();
  });
});

describe("an open store that is somebody else's", () => {
  it("stays open when the database over it is closed, which opens again", async () => {
    const { store } = await inMemory();
    const db = new StillwaterLevel(store);
    expect(db.supports).toMatchObject({ permanence: false, createIfMissing: false });
    await db.put("a", "1");
    expect(db.store).toBe(store);
    await db.close();
    expect(() => db.store).toThrow(expect.objectContaining({ code: "LEVEL_DATABASE_NOT_OPEN" }));
    expect(store.getSync(Buffer.from("a"))).toEqual(Buffer.from("1"));
    await db.open();
    expect(await db.get("a")).toBe("1");
    await db.close();
    await store.close();
  });

  it("that is closed beneath says that the database is not open", async () => {
    const { store } = await inMemory();
    const db = new StillwaterLevel(store);
    await db.open();
    await store.close();
    for (const call of [() => db.get("a"), () => db.put("a", "1"), () => db.clear()])
      await expect(call()).rejects.toMatchObject({ code: "LEVEL_DATABASE_NOT_OPEN" });
    await db.close();
  });
});

describe("errors", () => {
  it("have Level's code for each code of the store, and the store's error as the cause", () => {
    const codes: Readonly<Partial<Record<ErrorCode, LevelErrorCode>>> = {
      CORRUPTION: "LEVEL_CORRUPTION",
      LOCKED: "LEVEL_LOCKED",
      READ_ONLY: "LEVEL_READONLY",
      FAILED_STOP: "LEVEL_IO_ERROR",
      NO_SPACE: "LEVEL_IO_ERROR",
      BUSY: "LEVEL_BUSY",
      UNSUPPORTED_FORMAT: "LEVEL_NOT_SUPPORTED",
    };
    for (const [code, level] of Object.entries(codes)) {
      const of = new StillwaterError(code as ErrorCode, "what was wrong");
      expect(levelError(of)).toMatchObject({ name: "LevelError", code: level, cause: of });
    }
    expect(levelError(new StillwaterError("UNKNOWN_OPTION", "no such option"))).toBeInstanceOf(TypeError);
    const foreign = new Error("not the store's");
    expect(levelError(foreign)).toBe(foreign);
  });

  it("of keys and values that are too large say which", async () => {
    const db = await inMemory();
    const long = "k".repeat(65_536);
    await expect(db.put(long, "")).rejects.toMatchObject({ code: "LEVEL_INVALID_KEY" });
    expect(() => db.batch().put(long, "")).toThrow(expect.objectContaining({ code: "LEVEL_INVALID_KEY" }));
    await expect(db.batch([{ type: "del", key: long }])).rejects.toBeInstanceOf(LevelError);
    await db.close();
  });

  it("of opening: locked, not there, there already, a file", async () => {
    const location = join(newLocation(), "made", "on", "the", "way");
    const db = new StillwaterLevel(location);
    await db.open();
    const locked = (await cause(new StillwaterLevel(location).open())) as LevelError;
    expect(locked).toMatchObject({ code: "LEVEL_LOCKED", cause: { code: "LOCKED" } });
    await db.close();
    const again = new StillwaterLevel(location, { errorIfExists: true });
    expect(await cause(again.open())).toMatchObject({ code: "LEVEL_EXISTS" });
    const missing = new StillwaterLevel(newLocation(), { createIfMissing: false });
    expect(await cause(missing.open())).toMatchObject({ code: "LEVEL_NOT_A_STORE" });
    const file = newLocation();
    writeFileSync(file, "");
    expect(await cause(new StillwaterLevel(file).open())).toMatchObject({ code: "LEVEL_NOT_A_STORE" });
  });

  it("of options: a wrong value and a name of classic-level's, when the database is made", () => {
    expect(() => new StillwaterLevel("x", { blockBytes: 1 })).toThrow(TypeError);
    expect(() => new StillwaterLevel("x", { cacheSize: 1 } as object)).toThrow(/blockCacheBytes/);
    expect(() => new StillwaterLevel("")).toThrow(TypeError);
    expect(() => new StillwaterLevel(undefined as unknown as string)).toThrow(TypeError);
  });

  it("of a snapshot or a sublevel of another database", async () => {
    const [db, other] = [await inMemory(), await inMemory()];
    const snapshot = other.snapshot();
    await expect(db.get("a", { snapshot })).rejects.toThrow(TypeError);
    expect(() => db.iterator({ snapshot })).toThrow(TypeError);
    const sublevel = other.sublevel("s") as never;
    await expect(db.batch([{ type: "put", key: "a", value: "1", sublevel }])).rejects.toThrow(TypeError);
    expect(() => db.batch().put("a", "1", { sublevel })).toThrow(TypeError);
    expect(await db.keys().all()).toEqual([]);
    await db.close();
    await other.close();
  });

  it("of a package that is not there names it and how to install it", () => {
    const load = (): never => {
      throw new Error("Cannot find module");
    };
    const call = (): unknown =>
      requireOptional("abstract-level", "stillwater/level builds on", "abstract-level@3", load);
    expect(call).toThrow(expect.objectContaining({ code: "MISSING_DEPENDENCY" }));
    expect(call).toThrow(/npm install abstract-level@3/);
  });

  it("of a failed look-up leave nothing open, and nothing is cleared", async () => {
    const { store } = await inMemory();
    let fails = true;
    const failing: LevelStore = {
      ...listening(store, []),
      iterator: (options) => {
        if (fails) throw new StillwaterError("IO", "the disk does not answer");
        return store.iterator(options);
      },
    };
    const db = new LevelOverStore({ store: failing }, {});
    await db.put("a", "1");
    await expect(db.clear({ limit: 1 })).rejects.toMatchObject({ code: "LEVEL_IO_ERROR" });
    const iterator = db.iterator();
    await expect(iterator.next()).rejects.toMatchObject({ code: "LEVEL_IO_ERROR" });
    await expect(iterator.next()).rejects.toMatchObject({ code: "LEVEL_IO_ERROR" });
    fails = false;
    iterator.seek("a");
    expect(await iterator.next()).toEqual(["a", "1"]);
    await iterator.close();
    expect(store.stats()).toMatchObject({ openSnapshots: 0, openIterators: 0 });
    await db.close();
    await store.close();
  });
});

describe("clear", () => {
  const longest = Buffer.alloc(65_535, 0xff);
  const key = fc.oneof(
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
    fc.constantFrom(longest, Buffer.alloc(65_534, 0xff), Buffer.from([0xff]), Buffer.alloc(0)),
  );
  const bound = fc.oneof(key, fc.constant(Buffer.alloc(65_540, 0xff)), fc.constant(Buffer.alloc(65_540, 1)));
  const range = fc.record(
    { gte: bound, gt: bound, lte: bound, lt: bound, reverse: fc.boolean(), limit: fc.nat(3) },
    { requiredKeys: [] },
  );

  it("removes what an iterator over the same range shows, and nothing else", async () => {
    const db = new StillwaterLevel<Buffer, string>((await inMemory()).store, { keyEncoding: "buffer" });
    await fc.assert(
      fc.asyncProperty(fc.array(key, { maxLength: 12 }), range, async (keys, options) => {
        await db.clear();
        for (const each of keys) await db.put(each, "x");
        const before = await db.keys().all();
        const removed = (await db.keys(options).all()).map((each) => each.toString("hex"));
        await db.clear(options);
        const left = before.map((each) => each.toString("hex")).filter((each) => !removed.includes(each));
        expect((await db.keys().all()).map((each) => each.toString("hex"))).toEqual(left);
      }),
      { numRuns: 60 },
    );
    await db.close();
  });

  it("is one entry, however many keys it removes", async () => {
    const db = await inMemory();
    for (let i = 0; i < 50; i++) await db.put(`${i}`, "");
    const { version } = db.store;
    await db.clear();
    expect(db.store.version).toBe(version + 1);
    expect(await db.keys().all()).toEqual([]);
    await db.close();
  });
});

describe("iterators", () => {
  it("let others have a turn in a long loop, and are told to stop by a signal in it", async () => {
    const db = await inMemory();
    for (let at = 0; at < 5000; at += 500)
      await db.batch(
        Array.from({ length: 500 }, (_, i) => ({ type: "put", key: String(at + i), value: "" })),
      );
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns++;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    let rows = 0;
    for await (const _ of db.keys()) rows++;
    isOver = true;
    expect(rows).toBe(5000);
    expect(turns).toBeGreaterThanOrEqual(4);
    const controller = new AbortController();
    const all = db.keys({ signal: controller.signal }).all();
    setImmediate(() => controller.abort());
    await expect(all).rejects.toMatchObject({ code: "LEVEL_ABORTED", name: "AbortError" });
    await db.close();
  });

  it("give bytes for `buffer` and `view`, text for `utf8`, whatever the text", async () => {
    const db = await inMemory();
    const texts = ["", "a", "\u0000", "é", "漢字", "😀", "x".repeat(300), `${"y".repeat(300)}é`];
    for (const text of texts) await db.put(text, text);
    for (const text of texts) {
      expect(await db.get(text)).toBe(text);
      expect(db.getSync(text, { valueEncoding: "buffer" })).toEqual(Buffer.from(text));
      expect(await db.get(Buffer.from(text), { keyEncoding: "view", valueEncoding: "view" })).toEqual(
        Buffer.from(text),
      );
    }
    expect(await db.keys().all()).toEqual(
      [...texts].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    await db.close();
  });
});

describe("additional methods", () => {
  it("approximateSize follows what a range takes on disk; compactRange gives back what it held", async () => {
    const db = await inMemory();
    expect(db.supports.additionalMethods).toEqual({ approximateSize: true, compactRange: true });
    const value = "v".repeat(1000);
    for (let i = 0; i < 300; i++) await db.put(`key ${String(i).padStart(3, "0")}`, value, { sync: false });
    await db.store.flush();
    const [all, half] = [await db.approximateSize("key", "kez"), await db.approximateSize("key", "key 150")];
    expect(all).toBeGreaterThan(250_000);
    expect(half / all).toBeGreaterThan(0.4);
    expect(half / all).toBeLessThan(0.6);
    expect(await db.approximateSize("z", "a")).toBe(0);
    await db.clear({ lt: "key 150" });
    await db.compactRange("key", "key 150");
    expect(await db.approximateSize("key", "key 150")).toBeLessThan(10_000);
    expect(await db.approximateSize("key", "kez")).toBeGreaterThan(100_000);
    await expect(db.approximateSize("a", undefined as unknown as string)).rejects.toThrow(TypeError);
    await db.close();
    await expect(db.compactRange("a", "b")).rejects.toMatchObject({ code: "LEVEL_DATABASE_NOT_OPEN" });
  });
});

describe("destroy and repair", () => {
  it("destroy removes the database, leaves files of others, refuses while it is open", async () => {
    const location = newLocation();
    const db = new StillwaterLevel(location);
    await db.put("a", "1");
    await expect(StillwaterLevel.destroy(location)).rejects.toMatchObject({ code: "LEVEL_LOCKED" });
    await db.close();
    await StillwaterLevel.destroy(location);
    expect(existsSync(location)).toBe(false);
    await StillwaterLevel.destroy(location);
    const shared = new StillwaterLevel(location);
    await shared.put("a", "1");
    await shared.close();
    writeFileSync(join(location, "notes.txt"), "mine");
    await StillwaterLevel.destroy(location);
    expect(existsSync(join(location, "notes.txt"))).toBe(true);
    const file = newLocation();
    writeFileSync(file, "");
    await expect(StillwaterLevel.destroy(file)).rejects.toMatchObject({ code: "LEVEL_NOT_A_STORE" });
  });

  it("repair puts what can be read in place, keeps the damaged store, and goes on after an interruption", async () => {
    const location = newLocation();
    const db = new StillwaterLevel(location);
    await db.put("a", "1");
    await db.close();
    rmSync(join(location, "CURRENT"));
    expect(await cause(new StillwaterLevel(location).open())).toMatchObject({ code: "LEVEL_CORRUPTION" });
    const report = await StillwaterLevel.repair(location);
    expect(report).toMatchObject({ rows: 1, usedManifest: false });
    const repaired = new StillwaterLevel(location);
    expect(await repaired.get("a")).toBe("1");
    await repaired.close();
    await expect(StillwaterLevel.repair(location)).rejects.toMatchObject({ code: "LEVEL_EXISTS" });
    // As a crash between the two renames leaves it.
    const { renameSync } = await import("node:fs");
    renameSync(location, `${location}.repaired`);
    expect(await cause(new StillwaterLevel(location).open())).toMatchObject({ code: "LEVEL_NOT_A_STORE" });
    expect(await StillwaterLevel.repair(location)).toBeNull();
    const again = new StillwaterLevel(location);
    expect(await again.get("a")).toBe("1");
    await again.close();
  });
});

it("a database that did not close in order is closed all the same, and opens again", async () => {
  const { store } = await inMemory();
  class Failing extends LevelOverStore {
    override async _close(): Promise<void> {
      await super._close();
      throw new LevelError("LEVEL_IO_ERROR", "the last sync failed");
    }
  }
  const db = new Failing({ store }, {});
  await db.open();
  await expect(db.close()).rejects.toMatchObject({ code: "LEVEL_DATABASE_NOT_CLOSED" });
  await expect(db.get("a")).rejects.toMatchObject({ code: "LEVEL_DATABASE_NOT_OPEN" });
  await store.close();
});
