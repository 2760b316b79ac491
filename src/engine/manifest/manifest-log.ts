/**
 * The manifest file: a chain of frames, each one edit, the first a snapshot. Owns loading it (with every cross-check
 * that needs no table content) and appending to it durably. Never appends to a file that it has not itself written in
 * this life: the first edit after an open starts a new manifest, so a torn tail is never written over.
 *
 * Loading tolerates one thing only: a last frame that was never durable. A bad frame followed by a valid one, a gap in
 * the edit numbers, or an edit that does not fit the tree refuses to open, for going on would roll the store back and
 * then mistake live tables for garbage.
 */
import { assert } from "../../platform/assert.js";
import { CorruptionError, hasCode } from "../../platform/errors.js";
import { joinPath } from "../../platform/path.js";
import { crashPoint, mutant } from "../../platform/probes.js";
import type { VFile, VFS } from "../../platform/vfs.js";
import { manifestName, tableName } from "../files.js";
import { EMPTY_BYTES } from "../format/bytes.js";
import { type ChecksumAlgorithm, checksumById } from "../format/checksum.js";
import {
  FRAME_EDIT,
  FRAME_HEADER_BYTES,
  FRAME_MARK,
  FRAME_SEAL,
  FrameHeader,
  frameBytes,
  nextSector,
  readUint32,
  scanFrames,
  sealFrame,
} from "../format/frame.js";
import { type Current, readCurrent, replaceCurrent } from "./current.js";
import {
  decodeEdit,
  encodeEdit,
  type ManifestCounters,
  type ManifestEdit,
  type PlacedTable,
} from "./edit.js";
import type { TableMeta } from "./table-meta.js";
import { EMPTY_LEVELS, LevelsBuilder } from "./tree.js";

export interface ManifestState {
  readonly storeId: Uint8Array;
  readonly counters: ManifestCounters;
  /** Level 0 newest first; deeper levels by key. */
  readonly levels: readonly (readonly TableMeta[])[];
  readonly editNumber: number;
}

/** What CURRENT and the manifest say. */
export interface LoadedManifest extends ManifestState, Current {
  readonly tornBytes: number;
  /**
   * The manifest ends with a seal: the life that wrote it closed in order, and everything it refers to had been synced
   * without an error. Without one, what is read may be in the page cache only (a sync may have failed), and whoever
   * builds on it must first write it anew.
   */
  readonly isSealed: boolean;
}

/** Null when the directory has no CURRENT. Reads CURRENT and the manifest; changes nothing. */
export function loadManifest(vfs: VFS, directory: string): LoadedManifest | null {
  const current = readCurrent(vfs, directory);
  if (current === null) return null;
  const loaded = readManifest(vfs, directory, current);
  checkTablesExist(vfs, directory, loaded.levels);
  return loaded;
}

/** Reads the manifest that `current` names. Does not look for the tables that it names. */
export function readManifest(vfs: VFS, directory: string, current: Current): LoadedManifest {
  const path = joinPath(directory, manifestName(current.manifestNumber));
  const bytes = readWholeFile(vfs, path);
  let editNumber = 0;
  let isSealed = false;
  let counters: ManifestCounters = { nextFileNumber: 0, lastVersion: 0, minWalNumber: 0 };
  const builder = new LevelsBuilder(EMPTY_LEVELS);
  const codec = { checksum: checksumById(current.checksumId), fileNumber: current.manifestNumber };
  const scan = scanFrames(
    codec,
    path,
    bytes,
    { start: 0, limit: bytes.length, chain: chainSeed(current) },
    (frame, at) => {
      if (isSealed) throw new CorruptionError("the manifest goes on after its seal", { path, offset: at });
      if (frame.type === FRAME_SEAL && frame.number === editNumber) {
        isSealed = true;
        return;
      }
      if (frame.type === FRAME_MARK && frame.number === editNumber) return;
      if (frame.type !== FRAME_EDIT)
        throw new CorruptionError("the manifest holds a foreign record", { path, offset: at });
      if (editNumber !== 0 && frame.number !== editNumber + 1) {
        throw new CorruptionError(`manifest edit ${frame.number} follows edit ${editNumber}`, {
          path,
          offset: at,
        });
      }
      const payloadAt = at + FRAME_HEADER_BYTES;
      const edit = decodeEdit(bytes.subarray(payloadAt, payloadAt + frame.payloadBytes), path, at);
      if (!countersAdvance(counters, edit.counters)) {
        throw new CorruptionError(`manifest edit ${frame.number} takes a counter back`, { path, offset: at });
      }
      fitting(path, at, () => builder.apply(edit));
      counters = edit.counters;
      editNumber = frame.number;
    },
  );
  if (editNumber === 0)
    throw new CorruptionError("the manifest holds no valid snapshot", { path, offset: 0 });
  const levels = fitting(path, scan.end, () => builder.finish());
  return {
    ...current,
    counters,
    levels,
    editNumber,
    tornBytes: scan.tornBytes,
    isSealed,
  };
}

