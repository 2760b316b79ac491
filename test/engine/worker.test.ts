/**
 * The background thread, in the build that applications import (`npm test` builds first): it does the same work, and a
 * thread that dies in the middle of a job costs nothing but time.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type * as Stillwater from "../../src/index.js";
import type { Platform, WorkerEvents, WorkerHandle } from "../../src/platform/platform.js";

const BUILT = new URL("../../dist/src/index.js", import.meta.url);
const root = mkdtempSync(join(tmpdir(), "stillwater-worker-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;

async function built(): Promise<typeof Stillwater> {
  expect(existsSync(BUILT), "build before testing (npm run build)").toBe(true);
  return (await import(BUILT.href)) as typeof Stillwater;
}

function folder(): string {
  return join(root, `store${folders++}`);
}

const OPTIONS = {
  memtableBytes: 64 * 1024,
  tableBytes: 64 * 1024,
  levelBaseBytes: 256 * 1024,
  level0CompactionFiles: 2,
  durability: "buffered",
} as const;

async function fill(store: Stillwater.Store, { Batch }: typeof Stillwater, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const batch = new Batch();
    for (let i = 0; i < 50; i++) {
      const number = (round * 37 + i * 101) % 3000;
      batch.put(Buffer.from(`k${number}`), Buffer.from(`${round}.${i}`.padEnd(120, "x")));
    }
    if (round % 10 === 9) batch.deleteRange(Buffer.from(`k${round}`), Buffer.from(`k${round}9`));
    await store.write(batch);
  }
}

function rows(store: Stillwater.Store): string[] {
  return store
    .scan()
    .toArray()
    .map(([key, value]) => `${Buffer.from(key).toString()}=${Buffer.from(value).toString()}`);
}

/** The production platform, with a hand on its worker threads. */
async function watched(): Promise<{ platform: Platform; threads: WorkerHandle[] }> {
  const { nodePlatform } = await built();
  const platform = nodePlatform();
  const threads: WorkerHandle[] = [];
  const workers = {
    spawn(url: URL, events: WorkerEvents): WorkerHandle {
      const handle = (platform.workers as NonNullable<Platform["workers"]>).spawn(url, events);
      threads.push(handle);
      return handle;
    },
  };
  return { platform: { ...platform, workers }, threads };
}

describe("the background thread", () => {
  test("gives the same data as work on the caller's thread does", async () => {
    const library = await built();
    const results: string[][] = [];
    for (const backgroundThread of [true, false]) {
      const directory = folder();
      const { platform, threads } = await watched();
      const store = await library.Store.open(directory, { ...OPTIONS, backgroundThread }, platform);
      await fill(store, library, 150);
      await store.compact();
      expect(threads.length).toBe(backgroundThread ? 1 : 0);
      expect(store.stats()).toMatchObject({ jobFailures: 0, failure: null });
      expect(store.stats().flushes).toBeGreaterThan(5);
      expect(store.stats().compactions).toBeGreaterThan(0);
      results.push(rows(store));
      expect((await store.verify()).problems).toEqual([]);
      await store.close();
      const again = await library.open(directory, OPTIONS);
      expect(rows(again)).toEqual(results[0]);
      await again.close();
    }
    expect(results[1]).toEqual(results[0]);
  });

  test("[D49] killed in the middle of jobs is replaced, the jobs are run again, and nothing is lost or left behind", async () => {
    const library = await built();
    const directory = folder();
    const { platform, threads } = await watched();
    const store = await library.Store.open(directory, OPTIONS, platform);
    const expected = new Map<string, string>();
    for (let round = 0; round < 120; round++) {
      const key = `k${round % 40}`;
      const value = `${round}`.padEnd(4000, "x");
      expected.set(key, value);
      await store.put(Buffer.from(key), Buffer.from(value));
      // The fourth death makes the store work on its own thread.
      if (round % 25 === 24) await threads.at(-1)?.terminate();
    }
    await store.compact();
    expect(threads.length).toBeGreaterThan(1);
    expect(store.stats().jobFailures).toBeGreaterThan(0);
    expect(rows(store)).toEqual(
      [...expected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${value}`),
    );
    expect((await store.verify()).problems).toEqual([]);
    await store.close();
    const again = await library.open(directory, OPTIONS);
    expect(rows(again)).toHaveLength(expected.size);
    expect((await again.verify()).problems).toEqual([]);
    await again.close();
  });

  test("that dies is replaced for who awaits a flush, though nothing else keeps the process alive", () => {
    const program = `
      import { nodePlatform, Store } from ${JSON.stringify(BUILT.href)};
      const platform = nodePlatform();
      let started = 0;
      const dying = new URL("data:text/javascript,throw new Error('dies')");
      const workers = { spawn: (url, events) => platform.workers.spawn(++started <= 2 ? dying : url, events) };
      const store = await Store.open(${JSON.stringify(folder())}, {}, { ...platform, workers });
      await store.put(Buffer.from("key"), Buffer.from("value"));
      await store.flush();
      console.log(started, store.stats().flushes, store.stats().jobFailures);
      await store.close();`;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    expect(output).toBe("3 1 2\n");
  });

  test("is told of its errors by name: damage that it meets is known to the store as damage", async () => {
    const library = await built();
    const directory = folder();
    const first = await library.open(directory, {
      ...OPTIONS,
      level0CompactionFiles: 20,
      level0StallFiles: 30,
      level0LimitFiles: 40,
    });
    await fill(first, library, 40);
    await first.close();
    const tables = readdirSync(directory).filter((name) => name.endsWith(".sst"));
    expect(tables.length).toBeGreaterThan(1);
    const { openSync, writeSync, closeSync } = await import("node:fs");
    const descriptor = openSync(join(directory, tables[0] as string), "r+");
    writeSync(descriptor, Buffer.alloc(8, 0xff), 0, 8, 500);
    closeSync(descriptor);
    const store = await library.open(directory, {
      ...OPTIONS,
      level0CompactionFiles: 1,
      level0StallFiles: 30,
      level0LimitFiles: 40,
    });
    await store.compact();
    expect(store.stats().damagedTables).toEqual([Number.parseInt(tables[0] as string, 10)]);
    expect(store.stats().failure).toContain(tables[0]);
    await store.close();
  });

  test("does not keep a process alive, and a store that was never closed is whole at the next opening", async () => {
    const library = await built();
    const directory = folder();
    const { execFile } = await import("node:child_process");
    const { promisify } = await import("node:util");
    const program = `
      import { open } from ${JSON.stringify(BUILT.href)};
      const store = await open(${JSON.stringify(directory)}, { memtableBytes: 65536 });
      for (let i = 0; i < 60; i++) await store.put(Buffer.from("k" + i), Buffer.alloc(4000, i));
    `;
    await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { timeout: 60_000 });
    const store = await library.open(directory);
    expect(rows(store)).toHaveLength(60);
    await store.close();
  });
});
