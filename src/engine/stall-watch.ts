/**
 * When commits have to wait for background work, why and for how long. Told by the committer, which knows; tells the metrics and
 * whoever listens. Time is read when a wait begins and ends only.
 */
import { COUNTER, type EngineMetrics } from "./engine-metrics.js";
import type { StallReason, StoreEvents } from "./store-events.js";

export class StallWatch {
  readonly #metrics: EngineMetrics;
  readonly #events: StoreEvents;
  #reason: StallReason | null = null;
  #sinceMs = 0;

  constructor(metrics: EngineMetrics, events: StoreEvents) {
    this.#metrics = metrics;
    this.#events = events;
  }

  get isStalled(): boolean {
    return this.#reason !== null;
  }

  /** Commits wait from now on, or for another reason than before. */
  begin(reason: StallReason, waiting: number): void {
    if (this.#reason === reason) return;
    this.end(waiting);
    this.#reason = reason;
    this.#sinceMs = this.#metrics.nowMs();
    this.#metrics.counters.add(STALLS[reason]);
    this.#events.stalled(() => ({ state: "begin", reason, waiting, durationMs: 0 }));
  }

  /** Nobody waits any more, or for another reason. */
  end(waiting: number): void {
    const reason = this.#reason;
    if (reason === null) return;
    this.#reason = null;
    const durationMs = this.#metrics.nowMs() - this.#sinceMs;
    this.#metrics.counters.add(STALL_MS[reason], durationMs);
    this.#events.stalled(() => ({ state: "end", reason, waiting, durationMs }));
  }
}

const STALLS: Readonly<Record<StallReason, number>> = {
  slowdown: COUNTER['stalls_total{reason="slowdown"}'],
  compaction: COUNTER['stalls_total{reason="compaction"}'],
  flush: COUNTER['stalls_total{reason="flush"}'],
};

const STALL_MS: Readonly<Record<StallReason, number>> = {
  slowdown: COUNTER['stall_ms_total{reason="slowdown"}'],
  compaction: COUNTER['stall_ms_total{reason="compaction"}'],
  flush: COUNTER['stall_ms_total{reason="flush"}'],
};
