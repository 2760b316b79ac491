/**
 * Stillwater: an embedded, ACID, ordered key-value store in pure TypeScript.
 *
 * ```ts
 * import { open } from "stillwater";
 * await using store = await open("./data");
 * await store.put(Buffer.from("key"), Buffer.from("value"));
 * ```
 *
 * `openDatabase` gives transactions over the same store: FoundationDB's model, in one process.
 */
import { checkRecordStoreOptions, RecordStore, type RecordStoreOptions } from "./collection/record-store.js";
import type { SchemaDeclaration } from "./collection/schema.js";
import { writeBackup } from "./engine/backup/create.js";
import { type PruneOptions, type PruneReport, pruneRepository, removeBackup } from "./engine/backup/prune.js";
import {
  inspectRepository,
  type RestoreOptions,
  restoreFromRepository,
  type VerifyOptions,
  verifyInRepository,
} from "./engine/backup/restore.js";
import type {
  BackupInfo,
  BackupOptions,
  BackupVerification,
  RepositoryReport,
} from "./engine/backup/types.js";
import type { StoreOptions } from "./engine/options.js";
import { type ReadOnlyOptions, ReadOnlyStore } from "./engine/readonly/read-only-store.js";
import type { RestoreReport } from "./engine/restore.js";
import { Store } from "./engine/store.js";
import { INDEX_CHANNEL } from "./index/build/build-events.js";
import { DirectoryLayer, type DirectoryLayerOptions } from "./keyspace/directory-layer.js";
import { DiagnosticsSink } from "./platform/node/diagnostics-sink.js";
import { environmentVariables } from "./platform/node/environment.js";
import { nodePlatform } from "./platform/node/node-platform.js";
import type { CollectionDeclaration } from "./record/declaration.js";
import { environmentKeys, type RotatingKeys } from "./record/pipeline/key-providers.js";
import type { StorageDatabase } from "./transaction/database.js";
import { type EngineDatabaseOptions, openEngineDatabase } from "./transaction/engine-database.js";
import { AFTER_HOOK_FAILED_CHANNEL, SinkObserver, TRANSACTION_CHANNEL } from "./transaction/sink-observer.js";
import type { Database } from "./transaction/transaction.js";

/** Opens the store in a directory of the real file system; see `Store.open`. */
export function open(directory: string, options: StoreOptions = {}): Promise<Store> {
  return Store.open(directory, options, nodePlatform());
}

/** Opens the store in a directory of the real file system for reading, beside its owner or without one; see `ReadOnlyStore`. */
export function openReadOnly(directory: string, options: ReadOnlyOptions = {}): Promise<ReadOnlyStore> {
  return ReadOnlyStore.open(directory, options, nodePlatform());
}

/**
 * Backs up an open store into the directory `repository`, which is made if need be, while commits go on. Tables that the
 * repository has already are shared, others get a hard link or are copied. Resolves when the backup is durable. Throws
 * `INVALID_ARGUMENT` (within a store), `NOT_A_REPOSITORY`, `LOCKED` (another backup is under way), `CORRUPTION` (a table of
 * the store is damaged), `NO_SPACE` and other file errors, `CLOSED`, `FAILED_STOP`; then there is no new backup.
 */
export function createBackup(
  store: Store,
  repository: string,
  options: BackupOptions = {},
): Promise<BackupInfo> {
  return writeBackup(store.backupSource, repository, options);
}

/** The backups of a repository that are whole by names and sizes, the oldest first. Throws `NOT_A_REPOSITORY`. */
export async function listBackups(repository: string): Promise<readonly BackupInfo[]> {
  return inspectRepository(nodePlatform().vfs, repository).backups;
}

/** As `listBackups`, with what is damaged, and what lies there that is no part of a repository. */
export async function inspectBackups(repository: string): Promise<RepositoryReport> {
  return inspectRepository(nodePlatform().vfs, repository);
}

/** Reads every byte of a backup and checks it; see `verifyInRepository`. */
export function verifyBackup(
  repository: string,
  id: string,
  options: VerifyOptions = {},
): Promise<BackupVerification> {
  return verifyInRepository(nodePlatform(), repository, id, options);
}

