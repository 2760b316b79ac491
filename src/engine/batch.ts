/**
 * A batch of writes that commits as one: all or nothing, at one commit version. Operations are encoded when they are
 * added, in the layout of the log, so the caller may reuse its buffers at once and a commit copies bytes only once.
 * Of two operations on one key the later wins; a range delete covers what the batch wrote before it, not after it.
 * Does not own: versions, durability, checks against other commits.
 */
import { StillwaterError } from "../platform/errors.js";
import { mutant } from "../platform/probes.js";
import { compareBytes, EMPTY_BYTES } from "./format/bytes.js";
import {
  KEY_BYTES_MAX,
  KIND_DELETE,
  KIND_NONE,
  KIND_PUT,
  KIND_RANGE_DELETE,
  OPERATION_HEADER_BYTES,
  operationBytes,
  operationKeyLength,
  operationKind,
  operationLength,
  VALUE_BYTES_MAX,
} from "./format/operation.js";

/** Largest encoded batch. Bounds the log segment that a batch may need for itself. */
export const BATCH_BYTES_MAX = 128 * 1024 * 1024;

const FIRST_CAPACITY_BYTES = 256;
/** A cleared batch keeps at most this much memory. */
const KEPT_CAPACITY_BYTES = 1024 * 1024;

/** Writes that are committed together: after any crash all of them are there, or none. */
export class Batch {
  #bytes: Uint8Array;
  #words: Uint32Array;
  #used = 0;
  #count = 0;

  constructor() {
    const buffer = new ArrayBuffer(FIRST_CAPACITY_BYTES);
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
  }

  /** Operations added so far. */
  get count(): number {
    return this.#count;
  }

  /** Encoded size in bytes. */
  get byteLength(): number {
    return this.#used;
  }

  /** Sets `key` to `value`. Throws `INVALID_ARGUMENT`, `KEY_TOO_LARGE`, `VALUE_TOO_LARGE`, `BATCH_TOO_LARGE`. */
  put(key: Uint8Array, value: Uint8Array): this {
    checkKey(key);
    checkValue(value);
    this.#append(KIND_PUT, key, value);
    return this;
  }

  /** Removes `key`; nothing happens when it is not there. */
  delete(key: Uint8Array): this {
    checkKey(key);
    this.#append(KIND_DELETE, key, EMPTY_BYTES);
    return this;
  }

  /**
   * Removes every key in [begin, end). An empty or inverted range removes nothing. Costs one pass over the operations
   * that the batch holds already, so add range deletes first where there are many.
   */
  deleteRange(begin: Uint8Array, end: Uint8Array): this {
    checkKey(begin);
    checkKey(end);
    if (compareBytes(begin, 0, begin.length, end, 0, end.length) >= 0) return this;
    if (!mutant("B3-range-delete-spares-own-batch")) this.#dropCovered(begin, end);
    this.#append(KIND_RANGE_DELETE, begin, end);
    return this;
  }

  /** Adds an operation that does nothing, so that a batch without others still gets a version of its own. */
  nothing(): this {
    this.#append(KIND_NONE, EMPTY_BYTES, EMPTY_BYTES);
    return this;
  }

