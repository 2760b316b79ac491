/** How items are stored, end to end: what one set of options wrote, another reads. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { RecordStore, type RecordStoreOptions } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection } from "../../src/record/declaration.js";
import { RotatingKeys } from "../../src/record/pipeline/key-providers.js";
import type { ItemStorageOptions } from "../../src/record/pipeline/pipeline-options.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const Note = collection("Note", {
  schema: z.object({ id: z.number(), text: z.string() }),
  primaryKey: "id",
  indexes: [scalar("id", { name: "byId" })],
});
const SCHEMA = schema({ version: "1.0.0", collections: [Note] });
const KEYS = new RotatingKeys({ id: "k", bytes: new Uint8Array(32).fill(7) });

let database: StorageDatabase;
beforeEach(async () => {
  database = await memoryDatabase();
});
afterEach(() => database.close());

const open = (items: ItemStorageOptions): Promise<RecordStore<readonly [typeof Note]>> =>
  RecordStore.open(database, SCHEMA, memoryWorld(), { items });
const texts = (): Promise<string> =>
  database.read(async (reader) => {
    const rows = await reader.getRangeAll(Buffer.of(0), Buffer.of(0xff));
    return rows.map(([, value]) => Buffer.from(value).toString("latin1")).join();
  });

test("notes of every size are read under options that came later, in order and alone", async () => {
  const all = Array.from({ length: 8 }, (_, id) => ({
    id,
    text: `secret ${id} `.repeat(id % 2 === 0 ? 3 : 25_000),
  }));
  const ways: ItemStorageOptions[] = [
    {},
    { codec: "cbor" },
    { codec: "cbor", compression: "brotli" },
    { encryption: { keys: KEYS } },
  ];
  for (const [way, items] of ways.entries()) {
    const notes = (await open(items)).collection("Note");
    for (const note of all.filter(({ id }) => id % 4 === way)) await notes.put(note);
  }
  const store = await open({ compression: "gzip", encryption: { keys: KEYS, readUnencrypted: true } });
  const notes = store.collection("Note");
  expect(await notes.scan()).toEqual(all);
  expect(await notes.scan({ limit: 3 })).toEqual(all.slice(0, 3));
  for (const note of all) expect(await notes.get(note.id)).toEqual(note);
  for (const { id } of all) await notes.put({ id, text: "short" });
  expect(await notes.scan()).toEqual(all.map(({ id }) => ({ id, text: "short" })));
});

test("a note that is encrypted does not stand in the store, and needs its key", async () => {
  await (await open({ encryption: { keys: KEYS } }))
    .collection("Note")
    .put({ id: 1, text: "hidden treasure" });
  expect(await texts()).not.toContain("treasure");
  const other = new RotatingKeys({ id: "k", bytes: new Uint8Array(32) });
  for (const [items, code] of [
    [{}, "UNKNOWN_ENCRYPTION_KEY"],
    [{ encryption: { keys: other } }, "DECRYPTION_FAILED"],
  ] as const) {
    const notes = (await open(items)).collection("Note");
    await expect(notes.get(1)).rejects.toEqual(expect.objectContaining({ code }));
  }
  const wrong = { items: { codec: "xml" } } as unknown as RecordStoreOptions;
  await expect(RecordStore.open(database, SCHEMA, memoryWorld(), wrong)).rejects.toThrow(
    /"codec" must be one of/,
  );
});
