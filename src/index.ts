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
import type { StoreOptions } from "./engine/options.js";
import { Store } from "./engine/store.js";
import { DirectoryLayer, type DirectoryLayerOptions } from "./keyspace/directory-layer.js";
import { DiagnosticsSink } from "./platform/node/diagnostics-sink.js";
import { nodePlatform } from "./platform/node/node-platform.js";
import type { StorageDatabase } from "./transaction/database.js";
import { type EngineDatabaseOptions, openEngineDatabase } from "./transaction/engine-database.js";
import { AFTER_HOOK_FAILED_CHANNEL, SinkObserver, TRANSACTION_CHANNEL } from "./transaction/sink-observer.js";

/** Opens the store in a directory of the real file system; see `Store.open`. */
export function open(directory: string, options: StoreOptions = {}): Promise<Store> {
  return Store.open(directory, options, nodePlatform());
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

export { Batch } from "./engine/batch.js";
export type { Durability, StoreOptions } from "./engine/options.js";
export type { ScanOptions } from "./engine/range.js";
export type { StoreIterator } from "./engine/read/store-iterator.js";
export type { RecoveryReport } from "./engine/recovery.js";
export type { Row, Scan } from "./engine/scan.js";
export type { Snapshot } from "./engine/snapshots.js";
export { Store } from "./engine/store.js";
export type { ReadOptions, StoreInspection, StoreStats, WriteOptions } from "./engine/store-types.js";
export type { VerifyReport } from "./engine/verify.js";
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
export { CorruptionError, type ErrorCode, hasCode, StillwaterError } from "./platform/errors.js";
export { type NodePlatformOptions, nodePlatform } from "./platform/node/node-platform.js";
export type { Clock, Platform, Random, Scheduler, Timer } from "./platform/platform.js";
export type { VFile, VFileStat, VFS, VFSCapabilities, VLock } from "./platform/vfs.js";
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
export type {
  AfterHookFailure,
  TransactionObserver,
  TransactionReport,
} from "./transaction/transaction-observer.js";
