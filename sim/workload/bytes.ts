/**
 * Keys and values as the simulator handles them. A key is a "byte string": one character per byte (latin1), so that it
 * is plain JSON, a map key, and ordered by `<` exactly as the engine orders bytes. A value is named by the write that
 * made it: (writer, length) determine its bytes, so the model stores two numbers and a wrong byte is always noticed.
 */
import { assert } from "../../src/platform/assert.js";

/** Values start with their writer's number where they have the room. */
const WRITER_BYTES = 4;
const PATTERN_BYTES = 1 << 16;
const PATTERN = pattern();

/** Longest value that `valueBytes` makes. */
export const VALUE_LENGTH_MAX = PATTERN_BYTES / 2;

const keyCache = new Map<string, Uint8Array>();
const KEY_CACHE_MAX = 4096;

/** The bytes of a byte string. The result is shared: callers must not change it. */
export function keyBytes(key: string): Uint8Array {
  let bytes = keyCache.get(key);
  if (bytes === undefined) {
    bytes = new Uint8Array(Buffer.from(key, "latin1"));
    if (keyCache.size >= KEY_CACHE_MAX) keyCache.clear();
    keyCache.set(key, bytes);
  }
  return bytes;
}

/** The byte string of a key that the engine returned. */
export function keyText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The value that write number `writer` stores: its number, then bytes that depend on it, `length` in all. */
export function valueBytes(writer: number, length: number): Uint8Array {
  return sharedValueBytes(writer, length).slice();
}

const shared = new Uint8Array(VALUE_LENGTH_MAX);
const COPY_BY_LOOP_MAX = 64;

/** As `valueBytes`, in memory that the next call overwrites: for callers that copy at once, as the store does. */
export function sharedValueBytes(writer: number, length: number): Uint8Array {
  assert(length >= 0 && length <= VALUE_LENGTH_MAX, "value length in range");
  const start = patternStart(writer);
  if (length > COPY_BY_LOOP_MAX) shared.set(PATTERN.subarray(start, start + length));
  else for (let i = 0; i < length; i++) shared[i] = PATTERN[start + i] as number;
  if (length >= WRITER_BYTES) {
    shared[0] = writer & 0xff;
    shared[1] = (writer >>> 8) & 0xff;
    shared[2] = (writer >>> 16) & 0xff;
    shared[3] = writer >>> 24;
  }
  return shared.subarray(0, length);
}

/** Whether `value` is byte for byte what `valueBytes(writer, length)` gives. */
export function isValueOf(value: Uint8Array, writer: number, length: number): boolean {
  if (value.length !== length) return false;
  const start = patternStart(writer);
  if (length < WRITER_BYTES) {
    for (let i = 0; i < length; i++) if (value[i] !== PATTERN[start + i]) return false;
    return true;
  }
  if (writerOf(value) !== writer) return false;
  if (length > 32) {
    return (
      Buffer.compare(value.subarray(WRITER_BYTES), PATTERN.subarray(start + WRITER_BYTES, start + length)) ===
      0
    );
  }
  for (let i = WRITER_BYTES; i < length; i++) if (value[i] !== PATTERN[start + i]) return false;
  return true;
}

/** The writer that a value claims, or null when it is too short to carry one. */
export function writerOf(value: Uint8Array): number | null {
  if (value.length < WRITER_BYTES) return null;
  const low = (value[0] as number) | ((value[1] as number) << 8) | ((value[2] as number) << 16);
  return low + (value[3] as number) * 0x100_0000;
}

/** A byte string for people: printable ASCII as is, the rest as \xNN, cut at 40 bytes. */
export function shownKey(key: string): string {
  let shown = "";
  for (const character of key.slice(0, 40)) {
    const code = character.charCodeAt(0);
    const plain = code >= 0x20 && code < 0x7f && code !== 0x5c;
    shown += plain ? character : `\\x${code.toString(16).padStart(2, "0")}`;
  }
  return key.length > 40 ? `"${shown}…" (${key.length} bytes)` : `"${shown}"`;
}

/** Writers start at different places of the pattern. The multiplier is odd, so neighbours lie far apart. */
function patternStart(writer: number): number {
  return (Math.imul(writer, 0x9e37_79b1) >>> 16) & (PATTERN_BYTES / 2 - 1);
}

/** Fixed noise with some runs of equal bytes, so that compression has something to do. */
function pattern(): Uint8Array {
  const bytes = new Uint8Array(PATTERN_BYTES);
  let state = 0x2545_f491;
  for (let i = 0; i < PATTERN_BYTES; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = (state >>> 24) & ((i & 0x100) === 0 ? 0xff : 0x03);
  }
  return bytes;
}
