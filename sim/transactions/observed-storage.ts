/**
 * Stands between transactions and the engine's storage, and between that storage and the store, so that a listener learns
 * in the right order: which version a try reads, what the storage decides about its commit and when the store takes it,
 * and what was answered. Changes nothing. Does not own: what the listener makes of it (`run/transactor.ts`).
 */

import type { Batch } from "../../src/engine/batch.js";
import type { PreparedCommit } from "../../src/engine/committer.js";
import { assert } from "../../src/platform/assert.js";
import type { TransactionalStore } from "../../src/transaction/engine-views.js";
import type {
  Answer,
  CommitRequest,
  CommitResult,
  StorageView,
  StorageWatch,
  TransactionStorage,
} from "../../src/transaction/storage.js";
import type { AttemptLog } from "./attempt-log.js";

/** What one commit is told of, in this order. */
export interface CommitListener {
  /** The storage would take it as this version now, to write this. May come again, for another one. May throw. */
  taken(version: number, batch: Batch): void;
  /** The storage refuses it. */
  refused(error: unknown): void;
  /** The store has given it the version that `taken` was told last. */
  accepted(): void;
  acknowledged(result: CommitResult): void;
  failed(error: unknown): void;
}

/** The store, as the storage sees it. One commit is handed in at a time. */
export class ObservedStore implements TransactionalStore {
  readonly #store: TransactionalStore;
  #commit: CommitListener | null = null;

  constructor(store: TransactionalStore) {
    this.#store = store;
  }

  get version(): number {
    return this.#store.version;
  }

  readonly snapshot: TransactionalStore["snapshot"] = () => this.#store.snapshot();

  readonly getSync: TransactionalStore["getSync"] = (...given) => this.#store.getSync(...given);

  readonly iterator: TransactionalStore["iterator"] = (...given) => this.#store.iterator(...given);

  /** Whose commit it is that `hand` hands to the store. */
  duringCommit<T>(listener: CommitListener, hand: () => T): T {
    this.#commit = listener;
    try {
      return hand();
    } finally {
      this.#commit = null;
    }
  }

  readonly writePrepared: TransactionalStore["writePrepared"] = (commit, ...how) => {
    const listener = this.#commit;
    assert(listener !== null, "the storage hands a commit to the store in the call that brings it");
    this.#commit = null;
    const observed: PreparedCommit = {
      prepare: (version) => {
        try {
          const batch = commit.prepare(version);
          listener.taken(version, batch);
          return batch;
        } catch (error) {
          listener.refused(error);
          throw error;
        }
      },
      accepted: (version) => {
        listener.accepted();
        commit.accepted(version);
      },
    };
    return this.#store.writePrepared(observed, ...how);
  };
}

/** What one client is told of. */
export interface ClientListener {
  /** The try under way reads at the version of this view from now on. */
  opened(log: AttemptLog, version: number): void;
  commits(log: AttemptLog, request: CommitRequest): CommitListener;
  /** This is the commit's answer, which may come when the client has given up. */
  awaits(answer: Promise<unknown>): void;
}

/** The storage, as the transactions of one client see it; a client has one try at a time. */
export class ObservedStorage implements TransactionStorage {
  readonly hasFreeVersions = true;
  /** The try under way. */
  log: AttemptLog | null = null;
  readonly #storage: TransactionStorage;
  readonly #store: ObservedStore;
  readonly #listener: ClientListener;

  constructor(storage: TransactionStorage, store: ObservedStore, listener: ClientListener) {
    this.#storage = storage;
    this.#store = store;
    this.#listener = listener;
  }

  openView(version: number | null): Answer<StorageView> {
    const view = this.#storage.openView(version);
    assert(!(view instanceof Promise), "the engine opens a view at once");
    this.#listener.opened(this.#current(), view.version);
    return view;
  }

  commit(request: CommitRequest): Promise<CommitResult> {
    const answer = this.#commit(request);
    this.#listener.awaits(answer);
    return answer;
  }

  async #commit(request: CommitRequest): Promise<CommitResult> {
    const commit = this.#listener.commits(this.#current(), request);
    let result: CommitResult;
    try {
      result = await this.#store.duringCommit(commit, () => this.#storage.commit(request));
    } catch (error) {
      commit.failed(error);
      throw error;
    }
    commit.acknowledged(result);
    return result;
  }

  watch(key: Uint8Array, value: Uint8Array | undefined, version: number): StorageWatch {
    return this.#storage.watch(key, value, version);
  }

  #current(): AttemptLog {
    assert(this.log !== null, "a try is under way");
    return this.log;
  }
}