/** Makes a store in the new directory `directory` out of a backup, verified; see `restoreFromRepository`. */
export function restoreBackup(
  repository: string,
  id: string,
  directory: string,
  options: RestoreOptions = {},
): Promise<RestoreReport> {
  return restoreFromRepository(nodePlatform(), repository, id, directory, options);
}

/** Removes a backup, and the tables that no other one has. Resolves with the bytes that went. Throws `UNKNOWN_BACKUP`, `LOCKED`. */
export function deleteBackup(repository: string, id: string): Promise<number> {
  return removeBackup(nodePlatform(), repository, id);
}

/** Removes the backups that no rule keeps. Throws `INVALID_ARGUMENT` for rules that keep nothing, `LOCKED`. */
export function pruneBackups(repository: string, options: PruneOptions): Promise<PruneReport> {
  return pruneRepository(nodePlatform(), repository, options);
}

/** Opens transactions over the store in a directory of the real file system; see `openEngineDatabase`. */
export function openDatabase(
  directory: string,
  options: EngineDatabaseOptions = {},
): Promise<StorageDatabase> {
  return openEngineDatabase(directory, options, nodePlatform(), [
    new SinkObserver(
      new DiagnosticsSink(TRANSACTION_CHANNEL),
      new DiagnosticsSink(AFTER_HOOK_FAILED_CHANNEL),
    ),
  ]);
}

/** Directories of a database, any backend's: short prefixes under paths; see `Directory`. Make it once, or as often as you like. */
export function directoryLayer(options: DirectoryLayerOptions = {}): DirectoryLayer {
  return DirectoryLayer.create(nodePlatform().random, options);
}

/**
 * Opens typed collections over the store in a directory of the real file system; see `RecordStore.open`. Closing the records closes
 * the store.
 */
