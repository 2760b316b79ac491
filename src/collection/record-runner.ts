/**
 * Runs what reads and writes records in transactions of the database, with the hooks of the store around each commit. Owns the ids
 * of these transactions; does not own retries, which are the database's.
 */
import type { CollectionDeclaration } from "../record/declaration.js";
import { checkHook, orderedHooks } from "../transaction/commit-hooks.js";
import { TransactionError } from "../transaction/errors.js";
import type { TransactionOptions } from "../transaction/options.js";
import type { Transaction } from "../transaction/transaction.js";
import type { RecordAccess } from "./collection.js";
import { ChangeLog, type RecordHook } from "./hooks.js";
import type { MetricCounters } from "./metrics.js";
import { RecordReader } from "./record-reader.js";
import { RecordWriter } from "./record-writer.js";
import type { SharedStore } from "./shared-store.js";

/** Options of `RecordStore.transact`: those of transactions, and metadata for hooks. */
export interface RecordTransactionOptions extends TransactionOptions {
  /** For hooks: what this transaction is about. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** What a transaction has come to. */
export interface Committed<T> {
  readonly result: T;
  /** −1 when it wrote nothing; null when the commit is known to have been made, but not as which. */
  readonly version: number | null;
}

export class RecordRunner<Collections extends readonly CollectionDeclaration[]> implements RecordAccess {
  readonly shared: SharedStore;
  #hooks: readonly RecordHook<Collections>[] = [];
  #transactions = 0;

  constructor(shared: SharedStore) {
    this.shared = shared;
  }

  get metrics(): MetricCounters {
    return this.shared.metrics;
  }

  /** Returns what ends it. Throws `INVALID_ARGUMENT`. */
  addHook(hook: RecordHook<Collections>): () => void {
    checkHook(hook);
    // Another list each time: transactions under way keep theirs.
    this.#hooks = orderedHooks(this.#hooks, [hook]);
    return () => {
      this.#hooks = this.#hooks.filter((other) => other !== hook);
    };
  }

  turn(): Promise<void> {
    return this.shared.turn();
  }

  read<T>(body: (reader: RecordReader) => Promise<T>): Promise<T> {
    return this.shared.database.read((reader) =>
      body(new RecordReader(this.shared, reader, () => this.shared.catalogues.peek(reader))),
    );
  }

  async write<T>(
    body: (writer: RecordWriter) => Promise<T>,
    options: RecordTransactionOptions = NO_OPTIONS,
  ): Promise<T> {
    return (await this.commit(body, options)).result;
  }

  async commit<T>(
    body: (writer: RecordWriter) => Promise<T>,
    options: RecordTransactionOptions,
  ): Promise<Committed<T>> {
    const { metadata = NO_METADATA, ...plain } = options;
    const hooks = this.#hooks;
    const about = { transactionId: ++this.#transactions, metadata };
    // Of the try that committed, once it has.
    const last: { transaction: Transaction | null; log: ChangeLog<Collections> | null } = {
      transaction: null,
      log: null,
    };
    const result = await this.shared.database.transact(async (transaction) => {
      const log = hooks.length === 0 ? null : new ChangeLog(this.shared, hooks, about);
      last.transaction = transaction;
      last.log = log;
      const writer = new RecordWriter(this.shared, transaction, log);
      try {
        const given = await body(writer);
        await writer.finish();
        return given;
      } catch (error) {
        await writer.end();
        throw error;
      }
    }, plain);
    const version = last.transaction === null ? null : committedVersion(last.transaction);
    if (last.log !== null) await last.log.afterCommit(version);
    return { result, version };
  }
}

const NO_OPTIONS: RecordTransactionOptions = {};
const NO_METADATA: Readonly<Record<string, unknown>> = {};

/** Null: an idempotency key has told afterwards that the commit was made. */
function committedVersion(transaction: Transaction): number | null {
  try {
    return transaction.getCommittedVersion();
  } catch (error) {
    if (error instanceof TransactionError && error.code === "NO_COMMIT_VERSION") return null;
    throw error;
  }
}
