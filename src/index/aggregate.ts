/**
 * How values made up from many documents are read, whatever the kind: of one group, or of all in their order. A kind that offers
 * this (`IndexMaintainer.aggregates`) is read by `Collection.aggregate` with no edit there.
 * Does not own: what a value is, nor how it is kept.
 */
import type { IndexValue } from "../record/index-value.js";
import type { ReadTransaction } from "../transaction/transaction.js";

/** A value made up from the documents of one group. */
export interface Aggregate<Value> {
  /** Values of the fields that documents are grouped by, in their order. */
  readonly group: readonly IndexValue[];
  readonly value: Value;
}

/** Which groups, from which end, and how many. */
export interface GroupScan {
  /** At most so many groups; all by default. */
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** How values made up from many documents are read from an index. */
export interface AggregateReads<Value> {
  /** `undefined` for a group without documents. Throws `INVALID_ARGUMENT` for what is no group of this index. */
  one(reader: ReadTransaction, group: readonly IndexValue[]): Promise<Value | undefined>;
  all(reader: ReadTransaction, scan: GroupScan): Promise<Aggregate<Value>[]>;
}
