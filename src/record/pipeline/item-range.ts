/**
 * The items of a range of keys, one after the other: rows of large ones lie between the others and are put together as they are
 * met, in one pass, forwards or backwards. Promises: an item is in the range when its key is, wherever its parts are; each is
 * whole, or `ITEM_CORRUPT`, also for parts that belong to nothing. Does not own: the form of items and parts
 * (`large-values.ts`), what is in them.
 *
 * Rows are fetched ahead, so the same transaction may have written anew what they are about by the time they are looked at. So
 * what does not fit together is read again before it is called damage.
 */
import { compareKeys, equalKeys } from "../../engine/format/bytes.js";
import { hasCode } from "../../platform/errors.js";
import type { KeyValue, RangeOptions, ReadTransaction } from "../../transaction/transaction.js";
import {
  damaged,
  isPart,
  joined,
  readItem,
  type SplitItem,
  type StoredItem,
  splitOf,
  wholeKey,
} from "./large-values.js";

export interface ItemRow extends StoredItem {
  readonly key: Uint8Array;
}

/** As of a range read; `limit` counts items. */
export type ItemRangeOptions = Pick<RangeOptions, "limit" | "reverse" | "streamingMode">;

/**
 * Items with keys of [begin, end). Leaving the loop early ends the read, and behind the last item of `limit` no row is looked
 * at. What the transaction writes meanwhile may show or not, as in a range read. Throws `ITEM_CORRUPT`.
 */
export function items(
  reader: ReadTransaction,
  begin: Uint8Array,
  end: Uint8Array,
  options: ItemRangeOptions = {},
): AsyncGenerator<ItemRow> {
  const { limit = Number.POSITIVE_INFINITY, ...rest } = options;
  const range = { reader, begin, limit, rows: reader.getRange(begin, end, rest) };
  return rest.reverse === true ? backwards(range) : forwards(range);
}

interface ItemRange {
  readonly reader: ReadTransaction;
  readonly begin: Uint8Array;
  readonly limit: number;
  readonly rows: AsyncIterable<KeyValue>;
}

async function* forwards({ reader, begin, limit, rows }: ItemRange): AsyncGenerator<ItemRow> {
  let left = limit;
  if (left <= 0) return;
  /** A large item that is under way, and the parts met so far. */
  let split: SplitItem | null = null;
  let found: KeyValue[] = [];
  for await (const row of rows) {
    const [key, value] = row;
    if (split !== null) {
      const belongs = isPart(value) && isPartOf(key, split.key);
      if (belongs) found.push(row);
      if (belongs && found.length < split.parts) continue;
      const item: ItemRow | null = await whole(reader, split, found);
      split = null;
      if (item !== null) {
        yield item;
        if (--left === 0) return;
      }
      if (belongs) continue;
    }
    if (isPart(value)) {
      await checkStray(reader, begin, key);
      continue;
    }
    split = splitOf(key, value);
    found = [];
    if (split !== null) continue;
    yield { key, bytes: value, parts: 0 };
    if (--left === 0) return;
  }
  const item = split === null ? null : await whole(reader, split, found);
  if (item !== null) yield item;
}

async function* backwards({ reader, begin, limit, rows }: ItemRange): AsyncGenerator<ItemRow> {
  let left = limit;
  if (left <= 0) return;
  /** Parts whose item is still to come, from the last on. */
  let found: KeyValue[] = [];
  for await (const row of rows) {
    const [key, value] = row;
    const [last] = found;
    if (isPart(value)) {
      if (last !== undefined && !isPartOf(key, wholeKey(last[0]))) {
        await checkStray(reader, begin, last[0]);
        found = [];
      }
      found.push(row);
      continue;
    }
    const split = splitOf(key, value);
    if (last !== undefined && (split === null || !isPartOf(last[0], key))) {
      await checkStray(reader, begin, last[0]);
      found = [];
    }
    const item =
      split === null ? { key, bytes: value, parts: 0 } : await whole(reader, split, found.reverse());
    found = [];
    if (item === null) continue;
    yield item;
    if (--left === 0) return;
  }
  const [last] = found;
  if (last !== undefined) await checkStray(reader, begin, last[0]);
}

/** Null when it is no longer there. */
async function whole(
  reader: ReadTransaction,
  split: SplitItem,
  found: readonly KeyValue[],
): Promise<ItemRow | null> {
  const { key, parts } = split;
  if (found.length === parts) {
    try {
      return { key, ...joined(split, found) };
    } catch (error) {
      if (!hasCode(error, "ITEM_CORRUPT")) throw error;
      // Reading it again says so again, if it is so.
    }
  }
  // Some parts lie behind the end of the range, are missing, or are not of one writing.
  const item = await readItem(reader, key);
  return item === undefined ? null : { key, ...item };
}

/** Of a part without its item: throws `ITEM_CORRUPT` when there is no good reason for it. */
async function checkStray(reader: ReadTransaction, begin: Uint8Array, key: Uint8Array): Promise<void> {
  const owner = wholeKey(key);
  // Its item lies before the range.
  if (compareKeys(owner, begin) < 0) return;
  const number = key[key.length - 1] ?? 0;
  const item = await readItem(reader, owner);
  if (item !== undefined && number <= item.parts) return;
  if ((await reader.get(key)) === undefined) return;
  throw damaged(owner, `part ${number} belongs to nothing`);
}

function isPartOf(key: Uint8Array, owner: Uint8Array): boolean {
  return key.length === owner.length + 1 && equalKeys(wholeKey(key), owner);
}
