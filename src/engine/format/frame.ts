/**
 * Frames: the checksummed records of which both the write-ahead log and the manifest are made. This file owns their
 * bytes and the one decision that everything rests on: what a frame that does not verify means.
 *
 *     0   checksum      16 bytes, over [16, 56 + payload), bound to file number and offset (crc32 fills 4 bytes)
 *     16  header check  u32, over [20, 56), bound likewise: lets a scan reject a candidate without reading its payload
 *     20  payload bytes u32
 *     24  type          u32
 *     28  count         u32   commits in a log record; 0 in a manifest
 *     32  chain         u32   first checksum word of the frame before (of the file's seed, for the first)
 *     36  reserved      u32   0
 *     40  number        u64   log: version of the first commit; manifest: edit number
 *     48  durable to    u64   everything below this offset had been synced when the frame was written
 *     56  payload, zero-padded to a multiple of 8
 *
 * A frame at X that does not verify is a torn tail if nothing proves that X was ever durable, and corruption if a
 * later valid frame says `durable to` > X (Pebble's WAL sync chunks rest on the same idea). A torn tail ends the file;
 * corruption is refused. The length of a frame that does not verify is never believed: the scan goes in steps of 8.
 */
import { assert } from "../../platform/assert.js";
import { CorruptionError } from "../../platform/errors.js";
import { mutant } from "../../platform/probes.js";
import type { ChecksumAlgorithm } from "./checksum.js";
import { murmur3 } from "./hash.js";

export const FRAME_HEADER_BYTES = 56;

export const FRAME_COMMITS = 1;
/** Ends a log segment that was closed in good order. */
export const FRAME_SEAL = 2;
/** Says how far the log is durable when no commit follows to say it. */
export const FRAME_MARK = 3;
export const FRAME_EDIT = 4;

const TYPE_MAX = FRAME_EDIT;
const TWO_TO_32 = 0x1_0000_0000;

/** The fields of one frame. One object is reused for all frames of a file. */
export class FrameHeader {
  payloadBytes = 0;
  type = 0;
  count = 0;
  chain = 0;
  number = 0;
  durableTo = 0;
}

/**
 * What a device may damage beside the bytes it is writing when the power fails (SQLite's "powersafe overwrite" says that
 * it damages nothing; not all do). A frame that follows bytes which a sync has been asked to make durable begins in a
 * sector of its own, so that acknowledged data never shares a sector with data in flight.
 */
export const FRAME_SECTOR_BYTES = 512;

/** The first sector boundary at or after `offset`. */
export function nextSector(offset: number): number {
  return Math.ceil(offset / FRAME_SECTOR_BYTES) * FRAME_SECTOR_BYTES;
}

/** Bytes that a frame takes in its file. */
export function frameBytes(payloadBytes: number): number {
  return (FRAME_HEADER_BYTES + payloadBytes + 7) & ~7;
}

export interface FrameCodec {
  readonly checksum: ChecksumAlgorithm;
  readonly fileNumber: number;
}

/**
 * Completes the frame at `bytes[at]`, which will stand at `fileOffset` and whose payload is in place already: writes
 * the header and the checksum, and zeros the padding. Returns the chain value for the next frame.
 */
export function sealFrame(
  codec: FrameCodec,
  bytes: Uint8Array,
  at: number,
  fileOffset: number,
  header: FrameHeader,
): number {
  assert(fileOffset % 8 === 0, "frames are 8-byte aligned");
  const end = at + FRAME_HEADER_BYTES + header.payloadBytes;
  const aligned = at + frameBytes(header.payloadBytes);
  for (let i = end; i < aligned; i++) bytes[i] = 0;
  for (let i = at; i < at + 20; i++) bytes[i] = 0;
  writeUint32(bytes, at + 20, header.payloadBytes);
  writeUint32(bytes, at + 24, header.type);
  writeUint32(bytes, at + 28, header.count);
  writeUint32(bytes, at + 32, header.chain);
  writeUint32(bytes, at + 36, 0);
  writeUint64(bytes, at + 40, header.number);
  writeUint64(bytes, at + 48, header.durableTo);
  writeUint32(bytes, at + 16, headerCheck(codec.fileNumber, fileOffset, bytes, at));
  codec.checksum.write(bytes, at, codec.fileNumber, fileOffset, bytes, at + 16, end);
  return readUint32(bytes, at);
}

/** True when a whole, valid frame stands at `at` of a file image; then `into` holds its fields. Looks at nothing past `limit`. */
export function readFrame(
  codec: FrameCodec,
  bytes: Uint8Array,
  at: number,
  limit: number,
  into: FrameHeader,
): boolean {
  if (at + FRAME_HEADER_BYTES > limit) return false;
  const type = readUint32(bytes, at + 24);
  if (type === 0 || type > TYPE_MAX) return false;
  const payloadBytes = readUint32(bytes, at + 20);
  const end = at + FRAME_HEADER_BYTES + payloadBytes;
  if (end > limit) return false;
  if (!mutant("W10-length-trusted")) {
    if (readUint32(bytes, at + 16) !== headerCheck(codec.fileNumber, at, bytes, at)) return false;
    if (!codec.checksum.verify(bytes, at, codec.fileNumber, at, bytes, at + 16, end)) return false;
  }
  into.payloadBytes = payloadBytes;
  into.type = type;
  into.count = readUint32(bytes, at + 28);
  into.chain = readUint32(bytes, at + 32);
  into.number = readUint64(bytes, at + 40);
  into.durableTo = readUint64(bytes, at + 48);
  return true;
}

