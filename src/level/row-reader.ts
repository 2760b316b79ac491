/**
 * What the three kinds of iterators have in common: a view of a range that is pinned when the iterator is created, read when rows are
 * asked for. The pin is a version and cannot fail; files are opened with the first row, so that errors arrive where rows do. A seek
 * may go back behind the end, so the pin outlives the store's iterator, which ends with its last row.
 *
 * Rows come without a promise where that is soon enough; after `ROWS_A_TURN` of them others get a turn first, so that a long loop
 * cannot keep timers and sockets waiting.
 */
import type { StoreIterator } from "../engine/read/store-iterator.js";
import type { Snapshot } from "../engine/snapshots.js";
import { mutant } from "../platform/probes.js";
import type { Encoded, LevelIteratorOptions } from "./abstract-level.js";
import { bytesOf } from "./encoded.js";
import { aborted, levelError } from "./errors.js";
import type { LevelStore } from "./level.js";
import { scanOptions } from "./range.js";
import { pinnedBy } from "./snapshot.js";

/** Some milliseconds of reading. */
const ROWS_A_TURN = 1024;

export class RowReader {
  readonly #store: LevelStore;
  readonly #options: LevelIteratorOptions;
  #snapshot: Snapshot;
  readonly #ownsSnapshot: boolean;
  #cursor: StoreIterator | null = null;
  #rowsThisTurn = 0;
  /** Read again, it would seem to be at its end; a seek begins anew. */
  #failure: unknown = null;
  /** Where a cursor that ended or was never there begins. */
  #target: Uint8Array | null = null;

  constructor(store: LevelStore, options: LevelIteratorOptions) {
    this.#store = store;
    this.#options = options;
    const given = pinnedBy(options.snapshot, store);
    this.#ownsSnapshot = given === undefined;
    this.#snapshot = given ?? store.snapshot();
  }

  /** The next row by `item`, which reads the cursor; undefined at the end. */
  next<Item>(item: (cursor: StoreIterator) => Item): Item | undefined | Promise<Item | undefined> {
    if (this.#mustWait) return this.#turn().then(() => this.#step(item));
    return this.#step(item);
  }

  /** Up to `size` rows; fewer at the end. */
  nextv<Item>(size: number, item: (cursor: StoreIterator) => Item): Item[] | Promise<Item[]> {
    const items: Item[] = [];
    if (!this.#mustWait && this.#fill(items, size, item)) return items;
    return this.#fillInTurns(items, size, item);
  }

  seek(target: Encoded): void {
    const cursor = this.#cursor;
    this.#target = bytesOf(target).slice();
    this.#cursor = null;
    this.#failure = null;
    cursor?.close();
  }

  close(): void {
    this.#cursor?.close();
    this.#cursor = null;
    if (this.#ownsSnapshot) this.#snapshot.close();
  }

  #step<Item>(item: (cursor: StoreIterator) => Item): Item | undefined {
    if (this.#failure !== null) throw this.#failure;
    try {
      const cursor = this.#cursor ?? this.#open();
      if (!cursor.next()) return undefined;
      this.#rowsThisTurn++;
      return item(cursor);
    } catch (error) {
      this.#failure = levelError(error);
      throw this.#failure;
    }
  }

  /** False where others are to have a turn before it goes on. */
  #fill<Item>(items: Item[], size: number, item: (cursor: StoreIterator) => Item): boolean {
    while (items.length < size) {
      if (this.#rowsThisTurn >= ROWS_A_TURN) return false;
      const next = this.#step(item);
      if (next === undefined) return true;
      items.push(next);
    }
    return true;
  }

  async #fillInTurns<Item>(
    items: Item[],
    size: number,
    item: (cursor: StoreIterator) => Item,
  ): Promise<Item[]> {
    do await this.#turn();
    while (!this.#fill(items, size, item));
    return items;
  }

  /** Whoever gives a signal may raise it after the call. */
  get #mustWait(): boolean {
    return this.#rowsThisTurn >= ROWS_A_TURN || (this.#options.signal ?? null) !== null;
  }

  async #turn(): Promise<void> {
    if (this.#rowsThisTurn >= ROWS_A_TURN) {
      await new Promise<void>((resolve) => this.#store.platform.scheduler.defer(resolve));
      this.#rowsThisTurn = 0;
    } else await undefined;
    if (this.#options.signal?.aborted === true) throw aborted();
  }

  #open(): StoreIterator {
    if (this.#ownsSnapshot && mutant("A2-view-pinned-at-the-first-row")) {
      this.#snapshot.close();
      this.#snapshot = this.#store.snapshot();
    }
    const cursor = this.#store.iterator(scanOptions(this.#options, this.#snapshot));
    this.#cursor = cursor;
    if (this.#target !== null) cursor.seek(this.#target);
    return cursor;
  }
}
