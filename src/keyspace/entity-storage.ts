/**
 * What tidalDB asks of its storage (features TD-18, TD-21 to TD-25): three keyspaces, one for each kind of entity, each an
 * ordered map of bytes, and batches over all three that happen whole or not at all. Owns the interface and its checks;
 * `entity-database.ts` implements it over transactions, `entity-memory.ts` in memory, with one conformance suite for both.
 */
import { StillwaterError } from "../platform/errors.js";
import { TransactionError } from "../transaction/errors.js";
import { VALUE_BYTES_MAX } from "../transaction/limits.js";
import type { KeyValue } from "../transaction/transaction.js";

/** The three keyspaces of entities. */
export type EntityKind = "item" | "user" | "creator";

/** The keyspace of each kind. */
export const ENTITY_KEYSPACES = { item: "items", user: "users", creator: "creators" } as const;

export const ENTITY_KINDS = Object.keys(ENTITY_KEYSPACES) as readonly EntityKind[];

/** One change of a batch. Plain data; the last of several to one key counts. */
export type BatchOperation =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "delete"; readonly key: Uint8Array };

/** A change in the keyspace of a kind. */
export type EntityBatchOperation = BatchOperation & { readonly kind: EntityKind };

/** One keyspace. Keys are any bytes, up to `ENTITY_KEY_BYTES_MAX`; `entityKey` makes them. */
export interface StorageEngine {
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  /** No error when there is none. */
  delete(key: Uint8Array): Promise<void>;
  /** The rows whose keys begin with `prefix`, in the order of keys, as they are when the first is asked for. */
  scanPrefix(prefix: Uint8Array): AsyncIterable<KeyValue>;
  /** All of it or nothing. */
  writeBatch(operations: readonly BatchOperation[]): Promise<void>;
  /** Resolves when all that was written before is durable. */
  flush(): Promise<void>;
}

/** Storage for all kinds of entities, with batches over them. */
export interface EntityStorage {
  /** The keyspace of a kind. Throws `INVALID_ARGUMENT` for a kind that there is not. */
  backend(kind: EntityKind): StorageEngine;
  /** All of it, over however many keyspaces, or nothing. */
  writeBatch(operations: readonly EntityBatchOperation[]): Promise<void>;
  /** Of all keyspaces. */
  flush(): Promise<void>;
}

/** Leaves room for what a backend puts before it. */
export const ENTITY_KEY_BYTES_MAX = 8_192;

/** Throws `INVALID_ARGUMENT`. */
export function checkKind(kind: EntityKind): EntityKind {
  if (ENTITY_KINDS.includes(kind)) return kind;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `there is no kind of entity "${String(kind)}". Known: ${ENTITY_KINDS.join(", ")}.`,
  );
}

/** Throws `INVALID_ARGUMENT`, `KEY_TOO_LARGE`. */
export function checkEntityKey(key: Uint8Array): void {
  if (!(key instanceof Uint8Array)) throw new StillwaterError("INVALID_ARGUMENT", "a key is a Uint8Array.");
  if (key.length <= ENTITY_KEY_BYTES_MAX) return;
  throw new TransactionError(
    "KEY_TOO_LARGE",
    `a key of ${key.length} bytes is larger than ${ENTITY_KEY_BYTES_MAX}. Use a shorter suffix.`,
  );
}

/** Throws `INVALID_ARGUMENT`, `KEY_TOO_LARGE`, `VALUE_TOO_LARGE`. Before anything of a batch is done. */
export function checkOperations(operations: readonly BatchOperation[]): void {
  if (!Array.isArray(operations)) {
    throw new StillwaterError("INVALID_ARGUMENT", "a batch is an array of operations.");
  }
  for (const operation of operations) {
    const { type, key } = operation;
    if (type !== "put" && type !== "delete") {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        `an operation is a "put" or a "delete", not "${String(type)}".`,
      );
    }
    checkEntityKey(key);
    if (type === "put") checkValue(operation.value);
  }
}

function checkValue(value: Uint8Array): void {
  if (!(value instanceof Uint8Array))
    throw new StillwaterError("INVALID_ARGUMENT", "a value is a Uint8Array.");
  if (value.length <= VALUE_BYTES_MAX) return;
  throw new TransactionError(
    "VALUE_TOO_LARGE",
    `a value of ${value.length} bytes is larger than ${VALUE_BYTES_MAX}. Split it over several keys.`,
  );
}
