/**
 * Values that more than one item has, of unique indexes that are not readable yet (features DF-38): recorded by whoever writes them,
 * so that the end of a build looks at them alone.
 *
 *     (violations, index id, generation, value bytes, primary key) → nothing
 *
 * A row says that there was a violation, not that there still is: `unresolvedViolations` looks.
 */
import { compareKeys } from "../engine/format/bytes.js";
import type { Subspace } from "../keyspace/subspace.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { StoredIndex } from "../record/catalogue.js";
import { type IndexValue, indexValue } from "../record/index-value.js";
import { KEYSPACE } from "../record/keyspace.js";
import type { Transaction } from "../transaction/transaction.js";
import type { EntrySource, IndexMaintainer } from "./kind.js";
import { rowsAfterValues } from "./value-range.js";

export interface Violation {
  readonly stored: StoredIndex;
  /** Of the copy of the index. */
  readonly space: Subspace;
  /** What the rows of the value begin with. */
  readonly prefix: Uint8Array;
  readonly owner: TupleElement;
}

export function recordViolation(transaction: Transaction, root: Subspace, violation: Violation): void {
  const { stored, space, prefix, owner } = violation;
  const value = prefix.subarray(space.prefix.length);
  // The prefix of a copy ends in its generation, so its violations are kept apart by it.
  transaction.set(violationSpace(root, stored, space).pack([value, owner]), new Uint8Array(0));
}

function violationSpace(root: Subspace, stored: StoredIndex, space: Subspace): Subspace {
  const [, , generation = null] = root.unpack(space.prefix);
  return root.subspace(KEYSPACE.violations, stored.id, generation);
}

/** A value that several items have. */
export interface UnresolvedViolation {
  readonly index: string;
  /** Of the fields of the index, in their order. */
  readonly values: readonly IndexValue[];
  /** The first of them. */
  readonly primaryKeys: readonly TupleElement[];
}

export interface ViolationReport {
  readonly unresolved: readonly UnresolvedViolation[];
  /** False: there may be more; call again in another transaction. */
  readonly isComplete: boolean;
}

/** At most so many are named, so many values are looked at in one transaction, and so many of their items. */
const NAMED_MAX = 20;
const VALUES_MAX = 500;
const OWNERS_MAX = 10;

/** Values that are violated still; what was recorded of others is removed. Reads with conflicts. */
export async function unresolvedViolations(
  transaction: Transaction,
  root: Subspace,
  { stored, maintainer }: { readonly stored: StoredIndex; readonly maintainer: IndexMaintainer },
): Promise<ViolationReport> {
  const { space } = maintainer.context;
  const violations = violationSpace(root, stored, space);
  const { begin, end } = violations.range();
  const unresolved: UnresolvedViolation[] = [];
  const resolved: Uint8Array[] = [];
  let last: Uint8Array | null = null;
  let isComplete = true;
  for await (const [key] of transaction.getRange(begin, end)) {
    const [value] = violations.unpack(key) as [Uint8Array, TupleElement];
    if (last !== null && compareKeys(last, value) === 0) continue;
    if (unresolved.length === NAMED_MAX || resolved.length === VALUES_MAX) {
      isComplete = false;
      break;
    }
    last = value;
    const prefix = Buffer.concat([space.prefix, value]);
    const rowsOf = rowsAfterValues(prefix);
    const rows = await transaction.getRangeAll(rowsOf.begin, rowsOf.end, { limit: OWNERS_MAX });
    if (rows.length > 1) {
      // Only flat kinds are unique.
      const source = maintainer.entries as EntrySource;
      unresolved.push({
        index: stored.name,
        values: space.unpack(prefix).map((element) => indexValue(element)?.value ?? null),
        primaryKeys: rows.map(([row]) => source.primaryKeyOf(row)),
      });
    } else resolved.push(value);
  }
  for (const value of resolved) {
    const own = violations.range([value]);
    transaction.clearRange(own.begin, own.end);
  }
  return { unresolved, isComplete };
}
