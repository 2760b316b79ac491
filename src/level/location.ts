/**
 * What Level does with the place of a database beside opening it: makes the directories above it, destroys it, repairs it. Offline,
 * under the lock of the directory, and safe to be cut short: called again, each goes on where it was.
 *
 * A store that is being destroyed loses CURRENT first, durably, so nobody ever opens a part of it. A repair never changes the
 * damaged store: that is moved to `LOCATION.damaged`, and what could be read of it takes its place.
 */
import { parseFileName, QUARANTINE_NAME } from "../engine/files.js";
import { type SalvageReport, salvageStore } from "../engine/salvage.js";
import { hasCode, StillwaterError } from "../platform/errors.js";
import { joinPath, parentPath } from "../platform/path.js";
import type { Platform } from "../platform/platform.js";
import { crashPoint } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";

/**
 * Makes the directories above a database, durably; with what is there it makes nothing. Throws `NOT_A_STORE` where a repair was cut
 * short, for an empty store must not take the place of the repaired one.
 */
export function makeParents(vfs: VFS, location: string): void {
  if (vfs.stat(location) !== null) return;
  if (vfs.stat(damagedPath(location)) !== null && vfs.stat(repairedPath(location)) !== null) {
    throw new StillwaterError(
      "NOT_A_STORE",
      `a repair of ${location} was cut short. Call repair again, which only has to finish it.`,
      { path: location },
    );
  }
  makeDirectories(vfs, parentPath(location));
}

function makeDirectories(vfs: VFS, directory: string): void {
  const parent = parentPath(directory);
  if (parent === directory || vfs.stat(directory) !== null) return;
  makeDirectories(vfs, parent);
  vfs.makeDirectory(directory);
  try {
    vfs.syncDirectory(parent);
  } catch (error) {
    // Else the next attempt would find the directory, and take its name for durable.
    vfs.removeDirectory(directory);
    throw error;
  }
}

/**
 * Removes a store and its directory. Files of others are left, and then so is the directory. Nothing there: nothing happens.
 * Throws `LOCKED` while somebody has it open, `NOT_A_STORE` for a file, and file errors; then calling it again goes on.
 */
export async function destroyStore({ vfs }: Platform, location: string): Promise<void> {
  const stat = vfs.stat(location);
  if (stat === null) return;
  if (stat.kind === "file") {
    throw new StillwaterError("NOT_A_STORE", `${location} is a file, not a store. Remove it yourself.`, {
      path: location,
    });
  }
  const lock = await vfs.lockDirectory(location);
  try {
    removeFiles(vfs, location, ["current"]);
    vfs.syncDirectory(location);
    // CRASH_POINT(id: level.destroy-begun)
    crashPoint("level.destroy-begun");
    removeQuarantine(vfs, joinPath(location, QUARANTINE_NAME));
    removeFiles(vfs, location, ["manifest", "wal", "table", "temporary"]);
    vfs.syncDirectory(location);
  } finally {
    await lock.release();
  }
  try {
    vfs.removeDirectory(location);
  } catch (error) {
    if (hasCode(error, "NOT_EMPTY")) return;
    throw error;
  }
  vfs.syncDirectory(parentPath(location));
}

/**
 * Puts what can still be read of a store in its place, and the damaged one at `LOCATION.damaged`; see `salvageStore`. Resolves with
 * what was found, or with null when only the end of an earlier repair was left to do. Throws `EXISTS` while there is something
 * at `LOCATION.damaged`, `LOCKED`, `NOT_A_STORE`, `UNSUPPORTED_FORMAT`, and file errors.
 */
export async function repairStore(platform: Platform, location: string): Promise<SalvageReport | null> {
  const { vfs, random } = platform;
  const [repaired, damaged] = [repairedPath(location), damagedPath(location)];
  if (vfs.stat(location) === null && vfs.stat(repaired) !== null) {
    moveIntoPlace(vfs, repaired, location);
    return null;
  }
  if (vfs.stat(damaged) !== null) {
    throw new StillwaterError(
      "EXISTS",
      `${damaged}, where the damaged store would be kept, exists already. Move it away.`,
      { path: damaged },
    );
  }
  await destroyStore(platform, repaired);
  const report = await salvageStore({ vfs, random, directory: location, target: repaired });
  const lock = await vfs.lockDirectory(location);
  try {
    vfs.rename(location, damaged);
    vfs.syncDirectory(parentPath(location));
    // CRASH_POINT(id: level.repair-moved-away)
    crashPoint("level.repair-moved-away");
    moveIntoPlace(vfs, repaired, location);
  } finally {
    await lock.release();
  }
  return report;
}

function moveIntoPlace(vfs: VFS, repaired: string, location: string): void {
  vfs.rename(repaired, location);
  vfs.syncDirectory(parentPath(location));
}

function repairedPath(location: string): string {
  return `${withoutSlash(location)}.repaired`;
}

function damagedPath(location: string): string {
  return `${withoutSlash(location)}.damaged`;
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}

function removeFiles(vfs: VFS, directory: string, kinds: readonly string[]): void {
  for (const name of vfs.list(directory)) {
    if (kinds.includes(parseFileName(name).kind)) vfs.removeFile(joinPath(directory, name));
  }
}

/** What recovery put aside there were tables, and nothing else. */
function removeQuarantine(vfs: VFS, directory: string): void {
  if (vfs.stat(directory) === null) return;
  removeFiles(vfs, directory, ["table"]);
  if (vfs.list(directory).length === 0) vfs.removeDirectory(directory);
}
