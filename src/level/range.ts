/**
 * Ranges as Level gives them, as the store wants them. Inclusive bounds win over exclusive ones where both are given, and a bound
 * longer than any key is cut to what selects the same keys.
 */
import type { Batch } from "../engine/batch.js";
import { compareKeys, copyOf, EMPTY_BYTES, keyAfter } from "../engine/format/bytes.js";
import { KEY_BYTES_MAX } from "../engine/format/operation.js";
import type { KeyRange, ScanOptions } from "../engine/range.js";
import type { Snapshot } from "../engine/snapshots.js";
import type { Encoded, LevelRangeOptions } from "./abstract-level.js";
import { bytesOf } from "./encoded.js";
import type { LevelStore } from "./level.js";

/** The bounds alone, without the limit: counting is the caller's. */
export function scanOptions(options: LevelRangeOptions, snapshot: Snapshot | undefined): ScanOptions {
  return {
    ...lowerBound(options),
    ...upperBound(options),
    reverse: options.reverse,
    ...(snapshot === undefined ? {} : { snapshot }),
  };
}

/**
 * Adds to `batch` what removes every key of a range. A range without an upper end reaches behind the last key there is, and
 * behind everything that is text.
 */
export function deleteRange(store: LevelStore, batch: Batch, options: LevelRangeOptions): void {
  const { gte, gt } = lowerBound(options);
  const begin = gte ?? (gt === undefined ? EMPTY_BYTES : keyBehind(gt));
  if (begin === null) return;
  const { lte, lt } = upperBound(options);
  if (lt !== undefined) {
    batch.deleteRange(begin, lt);
    return;
  }
  const last = lte ?? lastKey(store);
  const end = keyBehind(last);
  batch.deleteRange(begin, end ?? last);
  // Nothing comes behind the last key that there can be.
  if (end === null && compareKeys(begin, last) <= 0) batch.delete(last);
}

function lowerBound({ gte, gt }: LevelRangeOptions): { gte?: Uint8Array; gt?: Uint8Array } {
  if (gte === undefined) return gt === undefined ? {} : { gt: cut(bytesOf(gt)) };
  const bound = bytesOf(gte);
  // No key is equal to a bound that is longer than keys are.
  return bound.length > KEY_BYTES_MAX ? { gt: cut(bound) } : { gte: bound };
}

function upperBound({ lte, lt }: LevelRangeOptions): { lte?: Uint8Array; lt?: Uint8Array } {
  if (lte !== undefined) return { lte: cut(bytesOf(lte)) };
  if (lt === undefined) return {};
  const bound = bytesOf(lt);
  return bound.length > KEY_BYTES_MAX ? { lte: cut(bound) } : { lt: bound };
}

function cut(bound: Uint8Array): Uint8Array {
  return bound.length > KEY_BYTES_MAX ? bound.subarray(0, KEY_BYTES_MAX) : bound;
}

/** The first key behind `key` that is no longer than keys may be; null: there is none. */
function keyBehind(key: Uint8Array): Uint8Array | null {
  if (key.length < KEY_BYTES_MAX) return keyAfter(key);
  let length = key.length;
  while (length > 0 && key[length - 1] === 0xff) length--;
  if (length === 0) return null;
  const next = copyOf(key, 0, length);
  next[length - 1] = (next[length - 1] as number) + 1; // below 0xff, as the loop has left it
  return next;
}

/** Begins with a byte that no text has. */
const BEHIND_TEXT = new Uint8Array([0xff]);

function lastKey(store: LevelStore): Uint8Array {
  const iterator = store.iterator({ reverse: true, limit: 1 });
  try {
    const last = iterator.next() ? iterator.key : BEHIND_TEXT;
    return compareKeys(last, BEHIND_TEXT) < 0 ? BEHIND_TEXT : last;
  } finally {
    iterator.close();
  }
}

/** A range that is given by two keys. */
export function keyRange(start: Encoded, end: Encoded): KeyRange {
  return { begin: cut(bytesOf(start)), end: cut(bytesOf(end)) };
}
