/**
 * Counters of a record store since it was opened (features FS-28): calls as they are made, those of a transaction's body each time it
 * runs. Of what lies below (tables, caches, compaction) the database and its store tell. Meaning is in `metrics/catalogue.ts`.
 */
import { Counters, counterPlaces } from "../metrics/registry.js";
import type { MetricsSnapshot } from "../metrics/snapshot.js";

const COUNTER = counterPlaces([
  "record_puts_total",
  "record_gets_total",
  "record_deletes_total",
  "record_scans_total",
  "record_index_lookups_total",
  "record_queries_total",
  "record_histories_total",
  "record_batches_total",
  "record_transactions_total",
]);

const PLACES = {
  puts: COUNTER.record_puts_total,
  gets: COUNTER.record_gets_total,
  deletes: COUNTER.record_deletes_total,
  scans: COUNTER.record_scans_total,
  indexLookups: COUNTER.record_index_lookups_total,
  queries: COUNTER.record_queries_total,
  histories: COUNTER.record_histories_total,
  batches: COUNTER.record_batches_total,
  transactions: COUNTER.record_transactions_total,
} as const;

export class MetricCounters {
  readonly #counters = new Counters(COUNTER);

  count(name: keyof typeof PLACES, by = 1): void {
    this.#counters.add(PLACES[name], by);
  }

  snapshot(): MetricsSnapshot {
    return { counters: this.#counters.snapshot(), gauges: {}, histograms: {} };
  }
}
