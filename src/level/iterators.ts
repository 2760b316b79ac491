/** Iterators over entries, keys and values: what each takes from a row. Does not own: the view and the pace (`row-reader.ts`). */
import type { StoreIterator } from "../engine/read/store-iterator.js";
import {
  AbstractIteratorBase,
  AbstractKeyIteratorBase,
  AbstractValueIteratorBase,
  type Encoded,
  type EntryItem,
  type LevelIteratorOptions,
} from "./abstract-level.js";
import { inFormat } from "./encoded.js";
import type { LevelStore } from "./level.js";
import { RowReader } from "./row-reader.js";

type Answer<T> = T | Promise<T>;
type Take<Item> = (cursor: StoreIterator) => Item;

export class EntryIterator<K, V> extends AbstractIteratorBase<K, V> {
  readonly #rows: RowReader;
  readonly #take: Take<EntryItem>;

  constructor(database: object, store: LevelStore, options: LevelIteratorOptions) {
    const rows = new RowReader(store, options);
    super(database, options);
    this.#rows = rows;
    const { keys, values, keyEncoding, valueEncoding } = options;
    this.#take = (cursor) => [
      keys === false ? undefined : inFormat(cursor.key, keyEncoding),
      values === false ? undefined : inFormat(cursor.value, valueEncoding),
    ];
  }

  override _next(): Answer<EntryItem | undefined> {
    return this.#rows.next(this.#take);
  }

  override _nextv(size: number): Answer<EntryItem[]> {
    return this.#rows.nextv(size, this.#take);
  }

  override _all(): Answer<EntryItem[]> {
    return this.#rows.nextv(this.limit - this.count, this.#take);
  }

  override _seek(target: Encoded): void {
    this.#rows.seek(target);
  }

  override _close(): Promise<void> {
    this.#rows.close();
    return Promise.resolve();
  }
}

export class KeyIterator<K, V> extends AbstractKeyIteratorBase<K, V> {
  readonly #rows: RowReader;
  readonly #take: Take<Encoded>;

  constructor(database: object, store: LevelStore, options: LevelIteratorOptions) {
    const rows = new RowReader(store, options);
    super(database, options);
    this.#rows = rows;
    this.#take = (cursor) => inFormat(cursor.key, options.keyEncoding);
  }

  override _next(): Answer<Encoded | undefined> {
    return this.#rows.next(this.#take);
  }

  override _nextv(size: number): Answer<Encoded[]> {
    return this.#rows.nextv(size, this.#take);
  }

  override _all(): Answer<Encoded[]> {
    return this.#rows.nextv(this.limit - this.count, this.#take);
  }

  override _seek(target: Encoded): void {
    this.#rows.seek(target);
  }

  override _close(): Promise<void> {
    this.#rows.close();
    return Promise.resolve();
  }
}

export class ValueIterator<K, V> extends AbstractValueIteratorBase<K, V> {
  readonly #rows: RowReader;
  readonly #take: Take<Encoded>;

  constructor(database: object, store: LevelStore, options: LevelIteratorOptions) {
    const rows = new RowReader(store, options);
    super(database, options);
    this.#rows = rows;
    this.#take = (cursor) => inFormat(cursor.value, options.valueEncoding);
  }

  override _next(): Answer<Encoded | undefined> {
    return this.#rows.next(this.#take);
  }

  override _nextv(size: number): Answer<Encoded[]> {
    return this.#rows.nextv(size, this.#take);
  }

  override _all(): Answer<Encoded[]> {
    return this.#rows.nextv(this.limit - this.count, this.#take);
  }

  override _seek(target: Encoded): void {
    this.#rows.seek(target);
  }

  override _close(): Promise<void> {
    this.#rows.close();
    return Promise.resolve();
  }
}
