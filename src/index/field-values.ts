/**
 * The values of several fields of a document as elements of tuples: once, or once for each different element where one of the
 * fields goes through a list. Owns the error for a value that no index can hold. A sparse index has none for a document where one
 * of the values is null.
 */
import { pack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { type ParsedPath, parsePath, valueAt, valuesAt } from "../record/field-path.js";
import { indexElement } from "../record/index-value.js";
import { RecordError, shown } from "../record/record-error.js";
import type { IndexContext } from "./kind.js";

export class FieldValues {
  readonly #context: IndexContext;
  readonly #paths: readonly ParsedPath[];
  /** Which of them goes through a list; −1 for none. */
  readonly #multi: number;
  readonly #isSparse: boolean;

  constructor(context: IndexContext, fields: readonly string[]) {
    this.#context = context;
    this.#paths = fields.map(parsePath);
    this.#multi = this.#paths.findIndex(({ isMulti }) => isMulti);
    this.#isSparse = context.declaration.sparse === true;
  }

  /** One list of elements for each row that the document has. Throws `INVALID_INDEX_VALUE`. */
  combinations(document: unknown): TupleElement[][] {
    if (this.#multi < 0) {
      const elements = this.single(document);
      return this.#isSparse && elements.includes(null) ? [] : [elements];
    }
    const path = this.#paths[this.#multi] as ParsedPath;
    const rows: TupleElement[][] = [];
    const seen = new Set<string>();
    for (const value of valuesAt(document, path)) {
      const element = this.#element(path, value);
      const same = Buffer.from(pack([element])).toString("latin1");
      if (seen.has(same)) continue;
      seen.add(same);
      const row = this.#paths.map((other, at) =>
        at === this.#multi ? element : this.#element(other, valueAt(document, other)),
      );
      if (!(this.#isSparse && row.includes(null))) rows.push(row);
    }
    return rows;
  }

  /** Of fields that go through no list. */
  single(document: unknown): TupleElement[] {
    return this.#paths.map((path) => this.#element(path, valueAt(document, path)));
  }

  #element(path: ParsedPath, value: unknown): TupleElement {
    const indexable = indexElement(value);
    if (indexable !== null) return indexable.element;
    throw invalidIndexValue(this.#context, path, value);
  }
}

export function invalidIndexValue(
  { collection, index }: IndexContext,
  { text }: ParsedPath,
  value: unknown,
): RecordError {
  return new RecordError(
    "INVALID_INDEX_VALUE",
    `the index "${index}" of "${collection}" cannot hold ${shown(value)} at "${text}". ` +
      "It takes text, finite and infinite numbers, big integers, dates, bytes, true, false and null; for a list add [] to the path.",
    { collection, index, field: text, value },
  );
}
