/**
 * The records as they were at one version, to be read through the same collections. Owns a transaction that only reads.
 *
 * Every backend keeps the version for five seconds from the opening, as FoundationDB does (`TRANSACTION_LIFETIME_MS`); then reads
 * fail with `TRANSACTION_TOO_OLD`. On etcd they do so earlier when somebody compacts it. Walks that take longer go through
 * `Collection.documents`, whose pages are transactions of their own.
 */
import { StillwaterError } from "../platform/errors.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import type { Transaction } from "../transaction/transaction.js";
import { type ReadAccess, ReadCollection } from "./collection.js";
import { RecordReader } from "./record-reader.js";
import type { CollectionNamed } from "./record-transaction.js";
import type { SharedStore } from "./shared-store.js";

/** All collections as they were at one version; see `RecordStore.snapshot`. */
export class RecordSnapshot<Collections extends readonly CollectionDeclaration[]> implements Disposable {
  readonly version: number;
  readonly #shared: SharedStore;
  readonly #transaction: Transaction;
  readonly #reader: RecordReader;
  #isClosed = false;

  private constructor(shared: SharedStore, transaction: Transaction, version: number) {
    const { snapshot } = transaction;
    this.version = version;
    this.#shared = shared;
    this.#transaction = transaction;
    this.#reader = new RecordReader(shared, snapshot, () => shared.catalogues.peek(snapshot));
  }

  static async open<Collections extends readonly CollectionDeclaration[]>(
    shared: SharedStore,
  ): Promise<RecordSnapshot<Collections>> {
    // The version's age is the limit, not a timer.
    const transaction = shared.database.createTransaction({ timeoutMs: 0 });
    try {
      return new RecordSnapshot(shared, transaction, await transaction.snapshot.getReadVersion());
    } catch (error) {
      transaction.cancel();
      throw error;
    }
  }

  /** Throws `UNKNOWN_COLLECTION`. Its reads throw `SNAPSHOT_CLOSED`, `TRANSACTION_TOO_OLD`. */
  collection<const Name extends Collections[number]["name"]>(
    name: Name,
  ): ReadCollection<CollectionNamed<Collections, Name>> {
    this.#shared.declarationOf(name);
    return new ReadCollection(name, this.#access);
  }

  /** Idempotent. What is still being read fails. */
  close(): void {
    this.#isClosed = true;
    this.#transaction.cancel();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #access(): ReadAccess {
    return {
      metrics: this.#shared.metrics,
      turn: () => this.#shared.turn(),
      read: async (body) => {
        if (this.#isClosed) {
          throw new StillwaterError(
            "SNAPSHOT_CLOSED",
            "the snapshot is closed. Open another with store.snapshot().",
          );
        }
        return body(this.#reader);
      },
    };
  }
}
