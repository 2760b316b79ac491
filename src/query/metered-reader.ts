/** A reader that counts the bytes it hands out: the measure of what a query has scanned. Changes nothing that is read. */
import type { KeySelector } from "../transaction/key-selector.js";
import type { KeyValue, RangeBound, RangeOptions, ReadTransaction } from "../transaction/transaction.js";

export class MeteredReader implements ReadTransaction {
  bytes = 0;
  readonly #reader: ReadTransaction;

  constructor(reader: ReadTransaction) {
    this.#reader = reader;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = await this.#reader.get(key);
    if (value !== undefined) this.bytes += key.length + value.length;
    return value;
  }

  getKey(selector: KeySelector): Promise<Uint8Array> {
    return this.#reader.getKey(selector);
  }

  async *getRange(
    begin: RangeBound,
    end: RangeBound,
    options?: RangeOptions,
  ): AsyncGenerator<KeyValue, void, undefined> {
    for await (const row of this.#reader.getRange(begin, end, options)) {
      this.#count(row);
      yield row;
    }
  }

  async getRangeAll(begin: RangeBound, end: RangeBound, options?: RangeOptions): Promise<KeyValue[]> {
    const rows = await this.#reader.getRangeAll(begin, end, options);
    for (const row of rows) this.#count(row);
    return rows;
  }

  getReadVersion(): Promise<number> {
    return this.#reader.getReadVersion();
  }

  #count([key, value]: KeyValue): void {
    this.bytes += key.length + value.length;
  }
}
