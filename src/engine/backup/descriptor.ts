/**
 * The descriptor of a backup: one small file that says what the backup consists of. It holds the shape of the tree as a
 * manifest's snapshot does, and of each table the size and the SHA-256; its own bytes are under a checksum. A backup is
 * there when its descriptor is, so writing and removing one are the acts that make and unmake a backup.
 * Does not own: the tables (`repository.ts`).
 *
 *     0    magic "SWATRBAK"  8 bytes
 *     8    format            u32
 *     12   bytes of the JSON u32
 *     16   bytes of the edit u32
 *     20   zero              u32
 *     24   JSON, then a manifest edit that adds every table, the oldest of level 0 first
 *     …    blake3            16 bytes, over everything before, bound to 0, 0
 */
import { CorruptionError, StillwaterError } from "../../platform/errors.js";
import { joinPath } from "../../platform/path.js";
import { crashPoint, mutant } from "../../platform/probes.js";
import type { VFS } from "../../platform/vfs.js";
import { checksumByName } from "../format/checksum.js";
import { readUint32, writeUint32 } from "../format/frame.js";
import { decodeEdit, encodeEdit, type PlacedTable } from "../manifest/edit.js";
import type { ManifestState } from "../manifest/manifest-log.js";
import type { TableMeta } from "../manifest/table-meta.js";
import { EMPTY_LEVELS, LevelsBuilder } from "../manifest/tree.js";
import { syncNewName } from "../new-name.js";
import type { BackupInfo } from "./types.js";

const FORMAT = 1;
const HEADER_BYTES = 24;
const MAGIC = new Uint8Array([0x53, 0x57, 0x41, 0x54, 0x52, 0x42, 0x41, 0x4b]);
const CHECKSUM = checksumByName("blake3");
const SUFFIX = ".backup";
const ID = /^(\d{6,15})-[0-9a-f]{8}$/;

/** One table of a backup: where it lies in the repository follows from its number and its checksum. */
export interface BackupTable {
  readonly meta: TableMeta;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
}

export interface Descriptor {
  readonly info: BackupInfo;
  /** The store as it is to be restored; its tables are `tables`. */
  readonly state: ManifestState;
  /** By number, ascending. */
  readonly tables: readonly BackupTable[];
}

/** A number that grows with each backup of a repository, and chance, so that no id ever comes again. */
export function backupId(sequence: number, chance: number): string {
  return `${String(sequence).padStart(6, "0")}-${chance.toString(16).padStart(8, "0")}`;
}

/** Null for what is no id. */
export function sequenceOf(id: string): number | null {
  const match = ID.exec(id);
  return match === null ? null : Number(match[1]);
}

export function descriptorName(id: string): string {
  return id + SUFFIX;
}

/** The id of the backup whose descriptor bears this name; null for other names. */
export function idOfName(name: string): string | null {
  const id = name.endsWith(SUFFIX) ? name.slice(0, -SUFFIX.length) : "";
  return ID.test(id) ? id : null;
}

/** What an interrupted write of a descriptor leaves. */
export function isTemporaryDescriptor(name: string): boolean {
  return name.endsWith(".tmp") && ID.test(name.slice(0, -".tmp".length));
}

/**
 * Makes a backup appear: written under another name, synced, renamed, its name synced. The tables must be durable. On an
 * error the backup may be there or not.
 */
export function writeDescriptor(vfs: VFS, backupsPath: string, descriptor: Descriptor): void {
  const { id } = descriptor.info;
  const bytes = encodeDescriptor(descriptor);
  const temporary = joinPath(backupsPath, `${id}.tmp`);
  const file = vfs.createFile(temporary);
  try {
    file.write(bytes, 0, bytes.length, 0);
    // CRASH_POINT(id: backup.descriptor-written)
    crashPoint("backup.descriptor-written");
    if (!mutant("K12-backup-descriptor-not-synced")) file.syncData();
    // CRASH_POINT(id: backup.descriptor-synced)
    crashPoint("backup.descriptor-synced");
  } finally {
    file.close();
  }
  const path = joinPath(backupsPath, descriptorName(id));
  vfs.rename(temporary, path);
  // CRASH_POINT(id: backup.descriptor-renamed)
  crashPoint("backup.descriptor-renamed");
  if (!mutant("K13-backup-name-not-synced")) {
    vfs.syncDirectory(backupsPath);
    // Where directories cannot be synced; what was done to names before, those of the tables, goes along.
    syncNewName(vfs, path);
  }
  // CRASH_POINT(id: backup.done)
  crashPoint("backup.done");
}

