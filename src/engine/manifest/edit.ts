/**
 * A manifest edit: one durable change of the tree's shape, and its bytes. An edit carries the whole of the small
 * counters each time, so that none can be lost by merging, and the difference of the tables. The first edit of each
 * manifest file is a snapshot: it adds every live table.
 *
 * Payload: fields of (tag, length, content), all varints. Tags below 64 must be understood; tags from 64 may be ignored
 * by older readers.
 */
import { assert } from "../../platform/assert.js";
import { CorruptionError, StillwaterError } from "../../platform/errors.js";
import { mutant } from "../../platform/probes.js";
import { ByteReader, ByteWriter } from "../format/byte-io.js";
import { equalKeys } from "../format/bytes.js";
import type { TableMeta } from "./table-meta.js";

export interface ManifestCounters {
  /** The next number that no file has ever had. */
  readonly nextFileNumber: number;
  /** Newest version that may have been given to a commit in a flushed segment. */
  readonly lastVersion: number;
  /** Log segments below this number are covered by tables. */
  readonly minWalNumber: number;
}

export interface PlacedTable {
  readonly level: number;
  readonly table: TableMeta;
}

export interface RemovedTable {
  readonly level: number;
  readonly fileNumber: number;
}

export interface ManifestEdit {
  readonly counters: ManifestCounters;
  readonly added: readonly PlacedTable[];
  readonly removed: readonly RemovedTable[];
}

const TAG_NEXT_FILE_NUMBER = 1;
const TAG_LAST_VERSION = 2;
const TAG_MIN_WAL_NUMBER = 3;
const TAG_ADDED_TABLE = 4;
const TAG_REMOVED_TABLE = 5;
const FIRST_IGNORABLE_TAG = 64;

export function encodeEdit(edit: ManifestEdit): Uint8Array {
  const out = new ByteWriter();
  const field = (tag: number, write: (content: ByteWriter) => void): void => {
    const content = new ByteWriter();
    write(content);
    out.uint(tag).bytes(content.finish());
  };
  field(TAG_NEXT_FILE_NUMBER, (content) => content.uint(edit.counters.nextFileNumber));
  field(TAG_LAST_VERSION, (content) => content.uint(edit.counters.lastVersion));
  if (!mutant("M7-edit-field-lost"))
    field(TAG_MIN_WAL_NUMBER, (content) => content.uint(edit.counters.minWalNumber));
  for (const { level, fileNumber } of edit.removed) {
    field(TAG_REMOVED_TABLE, (content) => content.uint(level).uint(fileNumber));
  }
  for (const { level, table } of edit.added) {
    field(TAG_ADDED_TABLE, (content) => {
      content.uint(level).uint(table.fileNumber).uint(table.bytes);
      content
        .bytes(table.smallest)
        .bytes(table.largest)
        .uint(table.largestExclusive ? 1 : 0);
      content.uint(table.minVersion).uint(table.maxVersion);
      content.uint(table.entryCount).uint(table.tombstoneCount).uint(table.rangeTombstoneCount);
    });
  }
  const bytes = out.finish();
  assertSameEdit(edit, decodeEdit(bytes, "(edit being written)", 0));
  return bytes;
}

/** Throws `CORRUPTION` for bytes that are not an edit and `UNSUPPORTED_FORMAT` for a field that must be understood. */
export function decodeEdit(bytes: Uint8Array, path: string, offset: number): ManifestEdit {
  try {
    return decodeFields(new ByteReader(bytes), path);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CorruptionError("a manifest edit does not decode", { path, offset, cause: error });
  }
}

function decodeFields(fields: ByteReader, path: string): ManifestEdit {
  let nextFileNumber = 0;
  let lastVersion = 0;
  let minWalNumber = 0;
  const added: PlacedTable[] = [];
  const removed: RemovedTable[] = [];
  while (!fields.atEnd) {
    const tag = fields.uint();
    const content = new ByteReader(fields.bytes());
    if (tag === TAG_NEXT_FILE_NUMBER) nextFileNumber = content.uint();
    else if (tag === TAG_LAST_VERSION) lastVersion = content.uint();
    else if (tag === TAG_MIN_WAL_NUMBER) minWalNumber = content.uint();
    else if (tag === TAG_REMOVED_TABLE) removed.push({ level: content.uint(), fileNumber: content.uint() });
    else if (tag === TAG_ADDED_TABLE) added.push({ level: content.uint(), table: decodeTable(content) });
    else if (tag < FIRST_IGNORABLE_TAG) {
      throw new StillwaterError(
        "UNSUPPORTED_FORMAT",
        `${path} holds a manifest field (${tag}) of a newer version. Use the version of Stillwater that wrote it, or a newer one.`,
        { path },
      );
    }
  }
  return { counters: { nextFileNumber, lastVersion, minWalNumber }, added, removed };
}

function decodeTable(content: ByteReader): TableMeta {
  return {
    fileNumber: content.uint(),
    bytes: content.uint(),
    smallest: content.bytes(),
    largest: content.bytes(),
    largestExclusive: content.uint() === 1,
    minVersion: content.uint(),
    maxVersion: content.uint(),
    entryCount: content.uint(),
    tombstoneCount: content.uint(),
    rangeTombstoneCount: content.uint(),
  };
}

/** Pair assertion: what is about to be written must read back as the same edit. */
function assertSameEdit(a: ManifestEdit, b: ManifestEdit): void {
  assert(a.counters.nextFileNumber === b.counters.nextFileNumber, "an edit keeps its next file number");
  assert(a.counters.lastVersion === b.counters.lastVersion, "an edit keeps its last version");
  assert(a.counters.minWalNumber === b.counters.minWalNumber, "an edit keeps its first live log segment");
  assert(a.removed.length === b.removed.length, "an edit keeps its removed tables");
  assert(a.added.length === b.added.length, "an edit keeps its added tables");
  a.added.forEach((one, i) => {
    const other = b.added[i] as PlacedTable;
    assert(one.level === other.level, "an added table keeps its level");
    assert(one.table.fileNumber === other.table.fileNumber, "an added table keeps its number");
    assert(one.table.bytes === other.table.bytes, "an added table keeps its size");
    assert(equalKeys(one.table.smallest, other.table.smallest), "an added table keeps its smallest key");
    assert(equalKeys(one.table.largest, other.table.largest), "an added table keeps its largest key");
  });
}
