/**
 * Items that are larger than one value may be (features DF-65): parts under the item's own key with one byte more, and at the
 * key itself what they make up together.
 *
 *     KEY         2, length of the whole in 4 bytes, number of parts in one     (an unsplit item begins with 1)
 *     KEY 01      first part
 *     …
 *     KEY FE      the 254th
 *
 * So no other key may begin with the key of an item. Promise: a reader gets the whole, or an error; an overwrite leaves no
 * part of what was there. Does not own: what is in the bytes (`item-pipeline.ts`); the transaction and its limit of 10 MB.
 */
import { StillwaterError } from "../../platform/errors.js";
import type { ReadTransaction, Transaction } from "../../transaction/transaction.js";
import { corruptItem } from "./item-errors.js";

/** Below the 100,000 bytes of a value, with room for what a backend may add. */
export const PART_BYTES = 90_000;
const PARTS_MAX = 0xfe;
const SPLIT = 2;
const HEAD_BYTES = 6;

/** An item as it lies in the store. */
export interface StoredItem {
  readonly bytes: Uint8Array;
  /** 0 when it is one value. */
  readonly parts: number;
}

/** `former`: the parts of what is there now, 0 if nothing is, or it is one value. Throws `ITEM_TOO_LARGE`. */
export function writeItem(
  transaction: Transaction,
  key: Uint8Array,
  bytes: Uint8Array,
  former: number,
): void {
  const parts = bytes.length <= PART_BYTES ? 0 : Math.ceil(bytes.length / PART_BYTES);
  if (parts > PARTS_MAX) {
    throw new StillwaterError(
      "ITEM_TOO_LARGE",
      `an item of ${bytes.length} bytes is larger than ${PARTS_MAX * PART_BYTES}. Split it into several.`,
    );
  }
  if (parts === 0) transaction.set(key, bytes);
  else {
    const head = new Uint8Array(HEAD_BYTES);
    head[0] = SPLIT;
    new DataView(head.buffer).setUint32(1, bytes.length, true);
    head[HEAD_BYTES - 1] = parts;
    transaction.set(key, head);
    for (let part = 1; part <= parts; part++) {
      transaction.set(partKey(key, part), bytes.subarray((part - 1) * PART_BYTES, part * PART_BYTES));
    }
  }
  if (former > parts) transaction.clearRange(partKey(key, parts + 1), partKey(key, former + 1));
}

/** Removes it, whatever it was. */
export function clearItem(transaction: Transaction, key: Uint8Array, former: number): void {
  transaction.clear(key);
  if (former > 0) transaction.clearRange(partKey(key, 1), partKey(key, former + 1));
}

/** Throws `ITEM_CORRUPT` when parts are missing. */
export async function readItem(reader: ReadTransaction, key: Uint8Array): Promise<StoredItem | undefined> {
  const head = await reader.get(key);
  if (head === undefined) return undefined;
  const split = splitOf(head);
  if (split === null) return { bytes: head, parts: 0 };
  const rows = await reader.getRangeAll(partKey(key, 1), partKey(key, split.parts + 1));
  return joined(
    split,
    rows.map(([partOf, bytes]) => ({ number: partOf[partOf.length - 1] ?? 0, bytes })),
  );
}

interface Split {
  readonly length: number;
  readonly parts: number;
}

/** Null for an item that is one value. */
export function splitOf(head: Uint8Array): Split | null {
  if (head[0] !== SPLIT) return null;
  if (head.length !== HEAD_BYTES)
    throw corruptItem("the head of a split item has another length than it must have.");
  const view = new DataView(head.buffer, head.byteOffset);
  return { length: view.getUint32(1, true), parts: view.getUint8(HEAD_BYTES - 1) };
}

export function joined(
  { length, parts }: Split,
  found: readonly { readonly number: number; readonly bytes: Uint8Array }[],
): StoredItem {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (let part = 1; part <= parts; part++) {
    const one = found[part - 1];
    if (one?.number !== part || at + one.bytes.length > length) {
      throw corruptItem(`part ${part} of ${parts} of a split item is missing, or is another one.`);
    }
    bytes.set(one.bytes, at);
    at += one.bytes.length;
  }
  if (at !== length || found.length !== parts) {
    throw corruptItem(`the parts of a split item make ${at} bytes, but it had ${length}.`);
  }
  return { bytes, parts };
}

function partKey(key: Uint8Array, part: number): Uint8Array {
  const whole = new Uint8Array(key.length + 1);
  whole.set(key);
  whole[key.length] = part;
  return whole;
}
