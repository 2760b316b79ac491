/**
 * Entity storage in memory, for tests that need neither a database nor its time: the same answers and refusals. Everything
 * is gone with the object. Not for much data: a new key costs time in proportion to those that are there.
 */
import type { KeyValue } from "../transaction/transaction.js";
import {
  type BatchOperation,
  checkEntityKey,
  checkKind,
  checkOperations,
  ENTITY_KINDS,
  type EntityBatchOperation,
  type EntityKind,
  type EntityStorage,
  type StorageEngine,
} from "./entity-storage.js";

/** tidalDB's storage interface in memory, for tests. */
export class MemoryEntityStorage implements EntityStorage {
  readonly #keyspaces: ReadonlyMap<EntityKind, MemoryKeyspace> = new Map(
    ENTITY_KINDS.map((kind) => [kind, new MemoryKeyspace()]),
  );

  backend(kind: EntityKind): StorageEngine {
    return this.#keyspace(kind);
  }

  async writeBatch(operations: readonly EntityBatchOperation[]): Promise<void> {
    checkOperations(operations);
    for (const { kind } of operations) checkKind(kind);
    for (const operation of operations) this.#keyspace(operation.kind).apply(operation);
  }

  /** Nothing here outlives the process, so there is nothing to wait for. */
  async flush(): Promise<void> {}

  #keyspace(kind: EntityKind): MemoryKeyspace {
    return this.#keyspaces.get(checkKind(kind)) as MemoryKeyspace; // every kind has one
  }
}

class MemoryKeyspace implements StorageEngine {
  /** In the order of keys. */
  #rows: KeyValue[] = [];

  async get(key: Uint8Array): Promise<Uint8Array | undefined> {
    checkEntityKey(key);
    const row = this.#rows[this.#indexOf(key)];
    return row !== undefined && Buffer.compare(row[0], key) === 0 ? row[1].slice() : undefined;
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.writeBatch([{ type: "put", key, value }]);
  }

  delete(key: Uint8Array): Promise<void> {
    return this.writeBatch([{ type: "delete", key }]);
  }

  async *scanPrefix(prefix: Uint8Array): AsyncIterable<KeyValue> {
    checkEntityKey(prefix);
    const wanted = new Uint8Array(prefix);
    const rows: KeyValue[] = [];
    for (let i = this.#indexOf(wanted); i < this.#rows.length; i++) {
      const [key, value] = this.#rows[i] as KeyValue;
      if (Buffer.compare(key.subarray(0, wanted.length), wanted) !== 0) break;
      rows.push([key.slice(), value.slice()]);
    }
    yield* rows;
  }

  async writeBatch(operations: readonly BatchOperation[]): Promise<void> {
    checkOperations(operations);
    for (const operation of operations) this.apply(operation);
  }

  async flush(): Promise<void> {}

  /** Of a batch that has been checked as a whole. */
  apply(operation: BatchOperation): void {
    const { key } = operation;
    const index = this.#indexOf(key);
    const row = this.#rows[index];
    const isThere = row !== undefined && Buffer.compare(row[0], key) === 0;
    const rows: KeyValue[] =
      operation.type === "put" ? [[new Uint8Array(key), new Uint8Array(operation.value)]] : [];
    this.#rows.splice(index, isThere ? 1 : 0, ...rows);
  }

  /** Of the first row at or after `key`. */
  #indexOf(key: Uint8Array): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Buffer.compare((this.#rows[middle] as KeyValue)[0], key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
