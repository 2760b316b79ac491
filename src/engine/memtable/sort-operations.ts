/**
 * Sorts the operations of a whole segment at once, for the flush and for recovery: several times cheaper than
 * inserting them into a tree. Order: key ascending, version descending; of operations with equal key and version only
 * the last in the log is kept. Correct for all keys, and O(n log n) comparisons at worst.
 *
 * Method: the bytes that follow the keys' common prefix are folded into one number per key. Each byte position counts
 * in base "number of distinct bytes that occur there", which keeps the order and leaves out bits that say nothing
 * (decimal digits, constant bytes). Positions are taken until ties are rare, judged by each position's collision
 * probability. The numbers go through a least-significant-digit radix sort (Hollerith 1889; Knuth vol. 3, 5.2.5).
 * Groups that still tie are sorted the same way below their own common prefix, or, when small or too deep, by a merge
 * sort that compares bytes.
 */
import { assert } from "../../platform/assert.js";
import { commonPrefixLength } from "../format/bytes.js";
import { OPERATION_HEADER_BYTES } from "../format/operation.js";

/**
 * Sorts `offsets[0, count)`: byte offsets of operations, given in log order. Returns how many are kept; those stand
 * first, in the final order, and the rest of `offsets` is undefined.
 */
export function sortOperations(
  bytes: Uint8Array,
  words: Uint32Array,
  offsets: Uint32Array | Int32Array,
  count: number,
): number {
  assert(count <= offsets.length, "as many operations are sorted as there are");
  if (count === 0) return 0;
  const sorter = new OperationSorter(bytes, words, offsets, count);
  if (!sorter.isSorted()) sorter.sort(0, count, 0, 0);
  const kept = sorter.keepLatest();
  offsets.set(sorter.offsets.subarray(0, kept));
  return kept;
}

/** Smaller groups are compared: below this the tables of a radix pass cost more than they save. */
const RADIX_MIN = 96;
const INSERTION_MAX = 12;
/** Levels of groups within groups. Bounds the work on keys like a, aa, aaa… where every level splits off little. */
const DEPTH_MAX = 8;

const WINDOW_BYTES = 8;
/** Codes stay below 2^31, so that their arithmetic is on small integers. */
const CODE_LIMIT = 2 ** 31;
/** Bits per radix pass: wide digits save passes, narrow ones save clearing buckets for few operations. */
const DIGIT_BITS_WIDE = 11;
const DIGIT_BITS_NARROW = 8;
const WIDE_DIGITS_MIN = 4096;
/** Expected ties per operation at which no further byte is worth its cost. */
const TIES_MAX = 1 / 8;

/** How many keys are looked at to guess the common prefix of a group. */
const PREFIX_SAMPLES = 32;
const PREFIX_TOO_LONG = 0;

// Tables of a radix pass. Shared by all sorts: nothing here runs interleaved with itself.
const histograms = new Uint32Array(WINDOW_BYTES * 256);
const ranks = new Uint8Array(WINDOW_BYTES * 256);
const radixes = new Uint32Array(WINDOW_BYTES);
const buckets = new Uint32Array(1 << DIGIT_BITS_WIDE);

class OperationSorter {
  /** What is being sorted; the other arrays hold something for the operation at the same index. */
  offsets: Uint32Array;
  private codes: Uint32Array = new Uint32Array(0);
  private spareOffsets: Uint32Array;
  private spareCodes: Uint32Array = new Uint32Array(0);
  /** The eight key bytes after the common prefix, zero-padded. */
  private windows: Uint8Array = new Uint8Array(0);
  /** Whether any two compared operations had equal key and version. */
  private tied = false;
  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;

  constructor(bytes: Uint8Array, words: Uint32Array, offsets: Uint32Array | Int32Array, count: number) {
    this.bytes = bytes;
    this.words = words;
    this.offsets = new Uint32Array(count);
    this.offsets.set(offsets.subarray(0, count));
    this.spareOffsets = new Uint32Array(count);
    if (count >= RADIX_MIN) {
      this.codes = new Uint32Array(count);
      this.spareCodes = new Uint32Array(count);
      this.windows = new Uint8Array(count * WINDOW_BYTES);
    }
  }

  /** Whether all stand in order already, as a bulk load's do. */
  isSorted(): boolean {
    const offsets = this.offsets;
    for (let i = 1; i < offsets.length; i++) {
      if (this.compare(offsets[i - 1] as number, offsets[i] as number, 0) > 0) return false;
    }
    return true;
  }

