/**
 * Opening: from whatever a crash has left to a store that is exactly as of the last durable commit (or a little later).
 * Reads CURRENT and the manifest, replays the live log segments into level-0 tables, and records that in a new manifest
 * before anything else is written; only then are superseded files removed and unknown tables put into quarantine.
 *
 * Promises: idempotent and safe to crash in at every step, since nothing that was there is changed or removed before its
 * replacement is durable (but for what interrupted opens have left, which nothing durable names); refuses (and leaves
 * everything as it is) where bytes that had been durable do not verify;
 * a store that was closed in order is opened without writing a byte. Does not own: reading the log (`replay.ts`).
 */
import { CorruptionError, StillwaterError } from "../platform/errors.js";
import { joinPath, parentPath } from "../platform/path.js";
import type { Random } from "../platform/platform.js";
import { crashPoint, mutant, sometimes } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";
import type { TableFormat } from "./compaction/job.js";
import { parseFileName, QUARANTINE_NAME } from "./files.js";
import { checksumByName } from "./format/checksum.js";
import type { ManifestCounters } from "./manifest/edit.js";
import {
  type LoadedManifest,
  loadManifest,
  ManifestLog,
  type ManifestState,
} from "./manifest/manifest-log.js";
import { applyEdit, EMPTY_LEVELS } from "./manifest/tree.js";
import type { ResolvedOptions } from "./options.js";
import { liveSegments, liveWalNumbers, replaySegments } from "./replay.js";
import { clearLeftovers, isFile, removeFiles, type TidiedDirectory, tidy } from "./tidying.js";

/** Versions below are reserved; 0 means "none". The first commit of a store gets 10. */
export const LAST_RESERVED_VERSION = 9;

/** What an open found and did. Plain data. */
export interface RecoveryReport {
  /** The store was created by this open. */
  readonly created: boolean;
  /** Log segments that were read. */
  readonly segmentsReplayed: number;
  readonly commitsReplayed: number;
  /** Bytes after the last valid log record: a torn write that had not been acknowledged as durable. */
  readonly tornBytes: number;
  /** Level-0 tables written from the log. */
  readonly tablesWritten: number;
  /** Files that no manifest names, moved to `quarantine/`. */
  readonly quarantined: readonly string[];
  /** Files removed from `quarantine/`, because nothing new has turned up since. */
  readonly purged: readonly string[];
}

export interface RecoveredStore {
  readonly state: ManifestState;
  readonly manifestNumber: number;
  /** Open when this open has had to write a manifest; else the first edit creates one. */
  readonly manifestLog: ManifestLog | null;
  readonly report: RecoveryReport;
  /** Paths of files that are to be removed as soon as nobody has them open any more. */
  readonly putOff: readonly string[];
}

export interface RecoveryContext {
  readonly vfs: VFS;
  readonly directory: string;
  /** Whether this opening has made the directory, and its name durable. */
  readonly isNewDirectory: boolean;
  readonly options: ResolvedOptions;
  readonly format: TableFormat;
  readonly random: Random;
}

/** Throws `NOT_A_STORE`, `EXISTS`, `CORRUPTION`, `UNSUPPORTED_FORMAT`, or file errors. The caller holds the lock. */
export function recoverStore(context: RecoveryContext): RecoveredStore {
  const { vfs, directory, options } = context;
  const names = vfs.list(directory);
  const loaded = loadManifest(vfs, directory);
  if (loaded === null) return createStore(context, names);
  if (options.errorIfExists) {
    throw new StillwaterError(
      "EXISTS",
      `${directory} holds a store already. Open it without errorIfExists, or choose another directory.`,
      { path: directory },
    );
  }
  return reopenStore(context, names, loaded);
}

function createStore(context: RecoveryContext, names: readonly string[]): RecoveredStore {
  const { vfs, directory, options } = context;
  let highest = 0;
  for (const name of names) {
    const { kind, number } = parseFileName(name);
    if (kind === "lock" || kind === "quarantine") continue;
    highest = Math.max(highest, number);
    if (kind === "wal" || kind === "table") {
      throw new CorruptionError(
        "CURRENT is missing from a directory that holds data. Restore a backup, or run `stillwater salvage`",
        { path: joinPath(directory, name) },
      );
    }
    if (kind === "unknown") {
      throw new StillwaterError(
        "NOT_A_STORE",
        `${directory} is not a store, and not empty (it holds "${name}"). Choose another directory.`,
        { path: directory },
      );
    }
  }
  if (!options.createIfMissing) {
    throw new StillwaterError(
      "NOT_A_STORE",
      `there is no store in ${directory}. Check the path, or open it with createIfMissing: true.`,
      { path: directory },
    );
  }
  // Whoever made the directory may have ended before its name was durable, and nobody looks at it again after this.
  if (!context.isNewDirectory && !mutant("M28-found-directory-not-synced")) {
    vfs.syncDirectory(parentPath(directory));
  }
  const manifestNumber = highest + 1;
  const counters: ManifestCounters = {
    nextFileNumber: manifestNumber + 1,
    lastVersion: LAST_RESERVED_VERSION,
    minWalNumber: manifestNumber + 1,
  };
  const levels = EMPTY_LEVELS;
  const before: ManifestState = { storeId: newStoreId(context.random), counters, levels, editNumber: 0 };
  // Left over from creations that were cut short; nothing was ever stored under them. They go before more is written, or
  // a loop of crashes would fill the disk; but for the highest number, which stays in sight until a manifest is past it.
  const leftovers = names.filter(
    (name) => ["manifest", "temporary"].includes(parseFileName(name).kind) && isFile(vfs, directory, name),
  );
  const place: TidiedDirectory = { vfs, directory, putOff: [] };
  const isHighest = (name: string): boolean => parseFileName(name).number === highest;
  sometimes("recovery.creation-begun-again", leftovers.length > 0);
  removeFiles(
    place,
    directory,
    leftovers.filter((name) => !isHighest(name)),
  );
  const manifestLog = ManifestLog.create(
    vfs,
    directory,
    checksumByName(options.checksum),
    manifestNumber,
    before,
  );
  closingOnError(manifestLog, () => removeFiles(place, directory, leftovers.filter(isHighest)));
  const report = { ...EMPTY_REPORT, created: true };
  const state = { ...before, editNumber: manifestLog.editNumber };
  return { state, manifestNumber, manifestLog, report, putOff: place.putOff };
}

