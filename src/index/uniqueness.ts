/**
 * Unique values at the end of a transaction: what several of its writes have made of them together, so that two documents may swap
 * theirs (features DF-37, FS-31). The rows of a value are read with a conflict, so of two transactions that bring one value to two
 * documents only one commits. In a readable index a second document is an error; in one that is being built it is recorded.
 * Does not own: when an index may become readable (the builder, which asks `violations.ts`).
 */
import type { Subspace } from "../keyspace/subspace.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { mutant } from "../platform/probes.js";
import type { StoredIndex } from "../record/catalogue.js";
import { indexValue } from "../record/index-value.js";
import { RecordError, shown } from "../record/record-error.js";
import type { Transaction } from "../transaction/transaction.js";
import type { EntrySource, IndexEntry, IndexMaintainer } from "./kind.js";
import { rowsAfterValues } from "./value-range.js";
import { recordViolation } from "./violations.js";

/** Of a copy of an index, what must be known to check it. */
export interface UniqueIndex {
  readonly stored: StoredIndex;
  /** Then a second document is no error yet. */
  readonly isBuilding: boolean;
  readonly maintainer: IndexMaintainer;
}

interface Touched {
  readonly index: UniqueIndex;
  /** What all rows of the value begin with. */
  readonly prefix: Uint8Array;
  /** The rows that the transaction has brought. */
  readonly keys: Uint8Array[];
}

export class UniquenessChecks {
  readonly #root: Subspace;
  /** By the bytes of the prefix. */
  readonly #touched = new Map<string, Touched>();

  constructor(root: Subspace) {
    this.#root = root;
  }

  /** A row that was not there before. */
  note(index: UniqueIndex, entry: IndexEntry): void {
    const prefix = entry.key.subarray(0, entry.valueBytes);
    const name = Buffer.from(prefix).toString("latin1");
    const touched = this.#touched.get(name);
    if (touched === undefined) this.#touched.set(name, { index, prefix, keys: [entry.key] });
    else touched.keys.push(entry.key);
  }

  /** After the last write of the transaction. Throws `UNIQUE_VIOLATION`. */
  async check(transaction: Transaction): Promise<void> {
    const all = [...this.#touched.values()];
    this.#touched.clear();
    // Sent off together; most find one row. Whoever brings a second one reads two, and whoever comes after records himself.
    const reader = mutant("I4-unique-check-not-conflict-tracked") ? transaction.snapshot : transaction;
    const found = await Promise.all(
      all.map(({ prefix }) => {
        const { begin, end } = rowsAfterValues(prefix);
        return reader.getRangeAll(begin, end, TWO);
      }),
    );
    for (const [at, rows] of found.entries()) {
      if (rows.length < 2) continue;
      // One result for each.
      const { index, prefix, keys } = all[at] as Touched;
      const { maintainer, stored, isBuilding } = index;
      // Only flat kinds note rows.
      const source = maintainer.entries as EntrySource;
      const owners = rows.map(([key]) => source.primaryKeyOf(key));
      if (!isBuilding) throw violation(maintainer, prefix, owners);
      for (const owner of [...owners, ...keys.map((key) => source.primaryKeyOf(key))]) {
        recordViolation(transaction, this.#root, { stored, space: maintainer.context.space, prefix, owner });
      }
    }
  }
}

const TWO = { limit: 2 };

function violation(
  { context }: IndexMaintainer,
  prefix: Uint8Array,
  owners: readonly TupleElement[],
): RecordError {
  const { collection, index, declaration, space } = context;
  const values = space.unpack(prefix).map((element) => indexValue(element)?.value);
  const field = declaration.fields.join(", ");
  return new RecordError(
    "UNIQUE_VIOLATION",
    `${owners.map((owner) => shown(owner)).join(" and ")} of "${collection}" would both have ${values.map(shown).join(", ")} at ` +
      `${field}, which the index "${index}" allows once. Nothing was written.`,
    { collection, index, field, value: values.length === 1 ? values[0] : values },
  );
}
