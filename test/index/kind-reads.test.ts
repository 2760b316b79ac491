/** What kinds of index say through a collection, what they refuse, and what they hold at their limits. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { RecordStore, type RecordStoreOptions } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { CoveredValues } from "../../src/index/covered-values.js";
import { decimalUnits, unitsAsNumber } from "../../src/index/decimal.js";
import { catalogued } from "../../src/index/environment.js";
import { count } from "../../src/index/kinds/count.js";
import { MIN, max, min } from "../../src/index/kinds/extreme.js";
import { SCALAR, scalar } from "../../src/index/kinds/scalar.js";
import { sum } from "../../src/index/kinds/sum.js";
import { versions } from "../../src/index/kinds/versions.js";
import { Subspace } from "../../src/keyspace/subspace.js";
import { collection, type IndexDeclaration } from "../../src/record/declaration.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "../collection/fixtures.js";
import { BLOOM, bloom } from "./bloom-kind.js";

const FIELDS = z.object({
  id: z.string(),
  city: z.string().nullish(),
  age: z.union([z.number(), z.bigint()]).nullish(),
  text: z.string().optional(),
  any: z.unknown().optional(),
});

const User = collection("User", {
  schema: FIELDS,
  primaryKey: "id",
  indexes: [
    scalar("city"),
    count({ by: ["city"] }),
    count(),
    sum("age", { by: ["city"] }),
    sum("age", { scale: 2, name: "exact", where: { op: "==", field: "city", value: "exact" } }),
    min("age", { by: ["city"] }),
    max("age"),
    versions({ keepLast: 3 }),
  ],
});
const APP = schema({ version: "1.0.0", collections: [User] });

let database: StorageDatabase;
let store: RecordStore<readonly [typeof User]>;
let wallMs = 1_000;

beforeEach(async () => {
  database = await memoryDatabase();
  const world = memoryWorld();
  wallMs = 1_000;
  store = await RecordStore.open(database, APP, {
    ...world,
    clock: { nowMs: () => world.clock.nowMs(), wallMs: () => wallMs },
  });
});

afterEach(async () => {
  await store.close();
  await database.close();
});

/** Of stores beside the first. */
const ROOT = Subspace.of("other records");

