/**
 * What an onlooker is told of transactions (features DF-70): one report at the end of each, and what went wrong after commits.
 * A transaction that nobody looks at counts nothing; whether somebody does is asked once, when it is made.
 * Owns the words; counting is in `observed-transaction.ts`, the way to `node:diagnostics_channel` in `platform/node`.
 */

export interface TransactionObserver {
  /** Whether there is any use in telling now. Default true. */
  readonly isListening?: boolean;
  /** What it throws is thrown again on a turn of its own, as an uncaught error: no transaction fails for it. */
  transactionEnded?(report: TransactionReport): void;
  afterHookFailed?(event: AfterHookFailure): void;
}

/** An after-hook that has failed; the commit stands. */
export interface AfterHookFailure {
  readonly transactionId: number;
  readonly version: number;
  readonly error: unknown;
}

/** What one transaction did, how long it took, and how it ended. */
export interface TransactionReport {
  readonly transactionId: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  /**
   * `committed`: it wrote, and that is there. `read`: it ended well and had nothing to write. `failed`: with `error`. `cancelled`:
   * it was given up without an error.
   */
  readonly outcome: "committed" | "read" | "failed" | "cancelled";
  /** The last one, also of a transaction that succeeded in a later try. */
  readonly error: unknown;
  /** Of the commit; null without one. */
  readonly version: number | null;
  /** Tries after the first, */
  readonly retries: number;
  /** and how many of the tries ended in a conflict. */
  readonly conflicts: number;
  /** Over all tries. */
  readonly reads: ReadCounts;
  /** Of the try that was committed: all 0 unless `outcome` is `committed`. */
  readonly writes: WriteCounts;
  readonly timings: TransactionTimings;
}

export interface ReadCounts {
  /** Single keys and key selectors. */
  points: number;
  ranges: number;
  /** Range reads that gave no row. */
  emptyRanges: number;
  rows: number;
  /** Of keys and values that were given. */
  bytes: number;
}

export interface WriteCounts {
  sets: number;
  clears: number;
  rangeClears: number;
  atomics: number;
  /** Of keys, values and operands. */
  bytes: number;
}

/** Over all tries. */
export interface TransactionTimings {
  /** From its making to its end. */
  totalMs: number;
  /** In which at least one read was waited for, each counted for itself. */
  readsMs: number;
  commitsMs: number;
  hooksMs: number;
  /** Between tries. */
  waitsMs: number;
}

export const noReads = (): ReadCounts => ({ points: 0, ranges: 0, emptyRanges: 0, rows: 0, bytes: 0 });
export const noWrites = (): WriteCounts => ({ sets: 0, clears: 0, rangeClears: 0, atomics: 0, bytes: 0 });
export const noTimings = (): TransactionTimings => ({
  totalMs: 0,
  readsMs: 0,
  commitsMs: 0,
  hooksMs: 0,
  waitsMs: 0,
});
