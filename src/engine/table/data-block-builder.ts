/**
 * Collects rows of one data block and lays them out as `data-block.ts` describes. Knows exactly, before a row is
 * added, how large the block would be with it, so a stored block never passes `blockBytes`. Rows wait as whole keys
 * and values next to the output in one piece of memory: the block's prefix is known only when its last row is, and
 * moves within one memory are several times cheaper than copies between two. No objects per row.
 */
import { assert } from "../../platform/assert.js";
import { compareBytes, keyHead32 } from "../format/bytes.js";
import { KIND_PUT } from "../format/operation.js";
import { BlockMemory, wholeWords } from "./block-memory.js";
import { BODY_HEADER_BYTES, FLAG_KINDS, FLAG_VERSIONS } from "./data-block.js";
import { storedBytes } from "./format.js";

const TWO_TO_32 = 0x1_0000_0000;
/** Up to here a byte loop beats a call into the engine's copy routine. */
const LOOP_COPY_MAX = 24;

/** What `add` did. */
export const ADD_FULL = 0;
export const ADD_NEW_KEY = 1;
export const ADD_SAME_KEY = 2;

export class DataBlockBuilder {
  /** Output in [0, outputBytes), waiting rows behind it. Replaced when rows need more room. */
  memory: BlockMemory;
  count = 0;

  private readonly blockBytes: number;
  private readonly checksumBytes: number;
  private readonly outputBytes: number;
  private readonly rowStarts: Int32Array;
  private readonly keyLengths: Int32Array;
  private readonly versions: Float64Array;
  private readonly kinds: Uint8Array;
  private rowsEnd: number;
  /** Bytes that all keys share. */
  private prefixLength = 0;
  private keyBytesSum = 0;
  private valueBytesSum = 0;
  private minVersion = 0;
  private maxVersion = 0;
  private hasKinds = false;

  constructor(blockBytes: number, checksumBytes: number, outputBytes: number) {
    assert(outputBytes % 4 === 0, "output is made of whole words");
    this.blockBytes = blockBytes;
    this.checksumBytes = checksumBytes;
    this.outputBytes = outputBytes;
    this.memory = new BlockMemory(outputBytes + wholeWords(2 * blockBytes));
    this.rowsEnd = outputBytes;
    const rowsMax = Math.ceil(blockBytes / 8);
    this.rowStarts = new Int32Array(rowsMax);
    this.keyLengths = new Int32Array(rowsMax);
    this.versions = new Float64Array(rowsMax);
    this.kinds = new Uint8Array(rowsMax);
  }

  /** Adds a row, or answers `ADD_FULL` and changes nothing. Rows must come in internal order. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    version: number,
    kind: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
  ): number {
    const row = this.count;
    let prefixLength = keyLength;
    let minVersion = version;
    let maxVersion = version;
    let same = false;
    if (row > 0) {
      const { bytes } = this.memory;
      const firstAt = this.rowStarts[0] as number;
      const shared = keyLength < this.prefixLength ? keyLength : this.prefixLength;
      prefixLength = 0;
      while (prefixLength < shared && bytes[firstAt + prefixLength] === key[keyStart + prefixLength])
        prefixLength++;
      // The row before shares the block's prefix, so both keys agree up to here and the order is decided behind it.
      const lastLength = this.keyLengths[row - 1] as number;
      const order = compareBytes(
        bytes,
        (this.rowStarts[row - 1] as number) + prefixLength,
        lastLength - prefixLength,
        key,
        keyStart + prefixLength,
        keyLength - prefixLength,
      );
      same = order === 0;
      assert(
        order < 0 || (same && (this.versions[row - 1] as number) > version),
        "rows come in internal order",
      );
      if (this.minVersion < minVersion) minVersion = this.minVersion;
      if (this.maxVersion > maxVersion) maxVersion = this.maxVersion;
    }
    const hasKinds = this.hasKinds || kind !== KIND_PUT;
    const keyBytesSum = this.keyBytesSum + keyLength;
    const valueBytesSum = this.valueBytesSum + valueLength;
    if (
      !this.fits(row + 1, prefixLength, keyBytesSum + valueBytesSum, minVersion !== maxVersion, hasKinds) ||
      maxVersion - minVersion >= TWO_TO_32
    ) {
      return ADD_FULL;
    }

    const at = this.rowsEnd;
    const end = at + keyLength + valueLength;
    if (end > this.memory.bytes.length) this.grow(end);
    const target = this.memory.bytes;
    if (value === key && valueStart === keyStart + keyLength) {
      copyInto(target, at, key, keyStart, keyLength + valueLength);
    } else {
      copyInto(target, at, key, keyStart, keyLength);
      copyInto(target, at + keyLength, value, valueStart, valueLength);
    }
    this.rowStarts[row] = at;
    this.keyLengths[row] = keyLength;
    this.versions[row] = version;
    this.kinds[row] = kind;
    this.rowsEnd = end;
    this.count = row + 1;
    this.prefixLength = prefixLength;
    this.keyBytesSum = keyBytesSum;
    this.valueBytesSum = valueBytesSum;
    this.minVersion = minVersion;
    this.maxVersion = maxVersion;
    this.hasKinds = hasKinds;
    return same ? ADD_SAME_KEY : ADD_NEW_KEY;
  }

  /** Lays the block out at `memory.bytes[at]`, inside the output area. Returns the body's length. */
  encode(at: number): number {
    const { words, halves, bytes } = this.memory;
    const count = this.count;
    const rowStarts = this.rowStarts;
    const keyLengths = this.keyLengths;
    const prefixLength = count === 1 ? 0 : this.prefixLength;
    const hasVersions = this.minVersion !== this.maxVersion;
    const wordsAt = at >> 2;
    words[wordsAt] =
      count | ((hasVersions ? FLAG_VERSIONS : 0) << 16) | ((this.hasKinds ? FLAG_KINDS : 0) << 16);
    words[wordsAt + 2] = this.minVersion % TWO_TO_32;
    words[wordsAt + 3] = Math.floor(this.minVersion / TWO_TO_32);
    const headsAt = wordsAt + 4;
    const offsetsAt = (at >> 1) + 8 + 2 * count;
    let next = at + BODY_HEADER_BYTES + 8 * count;
    if (hasVersions) {
      const deltasAt = next >> 2;
      for (let row = 0; row < count; row++) {
        words[deltasAt + row] = (this.versions[row] as number) - this.minVersion;
      }
      next += 4 * count;
    }
    if (this.hasKinds) {
      for (let row = 0; row < count; row++) bytes[next + row] = this.kinds[row] as number;
      next += count;
    }
    const firstAt = rowStarts[0] as number;
    bytes.copyWithin(next, firstAt, firstAt + prefixLength);
    next += prefixLength;
    for (let row = 0; row < count; row++) {
      const start = rowStarts[row] as number;
      const keyLength = keyLengths[row] as number;
      const end = row + 1 < count ? (rowStarts[row + 1] as number) : this.rowsEnd;
      words[headsAt + row] = keyHead32(bytes, start, keyLength, prefixLength);
      halves[offsetsAt + row] = next - at;
      halves[offsetsAt + count + row] = keyLength - prefixLength;
      bytes.copyWithin(next, start + prefixLength, end);
      next += end - start - prefixLength;
    }
    words[wordsAt + 1] = next - at;
    return next - at;
  }

