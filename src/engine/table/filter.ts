/**
 * The blocked Bloom filter of a table (Putze, Sanders, Singler 2007; the line-at-a-time probing follows RocksDB's
 * FastLocalBloom): a key's hash picks one line of 512 bits, and six probes stay inside it, so a lookup touches one
 * cache line. At 10 bits a key about 1 % of absent keys pass. No key that was added is ever refused.
 *
 * Payload of the filter block:
 *
 *     0   u32  lines
 *     4   u32  probes
 *     8   lines × 64 bytes; bit b of a line is bit (b & 31) of its u32 (b >> 5)
 *
 * With hash h: the line is floor(h × lines / 2^32); probe i tests bit h_i >>> 23, where h_0 = h × 9E3779B1 and
 * h_(i+1) = h_i × 9E3779B1, modulo 2^32.
 */
import { readUint32, writeUint32 } from "../format/frame.js";

const HEADER_BYTES = 8;
const LINE_BYTES = 64;
const LINE_BITS = 512;
const LINE_WORDS = 16;
const PROBES = 6;
const STEP = 0x9e37_79b1;
const PER_HASH = 2 ** -32;

/** The filter payload for `hashes[0, count)`; null when there is nothing to filter. */
export function encodeFilter(hashes: Uint32Array, count: number, bitsPerKey: number): Uint8Array | null {
  if (count === 0 || bitsPerKey === 0) return null;
  const lines = Math.ceil((count * bitsPerKey) / LINE_BITS);
  const payload = new Uint8Array(HEADER_BYTES + lines * LINE_BYTES);
  writeUint32(payload, 0, lines);
  writeUint32(payload, 4, PROBES);
  const words = new Uint32Array(payload.buffer, HEADER_BYTES);
  for (let i = 0; i < count; i++) {
    const hash = hashes[i] as number;
    const line = lineOf(hash, lines);
    let probe = Math.imul(hash, STEP);
    for (let p = 0; p < PROBES; p++) {
      const at = line + (probe >>> 28);
      words[at] = (words[at] as number) | (1 << ((probe >>> 23) & 31));
      probe = Math.imul(probe, STEP);
    }
  }
  return payload;
}

/** Bytes that `encodeFilter` would return for so many keys. */
export function filterBytes(count: number, bitsPerKey: number): number {
  if (count === 0 || bitsPerKey === 0) return 0;
  return HEADER_BYTES + Math.ceil((count * bitsPerKey) / LINE_BITS) * LINE_BYTES;
}

export class BloomFilter {
  private readonly words: Uint32Array;
  private readonly lines: number;
  private readonly probes: number;

  private constructor(words: Uint32Array, lines: number, probes: number) {
    this.words = words;
    this.lines = lines;
    this.probes = probes;
  }

  /** The filter of a payload, or null when the payload is no filter. */
  static decode(payload: Uint8Array): BloomFilter | null {
    if (payload.length < HEADER_BYTES + LINE_BYTES) return null;
    const lines = readUint32(payload, 0);
    const probes = readUint32(payload, 4);
    if (payload.length !== HEADER_BYTES + lines * LINE_BYTES || probes === 0) return null;
    const words = new Uint32Array(lines * LINE_WORDS);
    new Uint8Array(words.buffer).set(payload.subarray(HEADER_BYTES));
    return new BloomFilter(words, lines, probes);
  }

  /** False only when no key with this hash was added. */
  mayContain(hash: number): boolean {
    const line = lineOf(hash, this.lines);
    let probe = Math.imul(hash, STEP);
    for (let p = 0; p < this.probes; p++) {
      if ((((this.words[line + (probe >>> 28)] as number) >>> ((probe >>> 23) & 31)) & 1) === 0) return false;
      probe = Math.imul(probe, STEP);
    }
    return true;
  }

  get memoryBytes(): number {
    return this.words.byteLength;
  }
}

/** Index of the first word of the line of a hash. Exact: the product is below 2^53. */
function lineOf(hash: number, lines: number): number {
  return Math.floor(hash * lines * PER_HASH) * LINE_WORDS;
}
