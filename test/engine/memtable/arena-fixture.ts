/**
 * What the memtable's tests share: an arena that is filled operation by operation, keys that are hard to order, and
 * the order itself, written as plainly as possible.
 */
import * as fc from "fast-check";
import { compareKeys } from "../../../src/engine/format/bytes.js";
import {
  Arena,
  KIND_PUT,
  OPERATION_HEADER_BYTES,
  operationBytes,
} from "../../../src/engine/format/operation.js";

/** One operation as the tests know it. `at` is its byte offset in the arena. */
export interface Row {
  readonly key: Uint8Array;
  readonly version: number;
  readonly kind: number;
  readonly value: Uint8Array;
  readonly at: number;
}

/** The arena of one segment. Its first bytes are taken, as those of a segment by its header. */
export class ArenaFixture {
  readonly arena: Arena;
  readonly baseVersion: number;
  private used = 64;

  constructor(capacityBytes: number, baseVersion = 10) {
    this.arena = new Arena(capacityBytes);
    this.baseVersion = baseVersion;
  }

  /** Lays out one operation, as the committer does. */
  append(key: Uint8Array, version: number, kind = KIND_PUT, value: Uint8Array = new Uint8Array(0)): Row {
    const at = this.used;
    const { bytes, words } = this.arena;
    words[at >> 2] = key.length | (kind << 16);
    words[(at >> 2) + 1] = value.length;
    words[(at >> 2) + 2] = version - this.baseVersion;
    bytes.set(key, at + OPERATION_HEADER_BYTES);
    bytes.set(value, at + OPERATION_HEADER_BYTES + key.length);
    this.used += operationBytes(key.length, value.length);
    if (this.used > this.arena.capacity) throw new Error("the fixture's arena is too small");
    return { key, version, kind, value, at };
  }
}

/** Key ascending, version descending; for equal both, log order. */
export function compareRows(a: Row, b: Row): number {
  return compareKeys(a.key, b.key) || b.version - a.version || a.at - b.at;
}

/** The rows in final order, of equal key and version only the one appended last. */
export function latestInOrder(rows: readonly Row[]): Row[] {
  const sorted = [...rows].sort(compareRows);
  return sorted.filter((row, i) => {
    const next = sorted[i + 1];
    return next === undefined || next.version !== row.version || compareKeys(next.key, row.key) !== 0;
  });
}

export function text(key: string): Uint8Array {
  return new Uint8Array(Buffer.from(key, "latin1"));
}

/** A reproducible stream of integers in [0, 2^32) (xorshift32, Marsaglia 2003). */
export function integers(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const edgeBytes = fc.array(fc.constantFrom(0x00, 0x01, 0x7f, 0x80, 0xff), { maxLength: 9 });

/**
 * Keys that meet often and differ where heads deceive: prefixes of each other, trailing zero bytes, both sides of
 * 0x80, long shared prefixes, decimal numbers.
 */
export const anyKey: fc.Arbitrary<Uint8Array> = fc.oneof(
  edgeBytes.map((bytes) => Uint8Array.from(bytes)),
  edgeBytes.map((bytes) => Uint8Array.from([...text("a/long/prefix/that/many/keys/share/"), ...bytes])),
  fc.nat(300).map((number) => text(String(number).padStart(16, "0"))),
  fc.nat(12).map((length) => text("a".repeat(length))),
  fc.uint8Array({ maxLength: 12 }),
);