  /** Start in `memory.bytes` of the key of the last row. */
  get lastKeyStart(): number {
    return this.rowStarts[this.count - 1] as number;
  }

  get lastKeyLength(): number {
    return this.keyLengths[this.count - 1] as number;
  }

  get lastVersion(): number {
    return this.versions[this.count - 1] as number;
  }

  /** Bytes that wait, without columns: enough for an estimate of the table's size. */
  get waitingBytes(): number {
    return this.rowsEnd - this.outputBytes + 8 * this.count;
  }

  /** Forgets the rows; the memory stays. */
  reset(): void {
    this.count = 0;
    this.rowsEnd = this.outputBytes;
    this.prefixLength = 0;
    this.keyBytesSum = 0;
    this.valueBytesSum = 0;
    this.hasKinds = false;
  }

  private fits(
    count: number,
    prefixLength: number,
    rawBytes: number,
    versions: boolean,
    kinds: boolean,
  ): boolean {
    const columns = BODY_HEADER_BYTES + (8 + (versions ? 4 : 0) + (kinds ? 1 : 0)) * count;
    const saved = count === 1 ? 0 : (count - 1) * prefixLength;
    return storedBytes(columns + rawBytes - saved, this.checksumBytes) <= this.blockBytes;
  }

  /** Long shared prefixes make the waiting rows larger than the block that they become. */
  private grow(end: number): void {
    const grown = new BlockMemory(wholeWords(2 * end));
    grown.bytes.set(this.memory.bytes);
    this.memory = grown;
  }
}

/** The stored-to-be block of one row that fits no ordinary block: body, and room for the trailer. */
export function encodeSingleRow(
  checksumBytes: number,
  key: Uint8Array,
  keyStart: number,
  keyLength: number,
  version: number,
  kind: number,
  value: Uint8Array,
  valueStart: number,
  valueLength: number,
): { readonly bytes: Uint8Array; readonly bodyBytes: number } {
  const hasKinds = kind !== KIND_PUT;
  const rowAt = BODY_HEADER_BYTES + 8 + (hasKinds ? 1 : 0);
  const bodyBytes = rowAt + keyLength + valueLength;
  const { bytes, words, halves } = new BlockMemory(storedBytes(bodyBytes, checksumBytes));
  words[0] = 1 | ((hasKinds ? FLAG_KINDS : 0) << 16);
  words[1] = bodyBytes;
  words[2] = version % TWO_TO_32;
  words[3] = Math.floor(version / TWO_TO_32);
  words[4] = keyHead32(key, keyStart, keyLength, 0);
  halves[10] = rowAt;
  halves[11] = keyLength;
  if (hasKinds) bytes[BODY_HEADER_BYTES + 8] = kind;
  bytes.set(key.subarray(keyStart, keyStart + keyLength), rowAt);
  bytes.set(value.subarray(valueStart, valueStart + valueLength), rowAt + keyLength);
  return { bytes, bodyBytes };
}

function copyInto(target: Uint8Array, at: number, source: Uint8Array, start: number, length: number): void {
  if (length <= LOOP_COPY_MAX) {
    for (let i = 0; i < length; i++) target[at + i] = source[start + i] as number;
  } else {
    target.set(source.subarray(start, start + length), at);
  }
}
