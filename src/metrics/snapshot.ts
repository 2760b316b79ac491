/**
 * What is handed out of metrics: plain data, one moment of everything that a part counts. Names are those of Prometheus without the
 * prefix, with labels in braces where there are some (`level_bytes{level="0"}`).
 *
 * Counters only grow while whatever counts them is open, and there is no resetting them: two who look on, each at a pace of its
 * own, would take from each other what they had not seen yet. Whoever wants "since then" keeps a snapshot and subtracts.
 */

/** Plain data, JSON as it is. */
export interface MetricsSnapshot {
  /** Only grow. */
  readonly counters: Readonly<Record<string, number>>;
  /** How things stand at this moment. */
  readonly gauges: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, HistogramSnapshot>>;
}

/** How often something was measured, its sum, and how it is distributed. */
export interface HistogramSnapshot {
  /** Of observations, */
  readonly count: number;
  /** and their sum. */
  readonly sum: number;
  /** Ascending and cumulative. The last bound is Infinity, which JSON writes as null. */
  readonly buckets: readonly HistogramBucket[];
}

/** How many values were no larger than a bound. */
export interface HistogramBucket {
  /** Observations of at most this much */
  readonly le: number;
  /** were so many. */
  readonly count: number;
}

export const NO_METRICS: MetricsSnapshot = { counters: {}, gauges: {}, histograms: {} };

/** One snapshot of several parts; of two that have one name the later is taken. */
export function joinedMetrics(...parts: readonly MetricsSnapshot[]): MetricsSnapshot {
  return {
    counters: Object.assign({}, ...parts.map(({ counters }) => counters)),
    gauges: Object.assign({}, ...parts.map(({ gauges }) => gauges)),
    histograms: Object.assign({}, ...parts.map(({ histograms }) => histograms)),
  };
}
