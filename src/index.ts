/**
 * Stillwater: an embedded, ACID, ordered key-value store in pure TypeScript.
 *
 * ```ts
 * import { open } from "stillwater";
 * await using store = await open("./data");
 * await store.put(Buffer.from("key"), Buffer.from("value"));
 * ```
 */
import type { StoreOptions } from "./engine/options.js";
import { Store } from "./engine/store.js";
import { nodePlatform } from "./platform/node/node-platform.js";

/** Opens the store in a directory of the real file system; see `Store.open`. */
export function open(directory: string, options: StoreOptions = {}): Promise<Store> {
  return Store.open(directory, options, nodePlatform());
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
export { CorruptionError, type ErrorCode, hasCode, StillwaterError } from "./platform/errors.js";
export { type NodePlatformOptions, nodePlatform } from "./platform/node/node-platform.js";
export type { Clock, Platform, Random, Scheduler, Timer } from "./platform/platform.js";
export type { VFile, VFileStat, VFS, VFSCapabilities, VLock } from "./platform/vfs.js";
