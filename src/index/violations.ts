/**
 * Values that more than one item has, of unique indexes that are not readable yet (features DF-38): recorded by whoever writes them,
 * so that the end of a build looks at them alone.
 *
 *     (violations, index id, generation, value bytes, primary key) → nothing
 *
 * A row says that there was a violation, not that there still is: `unresolvedViolations` looks.
 */
import type { Subspace } from "../keyspace/subspace.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { StoredIndex } from "../record/catalogue.js";
import { KEYSPACE } from "../record/keyspace.js";
import type { Transaction } from "../transaction/transaction.js";
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

/** Values with their items that are violated still; rows of others are removed. Reads with conflicts. */
export async function unresolvedViolations(
  transaction: Transaction,
  root: Subspace,
  stored: StoredIndex,
  space: Subspace,
): Promise<{ readonly value: Uint8Array; readonly rows: number }[]> {
  const violations = violationSpace(root, stored, space);
  const { begin, end } = violations.range();
  const unresolved = new Map<string, { value: Uint8Array; rows: number }>();
  for (const [key] of await transaction.getRangeAll(begin, end)) {
    const [value] = violations.unpack(key) as [Uint8Array, TupleElement];
    const name = Buffer.from(value).toString("latin1");
    if (unresolved.has(name)) continue;
    const prefix = new Uint8Array(space.prefix.length + value.length);
    prefix.set(space.prefix);
    prefix.set(value, space.prefix.length);
    const rowsOf = rowsAfterValues(prefix);
    const rows = await transaction.getRangeAll(rowsOf.begin, rowsOf.end, { limit: 2 });
    if (rows.length > 1) unresolved.set(name, { value, rows: rows.length });
    else {
      const own = violations.range([value]);
      transaction.clearRange(own.begin, own.end);
    }
  }
  return [...unresolved.values()];
}
