/**
 * Clearing a store's directory when it is opened: what the manifest has superseded is removed; tables that it does not
 * name go to `quarantine/`, from where a later open removes them; leftovers of interrupted opens do not pile up.
 * Directories, and files with foreign names, are none of the store's and stay. Does not own: what is live (recovery).
 */
import { hasCode } from "../platform/errors.js";
import { joinPath } from "../platform/path.js";
import { crashPoint, mutant, sometimes } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";
import { parseFileName, QUARANTINE_NAME } from "./files.js";
import { replaceCurrent } from "./manifest/current.js";
import type { LoadedManifest, ManifestState } from "./manifest/manifest-log.js";
import type { RecoveryReport } from "./recovery.js";

export interface TidiedDirectory {
  readonly vfs: VFS;
  readonly directory: string;
  /** Paths of files that are to go and that somebody has open; whoever is given them tries again. */
  readonly putOff: string[];
}

/** Removes what the manifest has superseded; moves tables it does not know to quarantine. */
export function tidy(
  place: TidiedDirectory,
  found: { readonly state: ManifestState; readonly manifestNumber: number; readonly report: RecoveryReport },
): RecoveryReport {
  const { vfs, directory } = place;
  const { state, manifestNumber } = found;
  const live = new Set<number>();
  for (const tables of mutant("G7-level0-taken-for-garbage") ? state.levels.slice(1) : state.levels)
    for (const table of tables) live.add(table.fileNumber);
  const superseded: string[] = [];
  const orphans: string[] = [];
  for (const name of vfs.list(directory)) {
    const { kind, number } = parseFileName(name);
    if (kind === "temporary") superseded.push(name);
    else if (kind === "wal" && number < state.counters.minWalNumber) superseded.push(name);
    else if (kind === "manifest" && number !== manifestNumber) superseded.push(name);
    else if (kind === "table" && !live.has(number) && isFile(vfs, directory, name)) orphans.push(name);
  }
  removeFiles(
    place,
    directory,
    superseded.filter((name) => isFile(vfs, directory, name)),
  );
  if (orphans.length > 0) {
    sometimes("recovery.second-quarantine", vfs.stat(joinPath(directory, QUARANTINE_NAME)) !== null);
    putIntoQuarantine(vfs, directory, orphans);
    return { ...found.report, quarantined: [...found.report.quarantined, ...orphans] };
  }
  // What has been put there just now stays until the next open.
  if (found.report.quarantined.length > 0) return found.report;
  const purged = purgeQuarantine(place);
  return { ...found.report, purged: [...found.report.purged, ...purged] };
}

/**
 * Before an open writes anything: clears away what interrupted ones have left, or a loop of crashes would fill the disk
 * with their tables and manifests. `check` shows first that this open will not be refused, for then everything must stay
 * as it is.
 *
 * - What has a number that the manifest has not given out no durable state can name. Tables go to the quarantine, which
 *   keeps one such batch.
 * - A manifest that CURRENT has named before may still be the one that it durably names: whoever renamed CURRENT may have
 *   ended before the directory was synced, or that sync may have failed. So CURRENT is written anew, which needs no more
 *   than what was durable before the former rename, and only then do they go.
 */
export function clearLeftovers(
  place: TidiedDirectory,
  names: readonly string[],
  loaded: LoadedManifest,
  check: () => void,
): Pick<RecoveryReport, "quarantined" | "purged"> {
  const { vfs, directory } = place;
  const { tables, unnamed, former } = leftoversAmong(vfs, directory, names, loaded);
  if (tables.length + unnamed.length + former.length === 0) return { quarantined: [], purged: [] };
  sometimes("recovery.leftovers");
  check();
  removeFiles(place, directory, unnamed);
  if (former.length > 0) {
    sometimes("recovery.former-manifests");
    if (!mutant("T8-former-manifests-removed-early")) replaceCurrent(vfs, directory, loaded);
    removeFiles(place, directory, former);
  }
  if (tables.length === 0) return { quarantined: [], purged: [] };
  const purged = purgeQuarantine(place);
  putIntoQuarantine(vfs, directory, tables);
  return { quarantined: tables, purged };
}

interface Leftovers {
  readonly tables: readonly string[];
  /** Temporary files, and manifests that CURRENT has never named. */
  readonly unnamed: readonly string[];
  /** Manifests that CURRENT has named. */
  readonly former: readonly string[];
}

function leftoversAmong(
  vfs: VFS,
  directory: string,
  names: readonly string[],
  { manifestNumber, counters: { nextFileNumber } }: LoadedManifest,
): Leftovers {
  const files = names.map((name) => ({ name, ...parseFileName(name) }));
  // The highest number stays in sight, so that it is not given out again before a manifest is past it.
  const highest = Math.max(...files.map(({ number }) => number));
  const chosen = (isLeftover: (file: (typeof files)[number]) => boolean): string[] =>
    files.filter((file) => isLeftover(file) && isFile(vfs, directory, file.name)).map(({ name }) => name);
  return {
    tables: chosen(
      ({ kind, number }) =>
        kind === "table" && number >= nextFileNumber && !mutant("T8-leftover-tables-pile-up"),
    ),
    unnamed: chosen(
      ({ kind, number }) =>
        (kind === "temporary" || (kind === "manifest" && number >= nextFileNumber)) &&
        (number < nextFileNumber || (number < highest && !mutant("T8-leftover-manifests-pile-up"))),
    ),
    former: chosen(
      ({ kind, number }) =>
        kind === "manifest" &&
        number < nextFileNumber &&
        number !== manifestNumber &&
        !mutant("T8-former-manifests-pile-up"),
    ),
  };
}

function putIntoQuarantine(vfs: VFS, directory: string, tables: readonly string[]): void {
  const quarantine = joinPath(directory, QUARANTINE_NAME);
  if (vfs.stat(quarantine) === null) vfs.makeDirectory(quarantine);
  for (const name of tables) vfs.rename(joinPath(directory, name), joinPath(quarantine, name));
  vfs.syncDirectory(quarantine);
  vfs.syncDirectory(directory);
  // CRASH_POINT(id: recovery.quarantined)
  crashPoint("recovery.quarantined");
}

function purgeQuarantine(place: TidiedDirectory): readonly string[] {
  const { vfs, directory } = place;
  const quarantine = joinPath(directory, QUARANTINE_NAME);
  if (vfs.stat(quarantine) === null) return [];
  const purged = vfs.list(quarantine).filter((name) => isFile(vfs, quarantine, name));
  sometimes("recovery.quarantine-purged", purged.length > 0);
  removeFiles(place, quarantine, purged);
  return purged;
}

/** A directory is none of the store's, whatever its name, and stays where it is. */
export function isFile(vfs: VFS, directory: string, name: string): boolean {
  return vfs.stat(joinPath(directory, name))?.kind === "file";
}

/**
 * Not synced: a removal that a crash undoes is found and done again by the next open, one that
 * somebody stands in the way of who has the file open is put off.
 */
export function removeFiles(
  { vfs, putOff }: TidiedDirectory,
  directory: string,
  names: readonly string[],
): void {
  for (const name of names) {
    const path = joinPath(directory, name);
    try {
      vfs.removeFile(path);
    } catch (error) {
      if (!hasCode(error, "FILE_BUSY")) throw error;
      sometimes("recovery.removal-put-off");
      if (!mutant("P7-busy-leftover-forgotten")) putOff.push(path);
    }
    // CRASH_POINT(id: recovery.file-removed)
    crashPoint("recovery.file-removed");
  }
}
