/**
 * Options of a database: Level's, the store's, and where it runs. Checked when the object is made and again when it is opened; a name
 * of classic-level's is an error that tells what takes its place.
 */
import type { AbstractDatabaseOptions } from "abstract-level";
import { isStoreOption, resolveOptions, type StoreOptions } from "../engine/options.js";
import { StillwaterError } from "../platform/errors.js";
import type { Platform } from "../platform/platform.js";
import { mutant } from "../platform/probes.js";

/** Level's options, and those of the store. */
export interface StillwaterLevelOptions<K = string, V = string>
  extends Omit<AbstractDatabaseOptions<K, V>, "createIfMissing" | "errorIfExists">,
    StoreOptions {
  /** What it runs on. Default: the files, clock and threads of Node. */
  readonly platform?: Platform;
}

const OF_CLASSIC_LEVEL: Readonly<Record<string, string>> = {
  cacheSize: "blockCacheBytes",
  writeBufferSize: "memtableBytes",
  blockSize: "blockBytes",
  maxFileSize: "tableBytes",
  maxOpenFiles: "tableCacheBytes",
};

/**
 * The store's options among those of a database or of `open()`. Level lets its users pass options of their own (to hooks), so what
 * has another name is theirs; a name of classic-level's is taken for a mistake. Throws `TypeError`.
 */
export function storeOptionsOf(options: Readonly<Record<string, unknown>>): StoreOptions {
  const ofStore: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    const replacement = Object.hasOwn(OF_CLASSIC_LEVEL, name) ? OF_CLASSIC_LEVEL[name] : undefined;
    if (replacement !== undefined)
      throw new TypeError(`There is no option "${name}" here: use "${replacement}"`);
    // As classic-level is told that it shall not compress.
    if (name === "compression" && value === false) ofStore[name] = "none";
    else if (isStoreOption(name)) ofStore[name] = value;
  }
  try {
    resolveOptions(ofStore);
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    throw new TypeError(error.message, { cause: error });
  }
  return ofStore;
}

/** What a write asks of the store. */
export function durabilityOf(sync: unknown): { durability?: "sync" | "buffered" } {
  if (sync === undefined || mutant("A3-sync-option-dropped")) return {};
  if (typeof sync !== "boolean") throw new TypeError("The option 'sync' must be true or false");
  return { durability: sync ? "sync" : "buffered" };
}
