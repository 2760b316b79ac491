/**
 * Syncing a file: what becomes durable, by personality (B1), and the ways to fail. Of a failure (S22) real file systems
 * leave different things behind (B5). Each is reported once to every handle that was open (as Linux's errseq does),
 * then the next sync says all is well although the medium may hold the old bytes; with `dirty-keep` it is reported to
 * the caller only, and the next sync really tries again. `late-report` reports at the next sync of the file,
 * `no-report` never: these lie. Does not own: syncs of directories (`directory-sync.ts`).
 */
import type { StillwaterError } from "../../src/platform/errors.js";
import type { DiskState, Life } from "./disk-state.js";
import { mix } from "./fault-dice.js";
import type { FileNode } from "./file-node.js";
import { commitMisdirected, commitWithout } from "./lost-write.js";
import type { SYNC_FAULTS, SyncFailure } from "./options.js";
import type { Path } from "./paths.js";
import { holdsBack, writeThrough } from "./write-cache.js";

interface SyncingHandle {
  readonly node: FileNode;
  syncFailuresSeen: number;
}

/** One sync as it was called: what it covers, and the fault that was rolled for it. */
export interface SyncCall {
  readonly life: Life;
  readonly operation: "syncData" | "syncDataLater";
  readonly covered: number;
  readonly fault: (typeof SYNC_FAULTS)[number] | null;
  readonly detail: number;
}

/** Makes durable what was written up to `covered`, as far as nothing goes wrong. Returns the error to report. */
export function syncFile(
  disk: DiskState,
  path: Path,
  handle: SyncingHandle,
  call: SyncCall,
): StillwaterError | null {
  const { node } = handle;
  disk.counters.syncs++;
  if (node.failsLate) {
    node.failsLate = false;
    node.syncFailures++;
    disk.onSyncFailed?.(path.text);
  }
  const error = syncOnce(disk, path, node, call);
  if (error === null && handle.syncFailuresSeen === node.syncFailures) return null;
  handle.syncFailuresSeen = node.syncFailures;
  return error ?? disk.fault("EIO", call.operation, path);
}

function syncOnce(disk: DiskState, path: Path, node: FileNode, call: SyncCall): StillwaterError | null {
  const { life, operation, covered, fault, detail } = call;
  const { faults } = disk.counters;
  if (node.isDirty) {
    try {
      disk.needAccess(life, operation, path, true);
    } catch (error) {
      disk.onSyncFailed?.(path.text);
      return error as StillwaterError;
    }
    disk.durableVersion++;
    if (disk.isOverfull) {
      faults["S24 no space at sync"]++;
      fail(disk, path, node, covered, 0);
      return disk.fault(disk.options.spaceErrno, operation, path);
    }
  }
  switch (fault) {
    case "syncError":
      if (disk.options.syncFailure === "late-report" || disk.options.syncFailure === "no-report") {
        lie(disk, path, node, covered, detail);
        return null;
      }
      faults["S22 sync error"]++;
      fail(disk, path, node, covered, detail);
      return disk.fault("EIO", operation, path);
    case "interrupted":
      disk.onSyncFailed?.(path.text);
      return disk.interrupted(detail, operation, path);
    case "errorThoughDone":
      commit(disk, path, node, covered);
      faults["S32 error though done"]++;
      disk.onSyncFailed?.(path.text);
      return disk.fault("EIO", operation, path);
    case "lostWrite":
      commitWithout(disk, path, node, covered, detail);
      commitNames(disk, node);
      return null;
    case "misdirectedWrite":
      commitMisdirected(disk, path, node, covered, detail);
      commitNames(disk, node);
      return null;
    default:
      commit(disk, path, node, covered);
      return null;
  }
}

function commit(disk: DiskState, path: Path, node: FileNode, covered: number): void {
  const { personality } = disk.options;
  if (personality === "sync-lies") {
    if (node.isDirty && holdsBack(disk)) {
      node.isHeldBack = true;
      disk.lie(path.text);
      return;
    }
    writeThrough(disk);
  }
  node.commit(covered);
  commitNames(disk, node);
}

/** What was done to names goes along where there is a journal, whatever becomes of the file's own pages. */
function commitNames(disk: DiskState, node: FileNode): void {
  const { personality } = disk.options;
  if (personality !== "journal-ordered" && personality !== "journal-strict") return;
  const committed = disk.names.log.commitJournal(personality === "journal-strict" ? null : node);
  if (committed) disk.durableVersion++;
}

/** B5: pages count as clean, and nobody is told now. */
function lie(disk: DiskState, path: Path, node: FileNode, covered: number, detail: number): void {
  if (!node.isDirty) return;
  const isLate = disk.options.syncFailure === "late-report";
  disk.counters.faults[isLate ? "S22 reported late" : "S22 not reported"]++;
  node.commitPartly(covered, failingPages(detail), false);
  node.failsLate = isLate;
  disk.lie(path.text);
}

function fail(disk: DiskState, path: Path, node: FileNode, covered: number, detail: number): void {
  disk.onSyncFailed?.(path.text);
  const way: SyncFailure = disk.options.syncFailure;
  if (way === "clean-revert") {
    disk.accounting(node, () => node.revert());
    // What an earlier sync has lied about goes back, too.
    if (disk.isLying) disk.lossShows = true;
  } else node.commitPartly(covered, failingPages(detail), way === "dirty-keep");
  if (way !== "dirty-keep") node.syncFailures++;
}

/** Half of the failures are of all pages, half of some: write-back goes page by page. */
function failingPages(detail: number): (index: number) => boolean {
  return (index) => (detail & 1) === 0 || (mix(detail, index) & 1) === 0;
}
