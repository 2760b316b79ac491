/**
 * What goes in and out of the store besides keys and values: options of single calls, and the plain-data reports that
 * people, tools and oracles read.
 */
import type { TableMeta } from "./manifest/table-meta.js";
import type { Snapshot } from "./snapshots.js";

/** Options of reads. */
export interface ReadOptions {
  /** Read at this snapshot instead of now. */
  readonly snapshot?: Snapshot;
}

/** Options of one commit. */
export interface WriteOptions {
  /** What the acknowledgement promises. Default: the store's `durability`. */
  readonly durability?: "sync" | "buffered";
  /** Fail with `VERSION_TOO_LOW` unless the store has reached this version. */
  readonly requireVersionAtLeast?: number;
}

/** Counters and sizes. Plain data. */
export interface StoreStats {
  readonly version: number;
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
  readonly rowsDropped: number;
  readonly damagedTables: readonly number[];
  readonly failure: string | null;
}

/** Internals for oracles and tools. Plain data. */
export interface StoreInspection {
  readonly levels: readonly (readonly TableMeta[])[];
  readonly immutableMemtables: number;
  readonly walNumbers: readonly number[];
  readonly manifestNumber: number;
  readonly editNumber: number;
  readonly nextFileNumber: number;
  readonly lastVersion: number;
  readonly minWalNumber: number;
  /** Names in the directory that must exist now. */
  readonly liveFiles: readonly string[];
  readonly snapshots: readonly number[];
  readonly openTables: number;
  readonly debtBytes: number;
  readonly failedStop: boolean;
  readonly backgroundBusy: boolean;
  readonly damagedTables: readonly number[];
}
