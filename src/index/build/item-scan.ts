/**
 * In which order a build goes through the items of a collection: that of their primary keys, or that of another index (features
 * DF-43). What is read is read with conflicts: whoever writes an item in the range that a batch goes over, or brings one into it,
 * makes the batch fail, or fails.
 */

import type { KeyRange, Subspace } from "../../keyspace/subspace.js";
import { pack } from "../../keyspace/tuple.js";
import { Float64, type TupleElement } from "../../keyspace/tuple-elements.js";
import { TupleReader } from "../../keyspace/tuple-reader.js";
import { mutant } from "../../platform/probes.js";
import type { RecordItem } from "../../record/item.js";
import type { ItemStore } from "../../record/item-store.js";
import type { ReadTransaction, Transaction } from "../../transaction/transaction.js";

export interface ScannedItem {
  readonly item: RecordItem;
  /** Where a build stands that has done it; see `build-progress.ts`. */
  readonly position: Uint8Array;
}

export interface ItemScan {
  /** Where the keys of the order are. */
  readonly space: Subspace;
  /** At most `limit` items behind `position`. Fewer when there are no more. */
  items(transaction: Transaction, position: Uint8Array, limit: number): AsyncIterable<ScannedItem>;
}

export class PrimaryKeyScan implements ItemScan {
  readonly space: Subspace;
  readonly #items: ItemStore;

  constructor(items: ItemStore) {
    this.space = items.space;
    this.#items = items;
  }

  async *items(transaction: Transaction, position: Uint8Array, limit: number): AsyncGenerator<ScannedItem> {
    const reader = mutant("I8-batch-reads-without-conflict") ? transaction.snapshot : transaction;
    for await (const item of this.#items.scan(reader, { ...rangeBehind(this.space, position), limit })) {
      yield { item, position: pack([item.primaryKey]) };
    }
  }
}

/**
 * The keys behind a position, those that go on after it left out: parts of a large item have the item's key and a further element.
 * A key that continues the packed one otherwise than by an element does so with 0xFF, and is inside.
 */
export function rangeBehind(space: Subspace, position: Uint8Array): KeyRange {
  const { begin, end } = space.range();
  if (position.length === 0) return { begin, end };
  return { begin: Buffer.concat([space.prefix, position, BEHIND]), end };
}

const BEHIND = Uint8Array.of(0xff);

/** Bytes of a key that are compared for the estimate. */
const DIGITS = 6;

/**
 * How far a position is between the first key and the last, from 0 to 1, as if first elements were spread evenly: an estimate, for people who
 * wait. Reads two keys.
 */
export async function fractionAt(
  reader: ReadTransaction,
  space: Subspace,
  position: Uint8Array,
): Promise<number> {
  const { begin, end } = space.range();
  const [[first] = [], [last] = []] = await Promise.all([
    reader.getRangeAll(begin, end, { limit: 1 }),
    reader.getRangeAll(begin, end, { limit: 1, reverse: true }),
  ]);
  if (first === undefined || last === undefined) return 1;
  const [low, high] = [first, last].map(([key]) => key.subarray(space.prefix.length)) as [
    Uint8Array,
    Uint8Array,
  ];
  const share = shareOfNumbers(low, high, position) ?? shareOfBytes(low, high, position);
  return Math.min(1, Math.max(0, share));
}

/** Null where the first elements are not all numbers. */
function shareOfNumbers(
  ...keys: readonly [low: Uint8Array, high: Uint8Array, position: Uint8Array]
): number | null {
  const numbers = keys.map((key) => (key.length === 0 ? null : new TupleReader(key).element())).map(numberOf);
  const [from, to, at] = numbers;
  if (from == null || to == null || at == null) return null;
  return to === from ? null : (at - from) / (to - from);
}

function numberOf(element: TupleElement): number | null {
  if (element instanceof Float64) return element.value;
  return typeof element === "number" || typeof element === "bigint" ? Number(element) : null;
}

function shareOfBytes(low: Uint8Array, high: Uint8Array, position: Uint8Array): number {
  let same = 0;
  while (same < low.length && low[same] === high[same] && low[same] === position[same]) same++;
  const from = digitsAt(low, same);
  const to = digitsAt(high, same);
  return to === from ? 1 : (digitsAt(position, same) - from) / (to - from);
}

function digitsAt(bytes: Uint8Array, at: number): number {
  let digits = 0;
  for (let i = at; i < at + DIGITS; i++) digits = digits * 256 + (bytes[i] ?? 0);
  return digits;
}
