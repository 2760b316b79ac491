/**
 * The sorted string table, byte by byte: the file as a whole and the frame that every block of it stands in. The
 * contents of the blocks are described where they are written and read: `data-block.ts`, `range-tombstone-block.ts`,
 * `filter.ts`, `index-block.ts`, `properties.ts`, `footer.ts`. All numbers are little-endian; u64 fields hold
 * integers below 2^53.
 *
 * A table is immutable. Its sections follow each other without gaps, each a whole number of 4-byte words:
 *
 *     data block 0 … data block n−1 | range tombstones? | filter? | index | properties | footer (64 bytes)
 *
 * A section that is absent ("?") has length 0. Lengths are in the footer, so offsets are sums. Data blocks carry no
 * length of their own: block i is as long as the index says and begins where block i−1 ends; block 0 begins at 0.
 *
 * Every block but the footer, of whatever section, is stored as
 *
 *     payload                                      the block, compressed or not
 *     0–3 zero bytes                               so that the whole is a multiple of 4
 *     u8   compression id                          0 none, 1 deflate (data blocks only)
 *     u8   number of those zero bytes
 *     checksum, 4 bytes (crc32) or 16 (blake3)     over everything before it, bound to table number and file offset
 */
import { assert } from "../../platform/assert.js";
import type { ChecksumAlgorithm } from "../format/checksum.js";

export const TABLE_FORMAT_VERSION = 1;

/** Smallest and largest `blockBytes`: row offsets inside a block are 16 bits wide. */
export const BLOCK_BYTES_MIN = 64;
export const BLOCK_BYTES_MAX = 65_536;

/** Compression id and padding count. */
const TRAILER_BYTES = 2;

/** Bytes that a payload takes in the file. */
export function storedBytes(payloadBytes: number, checksumBytes: number): number {
  return Math.ceil((payloadBytes + TRAILER_BYTES) / 4) * 4 + checksumBytes;
}

/** Everything that binds a stored block to its place. */
export interface TableIdentity {
  readonly fileNumber: number;
  readonly checksum: ChecksumAlgorithm;
}

/**
 * Completes the block whose payload stands at `bytes[at, at + payloadBytes)` and which will be written at
 * `fileOffset`. Returns its stored length.
 */
export function sealBlock(
  identity: TableIdentity,
  bytes: Uint8Array,
  at: number,
  payloadBytes: number,
  compressionId: number,
  fileOffset: number,
): number {
  const { checksum, fileNumber } = identity;
  const length = storedBytes(payloadBytes, checksum.bytes);
  const sumAt = at + length - checksum.bytes;
  const padding = sumAt - TRAILER_BYTES - (at + payloadBytes);
  assert(fileOffset % 4 === 0 && padding >= 0 && padding < 4, "stored blocks are whole words");
  assert(at + length <= bytes.length, "a stored block fits its buffer");
  for (let i = 0; i < padding; i++) bytes[at + payloadBytes + i] = 0;
  bytes[sumAt - 2] = compressionId;
  bytes[sumAt - 1] = padding;
  checksum.write(bytes, sumAt, fileNumber, fileOffset, bytes, at, sumAt);
  return length;
}

/**
 * Proves the stored block at `bytes[at, at + length)`, read from `fileOffset`. Returns the payload's length, or −1
 * when the block is not what was written there.
 */
export function openBlock(
  identity: TableIdentity,
  bytes: Uint8Array,
  at: number,
  length: number,
  fileOffset: number,
): number {
  const { checksum, fileNumber } = identity;
  if (length < TRAILER_BYTES + checksum.bytes || length % 4 !== 0) return -1;
  const sumAt = at + length - checksum.bytes;
  if (!checksum.verify(bytes, sumAt, fileNumber, fileOffset, bytes, at, sumAt)) return -1;
  const payloadBytes = sumAt - TRAILER_BYTES - (bytes[sumAt - 1] as number) - at;
  return storedBytes(payloadBytes, checksum.bytes) === length && payloadBytes >= 0 ? payloadBytes : -1;
}

/** Compression id of a block that `openBlock` has proved. */
export function compressionIdOf(
  identity: TableIdentity,
  bytes: Uint8Array,
  at: number,
  length: number,
): number {
  return bytes[at + length - identity.checksum.bytes - 2] as number;
}
