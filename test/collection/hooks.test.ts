/** Commit hooks of records: what they are told, what they may do, what their errors do. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import type { RecordHook } from "../../src/collection/hooks.js";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection } from "../../src/record/declaration.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const Item = collection("Item", {
  schema: z.object({
    id: z.string(),
    size: z.number(),
    code: z.string().optional(),
    tags: z.array(z.string()),
  }),
  primaryKey: "id",
  indexes: [scalar("code", { unique: true, sparse: true })],
});
const Entry = collection("Entry", {
  schema: z.object({ id: z.number(), text: z.string() }),
  primaryKey: "id",
});
type Collections = readonly [typeof Item, typeof Entry];

let database: StorageDatabase;
let store: RecordStore<Collections>;

beforeEach(async () => {
  database = await memoryDatabase();
  store = await RecordStore.open(
    database,
    schema({ version: "1.0.0", collections: [Item, Entry] }),
    memoryWorld(),
  );
});

afterEach(async () => {
  await store.close();
  await database.close();
});

const item = (id: string, size = 1) => ({ id, size, tags: [] });

describe("a hook is told", () => {
  test("the net change of each document, with the fields that differ", async () => {
    const items = store.collection("Item");
    await items.putMany([item("changed"), item("same"), item("gone"), item("back")]);
    const seen: unknown[] = [];
    store.addHook({
      before: ({ collections, changes, metadata, transactionId }) => {
        seen.push(collections, changes("Item"), changes("Entry").inserted, metadata, typeof transactionId);
      },
    });
    await store.transact(
      async (transaction) => {
        const own = transaction.collection("Item");
        await own.put({ ...item("changed", 2), tags: ["x"] });
        await own.put(item("changed", 3));
        await own.put({ ...item("changed", 3), tags: ["y"] });
        await own.put(item("same"));
        await own.delete("gone");
        await own.delete("back");
        await own.put(item("back"));
        await own.insert(item("new"));
        await own.insert(item("brief"));
        await own.delete("brief");
        await transaction.collection("Entry").put({ id: 1, text: "x" });
      },
      { metadata: { who: "test" } },
    );
    expect(seen).toEqual([
      ["Entry", "Item"],
      {
        inserted: [item("new")],
        updated: [
          {
            before: item("changed"),
            after: { ...item("changed", 3), tags: ["y"] },
            fields: ["size", "tags"],
          },
        ],
        deleted: [item("gone")],
      },
      [{ id: 1, text: "x" }],
      { who: "test" },
      "number",
    ]);
  });

  test("the version after the commit, and nothing of transactions that change nothing", async () => {
    const versions: (number | null)[] = [];
    const remove = store.addHook({
      after: ({ version }) => void versions.push(version),
      afterFailed: () => {},
    });
    const version = await store.batch([{ type: "put", collection: "Item", document: item("a") }]);
    await store.collection("Item").delete("none");
    await store.transact(() => undefined);
    expect(versions).toEqual([version]);
    remove();
    await store.collection("Item").put(item("b"));
    expect(versions).toEqual([version]);
  });
});

describe("a before-hook", () => {
  test("writes in the same transaction, and hooks behind it see that", async () => {
    const order: string[] = [];
    const journal: RecordHook<Collections> = {
      priority: 1,
      before: async ({ changes, transaction }) => {
        order.push("journal");
        for (const { id } of changes("Item").inserted) {
          await transaction.collection("Entry").put({ id: id.length, text: id });
        }
      },
    };
    store.addHook({
      priority: 2,
      before: ({ changes }) => void order.push(`${changes("Entry").inserted.length}`),
    });
    store.addHook(journal);
    store.addHook({
      priority: -1,
      before: ({ changes }) => void order.push(`${changes("Entry").inserted.length}`),
    });
    await store.collection("Item").put(item("abc"));
    expect(order).toEqual(["0", "journal", "1"]);
    expect(await store.collection("Entry").get(3)).toEqual({ id: 3, text: "abc" });
  });

  test("that throws stops the commit of everything", async () => {
    const problem = new Error("too large");
    store.addHook({
      before: ({ changes }) => {
        if (changes("Item").inserted.some(({ size }) => size > 10)) throw problem;
      },
    });
    await expect(
      store.batch([
        { type: "put", collection: "Entry", document: { id: 1, text: "x" } },
        { type: "put", collection: "Item", document: item("a", 11) },
      ]),
    ).rejects.toBe(problem);
    expect(await store.collection("Entry").count()).toBe(0);
    await store.collection("Item").put(item("a", 10));
  });

  test("runs before unique values are checked: it may repair them, and what it breaks is found", async () => {
    const items = store.collection("Item");
    await items.put({ ...item("a"), code: "1" });
    const remove = store.addHook({
      before: async ({ transaction }) => {
        await transaction.collection("Item").update("a", { code: "free" });
      },
    });
    await items.put({ ...item("b"), code: "1" });
    expect(await items.byIndex("Item_code", ["1"])).toMatchObject([{ id: "b" }]);
    remove();
    store.addHook({
      before: async ({ transaction }) => {
        await transaction.collection("Item").update("a", { code: "1" });
      },
    });
    await expect(items.put(item("c"))).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(await items.get("c")).toBeUndefined();
  });

  test("that may run together with its neighbours does, and runs again with each try", async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    const together: RecordHook<Collections> = {
      concurrent: true,
      before: async ({ transaction }) => {
        runs++;
        most = Math.max(most, ++running);
        await transaction.collection("Entry").get(1);
        running--;
      },
    };
    store.addHook(together);
    store.addHook({ ...together });
    let tries = 0;
    await store.transact(async (transaction) => {
      await transaction.collection("Item").put(item("a"));
      if (tries++ === 0) await store.collection("Entry").put({ id: 1, text: "x" });
    });
    expect(most).toBe(2);
    expect(tries).toBe(2);
    expect(runs).toBe(6);
  });
});

describe("an after-hook", () => {
  test("that throws undoes nothing: its own handler is told, the commit stands, the next hook runs", async () => {
    const heard: unknown[] = [];
    store.addHook({
      after: () => {
        throw new Error("mail is down");
      },
      afterFailed: (error) => void heard.push((error as Error).message),
    });
    store.addHook({
      after: ({ changes }) => void heard.push(changes("Item").inserted.length),
      afterFailed: () => {},
    });
    await store.collection("Item").put(item("a"));
    expect(heard).toEqual(["mail is down", 1]);
    expect(await store.collection("Item").get("a")).toBeDefined();
  });

  test("must say who hears of its failures", () => {
    expect(() => store.addHook({ after: () => {} })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
    expect(() => store.addHook({})).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  });
});
