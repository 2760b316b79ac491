/**
 * What transactions hold of the store while they read: a snapshot each, and the iterators over it. Owns giving all of it back:
 * when the view is closed, and when its time is over though nobody has closed it, since a transaction that was forgotten must not
 * keep old versions for ever. Time is looked at when views are opened and commits accepted, which is when it would cost something.
 */
import type { StoreIterator } from "../engine/read/store-iterator.js";
import type { Snapshot } from "../engine/snapshots.js";
import type { Store } from "../engine/store.js";
import type { ReadOptions } from "../engine/store-types.js";
import type { Clock } from "../platform/platform.js";
import { TransactionError } from "./errors.js";
import { keyText } from "./key-text.js";
import { TRANSACTION_LIFETIME_MS } from "./limits.js";
import type { RowCursor, StorageView } from "./storage.js";
import type { KeyValue } from "./transaction.js";

/** What transactions need of a store: a simulation looks on by standing in between. */
export type TransactionalStore = Pick<
  Store,
  "version" | "snapshot" | "getSync" | "iterator" | "writePrepared"
>;

export class EngineViews {
  readonly #store: TransactionalStore;
  readonly #clock: Clock;
  /** Open ones, the oldest first. */
  readonly #open = new Set<EngineView>();

  constructor(store: TransactionalStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Takes the snapshot over. */
  open(snapshot: Snapshot): StorageView {
    this.expire();
    const view = new EngineView(this.#store, snapshot, this.#clock, () => this.#open.delete(view));
    this.#open.add(view);
    return view;
  }

  /** The oldest version that an open view reads; null when none is open. O(1). */
  get oldestVersion(): number | null {
    // Opened in the order of their versions, which never go back.
    for (const view of this.#open) return view.version;
    return null;
  }

  /** Closes views whose time is over. O(views closed). */
  expire(): void {
    for (const view of this.#open) {
      if (!view.isTooOld) return;
      view.close();
    }
  }
}

class EngineView implements StorageView {
  readonly version: number;
  readonly #store: TransactionalStore;
  readonly #snapshot: Snapshot;
  readonly #readOptions: ReadOptions;
  readonly #clock: Clock;
  readonly #openedMs: number;
  readonly #onClose: () => void;
  readonly #rows = new Set<EngineRows>();

  constructor(store: TransactionalStore, snapshot: Snapshot, clock: Clock, onClose: () => void) {
    this.version = snapshot.version;
    this.#store = store;
    this.#snapshot = snapshot;
    this.#readOptions = { snapshot };
    this.#clock = clock;
    this.#openedMs = clock.nowMs();
    this.#onClose = onClose;
  }

  get isTooOld(): boolean {
    return this.#clock.nowMs() - this.#openedMs > TRANSACTION_LIFETIME_MS;
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.checkAge();
    return this.#store.getSync(key, this.#readOptions);
  }

  rows(begin: Uint8Array, end: Uint8Array, reverse: boolean): RowCursor {
    this.checkAge();
    const iterator = this.#store.iterator({ gte: begin, lt: end, reverse, snapshot: this.#snapshot });
    const rows = new EngineRows(this, iterator, () => this.#rows.delete(rows));
    this.#rows.add(rows);
    return rows;
  }

  readRows(begin: Uint8Array, end: Uint8Array, reverse: boolean, limit: number): KeyValue[] {
    this.checkAge();
    const rows: KeyValue[] = [];
    const iterator = this.#store.iterator({
      gte: begin,
      lt: end,
      reverse,
      snapshot: this.#snapshot,
      ...(limit === Number.POSITIVE_INFINITY ? {} : { limit }),
    });
    try {
      while (iterator.next()) {
        rows.push([iterator.key, iterator.value]);
        if (rows.length % ROWS_PER_AGE_CHECK === 0) this.checkAge();
      }
    } finally {
      iterator.close();
    }
    return rows;
  }

  /** Idempotent. */
  close(): void {
    for (const rows of this.#rows) rows.close();
    this.#snapshot.close();
    this.#onClose();
  }

  /** Throws `TRANSACTION_TOO_OLD`. */
  checkAge(): void {
    if (!this.isTooOld) return;
    throw new TransactionError(
      "TRANSACTION_TOO_OLD",
      `the transaction took its read version more than ${TRANSACTION_LIFETIME_MS} ms ago, and it is kept no longer. Try again.`,
    );
  }
}

const ROWS_PER_AGE_CHECK = 256;

class EngineRows implements RowCursor {
  readonly #view: EngineView;
  readonly #iterator: StoreIterator;
  readonly #onClose: () => void;
  #rows = 0;
  #hasRow = false;
  /** Of the row that came last, when it was closed. */
  #lastKey: string | null = null;
  #isClosed = false;

  constructor(view: EngineView, iterator: StoreIterator, onClose: () => void) {
    this.#view = view;
    this.#iterator = iterator;
    this.#onClose = onClose;
  }

  next(): KeyValue | null {
    // Closed for its age, it says so; the store's iterator refuses what else comes after a close.
    if (this.#isClosed || ++this.#rows % ROWS_PER_AGE_CHECK === 0) this.#view.checkAge();
    // Should this fail, nobody knows any more where it was.
    this.#hasRow = false;
    if (this.#iterator.next()) {
      this.#hasRow = true;
      return [this.#iterator.key, this.#iterator.value];
    }
    this.close();
    return null;
  }

  lastKey(): string | null {
    return this.#hasRow && !this.#isClosed ? keyText(this.#iterator.key) : this.#lastKey;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#lastKey = this.lastKey();
    this.#isClosed = true;
    this.#iterator.close();
    this.#onClose();
  }
}
