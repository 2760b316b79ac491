/**
 * Syncing a file, and failing to (S22), in the ways that real file systems do (B5). Each failure is reported once to
 * every handle that was open (as Linux's errseq does), then the next sync says all is well although the medium may
 * hold the old bytes; with `dirty-keep` it is reported to the caller only, and the next sync really tries again.
 */
import type { StillwaterError } from "../../src/platform/errors.js";
import type { DiskState } from "./disk-state.js";
import { mix } from "./fault-dice.js";
import type { FileNode } from "./file-node.js";
import type { Path } from "./paths.js";

interface SyncingHandle {
  readonly node: FileNode;
  syncFailuresSeen: number;
}

/**
 * Makes durable what was written up to `covered`. `failure` is null or the detail of the fault. Returns the error to
 * report.
 */
export function syncFile(
  disk: DiskState,
  path: Path,
  handle: SyncingHandle,
  operation: "syncData" | "syncDataLater",
  covered: number,
  failure: number | null,
): StillwaterError | null {
  const { node } = handle;
  disk.counters.syncs++;
  if (node.isDirty) disk.durableVersion++;
  if (failure === null) node.commit(covered);
  else {
    disk.counters.faults["S22 sync error"]++;
    disk.onSyncFailed?.(path.text);
    fail(disk, node, covered, failure);
    if (disk.options.syncFailure === "dirty-keep") return disk.fault("EIO", operation, path);
    node.syncFailures++;
  }
  if (handle.syncFailuresSeen === node.syncFailures) return null;
  handle.syncFailuresSeen = node.syncFailures;
  return disk.fault("EIO", operation, path);
}

function fail(disk: DiskState, node: FileNode, covered: number, detail: number): void {
  // Half of the failures are of all pages, half of some: write-back goes page by page.
  const fails = (index: number) => (detail & 1) === 0 || (mix(detail, index) & 1) === 0;
  switch (disk.options.syncFailure) {
    case "clean-keep":
      node.commitPartly(covered, fails, false);
      return;
    case "clean-revert":
      disk.accounting(node, () => node.revert());
      return;
    case "dirty-keep":
      node.commitPartly(covered, fails, true);
      return;
  }
}
