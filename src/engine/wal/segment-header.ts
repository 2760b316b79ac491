/**
 * The first 80 bytes of a log segment, alone in their sector (the first frame stands at 512). They name the store and the predecessor with its final length, version and
 * chain value, so that a missing or shortened segment is seen at once, and they bound the versions that the segment
 * can have handed out, so that a version lost in a crash is never given to another commit.
 *
 *     0   magic "SWATRWAL"  8 bytes
 *     8   format            u32
 *     12  checksum id       u32   algorithm of the frames; the header itself always uses crc32
 *     16  file number       u64
 *     24  capacity          u64   size that the file was given when it was created
 *     32  base version      u64   newest version assigned before this segment
 *     40  previous number   u64   0: no live predecessor
 *     48  previous length   u64
 *     56  previous chain    u32
 *     60  store id          16 bytes
 *     76  crc32             u32   over [0, 76), bound to the file number
 */
import { CorruptionError, StillwaterError } from "../../platform/errors.js";
import { checksumByName } from "../format/checksum.js";
import { FRAME_SECTOR_BYTES, readUint32, readUint64, writeUint32, writeUint64 } from "../format/frame.js";

export const SEGMENT_HEADER_BYTES = 80;
/** Where the first frame stands. */
export const SEGMENT_FRAMES_START: number = FRAME_SECTOR_BYTES;
export const SEGMENT_FORMAT = 1;

const MAGIC = new Uint8Array([0x53, 0x57, 0x41, 0x54, 0x52, 0x57, 0x41, 0x4c]);

export interface SegmentHeader {
  readonly checksumId: number;
  readonly fileNumber: number;
  readonly capacity: number;
  readonly baseVersion: number;
  readonly previousNumber: number;
  readonly previousLength: number;
  readonly previousChain: number;
  readonly storeId: Uint8Array;
}

export function writeSegmentHeader(bytes: Uint8Array, header: SegmentHeader): void {
  bytes.set(MAGIC, 0);
  writeUint32(bytes, 8, SEGMENT_FORMAT);
  writeUint32(bytes, 12, header.checksumId);
  writeUint64(bytes, 16, header.fileNumber);
  writeUint64(bytes, 24, header.capacity);
  writeUint64(bytes, 32, header.baseVersion);
  writeUint64(bytes, 40, header.previousNumber);
  writeUint64(bytes, 48, header.previousLength);
  writeUint32(bytes, 56, header.previousChain);
  bytes.set(header.storeId, 60);
  checksumByName("crc32").write(bytes, 76, header.fileNumber, 0, bytes, 0, 76);
}

/**
 * Null when the header does not verify: the segment was being created when the power went, and the caller must make
 * sure that it is the last and holds nothing. Throws `UNSUPPORTED_FORMAT` for a newer format and `CORRUPTION` for a
 * valid header that belongs to another file or store.
 */
export function readSegmentHeader(
  bytes: Uint8Array,
  length: number,
  expected: { readonly path: string; readonly fileNumber: number; readonly storeId: Uint8Array },
): SegmentHeader | null {
  if (length < SEGMENT_HEADER_BYTES) return null;
  if (!checksumByName("crc32").verify(bytes, 76, expected.fileNumber, 0, bytes, 0, 76)) return null;
  if (MAGIC.some((byte, i) => bytes[i] !== byte)) return null;
  const format = readUint32(bytes, 8);
  if (format !== SEGMENT_FORMAT) {
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `${expected.path} has log format ${format}, but this version reads format ${SEGMENT_FORMAT}. Use the version of Stillwater that wrote it, or a newer one.`,
      { path: expected.path },
    );
  }
  const header: SegmentHeader = {
    checksumId: readUint32(bytes, 12),
    fileNumber: readUint64(bytes, 16),
    capacity: readUint64(bytes, 24),
    baseVersion: readUint64(bytes, 32),
    previousNumber: readUint64(bytes, 40),
    previousLength: readUint64(bytes, 48),
    previousChain: readUint32(bytes, 56),
    storeId: bytes.slice(60, 76),
  };
  if (header.fileNumber !== expected.fileNumber) {
    throw new CorruptionError(`a log segment says that it is number ${header.fileNumber}`, {
      path: expected.path,
      offset: 16,
    });
  }
  if (expected.storeId.some((byte, i) => header.storeId[i] !== byte)) {
    throw new CorruptionError("a log segment belongs to another store", { path: expected.path, offset: 60 });
  }
  return header;
}
