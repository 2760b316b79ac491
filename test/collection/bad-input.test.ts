/**
 * Everything wrong that a writer can be given, each in the middle of a batch of other writes: a typed error that names collection,
 * index, field and value, and nothing of the batch is applied.
 */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { RecordStore } from "../../src/collection/record-store.js";
import type { RecordTransaction } from "../../src/collection/record-transaction.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection } from "../../src/record/declaration.js";
import { s } from "../../src/record/schema-builder.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const Account = collection("Account", {
  schema: z.object({
    id: z.string(),
    owner: z.string(),
    balance: z.number().or(z.nan()),
    address: z.object({ city: z.string() }).optional(),
    extra: z.unknown().optional(),
  }),
  primaryKey: "id",
  indexes: [scalar("owner", { unique: true }), scalar("address.city"), scalar("balance")],
});
const Slow = collection("Slow", {
  schema: z.object({ id: z.string() }).refine(async () => true),
  primaryKey: "id",
});
type Collections = readonly [typeof Account, typeof Slow];
const SCHEMA = schema({ version: "1.2.0", collections: [Account, Slow] });

let database: StorageDatabase;
let store: RecordStore<Collections>;
let before: string[];

/** Every key and value of the database, in text. */
async function everything(): Promise<string[]> {
  const rows = await database.read((reader) => reader.getRangeAll(new Uint8Array(0), Uint8Array.of(0xff)));
  return rows.map(
    ([key, value]) => `${Buffer.from(key).toString("hex")} ${Buffer.from(value).toString("hex")}`,
  );
}

beforeEach(async () => {
  database = await memoryDatabase();
  store = await RecordStore.open(database, SCHEMA, memoryWorld());
  await store.collection("Account").put(account("taken", "ada"));
  before = await everything();
});

afterEach(async () => {
  await store.close();
  await database.close();
});

const account = (id: string, owner = `owner of ${id}`) => ({
  id,
  owner,
  balance: 1,
  address: { city: "Rome" },
});

const WRONG: readonly [
  what: string,
  act: (transaction: RecordTransaction<Collections>) => Promise<unknown>,
  error: object,
][] = [
  [
    "a document that fails its schema",
    (t) => t.collection("Account").put({ ...account("b"), address: { city: 7 } } as never),
    { code: "VALIDATION_FAILED", collection: "Account", field: "address.city", value: 7 },
  ],
  [
    "no document at all",
    (t) => t.collection("Account").put(undefined as never),
    { code: "VALIDATION_FAILED", collection: "Account" },
  ],
  [
    "a schema that answers later",
    (t) => t.collection("Slow").put({ id: "b" }),
    { code: "ASYNC_VALIDATION", collection: "Slow" },
  ],
  [
    "a primary key that text has no bytes for",
    (t) => t.collection("Account").put(account("\ud800")),
    { code: "INVALID_PRIMARY_KEY", collection: "Account", field: "id", value: "\ud800" },
  ],
  [
    "a primary key of another type",
    (t) => t.collection("Account").delete(1.5 as never),
    { code: "INVALID_PRIMARY_KEY", collection: "Account", field: "id", value: 1.5 },
  ],
  [
    "a primary key that is longer than a key may be",
    (t) => t.collection("Account").put(account("x".repeat(20_000))),
    { code: "INVALID_PRIMARY_KEY", collection: "Account", field: "id", value: "x".repeat(20_000) },
  ],
  [
    "a changed primary key",
    (t) => t.collection("Account").update("taken", { id: "other" }),
    { code: "PRIMARY_KEY_CHANGED", collection: "Account", field: "id", value: "other" },
  ],
  [
    "a change that is none",
    (t) => t.collection("Account").update("taken", 7 as never),
    { code: "INVALID_ARGUMENT", collection: "Account", value: 7 },
  ],
  [
    "a change that fails the schema",
    (t) => t.collection("Account").update("taken", { balance: "much" as never }),
    { code: "VALIDATION_FAILED", collection: "Account", field: "balance" },
  ],
  [
    "an insert of a primary key that is there",
    (t) => t.collection("Account").insert(account("taken")),
    { code: "DOCUMENT_EXISTS", collection: "Account", field: "id", value: "taken" },
  ],
  [
    "a value that a unique index holds already",
    (t) => t.collection("Account").put(account("b", "ada")),
    { code: "UNIQUE_VIOLATION", collection: "Account", index: "Account_owner", field: "owner", value: "ada" },
  ],
  [
    "a value that no index holds, behind indexes that have been told",
    (t) => t.collection("Account").put({ ...account("b"), balance: Number.NaN }),
    {
      code: "INVALID_INDEX_VALUE",
      collection: "Account",
      index: "Account_balance",
      field: "balance",
      value: Number.NaN,
    },
  ],
  [
    "a value that no codec writes",
    (t) => t.collection("Account").put({ ...account("b"), extra: () => 1 }),
    { code: "INVALID_ITEM", collection: "Account" },
  ],
  [
    "a collection that is not declared",
    async (t) => t.collection("Accounts" as never).get("a" as never),
    { code: "UNKNOWN_COLLECTION", collection: "Accounts" },
  ],
  [
    "an index that is not there",
    (t) => t.collection("Account").byIndex("Account_id" as never, [] as never),
    { code: "UNKNOWN_INDEX", collection: "Account", index: "Account_id" },
  ],
  [
    "a value to look for that is in no index",
    (t) => t.collection("Account").byIndex("Account_balance", [Number.NaN]),
    { code: "INVALID_ARGUMENT", value: Number.NaN },
  ],
  [
    "more values to look for than an index has fields",
    (t) => t.collection("Account").byIndex("Account_owner", ["ada", "taken"] as never),
    { code: "INVALID_ARGUMENT", collection: "Account", index: "Account_owner" },
  ],
  [
    "an option that byIndex has not, though scan has it",
    (t) => t.collection("Account").byIndex("Account_owner", ["ada"], { after: "a" } as never),
    { code: "UNKNOWN_OPTION" },
  ],
];

