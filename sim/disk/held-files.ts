/**
 * S28, the rules of Windows for files that are open: who removes, moves or replaces one is refused, and nothing is done;
 * so is who moves a directory above it. What counts is the name that the file was opened by: another hard link of it may
 * go. Open by the process itself they are by rule, whatever faults are on: an engine must not ask for it. By others for a
 * while, after somebody has closed them: scanners, indexers, backups. Does not own: which calls ask.
 */
import type { DiskState, Life, VFSOperation } from "./disk-state.js";
import { systemError } from "./errors.js";
import type { FileNode } from "./file-node.js";
import type { TreeNode } from "./name-log.js";
import type { Path } from "./paths.js";

/** Most look for some hundred milliseconds, few for longer than an engine waits. */
const HELD_MS_MAX = 4000;

/** Somebody may begin to look at a file that has just been closed. */
export function perhapsHold(disk: DiskState, node: FileNode, path: string): void {
  if (disk.options.machine !== "windows") return;
  if (disk.holdDice.roll(disk.faultsEnabled) === null) return;
  const share = (disk.holdDice.detail % 1024) / 1024;
  node.heldUntilMs = disk.timers.nowMs() + HELD_MS_MAX * share ** 3;
  node.heldAs = path;
}

/** What a call on names is about: its own path for the error, and the one that is to lose its file. */
export interface NameToTake {
  readonly operation: VFSOperation;
  readonly subject: Path;
  readonly path: Path;
}

/** Throws `FILE_BUSY` where what is at a path may not lose its name now. */
export function needUnused(disk: DiskState, life: Life, { operation, subject, path }: NameToTake): void {
  if (disk.options.machine !== "windows") return;
  const node = disk.names.peek(path);
  if (node === null) return;
  const name = path.text.replace(/\/+$/, "");
  const isHere = (other: string): boolean => other === name || other.startsWith(`${name}/`);
  for (const handle of life.handles) {
    // Not counted as a fault: nobody else has done it.
    if (isHere(handle.path)) throw systemError("EBUSY", operation, subject.text);
  }
  if (!disk.faultsEnabled || !isHeld(disk, node, isHere)) return;
  disk.counters.faults["S28 file in use"]++;
  throw disk.fault("EBUSY", operation, subject);
}

function isHeld(disk: DiskState, node: TreeNode, isHere: (path: string) => boolean): boolean {
  if (node.kind === "file") return disk.timers.nowMs() < node.heldUntilMs && isHere(node.heldAs);
  return [...node.entries.values()].some((inner) => isHeld(disk, inner, isHere));
}
