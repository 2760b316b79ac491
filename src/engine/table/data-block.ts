/**
 * The data block as it is read: rows addressed by number, so that stepping back costs what stepping forth does, and a
 * column of numeric key heads, so that searching compares numbers and touches key bytes only on ties.
 *
 * A body begins 4-byte aligned in memory. With n rows, in internal order (key ascending, version descending):
 *
 *     0    u16  n (1 … 65,535)
 *     2    u16  flags: 1 versions column present, 2 kinds column present
 *     4    u32  bytes of the body
 *     8    u64  base version
 *     16   u32  head[n]           bytes 0–3 of the key after the prefix, as a big-endian number, zero-padded
 *          u16  rowOffset[n]      where row i begins, from the start of the body
 *          u16  suffixLength[n]   bytes of key i after the prefix
 *          u32  versionDelta[n]   version − base version; absent when all are 0
 *          u8   kind[n]           1 put, 2 delete; absent when all are puts
 *          prefix                 bytes that all keys share; as long as rowOffset[0] says
 *          rows                   suffix, value; a row ends where the next begins, the last with the body
 *
 * A block of a single row has no prefix, so that rowOffset[0] stays small whatever the key's and value's size.
 * The layout is written by `data-block-builder.ts`.
 */
import { keyHead32 } from "../format/bytes.js";
import type { BlockMemory } from "./block-memory.js";

export const BODY_HEADER_BYTES = 16;
export const FLAG_VERSIONS = 1;
export const FLAG_KINDS = 2;

const TWO_TO_32 = 0x1_0000_0000;

/** Bytes from the start of a body to its prefix. */
export function columnsBytes(rowCount: number, flags: number): number {
  return (
    BODY_HEADER_BYTES +
    8 * rowCount +
    ((flags & FLAG_VERSIONS) !== 0 ? 4 * rowCount : 0) +
    ((flags & FLAG_KINDS) !== 0 ? rowCount : 0)
  );
}

export function rowCountOf(memory: BlockMemory, base: number): number {
  return (memory.words[base >> 2] as number) & 0xffff;
}

export function flagsOf(memory: BlockMemory, base: number): number {
  return (memory.words[base >> 2] as number) >>> 16;
}

export function bodyBytesOf(memory: BlockMemory, base: number): number {
  return memory.words[(base >> 2) + 1] as number;
}

export function baseVersionOf(memory: BlockMemory, base: number): number {
  const at = base >> 2;
  return (memory.words[at + 3] as number) * TWO_TO_32 + (memory.words[at + 2] as number);
}

/**
 * Number of the first row that is at or after (key, version) in internal order, times 2; plus 1 when that row has this
 * key. The first row of a key at or after `version` is the newest one that a reader at `version` may see. O(log n).
 */
export function searchRows(
  memory: BlockMemory,
  base: number,
  key: Uint8Array,
  keyLength: number,
  version: number,
): number {
  const { words, halves, bytes } = memory;
  const wordsAt = base >> 2;
  const rowCount = (words[wordsAt] as number) & 0xffff;
  const flags = (words[wordsAt] as number) >>> 16;
  const offsetsAt = (base >> 1) + 8 + 2 * rowCount;
  const prefixAt = base + columnsBytes(rowCount, flags);
  const prefixLength = base + (halves[offsetsAt] as number) - prefixAt;

  const shared = keyLength < prefixLength ? keyLength : prefixLength;
  for (let i = 0; i < shared; i++) {
    const difference = (key[i] as number) - (bytes[prefixAt + i] as number);
    if (difference !== 0) return difference < 0 ? 0 : 2 * rowCount;
  }
  if (keyLength < prefixLength) return 0;

  const head = keyHead32(key, 0, keyLength, prefixLength);
  const wanted = version - baseVersionOf(memory, base);
  let low = 0;
  let high = rowCount;
  let exact = 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const middleHead = words[wordsAt + 4 + middle] as number;
    let order = middleHead - head;
    if (order === 0) {
      const suffixLength = halves[offsetsAt + rowCount + middle] as number;
      const suffixAt = base + (halves[offsetsAt + middle] as number);
      const left = keyLength - prefixLength;
      const common = suffixLength < left ? suffixLength : left;
      for (let i = 0; i < common && order === 0; i++) {
        order = (bytes[suffixAt + i] as number) - (key[prefixLength + i] as number);
      }
      if (order === 0) order = suffixLength - left;
      if (order === 0) {
        const delta =
          (flags & FLAG_VERSIONS) !== 0 ? (words[wordsAt + 4 + 2 * rowCount + middle] as number) : 0;
        if (delta <= wanted) exact = 1;
        else order = -1;
      }
    }
    if (order < 0) low = middle + 1;
    else high = middle;
  }
  return 2 * low + exact;
}

/**
 * Whether a body's numbers agree with each other and with its true length, so that reading any row stays inside it.
 * The checksum has spoken already; this guards against what a checksum cannot see, a fault of the writer. O(n).
 */
export function bodyIsSound(memory: BlockMemory, base: number, bodyBytes: number): boolean {
  if (bodyBytes < BODY_HEADER_BYTES || bodyBytesOf(memory, base) !== bodyBytes) return false;
  const rowCount = rowCountOf(memory, base);
  const flags = flagsOf(memory, base);
  const columns = columnsBytes(rowCount, flags);
  if (rowCount === 0 || flags > (FLAG_VERSIONS | FLAG_KINDS) || columns > bodyBytes) return false;
  const { halves } = memory;
  const offsetsAt = (base >> 1) + 8 + 2 * rowCount;
  const lengthsAt = offsetsAt + rowCount;
  if ((halves[offsetsAt] as number) < columns) return false;
  for (let row = 0; row < rowCount; row++) {
    const end = row + 1 < rowCount ? (halves[offsetsAt + row + 1] as number) : bodyBytes;
    if ((halves[offsetsAt + row] as number) + (halves[lengthsAt + row] as number) > end) return false;
  }
  return baseVersionOf(memory, base) <= Number.MAX_SAFE_INTEGER;
}
