/**
 * A checkpoint: a second store directory with the same tables, by hard links where the file system has them. Built
 * under a temporary name and renamed when it is whole and durable, so that what bears the final name is complete.
 */
import { StillwaterError } from "../platform/errors.js";
import { joinPath, parentPath } from "../platform/path.js";
import { crashPoint } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";
import { tablePath } from "./files.js";
import type { ChecksumAlgorithm } from "./format/checksum.js";
import { ManifestLog, type ManifestState } from "./manifest/manifest-log.js";

const COPY_CHUNK_BYTES = 1024 * 1024;

/** Throws `EXISTS` when there is something at `target`. The tables of `state` stay live throughout. */
export function writeCheckpoint(
  vfs: VFS,
  directory: string,
  target: string,
  checksum: ChecksumAlgorithm,
  state: ManifestState,
): void {
  if (vfs.stat(target) !== null) {
    throw new StillwaterError("EXISTS", `${target} exists already. Choose a path where there is nothing.`, {
      path: target,
    });
  }
  const partial = `${target}.partial`;
  removeLeftover(vfs, partial);
  vfs.makeDirectory(partial);
  // CRASH_POINT(id: checkpoint.created)
  crashPoint("checkpoint.created");
  for (const tables of state.levels) {
    for (const { fileNumber } of tables) {
      const from = tablePath(directory, fileNumber);
      const to = tablePath(partial, fileNumber);
      if (vfs.capabilities.links) vfs.link(from, to);
      else copyFile(vfs, from, to);
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
  vfs.rename(partial, target);
  vfs.syncDirectory(parentPath(target));
  // CRASH_POINT(id: checkpoint.done)
  crashPoint("checkpoint.done");
}

/** Copies one file and makes its bytes durable; its name is durable after a sync of the directory. */
export function copyFile(vfs: VFS, from: string, to: string): void {
  const source = vfs.openFile(from, "read");
  try {
    const target = vfs.createFile(to);
    try {
      const chunk = new Uint8Array(COPY_CHUNK_BYTES);
      for (let at = 0; ; ) {
        const length = source.read(chunk, 0, chunk.length, at);
        if (length === 0) break;
        target.write(chunk, 0, length, at);
        at += length;
      }
      target.syncData();
    } finally {
      target.close();
    }
  } finally {
    source.close();
  }
}

function removeLeftover(vfs: VFS, partial: string): void {
  if (vfs.stat(partial) === null) return;
  for (const name of vfs.list(partial)) vfs.removeFile(joinPath(partial, name));
  vfs.removeDirectory(partial);
}
