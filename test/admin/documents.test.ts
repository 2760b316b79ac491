/**
 * Collections by their stored catalogue: documents come back as they are, what is written keeps every index, and what the catalogue
 * cannot keep is not written.
 */
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { collection, count, polymorphic, recordsOn, s, scalar, schema } from "../../src/index.js";
import { type Serving, serving } from "./serving.js";

const person = collection("Person", {
  schema: s.object({
    id: s.integer(),
    name: s.string({ min: 1 }),
    city: s.default(s.string(), "nowhere"),
    born: s.optional(s.date()),
    photo: s.optional(s.bytes()),
  }),
  primaryKey: "id",
  indexes: [scalar("city"), scalar("name", { unique: true }), count({ by: ["city"] })],
});
const note = collection("Note", {
  schema: z.object({ id: z.string(), text: z.string() }),
  primaryKey: "id",
  indexes: [scalar("text")],
});
const cat = collection("Cat", { schema: s.object({ id: s.string(), lives: s.integer() }), primaryKey: "id" });
const dog = collection("Dog", { schema: s.object({ id: s.string() }), primaryKey: "id" });
const animal = polymorphic("Animal", [cat, dog], { indexes: [] });
const SCHEMA = schema({ version: "1.0.0", collections: [person, note, cat, animal] });

async function servingRecords(): Promise<{
  readonly admin: Serving;
  readonly records: Awaited<ReturnType<typeof open>>;
}> {
  const admin = await serving();
  return { admin, records: await open(admin) };
}

function open(admin: Serving) {
  return recordsOn(admin.database, SCHEMA);
}

describe("the catalogue", () => {
  it("is empty where no program has declared collections", async () => {
    await using admin = await serving();
    expect((await admin.ask("GET", "/v1/collections")).body).toMatchObject({
      schemaVersion: null,
      collections: [],
    });
    expect((await admin.ask("GET", "/v1/collections/Person/documents")).body.code).toBe("NOT_FOUND");
  });

  it("names collections and indexes, and says of each collection whether it can be written here", async () => {
    const { admin } = await servingRecords();
    await using _ = admin;
    const { body } = await admin.ask("GET", "/v1/collections");
    const writable = body.collections.map(({ name, isWritable }: { name: string; isWritable: boolean }) => [
      name,
      isWritable,
    ]);
    expect([body.schemaVersion, Object.fromEntries(writable)]).toEqual([
      "1.0.0",
      { Person: true, Note: false, Cat: false, Animal: false },
    ]);
    const { indexes } = (await admin.ask("GET", "/v1/collections/Person/indexes")).body;
    expect(indexes.map(({ index, state }: { index: string; state: string }) => [index, state])).toEqual([
      ["Person_city", "readable"],
      ["Person_name", "readable"],
      ["Person_count_city", "readable"],
    ]);
    expect((await admin.ask("GET", "/v1/collections/Person")).body.fields).toMatchObject({ type: "object" });
    const unknown = await admin.ask("GET", "/v1/collections/Nobody");
    expect([unknown.status, unknown.body.code]).toEqual([404, "UNKNOWN_COLLECTION"]);
  });
});

describe("a document", () => {
  it("comes back as it was stored, what JSON has no word for tagged", async () => {
    const { admin, records } = await servingRecords();
    await using _ = admin;
    await records
      .collection("Person")
      .put({ id: 7, name: "Ada", born: new Date(0), photo: Uint8Array.of(1, 2, 3) });
    const { body } = await admin.ask("GET", "/v1/collections/Person/documents/7?keyType=json");
    expect(body.document).toEqual({
      key: "7",
      keyType: "json",
      document: { id: 7, name: "Ada", city: "nowhere", born: { $date: 0 }, photo: { $bytes: "AQID" } },
    });
  });

  it("that is written over HTTP is in every index, and gone from them when it is deleted", async () => {
    const { admin, records } = await servingRecords();
    await using _ = admin;
    const people = records.collection("Person");
    const put = (id: number, document: unknown) =>
      admin.ask("PUT", `/v1/collections/Person/documents/${id}?keyType=json`, { document });
    const created = await put(1, { id: 1, name: "Ada", city: "London", born: { $date: 5 } });
    expect([created.status, created.headers.get("location")]).toEqual([
      201,
      "/v1/collections/Person/documents/1?keyType=json",
    ]);
    expect(await people.byIndex("Person_city", ["London"])).toEqual([
      { id: 1, name: "Ada", city: "London", born: new Date(5) },
    ]);
    expect((await put(1, { id: 1, name: "Ada" })).status).toBe(200);
    expect(await people.byIndex("Person_city", ["London"])).toEqual([]);
    expect(await people.byIndex("Person_city", ["nowhere"])).toHaveLength(1);
    expect((await admin.ask("DELETE", "/v1/collections/Person/documents/1?keyType=json")).status).toBe(200);
    expect((await admin.ask("DELETE", "/v1/collections/Person/documents/1?keyType=json")).status).toBe(404);
    for (const index of ["Person_city", "Person_name", "Person_count_city"] as const)
      expect((await records.indexes.scrub("Person", index)).findings).toEqual([]);
  });

  it.each([
    ["VALIDATION_FAILED", 400, { id: 1, name: "" }],
    ["VALIDATION_FAILED", 400, { id: 1, name: "Eve", extra: 1 }],
    ["PRIMARY_KEY_CHANGED", 400, { id: 2, name: "Eve" }],
    ["UNIQUE_VIOLATION", 409, { id: 1, name: "Ada" }],
    ["INVALID_ARGUMENT", 400, { id: 1, name: { $what: 1 } }],
    ["INVALID_PRIMARY_KEY", 400, "no document"],
  ])("is refused with %s, and then nothing is written", async (code, status, document) => {
    const { admin, records } = await servingRecords();
    await using _ = admin;
    await records.collection("Person").put({ id: 9, name: "Ada" });
    const { version } = (await admin.ask("GET", "/v1/health")).body;
    const answer = await admin.ask("PUT", "/v1/collections/Person/documents/1?keyType=json", { document });
    expect([answer.status, answer.body.code]).toEqual([status, code]);
    expect((await admin.ask("GET", "/v1/health")).body.version).toBe(version);
  });

  it.each(["Note", "Cat", "Animal"])(
    "of %s, which the catalogue alone cannot keep, is read and not written",
    async (name) => {
      const { admin, records } = await servingRecords();
      await using _ = admin;
      await records.collection("Note").put({ id: "x", text: "hello" });
      await records.collection("Cat").put({ id: "x", lives: 9 });
      const key = name === "Animal" ? `${encodeURIComponent('["Cat","x"]')}?keyType=json` : "x";
      const found = await admin.ask("GET", `/v1/collections/${name}/documents/${key}`);
      expect([found.status, found.body.document.document.id]).toEqual([200, "x"]);
      const listed = await admin.ask("GET", `/v1/collections/${name}/documents`);
      expect(listed.body.documents).toEqual([found.body.document]);
      for (const method of ["PUT", "DELETE"]) {
        const body = method === "PUT" ? { document: found.body.document.document } : undefined;
        const refused = await admin.ask(method, `/v1/collections/${name}/documents/${key}`, body);
        expect([refused.status, refused.body.code]).toEqual([409, "UNMAINTAINABLE_COLLECTION"]);
      }
    },
  );
});

