/**
 * Directories that must appear whole or not at all (checkpoints, restored and salvaged stores): put together under
 * another name, `TARGET.partial`, and renamed when everything in them is durable. A leftover of an attempt that was cut
 * short is cleared away; anything else at that name is somebody's and refused.
 */
import { hasCode, StillwaterError } from "../platform/errors.js";
import { joinPath, parentPath } from "../platform/path.js";
import { crashPoint } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";
import { CURRENT_NAME, parseFileName } from "./files.js";
import { syncNewName } from "./new-name.js";

const COPY_CHUNK_BYTES = 1024 * 1024;
const REMOVAL_ATTEMPTS = 4;

/**
 * An empty directory beside `target` in which it is put together. What an interrupted attempt has left there is
 * removed; throws `EXISTS` when it is anything else.
 */
export function claimPartial(vfs: VFS, target: string): string {
  const partial = `${target}.partial`;
  const stat = vfs.stat(partial);
  if (stat !== null) {
    const names = stat.kind === "directory" ? vfs.list(partial) : [];
    const foreign = names.find((name) => ["unknown", "quarantine"].includes(parseFileName(name).kind));
    if (stat.kind === "file" || foreign !== undefined) {
      throw new StillwaterError(
        "EXISTS",
        `${partial}, where the new store would be put together, holds something else. Move it away.`,
        { path: partial },
      );
    }
    for (const name of names) vfs.removeFile(joinPath(partial, name));
    vfs.removeDirectory(partial);
  }
  vfs.makeDirectory(partial);
  return partial;
}

/** Gives a store's directory whose files are durable its final name, durably. None of them may be open. */
export function publishPartial(vfs: VFS, partial: string, target: string): void {
  vfs.syncDirectory(partial);
  vfs.rename(partial, target);
  // CRASH_POINT(id: partial.renamed)
  crashPoint("partial.renamed");
  vfs.syncDirectory(parentPath(target));
  syncNewName(vfs, joinPath(target, CURRENT_NAME));
}

/** Copies one file and makes its bytes durable; its name is durable after a sync of the directory. */
export function copyFile(vfs: VFS, from: string, to: string): void {
  const source = vfs.openFile(from, "read");
  try {
    const target = vfs.createFile(to);
    try {
      const chunk = new Uint8Array(Math.min(COPY_CHUNK_BYTES, source.size() + 1));
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

/**
 * Takes back a directory that was just made, which the next attempt to open would otherwise trust. An interruption or a
 * passing error must not leave it (seed 20597).
 */
export function removeMadeDirectory(vfs: VFS, directory: string): void {
  for (let left = REMOVAL_ATTEMPTS; ; left--) {
    try {
      vfs.removeDirectory(directory);
      return;
    } catch (error) {
      if (hasCode(error, "NOT_FOUND")) return;
      if (!hasCode(error, "IO") || left === 1) throw error;
    }
  }
}
