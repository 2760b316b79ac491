/**
 * A FoundationDB cluster as a database of ours. Checked against the structural interface of npm's `foundationdb` 2.0.1 with a
 * fake below it; run against a live cluster by whoever has one (`npm run test:foundationdb`).
 */
import { refuseUnknownOptions } from "../../engine/options.js";
import { StillwaterError } from "../../platform/errors.js";
import {
  DEFAULT_TRANSACTION_OPTIONS,
  type ResolvedTransactionOptions,
  resolveTransactionOptions,
  type TransactionOptions,
} from "../../transaction/options.js";
import { runTransaction } from "../../transaction/runner.js";
import type { Database, ReadTransaction, Transaction } from "../../transaction/transaction.js";
import { type FdbDatabase, type FdbModule, loadFoundationdb } from "./client.js";
import { FoundationTransaction } from "./transaction.js";
import type { FoundationWatch } from "./watch.js";

/** How the cluster is reached. */
export interface FoundationDatabaseOptions {
  /** Path of the cluster file. Default: FoundationDB's, which is FDB_CLUSTER_FILE or a place of the system. */
  readonly clusterFile?: string;
  /** Of the client library; one for the whole process. 520 to 720, default 710. */
  readonly apiVersion?: number;
  /** Of every transaction that does not say otherwise. */
  readonly transactions?: TransactionOptions;
}

const OPTIONS: readonly (keyof FoundationDatabaseOptions)[] = ["clusterFile", "apiVersion", "transactions"];
const API_VERSION = 710;
/** Before it versionstamps were given their place in another form. */
const API_VERSION_MIN = 520;
const API_VERSION_MAX = 720;

/**
 * Opens the cluster; nothing is asked of it yet. Throws `MISSING_DEPENDENCY` without the package `foundationdb` and the client
 * library, `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. `module` is for tests.
 */
export async function openFoundationDatabase(
  options: FoundationDatabaseOptions = {},
  module?: FdbModule,
): Promise<Database> {
  refuseUnknownOptions(options, OPTIONS, "openDatabase of the FoundationDB backend");
  const { clusterFile, apiVersion = API_VERSION, transactions = {} } = options;
  if (!Number.isInteger(apiVersion) || apiVersion < API_VERSION_MIN || apiVersion > API_VERSION_MAX) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `apiVersion must be a whole number from ${API_VERSION_MIN} to ${API_VERSION_MAX}, but is ${apiVersion}.`,
    );
  }
  const defaults = resolveTransactionOptions(DEFAULT_TRANSACTION_OPTIONS, transactions);
  const client = module ?? (await loadFoundationdb());
  client.setAPIVersion(apiVersion);
  return new FoundationDatabase(client.open(clusterFile), defaults);
}

class FoundationDatabase implements Database {
  readonly #native: FdbDatabase;
  readonly #defaults: ResolvedTransactionOptions;
  readonly #watches = new Set<FoundationWatch>();
  #isClosed = false;

  constructor(native: FdbDatabase, defaults: ResolvedTransactionOptions) {
    this.#native = native;
    this.#defaults = defaults;
  }

  createTransaction(options: TransactionOptions = {}): Transaction {
    if (this.#isClosed) throw new StillwaterError("CLOSED", "the database is closed.");
    const native = this.#native._db.createTransaction();
    return new FoundationTransaction(native, this.#defaults, options, this.#watches);
  }

  async transact<T>(
    body: (transaction: Transaction) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<T> {
    return runTransaction(this.createTransaction(options), body, null);
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

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const watch of this.#watches) watch.cancel();
    this.#native.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
