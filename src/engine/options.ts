/**
 * Options of a store: meaning, unit, default and legal range of each in one table, checked once at the door.
 * Promise: an unknown name or a value out of range is a typed error that names the option and what is legal; nothing
 * has been opened or created by then.
 */
import { StillwaterError } from "../platform/errors.js";

/**
 * What an acknowledged commit survives.
 * - `sync`: process kill and power loss.
 * - `buffered`: process kill; on power loss the newest commits of at most `bufferedSyncMs` may be missing.
 * - `none` (whole store only): nothing since the last flush. For caches.
 * In every case what survives is a prefix of the commit order, never a hole.
 */
export type Durability = "sync" | "buffered" | "none";

/** Options of a store. All have defaults; unknown names are refused. */
export interface StoreOptions {
  /** Create the directory and an empty store when there is none. Default true. */
  readonly createIfMissing?: boolean;
  /** Refuse to open an existing store. Default false. */
  readonly errorIfExists?: boolean;
  /**
   * How long to wait for another owner to give the store up before failing with `LOCKED`, in milliseconds. Default 0: not at
   * all. Of several that wait, any may be next.
   */
  readonly lockTimeoutMs?: number;
  /** Default durability of commits. Default `sync`. */
  readonly durability?: Durability;
  /** Bytes of log and memtable before a flush. Default 16 MiB. */
  readonly memtableBytes?: number;
  /** Sealed memtables waiting for their flush before commits stall. Default 2. */
  readonly immutableMemtablesMax?: number;
  /** Largest stored size of an ordinary table block. Default 4096. */
  readonly blockBytes?: number;
  /** Memory for table blocks. Default 64 MiB. */
  readonly blockCacheBytes?: number;
  /** Memory for the indexes and filters of open tables. Default 64 MiB. */
  readonly tableCacheBytes?: number;
  /** Bloom filter bits per key. 0 turns filters off. Default 10 (about 1 % false positives). */
  readonly bloomBitsPerKey?: number;
  /** Block compression. Default `none`. */
  readonly compression?: "none" | "deflate";
  /** Checksum of log records, manifest edits and table blocks. Default `crc32`. */
  readonly checksum?: "crc32" | "blake3";
  /** Commits that may share one log record and one sync. Default 512. */
  readonly groupCommitsMax?: number;
  /**
   * Where commits come one by one and syncs have been taking no longer than this, in microseconds, a commit's sync is done on the
   * caller's thread: nothing else runs meanwhile, and the commit takes about half the time. A sync that takes longer ends that until
   * syncs are quick again. 0: never. Default 500.
   */
  readonly blockingSyncMicros?: number;
  /** Longest time that a `buffered` commit waits for its sync. Default 100. */
  readonly bufferedSyncMs?: number;
  /** Commits that may wait during a stall before further ones fail with `BUSY`. Default 10,000. */
  readonly pendingCommitsMax?: number;
  /** Shape of the tree. Default `leveled`. */
  readonly compaction?: "leveled" | "tiered";
  /** Target size of level 1 (leveled). Default 64 MiB. */
  readonly levelBaseBytes?: number;
  /** Growth from level to level (leveled), or runs of one size that are merged (tiered). Default 10 or 4. */
  readonly levelRatio?: number;
  /** Target size of a table below level 0. Default 8 MiB. */
  readonly tableBytes?: number;
  /** Level-0 tables that start a compaction. Default 4. */
  readonly level0CompactionFiles?: number;
  /** Level-0 tables at which commits wait. Default 8. */
  readonly level0StallFiles?: number;
  /** Level-0 tables at which commits fail with `BUSY`. Default 12. */
  readonly level0LimitFiles?: number;
  /** Compaction debt above which each commit is delayed a little (at most 5 ms). Default 256 MiB. */
  readonly slowdownDebtBytes?: number;
  /** Run flushes and compactions in a worker thread where there are threads. Default true. */
  readonly backgroundThread?: boolean;
  /**
   * Find iterators and snapshots that were forgotten: they are closed when the garbage collector finds them, and told of on the
   * channel `stillwater:leak` with the place that made them. For development: each then keeps a stack. Default false.
   */
  readonly detectLeaks?: boolean;
  /** Rows that one background step handles. Default 512. */
  readonly beatRows?: number;
}

export type ResolvedOptions = { readonly [Name in keyof StoreOptions]-?: NonNullable<StoreOptions[Name]> };

const KIB = 1024;
const MIB = 1024 * 1024;

type Rule =
  | { readonly kind: "boolean"; readonly default: boolean }
  | { readonly kind: "choice"; readonly default: string; readonly choices: readonly string[] }
  | { readonly kind: "integer"; readonly default: number; readonly min: number; readonly max: number };

