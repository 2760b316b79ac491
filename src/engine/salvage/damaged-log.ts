/**
 * What can still be read of one log segment: its records up to the first that does not verify. Where only the header
 * is damaged, what it said about versions is taken from the first record. Reads only.
 *
 * Does not judge which segments are live. Records after a bad one are left out even if they verify: a commit must not
 * appear without the ones before it in the same segment.
 */
import { fail } from "../../platform/assert.js";
import { hasCode, type StillwaterError } from "../../platform/errors.js";
import type { VFS } from "../../platform/vfs.js";
import { Cursor } from "../cursor.js";
import { walPath } from "../files.js";
import { checksumByName } from "../format/checksum.js";
import { FRAME_COMMITS, FrameHeader, readFrame } from "../format/frame.js";
import {
  Arena,
  OPERATION_HEADER_BYTES,
  operationKeyLength,
  operationKind,
  operationValueLength,
  operationVersionDelta,
} from "../format/operation.js";
import { sortOperations } from "../memtable/sort-operations.js";
import { SEGMENT_FRAMES_START, SEGMENT_HEADER_BYTES, writeSegmentHeader } from "../wal/segment-header.js";
import { parseSegment, type SegmentContents } from "../wal/segment-reader.js";
import { damageOf, type SalvageFinding } from "./finding.js";

/** Smallest unit that a disk fails to read. */
const SECTOR_BYTES = 4096;

/** Null when nothing of the segment can be read. Adds what is wrong to `findings`. Throws `UNSUPPORTED_FORMAT`. */
export function readDamagedSegment(
  vfs: VFS,
  directory: string,
  fileNumber: number,
  storeId: Uint8Array | null,
  findings: SalvageFinding[],
): SegmentContents | null {
  const path = walPath(directory, fileNumber);
  try {
    const image = readImage(vfs, path);
    const expected = { fileNumber, storeId: storeId ?? image.arena.bytes.slice(60, 76) };
    const parsed =
      parseUpToDamage(path, image.arena, expected) ?? parseWithoutHeader(path, image, expected, findings);
    if (parsed === null) return null;
    const { contents, damage } = parsed;
    const bytes = Math.max(image.usedBytes - contents.end, 0);
    const place = { path, offset: contents.end, bytes };
    const after = `what a log segment holds after version ${contents.lastVersion}`;
    if (damage !== null) {
      findings.push({ kind: "lost", ...place, message: `${after}: ${damage.message}` });
    } else if (!contents.sealed && image.unreadable !== null) {
      findings.push({ kind: "doubtful", ...place, message: `${after}: ${image.unreadable.message}` });
    } else if (!contents.sealed && image.fileBytes < contents.header.capacity) {
      const message = `${after}: the file has been cut from ${contents.header.capacity} to ${image.fileBytes} bytes`;
      findings.push({ kind: "doubtful", ...place, message });
    } else if (bytes > 0) {
      const message = `${after}: bytes that are no whole record. Nothing proves that they were ever acknowledged`;
      findings.push({ kind: "doubtful", ...place, message });
    }
    return contents;
  } catch (error) {
    const { message, offset } = damageOf(error);
    findings.push({
      kind: "lost",
      path,
      offset: offset ?? null,
      bytes: null,
      message: `a log segment is lost as a whole: ${message}`,
    });
    return null;
  }
}

/** The puts and deletes of a segment, in internal order. Forward only, from the first row. */
export class SegmentCursor extends Cursor {
  readonly #segment: SegmentContents;
  readonly #count: number;
  #at = 0;

  constructor(segment: SegmentContents) {
    super();
    const { arena, points } = segment;
    this.#segment = segment;
    this.#count = sortOperations(arena.bytes, arena.words, points, points.length);
    this.keyBytes = arena.bytes;
    this.valueBytes = arena.bytes;
  }

  seekFirst(): void {
    this.#at = 0;
    this.#show();
  }

  next(): void {
    this.#at++;
    this.#show();
  }

  close(): void {
    this.valid = false;
  }

  seekLast(): void {
    fail("salvage reads forward");
  }

  seekAtOrAfter(): void {
    fail("salvage reads from the first row");
  }

  seekBefore(): void {
    fail("salvage reads forward");
  }

  previous(): void {
    fail("salvage reads forward");
  }

