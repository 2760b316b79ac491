/**
 * One try of a reference transaction: everything that a reset forgets, with its size, and its commit. Does not own: which
 * calls are legal when.
 */
import { ConflictError, TransactionError } from "../../../src/transaction/errors.js";
import type { ResolvedTransactionOptions } from "../../../src/transaction/options.js";
import { type KeyRange, without } from "./key-ranges.js";
import type { CommittedState, ReferenceDatabase } from "./reference-database.js";
import type { ReferenceWatch } from "./reference-watch.js";
import { type Mutation, mutationBytes, writtenRange } from "./replay.js";

/** Counted for each mutation and range beside the bytes of their keys and values. */
const OVERHEAD_BYTES = 24;

export class ReferenceAttempt {
  state: "active" | "committing" | "committed" = "active";
  /** Why nothing works any more. */
  ended: TransactionError | null = null;
  readonly mutations: Mutation[] = [];
  readonly readConflicts: KeyRange[] = [];
  readonly writeConflicts: KeyRange[] = [];
  readonly watches: ReferenceWatch[] = [];
  sizeBytes = 0;
  askedVersion: number | null = null;
  read: CommittedState | null = null;
  readAtMs = 0;
  failed: unknown = null;
  skipsConflict = false;
  version = -1;
  conflicts: readonly KeyRange[] = [];
  /** Called once, when the attempt ends. */
  readonly onEnd = new Set<(error: TransactionError) => void>();
  giveStamp: (stamp: Uint8Array) => void = () => {};
  failStamp: (error: unknown) => void = () => {};
  readonly stamp = new Promise<Uint8Array>((resolve, reject) => {
    this.giveStamp = resolve;
    this.failStamp = reject;
  });

  constructor() {
    this.stamp.catch(() => {});
  }

  mutate(mutation: Mutation, options: ResolvedTransactionOptions): void {
    this.#grow(mutationBytes(mutation), options);
    this.mutations.push(mutation);
  }

  addWriteConflict(range: KeyRange, options: ResolvedTransactionOptions): void {
    this.#grow(range[0].length + range[1].length, options);
    this.writeConflicts.push(range);
  }

  /** A read of `range`, of which `known` does not depend on the database. */
  addReadConflict(range: KeyRange, known: readonly KeyRange[]): void {
    this.sizeBytes += OVERHEAD_BYTES + range[0].length + range[1].length;
    let rest: readonly KeyRange[] = [range];
    for (const one of known) rest = without(rest, one);
    this.readConflicts.push(...rest.filter(([begin, end]) => begin < end));
  }

  commitTo(
    database: ReferenceDatabase,
    options: ResolvedTransactionOptions,
    readVersion: () => number,
  ): void {
    if (this.failed !== null) throw this.failed;
    const { mutations, readConflicts } = this;
    const conflicting = mutations.filter(({ conflicts }) => conflicts);
    const writeConflicts = [...this.writeConflicts, ...conflicting.flatMap(writtenRange)];
    if (mutations.length === 0 && writeConflicts.length === 0) {
      this.failStamp(new TransactionError("NO_COMMIT_VERSION", "nothing was written."));
      return;
    }
    if (this.sizeBytes > options.sizeLimitBytes) throw this.#tooLarge();
    try {
      const result = database.commit({
        readVersion: readConflicts.length === 0 ? null : readVersion(),
        readConflicts,
        writeConflicts,
        mutations,
        idempotencyKey: options.idempotencyKey,
      });
      this.version = result.version;
      this.giveStamp(result.versionstamp);
    } catch (error) {
      if (error instanceof ConflictError && options.reportConflictingRanges) this.conflicts = error.ranges;
      throw error;
    }
  }

  #grow(bytes: number, { sizeLimitBytes }: ResolvedTransactionOptions): void {
    this.sizeBytes += OVERHEAD_BYTES + bytes;
    if (this.sizeBytes <= sizeLimitBytes) return;
    const error = this.#tooLarge();
    this.failed ??= error;
    throw error;
  }

  #tooLarge(): TransactionError {
    return new TransactionError("TRANSACTION_TOO_LARGE", `the transaction has ${this.sizeBytes} bytes.`);
  }
}
