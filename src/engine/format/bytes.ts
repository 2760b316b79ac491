/**
 * Order and arithmetic of byte strings. One comparator for the whole engine: unsigned, bytewise, shorter first.
 * Functions take (buffer, start, length) triples so that hot paths never allocate views.
 */

/** A byte string of length zero: the smallest key. */
export const EMPTY_BYTES = new Uint8Array(0);

/** Negative, zero or positive as a < b, a = b, a > b. */
export function compareBytes(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number,
): number {
  const shared = aLength < bLength ? aLength : bLength;
  for (let i = 0; i < shared; i++) {
    const difference = (a[aStart + i] as number) - (b[bStart + i] as number);
    if (difference !== 0) return difference;
  }
  return aLength - bLength;
}

export function compareKeys(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(a, 0, a.length, b, 0, b.length);
}

export function equalKeys(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, 0, a.length, b, 0, b.length) === 0;
}

/** Number of leading bytes that both strings share. */
export function commonPrefixLength(
  a: Uint8Array,
  aStart: number,
  aLength: number,
  b: Uint8Array,
  bStart: number,
  bLength: number,
): number {
  const shared = aLength < bLength ? aLength : bLength;
  let i = 0;
  while (i < shared && a[aStart + i] === b[bStart + i]) i++;
  return i;
}

/**
 * The numeric head of a key: its bytes [skip, skip + 6) as one big-endian number below 2^48, zero-padded. For two keys
 * that share their first `skip` bytes, head(a) < head(b) implies a < b; equal heads decide nothing.
 */
export function keyHead48(bytes: Uint8Array, start: number, length: number, skip: number): number {
  const at = start + skip;
  const left = length - skip;
  if (left >= 6) {
    return (
      (((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)) *
        0x1000000 +
      (((bytes[at + 3] as number) << 16) | ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number))
    );
  }
  let high = 0;
  let low = 0;
  if (left > 0) high = (bytes[at] as number) << 16;
  if (left > 1) high |= (bytes[at + 1] as number) << 8;
  if (left > 2) high |= bytes[at + 2] as number;
  if (left > 3) low = (bytes[at + 3] as number) << 16;
  if (left > 4) low |= (bytes[at + 4] as number) << 8;
  return high * 0x1000000 + low;
}

/** As `keyHead48` with four bytes: a number below 2^32. */
export function keyHead32(bytes: Uint8Array, start: number, length: number, skip: number): number {
  const at = start + skip;
  const left = length - skip;
  let head = 0;
  if (left > 0) head = (bytes[at] as number) << 24;
  if (left > 1) head |= (bytes[at + 1] as number) << 16;
  if (left > 2) head |= (bytes[at + 2] as number) << 8;
  if (left > 3) head |= bytes[at + 3] as number;
  return head >>> 0;
}

/** A copy that shares no memory with the source. */
export function copyOf(bytes: Uint8Array, start: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(start, start + length));
  return copy;
}

/** The smallest key greater than `key`: the key followed by a zero byte. */
export function keyAfter(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}

/**
 * A short byte string s with `lower` <= s < `upper`, for index separators (LevelDB's shortest separator).
 * Requires lower < upper.
 */
export function shortestSeparator(lower: Uint8Array, upper: Uint8Array): Uint8Array {
  const shared = commonPrefixLength(lower, 0, lower.length, upper, 0, upper.length);
  if (shared < lower.length && shared < upper.length) {
    const digit = lower[shared] as number;
    if (digit + 1 < (upper[shared] as number) && shared + 1 < lower.length) {
      const short = copyOf(lower, 0, shared + 1);
      short[shared] = digit + 1;
      return short;
    }
  }
  return lower;
}

/** Text for error messages and traces: printable ASCII as is, other bytes as \xNN, cut at 40 bytes. */
export function printableKey(key: Uint8Array): string {
  let text = "";
  for (const byte of key.subarray(0, 40)) {
    text +=
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return key.length > 40 ? `${text}… (${key.length} bytes)` : text;
}
