/**
 * Unique values at the end of a transaction: what several of its writes have made of them together, so that two documents may swap
 * theirs (features DF-37, FS-31). The rows of a value are read with a conflict, so of two transactions that bring one value to two
 * documents only one commits. In a readable index a second document is an error; in one that is being built it is recorded.
 * Does not own: when an index may become readable (the builder, which asks `violations.ts`).
 */
import type { Subspace } from "../keyspace/subspace.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { StoredIndex } from "../record/catalogue.js";
import { indexValue } from "../record/index-value.js";
import { RecordError, shown } from "../record/record-error.js";
import type { Transaction } from "../transaction/transaction.js";
import type { EntrySource, IndexEntry, IndexMaintainer } from "./kind.js";
import { rowsAfterValues } from "./value-range.js";
import { recordViolation } from "./violations.js";

interface Touched {
  readonly maintainer: IndexMaintainer;
  readonly stored: StoredIndex;
  /** What all rows of the value begin with. */
  readonly prefix: Uint8Array;
}

export class UniquenessChecks {
  readonly #root: Subspace;
  /** By the bytes of the prefix. */
  readonly #touched = new Map<string, Touched>();

  constructor(root: Subspace) {
    this.#root = root;
  }

  /** A row that was not there before. */
  note(maintainer: IndexMaintainer, stored: StoredIndex, entry: IndexEntry): void {
    const prefix = entry.key.subarray(0, entry.valueBytes);
    this.#touched.set(Buffer.from(prefix).toString("latin1"), { maintainer, stored, prefix });
  }

  /** After the last write of the transaction. Throws `UNIQUE_VIOLATION`. */
  async check(transaction: Transaction): Promise<void> {
    const all = [...this.#touched.values()];
    this.#touched.clear();
    // Sent off together; most find one row.
    const found = await Promise.all(
      all.map(({ prefix, stored }) => {
        const { begin, end } = rowsAfterValues(prefix);
        return transaction.getRangeAll(begin, end, stored.state === "readable" ? TWO : {});
      }),
    );
    for (const [at, rows] of found.entries()) {
      if (rows.length < 2) continue;
      // One result for each.
      const { maintainer, stored, prefix } = all[at] as Touched;
      // Only flat kinds note rows.
      const source = maintainer.entries as EntrySource;
      const owners = rows.map(([key]) => source.primaryKeyOf(key));
      if (stored.state === "readable") throw violation(maintainer, prefix, owners);
      for (const owner of owners) {
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
