/**
 * Documents of one collection as bytes: keys from primary keys, values through the pipeline, large ones in parts. Knows nothing of
 * indexes, schemas or types (features FR-35); who writes through it must maintain the indexes in the same transaction.
 */
import type { KeyRange, Subspace } from "../keyspace/subspace.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { TupleReader } from "../keyspace/tuple-reader.js";
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";
import type { RecordItem } from "./item.js";
import type { ItemPipeline } from "./pipeline/item-pipeline.js";
import { clearItem, readItem, splitOf, writeItem } from "./pipeline/large-values.js";

/** An item as it was read, with what an overwrite must know of it. */
export interface FoundItem extends RecordItem {
  /** Values it is split into; 0 when it is not. */
  readonly parts: number;
}

export class ItemStore {
  readonly space: Subspace;
  readonly #pipeline: ItemPipeline;

  constructor(space: Subspace, pipeline: ItemPipeline) {
    this.space = space;
    this.#pipeline = pipeline;
  }

  keyOf(primaryKey: RecordItem["primaryKey"]): Uint8Array {
    return this.space.pack([primaryKey]);
  }

  async read(reader: ReadTransaction, primaryKey: RecordItem["primaryKey"]): Promise<FoundItem | undefined> {
    const key = this.keyOf(primaryKey);
    const stored = await readItem(reader, key);
    if (stored === undefined) return undefined;
    return { primaryKey, document: this.#pipeline.decode(stored.bytes, key), parts: stored.parts };
  }

  /** `former`: what is there now. */
  write(transaction: Transaction, item: RecordItem, former: FoundItem | undefined): void {
    const key = this.keyOf(item.primaryKey);
    writeItem(transaction, key, this.#pipeline.encode(item.document, key), former?.parts ?? 0);
  }

  clear(transaction: Transaction, former: FoundItem): void {
    clearItem(transaction, this.keyOf(former.primaryKey), former.parts);
  }

  /**
   * Items with keys of [begin, end), in the order of their primary keys or from the end. `limit` counts items. Large ones are read
   * again, whole, as they are met.
   */
  async *scan(
    reader: ReadTransaction,
    range: KeyRange & { readonly limit?: number; readonly reverse?: boolean },
  ): AsyncGenerator<FoundItem> {
    const { begin, end, limit = Number.POSITIVE_INFINITY, reverse = false } = range;
    let left = limit;
    if (left <= 0) return;
    for await (const [key, value] of reader.getRange(begin, end, { reverse })) {
      const primaryKey = this.#primaryKeyOf(key);
      if (primaryKey === undefined) continue;
      const stored = splitOf(value) === null ? { bytes: value, parts: 0 } : await readItem(reader, key);
      if (stored === undefined) continue;
      yield { primaryKey, document: this.#pipeline.decode(stored.bytes, key), parts: stored.parts };
      if (--left === 0) return;
    }
  }

  /** `undefined` for the key of a part: it goes on after the primary key. */
  #primaryKeyOf(key: Uint8Array): TupleElement | undefined {
    const tuple = new TupleReader(key.subarray(this.space.prefix.length));
    const primaryKey = tuple.element();
    return tuple.atEnd ? primaryKey : undefined;
  }
}