describe.each(WRONG)("%s", (_what, act, error) => {
  test("is a typed error, and nothing of its transaction is applied", async () => {
    await expect(
      store.transact(async (transaction) => {
        await transaction.collection("Account").put(account("first"));
        await act(transaction);
        await transaction.collection("Account").put(account("last"));
      }),
    ).rejects.toMatchObject(error);
    expect(await everything()).toEqual(before);
  });
});

describe("a write that was refused in part", () => {
  test("stops the commit also when its error is caught", async () => {
    for (const wrong of [{ balance: Number.NaN }, { extra: Symbol("x") }]) {
      await expect(
        store.transact(async (transaction) => {
          const own = transaction.collection("Account");
          await own.put({ ...account("b"), ...wrong }).catch(() => undefined);
          await own.put(account("c"));
        }),
      ).rejects.toMatchObject({ code: expect.stringMatching(/^INVALID_(INDEX_VALUE|ITEM)$/) });
      expect(await everything()).toEqual(before);
    }
  });

  test("at the door has done nothing: who catches its error may go on", async () => {
    await store.transact(async (transaction) => {
      const own = transaction.collection("Account");
      await own.insert(account("taken")).catch(() => own.put(account("c")));
    });
    expect(await store.collection("Account").get("c")).toEqual(account("c"));
    expect(await store.collection("Account").get("taken")).toEqual(account("taken", "ada"));
  });

  test("is part of the transaction even when nobody waits for it, and none is taken after the end", async () => {
    const late: { put?: () => Promise<void> } = {};
    await store.transact((transaction) => {
      const own = transaction.collection("Account");
      void own.put(account("b"));
      late.put = () => own.put(account("late"));
    });
    expect(await store.collection("Account").get("b")).toEqual(account("b"));
    await expect(late.put?.()).rejects.toMatchObject({ code: "USED_DURING_COMMIT" });
    expect(await store.collection("Account").get("late")).toBeUndefined();
  });
});

