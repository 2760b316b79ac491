/**
 * A store's metrics at one moment: what was counted, and the gauges, which are asked of the parts that know. Reads only; owns the
 * names of the gauges. What they mean is in `metrics/catalogue.ts`.
 */
import type { MetricsSnapshot } from "../metrics/snapshot.js";
import type { Committer } from "./committer.js";
import { COUNTER, type EngineMetrics } from "./engine-metrics.js";
import { totalBytes } from "./manifest/table-meta.js";
import type { IteratorHold } from "./read/iterator-hold.js";
import type { SnapshotList } from "./snapshots.js";
import type { StallWatch } from "./stall-watch.js";
import type { BlockCache } from "./table/block-cache.js";
import type { TableCache } from "./table-cache.js";
import type { TreeKeeper } from "./tree-keeper.js";
import type { Segment } from "./wal/segment.js";

export interface MetricSources {
  readonly metrics: EngineMetrics;
  readonly stalls: StallWatch;
  readonly committer: Committer;
  readonly keeper: TreeKeeper;
  /** Those of the memtables in use. */
  readonly segments: readonly Segment[];
  readonly snapshots: SnapshotList;
  readonly iterators: ReadonlySet<IteratorHold>;
  readonly blocks: BlockCache;
  readonly tables: TableCache;
}

export function metricsOf(sources: MetricSources): MetricsSnapshot {
  const { metrics, keeper, blocks, iterators } = sources;
  const { counters } = keeper;
  const counted = metrics.counters.snapshot();
  // Those that are open are added when they close.
  let rowsScanned = metrics.counters.get(COUNTER.rows_scanned_total);
  for (const { rowsGiven } of iterators) rowsScanned += rowsGiven;
  return {
    counters: {
      ...counted,
      rows_scanned_total: rowsScanned,
      flushes_total: counters.flushes,
      compactions_total: counters.compactions,
      trivial_moves_total: counters.trivialMoves,
      job_failures_total: counters.jobFailures,
      bytes_flushed_total: counters.bytesFlushed,
      bytes_compacted_total: counters.bytesCompacted,
      rows_dropped_total: counters.rowsDropped,
      cache_hits_total: blocks.hits,
      cache_misses_total: blocks.misses,
      cache_evictions_total: blocks.evictions,
    },
    gauges: { ...stateGauges(sources), ...levelGauges(keeper) },
    histograms: metrics.histograms(),
  };
}

function stateGauges(sources: MetricSources): Record<string, number> {
  const { committer, keeper, segments, snapshots, blocks, tables } = sources;
  const version = committer.visibleVersion;
  const usedBytes = segments.reduce((sum, segment) => sum + segment.usedBytes, 0);
  const delayMs = keeper.admissionDelayMs;
  return {
    version,
    memtable_bytes: usedBytes,
    immutable_memtables: keeper.sealed.length,
    // A memtable's arena is the image of its segment.
    wal_bytes: usedBytes,
    wal_segments: segments.length,
    debt_bytes: keeper.debtBytes,
    admission_delay_ms: delayMs === Number.POSITIVE_INFINITY ? -1 : delayMs,
    pending_commits: committer.waitingCount,
    cache_bytes: blocks.memoryBytes,
    table_memory_bytes: tables.memoryBytes,
    open_tables: tables.openTables,
    open_snapshots: snapshots.count,
    open_iterators: sources.iterators.size,
    snapshot_lag_versions: version - (snapshots.versions()[0] ?? version),
    stalled: sources.stalls.isStalled ? 1 : 0,
    damaged_tables: keeper.damagedTables.length,
    failed_stop: committer.failure === null ? 0 : 1,
    obstructed: keeper.obstacle === null ? 0 : 1,
  };
}

function levelGauges({ current }: TreeKeeper): Record<string, number> {
  const gauges: Record<string, number> = {};
  current.levels.forEach((tables, level) => {
    gauges[`level_tables{level="${level}"}`] = tables.length;
    gauges[`level_bytes{level="${level}"}`] = totalBytes(tables);
    gauges[`level_entries{level="${level}"}`] = tables.reduce((sum, table) => sum + table.entryCount, 0);
  });
  return gauges;
}
