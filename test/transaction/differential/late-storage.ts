/** A storage that answers nothing at once, as one on another machine does, over one that does. */
import type {
  CommitRequest,
  CommitResult,
  RowCursor,
  StorageView,
  StorageWatch,
  TransactionStorage,
} from "../../../src/transaction/storage.js";
import type { KeyValue } from "../../../src/transaction/transaction.js";

export class LateStorage implements TransactionStorage {
  readonly #storage: TransactionStorage;

  constructor(storage: TransactionStorage) {
    this.#storage = storage;
  }

  async openView(version: number | null): Promise<StorageView> {
    // The version is of when it was asked for.
    const view = await this.#storage.openView(version);
    await turn();
    return new LateView(view);
  }

  commit(request: CommitRequest): Promise<CommitResult> {
    return this.#storage.commit(request);
  }

  watch(key: Uint8Array, value: Uint8Array | undefined, version: number): StorageWatch {
    return this.#storage.watch(key, value, version);
  }
}

class LateView implements StorageView {
  readonly version: number;
  readonly #view: StorageView;

  constructor(view: StorageView) {
    this.version = view.version;
    this.#view = view;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    const value = this.#view.get(key);
    await turn();
    return value;
  }

  rows(begin: Uint8Array, end: Uint8Array, reverse: boolean): RowCursor {
    const cursor = this.#view.rows(begin, end, reverse);
    let lastKey: string | null = null;
    return {
      next: async (): Promise<KeyValue | null> => {
        const row = cursor.next();
        const key = row === null ? null : cursor.lastKey();
        await turn();
        lastKey = key;
        return row;
      },
      lastKey: () => lastKey,
      close: () => cursor.close(),
    };
  }

  close(): void {
    this.#view.close();
  }
}

function turn(): Promise<void> {
  return Promise.resolve().then(() => {});
}
