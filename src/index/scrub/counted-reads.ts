/** Reads with their bytes counted, for work that may read only so much in one transaction. Changes nothing else. */
import type { KeySelector } from "../../transaction/key-selector.js";
import type { KeyValue, RangeBound, RangeOptions, ReadTransaction } from "../../transaction/transaction.js";

export class CountedReads implements ReadTransaction {
  readonly #inner: ReadTransaction;
  bytes = 0;

  constructor(inner: ReadTransaction) {
    this.#inner = inner;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#inner.get(key);
    this.bytes += key.length + (value?.length ?? 0);
    return value;
  }

  async getKey(selector: KeySelector): Promise<Uint8Array> {
    const key = await this.#inner.getKey(selector);
    this.bytes += key.length;
    return key;
  }

  async *getRange(begin: RangeBound, end: RangeBound, options?: RangeOptions): AsyncGenerator<KeyValue> {
    for await (const row of this.#inner.getRange(begin, end, options)) {
      this.bytes += row[0].length + row[1].length;
      yield row;
    }
  }

  async getRangeAll(begin: RangeBound, end: RangeBound, options?: RangeOptions): Promise<KeyValue[]> {
    const rows = await this.#inner.getRangeAll(begin, end, options);
    for (const [key, value] of rows) this.bytes += key.length + value.length;
    return rows;
  }

  getReadVersion(): Promise<number> {
    return this.#inner.getReadVersion();
  }
}
