/**
 * Transactions over a store that is only read: they read as ever, at the reader's view, and no commit that writes goes through.
 * Owns the refusal; the reader stays its opener's, to refresh and to close.
 */
import type { ReadOnlyStore } from "../engine/readonly/read-only-store.js";
import { StillwaterError } from "../platform/errors.js";
import type { Platform } from "../platform/platform.js";
import { StorageDatabase } from "./database.js";
import { EngineStorage } from "./engine-storage.js";
import type { TransactionalStore } from "./engine-views.js";

export function databaseOverReader(
  store: ReadOnlyStore,
  { clock, scheduler, random }: Platform,
): StorageDatabase {
  const storage = new EngineStorage(new RefusingStore(store), clock);
  return new StorageDatabase({
    storage,
    clock,
    scheduler,
    random,
    settings: {},
    close: async () => storage.close(),
  });
}

class RefusingStore implements TransactionalStore {
  readonly #store: ReadOnlyStore;

  constructor(store: ReadOnlyStore) {
    this.#store = store;
  }

  get version(): number {
    return this.#store.version;
  }

  snapshot: TransactionalStore["snapshot"] = () => this.#store.snapshot();
  getSync: TransactionalStore["getSync"] = (key, options) => this.#store.getSync(key, options);
  iterator: TransactionalStore["iterator"] = (options) => this.#store.iterator(options);

  writePrepared(): Promise<number> {
    return Promise.reject(
      new StillwaterError(
        "READ_ONLY",
        `${this.#store.directory} is open for reading only. Write through the process that owns the store.`,
        { path: this.#store.directory },
      ),
    );
  }
}
