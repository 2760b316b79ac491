/**
 * What the engine counts of itself: one object of a store that its parts add to where things happen. Gauges are asked for when
 * somebody looks; see `metrics-report.ts`.
 *
 * Time is read where a sync or a job ends anyway, and twice for each record of the log: never for each read or write.
 */
import { COUNT_BOUNDS, Counters, counterPlaces, Histogram, TIME_BOUNDS_MS } from "../metrics/registry.js";
import type { HistogramSnapshot } from "../metrics/snapshot.js";
import type { Clock } from "../platform/platform.js";

export const COUNTER = counterPlaces([
  "commits_total",
  "puts_total",
  "deletes_total",
  "range_deletes_total",
  "bytes_committed_total",
  "commit_groups_total",
  "gets_total",
  "iterators_total",
  "rows_scanned_total",
  "wal_bytes_written_total",
  "wal_syncs_total",
  "wal_rotations_total",
  "commits_refused_total",
  'stalls_total{reason="slowdown"}',
  'stalls_total{reason="compaction"}',
  'stalls_total{reason="flush"}',
  'stall_ms_total{reason="slowdown"}',
  'stall_ms_total{reason="compaction"}',
  'stall_ms_total{reason="flush"}',
  "snapshots_total",
  "leaks_total",
]);

export class EngineMetrics {
  readonly counters = new Counters(COUNTER);
  readonly commitLatency = new Histogram(TIME_BOUNDS_MS);
  readonly groupSize = new Histogram(COUNT_BOUNDS);
  readonly walSync = new Histogram(TIME_BOUNDS_MS);
  readonly flush = new Histogram(TIME_BOUNDS_MS);
  readonly compaction = new Histogram(TIME_BOUNDS_MS);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** Observes what has passed since `sinceMs`, and returns it. */
  observeSince(histogram: Histogram, sinceMs: number): number {
    const durationMs = this.nowMs() - sinceMs;
    histogram.observe(durationMs);
    return durationMs;
  }

  histograms(): Record<string, HistogramSnapshot> {
    return {
      commit_latency_ms: this.commitLatency.snapshot(),
      commit_group_size: this.groupSize.snapshot(),
      wal_sync_ms: this.walSync.snapshot(),
      flush_ms: this.flush.snapshot(),
      compaction_ms: this.compaction.snapshot(),
    };
  }
}
