/** What the compiler must refuse: run by `tsc -p tsconfig.test.json`; the test at the end only says that it was. */
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { RecordStore } from "../../src/collection/record-store.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { collection, type IndexNameOf, type InputOf, type KeyOf } from "../../src/record/declaration.js";
import type { FieldPath, ValueAt } from "../../src/record/field-path.js";
import { polymorphic } from "../../src/record/polymorphic.js";
import { s } from "../../src/record/schema-builder.js";

const Order = collection("Order", {
  schema: z.object({
    id: z.number(),
    customer: z.string(),
    note: z.string().optional(),
    lines: z.array(z.object({ sku: z.string(), count: z.number() })),
    address: z.object({ city: z.string(), zip: z.string().nullable() }),
  }),
  primaryKey: "id",
  indexes: [
    scalar("customer"),
    scalar(["address.city", "address.zip"]),
    scalar("lines[].sku", { name: "bySku", unique: true }),
  ],
});

type Document = {
  id: number;
  customer: string;
  note?: string | undefined;
  lines: { sku: string; count: number }[];
  address: { city: string; zip: string | null };
};

const schema = Order.schema;

// @ts-expect-error A field that is not there.
collection("Order", { schema, primaryKey: "id", indexes: [scalar("custommer")] });
// @ts-expect-error A list without [].
collection("Order", { schema, primaryKey: "id", indexes: [scalar("lines.sku")] });
// @ts-expect-error A primary key that is not a field.
collection("Order", { schema, primaryKey: "key" });
// @ts-expect-error A primary key that may be missing.
collection("Order", { schema, primaryKey: "note" });

export function misuse(store: RecordStore<readonly [typeof Order]>): void {
  const orders = store.collection("Order");
  // @ts-expect-error A collection that is not declared.
  store.collection("Orders");
  // @ts-expect-error A key of the wrong type.
  void orders.get("1");
  // @ts-expect-error An index that is not declared.
  void orders.byIndex("Order_note", []);
  // @ts-expect-error A document without a field.
  void orders.put({ id: 1 });
  // @ts-expect-error A value of another type than the field of the index.
  void orders.byIndex("Order_customer", [1]);
  // @ts-expect-error The second value of the index alone.
  void orders.byIndex("Order_address.city_address.zip", [null]);
  // @ts-expect-error More values than the index has fields.
  void orders.byIndex("bySku", ["a", "b"]);
  void orders.byIndex("Order_address.city_address.zip", ["Rome", null]);
  // @ts-expect-error Keys that are numbers have no prefix.
  void orders.scan({ prefix: "1" });
  // @ts-expect-error A field that is not there.
  void orders.update(1, { custommer: "x" });
  // @ts-expect-error A function that gives no document.
  void orders.update(1, () => ({ id: 1 }));
  // @ts-expect-error A batch with a document of another type.
  void store.batch([{ type: "put", collection: "Order", document: { id: 1 } }]);
  // @ts-expect-error A batch with a collection that is not declared.
  void store.batch([{ type: "delete", collection: "Orders", primaryKey: 1 }]);
  store.addHook({
    before: ({ changes }) => {
      // @ts-expect-error A field that is not there.
      void changes("Order").inserted[0]?.custommer;
      // @ts-expect-error A collection that is not declared.
      changes("Orders");
    },
  });
}

const Draft = collection("Draft", {
  schema: z.object({
    id: z.string(),
    state: z.enum(["new", "done"]).default("new"),
    size: z.union([z.string(), z.number()]).transform(Number),
  }),
  primaryKey: "id",
  indexes: [scalar("size")],
});
const Own = collection("Own", {
  schema: s.object({ id: s.string(), rank: s.default(s.integer(), 1) }),
  primaryKey: "id",
});
const Mixed = polymorphic("Mixed", [Draft, Own]);

