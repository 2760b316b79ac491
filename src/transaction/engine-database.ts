/** A database of transactions in a directory: our engine below, FoundationDB's model above. */
import { refuseUnknownOptions, type StoreOptions } from "../engine/options.js";
import { Store } from "../engine/store.js";
import type { Platform } from "../platform/platform.js";
import { type DatabaseSettings, resolveSettings, StorageDatabase } from "./database.js";
import { EngineStorage } from "./engine-storage.js";
import type { Database } from "./transaction.js";
import { TRANSACTION_TRACE } from "./transaction-metrics.js";
import type { TransactionObserver } from "./transaction-observer.js";

export interface EngineDatabaseOptions extends DatabaseSettings {
  /** Of the store. */
  readonly store?: StoreOptions;
}

const OPTIONS: readonly (keyof EngineDatabaseOptions)[] = [
  "store",
  "transactions",
  "idempotencyWindowMs",
  "changeFeeds",
  "observers",
];

/**
 * Opens the store and owns it: nobody else may write to it meanwhile. Throws what `Store.open` throws; `UNKNOWN_OPTION` and
 * `INVALID_OPTION_VALUE` before anything is opened. `observers` come behind those of the options.
 */
export async function openEngineDatabase(
  directory: string,
  options: EngineDatabaseOptions,
  platform: Platform,
  observers: readonly TransactionObserver[] = [],
): Promise<StorageDatabase> {
  refuseUnknownOptions(options, OPTIONS, "openDatabase");
  const { store: storeOptions = {}, ...settings } = options;
  resolveSettings(settings);
  const allObservers = [...(settings.observers ?? []), ...observers];
  const store = await Store.open(directory, storeOptions, platform);
  const storage = new EngineStorage(store, platform.clock);
  const { clock, scheduler, random } = platform;
  const database = new StorageDatabase({
    storage,
    clock,
    scheduler,
    random,
    settings: { ...settings, observers: allObservers },
    metrics: () => store.metrics(),
    trace: platform.events.tracing(TRANSACTION_TRACE),
    close: async () => {
      storage.close();
      await store.close();
    },
  });
  STORES.set(database, store);
  return database;
}

const STORES = new WeakMap<Database, Store>();

/**
 * The store below a database that `openEngineDatabase` has opened; null below any other. For who looks: whoever writes past the
 * database breaks what its transactions promise.
 */
export function engineStoreOf(database: Database): Store | null {
  return STORES.get(database) ?? null;
}
