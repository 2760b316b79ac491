/** What users call on a collection, alone, in transactions and in snapshots: over the engine on files in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection } from "../../src/record/declaration.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const Person = collection("Person", {
  schema: z.object({ id: z.string(), name: z.string(), age: z.number(), note: z.string().optional() }),
  primaryKey: "id",
  indexes: [scalar("name", { unique: true }), scalar("age")],
});
const Counter = collection("Counter", {
  schema: z.object({ number: z.number(), text: z.string() }),
  primaryKey: "number",
});
const SCHEMA = schema({ version: "1.0.0", collections: [Person, Counter] });

let database: StorageDatabase;
let store: RecordStore<readonly [typeof Person, typeof Counter]>;

beforeEach(async () => {
  database = await memoryDatabase();
  store = await RecordStore.open(database, SCHEMA, memoryWorld());
});

afterEach(async () => {
  await store.close();
  await database.close();
});

const person = (id: string, age = 1) => ({ id, name: `name of ${id}`, age });
const idsOf = (documents: readonly { readonly id: string }[]) => documents.map(({ id }) => id);

describe("writes", () => {
  test("an insert takes a free primary key only, and changes nothing when it is taken", async () => {
    const people = store.collection("Person");
    await people.insert(person("a", 1));
    await expect(people.insert(person("a", 2))).rejects.toMatchObject({
      code: "DOCUMENT_EXISTS",
      collection: "Person",
      field: "id",
      value: "a",
    });
    expect(await people.get("a")).toEqual(person("a", 1));
    expect(await people.byIndex("Person_age", [2])).toEqual([]);
  });

  test("an update by fields or by a function gives the new document, and every index follows", async () => {
    const people = store.collection("Person");
    await people.put({ ...person("a", 1), note: "old" });
    expect(await people.update("a", { age: 2 })).toEqual({ ...person("a", 2), note: "old" });
    expect(
      await people.update("a", (document) => {
        document.age++;
        delete document.note;
        return document;
      }),
    ).toEqual(person("a", 3));
    expect(await people.byIndex("Person_age", [1])).toEqual([]);
    expect(await people.byIndex("Person_age", [2])).toEqual([]);
    expect(idsOf(await people.byIndex("Person_age", [3]))).toEqual(["a"]);
    expect(await people.update("b", { age: 2 })).toBeUndefined();
    expect(await people.count()).toBe(1);
  });

  test("updates of one document at once all count", async () => {
    const people = store.collection("Person");
    await people.put(person("a", 0));
    await Promise.all(
      Array.from({ length: 10 }, () => people.update("a", ({ age, ...rest }) => ({ ...rest, age: age + 1 }))),
    );
    expect(await people.get("a")).toMatchObject({ age: 10 });
  });

  test("an update that changes the primary key is refused, and nothing has changed", async () => {
    const people = store.collection("Person");
    await people.put(person("a"));
    await expect(people.update("a", { id: "b" })).rejects.toMatchObject({
      code: "PRIMARY_KEY_CHANGED",
      collection: "Person",
      field: "id",
      value: "b",
    });
    expect(await people.scan()).toEqual([person("a")]);
  });

  test("many at once are all there, the last of the same key counts, and one that is wrong stops all", async () => {
    const people = store.collection("Person");
    await people.put(person("b", 9));
    await people.putMany([person("a", 1), person("b", 2), { ...person("a", 3), name: "other" }]);
    expect(await people.scan()).toEqual([{ ...person("a", 3), name: "other" }, person("b", 2)]);
    expect(await people.byIndex("Person_age", [9])).toEqual([]);
    expect(await people.byIndex("Person_age", [1])).toEqual([]);
    expect(await people.byIndex("Person_name", ["name of a"])).toEqual([]);
    await expect(
      people.putMany([person("c"), { ...person("d"), age: "old" } as never]),
    ).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
    expect(await people.getMany(["c", "a", "d"])).toEqual([
      undefined,
      { ...person("a", 3), name: "other" },
      undefined,
    ]);
  });
});

describe("scans", () => {
  beforeEach(async () => {
    const texts = ["a", "ab", "ab\0", "abc", "b", "ba", "\u{10ffff}"];
    await store.collection("Person").putMany(texts.map((id) => person(id)));
    await store
      .collection("Counter")
      .putMany([-2, -1, 0, 1, 255, 256, 70_000].map((number) => ({ number, text: "x" })));
  });

  test("give the documents with a prefix and no others", async () => {
    const people = store.collection("Person");
    expect(idsOf(await people.scan({ prefix: "ab" }))).toEqual(["ab", "ab\0", "abc"]);
    expect(idsOf(await people.scan({ prefix: "ab", reverse: true, limit: 2 }))).toEqual(["abc", "ab\0"]);
    expect(idsOf(await people.scan({ prefix: "" }))).toHaveLength(7);
    expect(await people.scan({ prefix: "c" })).toEqual([]);
    expect(await people.count({ prefix: "a" })).toBe(4);
  });

  test("go on behind a key in their direction, whether it is there or not", async () => {
    const people = store.collection("Person");
    expect(idsOf(await people.scan({ after: "ab", limit: 2 }))).toEqual(["ab\0", "abc"]);
    expect(idsOf(await people.scan({ after: "aa" }))).toEqual(["ab", "ab\0", "abc", "b", "ba", "\u{10ffff}"]);
    expect(idsOf(await people.scan({ after: "ab", reverse: true }))).toEqual(["a"]);
    expect(idsOf(await people.scan({ prefix: "ab", after: "b" }))).toEqual([]);
    expect(idsOf(await people.scan({ prefix: "ab", after: "b", reverse: true }))).toHaveLength(3);
    expect(idsOf(await people.scan({ prefix: "b", after: "a" }))).toEqual(["b", "ba"]);
    expect(idsOf(await people.scan({ prefix: "b", after: "a", reverse: true }))).toEqual([]);
    const numbers = await store.collection("Counter").scan({ after: 0 });
    expect(numbers.map(({ number }) => number)).toEqual([1, 255, 256, 70_000]);
  });

  test("go on behind a large document without its parts", async () => {
    const counters = store.collection("Counter");
    await counters.put({ number: 0, text: "y".repeat(300_000) });
    const numbersOf = (documents: readonly { readonly number: number }[]) =>
      documents.map(({ number }) => number);
    expect(numbersOf(await counters.scan({ after: -1, limit: 2 }))).toEqual([0, 1]);
    expect(numbersOf(await counters.scan({ after: 0, limit: 1 }))).toEqual([1]);
    expect(numbersOf(await counters.scan({ after: 1, reverse: true, limit: 2 }))).toEqual([0, -1]);
    expect((await counters.get(0))?.text).toHaveLength(300_000);
    expect(await counters.count()).toBe(7);
  });

  test("a walk gives every document once in pages, both ways, and a count agrees with it", async () => {
    const counters = store.collection("Counter");
    await counters.putMany(Array.from({ length: 700 }, (_, number) => ({ number, text: "x" })));
    const seen: number[] = [];
    for await (const { number } of counters) seen.push(number);
    expect(seen).toEqual([-2, -1, ...Array.from({ length: 700 }, (_, number) => number), 70_000]);
    const back: number[] = [];
    for await (const { number } of counters.documents({ reverse: true, pageSize: 100, after: 650 })) {
      back.push(number);
    }
    expect(back).toEqual(seen.filter((number) => number < 650).reverse());
    expect(await counters.count()).toBe(seen.length);
  });

  test("a walk over everything lets others have a turn after each page, wherever its pages come from", async () => {
    const counters = store.collection("Counter");
    await counters.putMany(Array.from({ length: 1_100 }, (_, number) => ({ number, text: "x" })));
    using snapshot = await store.snapshot();
    const walks: readonly (readonly [number, () => AsyncIterable<unknown>])[] = [
      [300, () => snapshot.collection("Counter").documents({ pageSize: 100 })],
      [300, () => counters.documents({ pageSize: 100 })],
      [600, () => counters.query().where("text", "==", "x")],
    ];
    for (const [length, walk] of walks) {
      let turns = 0;
      let isOver = false;
      const turn = () => {
        turns++;
        if (!isOver) setImmediate(turn);
      };
      setImmediate(turn);
      let seen = 0;
      for await (const _ of walk()) if (++seen > length) break;
      isOver = true;
      expect(turns).toBeGreaterThan(0);
    }
    await store.transact(async (transaction) => {
      const own = transaction.collection("Counter");
      let hasTurned = false;
      setImmediate(() => {
        hasTurned = true;
      });
      for await (const _ of own.documents({ pageSize: 100 })) void _;
      expect(hasTurned).toBe(true);
    });
  });

  test("a walk meets documents written ahead of it, and none twice", async () => {
    const people = store.collection("Person");
    const seen: string[] = [];
    for await (const { id } of people.documents({ pageSize: 2 })) {
      seen.push(id);
      if (id === "ab") await people.putMany([person("aa"), person("bb")]);
    }
    expect(seen).toEqual(["a", "ab", "ab\0", "abc", "b", "ba", "bb", "\u{10ffff}"]);
  });

  test("refuse options that they do not have, and values that these do not take", async () => {
    const people = store.collection("Person");
    await expect(people.scan({ first: 1 } as never)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
    for (const limit of [-1, 1.5, "2", Number.NaN]) {
      await expect(people.scan({ limit: limit as never })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }
    await expect(people.scan({ prefix: 1 as never })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(people.scan({ prefix: "\ud800" })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(people.scan({ reverse: 1 as never })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(people.scan({ after: null as never })).rejects.toMatchObject({
      code: "INVALID_PRIMARY_KEY",
    });
    expect(await people.scan({ limit: 0 })).toEqual([]);
  });
});

describe("batches", () => {
  test("write across collections at once and give the version of their commit", async () => {
    const before = await store.lastVersion();
    const version = await store.batch([
      { type: "put", collection: "Person", document: person("a") },
      { type: "insert", collection: "Counter", document: { number: 1, text: "x" } },
      { type: "delete", collection: "Person", primaryKey: "none" },
    ]);
    expect(version).toBeGreaterThan(before);
    expect(await store.lastVersion()).toBe(version);
    expect(await store.collection("Counter").get(1)).toBeDefined();
    expect(await store.batch([{ type: "delete", collection: "Person", primaryKey: "none" }])).toBe(version);
  });

  test("are refused as a whole when one operation is", async () => {
    await store.collection("Person").put(person("a"));
    const version = await store.lastVersion();
    const wrong = [
      [{ type: "insert", collection: "Person", document: person("a") }, "DOCUMENT_EXISTS"],
      [
        { type: "put", collection: "Person", document: { ...person("b"), name: "name of a" } },
        "UNIQUE_VIOLATION",
      ],
      [{ type: "put", collection: "Person", document: { ...person("b"), age: "x" } }, "VALIDATION_FAILED"],
      [{ type: "delete", collection: "Person", primaryKey: null }, "INVALID_PRIMARY_KEY"],
      [{ type: "put", collection: "People", document: person("b") }, "UNKNOWN_COLLECTION"],
      [{ type: "replace", collection: "Person", document: person("b") }, "INVALID_ARGUMENT"],
    ] as const;
    for (const [operation, code] of wrong) {
      await expect(
        store.batch([
          { type: "put", collection: "Counter", document: { number: 1, text: "x" } },
          operation as never,
          { type: "put", collection: "Counter", document: { number: 2, text: "x" } },
        ]),
        code,
      ).rejects.toMatchObject({ code });
      expect(await store.collection("Counter").count()).toBe(0);
      expect(await store.lastVersion()).toBe(version);
    }
  });

  test("are refused by a store that has not reached the version they need, and taken by one that has", async () => {
    const version = await store.batch([{ type: "put", collection: "Person", document: person("a") }]);
    const operation = { type: "put", collection: "Person", document: person("b") } as const;
    await expect(store.batch([operation], { requireVersionAtLeast: version + 1 })).rejects.toMatchObject({
      code: "VERSION_TOO_LOW",
    });
    expect(await store.collection("Person").get("b")).toBeUndefined();
    expect(await store.batch([operation], { requireVersionAtLeast: version })).toBe(version + 1);
    await expect(store.batch([], { requireVersionAtLeast: 0.5 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    await expect(store.batch([], { atLeast: 1 } as never)).rejects.toMatchObject({ code: "UNKNOWN_OPTION" });
  });
});

describe("a snapshot", () => {
  test("shows one version in all collections and indexes, whatever is written meanwhile", async () => {
    const people = store.collection("Person");
    await people.put(person("a", 1));
    using snapshot = await store.snapshot();
    await people.update("a", { age: 2 });
    await people.put(person("b", 1));
    await store.collection("Counter").put({ number: 1, text: "x" });
    const then = snapshot.collection("Person");
    expect(await then.get("a")).toEqual(person("a", 1));
    expect(await then.byIndex("Person_age", [1])).toEqual([person("a", 1)]);
    expect(await then.scan()).toEqual([person("a", 1)]);
    expect(await then.count()).toBe(1);
    expect(await then.getMany(["b"])).toEqual([undefined]);
    expect(await snapshot.collection("Counter").scan()).toEqual([]);
    expect(snapshot.version).toBeLessThan(await store.lastVersion());
  });

  test("cannot be written to, and tells when it is closed", async () => {
    const snapshot = await store.snapshot();
    expect(snapshot.collection("Person")).not.toHaveProperty("put");
    snapshot.close();
    snapshot.close();
    await expect(snapshot.collection("Person").get("a")).rejects.toMatchObject({ code: "SNAPSHOT_CLOSED" });
  });
});

describe("what the store tells of itself", () => {
  test("collections with the names of their indexes, and counts of calls", async () => {
    const people = store.collection("Person");
    await people.putMany([person("a"), person("b")]);
    await people.get("a");
    await people.delete("b");
    await people.scan();
    await people.byIndex("Person_age", [1]);
    await store.batch([{ type: "put", collection: "Person", document: person("c") }]);
    await store.transact(() => undefined);
    expect(store.metrics().counters).toMatchObject({
      record_puts_total: 3,
      record_gets_total: 1,
      record_deletes_total: 1,
      record_scans_total: 1,
      record_index_lookups_total: 1,
      record_queries_total: 0,
      record_histories_total: 0,
      record_batches_total: 1,
      record_transactions_total: 1,
    });
    // Of the database and the store below too.
    const { transactions_committed_total, commits_total } = store.metrics().counters;
    expect(transactions_committed_total).toBeGreaterThanOrEqual(4);
    expect(commits_total).toBe(transactions_committed_total);
    expect(await store.listCollections()).toEqual([
      { name: "Counter", primaryKey: "number", indexes: [] },
      { name: "Person", primaryKey: "id", indexes: ["Person_name", "Person_age"] },
    ]);
  });

  test("options that it does not have, or that are of another kind, are refused at the door", async () => {
    for (const [options, code] of [
      [{ indexes: [] }, "UNKNOWN_OPTION"],
      [{ root: "records" }, "INVALID_ARGUMENT"],
      [{ kinds: {} }, "INVALID_ARGUMENT"],
    ] as const) {
      await expect(RecordStore.open(database, SCHEMA, memoryWorld(), options as never)).rejects.toMatchObject(
        {
          code,
        },
      );
    }
  });
});
