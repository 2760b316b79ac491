/**
 * Queries of the simulation: conditions, each as the query API takes it and once more by hand, and orders. Indexes answer some, some in
 * part; a sparse one and a partial one must not answer what they do not hold. Shares nothing with `src/query` but the shapes of data.
 */
import type { Predicate } from "../../src/record/predicate.js";
import type { Item } from "./declarations.js";
import { packed, type RawElement } from "./tuple.js";

interface Condition {
  readonly predicate: Predicate;
  readonly holds: (item: Item) => boolean;
}

interface OrderTerm {
  readonly field: "id" | "name" | "group" | "amount" | "at.place";
  readonly direction: "asc" | "desc";
}

export interface AskedQuery {
  readonly where: readonly Predicate[];
  readonly orderBy: readonly OrderTerm[];
  /** Numbers of conditions. */
  readonly conditions: readonly number[];
  readonly either: boolean;
}

const placeOf = ({ at }: Item): string | null => at?.place ?? null;
const groupOf = ({ group }: Item): string | null => group ?? null;

/** What is missing is null, which is less than everything. */
const CONDITIONS: readonly Condition[] = [
  { predicate: { op: "true" }, holds: () => true },
  { predicate: { op: "==", field: "group", value: "g" }, holds: (item) => item.group === "g" },
  { predicate: { op: "==", field: "group", value: "h" }, holds: (item) => item.group === "h" },
  { predicate: { op: "isNull", field: "group" }, holds: (item) => groupOf(item) === null },
  { predicate: { op: "isNotNull", field: "group" }, holds: (item) => groupOf(item) !== null },
  {
    predicate: { op: "hasPrefix", field: "group", value: "g" },
    holds: (item) => !!item.group?.startsWith("g"),
  },
  { predicate: { op: "<", field: "amount", value: 10 }, holds: ({ amount }) => amount < 10 },
  { predicate: { op: "<=", field: "amount", value: 1 }, holds: ({ amount }) => amount <= 1 },
  { predicate: { op: ">=", field: "amount", value: 9 }, holds: ({ amount }) => amount >= 9 },
  { predicate: { op: ">", field: "amount", value: 0 }, holds: ({ amount }) => amount > 0 },
  { predicate: { op: "!=", field: "amount", value: 1 }, holds: ({ amount }) => amount !== 1 },
  {
    predicate: { op: "in", field: "amount", values: [0, 9, 11] },
    holds: ({ amount }) => [0, 9, 11].includes(amount),
  },
  { predicate: { op: "==", field: "tags[]", value: "x" }, holds: ({ tags }) => tags.includes("x") },
  { predicate: { op: "==", field: "tags[]", value: "y" }, holds: ({ tags }) => tags.includes("y") },
  {
    predicate: { op: "hasPrefix", field: "tags[]", value: "x" },
    holds: ({ tags }) => tags.some((tag) => tag.startsWith("x")),
  },
  {
    predicate: { op: ">=", field: "tags[]", value: "x" },
    holds: ({ tags }) => tags.some((tag) => tag >= "x"),
  },
  { predicate: { op: "isNull", field: "at.place" }, holds: (item) => placeOf(item) === null },
  { predicate: { op: "isNotNull", field: "at.place" }, holds: (item) => placeOf(item) !== null },
  { predicate: { op: "==", field: "at.place", value: "her" }, holds: (item) => placeOf(item) === "her" },
  { predicate: { op: "<", field: "at.place", value: "here" }, holds: (item) => placeOf(item) !== "here" },
  { predicate: { op: "==", field: "name", value: "n" }, holds: ({ name }) => name === "n" },
  { predicate: { op: ">=", field: "name", value: "n" }, holds: ({ name }) => name >= "n" },
  { predicate: { op: "contains", field: "name", value: "n" }, holds: ({ name }) => name.includes("n") },
  {
    predicate: { op: "not", of: { op: "==", field: "name", value: "na" } },
    holds: ({ name }) => name !== "na",
  },
  { predicate: { op: ">", field: "id", value: "a" }, holds: ({ id }) => id > "a" },
];

const by = (field: OrderTerm["field"], direction: OrderTerm["direction"] = "asc"): OrderTerm => ({
  field,
  direction,
});
const ORDERS: readonly (readonly OrderTerm[])[] = [
  [],
  [by("amount")],
  [by("amount", "desc")],
  [by("group"), by("amount", "desc")],
  [by("group"), by("amount")],
  [by("name", "desc")],
  [by("at.place")],
  [by("id", "desc")],
];

export const QUERY_SIZES = { conditions: CONDITIONS.length, orders: ORDERS.length } as const;

/** Any number names one of them, so that a case may be edited freely. */
export function queryOf(first: number, second: number, either: boolean, order: number): AskedQuery {
  const conditions = [first % CONDITIONS.length, second % CONDITIONS.length];
  const predicates = conditions.map((number) => conditionOf(number).predicate);
  const where: readonly Predicate[] = either ? [{ op: "or", of: predicates }] : predicates;
  return { where, orderBy: ORDERS[order % ORDERS.length] ?? [], conditions, either };
}

/** Those that meet it, in an order that it allows: brute force. */
export function answerOf(asked: AskedQuery, items: readonly Item[]): Item[] {
  return items.filter((item) => meets(asked, item)).sort((a, b) => compare(asked, a, b));
}

/** Documents of one key come in any order. */
export function sortKeyOf({ orderBy }: AskedQuery, item: Item | undefined): string | null {
  return item === undefined ? null : orderBy.map(({ field }) => packed([valueOf(item, field)])).join("");
}

function meets({ conditions, either }: AskedQuery, item: Item): boolean {
  const holds = (number: number): boolean => conditionOf(number).holds(item);
  return either ? conditions.some(holds) : conditions.every(holds);
}

function compare({ orderBy }: AskedQuery, a: Item, b: Item): number {
  for (const { field, direction } of orderBy) {
    const [one, other] = [packed([valueOf(a, field)]), packed([valueOf(b, field)])];
    if (one !== other) return one < other === (direction === "asc") ? -1 : 1;
  }
  return 0;
}

function valueOf(item: Item, field: OrderTerm["field"]): RawElement {
  switch (field) {
    case "amount":
      return { double: item.amount };
    case "group":
      return groupOf(item);
    case "at.place":
      return placeOf(item);
    default:
      return item[field];
  }
}

function conditionOf(number: number): Condition {
  return CONDITIONS[number % CONDITIONS.length] as Condition; // within the list
}
