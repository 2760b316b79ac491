/**
 * One state of the rows, to be read for one answer: a held snapshot, the store as it is now, or, where there is no store, what a
 * transaction reads. So every answer is of one version, and says which.
 */

import type { Snapshot } from "../engine/snapshots.js";
import type { Store } from "../engine/store.js";
import { StillwaterError } from "../platform/errors.js";
import type { ReadTransaction } from "../transaction/transaction.js";
import { type AdminContext, databaseOf } from "./context.js";

export interface RowView {
  readonly version: number;
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Rows of [begin, end) in order; null is no bound. */
  rows(range: RowRange): AsyncIterable<readonly [key: Uint8Array, value: Uint8Array]>;
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
  const { store } = context;
  if (snapshot !== undefined && store !== null)
    return action(storeView(store, context.snapshots.get(snapshot).snapshot));
  if (snapshot !== undefined)
    throw new StillwaterError("NOT_SUPPORTED", "there are no snapshots of this database.");
  if (store === null) return databaseOf(context).read(async (reader) => action(await readerView(reader)));
  const now = store.snapshot();
  try {
    return await action(storeView(store, now));
  } finally {
    now.close();
  }
}

function storeView(store: Store, snapshot: Snapshot): RowView {
  return {
    version: snapshot.version,
    get: (key) => store.get(key, { snapshot }),
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
    get: (key) => reader.get(key),
    rows: ({ begin, end, reverse }) =>
      reader.getRange(begin ?? FIRST_KEY, end === null ? END_OF_KEYS : end, { reverse }),
  };
}
