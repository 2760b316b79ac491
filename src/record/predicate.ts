/**
 * Conditions on documents as plain data: what a query asks, and which documents a partial index holds. Owns their meaning, which is
 * that of indexes: values compare in the order of `index-value.ts`, what is missing is null, and values of different types are
 * never equal. A path with `[]` is met when one of its values meets the condition. There is no third truth value: null is a value
 * like others, the smallest, so that `<` and `!=` hold for documents without the field.
 * Does not own: which index answers one (`src/query`).
 */

import { parsePath, valueAt, valuesAt } from "./field-path.js";
import { compareIndexValues, type IndexValue, indexElement } from "./index-value.js";
import { RecordError, shown } from "./record-error.js";

export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

/** A condition on a document, as plain data. */
export type Predicate =
  | { readonly op: ComparisonOperator; readonly field: string; readonly value: IndexValue }
  | { readonly op: "in"; readonly field: string; readonly values: readonly IndexValue[] }
  | { readonly op: "hasPrefix" | "hasSuffix" | "contains"; readonly field: string; readonly value: string }
  | { readonly op: "isNull" | "isNotNull"; readonly field: string }
  | { readonly op: "and" | "or"; readonly of: readonly Predicate[] }
  | { readonly op: "not"; readonly of: Predicate }
  | { readonly op: "true" | "false" };

/** Whether a document meets what it was compiled from. */
export type DocumentTest = (document: unknown) => boolean;

/** For documents one by one; compiled when the predicate is first met. */
export function meets(document: unknown, predicate: Predicate): boolean {
  let test = compiled.get(predicate);
  if (test === undefined) {
    test = compilePredicate(predicate);
    compiled.set(predicate, test);
  }
  return test(document);
}

const compiled = new WeakMap<Predicate, DocumentTest>();

/**
 * The predicate as a function: paths are parsed and operands looked at once. `keyField`, if given, is the primary key: its integers
 * compare by value, whether they are numbers or big integers, since they are one key.
 */
export function compilePredicate(predicate: Predicate, keyField?: string): DocumentTest {
  switch (predicate.op) {
    case "true":
      return () => true;
    case "false":
      return () => false;
    case "and": {
      const parts = predicate.of.map((part) => compilePredicate(part, keyField));
      return (document) => parts.every((part) => part(document));
    }
    case "or": {
      const parts = predicate.of.map((part) => compilePredicate(part, keyField));
      return (document) => parts.some((part) => part(document));
    }
    case "not": {
      const part = compilePredicate(predicate.of, keyField);
      return (document) => !part(document);
    }
    default: {
      const path = parsePath(predicate.field);
      const test = compileValueTest(predicate, predicate.field === keyField);
      if (path.isMulti) return (document) => valuesAt(document, path).some(test);
      return (document) => test(valueAt(document, path));
    }
  }
}

/** A condition on one field. */
export type FieldPredicate = Extract<Predicate, { readonly field: string }>;

/** What a condition on one field says of one value. */
export function compileValueTest(predicate: FieldPredicate, isKey = false): (value: unknown) => boolean {
  const compare = isKey ? compareKeyValues : compareIndexValues;
  switch (predicate.op) {
    case "isNull":
      return (value) => value === null;
    case "isNotNull":
      return (value) => value !== null;
    case "in":
      return isKey ? inList(predicate.values, compare) : inSet(predicate.values);
    case "hasPrefix":
      return (value) => typeof value === "string" && value.startsWith(predicate.value);
    case "hasSuffix":
      return (value) => typeof value === "string" && value.endsWith(predicate.value);
    case "contains":
      return (value) => typeof value === "string" && value.includes(predicate.value);
    default: {
      const { value: operand } = predicate;
      const holds = HOLDS[predicate.op];
      return (value) => isComparable(value) && holds(compare(value, operand));
    }
  }
}

const HOLDS: Readonly<Record<ComparisonOperator, (order: number) => boolean>> = {
  "==": (order) => order === 0,
  "!=": (order) => order !== 0,
  "<": (order) => order < 0,
  "<=": (order) => order <= 0,
  ">": (order) => order > 0,
  ">=": (order) => order >= 0,
};

function inList(
  values: readonly IndexValue[],
  compare: typeof compareIndexValues,
): (value: unknown) => boolean {
  return (value) => isComparable(value) && values.some((one) => compare(value, one) === 0);
}

/** Primitives by hash: a set takes −0 for 0, as the index does. */
function inSet(values: readonly IndexValue[]): (value: unknown) => boolean {
  const primitives = new Set<unknown>(values.filter((value) => typeof value !== "object" || value === null));
  const others = inList(
    values.filter((value) => typeof value === "object" && value !== null),
    compareIndexValues,
  );
  return (value) => (typeof value === "object" && value !== null ? others(value) : primitives.has(value));
}

