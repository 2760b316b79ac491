/**
 * A query as it is asked, checked and brought into one form; and its fingerprint, by which a continuation token knows the query that
 * it belongs to: equal for the same query however it was put together, different for any other, values included.
 */
import { createHash } from "node:crypto";
import { pack } from "../keyspace/tuple.js";
import { parsePath } from "../record/field-path.js";
import { type IndexValue, indexElement } from "../record/index-value.js";
import { checkPredicate, type Predicate } from "../record/predicate.js";
import { RecordError, shown } from "../record/record-error.js";
import { normalized } from "./normalize.js";
import type { OrderTerm, Query, QueryOutput, RowOrder } from "./plan.js";

/** What somebody asks, as they wrote it. */
export interface QueryParts {
  /** All of them must be met. */
  readonly where: readonly Predicate[];
  readonly orderBy: readonly OrderTerm[];
  readonly offset: number;
  readonly limit: number | null;
  readonly output: QueryOutput;
}

export const EVERYTHING_ASKED: QueryParts = {
  where: [],
  orderBy: [],
  offset: 0,
  limit: null,
  output: { type: "documents" },
};

/** Throws `INVALID_ARGUMENT`, `UNKNOWN_FIELD`. */
export function query(collection: string, primaryKey: string, parts: QueryParts): Query {
  const { where, orderBy, offset, limit, output } = parts;
  for (const predicate of where) checkPredicate(predicate);
  checkCount("offset", offset);
  if (limit !== null) checkCount("limit", limit);
  if (output.type === "fields") for (const field of output.fields) parsePath(field);
  const { order, endsWithKey } = totalOrder(orderBy, primaryKey);
  return {
    collection,
    where: normalized({ op: "and", of: where }),
    order,
    isOrderOpen: !endsWithKey,
    offset,
    limit,
    output,
  };
}

/**
 * Fields that come again, or after the primary key, decide nothing. The primary key, where it is not named, goes in the direction of
 * the last field: so an index that has the fields has the whole order, read from either end.
 */
function totalOrder(
  orderBy: readonly OrderTerm[],
  primaryKey: string,
): { readonly order: RowOrder; readonly endsWithKey: boolean } {
  const fields: OrderTerm[] = [];
  for (const { field, descending } of orderBy) {
    if (parsePath(field).isMulti) {
      throw new RecordError(
        "INVALID_ARGUMENT",
        `documents cannot be ordered by ${shown(field)}, which finds several values in one. Order by a field outside the list.`,
        { field },
      );
    }
    if (field === primaryKey) return { order: { fields, keyDescending: descending }, endsWithKey: true };
    if (!fields.some((term) => term.field === field)) fields.push({ field, descending });
  }
  return {
    order: { fields, keyDescending: fields.at(-1)?.descending ?? false },
    endsWithKey: false,
  };
}

export function checkCount(name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 0) return;
  throw new RecordError(
    "INVALID_ARGUMENT",
    `the ${name} of a query is a whole number, 0 or more, not ${shown(value)}.`,
    {
      value,
    },
  );
}

export function fingerprintOf({ collection, where, order, isOrderOpen, ...rest }: Query): Uint8Array {
  const { offset, limit, output } = rest;
  const text = JSON.stringify([
    collection,
    conditionForm(where),
    order.fields.map(({ field, descending }) => [field, descending]),
    [order.keyDescending, isOrderOpen],
    [offset, limit],
    output.type === "fields" ? output.fields : output.type,
  ]);
  return new Uint8Array(createHash("sha256").update(text).digest().subarray(0, 16));
}

function conditionForm(predicate: Predicate): unknown {
  switch (predicate.op) {
    case "true":
    case "false":
      return [predicate.op];
    case "and":
    case "or":
      return [predicate.op, ...predicate.of.map(conditionForm)];
    case "not":
      return [predicate.op, conditionForm(predicate.of)];
    case "in":
      return [predicate.op, predicate.field, ...predicate.values.map(valueForm)];
    case "isNull":
    case "isNotNull":
      return [predicate.op, predicate.field];
    default:
      return [predicate.op, predicate.field, valueForm(predicate.value)];
  }
}

/** As an index has it: JSON has no word for big integers and bytes. */
function valueForm(value: IndexValue): string {
  return Buffer.from(pack([indexElement(value)?.element ?? null])).toString("hex");
}
