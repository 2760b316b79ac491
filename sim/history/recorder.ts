/**
 * Records a history while a test runs: gives out values, and the times of a clock that counts, so that what ended before something
 * began has the lower time. For one process; several of them record lines of JSON by a clock that they share.
 */
import type { HistoryOperation, HistoryTransaction, List, Outcome } from "./history.js";

/** Records a history while clients work, for any database. */
export class HistoryRecorder {
  readonly #transactions: RecordedTransaction[] = [];
  #now = 0;
  #values = 0;

  /** A value that was not given out before: what to append. */
  nextValue(): number {
    return ++this.#values;
  }

  /** To be called before the transaction's first call; each new try is a transaction of its own. */
  begin(process: number | string, options: { readonly isFinal?: boolean } = {}): RecordedTransaction {
    const transaction = new RecordedTransaction(process, () => ++this.#now, options.isFinal === true);
    this.#transactions.push(transaction);
    return transaction;
  }

  /** What has been recorded, by when it began. Transactions that have not ended are unknown. */
  history(): HistoryTransaction[] {
    return this.#transactions.map((transaction) => transaction.record());
  }
}

/** A transaction that is being recorded. */
export class RecordedTransaction {
  readonly #process: number | string;
  readonly #tick: () => number;
  readonly #isFinal: boolean;
  readonly #operations: HistoryOperation[] = [];
  readonly #start: number;
  #end: number | undefined;
  #outcome: Outcome = "unknown";

  constructor(process: number | string, tick: () => number, isFinal: boolean) {
    this.#process = process;
    this.#tick = tick;
    this.#isFinal = isFinal;
    this.#start = tick();
  }

  append(key: string, value: number | string): void {
    this.#operations.push({ kind: "append", key, value });
  }

  /** What a read answered. `isSnapshot`: it was asked not to conflict. */
  read(key: string, list: List, isSnapshot = false): void {
    this.#operations.push({ kind: "read", key, list: [...list], ...(isSnapshot ? { isSnapshot } : {}) });
  }

  range(prefix: string, rows: readonly (readonly [key: string, list: List])[], isSnapshot = false): void {
    const copy = rows.map(([key, list]) => [key, [...list]] as const);
    this.#operations.push({ kind: "range", prefix, rows: copy, ...(isSnapshot ? { isSnapshot } : {}) });
  }

  /** To be called when the answer to the commit is there, or is known never to come. */
  end(outcome: Outcome): void {
    this.#outcome = outcome;
    this.#end = this.#tick();
  }

  record(): HistoryTransaction {
    return {
      outcome: this.#outcome,
      process: this.#process,
      start: this.#start,
      ...(this.#end === undefined ? {} : { end: this.#end }),
      ...(this.#isFinal ? { isFinal: true } : {}),
      operations: [...this.#operations],
    };
  }
}