const RULES: { readonly [Name in keyof StoreOptions]-?: Rule } = {
  createIfMissing: { kind: "boolean", default: true },
  errorIfExists: { kind: "boolean", default: false },
  lockTimeoutMs: { kind: "integer", default: 0, min: 0, max: 2_147_483_647 },
  durability: { kind: "choice", default: "sync", choices: ["sync", "buffered", "none"] },
  memtableBytes: { kind: "integer", default: 16 * MIB, min: 4 * KIB, max: 1024 * MIB },
  immutableMemtablesMax: { kind: "integer", default: 2, min: 1, max: 64 },
  blockBytes: { kind: "integer", default: 4 * KIB, min: 256, max: 32 * KIB },
  blockCacheBytes: { kind: "integer", default: 64 * MIB, min: 0, max: 64 * 1024 * MIB },
  tableCacheBytes: { kind: "integer", default: 64 * MIB, min: 0, max: 64 * 1024 * MIB },
  bloomBitsPerKey: { kind: "integer", default: 10, min: 0, max: 32 },
  compression: { kind: "choice", default: "none", choices: ["none", "deflate"] },
  checksum: { kind: "choice", default: "crc32", choices: ["crc32", "blake3"] },
  groupCommitsMax: { kind: "integer", default: 512, min: 1, max: 65_536 },
  blockingSyncMicros: { kind: "integer", default: 500, min: 0, max: 1_000_000 },
  bufferedSyncMs: { kind: "integer", default: 100, min: 1, max: 3_600_000 },
  pendingCommitsMax: { kind: "integer", default: 10_000, min: 1, max: 10_000_000 },
  compaction: { kind: "choice", default: "leveled", choices: ["leveled", "tiered"] },
  levelBaseBytes: { kind: "integer", default: 64 * MIB, min: KIB, max: 1024 * 1024 * MIB },
  levelRatio: { kind: "integer", default: 10, min: 2, max: 100 },
  tableBytes: { kind: "integer", default: 8 * MIB, min: KIB, max: 1024 * MIB },
  level0CompactionFiles: { kind: "integer", default: 4, min: 1, max: 1000 },
  level0StallFiles: { kind: "integer", default: 8, min: 2, max: 10_000 },
  level0LimitFiles: { kind: "integer", default: 12, min: 3, max: 100_000 },
  slowdownDebtBytes: { kind: "integer", default: 256 * MIB, min: 0, max: Number.MAX_SAFE_INTEGER },
  backgroundThread: { kind: "boolean", default: true },
  detectLeaks: { kind: "boolean", default: false },
  beatRows: { kind: "integer", default: 512, min: 1, max: 1_000_000 },
};

/** Whether a store has an option of this name. */
export function isStoreOption(name: string): boolean {
  return Object.hasOwn(RULES, name);
}

/** Checks `options` and fills in defaults. Throws `UNKNOWN_OPTION` or `INVALID_ARGUMENT`. */
export function resolveOptions(options: StoreOptions): ResolvedOptions {
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      'options must be an object, for example { durability: "buffered" }.',
    );
  }
  const given = options as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(RULES, name)) {
      const known = Object.keys(RULES).join(", ");
      throw new StillwaterError("UNKNOWN_OPTION", `there is no option "${name}". Known options: ${known}.`);
    }
  }
  const resolved: Record<string, unknown> = {};
  for (const [name, rule] of Object.entries(RULES)) {
    const value = given[name];
    resolved[name] = value === undefined ? rule.default : checked(name, rule, value);
  }
  if (given["levelRatio"] === undefined && resolved["compaction"] === "tiered") resolved["levelRatio"] = 4;
  const result = resolved as ResolvedOptions;
  if (result.level0StallFiles <= result.level0CompactionFiles) {
    throw invalid(
      "level0StallFiles",
      `more than level0CompactionFiles (${result.level0CompactionFiles})`,
      result.level0StallFiles,
    );
  }
  if (result.level0LimitFiles <= result.level0StallFiles) {
    throw invalid(
      "level0LimitFiles",
      `more than level0StallFiles (${result.level0StallFiles})`,
      result.level0LimitFiles,
    );
  }
  return result;
}

function checked(name: string, rule: Rule, value: unknown): unknown {
  switch (rule.kind) {
    case "boolean":
      if (typeof value !== "boolean") throw invalid(name, "true or false", value);
      return value;
    case "choice":
      if (typeof value !== "string" || !rule.choices.includes(value)) {
        throw invalid(name, `one of ${rule.choices.map((choice) => `"${choice}"`).join(", ")}`, value);
      }
      return value;
    case "integer":
      if (typeof value !== "number" || !Number.isSafeInteger(value) || value < rule.min || value > rule.max) {
        throw invalid(name, `a whole number from ${rule.min} to ${rule.max}`, value);
      }
      return value;
  }
}

function invalid(name: string, wanted: string, value: unknown): StillwaterError {
  const shown = typeof value === "string" ? `"${value}"` : String(value);
  return new StillwaterError("INVALID_ARGUMENT", `option "${name}" must be ${wanted}, but is ${shown}.`);
}

/** Checks that `given` is an object with no names beyond `known`; used for the small options of single calls. */
export function refuseUnknownOptions(given: object, known: readonly string[], call: string): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new StillwaterError("INVALID_ARGUMENT", `the options of ${call} must be an object.`);
  }
  // Of every read and commit: no list of its keys is made.
  for (const name in given) {
    if (Object.hasOwn(given, name) && !known.includes(name)) {
      throw new StillwaterError(
        "UNKNOWN_OPTION",
        `${call} has no option "${name}". Known options: ${known.join(", ")}.`,
      );
    }
  }
}
