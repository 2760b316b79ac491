/** What the tests of scrubs share: a collection with indexes of all kinds that can be scrubbed, and damage below the records. */
import { z } from "zod";
import { RecordStore } from "../../../src/collection/record-store.js";
import { schema } from "../../../src/collection/schema.js";
import type { RecordWorld } from "../../../src/collection/shared-store.js";
import { catalogued, storedIndex } from "../../../src/index/environment.js";
import { count } from "../../../src/index/kinds/count.js";
import { min } from "../../../src/index/kinds/extreme.js";
import { scalar } from "../../../src/index/kinds/scalar.js";
import { sum } from "../../../src/index/kinds/sum.js";
import { versions } from "../../../src/index/kinds/versions.js";
import { indexCopy, selected } from "../../../src/index/maintenance.js";
import { collection } from "../../../src/record/declaration.js";
import type { Database } from "../../../src/transaction/transaction.js";

export const Doc = collection("Doc", {
  schema: z.object({
    id: z.number(),
    email: z.string(),
    group: z.string(),
    value: z.number(),
    tags: z.array(z.string()),
  }),
  primaryKey: "id",
  indexes: [
    scalar("email", { name: "email", unique: true }),
    scalar("group", { name: "group", covering: ["value"] }),
    scalar("tags[]", { name: "tags" }),
    scalar("value", { name: "big", where: { op: ">=", field: "value", value: 3 } }),
    min("value", { name: "least", by: ["group"] }),
    count({ name: "number", by: ["group"] }),
    sum("value", { name: "total", by: ["group"] }),
    versions({ name: "history" }),
  ],
});
const SCHEMA = schema({ version: "1.0.0", collections: [Doc] });

export type DocStore = RecordStore<readonly [typeof Doc]>;
export type Flat = "email" | "group" | "tags" | "big" | "least";
export const FLAT: readonly Flat[] = ["email", "group", "tags", "big", "least"];

export function document(id: number, value = id % 7) {
  return { id, email: `${id}@x`, group: `g${value % 3}`, value, tags: [`t${value % 2}`, `u${id % 3}`] };
}

export async function openDocs(database: Database, world: RecordWorld, documents: number): Promise<DocStore> {
  const store = await RecordStore.open(database, SCHEMA, world);
  await store.transact(async (transaction) => {
    for (let id = 0; id < documents; id++) await transaction.collection("Doc").put(document(id));
  });
  return store;
}

export type Rows = ReadonlyMap<string, string>;

export const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
export const bytes = (text: string): Uint8Array => Buffer.from(text, "hex");

/** The rows of an index as they are, and as its documents say. */
export async function rowsOf(store: DocStore, index: string): Promise<{ actual: Rows; expected: Rows }> {
  const { database, catalogues, maintenance } = store.shared;
  return database.read(async (reader) => {
    const found = catalogued(await catalogues.peek(reader), "Doc");
    const stored = storedIndex(found, index);
    const { maintainer } = indexCopy(found, stored, stored.generation, false, maintenance);
    const { begin, end } = maintainer.context.space.range();
    const rows = await reader.getRangeAll(begin, end);
    const items = store.shared.itemsOf(found);
    const expected = new Map<string, string>();
    for await (const item of items.scan(reader, items.space.range())) {
      const held = selected(stored, item);
      for (const entry of held === null ? [] : (maintainer.entries?.of(held) ?? []))
        expected.set(hex(entry.key), hex(entry.value));
    }
    return { actual: new Map(rows.map(([key, value]) => [hex(key), hex(value)])), expected };
  });
}

export async function spaceOf(store: DocStore, index: string) {
  const { database, catalogues, maintenance } = store.shared;
  return database.read(async (reader) => {
    const found = catalogued(await catalogues.peek(reader), "Doc");
    const stored = storedIndex(found, index);
    return {
      index: indexCopy(found, stored, stored.generation, false, maintenance).maintainer.context.space,
      items: store.shared.itemsOf(found),
    };
  });
}
