/**
 * The states of an index and the only ways between them (features DF-36, FR-41):
 *
 *     disabled ──enable──► writeOnly ──build complete──► readable
 *        ▲                     │                            │
 *        └──────disable────────┴────────────────────────────┘
 *
 * Owns the table and the refusals. Does not own: the bytes (`catalogue.ts`), what must be true of a readable index (the builder).
 */
import type { IndexState, StoredIndex } from "../record/catalogue.js";
import { RecordError } from "../record/record-error.js";

const NEXT: Readonly<Record<IndexState, readonly IndexState[]>> = {
  disabled: ["writeOnly"],
  writeOnly: ["readable", "disabled"],
  readable: ["disabled"],
};

/** The same index in another state. Throws `ILLEGAL_INDEX_STATE`. */
export function inState(collection: string, index: StoredIndex, state: IndexState): StoredIndex {
  if (NEXT[index.state].includes(state)) return { ...index, state };
  throw new RecordError(
    "ILLEGAL_INDEX_STATE",
    `the index "${index.name}" of "${collection}" is ${index.state} and cannot become ${state}; ` +
      `it can become ${NEXT[index.state].join(" or ")}.`,
    { collection, index: index.name },
  );
}