export interface FrameScan {
  /** Offset just past the last valid frame. */
  readonly end: number;
  /** Chain value after the last valid frame. */
  readonly chain: number;
  /** Bytes after `end` that are not zero: the torn tail that was cut off. 0 for a file that ends in order. */
  readonly tornBytes: number;
}

/**
 * Visits the valid frames of a file image from `start`, in order. Stops at the first that does not verify or does not
 * continue the chain, and decides: a torn tail is reported, corruption throws.
 */
export function scanFrames(
  codec: FrameCodec,
  path: string,
  bytes: Uint8Array,
  range: { readonly start: number; readonly limit: number; readonly chain: number },
  visit: (header: FrameHeader, at: number) => void,
): FrameScan {
  const header = new FrameHeader();
  let at = range.start;
  let chain = range.chain;
  for (;;) {
    if (readFrame(codec, bytes, at, range.limit, header)) {
      if (header.chain !== chain) {
        throw new CorruptionError("a valid frame does not continue the one before it", { path, offset: at });
      }
    } else {
      // After a sync the next frame stands at the next sector boundary.
      const aligned = nextSector(at);
      if (aligned === at || !readFrame(codec, bytes, aligned, range.limit, header) || header.chain !== chain)
        break;
      at = aligned;
    }
    if (header.durableTo > at) {
      throw new CorruptionError("a frame claims to have been durable before it was written", {
        path,
        offset: at,
      });
    }
    visit(header, at);
    chain = readUint32(bytes, at);
    at += frameBytes(header.payloadBytes);
  }
  const last = endOfContent(bytes, at, range.limit);
  refuseIfOnceDurable(codec, path, bytes, at, range.limit, last);
  return { end: at, chain, tornBytes: last - at };
}

/** Just past the last byte in [start, limit) that is not zero; `start` when all are. Zeros may be many: space kept free. */
function endOfContent(bytes: Uint8Array, start: number, limit: number): number {
  let last = limit;
  while (last > start && (last + bytes.byteOffset) % 4 !== 0 && bytes[last - 1] === 0) last--;
  if ((last + bytes.byteOffset) % 4 === 0) {
    const words = new Uint32Array(bytes.buffer, 0, (last + bytes.byteOffset) >> 2);
    const first = (start + bytes.byteOffset + 3) >> 2;
    let word = words.length;
    while (word > first && words[word - 1] === 0) word--;
    last = word * 4 - bytes.byteOffset;
  }
  while (last > start && bytes[last - 1] === 0) last--;
  return last;
}

/**
 * Throws `CORRUPTION` when a valid frame after `torn` proves that the bytes at `torn` had been durable. Nothing but zeros
 * follows `contentEnd`; a frame may end in zeros, but its header and checksum cannot lie in them.
 */
function refuseIfOnceDurable(
  codec: FrameCodec,
  path: string,
  bytes: Uint8Array,
  torn: number,
  limit: number,
  contentEnd: number,
): void {
  if (mutant("W11-scan-ahead-skipped")) return;
  const header = new FrameHeader();
  const end = Math.min(contentEnd, limit - FRAME_HEADER_BYTES + 1);
  for (let at = torn; at < end; at += 8) {
    if (bytes[at + 24] === 0) continue;
    if (!readFrame(codec, bytes, at, limit, header)) continue;
    if (header.durableTo > torn || mutant("W22-torn-tail-refused")) {
      throw new CorruptionError(
        `bytes that had been made durable do not verify any more: a valid frame at byte ${at} follows. ` +
          "The store refuses to open, so as not to lose acknowledged commits; restore a backup, or run `stillwater salvage`",
        { path, offset: torn },
      );
    }
  }
}

function headerCheck(fileNumber: number, fileOffset: number, bytes: Uint8Array, at: number): number {
  return murmur3(
    bytes,
    at + 20,
    FRAME_HEADER_BYTES - 20,
    (fileNumber ^ Math.imul(fileOffset, 0x9e3779b1)) >>> 0,
  );
}

export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

/** Values above 2^53 cannot come from us; they read as an unsafe number, which callers' range checks refuse. */
export function readUint64(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at + 4) * TWO_TO_32 + readUint32(bytes, at);
}

export function writeUint64(bytes: Uint8Array, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, "a 64-bit field holds a safe integer");
  writeUint32(bytes, at, value % TWO_TO_32);
  writeUint32(bytes, at + 4, Math.floor(value / TWO_TO_32));
}
