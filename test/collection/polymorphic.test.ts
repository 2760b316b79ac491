/** Collections of several types: one key space and its indexes, mixed results, and both places of a type that has its own. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { z } from "zod";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection, type DocumentOf, type KeyOf } from "../../src/record/declaration.js";
import { polymorphic, typeCode } from "../../src/record/polymorphic.js";
import { s } from "../../src/record/schema-builder.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const Photo = collection("Photo", {
  schema: s.object({ id: s.string(), title: s.string(), width: s.integer() }),
  primaryKey: "id",
  indexes: [scalar("width")],
});
const Video = collection("Video", {
  schema: s.object({ id: s.string(), title: s.string(), seconds: s.number() }),
  primaryKey: "id",
});
const Media = polymorphic("Media", [Photo, Video], { indexes: [scalar("title"), scalar("seconds")] });
const SCHEMA = schema({ version: "1.0.0", collections: [Media, Photo] });

let database: StorageDatabase;
let store: RecordStore<typeof SCHEMA.collections>;

beforeEach(async () => {
  database = await memoryDatabase();
  store = await RecordStore.open(database, SCHEMA, memoryWorld());
});

afterEach(async () => {
  await store.close();
  await database.close();
});

const photo = { id: "1", title: "Sea", width: 100 };
const video = { id: "1", title: "Sea", seconds: 2.5 };

describe("a collection of several types", () => {
  test("keeps documents of all, two of one id too, and finds them by key and by index", async () => {
    const media = store.collection("Media");
    await media.put({ ...photo, type: "Photo" });
    await media.put({ ...video, type: "Video" });
    const both = await media.byIndex("Media_title", ["Sea"]);
    expect(both).toHaveLength(2);
    for (const one of both) {
      if (one.type === "Photo") expectTypeOf(one.width).toEqualTypeOf<number>();
      else expectTypeOf(one.seconds).toEqualTypeOf<number>();
    }
    expect(await media.get(["Photo", "1"])).toEqual({ ...photo, type: "Photo" });
    expect(await media.get(["Video", "1"])).toEqual({ ...video, type: "Video" });
    expect(await media.get(["Video", "2"])).toBeUndefined();
    expect(await media.byIndex("Media_seconds", [2.5])).toEqual([{ ...video, type: "Video" }]);
    expect(await media.scan()).toHaveLength(2);
    expectTypeOf<KeyOf<typeof Media>>().toEqualTypeOf<
      readonly [type: "Photo", primaryKey: string] | readonly [type: "Video", primaryKey: string]
    >();
    expectTypeOf<DocumentOf<typeof Media>["type"]>().toEqualTypeOf<"Photo" | "Video">();
    // @ts-expect-error A type that is none of them.
    await expect(media.get(["Text", "1"])).rejects.toMatchObject({ code: "INVALID_PRIMARY_KEY" });
    // @ts-expect-error A field of another type.
    await expect(media.put({ ...photo, type: "Video" })).rejects.toMatchObject({ code: "VALIDATION_FAILED" });
  });

  test("and a type's own collection hold the same, whichever is written", async () => {
    const media = store.collection("Media");
    const photos = store.collection("Photo");
    await photos.put(photo);
    expect(await media.get(["Photo", "1"])).toEqual({ ...photo, type: "Photo" });
    await media.put({ ...photo, width: 7, title: "Land", type: "Photo" });
    expect(await photos.byIndex("Photo_width", [7])).toEqual([{ ...photo, width: 7, title: "Land" }]);
    expect(await photos.byIndex("Photo_width", [100])).toEqual([]);
    expect(await media.byIndex("Media_title", ["Sea"])).toEqual([]);
    await photos.update("1", { title: "Sky" });
    expect(await media.byIndex("Media_title", ["Sky"])).toHaveLength(1);
    expect(await media.delete(["Photo", "1"])).toBe(true);
    expect(await photos.scan()).toEqual([]);
    await photos.putMany([photo, { ...photo, id: "2" }]);
    expect(await photos.delete("2")).toBe(true);
    expect(await media.scan()).toEqual([{ ...photo, type: "Photo" }]);
    // A type without a collection of its own is in one place.
    await media.put({ ...video, type: "Video" });
    expect(await media.scan()).toHaveLength(2);
  });

  test("are written both or not at all, also when the other cannot be read and the error is caught", async () => {
    const photos = store.collection("Photo");
    await photos.put(photo);
    const rows = await database.read((reader) => reader.getRangeAll(new Uint8Array(0), Uint8Array.of(0xff)));
    const [other] = rows.find(([, value]) => Buffer.from(value).includes('"type":"Photo"')) ?? [];
    if (other === undefined) throw new Error("the mirror is not stored where the test looks for it");
    await database.transact((transaction) => transaction.set(other, Uint8Array.of(1, 1, 0, 0, 0x7b)));
    const changes = [
      () => photos.put({ ...photo, width: 7 }),
      () => photos.putMany([{ ...photo, width: 7 }]),
      () => photos.delete("1"),
    ];
    for (const change of changes) {
      await expect(change()).rejects.toMatchObject({ code: "ITEM_CORRUPT" });
    }
    await expect(
      store.transact(async (transaction) => {
        await expect(transaction.collection("Photo").put({ ...photo, width: 7 })).rejects.toThrow();
      }),
    ).rejects.toMatchObject({ code: "ITEM_CORRUPT" });
    expect(await photos.get("1")).toEqual(photo);
  });

  test("takes types of other schema libraries, and says which types there are", async () => {
    const Text = collection("Text", {
      schema: z.object({ id: z.number(), body: z.string() }),
      primaryKey: "id",
    });
    const Mixed = polymorphic("Mixed", [Text, Video]);
    const other = await RecordStore.open(
      await memoryDatabase(),
      schema({ version: "1.0.0", collections: [Mixed] }),
      memoryWorld(),
    );
    await other.collection("Mixed").put({ type: "Text", id: 5, body: "x" });
    expect(await other.collection("Mixed").get(["Text", 5])).toEqual({ type: "Text", id: 5, body: "x" });
    await expect(other.collection("Mixed").put({ ...photo, type: "Photo" } as never)).rejects.toMatchObject({
      code: "VALIDATION_FAILED",
      field: "type",
    });
    await other.close();
  });

  test("cannot be declared with types of one code, the same twice, with a field type, or none", () => {
    const refused = expect.objectContaining({ code: "INVALID_SCHEMA" });
    const named = (name: string) => collection(name, { schema: Photo.schema, primaryKey: "id" });
    expect(typeCode("Ab")).toBe(typeCode("BA"));
    expect(() => polymorphic("P", [named("Ab"), named("BA")])).toThrow(refused);
    expect(() => polymorphic("P", [Photo, Photo])).toThrow(refused);
    expect(() => polymorphic("P", [])).toThrow(refused);
    const Typed = collection("Typed", {
      schema: s.object({ id: s.string(), type: s.string() }),
      primaryKey: "id",
    });
    expect(() => polymorphic("P", [Typed])).toThrow(refused);
  });
});
