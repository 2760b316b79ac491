/**
 * One state of the rows, to be read for one answer: a held snapshot, the store as it is now, or, where there is no store, what a
 * transaction reads. So every answer is of one version, and says which. All of them are read like a transaction, so that whatever
 * reads records reads any of them.
 */

import { ReadOnlyStore } from "../engine/readonly/read-only-store.js";
import type { Snapshot } from "../engine/snapshots.js";
import { StillwaterError } from "../platform/errors.js";
import type {
  Database,
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
} from "../transaction/transaction.js";
import { type AdminContext, databaseOf, type ReadableStore } from "./context.js";

export interface RowView {
  readonly version: number;
  readonly reader: ReadTransaction;
  /** Rows of [begin, end) in order; null is no bound. */
  rows(range: RowRange): AsyncIterable<KeyValue>;
}

export interface RowRange {
  readonly begin: Uint8Array | null;
  readonly end: Uint8Array | null;
  readonly reverse: boolean;
}

/** `snapshot` is the id of one that is held. Throws `NOT_FOUND` where there is none of that name. */
export async function withView<Result>(
  context: AdminContext,
  snapshot: string | undefined,
  action: (view: RowView) => Promise<Result>,
): Promise<Result> {
  const { readable: store } = context;
  if (snapshot !== undefined && store !== null)
    return action(storeView(store, context.snapshots.get(snapshot).snapshot));
  if (snapshot !== undefined)
    throw new StillwaterError("NOT_SUPPORTED", "there are no snapshots of this database.");
  if (store === null) return databaseOf(context).read(async (reader) => action(await readerView(reader)));
  // A reader's view stands still, and whoever asks wants to know how it is.
  if (store instanceof ReadOnlyStore) await store.refresh();
  const now = store.snapshot();
  try {
    return await action(storeView(store, now));
  } finally {
    now.close();
  }
}

/** The view as a database of one version, for what wants one: it can be read, and nothing else. */
export function viewDatabase({ reader }: RowView): Database {
  const refuse = (): never => {
    throw new StillwaterError("READ_ONLY", "this is one version of a database, which can only be read.");
  };
  return {
    createTransaction: refuse,
    transact: async () => refuse(),
    read: async (body) => body(reader),
    close: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

function storeView(store: ReadableStore, snapshot: Snapshot): RowView {
  const reader = new SnapshotReader(store, snapshot);
  return {
    version: snapshot.version,
    reader,
    rows: ({ begin, end, reverse }) => {
      const bounds = { ...(begin === null ? {} : { gte: begin }), ...(end === null ? {} : { lt: end }) };
      return store.scan({ ...bounds, reverse, snapshot });
    },
  };
}

const FIRST_KEY = new Uint8Array();
/** Keys from here on are the system's, and a transaction does not read them unless it says so. */
const END_OF_KEYS = Uint8Array.of(0xff);

async function readerView(reader: ReadTransaction): Promise<RowView> {
  return {
    version: await reader.getReadVersion(),
    reader,
    rows: ({ begin, end, reverse }) => reader.getRange(begin ?? FIRST_KEY, end ?? END_OF_KEYS, { reverse }),
  };
}

/** A snapshot of the store, read like a transaction, for as long as it is open. Ranges have keys for bounds. */
class SnapshotReader implements ReadTransaction {
  readonly #store: ReadableStore;
  readonly #snapshot: Snapshot;

  constructor(store: ReadableStore, snapshot: Snapshot) {
    this.#store = store;
    this.#snapshot = snapshot;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#store.get(key, { snapshot: this.#snapshot });
  }

  getRange(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): AsyncIterable<KeyValue> {
    const { limit, reverse } = options;
    return this.#store.scan({
      gte: keyOf(begin),
      lt: keyOf(end),
      snapshot: this.#snapshot,
      ...(limit === undefined ? {} : { limit }),
      ...(reverse === undefined ? {} : { reverse }),
    });
  }

  async getRangeAll(begin: RangeBound, end: RangeBound, options: RangeOptions = {}): Promise<KeyValue[]> {
    const rows: KeyValue[] = [];
    for await (const row of this.getRange(begin, end, options)) rows.push(row);
    return rows;
  }

  async getKey(): Promise<Uint8Array> {
    throw notByPosition();
  }

  async getReadVersion(): Promise<number> {
    return this.#snapshot.version;
  }
}

function keyOf(bound: RangeBound): Uint8Array {
  if (bound instanceof Uint8Array) return bound;
  throw notByPosition();
}

function notByPosition(): StillwaterError {
  return new StillwaterError("NOT_SUPPORTED", "a snapshot is read by keys, not by positions among them.");
}
