/**
 * What a database counts of its transactions, on every storage; those that it runs for itself are among them. Owns the names and the
 * trace's words. What the storage below counts is the storage's; meaning is in `metrics/catalogue.ts`.
 */
import { Counters, counterPlaces, Histogram, TIME_BOUNDS_MS } from "../metrics/registry.js";
import type { MetricsSnapshot } from "../metrics/snapshot.js";

export const TRANSACTION_COUNTER = counterPlaces([
  "transactions_begun_total",
  "transactions_committed_total",
  "transactions_read_only_total",
  "transaction_conflicts_total",
  "transaction_retries_total",
  "transaction_unknown_results_total",
  "transaction_failures_total",
]);

/** Of `transact` and `read`; `result` is what the body has returned. */
export const TRANSACTION_TRACE = "stillwater:transaction";

/** What listeners to traces of transactions get. */
export interface TransactionTrace {
  /** Of `read`: nothing can be written. */
  readonly isReadOnly: boolean;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export class TransactionMetrics {
  readonly counters = new Counters(TRANSACTION_COUNTER);
  /** From its making to its commit, tries and waits included. */
  readonly latency = new Histogram(TIME_BOUNDS_MS);

  /** `watches`: those that wait. */
  snapshot(watches: number): MetricsSnapshot {
    return {
      counters: this.counters.snapshot(),
      gauges: { pending_watches: watches },
      histograms: { transaction_latency_ms: this.latency.snapshot() },
    };
  }
}
