/** Records end to end, over the engine on files in memory. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection } from "../../src/record/declaration.js";
import type { RecordError } from "../../src/record/record-error.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { TransactionError } from "../../src/transaction/errors.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const User = collection("User", {
  schema: z.object({
    id: z.string(),
    email: z.string(),
    age: z.number(),
    address: z.object({ city: z.string() }).optional(),
    tags: z.array(z.string()).default([]),
  }),
  primaryKey: "id",
  indexes: [
    scalar("email", { unique: true }),
    scalar(["address.city", "age"], { name: "byCity" }),
    scalar("tags[]"),
  ],
});
const SCHEMA = schema({ version: "1.0.0", collections: [User] });

let database: StorageDatabase;
let store: RecordStore<readonly [typeof User]>;

beforeEach(async () => {
  database = await memoryDatabase();
  store = await RecordStore.open(database, SCHEMA, memoryWorld());
});

afterEach(async () => {
  await store.close();
  await database.close();
});

const ada = { id: "a", email: "ada@x", age: 36, address: { city: "London" }, tags: ["math", "x"] };
const bob = { id: "b", email: "bob@x", age: 20.5, address: { city: "London" }, tags: ["x"] };

describe("a collection", () => {
  test("gives back what was put, by key and by every index, also after changes", async () => {
    const users = store.collection("User");
    await users.put(ada);
    await users.put(bob);
    expect(await users.get("a")).toEqual(ada);
    expect(await users.get("none")).toBeUndefined();
    expect(await users.byIndex("User_email", ["bob@x"])).toEqual([bob]);
    expect(await users.byIndex("byCity", ["London"])).toEqual([bob, ada]);
    expect(await users.byIndex("User_tags[]", ["x"])).toEqual([ada, bob]);
    await users.put({ ...ada, email: "ada@y", address: undefined, tags: [] });
    expect(await users.byIndex("User_email", ["ada@x"])).toEqual([]);
    expect(await users.byIndex("byCity", ["London"])).toEqual([bob]);
    expect(await users.delete("b")).toBe(true);
    expect(await users.delete("b")).toBe(false);
    expect(await users.byIndex("User_tags[]", ["x"])).toEqual([]);
    expect(await users.scan()).toHaveLength(1);
  });

  test("keeps a unique value to one document, and lets two swap theirs in one transaction", async () => {
    const users = store.collection("User");
    await users.put(ada);
    await users.put(bob);
    const error: RecordError = await users.put({ ...bob, email: "ada@x" }).then(
      () => expect.unreachable(),
      (reason) => reason,
    );
    expect(error).toMatchObject({
      code: "UNIQUE_VIOLATION",
      collection: "User",
      index: "User_email",
      field: "email",
      value: "ada@x",
    });
    expect(await users.get("b")).toEqual(bob);
    await store.transact(async (transaction) => {
      const own = transaction.collection("User");
      await own.put({ ...ada, email: "bob@x" });
      await own.put({ ...bob, email: "ada@x" });
    });
    expect(await users.byIndex("User_email", ["ada@x"])).toMatchObject([{ id: "b" }]);
  });

  test("reads a scan both ways, large documents among small ones", async () => {
    const users = store.collection("User");
    const long = "x".repeat(200_000);
    for (const id of ["a", "b", "c", "b\0", "b\u0001"]) await users.put({ ...ada, id, email: id, tags: [] });
    await users.put({ ...ada, id: "b", email: long.slice(0, 10), address: { city: "Rome" }, tags: [] });
    const forward = (await users.scan()).map(({ id }) => id);
    expect(forward).toEqual(["a", "b", "b\0", "b\u0001", "c"]);
    expect((await users.scan({ reverse: true, limit: 2 })).map(({ id }) => id)).toEqual(["c", "b\u0001"]);
  });

  test("opens again with the same schema, and refuses another under the same version", async () => {
    await RecordStore.open(database, SCHEMA, memoryWorld());
    const other = collection("User", { schema: User.schema, primaryKey: "id", indexes: [scalar("age")] });
    await expect(
      RecordStore.open(database, schema({ version: "1.0.0", collections: [other] }), memoryWorld()),
    ).rejects.toMatchObject({ code: "SCHEMA_CHANGED" });
  });

  test("a write that nobody waited for does not get into the next try of its transaction", async () => {
    const users = store.collection("User");
    await users.put(ada);
    let tries = 0;
    let late: Promise<unknown> = Promise.resolve();
    await store.transact(async (transaction) => {
      if (++tries > 1) return;
      const own = transaction.collection("User");
      await own.get("a");
      const first = own.put({ ...ada, email: "first@x" });
      for (const email of ["late@x", "later@x", "last@x"])
        late = own.put({ ...ada, email }).catch((error: unknown) => error);
      await first;
      throw new TransactionError("NOT_COMMITTED", "as if somebody else had written.");
    });
    expect(tries).toBe(2);
    expect(await late).toMatchObject({ code: "USED_DURING_COMMIT" });
    expect(await users.get("a")).toEqual(ada);
    expect(await users.byIndex("User_email", ["ada@x"])).toEqual([ada]);
  });

  test("a change that one index has refused is not committed by who catches the error", async () => {
    const users = store.collection("User");
    await users.put(ada);
    const caught = store.transact(async (transaction) => {
      const own = transaction.collection("User");
      await own.put({ ...ada, email: "other@x", tags: ["\ud800"] }).catch(() => undefined);
    });
    await expect(caught).rejects.toMatchObject({ code: "INVALID_INDEX_VALUE", index: "User_tags[]" });
    expect(await users.byIndex("User_email", ["ada@x"])).toEqual([ada]);
    expect(await users.byIndex("User_email", ["other@x"])).toEqual([]);
  });
});
