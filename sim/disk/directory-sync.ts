/**
 * Syncing a directory: which pending name operations become durable, by personality (B1), and the ways to fail (S22,
 * S29, S32). A failure leaves the names unsynced; with all personalities of failure but `dirty-keep` later syncs pass
 * over them. Does not own: syncs of files (`file-sync.ts`).
 */
import type { StillwaterError } from "../../src/platform/errors.js";
import type { DiskState } from "./disk-state.js";
import type { DirectoryNode } from "./name-log.js";
import type { Path } from "./paths.js";
import { holdsBack, writeThrough } from "./write-cache.js";

/** Returns the error to report. */
export function syncDirectory(disk: DiskState, path: Path, directory: DirectoryNode): StillwaterError | null {
  const { faults } = disk.counters;
  const { syncFailure } = disk.options;
  const { log } = disk.names;
  disk.counters.syncs++;
  const fault = disk.rollSync(path);
  const { detail } = disk.syncDice;
  if (directory.failsLate) {
    directory.failsLate = false;
    commit(disk, path, directory);
    return disk.fault("EIO", "syncDirectory", path);
  }
  switch (fault) {
    case "syncError":
      if (syncFailure !== "dirty-keep") log.forsakeDirectory(directory);
      if (syncFailure === "late-report" || syncFailure === "no-report") {
        faults[syncFailure === "late-report" ? "S22 reported late" : "S22 not reported"]++;
        directory.failsLate = syncFailure === "late-report";
        disk.lie(path.text);
        return null;
      }
      faults["S22 sync error"]++;
      return disk.fault("EIO", "syncDirectory", path);
    case "interrupted":
      return disk.interrupted(detail, "syncDirectory", path);
    case "errorThoughDone":
      commit(disk, path, directory);
      faults["S32 error though done"]++;
      return disk.fault("EIO", "syncDirectory", path);
    default:
      commit(disk, path, directory);
      return null;
  }
}

function commit(disk: DiskState, path: Path, directory: DirectoryNode): void {
  const { personality } = disk.options;
  const { log } = disk.names;
  if (personality === "sync-lies") {
    if (holdsBack(disk)) {
      directory.isHeldBack = true;
      disk.lie(path.text);
      return;
    }
    writeThrough(disk);
  }
  const isJournal = personality === "journal-ordered" || personality === "journal-strict";
  if (isJournal ? log.commitJournal(directory) : log.commitDirectory(directory)) disk.durableVersion++;
}
