/** Conditions mean what indexes mean: order, equality and what is missing. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareKeys } from "../../src/engine/format/bytes.js";
import { pack } from "../../src/keyspace/tuple.js";
import { Uuid } from "../../src/keyspace/tuple-elements.js";
import { compareIndexValues, type IndexValue, indexElement } from "../../src/record/index-value.js";
import { checkPredicate, compilePredicate, meets, type Predicate } from "../../src/record/predicate.js";

const value: fc.Arbitrary<IndexValue> = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.double({ noNaN: true }),
  fc.integer({ min: -3, max: 3 }),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.constantFrom("", "a", "a\0", "a\0\0", "a\u0001", "\u{1f600}", "\uffff", "\ue000", "a\u{1f600}"),
  fc.uint8Array({ maxLength: 4 }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => new Uuid(bytes)),
);

test("values compare as the bytes do that an index has of them", () => {
  const packed = (one: IndexValue) => pack([indexElement(one)?.element ?? null]);
  fc.assert(
    fc.property(value, value, (a, b) => {
      const order = compareIndexValues(a, b);
      expect(Math.sign(order) + 0).toBe(Math.sign(compareKeys(packed(a), packed(b))) + 0);
    }),
    { numRuns: 2000 },
  );
});

test("a condition on a field agrees with the order of values, and a set with its members", () => {
  fc.assert(
    fc.property(value, value, value, (own, a, b) => {
      const order = compareIndexValues(own, a);
      const holds = (predicate: Predicate) => meets({ field: own }, predicate);
      expect(holds({ op: "==", field: "field", value: a })).toBe(order === 0);
      expect(holds({ op: "!=", field: "field", value: a })).toBe(order !== 0);
      expect(holds({ op: "<", field: "field", value: a })).toBe(order < 0);
      expect(holds({ op: "<=", field: "field", value: a })).toBe(order <= 0);
      expect(holds({ op: ">", field: "field", value: a })).toBe(order > 0);
      expect(holds({ op: ">=", field: "field", value: a })).toBe(order >= 0);
      expect(holds({ op: "in", field: "field", values: [a, b] })).toBe(
        order === 0 || compareIndexValues(own, b) === 0,
      );
    }),
  );
});

test("a missing field is null, which is a value; a list, an object or NaN meets no comparison, not even !=", () => {
  const at = (document: unknown, op: "==" | "!=" | "<") => meets(document, { op, field: "a.b", value: 5 });
  expect([at({}, "=="), at({}, "!="), at({}, "<")]).toEqual([false, true, true]);
  for (const odd of [[5], { c: 5 }, Number.NaN]) {
    expect([at({ a: { b: odd } }, "=="), at({ a: { b: odd } }, "!="), at({ a: { b: odd } }, "<")]).toEqual([
      false,
      false,
      false,
    ]);
    expect(meets({ a: { b: odd } }, { op: "isNotNull", field: "a.b" })).toBe(true);
  }
});

test("a path through a list asks for one element that meets the condition; not asks that none does", () => {
  const equals: Predicate = { op: "==", field: "tags[]", value: "x" };
  const differs: Predicate = { op: "!=", field: "tags[]", value: "x" };
  expect([meets({ tags: ["x", "y"] }, equals), meets({ tags: ["x", "y"] }, differs)]).toEqual([true, true]);
  expect(meets({ tags: ["x", "y"] }, { op: "not", of: equals })).toBe(false);
  expect([meets({ tags: [] }, equals), meets({ tags: [] }, differs), meets({}, differs)]).toEqual([
    false,
    false,
    false,
  ]);
});

test("integers of the primary key compare by value, other fields by type", () => {
  const is5: Predicate = { op: "==", field: "id", value: 5 };
  expect(compilePredicate(is5, "id")({ id: 5n })).toBe(true);
  expect(compilePredicate(is5)({ id: 5n })).toBe(false);
  expect(compilePredicate({ op: "<", field: "id", value: 5.5 }, "id")({ id: 2n ** 80n })).toBe(false);
  expect(compilePredicate({ op: "in", field: "id", values: [7n] }, "id")({ id: 7 })).toBe(true);
});

test("what is no condition is refused before anything is read", () => {
  const refused = (given: unknown) => () => checkPredicate(given as Predicate);
  for (const given of [
    undefined,
    null,
    {},
    { op: "~", field: "a", value: 1 },
    { op: "==", field: "a" },
    { op: "==", field: "a", value: Number.NaN },
    { op: "==", field: "a", value: [1] },
    { op: "in", field: "a", values: 1 },
    { op: "in", field: "a", values: [{}] },
    { op: "hasPrefix", field: "a", value: 1 },
    { op: "hasPrefix", field: "a", value: "\ud83d" },
    { op: "and", of: { op: "true" } },
    { op: "not" },
  ]) {
    expect(refused(given)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  }
  expect(refused({ op: "isNull", field: "a[" })).toThrow(expect.objectContaining({ code: "UNKNOWN_FIELD" }));
  let deep: Predicate = { op: "true" };
  for (let i = 0; i < 100; i++) deep = { op: "not", of: deep };
  expect(refused(deep)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
});
