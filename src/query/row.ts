/**
 * Rows under way through a plan, and their order. Each field of an order has bytes that compare as its values do in an index; what no
 * index can hold comes after everything else. Then the bytes of the primary key decide, so that no two rows are equal but of one
 * document.
 */
import { compareKeys } from "../engine/format/bytes.js";
import { pack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { type ParsedPath, parsePath, valueAt } from "../record/field-path.js";
import { indexElement } from "../record/index-value.js";
import type { RowOrder } from "./plan.js";

/** What an access finds. */
export interface Entry {
  readonly primaryKey: TupleElement;
  /** Undefined: still to be read. From an index alone it has the covered fields and no others. */
  readonly document: unknown;
  /** Of the fields of the order; null where nobody asked. */
  readonly place: Place | null;
}

export interface Row {
  readonly primaryKey: TupleElement;
  readonly document: unknown;
}

/** Where a row stands in an order. */
export interface Place {
  /** As the fields of the order. */
  readonly keys: readonly Uint8Array[];
  readonly primaryKey: Uint8Array;
}

/** After every element there is. */
const UNORDERED = Uint8Array.of(0xfe);

export function elementKey(element: TupleElement): Uint8Array {
  return pack([element]);
}

export class Placement {
  readonly order: RowOrder;
  readonly #paths: readonly ParsedPath[];

  constructor(order: RowOrder) {
    this.order = order;
    this.#paths = order.fields.map(({ field }) => parsePath(field));
  }

  placeOf({ primaryKey, document }: Row): Place {
    const keys = this.#paths.map((path) => {
      const indexable = indexElement(valueAt(document, path));
      return indexable === null ? UNORDERED : elementKey(indexable.element);
    });
    return { keys, primaryKey: elementKey(primaryKey) };
  }

  compare(a: Place, b: Place): number {
    const { fields, keyDescending } = this.order;
    for (let at = 0; at < fields.length; at++) {
      // Both have a key for each field.
      const difference = compareKeys(a.keys[at] as Uint8Array, b.keys[at] as Uint8Array);
      if (difference !== 0) return fields[at]?.descending === true ? -difference : difference;
    }
    const difference = compareKeys(a.primaryKey, b.primaryKey);
    return keyDescending ? -difference : difference;
  }
}
