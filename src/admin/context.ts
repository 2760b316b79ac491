/**
 * What operations run on: a store, a database of transactions over it, or either alone, with what an admin keeps beside them:
 * snapshots, the key of page tokens, work under way. Made once for a target, closed with it; the target stays its owner's.
 *
 * Reads go to the store where there is one, so that they are not bound to the five seconds of a transaction. Writes go through the
 * database, so that they conflict with the program's own transactions as they must.
 */
import { ReadOnlyStore } from "../engine/readonly/read-only-store.js";
import { Store } from "../engine/store.js";
import { StillwaterError } from "../platform/errors.js";
import type { Platform } from "../platform/platform.js";
import type { ItemStorageOptions } from "../record/pipeline/pipeline-options.js";
import { engineStoreOf } from "../transaction/engine-database.js";
import type { Database } from "../transaction/transaction.js";
import { CompactionRun } from "./compaction-run.js";
import { PageTokens } from "./page-tokens.js";
import { SnapshotShelf } from "./snapshot-shelf.js";

/** What is read: a store that is open, or one that is read beside its owner. */
export type ReadableStore = Store | ReadOnlyStore;

/** What an admin can be of. Of a store alone nothing can be written: only a database can tell what conflicts. */
export type AdminTarget = Database | ReadableStore;

export interface AdminContext {
  readonly database: Database | null;
  /** What reads go to. Null below databases that are not over our engine. */
  readonly readable: ReadableStore | null;
  /** The same, where it is open for writing. */
  readonly store: Store | null;
  readonly readOnly: boolean;
  readonly platform: AdminPlatform;
  readonly startedAtMs: number;
  readonly pageTokens: PageTokens;
  readonly snapshots: SnapshotShelf;
  readonly compaction: CompactionRun;
  /** How documents are encoded: keys of encrypted ones. */
  readonly items: ItemStorageOptions;
  /** The repository of backups; null: there is none. */
  readonly backups: string | null;
}

export type AdminPlatform = Pick<Platform, "clock" | "random" | "scheduler" | "vfs">;

export interface AdminContextOptions {
  /** Nothing is changed: operations that would fail with `READ_ONLY`. Default false. */
  readonly readOnly?: boolean;
  /** How the program stores documents, where it says anything about that: the same as its own option `items`. */
  readonly items?: ItemStorageOptions;
  /** Directory of the one repository that backups go to. Default: none are made. */
  readonly backups?: string;
}

export function createContext(
  target: AdminTarget,
  platform: AdminPlatform,
  options: AdminContextOptions = {},
): AdminContext {
  const isReader = target instanceof ReadOnlyStore;
  const database = isReader || target instanceof Store ? null : target;
  const readable = database === null ? (target as ReadableStore) : engineStoreOf(database);
  return {
    database,
    readable,
    store: readable instanceof Store ? readable : null,
    readOnly: isReader || (options.readOnly ?? false),
    platform,
    startedAtMs: platform.clock.nowMs(),
    pageTokens: new PageTokens(platform.random),
    snapshots: new SnapshotShelf(readable, platform),
    compaction: new CompactionRun(platform.clock),
    items: options.items ?? {},
    backups: options.backups ?? null,
  };
}

/** Gives back what an admin holds of its target: its snapshots. */
export function closeContext(context: AdminContext): void {
  context.snapshots.close();
}

/** Throws `NOT_SUPPORTED` where the target is no store of our engine. */
export function readableOf({ readable }: AdminContext): ReadableStore {
  if (readable !== null) return readable;
  throw new StillwaterError(
    "NOT_SUPPORTED",
    "this database has no store of Stillwater's own engine below it, which this operation is about.",
  );
}

/** Throws `NOT_SUPPORTED` where the target is no store of our engine that is open for writing. */
export function storeOf({ store }: AdminContext): Store {
  if (store !== null) return store;
  throw new StillwaterError(
    "NOT_SUPPORTED",
    "this operation is about a store of Stillwater's own engine that is open for writing, which this is not.",
  );
}

/** Throws `NOT_SUPPORTED` where there are no transactions. */
export function databaseOf({ database }: AdminContext): Database {
  if (database !== null) return database;
  throw new StillwaterError(
    "NOT_SUPPORTED",
    "this operation needs transactions. Give the admin a database (openDatabase) rather than a store.",
  );
}
