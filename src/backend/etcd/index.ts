/**
 * `stillwater/etcd`: transactions on an etcd cluster. Needs the package `etcd3`, which is loaded when a database is opened.
 *
 * ```ts
 * import { openDatabase } from "stillwater/etcd";
 * await using db = await openDatabase({ hosts: ["http://10.0.0.1:2379", "http://10.0.0.2:2379"] });
 * await db.transact((tx) => tx.set(key, value));
 * ```
 */
import { nodePlatform } from "../../platform/node/node-platform.js";
import type { StorageDatabase } from "../../transaction/database.js";
import { type EtcdDatabaseOptions, openEtcdDatabase } from "./database.js";

/** See `EtcdDatabaseOptions`. Throws `MISSING_DEPENDENCY`, `UNKNOWN_OPTION`, `INVALID_ARGUMENT`, `UNAVAILABLE`. */
export function openDatabase(options: EtcdDatabaseOptions): Promise<StorageDatabase> {
  return openEtcdDatabase(options, nodePlatform());
}

export type { EtcdConnectionOptions } from "./client.js";
export type { EtcdDatabaseOptions } from "./database.js";
