/**
 * The reference of `Database`: every version ever committed as a sorted array of rows, one thread, everything by its
 * definition. The oracle of the real ones, so it shares nothing with them but words: errors, options, limits, and the
 * atomic operations, all of which literal test vectors pin down.
 *
 * Does not own: durability (there is none), speed. Memory grows with the versions of five seconds and with idempotency keys,
 * which are remembered for ever.
 */
import { StillwaterError } from "../../../src/platform/errors.js";
import type { Clock, Random, Scheduler } from "../../../src/platform/platform.js";
import { ConflictError, TransactionError } from "../../../src/transaction/errors.js";
import { TRANSACTION_LIFETIME_MS } from "../../../src/transaction/limits.js";
import {
  DEFAULT_TRANSACTION_OPTIONS,
  type ResolvedTransactionOptions,
  resolveTransactionOptions,
  type TransactionOptions,
} from "../../../src/transaction/options.js";
import type { Database, ReadTransaction, Transaction } from "../../../src/transaction/transaction.js";
import { coalesced, intersects, type KeyRange, rangeOfKey } from "./key-ranges.js";
import { ReferenceTransaction } from "./reference-transaction.js";
import { applied, type Mutation, type Row, STAMP_BYTES, stamped, textOf } from "./replay.js";

export interface ReferencePlatform {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

export interface CommittedState {
  readonly version: number;
  readonly rows: readonly Row[];
  readonly atMs: number;
  /** What the commit wrote, as far as conflicts go. */
  readonly writes: readonly KeyRange[];
}

export interface WaitingWatch {
  readonly key: string;
  readonly value: Uint8Array | undefined;
  readonly fire: () => void;
}

export interface ReferenceCommit {
  readonly readVersion: number | null;
  readonly readConflicts: readonly KeyRange[];
  readonly writeConflicts: readonly KeyRange[];
  readonly mutations: readonly Mutation[];
  readonly idempotencyKey: Uint8Array | undefined;
}

export interface ReferenceResult {
  readonly version: number;
  readonly versionstamp: Uint8Array;
}

export class ReferenceDatabase implements Database {
  readonly platform: ReferencePlatform;
  readonly options: ResolvedTransactionOptions;
  /** Watches that are not over, those of transactions that have not committed included. */
  watches = 0;
  readonly #waiting = new Set<WaitingWatch>();
  /** By version; the last is the newest. */
  #states: CommittedState[];
  /** By idempotency key. */
  readonly #remembered = new Map<string, ReferenceResult>();
  #isClosed = false;
  readonly #onClose = new Set<() => void>();

  constructor(platform: ReferencePlatform, options: TransactionOptions = {}) {
    this.platform = platform;
    this.options = resolveTransactionOptions(DEFAULT_TRANSACTION_OPTIONS, options);
    this.#states = [{ version: 1, rows: [], atMs: platform.clock.nowMs(), writes: [] }];
  }

  createTransaction(options: TransactionOptions = {}): Transaction {
    if (this.#isClosed) throw new StillwaterError("CLOSED", "the database is closed.");
    return new ReferenceTransaction(this, options);
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
        await transaction.onError(error);
      }
    }
  }

  async read<T>(
    body: (transaction: ReadTransaction) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<T> {
    const transaction = this.createTransaction(options);
    for (;;) {
      try {
        return await body(transaction.snapshot);
      } catch (error) {
        await transaction.onError(error);
      }
    }
  }

  /** Watches that wait are cancelled. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const cancel of this.#onClose) cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  // For `ReferenceTransaction`.

  get newest(): CommittedState {
    return this.#states[this.#states.length - 1] as CommittedState; // there is always one
  }

  /** Throws `FUTURE_VERSION`, `TRANSACTION_TOO_OLD`. */
  stateAt(version: number): CommittedState {
    if (version > this.newest.version) {
      throw new TransactionError("FUTURE_VERSION", `there is no version ${version} yet.`);
    }
    const state = this.#states.findLast((one) => one.version <= version);
    if (state === undefined) throw new TransactionError("TRANSACTION_TOO_OLD", "that version is forgotten.");
    return state;
  }

  /** Throws `NOT_COMMITTED`, `TRANSACTION_TOO_OLD`. */
  commit(commit: ReferenceCommit): ReferenceResult {
    const { readVersion, readConflicts, writeConflicts, mutations, idempotencyKey } = commit;
    const name = idempotencyKey === undefined ? null : textOf(idempotencyKey);
    const before = name === null ? undefined : this.#remembered.get(name);
    if (before !== undefined) return before;
    if (readVersion !== null) {
      this.stateAt(readVersion);
      const written = this.#states
        .filter(({ version }) => version > readVersion)
        .flatMap((one) => one.writes);
      const conflicting = coalesced(readConflicts).filter((read) =>
        written.some((range) => intersects(read, range)),
      );
      if (conflicting.length > 0) throw new ConflictError(conflicting);
    }
    const version = this.newest.version + 1;
    const versionstamp = new Uint8Array(STAMP_BYTES);
    new DataView(versionstamp.buffer).setBigUint64(0, BigInt(version));
    const rows = applied(this.newest.rows, mutations, versionstamp);
    const atMs = this.platform.clock.nowMs();
    this.#states.push({
      version,
      rows,
      atMs,
      writes: [...writeConflicts, ...stampedRanges(mutations, versionstamp)],
    });
    this.#forgetBefore(atMs - TRANSACTION_LIFETIME_MS);
    for (const watch of this.#waiting) this.#check(watch);
    const result = { version, versionstamp };
    if (name !== null) this.#remembered.set(name, result);
    return result;
  }

  watch(watch: WaitingWatch): void {
    this.#waiting.add(watch);
    this.#check(watch);
  }

  unwatch(watch: WaitingWatch): void {
    this.#waiting.delete(watch);
  }

  /** `cancel` is called when the database closes. Returns how to take that back. */
  onClose(cancel: () => void): () => void {
    this.#onClose.add(cancel);
    return () => this.#onClose.delete(cancel);
  }

  #check(watch: WaitingWatch): void {
    const row = this.newest.rows.find(({ key }) => key === watch.key);
    if (sameBytes(row?.value, watch.value)) return;
    this.#waiting.delete(watch);
    watch.fire();
  }

  /** States that were no longer the newest then. */
  #forgetBefore(ms: number): void {
    this.#states = this.#states.filter((_, index) => (this.#states[index + 1]?.atMs ?? ms) >= ms);
  }
}

/** The keys that a commit has named by its versionstamp. */
function stampedRanges(mutations: readonly Mutation[], stamp: Uint8Array): KeyRange[] {
  return mutations.flatMap((mutation) =>
    mutation.kind === "stampedKey" ? [rangeOfKey(textOf(stamped(mutation.key, mutation.offset, stamp)))] : [],
  );
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
