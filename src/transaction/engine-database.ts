/** A database of transactions in a directory: our engine below, FoundationDB's model above. */
import { refuseUnknownOptions, type StoreOptions } from "../engine/options.js";
import { Store } from "../engine/store.js";
import type { Platform } from "../platform/platform.js";
import { StorageDatabase } from "./database.js";
import { EngineStorage } from "./engine-storage.js";
import {
  DEFAULT_TRANSACTION_OPTIONS,
  resolveTransactionOptions,
  type TransactionOptions,
} from "./options.js";
import type { Database } from "./transaction.js";

export interface EngineDatabaseOptions {
  /** Of the store. */
  readonly store?: StoreOptions;
  /** Of every transaction that does not say otherwise. */
  readonly transactions?: TransactionOptions;
}

const OPTIONS = ["store", "transactions"] as const satisfies readonly (keyof EngineDatabaseOptions)[];

/**
 * Opens the store and owns it: nobody else may write to it meanwhile. Throws what `Store.open` throws; `UNKNOWN_OPTION` and
 * `INVALID_OPTION_VALUE` before anything is opened.
 */
export async function openEngineDatabase(
  directory: string,
  options: EngineDatabaseOptions,
  platform: Platform,
): Promise<Database> {
  refuseUnknownOptions(options, OPTIONS, "openDatabase");
  resolveTransactionOptions(DEFAULT_TRANSACTION_OPTIONS, options.transactions ?? {});
  const store = await Store.open(directory, options.store ?? {}, platform);
  const storage = new EngineStorage(store, platform.clock);
  return new StorageDatabase({
    storage,
    clock: platform.clock,
    scheduler: platform.scheduler,
    random: platform.random,
    ...(options.transactions === undefined ? {} : { options: options.transactions }),
    close: async () => {
      storage.close();
      await store.close();
    },
  });
}