/** An open manifest that takes edits. Any error from it means fail-stop: the edit may or may not be durable. */
export class ManifestLog {
  readonly manifestNumber: number;
  readonly #file: VFile;
  readonly #checksum: ChecksumAlgorithm;
  readonly #header = new FrameHeader();
  #chain: number;
  #end = 0;
  /** Where the last frame ends; what is between that and `#end` is padding, which proves nothing. */
  #frameEnd = 0;
  /** Everything below this offset is durable. */
  #syncedTo = 0;
  #editNumber: number;
  #editsSinceSnapshot = 0;

  /** Writes a new manifest whose snapshot is `state`, makes it durable and points CURRENT at it. */
  static create(
    vfs: VFS,
    directory: string,
    checksum: ChecksumAlgorithm,
    manifestNumber: number,
    state: ManifestState,
  ): ManifestLog {
    assert(state.counters.nextFileNumber > manifestNumber, "the manifest's own number is taken");
    const current: Current = { manifestNumber, checksumId: checksum.id, storeId: state.storeId };
    const file = vfs.createFile(joinPath(directory, manifestName(manifestNumber)));
    try {
      const log = new ManifestLog(file, checksum, current, state.editNumber);
      const added: PlacedTable[] = [];
      // Level 0 is kept newest first and edits add to its front, so the oldest goes first.
      state.levels.forEach((tables, level) => {
        for (const table of level === 0 ? tables.toReversed() : tables) added.push({ level, table });
      });
      log.#write({ counters: state.counters, added, removed: [] });
      // CRASH_POINT(id: manifest.snapshot-written)
      crashPoint("manifest.snapshot-written");
      if (!mutant("M2-manifest-not-synced")) {
        file.syncData();
        vfs.syncDirectory(directory);
      }
      log.#syncedTo = log.#frameEnd;
      // CRASH_POINT(id: manifest.snapshot-durable)
      crashPoint("manifest.snapshot-durable");
      replaceCurrent(vfs, directory, current);
      return log;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  private constructor(file: VFile, checksum: ChecksumAlgorithm, current: Current, editNumber: number) {
    this.#file = file;
    this.#checksum = checksum;
    this.manifestNumber = current.manifestNumber;
    this.#chain = chainSeed(current);
    this.#editNumber = mutant("M19-edit-number-restarts") ? 0 : editNumber;
  }

  get editNumber(): number {
    return this.#editNumber;
  }

  get editsSinceSnapshot(): number {
    return this.#editsSinceSnapshot;
  }

  /** Appends one edit; on return it is durable. */
  append(edit: ManifestEdit): void {
    this.#write(edit);
    // CRASH_POINT(id: manifest.edit-written)
    crashPoint("manifest.edit-written");
    if (!mutant("M3-edit-not-synced")) this.#file.syncData();
    this.#syncedTo = this.#frameEnd;
    // CRASH_POINT(id: manifest_save)
    crashPoint("manifest_save");
    this.#editsSinceSnapshot++;
    // Proves the edit to have been durable. Without it, rot in the last edit of a killed process would pass for a torn
    // tail, and what the edit was about, whose log is removed next, would be gone in silence. Needs no sync of its own.
    this.#writeFrame(FRAME_MARK, this.#editNumber, EMPTY_BYTES);
  }

  /** Records that this life ends in order; nothing may follow. */
  seal(): void {
    this.#writeFrame(FRAME_SEAL, this.#editNumber, EMPTY_BYTES);
    this.#file.syncData();
    this.#syncedTo = this.#frameEnd;
    // CRASH_POINT(id: manifest.sealed)
    crashPoint("manifest.sealed");
  }

  close(): void {
    this.#file.close();
  }

  #write(edit: ManifestEdit): void {
    this.#writeFrame(FRAME_EDIT, ++this.#editNumber, encodeEdit(edit));
  }

  #writeFrame(type: number, number: number, payload: Uint8Array): void {
    // Whole sectors, so that what is durable shares none with what is being written, and growing the file touches none.
    const frame = frameBytes(payload.length);
    const length = mutant("S12-edit-shares-synced-sector") ? frame : nextSector(frame);
    const bytes = mutant("E10-uninitialised-padding") ? Buffer.allocUnsafe(length) : new Uint8Array(length);
    bytes.set(payload, FRAME_HEADER_BYTES);
    const header = this.#header;
    header.payloadBytes = payload.length;
    header.type = type;
    header.count = 0;
    header.chain = this.#chain;
    header.number = number;
    header.durableTo = this.#syncedTo;
    const codec = { checksum: this.#checksum, fileNumber: this.manifestNumber };
    this.#chain = sealFrame(codec, bytes, 0, this.#end, header);
    this.#file.write(bytes, 0, length, this.#end);
    this.#frameEnd = this.#end + frame;
    this.#end += length;
  }
}

/** An edit that does not fit the tree before it is damage of the file here, not a bug of ours. */
function fitting<T>(path: string, offset: number, apply: () => T): T {
  try {
    return apply();
  } catch (error) {
    if (!hasCode(error, "ASSERTION")) throw error;
    throw new CorruptionError(`the manifest does not make a tree: ${error.message}`, {
      path,
      offset,
      cause: error,
    });
  }
}

/** The chain of a manifest starts from what CURRENT says, so a manifest of another store or number does not load. */
function chainSeed(current: Current): number {
  return (readUint32(current.storeId, 0) ^ Math.imul(current.manifestNumber, 0x85ebca6b)) >>> 0;
}

function countersAdvance(before: ManifestCounters, after: ManifestCounters): boolean {
  return (
    after.nextFileNumber >= before.nextFileNumber &&
    after.lastVersion >= before.lastVersion &&
    after.minWalNumber >= before.minWalNumber
  );
}

function checkTablesExist(vfs: VFS, directory: string, levels: readonly (readonly TableMeta[])[]): void {
  for (const level of levels) {
    for (const table of level) {
      const path = joinPath(directory, tableName(table.fileNumber));
      const stat = vfs.stat(path);
      if (stat === null) throw missingTable(path);
      checkTableSize(path, table, stat.size);
    }
  }
}

export function missingTable(path: string): CorruptionError {
  return new CorruptionError(
    "a table that the manifest names is missing. Restore a backup, or run `stillwater salvage`",
    { path },
  );
}

/** Throws `CORRUPTION`. */
export function checkTableSize(path: string, table: TableMeta, size: number): void {
  if (size === table.bytes) return;
  throw new CorruptionError(`a table has ${size} bytes, but the manifest says ${table.bytes}`, {
    path,
    offset: Math.min(size, table.bytes),
  });
}

function readWholeFile(vfs: VFS, path: string): Uint8Array {
  if (vfs.stat(path) === null) {
    throw new CorruptionError(
      "CURRENT names a manifest that is missing. Restore a backup, or run `stillwater salvage`",
      { path },
    );
  }
  const file = vfs.openFile(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    const read = file.read(bytes, 0, bytes.length, 0);
    if (read !== bytes.length)
      throw new CorruptionError("the manifest is shorter than its size", { path, offset: read });
    return bytes;
  } finally {
    file.close();
  }
}