/** As `compareIndexValues`, but integers by value. */
export function compareKeyValues(a: IndexValue, b: IndexValue): number {
  const isNumeric =
    (typeof a === "number" || typeof a === "bigint") && (typeof b === "number" || typeof b === "bigint");
  if (isNumeric) return a < b ? -1 : a > b ? 1 : 0;
  return compareIndexValues(a, b);
}

/** Lists, objects and NaN stand in no index and meet no comparison. */
function isComparable(value: unknown): value is IndexValue {
  if (typeof value === "number") return !Number.isNaN(value);
  return indexElement(value) !== null;
}

/** Conditions within conditions. Far from the end of the stack, and more than anybody writes by hand. */
const DEPTH_MAX = 100;

/** Throws `INVALID_ARGUMENT`, `UNKNOWN_FIELD`: what a condition compares with must be comparable. */
export function checkPredicate(predicate: Predicate, depth = 1): void {
  if (depth > DEPTH_MAX)
    throw new RecordError("INVALID_ARGUMENT", `conditions nest up to ${DEPTH_MAX} deep. Flatten them.`);
  checkMembers(predicate);
  switch (predicate.op) {
    case "true":
    case "false":
      return;
    case "and":
    case "or":
      if (!Array.isArray(predicate.of)) throw noCondition(predicate);
      for (const part of predicate.of) checkPredicate(part, depth + 1);
      return;
    case "not":
      checkPredicate(predicate.of, depth + 1);
      return;
    default:
      checkField(predicate);
  }
}

/** What a condition has beside its operator. */
const MEMBERS: Readonly<Record<Predicate["op"], readonly string[]>> = {
  "==": ["field", "value"],
  "!=": ["field", "value"],
  "<": ["field", "value"],
  "<=": ["field", "value"],
  ">": ["field", "value"],
  ">=": ["field", "value"],
  in: ["field", "values"],
  hasPrefix: ["field", "value"],
  hasSuffix: ["field", "value"],
  contains: ["field", "value"],
  isNull: ["field"],
  isNotNull: ["field"],
  and: ["of"],
  or: ["of"],
  not: ["of"],
  true: [],
  false: [],
};

/** A member that means nothing was meant to mean something. */
function checkMembers(predicate: Predicate): void {
  const op: unknown = predicate?.op;
  if (typeof op !== "string" || !Object.hasOwn(MEMBERS, op)) throw noCondition(predicate);
  const known = MEMBERS[op as Predicate["op"]];
  for (const name of Object.keys(predicate)) {
    if (name === "op" || known.includes(name)) continue;
    throw new RecordError(
      "INVALID_ARGUMENT",
      `a condition ${op} has no member "${name}"; it has ${["op", ...known].join(", ")}.`,
      { value: predicate },
    );
  }
}

const TEXT_OPERATORS = new Set<unknown>(["hasPrefix", "hasSuffix", "contains"]);

function checkField(predicate: FieldPredicate): void {
  const { field, op } = predicate;
  parsePath(field);
  if (op === "in" && !Array.isArray(predicate.values)) {
    throw new RecordError("INVALID_ARGUMENT", `"${field}" in … takes a list of values.`, { field });
  }
  for (const value of operandsOf(predicate)) {
    if (TEXT_OPERATORS.has(op) && typeof value !== "string") {
      throw new RecordError("INVALID_ARGUMENT", `"${field}" ${op} … takes text, not ${shown(value)}.`, {
        field,
        value,
      });
    }
    if (value !== undefined && indexElement(value) !== null) continue;
    throw new RecordError(
      "INVALID_ARGUMENT",
      `"${field}" cannot be compared with ${shown(value)}. Give text, a number, a date, bytes, true, false or null.`,
      { field, value },
    );
  }
}

function noCondition(given: unknown): RecordError {
  const op = (given as { readonly op?: unknown } | null | undefined)?.op;
  return new RecordError(
    "INVALID_ARGUMENT",
    `${shown(op)} is no operator of a condition; known are ${Object.keys(MEMBERS).join(", ")}.`,
    { value: given },
  );
}

function operandsOf(predicate: FieldPredicate): readonly unknown[] {
  if (predicate.op === "in") return predicate.values;
  if (predicate.op === "isNull" || predicate.op === "isNotNull") return [];
  // What has no types may have no operand either.
  return ["value" in predicate ? predicate.value : undefined];
}
