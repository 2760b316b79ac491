/**
 * Counters of a record store since it was opened or they were reset (features FS-28): calls as they are made, those of a
 * transaction's body each time it runs. Of what lies below (tables, caches, compaction) the database and its store tell.
 */
export interface RecordMetrics {
  /** Documents of `put`, `putMany`, `insert`, `update` and batches. */
  readonly puts: number;
  readonly gets: number;
  /** Also of documents that were not there. */
  readonly deletes: number;
  /** Pages of scans, walks and counts. */
  readonly scans: number;
  /** Reads of an index by values or groups. */
  readonly indexLookups: number;
  /** Runs and pages of queries. */
  readonly queries: number;
  /** Reads of former versions. */
  readonly histories: number;
  readonly batches: number;
  /** Bodies of `transact` and saves of contexts that have committed. */
  readonly transactions: number;
}

export type MetricName = keyof RecordMetrics;

const NONE: RecordMetrics = {
  puts: 0,
  gets: 0,
  deletes: 0,
  scans: 0,
  indexLookups: 0,
  queries: 0,
  histories: 0,
  batches: 0,
  transactions: 0,
};

export class MetricCounters {
  #counts: Record<MetricName, number> = { ...NONE };

  count(name: MetricName, by = 1): void {
    this.#counts[name] += by;
  }

  get(): RecordMetrics {
    return { ...this.#counts };
  }

  reset(): void {
    this.#counts = { ...NONE };
  }
}
