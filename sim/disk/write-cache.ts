/**
 * The cache of a drive that acknowledges syncs before it has written (personality `sync-lies`): what a sync covers waits
 * there until a later sync is written through, and a power loss finds it unsynced. A process kill takes nothing, since
 * page cache and drive stay. Promise: once a sync is written through, everything confirmed before it is durable.
 */
import type { DiskState } from "./disk-state.js";
import type { DirectoryNode } from "./name-log.js";

const HOLD_BACK = 0.5;

/** Whether this sync is held back. Asked for each sync of a drive that lies. */
export function holdsBack(disk: DiskState): boolean {
  const lies = disk.lies.chance(disk.faultsEnabled ? HOLD_BACK : 0, "disk.lie");
  if (lies) disk.counters.faults["S22 sync lied"]++;
  return lies;
}

/** Everything that was held back becomes durable. */
export function writeThrough(disk: DiskState): void {
  if (!disk.isLying) return;
  const { names } = disk;
  for (const file of names.filesThatMaySurvive()) {
    if (!file.isHeldBack) continue;
    file.commit(disk.currentSequence);
    file.isHeldBack = false;
  }
  const held: DirectoryNode[] = [];
  names.forEachDirectory((directory) => {
    if (directory.isHeldBack) held.push(directory);
  });
  for (const directory of held) {
    directory.isHeldBack = false;
    names.log.commitDirectory(directory);
  }
  disk.durableVersion++;
  disk.isLying = false;
}
