/**
 * Removing backups: one by its id, or all that no rule keeps. First their descriptors go, durably; then the tables that
 * no other backup has. A crash in between leaves tables that the next run clears away, never a backup without its tables.
 */
import { StillwaterError } from "../../platform/errors.js";
import { crashPoint, mutant, sometimes } from "../../platform/probes.js";
import { refuseUnknownOptions } from "../options.js";
import { type Repository, repositoryPath, withRepository } from "./repository.js";
import type { BackupInfo, BackupWorld } from "./types.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** The first day of 1970 was a Thursday; weeks begin on Monday. */
const WEEKDAY_OF_DAY_0 = 3;

/** A backup that any of the rules wants is kept. Hours, days and weeks are those of UTC; the newest backup of each counts. */
export interface KeepRules {
  /** So many of the newest. */
  readonly last?: number;
  /** The newest of each of the last so many hours, days, weeks that have one. */
  readonly hourly?: number;
  readonly daily?: number;
  readonly weekly?: number;
}

/** Which backups stay. */
export interface PruneOptions {
  /** A number is `{ last }`. */
  readonly keep: number | KeepRules;
  /** True: only says what would go. */
  readonly dryRun?: boolean;
}

/** Which backups went, and the bytes with them. */
export interface PruneReport {
  readonly kept: readonly BackupInfo[];
  readonly deleted: readonly BackupInfo[];
  /** Bytes of tables that no backup had any more; 0 in a dry run. */
  readonly freedBytes: number;
}

/** Returns the bytes of tables that went with it. A damaged backup can be removed like any other. */
export async function removeBackup(world: BackupWorld, given: string, id: string): Promise<number> {
  return await withRepository(world.vfs, repositoryPath(given), "change", async (repository) => {
    repository.requireId(id);
    return removeAll(repository, [id]);
  });
}

/** Damaged backups are neither kept nor removed: nobody knows what they are. */
export async function pruneRepository(
  world: BackupWorld,
  given: string,
  options: PruneOptions,
): Promise<PruneReport> {
  refuseUnknownOptions(options, ["keep", "dryRun"], "pruneBackups");
  const rules = checkRules(options.keep);
  return await withRepository(world.vfs, repositoryPath(given), "change", async (repository) => {
    const backups = repository.descriptors().whole.map(({ info }) => info);
    const wanted = keptBy(backups, rules);
    const kept = backups.filter(({ id }) => wanted.has(id));
    const deleted = backups.filter(({ id }) => !wanted.has(id));
    if (options.dryRun === true) return { kept, deleted, freedBytes: 0 };
    sometimes("backup.pruned", deleted.length > 0);
    const ids = deleted.map(({ id }) => id);
    return { kept, deleted, freedBytes: removeAll(repository, ids) };
  });
}

function removeAll(repository: Repository, ids: readonly string[]): number {
  const { vfs } = repository;
  if (mutant("K14-prune-removes-shared-tables")) {
    for (const id of ids)
      for (const table of repository.descriptor(id).tables) vfs.removeFile(repository.tablePath(table));
  }
  for (const id of ids) repository.removeDescriptor(id);
  if (ids.length > 0 && !mutant("K15-tables-removed-before-their-backup"))
    vfs.syncDirectory(repository.backupsPath);
  // CRASH_POINT(id: backup.deleted)
  crashPoint("backup.deleted");
  return repository.clearAway();
}

/** Ids of the backups that are kept. `backups` are the oldest first. */
export function keptBy(backups: readonly BackupInfo[], rules: KeepRules): Set<string> {
  const newestFirst = backups.toReversed();
  const kept = new Set(newestFirst.slice(0, rules.last ?? 0).map(({ id }) => id));
  const periods: readonly (readonly [number | undefined, (ms: number) => number])[] = [
    [rules.hourly, (ms) => Math.floor(ms / HOUR_MS)],
    [rules.daily, (ms) => Math.floor(ms / DAY_MS)],
    [rules.weekly, (ms) => Math.floor((Math.floor(ms / DAY_MS) + WEEKDAY_OF_DAY_0) / 7)],
  ];
  for (const [count = 0, periodOf] of periods) {
    const seen = new Set<number>();
    for (const { id, createdAt } of newestFirst) {
      const period = periodOf(createdAt);
      if (seen.has(period) || seen.size >= count) continue;
      seen.add(period);
      kept.add(id);
    }
  }
  return kept;
}

function checkRules(keep: number | KeepRules): KeepRules {
  const rules: KeepRules = typeof keep === "number" ? { last: keep } : keep;
  refuseUnknownOptions(rules, ["last", "hourly", "daily", "weekly"], "keep");
  let sum = 0;
  for (const [name, value] of Object.entries(rules) as readonly [string, number | undefined][]) {
    if (value === undefined) continue;
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new StillwaterError("INVALID_ARGUMENT", `keep.${name} must be a whole number of at least 0.`);
    }
    sum += value;
  }
  if (sum > 0) return rules;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    "keep must keep at least one backup. To remove a certain one, use deleteBackup.",
  );
}
