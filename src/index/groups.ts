/**
 * Groups of documents by the values of fields: their keys, and back. A document is in one group, or in one for each different
 * element of a list. Without fields all documents are in one group, whose key is that of null, so that it lies within the range of
 * its index like all others.
 * Owns the errors for what a caller gives as a group. Does not own: what is kept for a group.
 */
import type { KeyRange } from "../keyspace/subspace.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { type IndexValue, indexElement, indexValue } from "../record/index-value.js";
import type { Predicate } from "../record/predicate.js";
import { RecordError, shown } from "../record/record-error.js";
import { checkEntrySize } from "./entry-size.js";
import { FieldValues } from "./field-values.js";
import type { IndexContext } from "./kind.js";

/** What declarations of grouping kinds take. */
export interface GroupOptions {
  readonly name?: string;
  /** Fields whose values make the groups; at most one goes through a list. Default: none, one group of all. */
  readonly by?: readonly string[];
  /** Only documents that meet this are told to the index. */
  readonly where?: Predicate;
  /** Documents in which a field of `by` is missing or null are in no group. */
  readonly sparse?: boolean;
}

/** The fields of `by` in types. */
export type ByOf<Options> = Options extends { readonly by: infer By extends readonly string[] }
  ? By
  : readonly [];

export class Groups {
  readonly #context: IndexContext;
  readonly #fields: readonly string[];
  readonly #values: FieldValues;

  constructor(context: IndexContext, fields: readonly string[]) {
    this.#context = context;
    this.#fields = fields;
    this.#values = new FieldValues(context, fields);
  }

  /** Keys of the groups of a document. Throws `INVALID_INDEX_VALUE`, `INDEX_ENTRY_TOO_LARGE`. */
  keysOf(document: unknown): Uint8Array[] {
    return this.#values.combinations(document).map((elements) => {
      const key = this.#keyOf(elements);
      checkEntrySize(this.#context, { key }, this.#fields, elements);
      return key;
    });
  }

  /** Throws `INVALID_ARGUMENT`. */
  keyOfGroup(group: readonly IndexValue[]): Uint8Array {
    return this.#keyOf(this.elementsOfGroup(group));
  }

  /** Throws `INVALID_ARGUMENT`. */
  elementsOfGroup(group: readonly IndexValue[]): TupleElement[] {
    if (!Array.isArray(group) || group.length !== this.#fields.length) {
      const wanted = this.#fields.length === 0 ? "no values" : `values for ${this.#fields.join(", ")}`;
      throw this.#refused(`a group of it has ${wanted}, not ${shown(group)}`, group);
    }
    return group.map((value, at) => {
      const indexable = indexElement(value);
      if (indexable !== null) return indexable.element;
      throw this.#refused(`${shown(value)} is no value of "${this.#fields[at]}" in an index`, value);
    });
  }

  /** The group of the first elements of a row. Throws `CORRUPTION`. */
  groupOf(key: Uint8Array, elements: readonly TupleElement[]): IndexValue[] {
    return this.#fields.map((_, at) => {
      const element = elements[at];
      const known = element === undefined ? null : indexValue(element);
      if (known === null) throw damagedRow(this.#context, key);
      return known.value;
    });
  }

  /** The group whose key this is. Throws `CORRUPTION`. */
  groupOfKey(key: Uint8Array): IndexValue[] {
    const elements = elementsOfRow(this.#context, key);
    if (elements.length !== Math.max(1, this.#fields.length)) throw damagedRow(this.#context, key);
    return this.groupOf(key, elements);
  }

  get range(): KeyRange {
    return this.#context.space.range();
  }

  #keyOf(elements: readonly TupleElement[]): Uint8Array {
    return this.#context.space.pack(elements.length === 0 ? [null] : elements);
  }

  #refused(why: string, value: unknown): RecordError {
    const { collection, index } = this.#context;
    return new RecordError("INVALID_ARGUMENT", `the index "${index}" of "${collection}": ${why}.`, {
      collection,
      index,
      value,
    });
  }
}

/** Throws `CORRUPTION`. */
export function elementsOfRow(context: IndexContext, key: Uint8Array): TupleElement[] {
  try {
    return context.space.unpack(key);
  } catch (cause) {
    throw damagedRow(context, key, cause);
  }
}

export function damagedRow(context: IndexContext, key: Uint8Array, cause?: unknown): RecordError {
  const { collection, index } = context;
  return new RecordError(
    "CORRUPTION",
    `0x${Buffer.from(key).toString("hex")} is no row of the index "${index}" of "${collection}", or holds what it cannot. Build the index anew.`,
    { collection, index, cause },
  );
}
