/**
 * What operations run on: a store, a database of transactions over it, or either alone, with what an admin keeps beside them:
 * snapshots, the key of page tokens, work under way. Made once for a target, closed with it; the target stays its owner's.
 *
 * Reads go to the store where there is one, so that they are not bound to the five seconds of a transaction. Writes go through the
 * database, so that they conflict with the program's own transactions as they must.
 */

import type { Store } from "../engine/store.js";
import { StillwaterError } from "../platform/errors.js";
import type { Platform } from "../platform/platform.js";
import type { ItemStorageOptions } from "../record/pipeline/pipeline-options.js";
import { engineStoreOf } from "../transaction/engine-database.js";
import type { Database } from "../transaction/transaction.js";
import { CompactionRun } from "./compaction-run.js";
import { PageTokens } from "./page-tokens.js";
import { SnapshotShelf } from "./snapshot-shelf.js";

export interface AdminContext {
  readonly database: Database | null;
  readonly store: Store | null;
  readonly readOnly: boolean;
  readonly platform: AdminPlatform;
  readonly startedAtMs: number;
  readonly pageTokens: PageTokens;
  readonly snapshots: SnapshotShelf;
  readonly compaction: CompactionRun;
  /** How documents are encoded: keys of encrypted ones. */
  readonly items: ItemStorageOptions;
}

export type AdminPlatform = Pick<Platform, "clock" | "random" | "scheduler">;

export interface AdminContextOptions {
  /** Nothing is changed: operations that would fail with `READ_ONLY`. Default false. */
  readonly readOnly?: boolean;
  /** How the program stores documents, where it says anything about that: the same as its own option `items`. */
  readonly items?: ItemStorageOptions;
}

export function createContext(
  target: Database,
  platform: AdminPlatform,
  options: AdminContextOptions = {},
): AdminContext {
  const store = engineStoreOf(target);
  return {
    database: target,
    store,
    readOnly: options.readOnly ?? false,
    platform,
    startedAtMs: platform.clock.nowMs(),
    pageTokens: new PageTokens(platform.random),
    snapshots: new SnapshotShelf(store, platform),
    compaction: new CompactionRun(platform.clock),
    items: options.items ?? {},
  };
}

/** Gives back what an admin holds of its target: its snapshots. */
export function closeContext(context: AdminContext): void {
  context.snapshots.close();
}

/** Throws `NOT_SUPPORTED` where the target is no store of our engine. */
export function storeOf({ store }: AdminContext): Store {
  if (store !== null) return store;
  throw new StillwaterError(
    "NOT_SUPPORTED",
    "this database has no store of Stillwater's own engine below it, which this operation is about.",
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
