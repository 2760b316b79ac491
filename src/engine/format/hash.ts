/**
 * The hash of user keys for Bloom filters: MurmurHash3 x86 32-bit (Austin Appleby, public domain), with the tail mixed
 * as the reference does. Part of the table format: the value for given bytes never changes.
 */

/** Start value of all filter hashes. */
export const FILTER_HASH_SEED = 0x5711_3a7e;

/** Hash of a user key as filters want it: an unsigned 32-bit number. */
export function hashKey(bytes: Uint8Array, start: number, length: number): number {
  return murmur3(bytes, start, length, FILTER_HASH_SEED);
}

/** MurmurHash3_x86_32 of `bytes[start, start + length)`: an unsigned 32-bit number. O(length). */
export function murmur3(bytes: Uint8Array, start: number, length: number, seed: number): number {
  let hash = seed | 0;
  const blocksEnd = start + (length & ~3);
  let at = start;
  for (; at < blocksEnd; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    hash ^= scramble(word);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe654_6b64) | 0;
  }
  const left = length & 3;
  if (left > 0) {
    let tail = bytes[at] as number;
    if (left > 1) tail |= (bytes[at + 1] as number) << 8;
    if (left > 2) tail |= (bytes[at + 2] as number) << 16;
    hash ^= scramble(tail);
  }
  hash ^= length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(word: number): number {
  const mixed = Math.imul(word, 0xcc9e_2d51);
  return Math.imul((mixed << 15) | (mixed >>> 17), 0x1b87_3593);
}
