/** What the API's operations answer, as far as the page reads it: `openapi.json` says all of it. */

export interface Health {
  readonly status: "ok" | "failing" | "stopped";
  readonly version: number;
}

export interface Status {
  readonly directory: string;
  readonly uptimeMs: number;
  readonly readOnly: boolean;
  readonly version: number;
  readonly stats: Stats;
  readonly wal: { readonly segments: readonly number[]; readonly oldestNeeded: number };
  readonly manifestNumber: number;
  readonly heldSnapshots: number;
  readonly failure: string | null;
}

export interface Stats {
  readonly levels: readonly { readonly tables: number; readonly bytes: number; readonly entries: number }[];
  readonly memtableBytes: number;
  readonly immutableMemtables: number;
  readonly debtBytes: number;
  readonly openSnapshots: number;
  readonly openIterators: number;
  readonly cacheHits: number;
  readonly cacheMisses: number;
  readonly openTables: number;
  readonly tableMemoryBytes: number;
  readonly flushes: number;
  readonly compactions: number;
  readonly trivialMoves: number;
  readonly jobFailures: number;
  readonly bytesFlushed: number;
  readonly bytesCompacted: number;
  readonly damagedTables: readonly number[];
}

export interface TableAnswer {
  readonly number: number;
  readonly bytes: number;
  readonly entries: number;
  readonly smallest: string;
  readonly largest: string;
  /** The largest key is the end of a range delete. */
  readonly largestExclusive: boolean;
  readonly damaged: boolean;
}

export interface Tables {
  readonly levels: readonly { readonly level: number; readonly tables: readonly TableAnswer[] }[];
}

/** The metrics' contract; the last bucket's bound is none. */
export interface MetricsSnapshot {
  readonly counters: Readonly<Record<string, number>>;
  readonly gauges: Readonly<Record<string, number>>;
  readonly histograms: Readonly<Record<string, Histogram>>;
}

export interface Histogram {
  readonly count: number;
  readonly sum: number;
  readonly buckets: readonly { readonly le: number | null; readonly count: number }[];
}

export interface RowAnswer {
  readonly key: string;
  readonly value: string;
  readonly valueBytes: number;
  readonly isTruncated: boolean;
}

export interface Rows {
  readonly rows: readonly RowAnswer[];
  readonly version: number;
  readonly nextPageToken?: string;
}

export interface Collections {
  readonly schemaVersion: string | null;
  readonly collections: readonly CollectionAnswer[];
}

export interface CollectionAnswer {
  readonly name: string;
  readonly primaryKey: string;
  readonly indexes: readonly string[];
  readonly isWritable: boolean;
  readonly whyNotWritable: string | null;
}

export interface Indexes {
  readonly indexes: readonly IndexAnswer[];
}

export interface IndexAnswer {
  readonly index: string;
  readonly kind: string;
  readonly fields: readonly string[];
  readonly state: "disabled" | "writeOnly" | "readable";
  readonly build: BuildAnswer | null;
  /** A copy that is built beside it, to take its place. */
  readonly shadow: { readonly build: BuildAnswer | null } | null;
}

export interface BuildAnswer {
  readonly itemsDone: number;
  /** An estimate, from 0 to 1. */
  readonly fraction: number;
  readonly isComplete: boolean;
}

export interface DocumentAnswer {
  readonly key: string;
  readonly keyType: "text" | "json";
  readonly document: unknown;
}

export interface Documents {
  readonly documents: readonly DocumentAnswer[];
  readonly version: number;
  readonly nextPageToken?: string;
}

export interface Compaction {
  readonly isRunning: boolean;
  readonly elapsedMs: number | null;
  readonly failure: string | null;
}

export interface Backup {
  readonly id: string;
  readonly createdAt: number;
  readonly note: string;
  readonly version: number;
  readonly bytes: number;
  readonly tables: number;
  readonly newBytes: number;
}
