/**
 * Chooses how a query is answered, by simple rules in this order:
 *
 * 1. the primary key, or the index with the most leading fields that have one of a few values, then a range on the next;
 * 2. among equals: unique to the last field before wider ones, one that needs no documents, one that has the order asked for;
 * 3. where nothing bounds the whole: an `or` of which each alternative has a bounded access is their union;
 * 4. otherwise the index that has the order asked for, when documents are wanted in one; otherwise the collection.
 *
 * An order that no access has is made by a sort. Does not own: what an index may answer (`access-path.ts`).
 */
import { parsePath } from "../record/field-path.js";
import type { Predicate } from "../record/predicate.js";
import { type AccessPath, collectionPath, indexPath, SPANS_MAX } from "./access-path.js";
import { isConstant } from "./constraints.js";
import { alternativesOf, conjunctsOf, fieldsOf } from "./normalize.js";
import type {
  Access,
  CollectionScan,
  IndexScan,
  OrderTerm,
  Plan,
  Query,
  QueryCollection,
  RowOrder,
  Span,
} from "./plan.js";
import type { Interval } from "./value-set.js";

/** Alternatives of an `or` that are planned one by one. */
const ALTERNATIVES_MAX = 16;

export function plan(query: Query, collection: QueryCollection): Plan {
  const { where, offset, limit, output } = query;
  const { access, order, isIndexOnly, isSorted } = chosen(query, collection);
  const { name, primaryKey } = collection;
  return {
    collection: name,
    primaryKey,
    access,
    isIndexOnly,
    filter: where,
    isSorted,
    order,
    offset,
    limit,
    output,
  };
}

type Choice = Pick<Plan, "access" | "order" | "isIndexOnly" | "isSorted">;

function chosen(query: Query, collection: QueryCollection): Choice {
  const { where } = query;
  if (where.op === "false") return nothing(query);
  const conjuncts = conjunctsOf(where);
  const best = bestPath(query, conjuncts, collection);
  if (best.path.isEmpty) return nothing(query);
  if (isBounded(best.path)) return best.choice;
  return unionOf(query, collection) ?? best.choice;
}

function nothing(query: Query): Choice {
  return { access: { op: "nothing" }, order: query.order, isIndexOnly: true, isSorted: false };
}

interface Candidate {
  readonly path: AccessPath;
  readonly choice: Choice;
}

function bestPath(query: Query, conjuncts: readonly Predicate[], collection: QueryCollection): Candidate {
  let best = candidate(query, conjuncts, collectionPath(conjuncts, collection.primaryKey), collection);
  for (const index of collection.indexes) {
    const path = indexPath(conjuncts, index, collection.primaryKey);
    if (path === null) continue;
    const other = candidate(query, conjuncts, path, collection);
    if (isBetter(other, best, query)) best = other;
  }
  return best;
}

function candidate(
  query: Query,
  conjuncts: readonly Predicate[],
  path: AccessPath,
  { primaryKey }: QueryCollection,
): Candidate {
  const needed = neededFields(query);
  const ways = [
    ordered(query, conjuncts, path, path.ordered, primaryKey),
    path.orderedWithin === null ? null : ordered(query, conjuncts, path, path.orderedWithin, primaryKey),
  ];
  const [streamed, merged] = ways;
  const order = streamed ?? merged ?? sortedOrder(query, conjuncts);
  const isSorted = streamed == null && merged == null;
  const isReverse = !isSorted && (order.fields[0]?.descending ?? order.keyDescending);
  const scan = { ...path.scan, reverse: isReverse };
  const access: Access =
    streamed == null && merged != null && scan.op === "indexScan"
      ? { op: "mergeUnion", of: splitByValues(scan) }
      : scan;
  const isIndexOnly =
    path.scan.op === "indexScan" &&
    needed !== null &&
    [...needed, ...order.fields.map(({ field }) => field)].every((field) => path.covered.has(field));
  return { path, choice: { access, order, isIndexOnly, isSorted } };
}

function isBounded(path: AccessPath): boolean {
  return path.equalities > 0 || path.hasRange;
}

function isBetter(one: Candidate, other: Candidate, query: Query): boolean {
  const [a, b] = [one.path, other.path];
  if (a.isEmpty || b.isEmpty) return a.isEmpty && !b.isEmpty;
  // One document, or a few, with nothing between.
  if (isKeySeek(b)) return false;
  if (a.equalities !== b.equalities) return a.equalities > b.equalities;
  if (a.hasRange !== b.hasRange) return a.hasRange;
  if (one.choice.isSorted !== other.choice.isSorted) {
    // To walk a whole index for its order pays only where somebody wants that order.
    return isBounded(a) || query.output.type !== "count" ? other.choice.isSorted : one.choice.isIndexOnly;
  }
  if (one.choice.isIndexOnly !== other.choice.isIndexOnly) return one.choice.isIndexOnly;
  return isBounded(a) && fieldCount(a) < fieldCount(b);
}

function isKeySeek({ scan, equalities }: AccessPath): boolean {
  return scan.op === "collectionScan" && equalities > 0;
}

