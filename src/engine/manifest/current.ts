/**
 * CURRENT: the 64-byte file that names the live manifest and the store's identity. Replaced as a whole, by writing a
 * temporary file, syncing it, renaming it over the old one and syncing the directory; the manifest it names has been
 * made durable, name included, before the rename (two directory syncs: LevelDB issues 74, 189, 195).
 *
 *     0   magic "SWATRCUR"  8 bytes
 *     8   format            u32
 *     12  checksum id       u32   algorithm of the manifest's frames
 *     16  manifest number   u64
 *     24  store id          16 bytes
 *     40  zero              20 bytes
 *     60  crc32             u32   over [0, 60)
 */
import { CorruptionError, hasCode, StillwaterError } from "../../platform/errors.js";
import { joinPath } from "../../platform/path.js";
import { crashPoint, mutant } from "../../platform/probes.js";
import type { VFile, VFS } from "../../platform/vfs.js";
import { CURRENT_NAME, temporaryName } from "../files.js";
import { checksumByName } from "../format/checksum.js";
import { readUint32, readUint64, writeUint32, writeUint64 } from "../format/frame.js";
import { syncNewName } from "../new-name.js";

export const STORE_FORMAT = 1;
const CURRENT_BYTES = 64;
const MAGIC = new Uint8Array([0x53, 0x57, 0x41, 0x54, 0x52, 0x43, 0x55, 0x52]);

export interface Current {
  readonly manifestNumber: number;
  readonly checksumId: number;
  readonly storeId: Uint8Array;
}

/** Null when there is no CURRENT. Throws `CORRUPTION` or `UNSUPPORTED_FORMAT`. */
export function readCurrent(vfs: VFS, directory: string): Current | null {
  const path = joinPath(directory, CURRENT_NAME);
  if (vfs.stat(path) === null) return null;
  const bytes = new Uint8Array(CURRENT_BYTES + 1);
  const file = vfs.openFile(path, "read");
  let length: number;
  try {
    length = file.read(bytes, 0, bytes.length, 0);
  } finally {
    file.close();
  }
  if (length !== CURRENT_BYTES || !checksumByName("crc32").verify(bytes, 60, 0, 0, bytes, 0, 60)) {
    throw new CorruptionError("CURRENT does not verify. Restore a backup, or run `stillwater salvage`", {
      path,
      offset: 0,
    });
  }
  if (MAGIC.some((byte, i) => bytes[i] !== byte))
    throw new CorruptionError("CURRENT has another program's magic", { path, offset: 0 });
  const format = readUint32(bytes, 8);
  if (format !== STORE_FORMAT) {
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `${directory} has store format ${format}, but this version reads format ${STORE_FORMAT}. Use the version of Stillwater that wrote it, or a newer one.`,
      { path },
    );
  }
  return {
    checksumId: readUint32(bytes, 12),
    manifestNumber: readUint64(bytes, 16),
    storeId: bytes.slice(24, 40),
  };
}

/**
 * Atomically points CURRENT at a manifest that is durable already. On error either the old or the new one is named; with
 * `FILE_BUSY` it is the old one, for sure.
 */
export function replaceCurrent(vfs: VFS, directory: string, current: Current): void {
  const bytes = new Uint8Array(CURRENT_BYTES);
  bytes.set(MAGIC, 0);
  writeUint32(bytes, 8, STORE_FORMAT);
  writeUint32(bytes, 12, current.checksumId);
  writeUint64(bytes, 16, current.manifestNumber);
  bytes.set(current.storeId, 24);
  checksumByName("crc32").write(bytes, 60, 0, 0, bytes, 0, 60);
  const temporary = joinPath(directory, temporaryName(current.manifestNumber));
  const file = createAnew(vfs, temporary);
  try {
    file.write(bytes, 0, CURRENT_BYTES, 0);
    // CRASH_POINT(id: manifest.tmp-written)
    crashPoint("manifest.tmp-written");
    if (!mutant("M1-current-not-synced")) file.syncData();
    // CRASH_POINT(id: manifest.tmp-fsynced)
    crashPoint("manifest.tmp-fsynced");
  } finally {
    file.close();
  }
  try {
    vfs.rename(temporary, joinPath(directory, CURRENT_NAME));
  } catch (error) {
    if (!hasCode(error, "FILE_BUSY") || !mutant("P4-busy-current-taken-for-replaced")) throw error;
  }
  // CRASH_POINT(id: manifest.renamed)
  crashPoint("manifest.renamed");
  vfs.syncDirectory(directory);
  syncNewName(vfs, joinPath(directory, CURRENT_NAME));
  // CRASH_POINT(id: manifest.current-durable)
  crashPoint("manifest.current-durable");
}

/** What an attempt has left that somebody stood in the way of gives its name up, or, while it is held open, the error. */
function createAnew(vfs: VFS, path: string): VFile {
  try {
    return vfs.createFile(path);
  } catch (error) {
    if (!hasCode(error, "EXISTS")) throw error;
    vfs.removeFile(path);
    return vfs.createFile(path);
  }
}
