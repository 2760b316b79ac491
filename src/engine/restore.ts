/**
 * Restore: a backup directory (see `checkpoint.ts`) becomes a store at a new path. The backup is proved before a byte
 * is copied and the copy after the last; what bears the final name is complete, durable and verified. Never opens the
 * backup, so never writes into it (the lock's note apart, where it can be written).
 *
 * Also owns the check of a store at rest, from its files alone, that backups are judged by.
 */
import { CorruptionError, hasCode, StillwaterError } from "../platform/errors.js";
import { joinPath } from "../platform/path.js";
import { crashPoint } from "../platform/probes.js";
import type { VFS, VLock } from "../platform/vfs.js";
import { CURRENT_NAME, manifestName, parseFileName, tableName } from "./files.js";
import { type LoadedManifest, loadManifest } from "./manifest/manifest-log.js";
import { claimPartial, copyFile, publishPartial } from "./partial-directory.js";
import { type VerifyReport, verifyStore } from "./verify.js";

/** What a restore has written. */
export interface RestoreReport {
  /** Files copied. */
  readonly files: number;
  readonly bytes: number;
  /** Rows in the copied tables. */
  readonly entries: number;
  /** Newest version of the backup, at which the restored store goes on. */
  readonly version: number;
}

/**
 * Makes a store at `target` out of the backup in `backup`. Throws `EXISTS` when there is something at `target`,
 * `NOT_A_STORE`, `CORRUPTION` when the backup does not verify (nothing is left at `target` then), `LOCKED`, and file
 * errors. O(bytes): everything is read twice and written once.
 */
export async function restoreStore(vfs: VFS, backup: string, target: string): Promise<RestoreReport> {
  refuseTaken(vfs, target);
  const lock = await lockForReading(vfs, backup);
  try {
    const source = requireSound(vfs, backup, "the backup does not verify, and nothing has been restored");
    const partial = claimPartial(vfs, target);
    let bytes = 0;
    for (const name of source.files) {
      const from = joinPath(backup, name);
      copyFile(vfs, from, joinPath(partial, name));
      // CRASH_POINT(id: restore.file-copied)
      crashPoint("restore.file-copied");
      bytes += vfs.stat(from)?.size ?? 0;
    }
    requireSound(vfs, partial, "the copy of the backup does not verify. Check the disk of the new store");
    publishPartial(vfs, partial, target);
    return {
      files: source.files.length,
      bytes,
      entries: source.report.entries,
      version: source.manifest.counters.lastVersion,
    };
  } finally {
    await lock?.release();
  }
}

/** What is known of a store that nobody has open. */
export interface StoreAtRest {
  readonly manifest: LoadedManifest;
  readonly report: VerifyReport;
  /** Names of the files that make up the store; CURRENT last. */
  readonly files: readonly string[];
}

/**
 * Reads every byte of a store that has been closed in order, or of a backup, and checks it. Changes nothing. Throws
 * `NOT_A_STORE`, `INVALID_ARGUMENT` when there are commits that only the log holds, and what `loadManifest` throws;
 * other problems are in the report.
 */
export function verifyAtRest(vfs: VFS, directory: string): StoreAtRest {
  const manifest = vfs.stat(directory)?.kind === "directory" ? loadManifest(vfs, directory) : null;
  if (manifest === null) {
    throw new StillwaterError("NOT_A_STORE", `there is no store in ${directory}. Check the path.`, {
      path: directory,
    });
  }
  for (const name of vfs.list(directory)) {
    const { kind, number } = parseFileName(name);
    if (kind !== "wal" || number < manifest.counters.minWalNumber) continue;
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `${directory} is not a finished backup: its log (${name}) has not been moved into tables. It is a store that ` +
        "was not closed. Open it once (`stillwater verify` does), or take a backup of it.",
      { path: joinPath(directory, name) },
    );
  }
  const { levels, storeId, editNumber } = manifest;
  const work = verifyStore({ vfs, directory, levels, storeId, editNumber, segments: [] });
  let step = work.next();
  while (step.done !== true) step = work.next();
  const tables = levels.flatMap((level) => level.map(({ fileNumber }) => tableName(fileNumber)));
  const files = [...tables, manifestName(manifest.manifestNumber), CURRENT_NAME];
  return { manifest, report: step.value, files };
}

/** As `verifyAtRest`; throws `CORRUPTION`, saying `what`, where the report is not clean. */
export function requireSound(vfs: VFS, directory: string, what: string): StoreAtRest {
  const found = verifyAtRest(vfs, directory);
  const { problems } = found.report;
  const [first] = problems;
  if (first === undefined) return found;
  const more = problems.length > 1 ? `, and ${problems.length - 1} more problems` : "";
  throw new CorruptionError(`${what}: ${first}${more}`, { path: directory });
}

export function refuseTaken(vfs: VFS, target: string): void {
  if (vfs.stat(target) === null) return;
  throw new StillwaterError("EXISTS", `${target} exists already. Choose a path where there is nothing.`, {
    path: target,
  });
}

/**
 * The lock of a directory that will only be read, so that its owner, if there is one, cannot change it meanwhile. Null
 * where the directory cannot be written and hence not be locked.
 */
export async function lockForReading(vfs: VFS, directory: string): Promise<VLock | null> {
  if (vfs.stat(directory)?.kind !== "directory") {
    throw new StillwaterError("NOT_A_STORE", `there is no store at ${directory}. Check the path.`, {
      path: directory,
    });
  }
  try {
    return await vfs.lockDirectory(directory);
  } catch (error) {
    if (hasCode(error, "READ_ONLY") || hasCode(error, "ACCESS_DENIED")) return null;
    throw error;
  }
}