describe("aggregates", () => {
  test("are read by group and for all groups, and absent for a group that nobody is in", async () => {
    const users = store.collection("User");
    await users.put({ id: "a", city: "London", age: 30 });
    await users.put({ id: "b", city: "London", age: 20n });
    await users.put({ id: "c", age: null });
    expect(await users.aggregate("User_count_city", ["London"])).toBe(2);
    expect(await users.aggregate("User_count_city", [null])).toBe(1);
    expect(await users.aggregate("User_count_city", ["Rome"])).toBeUndefined();
    expect(await users.aggregate("User_count")).toBe(3);
    expect(await users.aggregate("User_sum_age_city", ["London"])).toEqual({
      units: 50n,
      scale: 0,
      count: 2,
      sum: 50,
      average: 25,
    });
    expect(await users.aggregate("User_sum_age_city", [null])).toBeUndefined();
    expect(await users.aggregates("User_count_city")).toEqual([
      { group: [null], value: 1 },
      { group: ["London"], value: 2 },
    ]);
    expect(await users.aggregates("User_count_city", { limit: 1, reverse: true })).toEqual([
      { group: ["London"], value: 2 },
    ]);
    // Big integers come before numbers in an index.
    expect(await users.min("User_min_age_city", ["London"])).toBe(20n);
    expect(await users.max("User_max_age")).toBe(30);
    await users.delete("b");
    expect(await users.min("User_min_age_city", ["London"])).toBe(30);
    await users.delete("a");
    expect(await users.min("User_min_age_city", ["London"])).toBeUndefined();
    expect(await users.aggregates("User_min_age_city")).toEqual([]);
  });

  test("show a transaction what it has written itself", async () => {
    await store.transact(async (transaction) => {
      const users = transaction.collection("User");
      await users.put({ id: "a", city: "London", age: 30 });
      expect(await users.aggregate("User_count_city", ["London"])).toBe(1);
      expect((await users.aggregate("User_sum_age_city", ["London"]))?.sum).toBe(30);
    });
  });

  test("are counted by many transactions at once without a conflict", async () => {
    let runs = 0;
    await Promise.all(
      Array.from({ length: 50 }, (_, at) =>
        store.transact(async (transaction) => {
          runs++;
          await transaction.collection("User").put({ id: `u${at}`, city: "London", age: 1 });
        }),
      ),
    );
    expect(runs).toBe(50);
    expect(await store.collection("User").aggregate("User_count_city", ["London"])).toBe(50);
  });

  test("refuse an index of another kind, a group that is none, and a value that cannot be added up", async () => {
    const users = store.collection("User");
    for (const index of ["User_city", "User_versions"]) {
      await expect(users.aggregate(index as "User_count", [])).rejects.toMatchObject({
        code: "WRONG_INDEX_KIND",
        index,
        message: expect.stringMatching(/of kind "(scalar|versions)".*needs one of kind/s) as string,
      });
    }
    await expect(users.max("User_min_age_city" as "User_max_age")).rejects.toMatchObject({
      code: "WRONG_INDEX_KIND",
    });
    await expect(users.aggregate("User_count_city", [])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(users.aggregate("User_count_city", [Number.NaN])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
    for (const age of [1.5, 2 ** 63, -(2n ** 63n)]) {
      await expect(users.put({ id: "a", age })).rejects.toMatchObject({
        code: "INVALID_INDEX_VALUE",
        collection: "User",
        index: "User_sum_age_city",
        field: "age",
        value: age,
      });
    }
    expect(await users.get("a")).toBeUndefined();
  });

  test("stay exact beyond 64 bits", async () => {
    const users = store.collection("User");
    const large = 2n ** 63n - 1n;
    for (const id of ["a", "b", "c"]) await users.put({ id, city: "x", age: large });
    expect((await users.aggregate("User_sum_age_city", ["x"]))?.units).toBe(3n * large);
    await users.put({ id: "c", city: "x", age: -large });
    await users.put({ id: "b", city: "x", age: -large });
    await users.delete("a");
    expect(await users.aggregate("User_sum_age_city", ["x"])).toMatchObject({ units: -2n * large, count: 2 });
  });

  test("take decimals as they are written", () => {
    const cases: readonly (readonly [unknown, number, bigint | null])[] = [
      [0.1, 1, 1n],
      [-12.5, 2, -1250n],
      [1e21, 0, null],
      [1e-7, 7, 1n],
      [1e-7, 6, null],
      [0.1 + 0.2, 2, null],
      [-0, 3, 0n],
      [5n, 2, 500n],
      [Number.NaN, 2, null],
      ["1", 0, null],
    ];
    for (const [value, scale, units] of cases) expect(decimalUnits(value, scale)).toBe(units);
    expect(unitsAsNumber(-1250n, 2)).toBe(-12.5);
    expect(unitsAsNumber(3n, 1)).toBe(0.3);
  });
});

describe("a history", () => {
  test("has every version in the order of commits, deletions too, and keeps as many as it says", async () => {
    const users = store.collection("User");
    await users.put({ id: "a", age: 1 });
    const [first] = await users.history("a");
    wallMs = 2_000;
    await users.put({ id: "a", age: 2 });
    await users.delete("a");
    expect((await users.history("a")).map(({ document }) => document?.age ?? null)).toEqual([1, 2, null]);
    expect(await users.versionAt("a", { version: first?.version ?? 0 })).toEqual(first);
    expect((await users.versionAt("a", { timeMs: 1_500 }))?.document?.age).toBe(1);
    expect((await users.versionAt("a", { timeMs: 9_000 }))?.document).toBeNull();
    expect(await users.versionAt("a", { timeMs: 999 })).toBeUndefined();
    await users.put({ id: "a", age: 3 });
    expect((await users.history("a")).map(({ document }) => document?.age ?? null)).toEqual([2, null, 3]);
    expect((await users.history("a", { limit: 1 })).map(({ document }) => document?.age)).toEqual([3]);
    expect(await users.versionAt("a", { version: first?.version ?? 0 })).toBeUndefined();
    expect(await users.history("none")).toEqual([]);
  });

  test("keeps documents of any size, and nothing of what is forgotten", async () => {
    const users = store.collection("User");
    const text = "0123456789".repeat(30_000);
    for (const age of [1, 2, 3, 4, 5, 6]) await users.put({ id: "a", age, text });
    expect(
      (await users.history("a")).map(({ document }) => [document?.age, document?.text === text]),
    ).toEqual([
      [4, true],
      [5, true],
      [6, true],
    ]);
    const before = await database.read((reader) =>
      reader.getRangeAll(new Uint8Array(0), Uint8Array.of(0xff)),
    );
    await users.put({ id: "a", age: 7, text });
    const after = await database.read((reader) => reader.getRangeAll(new Uint8Array(0), Uint8Array.of(0xff)));
    expect(after.length).toBe(before.length);
  });

  test("keeps for a time what was the newest at some moment of it", async () => {
    const timed = collection("Timed", {
      schema: FIELDS,
      primaryKey: "id",
      indexes: [versions({ keepForMs: 100 })],
    });
    const other = await memoryDatabase();
    const world = memoryWorld();
    const records = await RecordStore.open(other, schema({ version: "1.0.0", collections: [timed] }), {
      ...world,
      clock: { nowMs: () => world.clock.nowMs(), wallMs: () => wallMs },
    });
    for (const timeMs of [1_000, 1_050, 1_120, 1_200]) {
      wallMs = timeMs;
      await records.collection("Timed").put({ id: "a", age: timeMs });
    }
    const kept = await records.collection("Timed").history("a");
    // At 1,100 that of 1,050 was the newest.
    expect(kept.map(({ timeMs }) => timeMs)).toEqual([1_050, 1_120, 1_200]);
    await other.close();
  });

  test("is refused of a collection that keeps none", async () => {
    const plain = collection("Plain", { schema: FIELDS, primaryKey: "id" });
    const other = await memoryDatabase();
    const records = await RecordStore.open(
      other,
      schema({ version: "1.0.0", collections: [plain] }),
      memoryWorld(),
    );
    await expect(records.collection("Plain").history("a")).rejects.toMatchObject({
      code: "UNKNOWN_INDEX",
      collection: "Plain",
    });
    await other.close();
  });
});

describe("entries at their limits", () => {
  const Any = collection("Any", {
    schema: FIELDS,
    primaryKey: "id",
    indexes: [
      scalar("city", { name: "byCity", covering: ["text", "any" as "text"] }),
      count({ by: ["city"], name: "counted" }),
    ],
  });

  test("are kept up to the length of a key, and refused beyond by name", async () => {
    const other = await memoryDatabase();
    const records = await RecordStore.open(
      other,
      schema({ version: "1.0.0", collections: [Any] }),
      memoryWorld(),
    );
    const any = records.collection("Any");
    const { prefix } = records.shared.root;
    // The root, 2 with the ids of the index and its copy, the value with its two marks, the key "a" with its own.
    const room = 10_000 - prefix.length - 5 - 2 - 3;
    await any.put({ id: "a", city: "x".repeat(room) });
    expect(await any.byIndex("byCity", ["x".repeat(room)])).toHaveLength(1);
    await expect(any.put({ id: "b", city: "x".repeat(room + 1) })).rejects.toMatchObject({
      code: "INDEX_ENTRY_TOO_LARGE",
      collection: "Any",
      index: "byCity",
      field: "city",
    });
    // The longest that is a primary key still, and what it is to be one.
    const catalogue = await other.read((reader) => records.shared.catalogues.peek(reader));
    const longest = 9_999 - records.shared.itemsOf(catalogued(catalogue, "Any")).keyOf("").length;
    await expect(any.put({ id: "x".repeat(longest), city: "x" })).rejects.toMatchObject({
      code: "INDEX_ENTRY_TOO_LARGE",
      field: undefined,
      message: expect.stringContaining("primary key") as string,
    });
    await expect(any.put({ id: "x".repeat(longest + 1), city: "x" })).rejects.toMatchObject({
      code: "INVALID_PRIMARY_KEY",
      field: "id",
    });
    await expect(any.put({ id: "c", city: "x", text: "x".repeat(100_000) })).rejects.toMatchObject({
      code: "INDEX_ENTRY_TOO_LARGE",
      index: "byCity",
      field: "text",
    });
    await other.close();
  });

  test("give covered values back exactly as the document has them", async () => {
    const other = await memoryDatabase();
    const records = await RecordStore.open(
      other,
      schema({ version: "1.0.0", collections: [Any] }),
      memoryWorld(),
    );
    const any = records.collection("Any");
    const values: readonly unknown[] = [
      0,
      -0,
      1,
      1.5,
      Number.NaN,
      Number.NEGATIVE_INFINITY,
      2 ** 60,
      5n,
      -(2n ** 80n),
      "",
      "a\0b",
      null,
      undefined,
      true,
      false,
      new Date(12_345),
      Uint8Array.of(0, 255),
    ];
    for (const [at, value] of values.entries()) {
      const document = value === undefined ? { id: `${at}` } : { id: `${at}`, any: value };
      await any.put({ ...document, city: `${at}` } as never);
      const covered = await any.readIndex("byCity", SCALAR, async ({ context }, reader) => {
        const { begin, end } = context.space.range([`${at}`]);
        const [row] = await reader.getRangeAll(begin, end);
        return row === undefined
          ? []
          : new CoveredValues(context, context.declaration.covering ?? []).unpack(row);
      });
      expect(covered).toStrictEqual([undefined, value]);
    }
    await other.close();
  });
});

describe("kinds of others", () => {
  const Page = collection("Page", {
    schema: z.object({ id: z.string(), words: z.array(z.string()) }),
    primaryKey: "id",
    indexes: [bloom("words[]", { capacity: 100, falsePositiveRate: 0.01 }), scalar("words[]")],
  });
  const PAGES = schema({ version: "1.0.0", collections: [Page] });

  test("are kept and read with no edit of ours, under a name of their own", async () => {
    const records = await RecordStore.open(database, PAGES, memoryWorld(), { kinds: [BLOOM], root: ROOT });
    const pages = records.collection("Page");
    await pages.put({ id: "p", words: ["here", "there"] });
    const mayHold = (word: string) =>
      pages.readIndex("Page_com.example.bloom_words[]", BLOOM, (index, reader) =>
        index.mayHold(reader, word),
      );
    expect([await mayHold("here"), await mayHold("nowhere")]).toEqual([true, false]);
    await pages.delete("p");
    expect(await mayHold("here")).toBe(false);
    // A reader of another kind, and an index that ours cannot read.
    await expect(
      pages.readIndex("Page_com.example.bloom_words[]", MIN, () => Promise.resolve()),
    ).rejects.toMatchObject({
      code: "WRONG_INDEX_KIND",
      message: expect.stringMatching(/"com\.example\.bloom".*kind min/s) as string,
    });
    await expect(pages.readIndex("Page_words[]", BLOOM, () => Promise.resolve())).rejects.toMatchObject({
      code: "WRONG_INDEX_KIND",
    });
  });

  test("must be registered, by a free name, with a configuration that they take", async () => {
    const open = (options: RecordStoreOptions, pages = PAGES) =>
      RecordStore.open(database, pages, memoryWorld(), { root: ROOT, ...options });
    await expect(open({})).rejects.toMatchObject({ code: "UNKNOWN_INDEX_KIND" });
    for (const identifier of ["bloom", "count", "Com.Example.Bloom", "com..bloom"]) {
      await expect(open({ kinds: [{ ...BLOOM, identifier }] })).rejects.toMatchObject({
        code: "INVALID_ARGUMENT",
      });
    }
    await expect(open({ kinds: [BLOOM, BLOOM] })).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    const wrong = collection("Page", {
      schema: Page.schema,
      primaryKey: "id",
      indexes: [bloom("words[]", { capacity: 0, falsePositiveRate: 2 })],
    });
    const declared = schema({ version: "1.0.0", collections: [wrong] }) as unknown as typeof PAGES;
    await expect(open({ kinds: [BLOOM] }, declared)).rejects.toMatchObject({
      code: "INVALID_SCHEMA",
      collection: "Page",
    });
    // Once it is stored, a program without the kind cannot open the store.
    await open({ kinds: [BLOOM] });
    await expect(open({})).rejects.toMatchObject({ code: "UNKNOWN_INDEX_KIND" });
  });
});

describe("declarations that no kind can work with", () => {
  test.each([
    ["a count that is unique", { ...count({ by: ["city"] }), unique: true }],
    ["a sum that covers", { ...sum("age"), covering: ["city"] }],
    ["a sum of nothing", { kind: "sum", fields: [] }],
    ["a sum with a scale of thirds", sum("age", { scale: 1.5 })],
    ["a minimum with a configuration", { ...min("age"), configuration: {} }],
    ["versions of a field", { kind: "versions", fields: ["age"], configuration: { keepAll: true } }],
    ["versions that keep none", versions({ keepLast: 0 })],
    ["versions that keep in two ways", versions({ keepLast: 1, keepForMs: 1 })],
    ["a kind that is not there", { kind: "cuont", fields: ["city"] }],
  ])("are refused when a store is opened: %s", async (_, index) => {
    const wrong = collection("Wrong", {
      schema: FIELDS,
      primaryKey: "id",
      indexes: [index as IndexDeclaration<"city">],
    });
    await expect(
      RecordStore.open(database, schema({ version: "1.0.0", collections: [wrong] }), memoryWorld(), {
        root: ROOT,
      }),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^(INVALID_SCHEMA|UNKNOWN_INDEX_KIND)$/) as string,
    });
  });
});
