/**
 * A database over a storage with versions: makes transactions and runs bodies in them until they commit. Owns what its
 * transactions share (the limit on watches, commits remembered under keys) and their lives' end. Does not own the
 * storage's life, but for closing it.
 */

import { joinedMetrics, type MetricsSnapshot, NO_METRICS } from "../metrics/snapshot.js";
import { StillwaterError } from "../platform/errors.js";
import { type TraceSink, UNHEARD_TRACE } from "../platform/event-sink.js";
import type { Clock, Random, Scheduler } from "../platform/platform.js";
import { BufferedTransaction, type TransactionContext } from "./buffered-transaction.js";
import { ChangeFeedRecorder } from "./change-feed-recorder.js";
import { ChangeFeeds } from "./change-feeds.js";
import { type CommitHook, checkHook, orderedHooks } from "./commit-hooks.js";
import { TransactionError } from "./errors.js";
import {
  fenceCommit,
  IDEMPOTENCY_WINDOW_MS,
  IdempotentStorage,
  readCommittedVersion,
} from "./idempotent-storage.js";
import { ObservedTransaction } from "./observed-transaction.js";
import {
  DEFAULT_TRANSACTION_OPTIONS,
  type ResolvedTransactionOptions,
  resolveTransactionOptions,
  type TransactionOptions,
} from "./options.js";
import { ReadVersions } from "./read-versions.js";
import { type Runner, runReads, runTransaction } from "./runner.js";
import type { TransactionStorage } from "./storage.js";
import type { Database, ReadTransaction, Transaction } from "./transaction.js";
import { TRANSACTION_COUNTER, TransactionMetrics, type TransactionTrace } from "./transaction-metrics.js";
import type { TransactionObserver } from "./transaction-observer.js";

/** What a database is told when it is opened, on every storage. */
export interface DatabaseSettings {
  /** Of every transaction that does not say otherwise. */
  readonly transactions?: TransactionOptions;
  /** For how long at least a commit is remembered under its idempotency key, of time the database is open. Default 600,000. */
  readonly idempotencyWindowMs?: number;
  /**
   * Whether commits are recorded in change feeds. Default: where nobody else can commit to the storage, so that it costs
   * nothing. On a shared one each commit then reads one key more, and every client must have it on.
   */
  readonly changeFeeds?: boolean;
  /** Who is told of transactions. */
  readonly observers?: readonly TransactionObserver[];
}

/** What a transaction of a database may have beside its options proper. */
export interface DatabaseTransactionOptions extends TransactionOptions {
  /** For its commit alone, after those of the database of the same priority. */
  readonly commitHooks?: readonly CommitHook[];
  /** For hooks and onlookers: what this transaction is about. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export interface DatabaseParts {
  readonly storage: TransactionStorage;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly settings?: DatabaseSettings;
  /** What the storage counts, if it does. */
  readonly metrics?: () => MetricsSnapshot;
  /** Who is told of `transact` and `read`. */
  readonly trace?: TraceSink;
  /** Called once by `close`. */
  readonly close: () => Promise<void>;
}

/** Transactions over a store of ours, or a storage like it, with change feeds and commit hooks. */
export class StorageDatabase implements Database {
  /** Changes of ranges of keys, in the order of their commits, to be read from any version on. */
  readonly changeFeeds: ChangeFeeds;
  readonly #context: TransactionContext;
  /** Null where a new version costs nothing. */
  readonly #versions: ReadVersions | null;
  /** For the database's own transactions on system keys: no hooks, no onlookers. */
  readonly #system: Runner;
  readonly #observers: readonly TransactionObserver[];
  #hooks: readonly CommitHook[] = [];
  #transactionCount = 0;
  readonly #storageMetrics: () => MetricsSnapshot;
  readonly #trace: TraceSink;
  readonly #close: () => Promise<void>;
  #closing: Promise<void> | null = null;