/** Throws `CORRUPTION`, `UNSUPPORTED_FORMAT`, or file errors. */
export function readDescriptor(vfs: VFS, backupsPath: string, id: string): Descriptor {
  const path = joinPath(backupsPath, descriptorName(id));
  const file = vfs.openFile(path, "read");
  try {
    const bytes = new Uint8Array(file.size());
    return decodeDescriptor(bytes.subarray(0, file.read(bytes, 0, bytes.length, 0)), path, id);
  } finally {
    file.close();
  }
}

export function encodeDescriptor({ info, state, tables }: Descriptor): Uint8Array {
  const added: PlacedTable[] = [];
  state.levels.forEach((level, depth) => {
    for (const table of depth === 0 ? level.toReversed() : level) added.push({ level: depth, table });
  });
  const edit = encodeEdit({ counters: state.counters, added, removed: [] });
  const facts = {
    ...info,
    storeId: Buffer.from(state.storeId).toString("hex"),
    editNumber: state.editNumber,
    files: tables.map(({ meta, sha256 }) => [meta.fileNumber, meta.bytes, sha256] as const),
  };
  const json = new TextEncoder().encode(JSON.stringify(facts));
  const end = HEADER_BYTES + json.length + edit.length;
  const bytes = new Uint8Array(end + CHECKSUM.bytes);
  bytes.set(MAGIC, 0);
  writeUint32(bytes, 8, FORMAT);
  writeUint32(bytes, 12, json.length);
  writeUint32(bytes, 16, edit.length);
  bytes.set(json, HEADER_BYTES);
  bytes.set(edit, HEADER_BYTES + json.length);
  CHECKSUM.write(bytes, end, 0, 0, bytes, 0, end);
  return bytes;
}

export function decodeDescriptor(bytes: Uint8Array, path: string, id: string): Descriptor {
  const damaged = (what: string, cause?: unknown): CorruptionError =>
    new CorruptionError(`the descriptor of backup ${id} ${what}`, {
      path,
      offset: 0,
      ...(cause === undefined ? {} : { cause }),
    });
  const end = bytes.length - CHECKSUM.bytes;
  const isWhole = end >= HEADER_BYTES && CHECKSUM.verify(bytes, end, 0, 0, bytes, 0, end);
  if (!isWhole) throw damaged("does not verify");
  if (MAGIC.some((byte, at) => bytes[at] !== byte)) throw damaged("has another program's magic");
  const format = readUint32(bytes, 8);
  if (format !== FORMAT) {
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `${path} has backup format ${format}, but this version reads format ${FORMAT}. Use the version of Stillwater that wrote it, or a newer one.`,
      { path },
    );
  }
  const jsonEnd = HEADER_BYTES + readUint32(bytes, 12);
  if (jsonEnd + readUint32(bytes, 16) !== end) throw damaged("has parts of another length");
  try {
    const facts = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_BYTES, jsonEnd))) as Facts;
    if (facts.id !== id) throw damaged(`is that of backup ${facts.id}`);
    return descriptorOf(facts, decodeEdit(bytes.subarray(jsonEnd, end), path, jsonEnd), damaged);
  } catch (error) {
    if (error instanceof StillwaterError && error.code !== "ASSERTION") throw error;
    throw damaged("does not make a backup", error);
  }
}

interface Facts extends BackupInfo {
  readonly storeId: string;
  readonly editNumber: number;
  readonly files: readonly (readonly [fileNumber: number, bytes: number, sha256: string])[];
}

function descriptorOf(
  { storeId, editNumber, files, ...info }: Facts,
  edit: ReturnType<typeof decodeEdit>,
  damaged: (what: string) => CorruptionError,
): Descriptor {
  const builder = new LevelsBuilder(EMPTY_LEVELS);
  builder.apply(edit);
  const levels = builder.finish();
  const metas = new Map(levels.flat().map((table) => [table.fileNumber, table]));
  const tables = files.map(([fileNumber, size, sha256]) => {
    const meta = metas.get(fileNumber);
    if (meta === undefined || meta.bytes !== size)
      throw damaged(`names a table (${fileNumber}) that it has not`);
    return { meta, sha256 };
  });
  if (tables.length !== metas.size) throw damaged("leaves out tables");
  const state = { storeId: Buffer.from(storeId, "hex"), counters: edit.counters, levels, editNumber };
  return { info, state, tables };
}
