/**
 * One operation as bytes: the layout shared by batches, write-ahead log records and the memtable's arena, so that
 * a committed operation is copied once and never re-encoded. Little-endian, 4-byte aligned:
 *
 *     word 0   key length (bits 0–15) | kind (bits 16–23)
 *     word 1   value length
 *     word 2   version − base version of the segment (filled in at commit)
 *     bytes    key, value, zero padding to 4
 *
 * For a range delete the key is the begin (inclusive) and the value is the end (exclusive).
 */
import { assert } from "../../platform/assert.js";

/** Entry kinds. An empty value is a value; a delete is its own kind. */
export const KIND_NONE = 0;
export const KIND_PUT = 1;
export const KIND_DELETE = 2;
export const KIND_RANGE_DELETE = 3;

export const OPERATION_HEADER_BYTES = 12;

/** Engine limits; the transaction layer sets FoundationDB's smaller ones. */
export const KEY_BYTES_MAX = 65_535;
export const VALUE_BYTES_MAX = 64 * 1024 * 1024;

assert(new Uint8Array(new Uint32Array([1]).buffer)[0] === 1, "the processor is little-endian");

/** Bytes and words over the same memory. `words[at >> 2]` reads the word at byte offset `at`. */
export class Arena {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
  readonly capacity: number;

  constructor(capacityBytes: number) {
    assert(capacityBytes % 8 === 0, "arena capacity is a multiple of 8");
    const buffer = new ArrayBuffer(capacityBytes);
    this.bytes = new Uint8Array(buffer);
    this.words = new Uint32Array(buffer);
    this.capacity = capacityBytes;
  }
}

/** Bytes that an operation takes, header and padding included. */
export function operationBytes(keyLength: number, valueLength: number): number {
  return (OPERATION_HEADER_BYTES + keyLength + valueLength + 3) & ~3;
}

export function operationKind(words: Uint32Array, at: number): number {
  return ((words[at >> 2] as number) >>> 16) & 0xff;
}

export function operationKeyLength(words: Uint32Array, at: number): number {
  return (words[at >> 2] as number) & 0xffff;
}

export function operationValueLength(words: Uint32Array, at: number): number {
  return words[(at >> 2) + 1] as number;
}

export function operationVersionDelta(words: Uint32Array, at: number): number {
  return words[(at >> 2) + 2] as number;
}

/** Whole length of the operation at `at`. */
export function operationLength(words: Uint32Array, at: number): number {
  return operationBytes(operationKeyLength(words, at), operationValueLength(words, at));
}
