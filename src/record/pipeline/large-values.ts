/**
 * Items that are larger than one value may be (features DF-65): parts under the item's own key with one byte more, and at the
 * key itself what they make up together. The first byte of a value says what it is.
 *
 *     KEY         1 …                                    an item that is one value (`item-pipeline.ts`)
 *     KEY         2, length of the whole in 4 bytes, number of parts in one, CRC-32 of the whole in 4
 *     KEY 01      3, first part
 *     …
 *     KEY FE      3, the 254th
 *
 * So no other key may begin with the key of an item and a byte from 01 to FE, which packed tuples never do. Promises: a
 * reader gets the whole, or `ITEM_CORRUPT`; an overwrite leaves no part of what was there. Does not own: what is in the bytes
 * (`item-pipeline.ts`); reading many (`item-range.ts`); the transaction and its limit of 10 MB.
 */
import { crc32 } from "node:zlib";
import { equalKeys } from "../../engine/format/bytes.js";
import { assert } from "../../platform/assert.js";
import { StillwaterError } from "../../platform/errors.js";
import { buggify, mutant } from "../../platform/probes.js";
import type { ReadTransaction, Transaction } from "../../transaction/transaction.js";
import { corruptItem } from "./item-errors.js";

/** Below the 100,000 bytes of a value, with room for what a backend may add. */
export const PART_BYTES = 90_000;
/** So that a simulation has large items of a few hundred bytes. */
const SMALL_PART_BYTES = 100;
const PARTS_MAX = 0xfe;
const SPLIT = 2;
const PART = 3;
const HEAD_BYTES = 10;

/** An item as it lies in the store. */
export interface StoredItem {
  readonly bytes: Uint8Array;
  /** 0 when it is one value. */
  readonly parts: number;
}

/**
 * `bytes` begin with neither 2 nor 3. `former`: the parts of what is there now, 0 if nothing is, or it is one value. Throws
 * `ITEM_TOO_LARGE`.
 */
export function writeItem(
  transaction: Transaction,
  key: Uint8Array,
  bytes: Uint8Array,
  former: number,
): void {
  assert(bytes[0] !== SPLIT && bytes[0] !== PART, "an item begins as one");
  const partBytes = partBytesFor(bytes.length);
  const parts = bytes.length <= partBytes ? 0 : Math.ceil(bytes.length / partBytes);
  if (parts > PARTS_MAX) {
    throw new StillwaterError(
      "ITEM_TOO_LARGE",
      `an item of ${bytes.length} bytes is larger than ${PARTS_MAX * PART_BYTES}. Split it into several.`,
    );
  }
  if (parts === 0) transaction.set(key, bytes);
  else {
    transaction.set(key, headOf(bytes, parts));
    for (let part = 1; part <= parts; part++) {
      const from = (part - 1) * partBytes;
      const value = new Uint8Array(1 + Math.min(partBytes, bytes.length - from));
      value[0] = PART;
      value.set(bytes.subarray(from, from + partBytes), 1);
      transaction.set(partKey(key, part), value);
    }
  }
  if (former > parts && !mutant("I30-parts-of-a-longer-document-kept"))
    transaction.clearRange(partKey(key, parts + 1), partKey(key, former + 1));
}

function partBytesFor(length: number): number {
  const isSmall = buggify("item.small-parts") && length <= SMALL_PART_BYTES * PARTS_MAX;
  return isSmall ? SMALL_PART_BYTES : PART_BYTES;
}

/** Removes it, whatever it was. */
export function clearItem(transaction: Transaction, key: Uint8Array, former: number): void {
  transaction.clear(key);
  if (former > 0) transaction.clearRange(partKey(key, 1), partKey(key, former + 1));
}

/** Throws `ITEM_CORRUPT` when its parts are not what they were. */
export async function readItem(reader: ReadTransaction, key: Uint8Array): Promise<StoredItem | undefined> {
  const head = await reader.get(key);
  if (head === undefined) return undefined;
  if (isPart(head)) throw damaged(key, "a part lies where an item should begin");
  const split = splitOf(key, head);
  if (split === null) return { bytes: head, parts: 0 };
  return joined(split, await reader.getRangeAll(partKey(key, 1), partKey(key, PARTS_MAX + 1)));
}

/** What stands at the key of an item that is not one value. */
export interface SplitItem {
  readonly key: Uint8Array;
  readonly length: number;
  readonly parts: number;
  readonly checksum: number;
}

function headOf(bytes: Uint8Array, parts: number): Uint8Array {
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  head[0] = SPLIT;
  view.setUint32(1, bytes.length, true);
  head[5] = parts;
  view.setUint32(6, crc32(bytes), true);
  return head;
}

/** Null for an item that is one value. Throws `ITEM_CORRUPT`. */
export function splitOf(key: Uint8Array, head: Uint8Array): SplitItem | null {
  if (head[0] !== SPLIT) return null;
  if (head.length !== HEAD_BYTES) throw damaged(key, `its head has ${head.length} bytes`);
  const view = new DataView(head.buffer, head.byteOffset);
  const split = {
    key,
    length: view.getUint32(1, true),
    parts: view.getUint8(5),
    checksum: view.getUint32(6, true),
  };
  // Parts may be smaller than they are now, so their number follows from no length alone; each has a byte at least.
  const areParts = split.parts > 1 && split.parts <= PARTS_MAX && split.parts <= split.length;
  if (areParts && split.length <= split.parts * PART_BYTES) return split;
  throw damaged(key, `its head tells of ${split.length} bytes in ${split.parts} parts`);
}

export function isPart(value: Uint8Array): boolean {
  return value[0] === PART;
}

/** Whether this is an item that is one value. */
export function isWhole(key: Uint8Array, value: Uint8Array): boolean {
  return !isPart(value) && splitOf(key, value) === null;
}

/** The key of the item of which the value at `key` is a part. */
export function wholeKey(key: Uint8Array): Uint8Array {
  return key.subarray(0, key.length - 1);
}

/** `found`: all parts there are, in their order. Throws `ITEM_CORRUPT`. */
export function joined(
  split: SplitItem,
  found: readonly (readonly [key: Uint8Array, value: Uint8Array])[],
): StoredItem {
  const { key, length, parts, checksum } = split;
  if (found.length !== parts) throw damaged(key, `it has ${found.length} parts, but was written in ${parts}`);
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const [index, [partOf, value]] of found.entries()) {
    if (!equalKeys(partOf, partKey(key, index + 1))) throw damaged(key, `part ${index + 1} is missing`);
    if (!isPart(value) || value.length - 1 > length - at)
      throw damaged(key, `part ${index + 1} is another one`);
    bytes.set(value.subarray(1), at);
    at += value.length - 1;
  }
  if (at !== length) throw damaged(key, `its parts have ${at} of ${length} bytes`);
  if (crc32(bytes) !== checksum) throw damaged(key, "its parts were not written together");
  return { bytes, parts };
}

export function partKey(key: Uint8Array, part: number): Uint8Array {
  const whole = new Uint8Array(key.length + 1);
  whole.set(key);
  whole[key.length] = part;
  return whole;
}

/** `what`: of the item at `key`. */
export function damaged(key: Uint8Array, what: string): StillwaterError {
  const place = Buffer.from(key).toString("hex");
  return corruptItem(`the item at key 0x${place} is damaged: ${what}. Restore it from a backup.`);
}
