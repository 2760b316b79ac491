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
import { items } from "./pipeline/item-range.js";
import { clearItem, damaged, readItem, writeItem } from "./pipeline/large-values.js";

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

  /** Items with keys of [begin, end), in the order of their primary keys or from the end. `limit` counts items. */
  async *scan(
    reader: ReadTransaction,
    range: KeyRange & { readonly limit?: number; readonly reverse?: boolean },
  ): AsyncGenerator<FoundItem> {
    const { begin, end, ...options } = range;
    for await (const { key, bytes, parts } of items(reader, begin, end, options)) {
      yield { primaryKey: this.#primaryKeyOf(key), document: this.#pipeline.decode(bytes, key), parts };
    }
  }

  #primaryKeyOf(key: Uint8Array): TupleElement {
    const tuple = new TupleReader(key.subarray(this.space.prefix.length));
    const primaryKey = tuple.element();
    if (!tuple.atEnd) throw damaged(key, "its key goes on behind the primary key");
    return primaryKey;
  }
}