function reopenStore(
  context: RecoveryContext,
  names: readonly string[],
  loaded: LoadedManifest,
): RecoveredStore {
  const { vfs, directory, options } = context;
  const place: TidiedDirectory = { vfs, directory, putOff: [] };
  const walNumbers = liveWalNumbers(vfs, directory, names, loaded.counters.minWalNumber);
  let nextFileNumber = mutant("M10-file-number-from-manifest-only")
    ? loaded.counters.nextFileNumber
    : Math.max(loaded.counters.nextFileNumber, highestNumber(vfs, directory, names) + 1);
  let state: ManifestState = { ...loaded, counters: { ...loaded.counters, nextFileNumber } };
  sometimes("recovery.after-a-clean-close", loaded.isSealed && walNumbers.length === 0);
  sometimes("recovery.unsealed-without-a-log", !loaded.isSealed && walNumbers.length === 0);
  sometimes("recovery.several-logs", walNumbers.length > 1);
  sometimes("recovery.torn-manifest-tail", loaded.tornBytes > 0);
  let { manifestNumber } = loaded;
  let manifestLog: ManifestLog | null = null;
  let report = EMPTY_REPORT;
  // Without a seal the state that was read may not be durable (a failed sync leaves it in the page cache alone), so it
  // is written anew before anything is built on it.
  const isTrusted =
    (loaded.isSealed && !mutant("M33-seal-ignored")) || mutant("M24-unsealed-manifest-trusted");
  if (walNumbers.length > 0 || !isTrusted) {
    if (mutant("M8-manifest-before-replay")) {
      const early = { ...state.counters, nextFileNumber: nextFileNumber + 1, minWalNumber: nextFileNumber };
      const sum = checksumByName(options.checksum);
      ManifestLog.create(vfs, directory, sum, nextFileNumber++, { ...loaded, counters: early }).close();
    }
    const cleared = clearLeftovers(place, names, loaded, () => {
      for (const _ of liveSegments(context, loaded, walNumbers));
    });
    const replay = replaySegments(context, loaded, walNumbers, nextFileNumber);
    nextFileNumber = replay.nextFileNumber;
    manifestNumber = nextFileNumber++;
    const counters: ManifestCounters = {
      nextFileNumber,
      lastVersion: replay.lastVersion,
      minWalNumber: mutant("M32-replayed-log-stays-live") ? loaded.counters.minWalNumber : nextFileNumber,
    };
    const added = replay.tables.map((table) => ({ level: 0, table }));
    const levels = applyEdit(loaded.levels, { counters, added, removed: [] });
    // CRASH_POINT(id: recovery.replayed)
    crashPoint("recovery.replayed");
    manifestLog = ManifestLog.create(vfs, directory, checksumByName(options.checksum), manifestNumber, {
      ...loaded,
      counters,
      levels,
    });
    state = { ...loaded, counters, levels, editNumber: manifestLog.editNumber };
    report = { ...EMPTY_REPORT, ...replay.report, ...cleared };
  }
  const found = { state, manifestNumber, report };
  report = closingOnError(manifestLog, () => tidy(place, found));
  // CRASH_POINT(id: recovery.done)
  crashPoint("recovery.done");
  return { state, manifestNumber, manifestLog, report, putOff: place.putOff };
}

/** The last steps of an open may fail too, and then nobody else gives the manifest's handle back. */
function closingOnError<T>(manifestLog: ManifestLog | null, finish: () => T): T {
  try {
    return finish();
  } catch (error) {
    manifestLog?.close();
    throw error;
  }
}

function highestNumber(vfs: VFS, directory: string, names: readonly string[]): number {
  const quarantine = joinPath(directory, QUARANTINE_NAME);
  const all = vfs.stat(quarantine) === null ? names : [...names, ...vfs.list(quarantine)];
  return all.reduce((highest, name) => Math.max(highest, parseFileName(name).number), 0);
}

function newStoreId(random: Random): Uint8Array {
  const id = new Uint8Array(16);
  for (let i = 0; i < 4; i++) new DataView(id.buffer).setUint32(4 * i, random.nextUint32());
  return id;
}

const EMPTY_REPORT: RecoveryReport = {
  created: false,
  segmentsReplayed: 0,
  commitsReplayed: 0,
  tornBytes: 0,
  tablesWritten: 0,
  quarantined: [],
  purged: [],
};
