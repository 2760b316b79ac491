/**
 * The index of a table: one separator per data block, at least as large as the block's last row and smaller than the
 * next block's first, so that one binary search names the only block where a row can be. Separators are as short as
 * they can be (LevelDB's shortest separator). Kept decoded while the table is open: numeric heads after the
 * separators' own common prefix, one slab of the rest.
 *
 * A user key may have so many versions that they span blocks. Then a key alone does not tell those blocks apart and
 * the index also has the version of each block's last row.
 *
 * Payload of the index block, with n data blocks:
 *
 *     0    u32  n
 *     4    u32  flags: 1 versions present
 *     8    u32  bytes of the common prefix
 *     12   u32  stored bytes of block i, for each
 *          u32  end of suffix i within the suffixes, for each
 *          u64  version of the last row of block i, for each; 0 where the separator is no key of the block (flag 1)
 *          prefix, suffixes
 */
import { commonPrefixLength, compareBytes, copyOf, keyHead48, shortestSeparator } from "../format/bytes.js";
import { readUint32, readUint64, writeUint32, writeUint64 } from "../format/frame.js";

const HEADER_BYTES = 12;
const FLAG_VERSIONS = 1;

export class IndexBuilder {
  private readonly blockBytes: number[] = [];
  private readonly separators: Uint8Array[] = [];
  private readonly versions: number[] = [];
  private separatorBytes = 0;
  private keySpansBlocks = false;

  get blockCount(): number {
    return this.blockBytes.length;
  }

  /** About what `encode` will return. */
  get estimatedBytes(): number {
    return HEADER_BYTES + 8 * this.blockBytes.length + this.separatorBytes;
  }

  addBlock(storedBytes: number): void {
    this.blockBytes.push(storedBytes);
  }

  /** Separates the newest block from what follows it: the key `next`, or nothing. `last` is not kept. */
  separate(last: Uint8Array, lastVersion: number, next: Uint8Array | null): void {
    const spans =
      next !== null &&
      last.length === next.length &&
      compareBytes(last, 0, last.length, next, 0, next.length) === 0;
    if (spans) this.keySpansBlocks = true;
    const short = next === null || spans ? last : shortestSeparator(last, next);
    const separator = short === last ? copyOf(last, 0, last.length) : short;
    this.separators.push(separator);
    this.versions.push(short === last ? lastVersion : 0);
    this.separatorBytes += separator.length;
  }

  encode(): Uint8Array {
    const count = this.blockBytes.length;
    const first = this.separators[0];
    const last = this.separators[count - 1];
    const prefixLength =
      first === undefined || last === undefined
        ? 0
        : commonPrefixLength(first, 0, first.length, last, 0, last.length);
    const columns = HEADER_BYTES + (this.keySpansBlocks ? 16 : 8) * count;
    const suffixesAt = columns + prefixLength;
    const payload = new Uint8Array(suffixesAt + this.separatorBytes - count * prefixLength);
    writeUint32(payload, 0, count);
    writeUint32(payload, 4, this.keySpansBlocks ? FLAG_VERSIONS : 0);
    writeUint32(payload, 8, prefixLength);
    if (first !== undefined) payload.set(first.subarray(0, prefixLength), columns);
    let end = 0;
    for (let block = 0; block < count; block++) {
      const suffix = (this.separators[block] as Uint8Array).subarray(prefixLength);
      payload.set(suffix, suffixesAt + end);
      end += suffix.length;
      writeUint32(payload, HEADER_BYTES + 4 * block, this.blockBytes[block] as number);
      writeUint32(payload, HEADER_BYTES + 4 * count + 4 * block, end);
      if (this.keySpansBlocks) {
        writeUint64(payload, HEADER_BYTES + 8 * count + 8 * block, this.versions[block] as number);
      }
    }
    return payload;
  }
}

export class TableIndex {
  readonly blockCount: number;
  /** `offsets[i]` is where block i begins in the file; one more entry says where the last one ends. */
  readonly offsets: Float64Array;
  private readonly prefix: Uint8Array;
  private readonly slab: Uint8Array;
  /** Where suffix i begins in the slab; one more entry for the end. */
  private readonly starts: Uint32Array;
  private readonly heads: Float64Array;
  private readonly versions: Float64Array | null;