export async function openRecords<const Collections extends readonly CollectionDeclaration[]>(
  directory: string,
  schema: SchemaDeclaration<Collections>,
  options: RecordStoreOptions & { readonly database?: EngineDatabaseOptions } = {},
): Promise<RecordStore<Collections>> {
  const { database: databaseOptions = {}, ...recordOptions } = options;
  checkRecordStoreOptions(recordOptions);
  const database = await openDatabase(directory, databaseOptions);
  try {
    const all = { events: new DiagnosticsSink(INDEX_CHANNEL), ...recordOptions };
    return await RecordStore.open(database, schema, nodePlatform(), all, () => database.close());
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Typed collections over a database that is open already, any backend's; it stays the caller's to close. */
export function recordsOn<const Collections extends readonly CollectionDeclaration[]>(
  database: Database,
  schema: SchemaDeclaration<Collections>,
  options: RecordStoreOptions = {},
): Promise<RecordStore<Collections>> {
  const all = { events: new DiagnosticsSink(INDEX_CHANNEL), ...options };
  return RecordStore.open(database, schema, nodePlatform(), all);
}

export type { RecordBatchOperation, RecordBatchOptions } from "./collection/batch.js";
export {
  Collection,
  type CollectionScanOptions,
  type CollectionWalkOptions,
  ReadCollection,
  type ScanItemsOptions,
} from "./collection/collection.js";
export type { RecordContext, RecordContextOptions } from "./collection/context.js";
export type { ContextCollection } from "./collection/context-collection.js";
export type { EnforcedDeletion } from "./collection/delete-rules.js";
export type { CollectionDescription } from "./collection/description.js";
export type { DocumentVersion, HistoryOptions } from "./collection/history.js";
export type {
  AfterRecordsContext,
  BeforeRecordsContext,
  CollectionChanges,
  RecordHook,
  RecordHookContext,
  UpdatedDocument,
} from "./collection/hooks.js";
export type { BuildInfo, IndexBuildOptions, IndexInfo, IndexManager } from "./collection/index-manager.js";
export type { MigrationChange, MigrationContext } from "./collection/migration-context.js";
export type { MigrationWrites } from "./collection/migration-items.js";
export {
  lightweight,
  type MigrationOptions,
  type MigrationStage,
  migration,
} from "./collection/migrations.js";
export { type PageOptions, RecordQuery } from "./collection/query.js";
export type { RecordTransactionOptions } from "./collection/record-runner.js";
export { RecordStore, type RecordStoreOptions } from "./collection/record-store.js";
export type { RecordTransaction } from "./collection/record-transaction.js";
export type { DocumentChange } from "./collection/record-writer.js";
export type { Joined } from "./collection/related.js";
export {
  type DeleteRule,
  type RelatedBy,
  type RelationshipDeclaration,
  relationship,
} from "./collection/relationships.js";
export { type SchemaDeclaration, schema } from "./collection/schema.js";
/** Keys of items out of `STILLWATER_ITEM_KEY_<ID>` and `STILLWATER_ITEM_KEY_CURRENT`; see `environmentKeys`. */
export function itemKeysFromEnvironment(
  variables: Readonly<Record<string, string | undefined>> = environmentVariables(),
): RotatingKeys {
  return environmentKeys(variables);
}

export type { RecordSnapshot } from "./collection/snapshot.js";
export type { KeepRules, PruneOptions, PruneReport } from "./engine/backup/prune.js";
export type { RestoreOptions, VerifyOptions } from "./engine/backup/restore.js";
export type {
  BackupInfo,
  BackupOptions,
  BackupProblem,
  BackupProgress,
  BackupVerification,
  RepositoryReport,
} from "./engine/backup/types.js";
export { Batch } from "./engine/batch.js";
export { type ExportOptions, exportRows, type RowEncoding, type RowSource } from "./engine/exported-rows.js";
export type { Durability, StoreOptions } from "./engine/options.js";
export type { ScanOptions } from "./engine/range.js";
export type { StoreIterator } from "./engine/read/store-iterator.js";
export {
  type ReadOnlyOptions,
  type ReadOnlyStats,
  ReadOnlyStore,
} from "./engine/readonly/read-only-store.js";
export type { RecoveryReport } from "./engine/recovery.js";
export type { RestoreReport } from "./engine/restore.js";
export type { Row, Scan } from "./engine/scan.js";
export type { Snapshot } from "./engine/snapshots.js";
export { Store } from "./engine/store.js";
export {
  type CloseEvent,
  type CommitTrace,
  type CompactionEvent,
  type FailureEvent,
  type FlushEvent,
  type JobFailureEvent,
  type JobTrace,
  type LeakEvent,
  type OpenEvent,
  type RecoveryEvent,
  STORE_CHANNELS,
  STORE_TRACES,
  type StallEvent,
  type WalRotateEvent,
} from "./engine/store-events.js";
export type { ReadOptions, StoreInspection, StoreStats, WriteOptions } from "./engine/store-types.js";
export type { VerifyReport } from "./engine/verify.js";
export type { Aggregate, AggregateReads, GroupScan } from "./index/aggregate.js";
export type { BuildProgressEvent, IndexEvent, IndexStateEvent } from "./index/build/build-events.js";
export { type BuildResult, BuildViolationsError } from "./index/build/online-builder.js";
export type { EntrySource, IndexContext, IndexEntry, IndexKind, IndexMaintainer } from "./index/kind.js";
export { count } from "./index/kinds/count.js";
export { max, min } from "./index/kinds/extreme.js";
export { scalar } from "./index/kinds/scalar.js";
export { type Sum, sum } from "./index/kinds/sum.js";
export { type VersionMoment, versions } from "./index/kinds/versions.js";
export { invalidIndex } from "./index/registry.js";
export type { ScrubFinding } from "./index/scrub/scrub-batch.js";
export type { ScrubOptions } from "./index/scrub/scrub-options.js";
export type { ScrubResult, ScrubStep } from "./index/scrub/scrubber.js";
export type {
  IndexVerification,
  VerificationObserver,
  VerificationOptions,
} from "./index/scrub/verification.js";
export type {
  CreateDirectoryOptions,
  Directory,
  DirectoryPath,
  OpenDirectoryOptions,
} from "./keyspace/directory.js";
export { DirectoryError, type DirectoryErrorCode } from "./keyspace/directory-errors.js";
export type { DirectoryLayer, DirectoryLayerOptions } from "./keyspace/directory-layer.js";
export type { DirectoryPartition, DirectorySubspace } from "./keyspace/directory-subspace.js";
export { DatabaseEntityStorage } from "./keyspace/entity-database.js";
export {
  type EntityId,
  type EntityKey,
  type EntityTag,
  entityKey,
  entityPrefix,
  entityTagPrefix,
  parseEntityKey,
} from "./keyspace/entity-key.js";
export { MemoryEntityStorage } from "./keyspace/entity-memory.js";
export type {
  BatchOperation,
  EntityBatchOperation,
  EntityKind,
  EntityStorage,
  StorageEngine,
} from "./keyspace/entity-storage.js";
export { type KeyRange, keyAfterPrefix, Subspace } from "./keyspace/subspace.js";
export { pack, packWithVersionstamp, tupleRange, unpack } from "./keyspace/tuple.js";
export {
  Float32,
  Float64,
  type Tuple,
  type TupleElement,
  Uuid,
  Versionstamp,
} from "./keyspace/tuple-elements.js";
export { METRICS, type MetricDescription } from "./metrics/catalogue.js";
export { PROMETHEUS_CONTENT_TYPE, type PrometheusOptions, prometheusText } from "./metrics/prometheus.js";
export type { HistogramBucket, HistogramSnapshot, MetricsSnapshot } from "./metrics/snapshot.js";
export { CorruptionError, type ErrorCode, hasCode, StillwaterError } from "./platform/errors.js";
export type { EventChannels, EventSink, LeakWatch, TraceCallback, TraceSink } from "./platform/event-sink.js";
export { type NodePlatformOptions, nodePlatform } from "./platform/node/node-platform.js";
export type { Clock, Platform, Random, Scheduler, Timer } from "./platform/platform.js";
export type { VFile, VFileStat, VFS, VFSCapabilities, VLock } from "./platform/vfs.js";
export type { Explanation, PlanStep } from "./query/explain.js";
export type { PageStop, QueryPage } from "./query/pages.js";
export {
  type CollectionDeclaration,
  collection,
  type DocumentOf,
  type IndexDeclaration,
  type IndexNameOf,
  type IndexOptions,
  type InputOf,
  type KeyOf,
} from "./record/declaration.js";
export { type FieldPath, parsePath, type ValueAt, valuesAt } from "./record/field-path.js";
export type { IndexValue, PrimaryKey } from "./record/index-value.js";
export type { RecordItem } from "./record/item.js";
export type { Codec } from "./record/pipeline/codec.js";
export type { Compression } from "./record/pipeline/compression.js";
export type { EncryptionKey, KeyProvider } from "./record/pipeline/encryption.js";
export { DerivedKeys, RotatingKeys } from "./record/pipeline/key-providers.js";
export type { EncryptionOptions, ItemStorageOptions } from "./record/pipeline/pipeline-options.js";
export {
  type PolymorphicDeclaration,
  type PolymorphicDocument,
  type PolymorphicInput,
  polymorphic,
} from "./record/polymorphic.js";
export type { Predicate } from "./record/predicate.js";
export { RecordError } from "./record/record-error.js";
export { type Infer, s } from "./record/schema-builder.js";
export type { AtomicOperation } from "./transaction/atomic.js";
export type { ChangeFeedMutation } from "./transaction/change-feed-format.js";
export type {
  ChangeFeedCommit,
  ChangeFeedInfo,
  ChangeFeedReadOptions,
  ChangeFeeds,
} from "./transaction/change-feeds.js";
export type {
  AfterCommitContext,
  BeforeCommitContext,
  CommitHook,
  HookTransaction,
  WrittenMutation,
} from "./transaction/commit-hooks.js";
export type {
  DatabaseSettings,
  DatabaseTransactionOptions,
  StorageDatabase,
} from "./transaction/database.js";
export type { EngineDatabaseOptions } from "./transaction/engine-database.js";
export { TransactionError, type TransactionErrorCode } from "./transaction/errors.js";
export {
  firstGreaterOrEqual,
  firstGreaterThan,
  type KeySelector,
  lastLessOrEqual,
  lastLessThan,
} from "./transaction/key-selector.js";
export type { TransactionOptions } from "./transaction/options.js";
export { TRANSACTION_PRESETS } from "./transaction/presets.js";
export type {
  Database,
  KeyValue,
  RangeBound,
  RangeOptions,
  ReadTransaction,
  StreamingMode,
  Transaction,
  Watch,
} from "./transaction/transaction.js";
export { TRANSACTION_TRACE, type TransactionTrace } from "./transaction/transaction-metrics.js";
export type {
  AfterHookFailure,
  TransactionObserver,
  TransactionReport,
} from "./transaction/transaction-observer.js";