  #show(): void {
    const { arena, points, header } = this.#segment;
    this.valid = this.#at < this.#count;
    if (!this.valid) return;
    const at = points[this.#at] as number;
    this.keyStart = at + OPERATION_HEADER_BYTES;
    this.keyLength = operationKeyLength(arena.words, at);
    this.version = header.baseVersion + operationVersionDelta(arena.words, at);
    this.kind = operationKind(arena.words, at);
    this.valueStart = this.keyStart + this.keyLength;
    this.valueLength = operationValueLength(arena.words, at);
  }
}

interface Image {
  readonly arena: Arena;
  readonly fileBytes: number;
  /** The file up to its last byte that is not zero. */
  readonly usedBytes: number;
  /** Why some of the file is zeros in the image; the first such error. */
  readonly unreadable: StillwaterError | null;
}

/** Reads what the disk gives. Sectors that it does not give are zeros, which verify as nothing. */
function readImage(vfs: VFS, path: string): Image {
  const file = vfs.openFile(path, "read");
  try {
    const size = file.size();
    const arena = new Arena((size + 15) & ~7);
    let unreadable: StillwaterError | null = null;
    for (let at = 0; at < size; at += SECTOR_BYTES) {
      const length = Math.min(SECTOR_BYTES, size - at);
      try {
        file.read(arena.bytes, at, length, at);
      } catch (error) {
        unreadable ??= damageOf(error);
        arena.bytes.fill(0, at, at + length);
      }
    }
    let usedBytes = size;
    while (usedBytes > 0 && arena.bytes[usedBytes - 1] === 0) usedBytes--;
    return { arena, fileBytes: size, usedBytes, unreadable };
  } finally {
    file.close();
  }
}

interface Parsed {
  readonly contents: SegmentContents;
  /** Why the segment was not read to its end. */
  readonly damage: StillwaterError | null;
}

type Expected = { readonly fileNumber: number; readonly storeId: Uint8Array };

/** Parses what stands before the first damage: each fault ends the segment where it was found. Null: no valid header. */
function parseUpToDamage(path: string, arena: Arena, expected: Expected): Parsed | null {
  let damage: StillwaterError | null = null;
  for (let limit = arena.capacity; ; ) {
    try {
      const contents = parseSegment(path, arena, limit, expected);
      return contents === null ? null : { contents, damage };
    } catch (error) {
      if (!hasCode(error, "CORRUPTION")) throw error;
      const { offset } = error;
      if (offset === undefined || offset < SEGMENT_FRAMES_START || offset >= limit) throw error;
      damage ??= error;
      limit = offset;
    }
  }
}

/** As `parseUpToDamage`, with a header made up to fit the first record. Null when there is no such record. */
function parseWithoutHeader(
  path: string,
  image: Image,
  expected: Expected,
  findings: SalvageFinding[],
): Parsed | null {
  const { arena, fileBytes, usedBytes } = image;
  const frame = new FrameHeader();
  const checksum = (["crc32", "blake3"] as const)
    .map(checksumByName)
    .find((one) =>
      readFrame({ checksum: one, ...expected }, arena.bytes, SEGMENT_FRAMES_START, arena.capacity, frame),
    );
  if (checksum === undefined) {
    const isEmpty = usedBytes <= SEGMENT_FRAMES_START;
    const message = isEmpty
      ? "a log segment without a record: it was being created when the power went, or has been emptied since"
      : "a log segment with all its commits: neither its header nor its first record verifies";
    findings.push({ kind: isEmpty ? "doubtful" : "lost", path, offset: 0, bytes: usedBytes, message });
    return null;
  }
  writeSegmentHeader(arena.bytes, {
    checksumId: checksum.id,
    fileNumber: expected.fileNumber,
    capacity: fileBytes,
    baseVersion: frame.type === FRAME_COMMITS ? frame.number - 1 : frame.number,
    previousNumber: 0,
    previousLength: 0,
    previousChain: frame.chain,
    storeId: expected.storeId,
  });
  const message = "the header of a log segment does not verify; its records were read without it";
  findings.push({ kind: "doubtful", path, offset: 0, bytes: SEGMENT_HEADER_BYTES, message });
  return parseUpToDamage(path, arena, expected);
}