describe("callers without types get an error that says what is wrong:", () => {
  const accounts = () => store.collection("Account");
  const rows: readonly (readonly [string, () => unknown, string, RegExp])[] = [
    ["a batch of nothing", () => store.batch(undefined as never), "INVALID_ARGUMENT", /list of operations/],
    ["a batch of null", () => store.batch([null] as never), "INVALID_ARGUMENT", /null is no operation/],
    [
      "a batch operation of a name that every object has",
      () => store.batch([{ type: "toString" }] as never),
      "INVALID_ARGUMENT",
      /"toString" is no operation/,
    ],
    [
      "a batch operation with a member too many",
      () => store.batch([{ type: "put", collection: "Account", document: account("b"), value: 1 }] as never),
      "UNKNOWN_OPTION",
      /"value"/,
    ],
    ["putMany of an object", () => accounts().putMany({} as never), "INVALID_ARGUMENT", /list of documents/],
    ["getMany of text", () => accounts().getMany("ab" as never), "INVALID_ARGUMENT", /list of primary keys/],
    [
      "byIndex without values",
      () => accounts().byIndex("Account_owner", undefined as never),
      "INVALID_ARGUMENT",
      /by a list/,
    ],
    [
      "a collection without options",
      () => collection("C", undefined as never),
      "INVALID_SCHEMA",
      /its options are/,
    ],
    ["a schema without anything", () => schema(undefined as never), "INVALID_SCHEMA", /not undefined/],
    [
      "a schema without collections",
      () => schema({ version: "1.0.0" } as never),
      "INVALID_SCHEMA",
      /its collections are a list/,
    ],
    [
      "a schema with a collection that is none",
      () => schema({ version: "1.0.0", collections: [null] } as never),
      "INVALID_SCHEMA",
      /null is no collection/,
    ],
    [
      "a schema with a member that means nothing",
      () => schema({ version: "1.0.0", collections: [], indexes: [] } as never),
      "INVALID_SCHEMA",
      /no member "indexes"/,
    ],
    [
      "a condition with a member that means nothing",
      () =>
        accounts()
          .query()
          .where(() => ({ op: "in", field: "owner", values: [], value: "ada" }) as never)
          .all(),
      "INVALID_ARGUMENT",
      /no member "value"/,
    ],
    [
      "a condition of a name that every object has",
      () =>
        accounts()
          .query()
          .where("owner", "toString" as never, 1 as never)
          .all(),
      "INVALID_ARGUMENT",
      /no operator/,
    ],
    [
      "a snapshot of something",
      () => store.snapshot({ version: 7 } as never),
      "INVALID_ARGUMENT",
      /no options/,
    ],
    [
      "a build at a rate that is no number",
      () => store.indexes.build("Account", "Account_owner", { itemsPerSecondMax: Number.NaN }),
      "INVALID_ARGUMENT",
      /itemsPerSecondMax/,
    ],
    [
      "a build with half an item in line",
      () => store.indexes.rebuild("Account", "Account_owner", { inlineItems: 0.5 }),
      "INVALID_ARGUMENT",
      /inlineItems/,
    ],
  ];

  test.each(rows)("%s", async (_what, act, code, message) => {
    await expect((async () => act())()).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
  });
});

test("a store that is closed makes no contexts, and verifies nothing", async () => {
  await store.close();
  const closed = expect.objectContaining({ code: "CLOSED" });
  expect(() => store.context()).toThrow(closed);
  expect(() => store.indexes.verify({ intervalMs: 1 })).toThrow(closed);
});

test("two documents without a unique field have one value, unless the index is sparse", async () => {
  const Plain = collection("Plain", {
    schema: s.object({ id: s.string(), mail: s.optional(s.string()) }),
    primaryKey: "id",
    indexes: [scalar("mail", { unique: true })],
  });
  const Sparse = collection("Sparse", {
    schema: Plain.schema,
    primaryKey: "id",
    indexes: [scalar("mail", { unique: true, sparse: true })],
  });
  const own = await memoryDatabase();
  const other = await RecordStore.open(
    own,
    schema({ version: "1.0.0", collections: [Plain, Sparse] }),
    memoryWorld(),
  );
  await other.collection("Plain").put({ id: "a" });
  await expect(other.collection("Plain").put({ id: "b" })).rejects.toMatchObject({
    code: "UNIQUE_VIOLATION",
    field: "mail",
  });
  await other.collection("Sparse").putMany([{ id: "a" }, { id: "b" }]);
  expect(await other.collection("Sparse").count()).toBe(2);
  await other.close();
  await own.close();
});

test("a schema older than the stored one is refused, and the store is as it was", async () => {
  const older = schema({ version: "1.1.9", collections: [Account, Slow] });
  await expect(RecordStore.open(database, older, memoryWorld())).rejects.toMatchObject({
    code: "SCHEMA_TOO_OLD",
  });
  expect(await everything()).toEqual(before);
});