  /** Empties the batch for reuse. Memory that one large commit has needed is given back. */
  clear(): void {
    if (this.#bytes.length > KEPT_CAPACITY_BYTES) this.#allocate(FIRST_CAPACITY_BYTES);
    this.#used = 0;
    this.#count = 0;
  }

  /** Internal: makes room for `operations` of `bytes` keys and values together at once, rather than growing to it. */
  expect(operations: number, bytes: number): void {
    const needed = this.#used + operations * operationBytes(0, 0) + bytes + 3 * operations;
    if (needed > this.#bytes.length && needed <= BATCH_BYTES_MAX) this.#grow((needed + 3) & ~3);
  }

  /** Internal: the encoded operations are `bytes[0, byteLength)`. */
  encoded(): Uint8Array {
    return this.#bytes;
  }

  /** Internal: a copy that later changes to this batch do not touch. */
  clone(): Batch {
    const copy = new Batch();
    copy.#reserve(this.#used);
    copy.#bytes.set(this.#bytes.subarray(0, this.#used));
    copy.#used = this.#used;
    copy.#count = this.#count;
    return copy;
  }

  #append(kind: number, key: Uint8Array, value: Uint8Array): void {
    const length = operationBytes(key.length, value.length);
    if (this.#used + length > BATCH_BYTES_MAX) {
      throw new StillwaterError(
        "BATCH_TOO_LARGE",
        `a batch holds at most ${BATCH_BYTES_MAX} bytes. Split it into several.`,
      );
    }
    this.#reserve(this.#used + length);
    encodeOperation(this.#bytes, this.#words, this.#used, kind, key, value);
    this.#used += length;
    this.#count++;
  }

  /** A range delete at the same version would lose against earlier puts of this batch, so those are voided here. */
  #dropCovered(begin: Uint8Array, end: Uint8Array): void {
    const bytes = this.#bytes;
    const words = this.#words;
    for (let at = 0; at < this.#used; at += operationLength(words, at)) {
      const kind = operationKind(words, at);
      if (kind !== KIND_PUT && kind !== KIND_DELETE) continue;
      const keyAt = at + OPERATION_HEADER_BYTES;
      const keyLength = operationKeyLength(words, at);
      if (compareBytes(bytes, keyAt, keyLength, begin, 0, begin.length) < 0) continue;
      if (compareBytes(bytes, keyAt, keyLength, end, 0, end.length) >= 0) continue;
      words[at >> 2] = keyLength | (KIND_NONE << 16);
    }
  }

  #reserve(capacity: number): void {
    if (capacity <= this.#bytes.length) return;
    let grown = this.#bytes.length * 2;
    while (grown < capacity) grown *= 2;
    this.#grow(grown);
  }

  #grow(capacity: number): void {
    const before = this.#bytes;
    this.#allocate(capacity);
    this.#bytes.set(before.subarray(0, this.#used));
  }

  #allocate(capacity: number): void {
    const buffer = new ArrayBuffer(capacity);
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
  }
}

/** Writes one operation at the 4-byte aligned offset `at`; the caller has made sure of the room. Version delta is 0. */
export function encodeOperation(
  bytes: Uint8Array,
  words: Uint32Array,
  at: number,
  kind: number,
  key: Uint8Array,
  value: Uint8Array,
): void {
  // The last word first: what the key and value do not overwrite of it is the padding, and must be zero. The value
  // length and version words come after, for an operation without bytes ends in the header.
  words[((at + operationBytes(key.length, value.length)) >> 2) - 1] = 0;
  const word = at >> 2;
  words[word] = key.length | (kind << 16);
  words[word + 1] = value.length;
  words[word + 2] = 0;
  copyInto(bytes, at + OPERATION_HEADER_BYTES, key);
  copyInto(bytes, at + OPERATION_HEADER_BYTES + key.length, value);
}

/** Copies short strings byte by byte: below some 24 bytes that beats the call into the runtime. */
function copyInto(target: Uint8Array, at: number, source: Uint8Array): void {
  const length = source.length;
  if (length > 24) {
    target.set(source, at);
    return;
  }
  for (let i = 0; i < length; i++) target[at + i] = source[i] as number;
}

export function checkKey(key: Uint8Array): void {
  if (!(key instanceof Uint8Array)) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `a key must be a Uint8Array or Buffer, but is ${describe(key)}. Encode strings first, for example with Buffer.from(text).`,
    );
  }
  if (key.length > KEY_BYTES_MAX) {
    throw new StillwaterError(
      "KEY_TOO_LARGE",
      `a key holds at most ${KEY_BYTES_MAX} bytes, but this one has ${key.length}.`,
    );
  }
}

export function checkValue(value: Uint8Array): void {
  if (!(value instanceof Uint8Array)) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `a value must be a Uint8Array or Buffer, but is ${describe(value)}. Encode it first, for example with Buffer.from(text).`,
    );
  }
  if (value.length > VALUE_BYTES_MAX) {
    throw new StillwaterError(
      "VALUE_TOO_LARGE",
      `a value holds at most ${VALUE_BYTES_MAX} bytes, but this one has ${value.length}. Split it over several keys.`,
    );
  }
}

function describe(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `of type ${typeof value}`;
}
