/**
 * What a query asks and how it is answered, as plain data: a planner turns the one into the other, `execute.ts` runs it. A planner by
 * cost takes the place of the rules of `planner.ts` behind these shapes. Owns the shapes, and nothing that is done with them.
 */
import type { Predicate } from "../record/predicate.js";
import type { Interval, ValueSet } from "./value-set.js";

export interface OrderTerm {
  readonly field: string;
  readonly descending: boolean;
}

/** A total order: by these fields, then by primary key. */
export interface RowOrder {
  readonly fields: readonly OrderTerm[];
  readonly keyDescending: boolean;
}

/** Checked and normalized: see `query.ts`. */
export interface Query {
  readonly collection: string;
  readonly where: Predicate;
  readonly order: RowOrder;
  /** Whether more fields may decide between equals before the primary key does. Not when a page goes on. */
  readonly isOrderOpen: boolean;
  readonly offset: number;
  /** Null: all. */
  readonly limit: number | null;
  readonly output: QueryOutput;
}

export type QueryOutput =
  | { readonly type: "documents" }
  | { readonly type: "fields"; readonly fields: readonly string[] }
  | { readonly type: "count" };

/** What a planner knows of a collection. */
export interface QueryCollection {
  readonly name: string;
  readonly primaryKey: string;
  readonly indexes: readonly QueryIndex[];
}

/** An index that has documents in the order of values. */
export interface QueryIndex {
  readonly name: string;
  readonly id: number;
  readonly generation: number;
  readonly fields: readonly string[];
  readonly covering: readonly string[];
  readonly isSparse: boolean;
  /** Documents that it holds. */
  readonly where: Predicate | null;
  readonly isReadable: boolean;
}

/** Where rows come from. Rows are a superset of what the query asks for; each is checked against all of its conditions. */
export type Access =
  /** No row can meet the conditions. */
  | { readonly op: "nothing" }
  /** Documents by primary key. */
  | { readonly op: "collectionScan"; readonly keys: ValueSet; readonly reverse: boolean }
  | IndexScan
  /** Rows of all, which have one order, in that order; a document that several have comes once. */
  | { readonly op: "mergeUnion"; readonly of: readonly (IndexScan | CollectionScan)[] }
  /** Rows of one after the other, in no order: a sort follows, which also sees that a document comes once. */
  | { readonly op: "union"; readonly of: readonly (IndexScan | CollectionScan)[] };

export type CollectionScan = Extract<Access, { readonly op: "collectionScan" }>;

export interface IndexScan {
  readonly op: "indexScan";
  readonly index: string;
  readonly indexId: number;
  readonly generation: number;
  readonly fields: readonly string[];
  readonly covering: readonly string[];
  /** In the order of the index. */
  readonly spans: readonly Span[];
  readonly reverse: boolean;
}

/** Rows with these values in the first fields, and the next field within an interval. */
export interface Span {
  readonly equals: readonly Interval[];
  readonly within: Interval | null;
}

export interface Plan {
  readonly collection: string;
  readonly primaryKey: string;
  readonly access: Access;
  /** Rows are entries of indexes that have all that is asked for: no document is read. */
  readonly isIndexOnly: boolean;
  /** Everything that the query asks of a document, whatever the access has checked already. */
  readonly filter: Predicate;
  /** Rows come otherwise and must be sorted. */
  readonly isSorted: boolean;
  /** In which rows come, in the end. */
  readonly order: RowOrder;
  readonly offset: number;
  readonly limit: number | null;
  readonly output: QueryOutput;
}