  constructor(parts: DatabaseParts) {
    const { clock, scheduler, random } = parts;
    const { options, idempotencyWindowMs, changeFeeds } = resolveSettings(parts.settings ?? {});
    // Below the idempotency keys, which may answer with the version of long ago.
    this.#versions = parts.storage.hasFreeVersions === true ? null : new ReadVersions(parts.storage, clock);
    const bare = this.#versions ?? parts.storage;
    const recordsChanges = changeFeeds ?? bare.isExclusive === true;
    this.#system = {
      transact: (body, given = {}) =>
        begun(() => runTransaction(this.#create(given), body, null, this.#onFailed)),
      read: (body, given = {}) => begun(() => runReads(this.#create(given), body, this.#onFailed)),
    };
    this.changeFeeds = new ChangeFeeds(this.#system, recordsChanges);
    const recorder = recordsChanges ? new ChangeFeedRecorder(bare) : bare;
    const storage = new IdempotentStorage(recorder, clock, idempotencyWindowMs);
    this.#context = {
      storage,
      clock,
      scheduler,
      random,
      options,
      watches: { count: 0 },
      metrics: new TransactionMetrics(),
    };
    this.#storageMetrics = parts.metrics ?? (() => NO_METRICS);
    this.#trace = parts.trace ?? UNHEARD_TRACE;
    this.#observers = parts.settings?.observers ?? [];
    this.#close = parts.close;
  }

  createTransaction(options: DatabaseTransactionOptions = {}): Transaction {
    const observers = this.#observers.length === 0 ? NOBODY : this.#observers.filter(isListening);
    const { commitHooks, metadata } = options;
    const isObserved = observers.length > 0 || this.#hooks.length > 0 || commitHooks !== undefined;
    if (!isObserved && metadata === undefined) return this.#create(options);
    const { commitHooks: _, metadata: __, ...plain } = options;
    const transaction = this.#create(plain);
    if (!isObserved) return transaction;
    for (const hook of commitHooks ?? []) checkHook(hook);
    const { clock, scheduler } = this.#context;
    return new ObservedTransaction(transaction, {
      transactionId: ++this.#transactionCount,
      metadata: metadata ?? {},
      hooks: orderedHooks(this.#hooks, commitHooks ?? []),
      observers,
      clock,
      defer: (task) => scheduler.defer(task),
    });
  }

  transact<T>(
    body: (transaction: Transaction) => Promise<T> | T,
    options: DatabaseTransactionOptions = {},
  ): Promise<T> {
    const { idempotencyKey } = options;
    const resolver = idempotencyKey === undefined ? null : () => this.#resolve(idempotencyKey, options);
    return this.#traced(false, options, () =>
      runTransaction(this.createTransaction(options), body, resolver, this.#onFailed),
    );
  }

  read<T>(
    body: (transaction: ReadTransaction) => Promise<T> | T,
    options: DatabaseTransactionOptions = {},
  ): Promise<T> {
    return this.#traced(true, options, () => runReads(this.createTransaction(options), body, this.#onFailed));
  }

  /**
   * What the database has counted of its transactions since it was opened, and what its storage tells of itself: of our engine
   * everything that `Store.metrics` has.
   */
  metrics(): MetricsSnapshot {
    const { metrics, watches } = this.#context;
    return joinedMetrics(this.#storageMetrics(), metrics.snapshot(watches.count));
  }

  readonly #onFailed = (): void => {
    this.#context.metrics.counters.add(TRANSACTION_COUNTER.transaction_failures_total);
  };

  #traced<T>(
    isReadOnly: boolean,
    { metadata = {} }: DatabaseTransactionOptions,
    run: () => Promise<T>,
  ): Promise<T> {
    if (!this.#trace.isHeard) return begun(run);
    const message: TransactionTrace = { isReadOnly, metadata };
    return this.#trace.trace(message, () => begun(run));
  }

  /**
   * Runs `hook` with every commit of transactions that are made from now on. Returns what ends that. Throws
   * `INVALID_ARGUMENT`.
   */
  addCommitHook(hook: CommitHook): () => void {
    checkHook(hook);
    // Another list each time: transactions under way keep theirs.
    this.#hooks = [...this.#hooks, hook];
    return () => {
      this.#hooks = this.#hooks.filter((other) => other !== hook);
    };
  }

  /**
   * The version of the commit that had this idempotency key, if it has been made and is remembered: what to ask after a
   * restart that has left a result unknown, when running the transaction again is no way to find out.
   */
  findCommit(idempotencyKey: Uint8Array): Promise<number | undefined> {
    return this.#system.read((transaction) => readCommittedVersion(transaction, idempotencyKey), SYSTEM);
  }

  #create(options: TransactionOptions): Transaction {
    if (this.#closing !== null) throw new StillwaterError("CLOSED", "the database is closed.");
    const transaction = new BufferedTransaction(this.#context, options);
    const ageMs = options.readVersionAgeMs ?? this.#context.options.readVersionAgeMs;
    const version = ageMs > 0 && this.#versions !== null ? this.#versions.notOlderThan(ageMs) : null;
    // The first try only: a reset forgets it.
    if (version !== null) transaction.setReadVersion(version);
    return transaction;
  }

  #resolve(key: Uint8Array, options: TransactionOptions): Promise<number | undefined> {
    const { timeoutMs, retryLimit, maxRetryDelayMs } = { ...this.#context.options, ...options };
    return this.#system.transact((transaction) => fenceCommit(transaction, key), {
      ...SYSTEM,
      timeoutMs,
      retryLimit,
      maxRetryDelayMs,
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const SYSTEM: TransactionOptions = { accessSystemKeys: true };
const NOBODY: readonly TransactionObserver[] = [];

function isListening(observer: TransactionObserver): boolean {
  return observer.isListening !== false;
}

/** What `start` throws at once rejects as well. */
function begun<T>(start: () => Promise<T>): Promise<T> {
  try {
    return start();
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

/** A transaction lives for five seconds; a window that is shorter than two of them might forget what is under way. */
const IDEMPOTENCY_WINDOW_MS_MIN = 10_000;

/** Checks what it is given and fills in defaults. Throws `INVALID_OPTION_VALUE`. */
export function resolveSettings(settings: DatabaseSettings): {
  readonly options: ResolvedTransactionOptions;
  readonly idempotencyWindowMs: number;
  readonly changeFeeds: boolean | undefined;
} {
  const { transactions = {}, idempotencyWindowMs = IDEMPOTENCY_WINDOW_MS, changeFeeds } = settings;
  if (settings.observers !== undefined && !Array.isArray(settings.observers)) {
    throw new TransactionError("INVALID_OPTION_VALUE", "observers must be a list.");
  }
  if (changeFeeds !== undefined && typeof changeFeeds !== "boolean") {
    throw new TransactionError("INVALID_OPTION_VALUE", "changeFeeds must be true or false.");
  }
  const options = resolveTransactionOptions(DEFAULT_TRANSACTION_OPTIONS, transactions);
  if (options.idempotencyKey !== undefined) {
    throw new TransactionError(
      "INVALID_OPTION_VALUE",
      "an idempotency key belongs to one transaction. Give it there, not to the whole database.",
    );
  }
  if (!Number.isFinite(idempotencyWindowMs) || idempotencyWindowMs < IDEMPOTENCY_WINDOW_MS_MIN) {
    throw new TransactionError(
      "INVALID_OPTION_VALUE",
      `idempotencyWindowMs must be at least ${IDEMPOTENCY_WINDOW_MS_MIN}, but is ${idempotencyWindowMs}.`,
    );
  }
  return { options, idempotencyWindowMs, changeFeeds };
}
