/**
 * The operations themselves, without HTTP, against a model, on whatever is below: files, memory, the simulated machine, a store or a
 * reader alone, and a database that is not known to be over our engine.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AdminContext, type AdminTarget, closeContext, createContext } from "../../src/admin/context.js";
import { runOperation } from "../../src/admin/operation.js";
import { OPERATIONS } from "../../src/admin/operations.js";
import { ReadOnlyStore } from "../../src/engine/readonly/read-only-store.js";
import { Store } from "../../src/engine/store.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Platform } from "../../src/platform/platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database } from "../../src/transaction/transaction.js";
import { runSimulated } from "../transaction/contract/simulated.js";

type Step =
  | { readonly type: "put" | "expect"; readonly key: string; readonly value: string }
  | { readonly type: "delete" | "get"; readonly key: string }
  | { readonly type: "deleteRange"; readonly from: string; readonly to: string }
  | { readonly type: "list"; readonly from: string; readonly reverse: boolean; readonly limit: number }
  | { readonly type: "snapshot" | "readSnapshot" | "compact" };

const key = fc.constantFrom("", "a", "b", "ba", "c", "d", "~", "ä", "😀");
const value = fc.constantFrom("", "1", "2", "long ".repeat(50));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ type: fc.constant("put" as const), key, value }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("delete" as const), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("get" as const), key }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("expect" as const), key, value }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("deleteRange" as const), from: key, to: key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant("list" as const),
      from: key,
      reverse: fc.boolean(),
      limit: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      type: fc.constantFrom("snapshot" as const, "readSnapshot" as const, "compact" as const),
    }),
  },
);

// oxlint-disable-next-line typescript/no-explicit-any -- what it is, is what the test finds out
type Output = any;

function run(context: AdminContext, name: string, input: unknown): Promise<Output> {
  const operation = OPERATIONS.find((one) => one.name === name);
  if (operation === undefined) throw new Error(`there is no operation ${name}`);
  return runOperation(operation, context, input);
}

async function codeOf(result: Promise<unknown>): Promise<string> {
  return result.then(
    () => "done",
    (error: { readonly code: string }) => error.code,
  );
}

/** Rows as the store orders them: by the bytes of their keys. */
function sorted(model: ReadonlyMap<string, string>): [string, string][] {
  return [...model].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
}

async function listed(
  context: AdminContext,
  query: Readonly<Record<string, unknown>>,
): Promise<[string, string][]> {
  const rows: [string, string][] = [];
  for (let pageToken: string | undefined, pages = 0; pages === 0 || pageToken !== undefined; pages++) {
    const page = await run(context, "listRows", {
      ...query,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    rows.push(
      ...page.rows.map((row: { key: string; value: string }): [string, string] => [row.key, row.value]),
    );
    pageToken = page.nextPageToken;
  }
  return rows;
}

/** The model is what a program would keep in its head; every answer must be what it says. */
async function conform(target: Database, platform: Platform, hasSnapshots: boolean): Promise<void> {
  const context = createContext(target, platform);
  const model = new Map<string, string>();
  let held: { readonly id: string; readonly rows: [string, string][] } | null = null;
  for (const one of fc.sample(step, { numRuns: 150, seed: 7 })) {
    switch (one.type) {
      case "put":
        expect(
          (await run(context, "putRow", one.type === "put" ? { key: one.key, value: one.value } : {}))
            .created,
        ).toBe(!model.has(one.key));
        model.set(one.key, one.value);
        break;
      case "delete":
        expect(await codeOf(run(context, "deleteRow", { key: one.key }))).toBe(
          model.delete(one.key) ? "done" : "NOT_FOUND",
        );
        break;
      case "get": {
        const found = await run(context, "getRow", { key: one.key }).catch(() => null);
        expect(found?.row.value).toBe(model.get(one.key));
        break;
      }
      case "expect": {
        const expected = {
          expect: [{ key: one.key, value: one.value }],
          writes: [{ type: "put", key: one.key, value: "met" }],
        };
        const isMet = model.get(one.key) === one.value;
        expect(await codeOf(run(context, "runTransaction", expected))).toBe(
          isMet ? "done" : "PRECONDITION_FAILED",
        );
        if (isMet) model.set(one.key, "met");
        break;
      }
      case "deleteRange": {
        const [from, to] = [one.from, one.to].map((text) => Buffer.from(text));
        if (from === undefined || to === undefined || Buffer.compare(from, to) > 0) break;
        await run(context, "runTransaction", {
          writes: [{ type: "deleteRange", from: one.from, to: one.to }],
        });
        for (const name of model.keys()) {
          const bytes = Buffer.from(name);
          if (Buffer.compare(from, bytes) <= 0 && Buffer.compare(bytes, to) < 0) model.delete(name);
        }
        break;
      }
      case "list": {
        const rows = sorted(model).filter(
          ([name]) => Buffer.compare(Buffer.from(name), Buffer.from(one.from)) >= 0,
        );
        const { from, reverse, limit } = one;
        expect(await listed(context, { from, reverse, limit })).toEqual(reverse ? rows.toReversed() : rows);
        break;
      }
      case "snapshot":
        if (!hasSnapshots) expect(await codeOf(run(context, "createSnapshot", {}))).toBe("NOT_SUPPORTED");
        else
          held = { id: (await run(context, "createSnapshot", { ttlMs: 600_000 })).id, rows: sorted(model) };
        break;
      case "readSnapshot":
        if (held !== null) expect(await listed(context, { snapshot: held.id, limit: 2 })).toEqual(held.rows);
        break;
      case "compact":
        expect(await codeOf(run(context, "runCompaction", { wait: true }))).toBe(
          hasSnapshots ? "done" : "NOT_SUPPORTED",
        );
    }
  }
  expect((await run(context, "getHealth", {})).status).toBe("ok");
  expect((await run(context, "listCollections", {})).collections).toEqual([]);
  closeContext(context);
}

async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "stillwater-operations-"));
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const SMALL = { memtableBytes: 16_384, backgroundThread: false };

