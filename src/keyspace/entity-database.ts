/**
 * Entity storage over any backend of transactions: each keyspace is a subspace, each call a transaction. A scan is one
 * transaction too, and fails with `TRANSACTION_TOO_OLD` when it takes longer than the backend keeps versions. Does not own
 * the database: who opened it closes it.
 */
import type { Database, KeyValue, Transaction } from "../transaction/transaction.js";
import {
  type BatchOperation,
  checkEntityKey,
  checkKind,
  checkOperations,
  ENTITY_KEYSPACES,
  ENTITY_KINDS,
  type EntityBatchOperation,
  type EntityKind,
  type EntityStorage,
  type StorageEngine,
} from "./entity-storage.js";
import { keyAfterPrefix, Subspace } from "./subspace.js";

/** tidalDB's storage interface over a database; each call is a transaction. */
export class DatabaseEntityStorage implements EntityStorage {
  readonly #database: Database;
  readonly #subspace: Subspace;
  readonly #keyspaces: ReadonlyMap<EntityKind, Keyspace>;

  /** All keys lie in `subspace`, which may be a directory; the whole key space by default. */
  constructor(database: Database, subspace: Subspace = Subspace.of()) {
    this.#database = database;
    this.#subspace = subspace;
    this.#keyspaces = new Map(
      ENTITY_KINDS.map((kind) => [
        kind,
        new Keyspace(this, database, subspace.pack([ENTITY_KEYSPACES[kind]]), kind),
      ]),
    );
  }

  backend(kind: EntityKind): StorageEngine {
    return this.#keyspace(kind);
  }

  async writeBatch(operations: readonly EntityBatchOperation[]): Promise<void> {
    checkOperations(operations);
    for (const { kind } of operations) checkKind(kind);
    if (operations.length === 0) return;
    await this.#database.transact((transaction) => {
      for (const operation of operations) this.#keyspace(operation.kind).write(transaction, operation);
    });
  }

  /** A commit that is durable makes all before it durable. */
  async flush(): Promise<void> {
    await this.#database.transact((transaction) => transaction.clear(this.#subspace.pack([FLUSH])), {
      durability: "sync",
    });
  }

  #keyspace(kind: EntityKind): Keyspace {
    return this.#keyspaces.get(checkKind(kind)) as Keyspace; // every kind has one
  }
}

/** A key beside the keyspaces, which never has a value. */
const FLUSH = "flush";

class Keyspace implements StorageEngine {
  readonly #storage: EntityStorage;
  readonly #database: Database;
  readonly #prefix: Uint8Array;
  readonly #kind: EntityKind;

  constructor(storage: EntityStorage, database: Database, prefix: Uint8Array, kind: EntityKind) {
    this.#storage = storage;
    this.#database = database;
    this.#prefix = prefix;
    this.#kind = kind;
  }

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    checkEntityKey(key);
    const value = await this.#database.read((transaction) => transaction.get(this.#key(key)));
    return value && new Uint8Array(value);
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.writeBatch([{ type: "put", key, value }]);
  }

  delete(key: Uint8Array): Promise<void> {
    return this.writeBatch([{ type: "delete", key }]);
  }

  async *scanPrefix(prefix: Uint8Array): AsyncIterable<KeyValue> {
    checkEntityKey(prefix);
    const begin = this.#key(prefix);
    const transaction = this.#database.createTransaction({ timeoutMs: 0 });
    try {
      for await (const [key, value] of transaction.snapshot.getRange(begin, keyAfterPrefix(begin))) {
        yield [new Uint8Array(key.subarray(this.#prefix.length)), new Uint8Array(value)];
      }
    } finally {
      transaction.cancel();
    }
  }

  async writeBatch(operations: readonly BatchOperation[]): Promise<void> {
    checkOperations(operations);
    await this.#storage.writeBatch(operations.map((operation) => ({ ...operation, kind: this.#kind })));
  }

  flush(): Promise<void> {
    return this.#storage.flush();
  }

  write(transaction: Transaction, operation: BatchOperation): void {
    const key = this.#key(operation.key);
    if (operation.type === "put") transaction.set(key, operation.value);
    else transaction.clear(key);
  }

  #key(key: Uint8Array): Uint8Array {
    const whole = new Uint8Array(this.#prefix.length + key.length);
    whole.set(this.#prefix);
    whole.set(key, this.#prefix.length);
    return whole;
  }
}
