/** Random documents, indexes and queries over few fields with few values, so that conditions meet documents and each other. */
import fc from "fast-check";
import type { OrderTerm } from "../../src/query/plan.js";
import type { QueryParts } from "../../src/query/query.js";
import type { IndexState } from "../../src/record/catalogue.js";
import type { IndexDeclaration } from "../../src/record/declaration.js";
import type { IndexValue } from "../../src/record/index-value.js";
import type { Predicate } from "../../src/record/predicate.js";
import type { Document } from "./brute-force.js";

export type KeyType = "text" | "number" | "bigint";

export interface DeclaredIndex {
  readonly declaration: IndexDeclaration;
  readonly state: IndexState;
}

export interface Case {
  readonly documents: readonly Document[];
  readonly indexes: readonly DeclaredIndex[];
  readonly queries: readonly QueryParts[];
  readonly pageSize: number;
  /** After the first page no index is there any more. */
  readonly losesIndexes: boolean;
}

const TEXTS = ["", "a", "ab", "ab\0", "b", "\u{1f600}"];
const text = fc.constantFrom(...TEXTS);
const number = fc.constantFrom(-1, -0, 0, 1, 2, 2.5, Number.POSITIVE_INFINITY);
const anything: fc.Arbitrary<IndexValue> = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(number, text) },
  fc.constantFrom<IndexValue>(null, true, false, 0n, 2n, -1n),
  fc.constantFrom(0, 1).map((ms) => new Date(ms)),
  fc.constantFrom(Uint8Array.of(0), Uint8Array.of(0, 1)),
);
/** Stands in no index. */
const odd = fc.oneof(number, fc.constantFrom<unknown>(Number.NaN, [1], { x: 1 }, null));

function keyOf(type: KeyType): fc.Arbitrary<Document["id"]> {
  if (type === "text") return fc.constantFrom("", "a", "a\0", "b", "c", "\u{1f600}", "d", "e", "f", "g");
  const integer = fc.constantFrom(-300, -1, 0, 1, 2, 3, 4, 255, 256, 70_000);
  return type === "number"
    ? integer
    : fc.oneof(integer.map(BigInt), fc.constantFrom(2n ** 70n, -(2n ** 70n)));
}

function documentOf(type: KeyType): fc.Arbitrary<Document> {
  const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 5 });
  return fc
    .record({
      id: keyOf(type),
      a: optional(anything),
      b: optional(fc.constantFrom(0, 1, 2)),
      c: optional(fc.record({ d: optional(text) })),
      tags: optional(fc.array(fc.option(text, { freq: 6 }), { maxLength: 3 })),
      odd: optional(odd),
    })
    .map((document) => withoutUndefined(document) as Document);
}

function withoutUndefined(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) === Uint8Array.prototype)
    return value;
  if (Array.isArray(value) || value instanceof Date || value instanceof Uint8Array) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) =>
      member === undefined ? [] : [[name, withoutUndefined(member)]],
    ),
  );
}

const FIELDS = ["a", "b", "c.d", "tags[]"];

function operandOf(field: string, type: KeyType): fc.Arbitrary<IndexValue> {
  if (field === "id") return fc.oneof(keyOf(type), { weight: 1, arbitrary: anything });
  if (field === "b") return fc.constantFrom(0, 1, 2);
  return field === "a" || field === "odd" ? anything : fc.option(text, { freq: 8 });
}

function conditionOf(type: KeyType): fc.Arbitrary<Predicate> {
  return fc.constantFrom("a", "a", "b", "b", "b", "c.d", "tags[]", "tags[]", "id", "odd").chain((field) => {
    const value = operandOf(field, type);
    return fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          op: fc.constantFrom("==", "==", "!=", "<", "<=", ">", ">="),
          field: fc.constant(field),
          value,
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({
          op: fc.constant("in"),
          field: fc.constant(field),
          values: fc.array(value, { minLength: 1, maxLength: 4 }),
        }),
      },
      fc.record({
        op: fc.constantFrom("hasPrefix", "hasSuffix", "contains"),
        field: fc.constant(field),
        value: text,
      }),
      fc.record({ op: fc.constantFrom("isNull", "isNotNull"), field: fc.constant(field) }),
    ) as fc.Arbitrary<Predicate>;
  });
}