  /** Sorts [from, to), whose keys share their first `skip` bytes. Stable. */
  sort(from: number, to: number, skip: number, depth: number): void {
    if (to - from < RADIX_MIN || depth === DEPTH_MAX) {
      this.mergeSort(from, to, skip);
      return;
    }
    // A few keys mostly tell the prefix of all, and looking at every key is a cache miss each: guess, then check.
    let prefix = this.sharedPrefix(from, to, skip, Math.ceil((to - from) / PREFIX_SAMPLES));
    let codeLimit = this.encode(from, to, skip, prefix);
    if (codeLimit === PREFIX_TOO_LONG) {
      prefix = this.sharedPrefix(from, to, skip, 1);
      codeLimit = this.encode(from, to, skip, prefix);
    }
    if (codeLimit === 1) {
      this.mergeSort(from, to, prefix);
      return;
    }
    this.radixSort(from, to, codeLimit);
    const codes = this.codes;
    let group = from;
    for (let i = from + 1; i <= to; i++) {
      if (i < to && codes[i] === codes[group]) continue;
      if (i - group > 1) this.sort(group, i, prefix, depth + 1);
      group = i;
    }
  }

  /** Drops all but the last of neighbours with equal key and version; returns how many are left. */
  keepLatest(): number {
    const offsets = this.offsets;
    if (!this.tied) return offsets.length;
    let kept = 0;
    for (let i = 1; i < offsets.length; i++) {
      if (this.compare(offsets[kept] as number, offsets[i] as number, 0) !== 0) kept++;
      offsets[kept] = offsets[i] as number;
    }
    return kept + 1;
  }

  /** Length of the prefix shared by every `step`-th key. */
  private sharedPrefix(from: number, to: number, skip: number, step: number): number {
    const { bytes, words, offsets } = this;
    const first = offsets[from] as number;
    const start = first + OPERATION_HEADER_BYTES;
    let shared = (words[first >>> 2] as number) & 0xffff;
    for (let i = from + step; i < to && shared > skip; i += step) {
      const other = offsets[i] as number;
      const length = (words[other >>> 2] as number) & 0xffff;
      shared = commonPrefixLength(bytes, start, shared, bytes, other + OPERATION_HEADER_BYTES, length);
    }
    return shared;
  }

  /**
   * Gives each operation its code, a number below the returned limit: 1 when the windows behind `prefix` say nothing.
   * Returns PREFIX_TOO_LONG when not all keys share that prefix, of which the first `skip` bytes are known to be.
   */
  private encode(from: number, to: number, skip: number, prefix: number): number {
    const { bytes, words, offsets, windows } = this;
    const first = (offsets[from] as number) + OPERATION_HEADER_BYTES;
    histograms.fill(0);
    for (let i = from; i < to; i++) {
      const offset = offsets[i] as number;
      const start = offset + OPERATION_HEADER_BYTES;
      const left = ((words[offset >>> 2] as number) & 0xffff) - prefix;
      if (left < 0) return PREFIX_TOO_LONG;
      for (let k = skip; k < prefix; k++) {
        if (bytes[start + k] !== bytes[first + k]) return PREFIX_TOO_LONG;
      }
      const at = start + prefix;
      const window = i * WINDOW_BYTES;
      for (let k = 0; k < WINDOW_BYTES; k++) {
        const byte = k < left ? (bytes[at + k] as number) : 0;
        windows[window + k] = byte;
        const cell = (k << 8) + byte;
        histograms[cell] = (histograms[cell] as number) + 1;
      }
    }
    let limit = 1;
    let used = 0;
    for (let ties = to - from; used < WINDOW_BYTES && ties > TIES_MAX; used++) {
      const collisions = rankBytes(used, to - from);
      if (limit * (radixes[used] as number) > CODE_LIMIT) break;
      limit *= radixes[used] as number;
      ties *= collisions;
    }
    const codes = this.codes;
    for (let i = from; i < to; i++) {
      const window = i * WINDOW_BYTES;
      let code = 0;
      for (let k = 0; k < used; k++) {
        code = code * (radixes[k] as number) + (ranks[(k << 8) + (windows[window + k] as number)] as number);
      }
      codes[i] = code;
    }
    return limit;
  }

  private radixSort(from: number, to: number, codeLimit: number): void {
    const bits = 32 - Math.clz32(codeLimit - 1);
    const passes = Math.ceil(bits / (to - from < WIDE_DIGITS_MIN ? DIGIT_BITS_NARROW : DIGIT_BITS_WIDE));
    const digitBits = Math.ceil(bits / passes);
    let sourceOffsets = this.offsets;
    let sourceCodes = this.codes;
    let targetOffsets = this.spareOffsets;
    let targetCodes = this.spareCodes;
    for (let pass = 0; pass < passes; pass++) {
      scatter(sourceOffsets, sourceCodes, targetOffsets, targetCodes, from, to, pass * digitBits, digitBits);
      [sourceOffsets, targetOffsets] = [targetOffsets, sourceOffsets];
      [sourceCodes, targetCodes] = [targetCodes, sourceCodes];
    }
    if (sourceOffsets === this.spareOffsets) {
      this.offsets.set(this.spareOffsets.subarray(from, to), from);
      this.codes.set(this.spareCodes.subarray(from, to), from);
    }
  }

