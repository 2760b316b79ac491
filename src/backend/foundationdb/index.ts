/**
 * `stillwater/foundationdb`: the same transactions on a FoundationDB cluster. Needs FoundationDB's client library and the
 * package `foundationdb`, which is loaded when a database is opened.
 *
 * ```ts
 * import { openDatabase } from "stillwater/foundationdb";
 * await using db = await openDatabase({ clusterFile: "/etc/foundationdb/fdb.cluster" });
 * ```
 */
import type { Database } from "../../transaction/transaction.js";
import { type FoundationDatabaseOptions, openFoundationDatabase } from "./database.js";

/** See `FoundationDatabaseOptions`. Throws `MISSING_DEPENDENCY`, `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
export function openDatabase(options: FoundationDatabaseOptions = {}): Promise<Database> {
  return openFoundationDatabase(options);
}

export type { FoundationDatabaseOptions } from "./database.js";
