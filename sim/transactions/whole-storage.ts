/**
 * The engine's storage as a whole database sees it, with its layers: whose transaction a call belongs to is not known, but
 * all that layers add goes through here. May lose the answer to a commit that was taken, as a network does. Does not own:
 * what the listener makes of it (`run/layers.ts`).
 */
import { assert } from "../../src/platform/assert.js";
import { TransactionError } from "../../src/transaction/errors.js";
import type {
  CommitRequest,
  CommitResult,
  StorageView,
  StorageWatch,
  TransactionStorage,
} from "../../src/transaction/storage.js";
import type { CommitListener, ObservedStore } from "./observed-storage.js";

export interface DatabaseListener {
  /** Somebody reads at the newest version, which is this. */
  opened(version: number): void;
  commits(request: CommitRequest): CommitListener;
  /** Before a commit arrives. Null: at once. */
  underWay?(): Promise<void> | null;
  /** Whether the answer to this commit gets lost. */
  losesAnswer(request: CommitRequest): boolean;
}

export class WholeStorage implements TransactionStorage {
  readonly hasFreeVersions = true;
  readonly isExclusive = true;
  readonly #storage: TransactionStorage;
  readonly #store: ObservedStore;
  readonly #listener: DatabaseListener;

  constructor(storage: TransactionStorage, store: ObservedStore, listener: DatabaseListener) {
    this.#storage = storage;
    this.#store = store;
    this.#listener = listener;
  }

  openView(version: number | null): StorageView {
    const view = this.#storage.openView(version);
    assert(!(view instanceof Promise), "the engine opens a view at once");
    if (version === null) this.#listener.opened(view.version);
    return view;
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    const underWay = this.#listener.underWay?.() ?? null;
    if (underWay !== null) await underWay;
    const commit = this.#listener.commits(request);
    let result: CommitResult;
    try {
      result = await this.#store.duringCommit(commit, () => this.#storage.commit(request));
    } catch (error) {
      commit.failed(error);
      throw error;
    }
    commit.acknowledged(result);
    if (!this.#listener.losesAnswer(request)) return result;
    throw new TransactionError("COMMIT_UNKNOWN_RESULT", "the answer to the commit is lost.");
  }

  watch(key: Uint8Array, value: Uint8Array | undefined, version: number): StorageWatch {
    return this.#storage.watch(key, value, version);
  }
}
