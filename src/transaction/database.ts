/**
 * A database over a storage with versions: makes transactions and runs bodies in them until they commit. Owns the retry
 * loop and the limit on watches. Does not own the storage's life, but for closing it.
 */
import { StillwaterError } from "../platform/errors.js";
import type { Clock, Random, Scheduler } from "../platform/platform.js";
import { BufferedTransaction, type TransactionContext } from "./buffered-transaction.js";
import {
  DEFAULT_TRANSACTION_OPTIONS,
  resolveTransactionOptions,
  type TransactionOptions,
} from "./options.js";
import type { TransactionStorage } from "./storage.js";
import type { Database, ReadTransaction, Transaction } from "./transaction.js";

export interface DatabaseParts {
  readonly storage: TransactionStorage;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Of every transaction that does not say otherwise. */
  readonly options?: TransactionOptions;
  /** Called once by `close`. */
  readonly close: () => Promise<void>;
}

export class StorageDatabase implements Database {
  readonly #context: TransactionContext;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | null = null;

  constructor(parts: DatabaseParts) {
    const { storage, clock, scheduler, random } = parts;
    const options = resolveTransactionOptions(DEFAULT_TRANSACTION_OPTIONS, parts.options ?? {});
    this.#context = { storage, clock, scheduler, random, options, watches: { count: 0 } };
    this.#close = parts.close;
  }

  createTransaction(options: TransactionOptions = {}): Transaction {
    if (this.#closing !== null) throw new StillwaterError("CLOSED", "the database is closed.");
    return new BufferedTransaction(this.#context, options);
  }

  async transact<T>(
    body: (transaction: Transaction) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<T> {
    const transaction = this.createTransaction(options);
    for (;;) {
      try {
        const result = await body(transaction);
        await transaction.commit();
        return result;
      } catch (error) {
        try {
          await transaction.onError(error);
        } catch (final) {
          transaction.cancel();
          throw final;
        }
      }
    }
  }

  async read<T>(
    body: (transaction: ReadTransaction) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<T> {
    const transaction = this.createTransaction(options);
    try {
      for (;;) {
        try {
          return await body(transaction.snapshot);
        } catch (error) {
          await transaction.onError(error);
        }
      }
    } finally {
      transaction.cancel();
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
