/**
 * What a user can get wrong, and what a machine can do to him: each has one typed error with a stable code, whose
 * message says what was wrong and what to do; and nothing that was stored is lost by it. On the real file system where
 * it matters. Options have their own file (`options.test.ts`), as have batches (`batch.test.ts`).
 */
import { execFile, spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, describe, expect, test } from "vitest";
import { Batch } from "../../src/engine/batch.js";
import { checksumByName } from "../../src/engine/format/checksum.js";
import { readUint32, writeUint32 } from "../../src/engine/format/frame.js";
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { type ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes, rowsOf } from "./fixtures/model.js";
import { type Files, failure, PlainVFS } from "./fixtures/plain-vfs.js";

const root = mkdtempSync(join(tmpdir(), "stillwater-bad-input-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

function folder(): string {
  return join(root, `store${folders++}`);
}

function openReal(directory: string, options: StoreOptions = {}): Promise<Store> {
  return Store.open(directory, { memtableBytes: 65_536, ...options }, nodePlatform({ workers: false }));
}

/** The error that a call fails with: typed, with a message for a person. */
async function errorOf(call: () => unknown): Promise<StillwaterError> {
  let error: unknown = null;
  try {
    await call();
  } catch (caught) {
    error = caught;
  }
  expect(error).toBeInstanceOf(StillwaterError);
  const typed = error as StillwaterError;
  expect(typed.code).not.toBe("ASSERTION");
  expect(typed.message.length).toBeGreaterThan(20);
  expect(typed.message).toMatch(/[.)`]$/);
  return typed;
}

async function expectCode(code: ErrorCode, call: () => unknown, ...mentions: string[]): Promise<void> {
  const error = await errorOf(call);
  expect(error.code, error.message).toBe(code);
  for (const mention of mentions) expect(error.message).toContain(mention);
}

interface Opened {
  readonly store: Store;
  readonly vfs: PlainVFS;
  readonly platform: ManualPlatform;
}

async function opened(files: Files = new Map(), options: StoreOptions = {}): Promise<Opened> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler, files);
  const platform = manualPlatform(vfs, scheduler);
  return {
    store: await platform.settle(
      Store.open("/store", { memtableBytes: 65_536, blockCacheBytes: 65_536, ...options }, platform),
    ),
    vfs,
    platform,
  };
}

describe("a path that is no store", () => {
  test("a directory with other things in it is refused, by the name of one of them, and left as it is", async () => {
    const directory = folder();
    mkdirSync(directory);
    writeFileSync(join(directory, "thesis.txt"), "three years of work");
    await expectCode("NOT_A_STORE", () => openReal(directory), "thesis.txt");
    expect(readdirSync(directory)).toEqual(["thesis.txt"]);
    expect(readFileSync(join(directory, "thesis.txt"), "utf8")).toBe("three years of work");
  });

  test("a file in the place of the directory is refused, and left as it is", async () => {
    const path = folder();
    writeFileSync(path, "not a directory");
    await expectCode("NOT_A_STORE", () => openReal(path), path);
    expect(readFileSync(path, "utf8")).toBe("not a directory");
  });

  test("a path below a file, and below a directory that is not there, is an error of the file system that names it", async () => {
    const path = folder();
    writeFileSync(path, "");
    expect(["NOT_DIRECTORY", "NOT_FOUND"]).toContain(
      (await errorOf(() => openReal(join(path, "store")))).code,
    );
    await expectCode("NOT_FOUND", () => openReal(join(folder(), "deep", "store")));
  });

  test("nothing there and createIfMissing false creates nothing", async () => {
    const directory = folder();
    await expectCode(
      "NOT_A_STORE",
      () => openReal(directory, { createIfMissing: false }),
      directory,
      "createIfMissing",
    );
    expect(existsSync(directory)).toBe(false);
    mkdirSync(directory);
    await expectCode("NOT_A_STORE", () => openReal(directory, { createIfMissing: false }), directory);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a store and errorIfExists true leaves the store alone", async () => {
    const directory = folder();
    const store = await openReal(directory);
    await store.put(bytes("k"), bytes("v"));
    await store.close();
    await expectCode("EXISTS", () => openReal(directory, { errorIfExists: true }), directory);
    const again = await openReal(directory);
    expect(rowsOf(again)).toEqual([["k", "v"]]);
    await again.close();
  });

  test("a path that is no path is refused", async () => {
    for (const path of ["", null, undefined, 5, {}, Buffer.from("/tmp")]) {
      await expectCode("INVALID_ARGUMENT", () => openReal(path as string));
    }
  });
});

describe("a store that is open already", () => {
  test("in this process is LOCKED, and stays usable", async () => {
    const directory = folder();
    const store = await openReal(directory);
    const error = await errorOf(() => openReal(directory));
    expect([error.code, error.owner]).toEqual(["LOCKED", expect.stringContaining(String(process.pid))]);
    await store.put(bytes("k"), bytes("v"));
    await store.close();
    await (await openReal(directory)).close();
  });

  test("in another process is LOCKED and names it; when that process is killed, nothing acknowledged is lost", async () => {
    const directory = folder();
    const program = `
      import { open } from ${JSON.stringify(join(import.meta.dirname, "../../dist/src/index.js"))};
      const store = await open(${JSON.stringify(directory)}, { backgroundThread: false });
      for (let i = 0; i < 50; i++) await store.put(Buffer.from("k" + i), Buffer.from("v" + i));
      console.log("ready");
      setInterval(() => undefined, 1000);
    `;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise<void>((resolve, reject) => {
      child.stdout.once("data", () => resolve());
      child.once("exit", (code) => reject(new Error(`the child ended with ${code}`)));
    });
    const error = await errorOf(() => openReal(directory));
    expect([error.code, error.owner]).toEqual(["LOCKED", expect.stringContaining(String(child.pid))]);
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
    const store = await openReal(directory);
    expect(store.recovery.commitsReplayed).toBe(50);
    expect(rowsOf(store)).toHaveLength(50);
    await store.close();
  });

  test("[D49] and whose process ends by process.exit() without close loses nothing acknowledged, sync or buffered", async () => {
    for (const durability of ["sync", "buffered"]) {
      const directory = folder();
      const program = `
        import { open } from ${JSON.stringify(join(import.meta.dirname, "../../dist/src/index.js"))};
        const store = await open(${JSON.stringify(directory)}, { durability: "${durability}" });
        for (let i = 0; i < 50; i++) await store.put(Buffer.from("k" + i), Buffer.from("v" + i));
        process.exit(0);
      `;
      await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
      const store = await openReal(directory);
      expect(rowsOf(store)).toHaveLength(50);
      await store.close();
    }
  });
});

describe("what is closed", () => {
  test("a store refuses every call with CLOSED, and closing it again is nothing", async () => {
    const { store, platform } = await opened();
    const snapshot = store.snapshot();
    const scan = store.scan();
    await platform.settle(store.put(bytes("k"), bytes("v")));
    await platform.settle(store.close());
    await platform.settle(store.close());
    const calls: (() => unknown)[] = [
      () => store.get(bytes("k")),
      () => store.getSync(bytes("k")),
      () => store.getMany([bytes("k")]),
      () => store.put(bytes("k"), bytes("v")),
      () => store.delete(bytes("k")),
      () => store.deleteRange(bytes("a"), bytes("b")),
      () => store.write(new Batch().put(bytes("k"), bytes("v"))),
      () => store.write(new Batch()),
      () => store.writeSync(new Batch().put(bytes("k"), bytes("v"))),
      () => store.snapshot(),
      () => store.scan(),
      () => scan.toArray(),
      () => store.iterator(),
      () => store.flush(),
      () => store.compact(),
      () => store.checkpoint("/elsewhere"),
      () => store.verify(),
    ];
    for (const call of calls) await expectCode("CLOSED", call);
    snapshot.close();
    expect(store.inspect().snapshots).toEqual([]);
    expect(store.stats().openIterators).toBe(0);
  });

  test("an iterator refuses to move with CLOSED, also when it was the store that was closed, and is never taken for exhausted", async () => {
    for (const how of ["iterator", "store"]) {
      for (const steps of [0, 1]) {
        const { store, platform } = await opened();
        await platform.settle(
          store.write(new Batch().put(bytes("a"), bytes("1")).put(bytes("b"), bytes("2"))),
        );
        const iterator = store.iterator();
        for (let i = 0; i < steps; i++) iterator.next();
        if (how === "iterator") iterator.close();
        else await platform.settle(store.close());
        await expectCode("CLOSED", () => iterator.next());
        await expectCode("CLOSED", () => iterator.seek(bytes("a")));
        iterator.close();
        if (how === "iterator") await platform.settle(store.close());
      }
    }
  });

  test("a scan that is interrupted by close ends with CLOSED, not as if there were no more rows", async () => {
    const { store, platform } = await opened();
    await platform.settle(store.write(new Batch().put(bytes("a"), bytes("1")).put(bytes("b"), bytes("2"))));
    const rows = store.scan()[Symbol.iterator]();
    expect(rows.next().done).toBe(false);
    await platform.settle(store.close());
    await expectCode("CLOSED", () => rows.next());
  });
});

describe("misuse of an iterator", () => {
  test("reading a row where there is none, and seeking what is no key, are INVALID_ARGUMENT", async () => {
    const { store, platform } = await opened();
    await platform.settle(store.put(bytes("k"), bytes("v")));
    const iterator = store.iterator();
    await expectCode("INVALID_ARGUMENT", () => iterator.key, "next()");
    await expectCode("INVALID_ARGUMENT", () => iterator.value);
    for (const key of ["k", null, undefined, 5, [1]])
      await expectCode("INVALID_ARGUMENT", () => iterator.seek(key as never));
    await expectCode("KEY_TOO_LARGE", () => iterator.seek(new Uint8Array(70_000)));
    expect(iterator.next()).toBe(true);
    expect(iterator.next()).toBe(false);
    expect(iterator.next()).toBe(false);
    await expectCode("INVALID_ARGUMENT", () => iterator.key);
    await platform.settle(store.close());
  });

  test("an error of the disk ends it: it never goes on as if the rows were none", async () => {
    for (const reverse of [false, true]) {
      for (const steps of [0, 1, 5]) {
        for (const how of ["next", "seek"]) {
          const { store, vfs, platform } = await opened(new Map(), {
            blockCacheBytes: 0,
            tableCacheBytes: 0,
            blockBytes: 256,
          });
          for (let i = 0; i < 50; i++)
            await platform.settle(store.put(bytes(`k${i + 10}`), bytes("x".repeat(100))));
          await platform.settle(store.flush());
          const iterator = store.iterator({ reverse });
          for (let i = 0; i < steps; i++) iterator.next();
          vfs.before = (call, path) => {
            if (call === "read" || call === "openFile") throw failure("IO", call, path);
          };
          await expectCode("IO", () => {
            if (how === "seek") iterator.seek(bytes("k35"));
            for (let i = 0; i < 60; i++)
              if (!iterator.next()) throw new Error("the iterator claims to be exhausted");
          });
          vfs.before = null;
          await expectCode("CLOSED", () => iterator.next());
          await expectCode("INVALID_ARGUMENT", () => iterator.key);
          expect(store.stats().openIterators).toBe(0);
          expect(rowsOf(store)).toHaveLength(50);
          await platform.settle(store.close());
        }
      }
    }
  });

  test("arguments of other calls that are not what they should be are INVALID_ARGUMENT too", async () => {
    const { store, platform } = await opened();
    await expectCode("INVALID_ARGUMENT", () => store.getMany("keys" as never));
    await expectCode("INVALID_ARGUMENT", () => store.getMany(null as never));
    await expectCode("INVALID_ARGUMENT", () => store.getMany([bytes("k"), "k" as never]));
    await expectCode("INVALID_ARGUMENT", () => store.write({ count: 1 } as never));
    await expectCode("INVALID_ARGUMENT", () => store.write(null as never));
    await expectCode("INVALID_ARGUMENT", () => store.writeSync([] as never));
    for (const target of [null, undefined, "", 5, {}])
      await expectCode("INVALID_ARGUMENT", () => platform.settle(store.checkpoint(target as never)));
    await platform.settle(store.close());
  });
});

describe("a disk", () => {
  async function filled(options: StoreOptions = {}): Promise<Opened> {
    const one = await opened(new Map(), options);
    for (let i = 0; i < 10; i++) await one.platform.settle(one.store.put(bytes(`k${i}`), bytes("v")));
    return one;
  }

  test("that is read-only opens a store that was closed in order, reads it, and refuses writes for that reason", async () => {
    const before = await filled();
    await before.platform.settle(before.store.close());
    const scheduler = new ManualScheduler();
    const vfs = new PlainVFS(scheduler, before.vfs.files());
    vfs.before = (call, path) => {
      if (["createFile", "write", "truncate", "rename", "removeFile", "makeDirectory"].includes(call))
        throw failure("READ_ONLY", call, path);
    };
    const platform = manualPlatform(vfs, scheduler);
    const store = await platform.settle(Store.open("/store", {}, platform));
    expect(rowsOf(store)).toHaveLength(10);
    const error = await errorOf(() => platform.settle(store.put(bytes("k"), bytes("v"))));
    expect(error).toMatchObject({ code: "FAILED_STOP", cause: { code: "READ_ONLY" } });
    expect(error.message).toContain("READ_ONLY");
    expect(rowsOf(store)).toHaveLength(10);
    await platform.settle(store.close());
    expect(vfs.locks.size).toBe(0);
    vfs.before = null;
    expect(vfs.files()).toEqual(before.vfs.files());
  });

  test("that is read-only refuses a store that needs recovery, with READ_ONLY, and loses nothing", async () => {
    const before = await filled();
    const scheduler = new ManualScheduler();
    const vfs = new PlainVFS(scheduler, before.vfs.files());
    vfs.before = (call, path) => {
      if (["createFile", "write", "truncate", "rename", "removeFile", "makeDirectory"].includes(call))
        throw failure("READ_ONLY", call, path);
    };
    const platform = manualPlatform(vfs, scheduler);
    await expectCode("READ_ONLY", () => platform.settle(Store.open("/store", {}, platform)));
    vfs.before = null;
    const store = await platform.settle(Store.open("/store", {}, platform));
    expect(rowsOf(store)).toHaveLength(10);
    await platform.settle(store.close());
  });

  test("that is full for a while delays nothing but the flush: once there is room, all goes on", async () => {
    const { store, vfs, platform } = await opened(new Map(), {
      memtableBytes: 4096,
      immutableMemtablesMax: 4,
    });
    let full = true;
    vfs.before = (call, path) => {
      if (full && call === "write" && path.endsWith(".sst")) throw failure("NO_SPACE", call, path);
    };
    for (let i = 0; i < 20; i++) await platform.settle(store.put(bytes(`k${i}`), bytes("x".repeat(300))));
    expect(store.stats().failure).toContain("NO_SPACE");
    expect(store.inspect().failedStop).toBe(false);
    full = false;
    await platform.pass(5000);
    await platform.settle(store.flush());
    expect(rowsOf(store)).toHaveLength(20);
    expect(
      [...vfs.files().keys()]
        .filter((path) => path.endsWith(".sst"))
        .map((path) => path.slice(7))
        .sort(),
    ).toEqual(store.inspect().liveFiles.filter((name) => name.endsWith(".sst")));
    await platform.settle(store.close());
  });

  test("that is full where the log must grow stops writes with the reason, and reopening with room finds all", async () => {
    const { store, vfs, platform } = await opened(new Map(), { memtableBytes: 4096 });
    vfs.before = (call, path) => {
      if (
        call !== "close" &&
        call !== "read" &&
        call !== "stat" &&
        call !== "openFile" &&
        call !== "releaseLock" &&
        call !== "size"
      ) {
        if (call === "createFile" || call === "write" || call === "truncate") written += 1;
        if (written > 40) throw failure("NO_SPACE", call, path);
      }
    };
    let written = 0;
    const acknowledged: string[] = [];
    let error: StillwaterError | null = null;
    for (let i = 0; i < 200 && error === null; i++) {
      const outcome = await platform.outcome(
        store.put(bytes(`k${String(i).padStart(3, "0")}`), bytes("x".repeat(300))),
      );
      if (outcome.kind === "resolved") acknowledged.push(`k${String(i).padStart(3, "0")}`);
      else error = outcome.error as StillwaterError;
    }
    expect(error?.message).toContain("NO_SPACE");
    expect(["FAILED_STOP", "NO_SPACE"]).toContain(error?.code);
    expect(rowsOf(store).map(([key]) => key)).toEqual(acknowledged);
    await platform.outcome(store.close());
    expect([vfs.locks.size, vfs.handles.size]).toEqual([0, 0]);
    const again = await opened(vfs.files());
    expect(rowsOf(again.store).map(([key]) => key)).toEqual(expect.arrayContaining(acknowledged));
    await again.platform.settle(again.store.close());
  });

  test("that has a bad sector under one table fails the reads that need it with IO, and no others", async () => {
    const { store, vfs, platform } = await opened(new Map(), {
      memtableBytes: 4096,
      blockBytes: 256,
      blockCacheBytes: 0,
      level0CompactionFiles: 20,
      level0StallFiles: 30,
      level0LimitFiles: 40,
    });
    for (let i = 0; i < 40; i++) await platform.settle(store.put(bytes(`k${i}`), bytes("x".repeat(300))));
    await platform.settle(store.flush());
    const levels = store.inspect().levels[0] ?? [];
    const bad = `/store/${String(levels[1]?.fileNumber).padStart(6, "0")}.sst`;
    vfs.before = (call, path) => {
      if (call === "read" && path === bad) throw failure("IO", call, path);
    };
    let failed = 0;
    for (let i = 0; i < 40; i++) {
      try {
        expect(store.getSync(bytes(`k${i}`))).toHaveLength(300);
      } catch (error) {
        expect(error).toMatchObject({ code: "IO", path: bad });
        failed++;
      }
    }
    expect(failed).toBeGreaterThan(0);
    expect(failed).toBeLessThan(20);
    expect((await platform.settle(store.verify())).problems.join()).toContain(bad);
    expect(await platform.settle(store.put(bytes("k"), bytes("v")))).toBeGreaterThan(0);
    vfs.before = null;
    expect(rowsOf(store)).toHaveLength(41);
    await platform.settle(store.close());
  });
});

describe("files of another time", () => {
  test("a store of a newer format is UNSUPPORTED_FORMAT, says which, and is left as it is", async () => {
    const directory = folder();
    const store = await openReal(directory);
    await store.put(bytes("k"), bytes("v"));
    await store.close();
    const current = readFileSync(join(directory, "CURRENT"));
    writeUint32(current, 8, readUint32(current, 8) + 1);
    checksumByName("crc32").write(current, 60, 0, 0, current, 0, 60);
    writeFileSync(join(directory, "CURRENT"), current);
    const before = readdirSync(directory);
    await expectCode("UNSUPPORTED_FORMAT", () => openReal(directory), "format 2", "newer");
    expect(readdirSync(directory)).toEqual(before);
  });

  test("CURRENT that is missing from a directory with data is CORRUPTION, and says how to go on", async () => {
    const directory = folder();
    const store = await openReal(directory);
    await store.put(bytes("k"), bytes("v"));
    await store.close();
    rmSync(join(directory, "CURRENT"));
    const before = readdirSync(directory);
    await expectCode("CORRUPTION", () => openReal(directory), "salvage");
    expect(readdirSync(directory)).toEqual(before);
  });

  test("each kind of damaged file is CORRUPTION, names the file, and says how to go on where the store does not open", async () => {
    const { store, vfs, platform } = await opened(new Map(), { memtableBytes: 4096 });
    for (let i = 0; i < 30; i++) await platform.settle(store.put(bytes(`k${i}`), bytes("x".repeat(300))));
    await platform.settle(store.flush());
    for (let i = 0; i < 3; i++) await platform.settle(store.put(bytes(`l${i}`), bytes("x".repeat(30))));
    const files = vfs.files();
    for (const path of files.keys()) {
      if (path.endsWith(".sst")) continue;
      const damaged = new Map(files);
      const image = (files.get(path) as Uint8Array).slice();
      const at = path.endsWith(".wal") ? 600 : 30;
      image[at] = (image[at] as number) ^ 0xff;
      damaged.set(path, image);
      const scheduler = new ManualScheduler();
      const other = manualPlatform(new PlainVFS(scheduler, damaged), scheduler);
      await expectCode("CORRUPTION", () => other.settle(Store.open("/store", {}, other)), path);
    }
  });
});