describe("pages of documents", () => {
  it("hold each once, by primary key and by index, forwards and backwards, also at a snapshot", async () => {
    const { admin, records } = await servingRecords();
    await using _ = admin;
    const people = records.collection("Person");
    for (let id = 0; id < 23; id++)
      await people.put({ id, name: `n${id}`, city: id % 2 === 0 ? "even" : "odd" });
    const { id: snapshot } = (await admin.ask("POST", "/v1/snapshots", {})).body;
    await people.put({ id: 100, name: "late", city: "even" });
    const all = async (query: string): Promise<number[]> => {
      const found: number[] = [];
      for (let token: string | undefined, pages = 0; pages === 0 || token !== undefined; pages++) {
        const next = token === undefined ? "" : `&pageToken=${token}`;
        const page = await admin.ask("GET", `/v1/collections/Person/documents?limit=5&${query}${next}`);
        expect(page.status).toBe(200);
        found.push(...page.body.documents.map((one: { document: { id: number } }) => one.document.id));
        token = page.body.nextPageToken;
      }
      return found;
    };
    const ids = Array.from({ length: 23 }, (_, id) => id);
    const even = ids.filter((id) => id % 2 === 0);
    expect(await all("")).toEqual([...ids, 100]);
    expect(await all(`snapshot=${snapshot}`)).toEqual(ids);
    expect(await all(`snapshot=${snapshot}&reverse=true`)).toEqual(ids.toReversed());
    const values = `index=Person_city&values=${encodeURIComponent('["even"]')}`;
    expect(await all(values)).toEqual([...even, 100]);
    expect(await all(`${values}&reverse=true&snapshot=${snapshot}`)).toEqual(even.toReversed());
  });

  it("ask only indexes that there are, that are readable and that order documents", async () => {
    const { admin } = await servingRecords();
    await using _ = admin;
    const codeOf = async (query: string): Promise<unknown> =>
      (await admin.ask("GET", `/v1/collections/Person/documents?${query}`)).body.code;
    expect(await codeOf("index=nothing")).toBe("UNKNOWN_INDEX");
    expect(await codeOf("index=Person_count_city")).toBe("WRONG_INDEX_KIND");
    expect(await codeOf("values=[]")).toBe("INVALID_ARGUMENT");
    expect(await codeOf("index=Person_city&values=%5B1,2%5D")).toBe("INVALID_ARGUMENT");
    expect(await codeOf("index=Person_city&values=x")).toBe("INVALID_ARGUMENT");
  });
});

describe("rows under records", () => {
  it("are not written as rows: documents and indexes would no longer agree", async () => {
    const { admin, records } = await servingRecords();
    await using _ = admin;
    await records.collection("Person").put({ id: 1, name: "Ada" });
    const { rows } = (await admin.ask("GET", "/v1/rows?keyEncoding=hex&limit=1000")).body;
    const keys = rows.map(({ key }: { key: string }) => key).filter((key: string) => !key.startsWith("ff"));
    expect(keys.length).toBeGreaterThan(5);
    for (const key of keys) {
      const path = `/v1/rows/${key}?keyEncoding=hex`;
      for (const [method, body] of [
        ["PUT", { value: "" }],
        ["DELETE", undefined],
      ] as const)
        expect((await admin.ask(method, path, body)).body.code).toBe("PROTECTED_RANGE");
    }
    const writes = [{ type: "deleteRange", from: "", to: "ff" }];
    const cleared = await admin.ask("POST", "/v1/transactions", { keyEncoding: "hex", writes });
    expect([cleared.status, cleared.body.code]).toEqual([409, "PROTECTED_RANGE"]);
    expect((await admin.ask("PUT", "/v1/rows/mine", { value: "1" })).status).toBe(201);
  });
});
