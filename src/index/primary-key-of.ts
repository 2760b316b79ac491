/** The primary key at the end of a row's key, where flat kinds have it. */
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { RecordError } from "../record/record-error.js";
import type { IndexContext } from "./kind.js";

/** Throws `CORRUPTION`: the key is no row of this index. */
export function primaryKeyOfLast(context: IndexContext, key: Uint8Array): TupleElement {
  const { collection, index, declaration } = context;
  let elements: TupleElement[];
  try {
    elements = context.space.unpack(key);
  } catch (cause) {
    throw damaged(cause);
  }
  const last = elements[declaration.fields.length];
  if (last === undefined || last === null || elements.length !== declaration.fields.length + 1)
    throw damaged();
  return last;

  function damaged(cause?: unknown): RecordError {
    return new RecordError(
      "CORRUPTION",
      `0x${Buffer.from(key).toString("hex")} is no row of the index "${index}" of "${collection}". Scrub the index with repair.`,
      { collection, index, cause },
    );
  }
}
