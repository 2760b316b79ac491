/**
 * What a caller does to a document while it is written, and documents that look different each time they are looked at: what was
 * validated, what indexes are told and what is stored are one thing all the same.
 */
import { setImmediate } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { count } from "../../src/index/kinds/count.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { versions } from "../../src/index/kinds/versions.js";
import { Uuid } from "../../src/keyspace/tuple-elements.js";
import { collection } from "../../src/record/declaration.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

interface Thing {
  id: string | Uint8Array;
  x?: unknown;
}

/** A schema that gives back what it is given, as hand-written ones do. */
const AS_IT_IS: StandardSchemaV1<unknown, { id: string; x?: string | number | Date }> = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value: value as { id: string } }) },
};
const Things = collection("Thing", {
  schema: AS_IT_IS,
  primaryKey: "id",
  indexes: [
    scalar("x"),
    scalar("x", { name: "covering", covering: ["id"] }),
    count({ by: ["x"] }),
    versions({ keepLast: 2 }),
  ],
});
const SCHEMA = schema({ version: "1.0.0", collections: [Things] });

let database: StorageDatabase;
let store: RecordStore<readonly [typeof Things]>;

beforeEach(async () => {
  database = await memoryDatabase();
  store = await RecordStore.open(database, SCHEMA, memoryWorld());
});

afterEach(async () => {
  await store.close();
  await database.close();
});

const put = (thing: Thing): Promise<void> => store.collection("Thing").put(thing as never);

/** What is stored, and what scrubs have against the indexes. */
async function stored(): Promise<{ documents: unknown[]; problems: number }> {
  let problems = 0;
  for (const index of ["Thing_x", "covering", "Thing_count_x"] as const) {
    const { dangling, missing, wrong } = await store.indexes.scrub("Thing", index, { repair: false });
    problems += dangling + missing + wrong;
  }
  return { documents: await store.collection("Thing").scan(), problems };
}

describe("a document is stored as it was when it was given", () => {
  test("though its owner changes it and its key at once", async () => {
    const thing: Thing = { id: "a", x: 1 };
    const written = put(thing);
    thing.id = "b";
    thing.x = { no: "index holds this" };
    await written;
    expect(await stored()).toEqual({ documents: [{ id: "a", x: 1 }], problems: 0 });
  });

  test("though its owner changes it at every moment of the write", async () => {
    await put({ id: "a", x: 0 });
    const thing: Thing = { id: "a", x: 1 };
    const written = { isOver: false };
    const writing = put(thing).finally(() => {
      written.isOver = true;
    });
    for (let x = 2; !written.isOver; x++) {
      thing.x = x;
      await (x % 20 === 0 ? setImmediate() : Promise.resolve());
    }
    await writing;
    expect(await stored()).toEqual({ documents: [{ id: "a", x: 1 }], problems: 0 });
  });

  test("one object for several writes of a transaction", async () => {
    await store.transact(async (transaction) => {
      const thing: Thing = { id: "" };
      const writes = ["a", "b"].map((id) => {
        thing.id = id;
        thing.x = `x of ${id}`;
        return transaction.collection("Thing").put(thing as never);
      });
      await Promise.all(writes);
    });
    const documents = ["a", "b"].map((id) => ({ id, x: `x of ${id}` }));
    expect(await stored()).toEqual({ documents, problems: 0 });
  });

  test("dates and bytes within it, and bytes that name it", async () => {
    const day = new Date(5);
    const bytes = Buffer.from("key");
    const written = put({ id: bytes, x: day });
    day.setTime(6);
    bytes.fill(0);
    await written;
    const document = { id: Uint8Array.from(Buffer.from("key")), x: new Date(5) };
    expect(await stored()).toEqual({ documents: [document], problems: 0 });
    const key = Buffer.from("key");
    const removed = store.collection("Thing").delete(key as never);
    key.fill(0);
    expect(await removed).toBe(true);
  });
});

test("UUIDs are primary keys and values: stored as they were, found again, and gone when deleted", async () => {
  const text = "00112233-4455-6677-8899-aabbccddeeff";
  const id = Uuid.parse(text);
  const x = Uuid.parse("ffffffff-4455-6677-8899-aabbccddeeff");
  for (const codec of ["json", "cbor"] as const) {
    const Entry = collection("Entry", {
      schema: z.object({ id: z.instanceof(Uuid), x: z.instanceof(Uuid) }),
      primaryKey: "id",
      indexes: [scalar("x")],
    });
    const declared = schema({ version: "1.0.0", collections: [Entry] });
    const own = await RecordStore.open(await memoryDatabase(), declared, memoryWorld(), { items: { codec } });
    const entries = own.collection("Entry");
    const key = Uuid.parse(text);
    const written = entries.put({ id: key, x });
    key.bytes.fill(0);
    await written;
    const document = { id, x };
    expect(await entries.get(id)).toEqual(document);
    expect(await entries.byIndex("Entry_x", [x])).toEqual([document]);
    expect(await entries.query().where("x", "==", x).all()).toEqual([document]);
    expect(await own.indexes.scrub("Entry", "Entry_x")).toMatchObject({ dangling: 0, missing: 0, wrong: 0 });
    expect(await entries.delete(id)).toBe(true);
    await own.close();
  }
});

