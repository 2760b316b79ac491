/** Relationships: what they lead to, what a deletion does to those that name the document, and keys that must lead somewhere. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { RecordStore } from "../../src/collection/record-store.js";
import { type RelatedBy, relationship } from "../../src/collection/relationships.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection, type DocumentOf } from "../../src/record/declaration.js";
import { s } from "../../src/record/schema-builder.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const Author = collection("Author", {
  schema: s.object({ id: s.integer(), name: s.string(), mentorId: s.optional(s.integer()) }),
  primaryKey: "id",
});
const Book = collection("Book", {
  schema: s.object({
    id: s.string(),
    authorId: s.nullable(s.integer()),
    reviewerIds: s.array(s.integer()),
    chapters: s.array(s.object({ editorId: s.optional(s.integer()) })),
  }),
  primaryKey: "id",
  indexes: [scalar(["authorId", "id"])],
});
const Copy = collection("Copy", {
  schema: s.object({ id: s.integer(), bookId: s.string(), shelfId: s.nullable(s.string()) }),
  primaryKey: "id",
});
const Shelf = collection("Shelf", { schema: s.object({ id: s.string() }), primaryKey: "id" });

const writtenBy = relationship("writtenBy", { from: Book, field: "authorId", to: Author });
const reviewedBy = relationship("reviewedBy", { from: Book, field: "reviewerIds[]", to: Author });
const editedBy = relationship("editedBy", { from: Book, field: "chapters[].editorId", to: Author });
const taughtBy = relationship("taughtBy", {
  from: Author,
  field: "mentorId",
  to: Author,
  onDelete: "cascade",
});
const copyOf = relationship("copyOf", { from: Copy, field: "bookId", to: Book, onDelete: "cascade" });
const standsOn = relationship("standsOn", {
  from: Copy,
  field: "shelfId",
  to: Shelf,
  onDelete: "deny",
  enforced: true,
});

const SCHEMA = schema({
  version: "1.0.0",
  collections: [Author, Book, Copy, Shelf],
  relationships: [writtenBy, reviewedBy, editedBy, taughtBy, copyOf, standsOn],
});

// @ts-expect-error A field of another type than the primary key.
relationship("x", { from: Book, field: "id", to: Author });
// @ts-expect-error A field that is not there.
relationship("x", { from: Book, field: "author", to: Author });

let database: StorageDatabase;
let store: RecordStore<typeof SCHEMA.collections>;

beforeEach(async () => {
  database = await memoryDatabase();
  store = await RecordStore.open(database, SCHEMA, memoryWorld());
  await store.transact(async (t) => {
    for (const id of [1, 2, 3]) await t.collection("Author").put({ id, name: `A${id}` });
    await t.collection("Book").put(book("b", 1, [2, 9, 1], [3]));
    await t.collection("Book").put(book("c", null, [2], []));
  });
});

afterEach(async () => {
  await store.close();
  await database.close();
});

function book(id: string, authorId: number | null, reviewerIds: number[], editorIds: number[]) {
  return { id, authorId, reviewerIds, chapters: editorIds.map((editorId) => ({ editorId })) };
}

const remove = (name: "Author" | "Book" | "Shelf", key: never) =>
  store.transact((t) => t.deleteEnforcingRelationships(name, key));

describe("a relationship", () => {
  test("leads to one document or null, or to those of a list that are there, in its order", async () => {
    expectTypeOf<RelatedBy<typeof writtenBy>>().toEqualTypeOf<DocumentOf<typeof Author> | null>();
    expectTypeOf<RelatedBy<typeof reviewedBy>>().toEqualTypeOf<DocumentOf<typeof Author>[]>();
    await store.transact(async (t) => {
      const [b, c] = (await t.collection("Book").scan()) as [
        DocumentOf<typeof Book>,
        DocumentOf<typeof Book>,
      ];
      expect(await t.related(writtenBy, b)).toEqual({ id: 1, name: "A1" });
      expect(await t.related(writtenBy, c)).toBe(null);
      expect(await t.related(writtenBy, { ...c, authorId: 77 })).toBe(null);
      expect((await t.related(reviewedBy, b)).map(({ id }) => id)).toEqual([2, 1]);
      const joined = await t.joining(reviewedBy, [b, c]);
      expect(joined.map(({ document, related }) => [document.id, related.length])).toEqual([
        ["b", 2],
        ["c", 1],
      ]);
      const undeclared = relationship("undeclared", { from: Book, field: "authorId", to: Author });
      await expect(t.related(undeclared, b)).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    });
  });

  test("has an index over its key, its own only where none serves", async () => {
    const names = async (name: string) =>
      (await store.listCollections()).find((one) => one.name === name)?.indexes;
    expect(await names("Book")).toEqual([
      "Book_authorId_id",
      "Book_reviewerIds[]",
      "Book_chapters[].editorId",
    ]);
    expect(await names("Copy")).toEqual(["Copy_bookId", "Copy_shelfId"]);
  });

  test("cannot be declared with what makes no sense", () => {
    const refused = expect.objectContaining({ code: "INVALID_SCHEMA" });
    const base = { from: Book, field: "authorId", to: Author } as const;
    expect(() => relationship("x", { ...base, onDelete: "destroy" as never })).toThrow(refused);
    expect(() => relationship("x", { ...base, ondelete: "deny" } as never)).toThrow(refused);
    expect(() => relationship("", base)).toThrow(refused);
    const one = { version: "1.0.0", collections: [Book] } as const;
    expect(() => schema({ ...one, relationships: [writtenBy] })).toThrow(refused);
    const two = { version: "1.0.0", collections: [Book, Author] } as const;
    expect(() => schema({ ...two, relationships: [writtenBy, writtenBy] })).toThrow(refused);
  });
});

describe("a deletion by the rules", () => {
  test("takes the key out of those that name the document: null, no field, one element less", async () => {
    expect(await remove("Author", 1 as never)).toEqual({ deleted: 1, nullified: 1 });
    expect(await store.collection("Book").get("b")).toEqual(book("b", null, [2, 9], [3]));
    expect(await remove("Author", 3 as never)).toEqual({ deleted: 1, nullified: 1 });
    expect(await store.collection("Book").get("b")).toEqual({
      ...book("b", null, [2, 9], []),
      chapters: [{}],
    });
    expect(await remove("Author", 3 as never)).toEqual({ deleted: 0, nullified: 0 });
  });

  test("goes on along cascades, and ends where they make a circle", async () => {
    await store.transact(async (t) => {
      for (const [id, mentorId] of [
        [1, 3],
        [2, 1],
        [3, 2],
        [4, 3],
        [5, 5],
      ] as const)
        await t.collection("Author").put({ id, name: "x", mentorId });
    });
    expect(await remove("Author", 2 as never)).toEqual({ deleted: 4, nullified: 2 });
    expect(await store.collection("Author").scan()).toMatchObject([{ id: 5 }]);
    expect(await store.collection("Book").get("b")).toEqual({
      ...book("b", null, [9], []),
      chapters: [{}],
    });
  });

  test("is refused with the number of those in the way, and then nothing has changed", async () => {
    await store.transact(async (t) => {
      await t.collection("Shelf").put({ id: "s" });
      for (const id of [1, 2]) await t.collection("Copy").put({ id, bookId: "b", shelfId: "s" });
    });
    const error = await remove("Shelf", "s" as never).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "DELETE_DENIED", collection: "Shelf", value: "s" });
    expect(String(error)).toContain('2 of "Copy" name it');
    expect(await remove("Book", "b" as never)).toEqual({ deleted: 3, nullified: 0 });
    expect(await remove("Shelf", "s" as never)).toEqual({ deleted: 1, nullified: 0 });
  });

  test("is refused where a document must have the key that it would lose", async () => {
    const Note = collection("Note", {
      schema: s.object({ id: s.string(), shelfId: s.string() }),
      primaryKey: "id",
    });
    const on = relationship("on", { from: Note, field: "shelfId", to: Shelf });
    const other = await memoryDatabase();
    const notes = await RecordStore.open(
      other,
      schema({ version: "1.0.0", collections: [Note, Shelf], relationships: [on] }),
      memoryWorld(),
    );
    await notes.collection("Shelf").put({ id: "s" });
    await notes.collection("Note").put({ id: "n", shelfId: "s" });
    await expect(notes.transact((t) => t.deleteEnforcingRelationships("Shelf", "s"))).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      collection: "Note",
      field: "shelfId",
    });
    expect(await notes.collection("Shelf").get("s")).toEqual({ id: "s" });
    await notes.close();
    await other.close();
  });
});

describe("a key", () => {
  test("may lead nowhere, unless its relationship is enforced", async () => {
    await store.collection("Book").put(book("d", 99, [98], []));
    await store.collection("Author").delete(1);
    const copies = store.collection("Copy");
    await expect(copies.put({ id: 1, bookId: "none", shelfId: "s" })).rejects.toMatchObject({
      code: "DANGLING_REFERENCE",
      collection: "Copy",
      field: "shelfId",
      value: "s",
    });
    await copies.put({ id: 1, bookId: "none", shelfId: null });
    await store.transact(async (t) => {
      await t.collection("Copy").put({ id: 2, bookId: "b", shelfId: "s" });
      await t.collection("Shelf").put({ id: "s" });
    });
    await expect(store.collection("Shelf").delete("s")).rejects.toMatchObject({
      code: "DANGLING_REFERENCE",
      collection: "Shelf",
      value: "s",
    });
    await store.transact(async (t) => {
      await t.collection("Shelf").delete("s");
      await t.collection("Copy").delete(2);
    });
    expect(await store.collection("Shelf").get("s")).toBeUndefined();
  });

  test("that is enforced holds against a deletion at the same time: one of the two fails", async () => {
    await store.collection("Shelf").put({ id: "s" });
    for (let round = 0; round < 5; round++) {
      const results = await Promise.allSettled([
        store.collection("Copy").put({ id: round, bookId: "b", shelfId: "s" }),
        store.collection("Shelf").delete("s"),
      ]);
      expect(results.filter(({ status }) => status === "rejected")).toHaveLength(1);
      await store.transact(async (t) => {
        await t.collection("Copy").delete(round);
        await t.collection("Shelf").put({ id: "s" });
      });
    }
  });
});
