/**
 * What a query gives, by its definition: every document looked at, all of them sorted. Shares nothing with the query layer but the
 * shapes of data; values compare by the bytes that an index would have of them.
 */
import { pack } from "../../src/keyspace/tuple.js";
import type { RowOrder } from "../../src/query/plan.js";
import type { QueryParts } from "../../src/query/query.js";
import { parsePath, valueAt, valuesAt } from "../../src/record/field-path.js";
import { indexElement } from "../../src/record/index-value.js";
import type { Predicate } from "../../src/record/predicate.js";

export type Document = { readonly id: string | number | bigint; readonly [name: string]: unknown };

/** `decided`: what decides between documents that the query orders equally. */
export function answer(documents: readonly Document[], parts: QueryParts, decided: RowOrder): unknown[] {
  const { where, offset, limit, output, orderBy } = parts;
  const order = [...orderBy, ...decided.fields, { field: "id", descending: decided.keyDescending }];
  const found = documents
    .filter((document) => where.every((predicate) => holds(document, predicate)))
    .toSorted((a, b) => {
      for (const { field, descending } of order) {
        const difference = Buffer.compare(sortKey(a, field), sortKey(b, field));
        if (difference !== 0) return descending ? -difference : difference;
      }
      return 0;
    })
    .slice(offset, limit === null ? undefined : offset + limit);
  if (output.type !== "fields") return found;
  const positive = (value: unknown) => (value === 0 ? 0 : value);
  return found.map((document) =>
    Object.fromEntries(
      output.fields.map((field) => {
        const path = parsePath(field);
        return [
          field,
          path.isMulti ? valuesAt(document, path).map(positive) : positive(valueAt(document, path)),
        ];
      }),
    ),
  );
}

function sortKey(document: Document, field: string): Uint8Array {
  if (field === "id") return pack([document.id]);
  return indexKey(valueAt(document, parsePath(field))) ?? Uint8Array.of(0xff);
}

function indexKey(value: unknown): Uint8Array | null {
  const indexable = indexElement(value);
  return indexable === null ? null : pack([indexable.element]);
}

function holds(document: Document, predicate: Predicate): boolean {
  switch (predicate.op) {
    case "true":
    case "false":
      return predicate.op === "true";
    case "and":
      return !predicate.of.some((part) => !holds(document, part));
    case "or":
      return predicate.of.some((part) => holds(document, part));
    case "not":
      return !holds(document, predicate.of);
    default:
      return valuesAt(document, parsePath(predicate.field)).some((value) => holdsFor(value, predicate));
  }
}

function holdsFor(value: unknown, predicate: Extract<Predicate, { readonly field: string }>): boolean {
  const { op, field } = predicate;
  if (op === "isNull" || op === "isNotNull") return (value === null) === (op === "isNull");
  if (op === "in") {
    return predicate.values.some((one) => holdsFor(value, { op: "==", field, value: one }));
  }
  if (op === "hasPrefix" || op === "hasSuffix" || op === "contains") {
    if (typeof value !== "string") return false;
    const at = value.indexOf(predicate.value);
    if (op === "hasPrefix") return at === 0;
    return op === "contains"
      ? at >= 0
      : value.slice(value.length - predicate.value.length) === predicate.value;
  }
  const { value: operand } = predicate as { readonly value: unknown };
  const order = orderOf(value, operand, field === "id");
  if (order === null) return false;
  const signs = { "==": [0], "!=": [-1, 1], "<": [-1], "<=": [-1, 0], ">": [1], ">=": [0, 1] }[op];
  return signs.includes(order);
}

function orderOf(a: unknown, b: unknown, isKey: boolean): number | null {
  if (isKey && isNumeric(a) && isNumeric(b)) return a < b ? -1 : a > b ? 1 : 0;
  const [one, other] = [indexKey(a), indexKey(b)];
  return one === null || other === null ? null : Math.sign(Buffer.compare(one, other)) + 0;
}

function isNumeric(value: unknown): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}
