/**
 * What one index, or the collection itself, can do for conditions that must all be met: which ranges of its keys hold every document
 * that meets them, and in which order. Null where it may lack one of these documents:
 *
 * | index | may be used when |
 * |---|---|
 * | not readable | never |
 * | partial | the conditions imply its own |
 * | sparse | the conditions exclude null for each of its fields |
 * | through a list | a condition asks for an element: a document with an empty list has no entry |
 *
 * Does not own: the choice among them (`planner.ts`).
 */
import { mutant } from "../platform/probes.js";
import { parsePath } from "../record/field-path.js";
import type { Predicate } from "../record/predicate.js";
import { implies, possibleElements, possibleValues } from "./constraints.js";
import type { CollectionScan, IndexScan, QueryIndex, Span } from "./plan.js";
import {
  FIELD_VALUES,
  hull,
  type Interval,
  intersection,
  isEverything,
  isPoint,
  KEY_VALUES,
  point,
  type ValueSet,
} from "./value-set.js";

/** Ranges of keys that one access reads at most; more become one range with holes, which the filter closes. */
export const SPANS_MAX = 100;

export interface AccessPath {
  readonly scan: IndexScan | CollectionScan;
  /** No range at all: the conditions contradict each other. */
  readonly isEmpty: boolean;
  /** Fields that have one of a few values. */
  readonly equalities: number;
  /** Whether the next field is bounded. */
  readonly hasRange: boolean;
  /** The fields it orders by, before the primary key; those with one value only are left out. */
  readonly ordered: readonly string[];
  /** The same within one span's values of `equalities`: what is left when spans are merged. Null: there is nothing to merge. */
  readonly orderedWithin: readonly string[] | null;
  /** What entries know of documents. */
  readonly covered: ReadonlySet<string>;
}

export function collectionPath(conjuncts: readonly Predicate[], primaryKey: string): AccessPath {
  const keys = possibleValues(conjuncts, primaryKey, KEY_VALUES);
  const isSeek = keys.length <= SPANS_MAX && keys.every(isPoint);
  return {
    scan: {
      op: "collectionScan",
      keys: keys.length <= SPANS_MAX ? keys : hull(keys),
      reverse: false,
    },
    isEmpty: keys.length === 0,
    equalities: isSeek ? 1 : 0,
    hasRange: !isSeek && !isEverything(keys),
    ordered: [],
    orderedWithin: null,
    covered: NO_FIELDS,
  };
}

const NO_FIELDS: ReadonlySet<string> = new Set();

export function indexPath(
  conjuncts: readonly Predicate[],
  index: QueryIndex,
  primaryKey: string,
): AccessPath | null {
  if (!index.isReadable && !mutant("Q5-write-only-index-read")) return null;
  const isPartial = index.where !== null && !mutant("Q2-partial-index-not-implied");
  if (isPartial && !implies(conjuncts, index.where, primaryKey)) return null;
  const sets: ValueSet[] = [];
  for (const field of index.fields) {
    const set = fieldSet(conjuncts, field, primaryKey);
    if (set === null) return null;
    sets.push(set);
  }
  const excludesNull = (set: ValueSet): boolean => intersection(set, point(FIELD_VALUES, null)).length === 0;
  if (index.isSparse && !sets.every(excludesNull) && !mutant("Q3-sparse-index-answers-null")) return null;
  return { ...spansOf(sets, index), covered: coveredBy(index, primaryKey) };
}

/** What is possible for the field in an entry of the index; null when a document may have no entry. */
function fieldSet(conjuncts: readonly Predicate[], field: string, primaryKey: string): ValueSet | null {
  // Queries compare integers of primary keys by value, a scalar index keeps them by type.
  if (field === primaryKey) return possibleValues([], field, FIELD_VALUES);
  if (!parsePath(field).isMulti) return possibleValues(conjuncts, field, FIELD_VALUES);
  const candidates = possibleElements(conjuncts, field);
  return candidates.reduce<ValueSet | null>((best, set) => (isNarrower(set, best) ? set : best), null);
}

function isNarrower(set: ValueSet, other: ValueSet | null): boolean {
  if (other === null) return true;
  const rank = (one: ValueSet): number => {
    if (isEverything(one)) return Number.POSITIVE_INFINITY;
    return one.every(isPoint) ? one.length : 1_000_000 + one.length;
  };
  return rank(set) < rank(other);
}

function spansOf(sets: readonly ValueSet[], index: QueryIndex): Omit<AccessPath, "covered"> {
  let prefixes: (readonly Interval[])[] = [[]];
  let equalities = 0;
  while (equalities < sets.length) {
    const set = sets[equalities] as ValueSet; // in bounds
    if (!set.every(isPoint) || prefixes.length * set.length > SPANS_MAX) break;
    prefixes = prefixes.flatMap((prefix) => set.map((interval) => [...prefix, interval]));
    equalities++;
  }
  const next = sets[equalities];
  const hasRange = next !== undefined && !isEverything(next);
  const intervals = !hasRange ? [null] : prefixes.length * next.length > SPANS_MAX ? hull(next) : next;
  const spans = prefixes.flatMap((equals) => intervals.map((within): Span => ({ equals, within })));
  const isSingle = (_: string, at: number): boolean => at < equalities && sets[at]?.length === 1;
  const { name, id, generation, fields, covering } = index;
  return {
    scan: {
      op: "indexScan",
      index: name,
      indexId: id,
      generation,
      fields,
      covering,
      spans,
      reverse: false,
    },
    isEmpty: sets.some((set) => set.length === 0),
    equalities,
    hasRange,
    ordered: fields.filter((field, at) => !isSingle(field, at)),
    orderedWithin: prefixes.length > 1 ? fields.slice(equalities) : null,
  };
}

function coveredBy({ fields, covering }: QueryIndex, primaryKey: string): ReadonlySet<string> {
  return new Set([...fields.filter((field) => !parsePath(field).isMulti), ...covering, primaryKey]);
}