describe("the operations do what the model says", () => {
  it("over files", () =>
    inFolder(async (folder) => {
      const platform = nodePlatform({ workers: false });
      await using database = await openEngineDatabase(join(folder, "db"), { store: SMALL }, platform);
      await conform(database, platform, true);
    }));

  it("over memory", async () => {
    const platform = nodePlatform({ vfs: await createMemoryVFS(), workers: false });
    await using database = await openEngineDatabase("/db", { store: SMALL }, platform);
    await conform(database, platform, true);
  });

  it("on the simulated machine", () =>
    runSimulated((database, platform) => conform(database, platform, true)));

  it("over a database of which nobody knows what is below, all that need no store", async () => {
    const platform = nodePlatform({ vfs: await createMemoryVFS(), workers: false });
    await using inner = await openEngineDatabase("/db", { store: SMALL }, platform);
    const database: Database = {
      createTransaction: (options) => inner.createTransaction(options),
      transact: (body, options) => inner.transact(body, options),
      read: (body, options) => inner.read(body, options),
      close: () => inner.close(),
      [Symbol.asyncDispose]: () => inner.close(),
    };
    await conform(database, platform, false);
    const context = createContext(database, platform);
    for (const name of ["getStatus", "listTables", "getCompaction", "getMetrics"])
      expect(await codeOf(run(context, name, {}))).toBe("NOT_SUPPORTED");
  });
});

describe("a snapshot that is held", () => {
  it("is gone after its time, and keeps nothing any more", () =>
    runSimulated(async (database, platform) => {
      const context = createContext(database, platform);
      const { id } = await run(context, "createSnapshot", { ttlMs: 1_000 });
      expect((await run(context, "getStatus", {})).stats.openSnapshots).toBe(1);
      await new Promise<void>((resolve) => {
        platform.scheduler.after(1_001, resolve, true);
      });
      expect(await codeOf(run(context, "listRows", { snapshot: id }))).toBe("NOT_FOUND");
      expect((await run(context, "getStatus", {})).stats.openSnapshots).toBe(0);
    }));
});

describe("without transactions", () => {
  const WRITES = [
    ["putRow", { key: "a", value: "2" }],
    ["deleteRow", { key: "a" }],
    ["runTransaction", { writes: [{ type: "put", key: "a", value: "2" }] }],
    ["putDocument", { name: "A", key: "a", document: {} }],
    ["deleteDocument", { name: "A", key: "a" }],
  ] as const;

  async function withTargets(
    body: (
      targets: { readonly store: Store; readonly reader: ReadOnlyStore },
      platform: Platform,
    ) => Promise<void>,
  ): Promise<void> {
    const platform = nodePlatform({ vfs: await createMemoryVFS(), workers: false });
    await using store = await Store.open("/db", SMALL, platform);
    await store.put(Buffer.from("a"), Buffer.from("1"));
    await store.flush();
    await using reader = await ReadOnlyStore.open("/db", {}, platform);
    await body({ store, reader }, platform);
  }

  it("a store alone is read and looked after, and every write is refused", () =>
    withTargets(async ({ store }, platform) => {
      const context = createContext(store satisfies AdminTarget, platform);
      expect(await listed(context, {})).toEqual([["a", "1"]]);
      for (const [name, input] of WRITES)
        expect(await codeOf(run(context, name, input))).toBe("NOT_SUPPORTED");
      expect((await run(context, "runCompaction", { wait: true })).failure).toBe(null);
      expect(await listed(context, {})).toEqual([["a", "1"]]);
    }));

  it("a reader shows what its owner has written since, and every change is refused", () =>
    withTargets(async ({ store, reader }, platform) => {
      const context = createContext(reader, platform);
      const { id } = await run(context, "createSnapshot", {});
      await store.put(Buffer.from("b"), Buffer.from("2"));
      expect(await listed(context, {})).toEqual([
        ["a", "1"],
        ["b", "2"],
      ]);
      expect(await listed(context, { snapshot: id })).toEqual([["a", "1"]]);
      const status = await run(context, "getStatus", {});
      expect([status.readOnly, status.version]).toEqual([true, store.version]);
      expect((await run(context, "listTables", {})).levels[0].tables).toHaveLength(1);
      for (const [name, input] of [...WRITES, ["runCompaction", {}] as const])
        expect(await codeOf(run(context, name, input))).toBe("READ_ONLY");
      closeContext(context);
    }));

  it("a read-only admin changes nothing of a database either", () =>
    runSimulated(async (database, platform) => {
      const context = createContext(database, platform, { readOnly: true });
      for (const [name, input] of [...WRITES, ["runCompaction", {}] as const])
        expect(await codeOf(run(context, name, input))).toBe("READ_ONLY");
      expect((await run(context, "getStatus", {})).readOnly).toBe(true);
      expect((await run(context, "getMetrics", {})).counters.puts_total ?? 0).toBe(0);
    }));
});