  /** Bottom-up, over runs made by insertion. Versions of one key stand in the log the other way round: linear. */
  private mergeSort(from: number, to: number, skip: number): void {
    if (this.isDescending(from, to, skip)) {
      reverse(this.offsets, from, to);
      return;
    }
    for (let start = from; start < to; start += INSERTION_MAX) {
      this.insertionSort(start, Math.min(start + INSERTION_MAX, to), skip);
    }
    for (let width = INSERTION_MAX; width < to - from; width *= 2) {
      for (let start = from; start + width < to; start += width * 2) {
        this.mergeRuns(start, start + width, Math.min(start + width * 2, to), skip);
      }
    }
  }

  private isDescending(from: number, to: number, skip: number): boolean {
    const offsets = this.offsets;
    for (let i = from + 1; i < to; i++) {
      if (this.compare(offsets[i - 1] as number, offsets[i] as number, skip) <= 0) return false;
    }
    return true;
  }

  private insertionSort(from: number, to: number, skip: number): void {
    const offsets = this.offsets;
    for (let i = from + 1; i < to; i++) {
      const moving = offsets[i] as number;
      let at = i;
      while (at > from && this.compare(offsets[at - 1] as number, moving, skip) > 0) {
        offsets[at] = offsets[at - 1] as number;
        at--;
      }
      offsets[at] = moving;
    }
  }

  private mergeRuns(from: number, middle: number, to: number, skip: number): void {
    const { offsets, spareOffsets } = this;
    if (this.compare(offsets[middle - 1] as number, offsets[middle] as number, skip) <= 0) return;
    for (let i = from; i < middle; i++) spareOffsets[i] = offsets[i] as number;
    let left = from;
    let right = middle;
    for (let at = from; left < middle; at++) {
      const takesLeft =
        right === to || this.compare(spareOffsets[left] as number, offsets[right] as number, skip) <= 0;
      offsets[at] = (takesLeft ? spareOffsets[left++] : offsets[right++]) as number;
    }
  }

  private compare(a: number, b: number, skip: number): number {
    const { bytes, words } = this;
    const aLength = (words[a >>> 2] as number) & 0xffff;
    const bLength = (words[b >>> 2] as number) & 0xffff;
    const shared = aLength < bLength ? aLength : bLength;
    const aStart = a + OPERATION_HEADER_BYTES;
    const bStart = b + OPERATION_HEADER_BYTES;
    for (let i = skip; i < shared; i++) {
      const difference = (bytes[aStart + i] as number) - (bytes[bStart + i] as number);
      if (difference !== 0) return difference;
    }
    if (aLength !== bLength) return aLength - bLength;
    const order = (words[(b >>> 2) + 2] as number) - (words[(a >>> 2) + 2] as number);
    if (order === 0) this.tied = true;
    return order;
  }
}

function reverse(offsets: Uint32Array, from: number, to: number): void {
  for (let low = from, high = to - 1; low < high; low++, high--) {
    const moving = offsets[low] as number;
    offsets[low] = offsets[high] as number;
    offsets[high] = moving;
  }
}

/**
 * Fills the ranks and the radix of one window position from its histogram. Returns the chance that two of the `count`
 * operations agree there.
 */
function rankBytes(position: number, count: number): number {
  let distinct = 0;
  let squares = 0;
  for (let cell = position << 8; cell < (position + 1) << 8; cell++) {
    const occurrences = histograms[cell] as number;
    if (occurrences === 0) continue;
    ranks[cell] = distinct++;
    squares += occurrences * occurrences;
  }
  radixes[position] = distinct;
  return squares / (count * count);
}

/** One stable counting pass on `digitBits` bits of the codes from bit `shift` on. */
function scatter(
  sourceOffsets: Uint32Array,
  sourceCodes: Uint32Array,
  targetOffsets: Uint32Array,
  targetCodes: Uint32Array,
  from: number,
  to: number,
  shift: number,
  digitBits: number,
): void {
  const mask = (1 << digitBits) - 1;
  buckets.fill(0, 0, mask + 1);
  for (let i = from; i < to; i++) {
    const digit = ((sourceCodes[i] as number) >>> shift) & mask;
    buckets[digit] = (buckets[digit] as number) + 1;
  }
  let next = from;
  for (let digit = 0; digit <= mask; digit++) {
    const size = buckets[digit] as number;
    buckets[digit] = next;
    next += size;
  }
  for (let i = from; i < to; i++) {
    const code = sourceCodes[i] as number;
    const digit = (code >>> shift) & mask;
    const at = buckets[digit] as number;
    buckets[digit] = at + 1;
    targetOffsets[at] = sourceOffsets[i] as number;
    targetCodes[at] = code;
  }
}