/** What a schema takes is written, what it gives out is read. */
export async function typesOfInput(
  store: RecordStore<readonly [typeof Draft, typeof Own, typeof Mixed]>,
): Promise<void> {
  const drafts = store.collection("Draft");
  await drafts.put({ id: "a", size: "7" });
  await drafts.putMany([{ id: "a", size: 7, state: "done" }]);
  await store.collection("Own").insert({ id: "a" });
  await store.batch([{ type: "insert", collection: "Draft", document: { id: "a", size: "7" } }]);
  await store.collection("Mixed").put({ type: "Draft", id: "a", size: "7" });
  // @ts-expect-error A field of another type than the schema takes.
  await drafts.put({ id: "a", size: true });
  // @ts-expect-error A field that no default is given for.
  await drafts.put({ id: "a" });
  // @ts-expect-error A change to what is given, not to what is stored.
  await drafts.update("a", { size: "7" });
  // @ts-expect-error An index holds what is stored.
  await drafts.byIndex("Draft_size", ["7"]);
  expectTypeOf(await drafts.get("a")).toEqualTypeOf<
    { id: string; state: "new" | "done"; size: number } | undefined
  >();
  expectTypeOf<InputOf<typeof Draft>>().toEqualTypeOf<{
    id: string;
    state?: "new" | "done" | undefined;
    size: string | number;
  }>();
  expectTypeOf<InputOf<typeof Order>>().toEqualTypeOf<Document>();
}

export function misuseOfQueries(store: RecordStore<readonly [typeof Order]>): void {
  const orders = store.collection("Order").query();
  // @ts-expect-error A field that is not there.
  orders.where("custommer", "==", "x");
  // @ts-expect-error A value of another type.
  orders.where("customer", "==", 5);
  // @ts-expect-error Null where the field is never null.
  orders.where("customer", "==", null);
  // @ts-expect-error An operator that is none.
  orders.where("customer", "=", "x");
  // @ts-expect-error A prefix of a number.
  orders.where("id", "hasPrefix", "1");
  // @ts-expect-error One value instead of a list.
  orders.where("customer", "in", "x");
  // @ts-expect-error A condition without a value.
  orders.where("customer", "==");
  // @ts-expect-error A field that is not there, within a condition.
  orders.where((c) => c.or(c.field("customer", "==", "x"), c.not(c.field("custommer", "isNull"))));
  // @ts-expect-error A list without [].
  orders.where("lines.sku", "==", "x");
  // @ts-expect-error An order by something that a document has many of.
  orders.orderBy("lines[].sku");
  // @ts-expect-error A direction that is none.
  orders.orderBy("customer", "down");
  // @ts-expect-error Nothing selected.
  orders.select();
  // @ts-expect-error A page of no size.
  void orders.page({});
}

export async function typesOfQueries(store: RecordStore<readonly [typeof Order]>): Promise<void> {
  const orders = store.collection("Order").query();
  const whole = orders
    .where("address.zip", "==", null)
    .where("lines[].count", ">", 3)
    .where((c) => c.and(c.field("note", "hasPrefix", "x"), c.field("customer", "in", ["a"])));
  expectTypeOf(await whole.first()).toEqualTypeOf<Document | undefined>();
  expectTypeOf(await orders.select("id", "address.zip", "lines[].sku").all()).toEqualTypeOf<
    { id: number; "address.zip": string | null; "lines[].sku": string[] }[]
  >();
}

export async function misuseOfSnapshot(store: RecordStore<readonly [typeof Order]>): Promise<void> {
  using snapshot = await store.snapshot();
  // @ts-expect-error A snapshot is read only.
  void snapshot.collection("Order").delete(1);
}

test("types of paths, values, keys and names follow from the schema", () => {
  expectTypeOf<FieldPath<Document>>().toEqualTypeOf<
    "id" | "customer" | "note" | "lines[].sku" | "lines[].count" | "address.city" | "address.zip"
  >();
  expectTypeOf<ValueAt<Document, "lines[].count">>().toEqualTypeOf<number>();
  expectTypeOf<ValueAt<Document, "address.zip">>().toEqualTypeOf<string | null>();
  expectTypeOf<ValueAt<Document, "note">>().toEqualTypeOf<string | null>();
  expectTypeOf<KeyOf<typeof Order>>().toEqualTypeOf<number>();
  expectTypeOf<IndexNameOf<typeof Order>>().toEqualTypeOf<
    "Order_customer" | "Order_address.city_address.zip" | "bySku"
  >();
});
