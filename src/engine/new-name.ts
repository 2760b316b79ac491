/**
 * Making a name durable that a file was just given, where directories cannot be synced: the file is, under that name, and a
 * file system with a journal (NTFS) writes it in order, so that what was done to names before goes along.
 */
import { mutant } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";

/** Called behind the sync of the directory. `path`: a file that was renamed, or lies in a directory that was. */
export function syncNewName(vfs: VFS, path: string): void {
  if (vfs.capabilities.directorySync || mutant("P1-new-name-left-to-chance")) return;
  const file = vfs.openFile(path, "readWrite");
  try {
    file.syncData();
  } finally {
    file.close();
  }
}
