/**
 * The engine where open files keep their names (Windows): a file that a scanner has open costs time, never data, and
 * stops nothing. Over real files, with the answers that Windows gives. Does not verify: other moments than these; the
 * swarm does, on simulated Windows.
 */
import * as nodeFs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { whileBusy } from "../../src/engine/patience.js";
import { Store } from "../../src/engine/store.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { systemDirectoryLocks } from "../../src/platform/node/directory-lock.js";
import type { NodeFileSystem } from "../../src/platform/node/node-file-system.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { NodeVFS } from "../../src/platform/node/node-vfs.js";

let directory: string;
/** Files that are in use, by the end of their path; a call about one counts it down. */
let inUse: Map<string, number>;

beforeEach(() => {
  directory = join(nodeFs.mkdtempSync(join(tmpdir(), "stillwater-busy-")), "store");
  inUse = new Map();
});
afterEach(() => nodeFs.rmSync(join(directory, ".."), { recursive: true }));

const key = Buffer.from("key");
const shown = (value: Uint8Array | undefined) => (value === undefined ? null : Buffer.from(value).toString());

test("opening waits for who looks at CURRENT", async () => {
  await (await open()).close();
  const before = await open();
  await before.put(key, Buffer.from("value"), { durability: "buffered" });
  const copy = join(directory, "../copy");
  nodeFs.cpSync(directory, copy, { recursive: true });
  await before.close();
  directory = copy;
  inUse.set("CURRENT", 2);
  const store = await open();
  expect(inUse.get("CURRENT")).toBe(0);
  expect(shown(await store.get(key))).toBe("value");
  await store.close();
});

test("a flush whose manifest cannot take its place is done again; the log stays until then, and the store goes on", async () => {
  await (await open()).close();
  const store = await open();
  await store.put(key, Buffer.from("value"));
  inUse.set("CURRENT", 2);
  await store.flush();
  expect(store.stats()).toMatchObject({ flushes: 1, jobFailures: 2 });
  await store.put(key, Buffer.from("newer"));
  await store.close();
  const again = await open();
  expect(shown(await again.get(key))).toBe("newer");
  expect((await again.verify()).problems).toEqual([]);
  await again.close();
});

test("a log that is in use after its flush is removed with a later one", async () => {
  const store = await open();
  const logs = () => nodeFs.readdirSync(directory).filter((name) => name.endsWith(".wal"));
  await store.put(key, Buffer.from("value"));
  const [flushed] = logs();
  inUse.set(".wal", Number.POSITIVE_INFINITY);
  await store.flush();
  expect(logs()).toContain(flushed);
  inUse.clear();
  await store.put(key, Buffer.from("newer"));
  await store.flush();
  expect(logs()).not.toContain(flushed);
  await store.close();
});

test("a leftover that is in use costs an open no wait, and is removed with the first work after it", async () => {
  const store = await open();
  await store.put(key, Buffer.from("value"));
  await store.close();
  const leftover = join(directory, "000001.wal");
  nodeFs.writeFileSync(leftover, "");
  inUse.set("000001.wal", 1);
  const again = await open();
  await again.put(key, Buffer.from("newer"));
  await again.flush();
  expect(nodeFs.existsSync(leftover)).toBe(false);
  await again.close();
});

test("a checkpoint waits for who looks into it before it has its name, and begins again", async () => {
  const store = await open();
  await store.put(key, Buffer.from("value"));
  inUse.set("copy.partial", 1);
  await store.checkpoint(join(directory, "../copy"));
  await store.close();
  directory = join(directory, "../copy");
  const copy = await open();
  expect(shown(await copy.get(key))).toBe("value");
  await copy.close();
});

test("patience ends with the error, after two and a half seconds of virtual time, and is for busy files only", async () => {
  let nowMs = 0;
  const scheduler = {
    defer: (task: () => void) => task(),
    after(delayMs: number, task: () => void) {
      nowMs += delayMs;
      task();
      return { cancel: () => undefined };
    },
  };
  const failing = (code: "FILE_BUSY" | "IO") => () => {
    throw new StillwaterError(code, "no.");
  };
  await expect(whileBusy(scheduler, failing("FILE_BUSY"))).rejects.toMatchObject({ code: "FILE_BUSY" });
  expect(nowMs).toBe(2550);
  await expect(whileBusy(scheduler, failing("IO"))).rejects.toMatchObject({ code: "IO" });
  expect(nowMs).toBe(2550);
});

function open(): Promise<Store> {
  const refuse = (path: string): void => {
    for (const [ending, left] of inUse) {
      if (!path.endsWith(ending) || left === 0) continue;
      inUse.set(ending, left - 1);
      throw Object.assign(new Error(`EPERM: operation not permitted, '${path}'`), { code: "EPERM" });
    }
  };
  const fs: NodeFileSystem = {
    ...nodeFs,
    renameSync(from, to) {
      refuse(from);
      refuse(to);
      nodeFs.renameSync(from, to);
    },
    unlinkSync(path) {
      refuse(path);
      nodeFs.unlinkSync(path);
    },
  };
  const vfs = new NodeVFS(fs, systemDirectoryLocks(nodeFs), { system: "win32" });
  return Store.open(directory, {}, { ...nodePlatform({ workers: false }), vfs });
}
