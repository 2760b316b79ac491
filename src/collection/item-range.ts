/**
 * Which items a scan walks, as a range of their keys: all, those whose textual primary key begins with a prefix, those behind one
 * that was seen before. Owns the bounds; the walking is the item store's.
 */
import { rowsAfterValues } from "../index/value-range.js";
import { type KeyRange, keyAfterPrefix } from "../keyspace/subspace.js";
import { pack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { indexElement } from "../record/index-value.js";
import type { ItemStore } from "../record/item-store.js";
import { RecordError, shown } from "../record/record-error.js";

export interface ItemBounds {
  /** Of primary keys that are text. */
  readonly prefix?: string | undefined;
  /** The primary key of the last document of the page before, in the direction of the scan. */
  readonly after?: TupleElement | undefined;
  readonly reverse?: boolean | undefined;
}

/** Throws `INVALID_ARGUMENT`. */
export function itemRange(items: ItemStore, { prefix, after, reverse = false }: ItemBounds): KeyRange {
  let { begin, end } = items.space.range();
  if (prefix !== undefined) {
    if (typeof prefix !== "string" || indexElement(prefix) === null) {
      throw new RecordError(
        "INVALID_ARGUMENT",
        `${shown(prefix)} is no beginning of a text. Primary keys that are text have prefixes, others have not.`,
        { value: prefix },
      );
    }
    // A text is packed with a zero behind it, which a longer one does not have there.
    const packed = pack([prefix]);
    begin = joined(items.space.prefix, packed.subarray(0, packed.length - 1));
    end = keyAfterPrefix(begin);
  }
  if (after !== undefined) {
    const key = items.keyOf(after);
    // The parts of a large item follow its key.
    if (!reverse) begin = later(begin, rowsAfterValues(key).end);
    else if (Buffer.compare(key, end) < 0) end = key;
  }
  return { begin, end: later(begin, end) };
}

function later(a: Uint8Array, b: Uint8Array): Uint8Array {
  return Buffer.compare(a, b) < 0 ? b : a;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
