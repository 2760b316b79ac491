/**
 * What every metric means, in one table: the words of `# HELP`, of the instruments of OpenTelemetry and of docs/guides/operate.md,
 * which tests hold against what the parts really count. Times are in milliseconds, as everywhere in the library.
 * Does not own: counting.
 */
export interface MetricDescription {
  readonly kind: "counter" | "gauge" | "histogram";
  readonly help: string;
  /** Names of labels; none unless told. */
  readonly labels?: readonly string[];
}

const counter = (help: string): MetricDescription => ({ kind: "counter", help });
const gauge = (help: string): MetricDescription => ({ kind: "gauge", help });
const histogram = (help: string): MetricDescription => ({ kind: "histogram", help });
const byReason = (help: string): MetricDescription => ({ kind: "counter", help, labels: ["reason"] });
const byLevel = (help: string): MetricDescription => ({ kind: "gauge", help, labels: ["level"] });

/** By name, without prefix and labels. */
export const METRICS: Readonly<Record<string, MetricDescription>> = {
  commits_total: counter("Commits that became visible."),
  puts_total: counter("Keys set by these commits."),
  deletes_total: counter("Keys deleted by these commits."),
  range_deletes_total: counter("Ranges deleted by these commits."),
  bytes_committed_total: counter("Bytes of these commits: keys, values and 12 bytes for each operation."),
  commit_groups_total: counter("Records of the log: commits that share one share its write and its sync."),
  gets_total: counter("Keys that were looked up."),
  iterators_total: counter("Iterators and scans that were begun."),
  rows_scanned_total: counter("Rows that iterators and scans gave."),
  wal_bytes_written_total: counter("Bytes of log records of these commits."),
  wal_syncs_total: counter("Syncs of the log that succeeded."),
  wal_rotations_total: counter("Segments of the log that were begun."),
  commits_refused_total: counter(
    "Commits that were refused with BUSY or NO_SPACE, because background work is behind or fails.",
  ),
  stalls_total: byReason("How often commits began to wait for background work."),
  stall_ms_total: byReason("How long commits have waited for background work, as far as it is over."),
  snapshots_total: counter("Snapshots that were taken, those of transactions included."),
  leaks_total: counter("Iterators and snapshots that were forgotten; found with detectLeaks only."),
  flushes_total: counter("Memtables that were moved into tables."),
  compactions_total: counter("Compactions that rewrote tables."),
  trivial_moves_total: counter("Tables that changed their level without being rewritten."),
  job_failures_total: counter("Flushes and compactions that failed."),
  bytes_flushed_total: counter("Bytes of tables written by flushes."),
  bytes_compacted_total: counter("Bytes of tables written by compactions."),
  rows_dropped_total: counter("Rows that flushes and compactions left out, because nobody can see them."),
  cache_hits_total: counter("Blocks of tables that were found in the cache."),
  cache_misses_total: counter("Blocks of tables that were read from files."),
  cache_evictions_total: counter("Blocks that were dropped from the cache to make room."),

  transactions_begun_total: counter("Transactions that were made."),
  transactions_committed_total: counter("Commits of transactions that wrote."),
  transactions_read_only_total: counter("Transactions that ended well with nothing to write."),
  transaction_conflicts_total: counter(
    "Commits that were refused, because what they had read was written meanwhile.",
  ),
  transaction_retries_total: counter("Tries after the first."),
  transaction_unknown_results_total: counter("Commits that nobody could say of whether they took effect."),
  transaction_failures_total: counter("Calls of transact and read that failed in the end."),

  record_puts_total: counter("Documents put, inserted or updated, those of batches included."),
  record_gets_total: counter("Documents looked up by their primary key."),
  record_deletes_total: counter("Documents deleted, whether they were there or not."),
  record_scans_total: counter("Pages of scans, walks and counts."),
  record_index_lookups_total: counter("Reads of an index by values or groups."),
  record_queries_total: counter("Runs and pages of queries."),
  record_histories_total: counter("Reads of former versions."),
  record_batches_total: counter("Batches of documents."),
  record_transactions_total: counter("Bodies of transact and saves of contexts that have committed."),

  version: gauge("Newest commit version that reads see."),
  memtable_bytes: gauge("Bytes in memtables, those that wait for their flush included."),
  immutable_memtables: gauge("Memtables that wait for their flush."),
  wal_bytes: gauge("Bytes used in the segments of the log."),
  wal_segments: gauge("Segments of the log that are needed."),
  debt_bytes: gauge("Bytes that compaction still has to rewrite."),
  admission_delay_ms: gauge("How long each commit is held back for compaction; -1 while all have to wait."),
  pending_commits: gauge("Commits that wait for room."),
  cache_bytes: gauge("Memory of the block cache."),
  table_memory_bytes: gauge("Memory of the indexes and filters of open tables."),
  open_tables: gauge("Tables that are open."),
  open_snapshots: gauge("Snapshots that were not closed."),
  open_iterators: gauge("Iterators that were not closed."),
  snapshot_lag_versions: gauge(
    "How many versions the oldest open snapshot is behind; what it sees cannot be dropped.",
  ),
  level_tables: byLevel("Tables of a level."),
  level_bytes: byLevel("Bytes of the tables of a level."),
  level_entries: byLevel("Rows in a level: every version, deletes included."),
  stalled: gauge("1 while commits wait for background work."),
  damaged_tables: gauge("Tables in which compaction has found damage."),
  pending_watches: gauge("Watches of keys that wait for a change."),
  failed_stop: gauge("1 when the store stopped accepting writes after a failure."),
  obstructed: gauge("1 while flushes or compactions fail again and again."),

  commit_latency_ms: histogram("From the call of a commit to its acknowledgement."),
  commit_group_size: histogram("Commits in one record of the log."),
  transaction_latency_ms: histogram(
    "From the making of a transaction to its successful commit, tries and waits included.",
  ),
  wal_sync_ms: histogram("Syncs of the log."),
  flush_ms: histogram("Flushes, from their start until the manifest has them."),
  compaction_ms: histogram("Compactions, from their start until the manifest has them."),
};

/** `level_bytes` of `level_bytes{level="0"}`. */
export function familyOf(name: string): string {
  const brace = name.indexOf("{");
  return brace < 0 ? name : name.slice(0, brace);
}
