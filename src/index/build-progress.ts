/**
 * How far the build of an index copy has come, as one row that is written by the transaction that writes the entries (features
 * DF-39): so it is never ahead of them. Writers of a non-idempotent index read it with a conflict (features DF-40).
 * Does not own: the building.
 */
import { compareKeys } from "../engine/format/bytes.js";
import type { Subspace } from "../keyspace/subspace.js";
import { pack } from "../keyspace/tuple.js";
import type { RecordItem } from "../record/item.js";
import { KEYSPACE } from "../record/keyspace.js";
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";

export class BuildProgress {
  readonly #key: Uint8Array;

  constructor(root: Subspace, indexId: number, generation: number) {
    this.#key = root.pack([KEYSPACE.builds, indexId, generation]);
  }

  /** The packed primary key up to which items, itself included, are in the index. Undefined: none yet. */
  read(reader: ReadTransaction): Promise<Uint8Array | undefined> {
    return reader.get(this.#key);
  }

  write(transaction: Transaction, position: Uint8Array): void {
    transaction.set(this.#key, position);
  }

  clear(transaction: Transaction): void {
    transaction.clear(this.#key);
  }
}

export function isBuilt(position: Uint8Array | undefined, item: RecordItem): boolean {
  return position !== undefined && compareKeys(pack([item.primaryKey]), position) <= 0;
}