function fieldCount({ scan }: AccessPath): number {
  return scan.op === "indexScan" ? scan.fields.length : 0;
}

/** Null: whole documents. */
function neededFields({ output, where }: Query): ReadonlySet<string> | null {
  if (output.type === "documents") return null;
  return new Set([...fieldsOf(where), ...(output.type === "fields" ? output.fields : [])]);
}

/**
 * The total order of a scan by these fields, in either direction, if it is what the query asks for: fields of which only one value is
 * possible do not count. Null if it is not.
 */
function ordered(
  query: Query,
  conjuncts: readonly Predicate[],
  { scan, ordered: all }: AccessPath,
  fields: readonly string[],
  primaryKey: string,
): RowOrder | null {
  const { order, isOrderOpen } = query;
  const single = scan.op === "indexScan" ? scan.fields.filter((field) => !all.includes(field)) : [];
  // A page that goes on asks for the order that the one before was streamed in, with all fields of the index.
  const isWhole =
    order.fields.length === fields.length &&
    order.fields.every((term, at) => term.field === fields[at] && term.descending === order.keyDescending);
  const asked = isWhole
    ? order.fields
    : order.fields.filter(({ field }) => !single.includes(field) && !isConstant(conjuncts, field));
  const descending = asked[0]?.descending ?? order.keyDescending;
  if (asked.some((term, at) => term.descending !== descending || term.field !== fields[at])) return null;
  if (!isOrderOpen && (asked.length !== fields.length || order.keyDescending !== descending)) return null;
  // What a document has one value of, which is the field's own.
  if (fields.some((field) => parsePath(field).isMulti || field === primaryKey)) return null;
  return { fields: fields.map((field): OrderTerm => ({ field, descending })), keyDescending: descending };
}

function sortedOrder({ order }: Query, conjuncts: readonly Predicate[]): RowOrder {
  return {
    fields: order.fields.filter(({ field }) => !isConstant(conjuncts, field)),
    keyDescending: order.keyDescending,
  };
}

/** One scan for each combination of values of the leading fields. */
function splitByValues(scan: IndexScan): IndexScan[] {
  const groups = new Map<Span["equals"], Span[]>();
  for (const span of scan.spans) {
    const group = groups.get(span.equals);
    if (group === undefined) groups.set(span.equals, [span]);
    else group.push(span);
  }
  return [...groups.values()].map((spans) => ({ ...scan, spans }));
}

/** Null when one of the alternatives has no bounded access. */
function unionOf(query: Query, collection: QueryCollection): Choice | null {
  const alternatives = alternativesOf(query.where, ALTERNATIVES_MAX);
  if (alternatives === null || alternatives.length < 2) return null;
  // All must come in one order, so none may add fields of its own.
  const exact = { ...query, isOrderOpen: false };
  let scans: (IndexScan | CollectionScan)[] = [];
  let isSorted = false;
  let isIndexOnly = true;
  const order = sortedOrder(query, conjunctsOf(query.where));
  for (const conjuncts of alternatives) {
    const { path, choice } = bestPath(exact, conjuncts, collection);
    if (path.isEmpty) continue;
    if (!isBounded(path)) return null;
    isIndexOnly &&= choice.isIndexOnly && order.fields.every(({ field }) => path.covered.has(field));
    isSorted ||= choice.isSorted || !isSameOrder(choice.order, order);
    scans.push(...scansOf(choice.access));
  }
  if (scans.length === 0) return nothing(query);
  scans = distinct(scans);
  if (scans.length > SPANS_MAX) isSorted = true;
  return {
    access: isSorted
      ? { op: "union", of: scans.map((scan) => ({ ...scan, reverse: false })) }
      : { op: "mergeUnion", of: scans },
    order,
    isIndexOnly,
    isSorted,
  };
}

/** Alternatives that have a condition in common may have the whole access in common. */
function distinct(scans: readonly (IndexScan | CollectionScan)[]): (IndexScan | CollectionScan)[] {
  const byForm = new Map(scans.map((scan) => [formOf(scan), scan]));
  return [...byForm.values()];
}

function formOf(scan: IndexScan | CollectionScan): string {
  const bounds = (interval: Interval | null) =>
    interval === null
      ? null
      : [interval.low, interval.high].map(({ bytes }) => Buffer.from(bytes).toString("hex"));
  return JSON.stringify(
    scan.op === "collectionScan"
      ? scan.keys.map(bounds)
      : [scan.indexId, ...scan.spans.map(({ equals, within }) => [equals.map(bounds), bounds(within)])],
  );
}

function scansOf(access: Access): readonly (IndexScan | CollectionScan)[] {
  if (access.op === "nothing") return [];
  return access.op === "mergeUnion" || access.op === "union" ? access.of : [access];
}

function isSameOrder(a: RowOrder, b: RowOrder): boolean {
  return (
    a.keyDescending === b.keyDescending &&
    a.fields.length === b.fields.length &&
    a.fields.every(({ field, descending }, at) => {
      const other = b.fields[at];
      return other?.field === field && other.descending === descending;
    })
  );
}
