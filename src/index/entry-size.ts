/**
 * What one row of an index may have at most: the limits of keys and values of the model below. Owns the error that names the field
 * that makes it too large, so that it is told before anything of the document is written.
 */
import { pack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { RecordError } from "../record/record-error.js";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../transaction/limits.js";
import type { IndexContext } from "./kind.js";

/**
 * `fields` and `elements`: what the row is made of, beside the primary key. Throws `INDEX_ENTRY_TOO_LARGE`.
 */
export function checkEntrySize(
  context: IndexContext,
  row: { readonly key: Uint8Array; readonly value?: Uint8Array },
  fields: readonly string[],
  elements: readonly TupleElement[],
): void {
  const { key, value } = row;
  if (key.length > KEY_BYTES_MAX)
    throw tooLarge(context, "key", [key.length, KEY_BYTES_MAX], fields, elements);
  if (value !== undefined && value.length > VALUE_BYTES_MAX) {
    throw tooLarge(context, "value", [value.length, VALUE_BYTES_MAX], fields, elements);
  }
}

function tooLarge(
  context: IndexContext,
  what: string,
  [bytes, limit]: readonly [number, number],
  fields: readonly string[],
  elements: readonly TupleElement[],
): RecordError {
  const { collection, index } = context;
  let field: string | undefined;
  const values = elements.map((element) => pack([element]).length);
  // What is left of a key is the primary key.
  let largest =
    what === "key"
      ? bytes - context.space.prefix.length - values.reduce((sum, length) => sum + length, 0)
      : 0;
  for (const [at, length] of values.entries()) {
    if (length <= largest) continue;
    largest = length;
    field = fields[at];
  }
  return new RecordError(
    "INDEX_ENTRY_TOO_LARGE",
    `an entry of the index "${index}" of "${collection}" would have a ${what} of ${bytes} bytes, and ${limit} is the limit. ` +
      `${field === undefined ? "Shorten the primary key" : `The largest part is "${field}": shorten it, or index a part of it`}.`,
    { collection, index, field },
  );
}
