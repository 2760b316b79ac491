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
import { clearItem, damaged, isWhole, readItem, writeItem } from "./pipeline/large-values.js";

/** An item as it was read, with what an overwrite must know of it. */
export interface FoundItem extends RecordItem {
  /** Values it is split into; 0 when it is not. */
  readonly parts: number;
}

/** Which items, and how. */
export interface ItemScan extends KeyRange {
  readonly limit?: number;
  readonly reverse?: boolean;
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
  async *scan(reader: ReadTransaction, range: ItemScan): AsyncGenerator<FoundItem> {
    const { begin, end, ...options } = range;
    for await (const { key, bytes, parts } of items(reader, begin, end, options)) {
      yield { primaryKey: this.#primaryKeyOf(key), document: this.#pipeline.decode(bytes, key), parts };
    }
  }

  /** As `scan`, at once, for a `limit` of which all can be held. */
  async scanAll(reader: ReadTransaction, range: ItemScan & { readonly limit: number }): Promise<FoundItem[]> {
    const { begin, end, limit, reverse = false } = range;
    if (limit <= 0) return [];
    const rows = await reader.getRangeAll(begin, end, { limit, reverse });
    if (rows.every(([key, value]) => isWhole(key, value))) {
      return rows.map(([key, value]) => ({
        primaryKey: this.#primaryKeyOf(key),
        document: this.#pipeline.decode(value, key),
        parts: 0,
      }));
    }
    const found: FoundItem[] = [];
    for await (const item of this.scan(reader, range)) found.push(item);
    return found;
  }

  /** How many items there are, and the last of them: nothing is decoded. */
  async count(
    reader: ReadTransaction,
    range: ItemScan,
  ): Promise<{ readonly count: number; readonly last: TupleElement | undefined }> {
    const { begin, end, ...options } = range;
    let count = 0;
    let last: Uint8Array | undefined;
    for await (const { key } of items(reader, begin, end, options)) {
      count++;
      last = key;
    }
    return { count, last: last === undefined ? undefined : this.#primaryKeyOf(last) };
  }

  #primaryKeyOf(key: Uint8Array): TupleElement {
    const tuple = new TupleReader(key.subarray(this.space.prefix.length));
    const primaryKey = tuple.element();
    if (!tuple.atEnd) throw damaged(key, "its key goes on behind the primary key");
    return primaryKey;
  }
}
