/**
 * Checksums of everything the engine writes. A checksum is bound to its place: the number of the file and the byte
 * offset in it are part of what is summed, so that intact bytes of another place (a misdirected write, a stale block, a
 * reused file) fail like damaged ones. Which algorithm a file uses is named by one byte in its header or footer.
 *
 * Does not own: which bytes of a format are covered; each format says so.
 */

import { crc32 } from "node:zlib";
import { blake3 } from "@noble/hashes/blake3.js";
import { assert } from "../../platform/assert.js";
import { StillwaterError } from "../../platform/errors.js";
import { mutant } from "../../platform/probes.js";

export type ChecksumName = "crc32" | "blake3";

export interface ChecksumAlgorithm {
  /** The byte that names the algorithm on disk. Never reused. */
  readonly id: number;
  readonly name: ChecksumName;
  /** Bytes that a checksum takes; a multiple of 4. */
  readonly bytes: number;
  /** Puts the checksum of `source[from, to)`, which stands at `offset` of the file, at `target[targetAt…)`. */
  write(
    target: Uint8Array,
    targetAt: number,
    fileNumber: number,
    offset: number,
    source: Uint8Array,
    from: number,
    to: number,
  ): void;
  /** Whether `stored[storedAt…)` is what `write` would put there. */
  verify(
    stored: Uint8Array,
    storedAt: number,
    fileNumber: number,
    offset: number,
    source: Uint8Array,
    from: number,
    to: number,
  ): boolean;
}

/**
 * CRC-32 (IEEE 802.3) whose start value is a mix of the place. For one length, different start values give different
 * sums of the same bytes, and within a file no two offsets less than 4 GiB apart share a start value: a block that is
 * read from the wrong place of its file is always caught.
 */
class Crc32Checksum implements ChecksumAlgorithm {
  readonly id = 1;
  readonly name = "crc32";
  readonly bytes = 4;

  write(
    target: Uint8Array,
    targetAt: number,
    fileNumber: number,
    offset: number,
    source: Uint8Array,
    from: number,
    to: number,
  ): void {
    const sum = sumCrc32(fileNumber, offset, source, from, to);
    target[targetAt] = sum;
    target[targetAt + 1] = sum >>> 8;
    target[targetAt + 2] = sum >>> 16;
    target[targetAt + 3] = sum >>> 24;
  }

  verify(
    stored: Uint8Array,
    storedAt: number,
    fileNumber: number,
    offset: number,
    source: Uint8Array,
    from: number,
    to: number,
  ): boolean {
    const sum =
      (stored[storedAt] as number) |
      ((stored[storedAt + 1] as number) << 8) |
      ((stored[storedAt + 2] as number) << 16) |
      ((stored[storedAt + 3] as number) << 24);
    return sum >>> 0 === sumCrc32(fileNumber, offset, source, from, to);
  }
}

/** BLAKE3 over 16 bytes of place (file number, offset; both u64 little-endian) and the content, cut to 16 bytes. */
class Blake3Checksum implements ChecksumAlgorithm {
  readonly id = 2;
  readonly name = "blake3";
  readonly bytes = 16;

  write(
    target: Uint8Array,
    targetAt: number,
    fileNumber: number,
    offset: number,
    source: Uint8Array,
    from: number,
    to: number,
  ): void {
    target.set(sumBlake3(fileNumber, offset, source, from, to), targetAt);
  }

  verify(
    stored: Uint8Array,
    storedAt: number,
    fileNumber: number,
    offset: number,
    source: Uint8Array,
    from: number,
    to: number,
  ): boolean {
    const sum = sumBlake3(fileNumber, offset, source, from, to);
    for (let i = 0; i < sum.length; i++) if (stored[storedAt + i] !== sum[i]) return false;
    return true;
  }
}

const CRC32: ChecksumAlgorithm = new Crc32Checksum();
const BLAKE3: ChecksumAlgorithm = new Blake3Checksum();

export function checksumByName(name: ChecksumName): ChecksumAlgorithm {
  return name === "crc32" ? CRC32 : BLAKE3;
}

/** The algorithm of an id found in the file at `path`. Throws `UNSUPPORTED_FORMAT` for an id of a later version. */
export function checksumById(id: number, path?: string): ChecksumAlgorithm {
  if (id === CRC32.id) return CRC32;
  if (id === BLAKE3.id) return BLAKE3;
  const place = path === undefined ? "" : ` in ${path}`;
  throw new StillwaterError(
    "UNSUPPORTED_FORMAT",
    `checksum algorithm ${id}${place} is not known to this version of Stillwater. Open the store with the version that wrote it.`,
    path === undefined ? {} : { path },
  );
}

function sumCrc32(fileNumber: number, offset: number, source: Uint8Array, from: number, to: number): number {
  const seed = mutant("E5-checksum-without-place") ? 0 : placeSeed(fileNumber, offset);
  return crc32(from === 0 && to === source.length ? source : source.subarray(from, to), seed);
}

/** For a given file a bijection of the low 32 bits of the offset, for a given offset one of those of the file number. */
function placeSeed(fileNumber: number, offset: number): number {
  const file = mix32((fileNumber >>> 0) + Math.imul(Math.floor(fileNumber / 0x1_0000_0000), 0x9e37_79b1));
  return mix32((file ^ (offset >>> 0)) + Math.imul(Math.floor(offset / 0x1_0000_0000), 0x85eb_ca77)) >>> 0;
}

/** Murmur3's finalizer: an invertible mix of 32 bits. */
function mix32(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}

const place = new Uint8Array(16);
const placeWords = new DataView(place.buffer);

function sumBlake3(
  fileNumber: number,
  offset: number,
  source: Uint8Array,
  from: number,
  to: number,
): Uint8Array {
  assert(fileNumber >= 0 && offset >= 0, "the place of a checksum is not negative");
  const bound = !mutant("E5-checksum-without-place");
  placeWords.setUint32(0, bound ? fileNumber >>> 0 : 0, true);
  placeWords.setUint32(4, bound ? Math.floor(fileNumber / 0x1_0000_0000) : 0, true);
  placeWords.setUint32(8, bound ? offset >>> 0 : 0, true);
  placeWords.setUint32(12, bound ? Math.floor(offset / 0x1_0000_0000) : 0, true);
  return blake3.create({ dkLen: 16 }).update(place).update(source.subarray(from, to)).digest();
}