  private constructor(payload: Uint8Array, count: number, prefixLength: number, hasVersions: boolean) {
    const columns = HEADER_BYTES + (hasVersions ? 16 : 8) * count;
    this.blockCount = count;
    this.prefix = payload.subarray(columns, columns + prefixLength);
    this.slab = payload.subarray(columns + prefixLength);
    this.offsets = new Float64Array(count + 1);
    this.starts = new Uint32Array(count + 1);
    this.heads = new Float64Array(count);
    this.versions = hasVersions ? new Float64Array(count) : null;
    let offset = 0;
    let start = 0;
    for (let block = 0; block < count; block++) {
      offset += readUint32(payload, HEADER_BYTES + 4 * block);
      this.offsets[block + 1] = offset;
      const end = readUint32(payload, HEADER_BYTES + 4 * (count + block));
      this.starts[block + 1] = end;
      this.heads[block] = keyHead48(this.slab, start, end - start, 0);
      start = end;
      if (this.versions !== null)
        this.versions[block] = readUint64(payload, HEADER_BYTES + 8 * (count + block));
    }
  }

  /** The index of a payload, or null when it is no index over exactly `dataBytes` of blocks. */
  static decode(payload: Uint8Array, dataBytes: number): TableIndex | null {
    if (payload.length < HEADER_BYTES) return null;
    const count = readUint32(payload, 0);
    const flags = readUint32(payload, 4);
    const prefixLength = readUint32(payload, 8);
    const columns = HEADER_BYTES + (flags === FLAG_VERSIONS ? 16 : 8) * count;
    const suffixesBytes = payload.length - columns - prefixLength;
    if (flags > FLAG_VERSIONS || suffixesBytes < 0) return null;
    let sum = 0;
    let end = 0;
    for (let block = 0; block < count; block++) {
      sum += readUint32(payload, HEADER_BYTES + 4 * block);
      const next = readUint32(payload, HEADER_BYTES + 4 * (count + block));
      if (next < end) return null;
      end = next;
    }
    if (sum !== dataBytes || end !== suffixesBytes) return null;
    return new TableIndex(payload, count, prefixLength, flags === FLAG_VERSIONS);
  }

  /**
   * The only block where the first row at or after (key, version) can be, if it is not the first row of the next;
   * `blockCount` when all rows are before it. O(log n).
   */
  find(key: Uint8Array, version: number): number {
    const keyLength = key.length;
    const prefix = this.prefix;
    const prefixLength = prefix.length;
    const shared = keyLength < prefixLength ? keyLength : prefixLength;
    for (let i = 0; i < shared; i++) {
      const difference = (key[i] as number) - (prefix[i] as number);
      if (difference !== 0) return difference < 0 ? 0 : this.blockCount;
    }
    if (keyLength < prefixLength) return 0;
    const head = keyHead48(key, 0, keyLength, prefixLength);
    const heads = this.heads;
    let low = 0;
    let high = this.blockCount;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const middleHead = heads[middle] as number;
      if (middleHead < head || (middleHead === head && this.isBefore(middle, key, prefixLength, version))) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /** Order of separator `block` and a key: negative, zero or positive. */
  compareSeparator(block: number, key: Uint8Array, keyStart: number, keyLength: number): number {
    const prefix = this.prefix;
    const head = Math.min(prefix.length, keyLength);
    const order = compareBytes(prefix, 0, prefix.length, key, keyStart, head);
    return order !== 0 ? order : this.compareSuffix(block, key, keyStart + head, keyLength - head);
  }

  /** Version of the last row of `block`, or 0 where the index has none. */
  lastVersion(block: number): number {
    return this.versions === null ? 0 : (this.versions[block] as number);
  }

  get memoryBytes(): number {
    const versions = this.versions === null ? 0 : this.versions.byteLength;
    const numbers = this.offsets.byteLength + this.starts.byteLength + this.heads.byteLength + versions;
    // The prefix and the slab keep the whole payload alive.
    return numbers + this.slab.buffer.byteLength;
  }

  /** Whether separator `block` is before (key, version), given that key and prefix agree. */
  private isBefore(block: number, key: Uint8Array, prefixLength: number, version: number): boolean {
    const order = this.compareSuffix(block, key, prefixLength, key.length - prefixLength);
    if (order !== 0) return order < 0;
    return this.versions !== null && (this.versions[block] as number) > version;
  }

  private compareSuffix(block: number, key: Uint8Array, at: number, length: number): number {
    const start = this.starts[block] as number;
    return compareBytes(this.slab, start, (this.starts[block + 1] as number) - start, key, at, length);
  }
}
