/**
 * Conditions on documents as plain data: what a query asks, and which documents a partial index holds. Owns their meaning, which is
 * that of indexes: values compare in the order of `index-value.ts`, what is missing is null, and values of different types are
 * never equal. A path with `[]` is met when one of its values meets the condition.
 * Does not own: which index answers one (`src/query`).
 */

import { parsePath, valuesAt } from "./field-path.js";
import { compareIndexValues, type IndexValue, indexElement } from "./index-value.js";
import { RecordError, shown } from "./record-error.js";

export type ComparisonOperator = "==" | "!=" | "<" | "<=" | ">" | ">=";

export type Predicate =
  | { readonly op: ComparisonOperator; readonly field: string; readonly value: IndexValue }
  | { readonly op: "in"; readonly field: string; readonly values: readonly IndexValue[] }
  | { readonly op: "hasPrefix" | "hasSuffix" | "contains"; readonly field: string; readonly value: string }
  | { readonly op: "isNull" | "isNotNull"; readonly field: string }
  | { readonly op: "and" | "or"; readonly of: readonly Predicate[] }
  | { readonly op: "not"; readonly of: Predicate }
  | { readonly op: "true" | "false" };

export function meets(document: unknown, predicate: Predicate): boolean {
  switch (predicate.op) {
    case "true":
      return true;
    case "false":
      return false;
    case "and":
      return predicate.of.every((part) => meets(document, part));
    case "or":
      return predicate.of.some((part) => meets(document, part));
    case "not":
      return !meets(document, predicate.of);
    default:
      return valuesAt(document, parsePath(predicate.field)).some((value) => meetsOne(value, predicate));
  }
}

type FieldPredicate = Extract<Predicate, { readonly field: string }>;

function meetsOne(value: unknown, predicate: FieldPredicate): boolean {
  switch (predicate.op) {
    case "isNull":
      return value === null;
    case "isNotNull":
      return value !== null;
    case "in":
      return isComparable(value) && predicate.values.some((one) => compareIndexValues(value, one) === 0);
    case "hasPrefix":
      return typeof value === "string" && value.startsWith(predicate.value);
    case "hasSuffix":
      return typeof value === "string" && value.endsWith(predicate.value);
    case "contains":
      return typeof value === "string" && value.includes(predicate.value);
    default:
      return isComparable(value) && holds(predicate.op, compareIndexValues(value, predicate.value));
  }
}

function holds(op: ComparisonOperator, order: number): boolean {
  switch (op) {
    case "==":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
  }
}

/** Lists, objects and NaN stand in no index and meet no comparison. */
function isComparable(value: unknown): value is IndexValue {
  return indexElement(value) !== null;
}

/** Throws `INVALID_ARGUMENT`, `UNKNOWN_FIELD`: what a condition compares with must be comparable. */
export function checkPredicate(predicate: Predicate): void {
  switch (predicate.op) {
    case "true":
    case "false":
      return;
    case "and":
    case "or":
      for (const part of predicate.of) checkPredicate(part);
      return;
    case "not":
      checkPredicate(predicate.of);
      return;
    default:
      parsePath(predicate.field);
      for (const value of operandsOf(predicate)) {
        if (indexElement(value) !== null) continue;
        throw new RecordError(
          "INVALID_ARGUMENT",
          `"${predicate.field}" cannot be compared with ${shown(value)}. Give text, a number, a date, bytes, true, false or null.`,
          { field: predicate.field, value },
        );
      }
  }
}

function operandsOf(predicate: FieldPredicate): readonly unknown[] {
  if (predicate.op === "in") return predicate.values;
  return "value" in predicate ? [predicate.value] : [];
}
