/**
 * Values of a document kept in the rows of an index, so that a query of these alone need not read the document: exactly what the
 * document has, −0, NaN and the difference between a missing field and null included. One tuple, with an empty list for what is
 * missing; numbers are doubles, dates are a list of their milliseconds.
 */
import { pack, unpack } from "../keyspace/tuple.js";
import { Float64, type TupleElement } from "../keyspace/tuple-elements.js";
import { type ParsedPath, parsePath, presentValueAt } from "../record/field-path.js";
import { type IndexValue, indexElement, indexValue } from "../record/index-value.js";
import { checkEntrySize } from "./entry-size.js";
import { invalidIndexValue } from "./field-values.js";
import { damagedRow } from "./groups.js";
import type { IndexContext } from "./kind.js";

const MISSING: readonly TupleElement[] = [];
const NO_KEY = new Uint8Array(0);

export class CoveredValues {
  readonly #context: IndexContext;
  readonly #fields: readonly string[];
  readonly #paths: readonly ParsedPath[];

  constructor(context: IndexContext, fields: readonly string[]) {
    this.#context = context;
    this.#fields = fields;
    this.#paths = fields.map(parsePath);
  }

  /** The value of a row. Throws `INVALID_INDEX_VALUE`, `INDEX_ENTRY_TOO_LARGE`. */
  pack(document: unknown): Uint8Array {
    const elements = this.#paths.map((path) => this.#element(path, presentValueAt(document, path)));
    const value = pack(elements);
    checkEntrySize(this.#context, { key: NO_KEY, value }, this.#fields, elements);
    return value;
  }

  /** In the order of the covered fields; `undefined` for what the document has not. Throws `CORRUPTION`. */
  unpack([key, value]: readonly [key: Uint8Array, value: Uint8Array]): (IndexValue | undefined)[] {
    const values = coveredValues(value, this.#fields.length);
    if (values instanceof Error) throw damagedRow(this.#context, key, values);
    return values;
  }

  #element(path: ParsedPath, value: unknown): TupleElement {
    if (value === undefined) return MISSING;
    // As it is: an index takes −0 for 0, and no NaN.
    if (typeof value === "number") return new Float64(value);
    const indexable = indexElement(value);
    if (indexable !== null) return indexable.element;
    throw invalidIndexValue(this.#context, path, value);
  }
}

/** The values in a row's value, `undefined` for what the document has not. Gives the error for what is not so many values. */
export function coveredValues(value: Uint8Array, count: number): (IndexValue | undefined)[] | Error {
  try {
    const elements = unpack(value);
    if (elements.length !== count) return new Error(`${elements.length} covered values, not ${count}`);
    return elements.map((element) => {
      if (Array.isArray(element) && element.length === 0) return undefined;
      const known = indexValue(element);
      if (known === null) throw new Error("a covered value of a type that no index holds");
      return known.value;
    });
  } catch (error) {
    return error as Error; // tuples throw nothing else
  }
}
