/** What a change of schema asks for, and that a schema under one version is one schema. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { descriptionChanges, takesAllOf } from "../../src/collection/description-changes.js";
import { type ChangeEffort, compareSchemas } from "../../src/collection/evolution.js";
import { withNewCollections } from "../../src/collection/restructure.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { type Catalogue, EMPTY } from "../../src/record/catalogue.js";
import { type CollectionDeclaration, collection } from "../../src/record/declaration.js";
import { s } from "../../src/record/schema-builder.js";
import { validate } from "../../src/record/validate.js";

const id = s.string();

function efforts(before: Parameters<typeof s.object>[0], after: Parameters<typeof s.object>[0]) {
  const changes = descriptionChanges(s.object(before).description, s.object(after).description);
  return changes.map(({ effort, field }) => `${field} ${effort}`);
}

describe("a change of fields", () => {
  test("asks for nothing where every stored document is still valid", () => {
    expect(efforts({ id }, { id })).toEqual([]);
    expect(efforts({ id }, { id, nick: s.optional(s.string()) })).toEqual(["nick none"]);
    expect(efforts({ n: s.integer() }, { n: s.number() })).toEqual(["n none"]);
    expect(efforts({ n: s.integer({ max: 5 }) }, { n: s.integer({ max: 9 }) })).toEqual(["n none"]);
    expect(efforts({ n: s.string() }, { n: s.nullable(s.string()) })).toEqual(["n none"]);
    expect(efforts({ n: s.string() }, { n: s.optional(s.string()) })).toEqual(["n none"]);
    expect(efforts({ n: s.literal("a") }, { n: s.string() })).toEqual(["n none"]);
    expect(efforts({ n: s.string() }, { n: s.union([s.string(), s.integer()]) })).toEqual(["n none"]);
    expect(efforts({ n: s.default(s.string(), "a") }, { n: s.string() })).toEqual([]);
    const home = (city: Parameters<typeof s.object>[0]) => ({ homes: s.array(s.object(city)) });
    expect(efforts(home({ city: id }), home({ city: id, zip: s.optional(id) }))).toEqual([
      "homes[].zip none",
    ]);
  });

  test("asks for a stage where an enumeration has a new word, for code where a document may no longer be valid", () => {
    expect(efforts({ n: s.enumeration(["a"]) }, { n: s.enumeration(["b", "a"]) })).toEqual(["n lightweight"]);
    expect(efforts({ n: s.enumeration(["a", "b"]) }, { n: s.enumeration(["a"]) })).toEqual(["n custom"]);
    expect(efforts({ id }, { id, age: s.integer() })).toEqual(["age custom"]);
    expect(efforts({ id }, { id, age: s.default(s.integer(), 0) })).toEqual(["age custom"]);
    expect(efforts({ id, age: s.integer() }, { id })).toEqual(["age custom"]);
    expect(efforts({ age: s.integer() }, { years: s.integer() })).toEqual(["age custom", "years custom"]);
    expect(efforts({ n: s.optional(id) }, { n: id })).toEqual(["n custom"]);
    expect(efforts({ n: s.nullable(id) }, { n: id })).toEqual(["n custom"]);
    expect(efforts({ n: s.number() }, { n: s.integer() })).toEqual(["n custom"]);
    expect(efforts({ n: s.string() }, { n: s.string({ max: 3 }) })).toEqual(["n custom"]);
    expect(efforts({ n: s.array(id) }, { n: s.array(id, { min: 1 }) })).toEqual(["n custom"]);
    expect(efforts({ n: s.integer() }, { n: s.bigint() })).toEqual(["n custom"]);
  });
});

const schemas = [
  s.string(),
  s.string({ max: 1 }),
  s.literal("a"),
  s.literal(1),
  s.enumeration(["a", "b"]),
  s.enumeration(["a", "bb"]),
  s.integer(),
  s.integer({ min: 0 }),
  s.number(),
  s.number({ max: 1 }),
  s.boolean(),
  s.nullable(s.boolean()),
  s.array(s.string()),
  s.array(s.string({ max: 1 }), { min: 1 }),
  s.object({ a: s.string() }),
  s.object({ a: s.optional(s.nullable(s.string())) }),
  s.object({ a: s.string(), b: s.optional(s.integer()) }),
  s.union([s.string(), s.integer()]),
  s.union([s.nullable(s.literal("a")), s.number()]),
];
const values: unknown[] = [null, "", "a", "b", "bb", "abc", -1, 0, 1, 2, 0.5, true, [], ["a"], ["bb"], [1]];
values.push({}, { a: "a" }, { a: null }, { a: "a", b: 1 }, { b: 1 });

test("what a wider type is said to take, it takes: every value of the narrower one", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...schemas),
      fc.constantFrom(...schemas),
      fc.constantFrom(...values),
      (outer, inner, value) => {
        if (!takesAllOf(outer.description, inner.description)) return;
        if (validate(inner.description, value).issues !== undefined) return;
        expect(validate(outer.description, value).issues).toBeUndefined();
      },
    ),
    { numRuns: 5000 },
  );
});

const User = collection("User", {
  schema: s.object({ id, email: s.string(), age: s.integer() }),
  primaryKey: "id",
  indexes: [scalar("email", { unique: true }), scalar("age")],
});

function stored(...collections: CollectionDeclaration[]): Catalogue {
  return { ...withNewCollections(EMPTY, collections, "1.0.0"), schemaVersion: "1.0.0", version: "x" };
}

function changesOf(before: Catalogue, ...after: CollectionDeclaration[]): string[] {
  return compareSchemas(before, after).map(({ kind, effort, reusedName }) =>
    [kind, effort, ...(reusedName === undefined ? [] : [reusedName])].join(" "),
  );
}

describe("a change of collections and indexes", () => {
  const { schema } = User;
  const base = { schema, primaryKey: "id" } as const;

  test("is none for the same schema", () => {
    expect(changesOf(stored(User), User)).toEqual([]);
    const named = collection("User", {
      ...base,
      indexes: [scalar("email", { name: "User_email", unique: true }), scalar("age")],
    });
    expect(changesOf(stored(User), named)).toEqual([]);
  });

  test("is told for each, with what it asks for", () => {
    const told = (change: CollectionDeclaration): [string, ChangeEffort | undefined][] =>
      compareSchemas(stored(User), [change]).map(({ kind, effort }) => [kind, effort]);
    expect(told(collection("User", { ...base, indexes: [scalar("email", { unique: true })] }))).toEqual([
      ["indexRemoved", "lightweight"],
    ]);
    expect(
      told(collection("User", { ...base, indexes: [...User.indexes, scalar(["age", "email"])] })),
    ).toEqual([["indexAdded", "lightweight"]]);
    expect(told(collection("User", { ...base, indexes: [scalar("email"), scalar("age")] }))).toEqual([
      ["indexRedefined", "custom"],
    ]);
    expect(told(collection("User", { schema, primaryKey: "email", indexes: User.indexes }))).toEqual([
      ["primaryKeyChanged", "impossible"],
    ]);
    const Order = collection("Order", base);
    expect(changesOf(stored(User), User, Order)).toEqual(["collectionAdded lightweight"]);
    expect(changesOf(stored(User, Order), User)).toEqual(["collectionRemoved custom"]);
  });

  test("says so when a name was something else's before", () => {
    const without = stored(collection("User", { ...base, indexes: [scalar("email", { unique: true })] }));
    const former = (type: "index" | "collection", name: string): Catalogue => ({
      ...without,
      formers: [{ id: 9, type, name, collection: type === "index" ? "User" : name, removedIn: "0.9.0" }],
    });
    expect(changesOf(former("index", "User_age"), User)).toEqual(["indexAdded lightweight User_age"]);
    expect(changesOf(former("index", "Other"), User)).toEqual(["indexAdded lightweight"]);
    const Order = collection("Order", base);
    expect(changesOf(former("collection", "Order"), User, Order)).toEqual([
      "indexAdded lightweight",
      "collectionAdded lightweight Order",
    ]);
  });
});
