/** What the compiler must refuse of kinds of index: run by `tsc -p tsconfig.test.json`; the test at the end only says that it was. */
import { expectTypeOf, test } from "vitest";
import { z } from "zod";
import type { AggregateNameOf, AggregateValueOf } from "../../src/collection/aggregates.js";
import type { RecordStore } from "../../src/collection/record-store.js";
import { count } from "../../src/index/kinds/count.js";
import { max, min } from "../../src/index/kinds/extreme.js";
import { SCALAR, scalar } from "../../src/index/kinds/scalar.js";
import { type Sum, sum } from "../../src/index/kinds/sum.js";
import { versions } from "../../src/index/kinds/versions.js";
import { collection, type IndexNameOf } from "../../src/record/declaration.js";
import { BLOOM, bloom } from "./bloom-kind.js";

const schema = z.object({
  id: z.number(),
  city: z.string(),
  age: z.number().optional(),
  tags: z.array(z.string()),
});

const User = collection("User", {
  schema,
  primaryKey: "id",
  indexes: [
    scalar("city"),
    count({ by: ["city"] }),
    count(),
    sum("age", { by: ["city", "tags[]"], scale: 2 }),
    min("age", { by: ["city"], name: "youngest" }),
    max("city"),
    versions({ keepLast: 3 }),
    bloom("tags[]"),
  ],
});

// @ts-expect-error A group by a field that is not there.
collection("User", { schema, primaryKey: "id", indexes: [count({ by: ["town"] })] });
// @ts-expect-error A group by a list without [].
collection("User", { schema, primaryKey: "id", indexes: [count({ by: ["tags"] })] });
// @ts-expect-error A sum of a field that is not there.
collection("User", { schema, primaryKey: "id", indexes: [sum("ages")] });
// @ts-expect-error A scale that is no number.
sum("age", { scale: "2" });

export function misuse(store: RecordStore<readonly [typeof User]>): void {
  const users = store.collection("User");
  // @ts-expect-error An index that orders documents.
  void users.aggregate("User_city", []);
  // @ts-expect-error An index that is not declared.
  void users.aggregate("User_count_age", []);
  // @ts-expect-error A minimum is no maximum.
  void users.max("youngest", ["x"]);
  // @ts-expect-error A history has no groups.
  void users.aggregates("User_versions");
  // @ts-expect-error A key of the wrong type.
  void users.history("1");
  // @ts-expect-error A version has no such moment.
  void users.versionAt(1, { at: 5 });
  // @ts-expect-error What another kind offers.
  void users.readIndex("User_city", SCALAR, (index, reader) => index.mayHold(reader, "x"));
  void users.readIndex("User_com.example.bloom_tags[]", BLOOM, (index, reader) => index.mayHold(reader, "x"));
}

test("names and values of aggregates follow from the declaration", () => {
  type Declared = typeof User;
  expectTypeOf<IndexNameOf<Declared>>().toEqualTypeOf<
    | "User_city"
    | "User_count_city"
    | "User_count"
    | "User_sum_age_city_tags[]"
    | "youngest"
    | "User_max_city"
    | "User_versions"
    | "User_com.example.bloom_tags[]"
  >();
  expectTypeOf<AggregateNameOf<Declared>>().toEqualTypeOf<
    Exclude<IndexNameOf<Declared>, "User_city" | "User_versions">
  >();
  expectTypeOf<AggregateValueOf<Declared, "User_count_city">>().toEqualTypeOf<number>();
  expectTypeOf<AggregateValueOf<Declared, "User_sum_age_city_tags[]">>().toEqualTypeOf<Sum>();
  expectTypeOf<AggregateValueOf<Declared, "youngest">>().toEqualTypeOf<number>();
  expectTypeOf<AggregateValueOf<Declared, "User_max_city">>().toEqualTypeOf<string>();
});