function predicateOf(type: KeyType, depth: number): fc.Arbitrary<Predicate> {
  const condition = conditionOf(type);
  if (depth === 0) return condition;
  const inner = predicateOf(type, depth - 1);
  return fc.oneof(
    { weight: 10, arbitrary: condition },
    {
      weight: 8,
      arbitrary: fc.record({
        op: fc.constantFrom("and", "or"),
        of: fc.array(inner, { maxLength: 3, minLength: 1 }),
      }),
    },
    { weight: 1, arbitrary: inner.map((of) => ({ op: "not" as const, of })) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        { op: "true" as const },
        { op: "false" as const },
        { op: "or" as const, of: [] },
      ),
    },
  ) as fc.Arbitrary<Predicate>;
}

/** Conditions of partial indexes are few, so that queries often imply one. */
const PARTS: readonly Predicate[] = [
  { op: ">=", field: "b", value: 1 },
  { op: "in", field: "b", values: [0, 1] },
  { op: "isNotNull", field: "a" },
  { op: "==", field: "tags[]", value: "a" },
  { op: "hasPrefix", field: "c.d", value: "a" },
];

function indexOf(type: KeyType): fc.Arbitrary<DeclaredIndex> {
  return fc
    .record({
      fields: fc
        .tuple(
          fc.constantFrom(...FIELDS, "b", "b"),
          fc.array(fc.constantFrom(...FIELDS, "id"), { maxLength: 2, size: "max" }),
        )
        .map(([first, others]) => [...new Set([first, ...others])]),
      covering: fc.constantFrom<readonly string[] | null>(null, [], ["b"], ["a", "b", "c.d"], ["id", "a"]),
      sparse: fc.constantFrom(true, false, false),
      where: fc.oneof(
        { weight: 6, arbitrary: fc.constant(null) },
        { weight: 2, arbitrary: fc.constantFrom(...PARTS) },
        { weight: 1, arbitrary: predicateOf(type, 1) },
      ),
      state: fc.oneof(
        { weight: 8, arbitrary: fc.constant<IndexState>("readable") },
        { weight: 2, arbitrary: fc.constantFrom<IndexState>("writeOnly", "disabled") },
      ),
    })
    .map(({ fields, covering, sparse, where, state }) => ({
      declaration: {
        kind: "scalar",
        fields,
        sparse,
        ...(where === null ? {} : { where }),
        ...(covering === null ? {} : { covering: covering.filter((field) => !fields.includes(field)) }),
      },
      state,
    }));
}

/** What indexes answer: alternatives, each on a field that some index begins with. */
function alternativesOf(type: KeyType): fc.Arbitrary<Predicate> {
  const one = (field: string) =>
    operandOf(field, type).chain((value) =>
      fc.constantFrom<Predicate>(
        { op: "==", field, value },
        { op: "==", field, value },
        { op: ">=", field, value },
        { op: "in", field, values: [value, 1, "a"] },
      ),
    );
  const others = fc.constantFrom("b", "tags[]", "a", "id").chain(one);
  return fc.tuple(one("b"), others).map((of) => ({ op: "or", of }));
}

function queryOf(type: KeyType): fc.Arbitrary<QueryParts> {
  const term: fc.Arbitrary<OrderTerm> = fc.record({
    field: fc.constantFrom("a", "b", "b", "c.d", "odd", "id"),
    descending: fc.boolean(),
  });
  return fc.record({
    where: fc.array(
      fc.oneof(
        { weight: 4, arbitrary: conditionOf(type) },
        { weight: 2, arbitrary: predicateOf(type, 2) },
        { weight: 2, arbitrary: fc.constantFrom(...PARTS) },
        { weight: 3, arbitrary: alternativesOf(type) },
      ),
      { maxLength: 3 },
    ),
    orderBy: fc.oneof(fc.constant([]), fc.array(term, { maxLength: 2, size: "max" })),
    offset: fc.constantFrom(0, 0, 0, 1, 3),
    limit: fc.constantFrom(null, null, null, 0, 1, 2, 5),
    output: fc.oneof(
      fc.constant({ type: "documents" as const }),
      fc
        .uniqueArray(fc.constantFrom("a", "b", "c.d", "id", "tags[]"), { minLength: 1, maxLength: 3 })
        .map((fields) => ({ type: "fields" as const, fields })),
    ),
  });
}

export const aCase: fc.Arbitrary<Case> = fc.constantFrom<KeyType>("text", "number", "bigint").chain((type) =>
  fc.record({
    documents: fc.uniqueArray(documentOf(type), {
      selector: ({ id }) => id,
      minLength: 4,
      maxLength: 10,
      size: "max",
    }),
    indexes: fc.array(indexOf(type), { maxLength: 4 }),
    queries: fc.array(queryOf(type), { minLength: 1, maxLength: 6 }),
    pageSize: fc.integer({ min: 1, max: 4 }),
    losesIndexes: fc.boolean(),
  }),
);
