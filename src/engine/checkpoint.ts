/**
 * A checkpoint: a second store directory with the same tables, by hard links where the file system has them. Built
 * under a temporary name and renamed when it is whole and durable, so that what bears the final name is complete.
 */
import { StillwaterError } from "../platform/errors.js";
import { crashPoint } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";
import { tablePath } from "./files.js";
import type { ChecksumAlgorithm } from "./format/checksum.js";
import { ManifestLog, type ManifestState } from "./manifest/manifest-log.js";
import { claimPartial, copyFile, publishPartial } from "./partial-directory.js";

/**
 * Throws `EXISTS` when there is something at `target`, and `FILE_BUSY`, after which it may be tried again. The tables of
 * `state` stay live throughout.
 */
export function writeCheckpoint(
  vfs: VFS,
  directory: string,
  targetPath: string,
  checksum: ChecksumAlgorithm,
  state: ManifestState,
): void {
  const target = targetPath.replace(/(?<=.)\/+$/, "");
  if (vfs.stat(target) !== null) {
    throw new StillwaterError("EXISTS", `${target} exists already. Choose a path where there is nothing.`, {
      path: target,
    });
  }
  const partial = claimPartial(vfs, target);
  // CRASH_POINT(id: checkpoint.created)
  crashPoint("checkpoint.created");
  for (const tables of state.levels) {
    for (const { fileNumber } of tables) {
      linkOrCopy(vfs, tablePath(directory, fileNumber), tablePath(partial, fileNumber));
      // CRASH_POINT(id: checkpoint.table-linked)
      crashPoint("checkpoint.table-linked");
    }
  }
  const manifestNumber = state.counters.nextFileNumber;
  const counters = {
    ...state.counters,
    nextFileNumber: manifestNumber + 1,
    minWalNumber: manifestNumber + 1,
  };
  const log = ManifestLog.create(vfs, partial, checksum, manifestNumber, { ...state, counters });
  try {
    log.seal();
  } finally {
    log.close();
  }
  // CRASH_POINT(id: checkpoint.manifest-durable)
  crashPoint("checkpoint.manifest-durable");
  publishPartial(vfs, partial, target);
  // CRASH_POINT(id: checkpoint.done)
  crashPoint("checkpoint.done");
}

/** A second name where the file system allows one, else (another disk, a limit on links) a copy. */
function linkOrCopy(vfs: VFS, from: string, to: string): void {
  if (!linkIfPossible(vfs, from, to)) copyFile(vfs, from, to);
}

/** Gives a file a second name; false where the file system has none to give: another device, no links, too many. */
export function linkIfPossible(vfs: VFS, from: string, to: string): boolean {
  if (!vfs.capabilities.links) return false;
  try {
    vfs.link(from, to);
    return true;
  } catch (error) {
    if (cannotLink(error)) return false;
    throw error;
  }
}

function cannotLink(error: unknown): boolean {
  if (!(error instanceof StillwaterError) || !(error.cause instanceof Error) || !("code" in error.cause))
    return false;
  return ["EXDEV", "EPERM", "EMLINK", "ENOTSUP", "EOPNOTSUPP", "ENOSYS"].includes(String(error.cause.code));
}