describe("indexes hold what is stored", () => {
  test("of a getter, what it gave once", async () => {
    let looks = 0;
    await put({
      id: "a",
      get x() {
        return ++looks;
      },
    });
    expect(await stored()).toEqual({ documents: [{ id: "a", x: 1 }], problems: 0 });
  });

  test("nothing of a member that no codec writes", async () => {
    const thing: Thing = { id: "a" };
    Object.defineProperty(thing, "x", { value: 7, enumerable: false });
    await put(thing);
    expect(await stored()).toEqual({ documents: [{ id: "a" }], problems: 0 });
    await expect(put(Object.defineProperty({}, "id", { value: "b" }) as Thing)).rejects.toMatchObject({
      code: "INVALID_PRIMARY_KEY",
    });
  });

  test("of a frozen object, of one without prototype, of members called __proto__", async () => {
    await put(Object.freeze({ id: "a", x: 1 }));
    await put(Object.assign(Object.create(null), { id: "b", x: 2 }) as Thing);
    await put(JSON.parse('{"id":"c","x":3,"__proto__":{"deep":1}}') as Thing);
    const { documents, problems } = await stored();
    expect(problems).toBe(0);
    expect(documents.map((document) => JSON.stringify(document))).toEqual([
      '{"id":"a","x":1}',
      '{"id":"b","x":2}',
      '{"__proto__":{"deep":1},"id":"c","x":3}',
    ]);
  });
});

describe("a schema that takes something else than it gives out", () => {
  const Entry = collection("Entry", {
    schema: z.object({
      id: z.string(),
      state: z.string().default("new"),
      size: z.union([z.string(), z.number()]).transform(Number),
    }),
    primaryKey: "id",
    indexes: [scalar("size")],
  });
  const OneWay = collection("OneWay", {
    schema: z.object({ id: z.string(), size: z.string().transform((text) => text.length) }),
    primaryKey: "id",
  });

  test("is given what it takes; stored, indexed, changed and given back is what it gives out", async () => {
    const declared = schema({ version: "1.0.0", collections: [Entry] });
    const own = await RecordStore.open(await memoryDatabase(), declared, memoryWorld());
    const entries = own.collection("Entry");
    await entries.put({ id: "a", size: "7" });
    expect(await entries.byIndex("Entry_size", [7])).toEqual([{ id: "a", state: "new", size: 7 }]);
    expect(await entries.update("a", { size: 8 })).toEqual({ id: "a", state: "new", size: 8 });
    await own.batch([{ type: "insert", collection: "Entry", document: { id: "b", size: 1, state: "old" } }]);
    expect(await entries.get("b")).toEqual({ id: "b", state: "old", size: 1 });
    await own.close();
  });

  test("and does not take that cannot update a document, and is told why", async () => {
    const declared = schema({ version: "1.0.0", collections: [OneWay] });
    const own = await RecordStore.open(await memoryDatabase(), declared, memoryWorld());
    const entries = own.collection("OneWay");
    await entries.put({ id: "a", size: "seven" });
    await expect(entries.update("a", { size: 8 })).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      collection: "OneWay",
      field: "size",
      message: expect.stringContaining("accept what it gives out") as string,
    });
    expect(await entries.get("a")).toEqual({ id: "a", size: 5 });
    await own.close();
  });
});

describe("a schema that does not do what the standard says", () => {
  const odd = (validate: (value: unknown) => unknown) =>
    collection("Odd", {
      schema: { "~standard": { version: 1, vendor: "test", validate: validate as never } } as typeof AS_IT_IS,
      primaryKey: "id",
    });
  const rows: readonly (readonly [string, (value: unknown) => unknown, object])[] = [
    [
      "answers by a promise of another realm",
      () => runInNewContext("Promise.reject(new Error('nobody waits for it'))"),
      { code: "ASYNC_VALIDATION", collection: "Odd" },
    ],
    ["answers nothing", () => undefined, { code: "VALIDATION_FAILED", collection: "Odd" }],
    [
      "throws",
      () => {
        throw new TypeError("not mine");
      },
      { code: "VALIDATION_FAILED", collection: "Odd", cause: new TypeError("not mine") },
    ],
  ];
  test.each(rows)("%s", async (_what, validate, error) => {
    const other = await memoryDatabase();
    const own = schema({ version: "1.0.0", collections: [odd(validate)] });
    const odds = await RecordStore.open(other, own, memoryWorld());
    await expect(odds.collection("Odd").put({ id: "a" })).rejects.toMatchObject(error);
    await odds.close();
    await other.close();
  });
});

test("a document with thousands of elements in one index is written, and written again with others", async () => {
  const other = await memoryDatabase();
  const Tagged = collection("Tagged", {
    schema: AS_IT_IS as unknown as StandardSchemaV1<unknown, { id: string; tags: number[] }>,
    primaryKey: "id",
    indexes: [scalar("tags[]")],
  });
  const own = schema({ version: "1.0.0", collections: [Tagged] });
  const tagged = await RecordStore.open(other, own, memoryWorld());
  const tags = Array.from({ length: 10_000 }, (_, at) => at);
  await tagged.collection("Tagged").put({ id: "a", tags });
  await tagged.collection("Tagged").put({ id: "a", tags: tags.map((tag) => tag + 1) });
  expect(await tagged.collection("Tagged").byIndex("Tagged_tags[]", [0])).toEqual([]);
  expect(await tagged.collection("Tagged").byIndex("Tagged_tags[]", [10_000])).toHaveLength(1);
  await tagged.close();
  await other.close();
});
