/**
 * Which rows each index of the simulation must have for a document: written out by hand, without anything of `src/index`, so that
 * an index that is wrong in a consistent way is wrong here. Does not own: which documents there are, and comparing.
 */
import { assert } from "../../src/platform/assert.js";
import type { Item, Note } from "./declarations.js";
import { packed, type RawElement } from "./tuple.js";

export interface ExpectedRow {
  readonly values: readonly RawElement[];
  readonly covered: readonly RawElement[];
}

/** What one index makes of one document; by name. Aggregates are elsewhere: they have no rows of their own for each. */
type RowsOf<Document> = (document: Document) => readonly ExpectedRow[];

interface FlatIndex {
  readonly isUnique: boolean;
  readonly rowsOf: RowsOf<never>;
}

const orNull = (text: string | null | undefined): RawElement => text ?? null;
const rows = (...values: readonly (readonly RawElement[])[]): ExpectedRow[] =>
  values.map((each) => ({ values: each, covered: [] }));

const ITEM_INDEXES: Readonly<Record<string, { isUnique: boolean; rowsOf: RowsOf<Item> }>> = {
  Item_name: { isUnique: true, rowsOf: ({ name }) => rows([name]) },
  byGroup: {
    isUnique: false,
    rowsOf: ({ group, amount, name }) => [{ values: [orNull(group), { double: amount }], covered: [name] }],
  },
  "Item_tags[]": { isUnique: false, rowsOf: ({ tags }) => rows(...[...new Set(tags)].map((tag) => [tag])) },
  byPlace: {
    isUnique: false,
    rowsOf: ({ at }) => (typeof at?.place === "string" ? rows([at.place]) : []),
  },
  small: { isUnique: false, rowsOf: ({ amount }) => (amount < 10 ? rows([{ double: amount }]) : []) },
};

const NOTE_INDEXES: Readonly<Record<string, { isUnique: boolean; rowsOf: RowsOf<Note> }>> = {
  Note_item_line: { isUnique: true, rowsOf: ({ item, line }) => rows([item, { double: line }]) },
};

export const FLAT_INDEXES: Readonly<Record<string, FlatIndex>> = { ...ITEM_INDEXES, ...NOTE_INDEXES };

export function flatIndex(name: string): FlatIndex {
  const index = FLAT_INDEXES[name];
  assert(index !== undefined, `the oracles know what the index "${name}" must hold`);
  return index;
}

/** A row as it must lie behind the prefix of its index: the key's rest, and the value. */
export interface PackedRow {
  readonly key: string;
  readonly value: string;
  /** The part of the key that a unique index allows once. */
  readonly prefix: string;
}

/** `packedId`: the packed primary key. */
export function packedRows(index: string, document: unknown, packedId: string): readonly PackedRow[] {
  return flatIndex(index)
    .rowsOf(document as never)
    .map(({ values, covered }) => {
      const prefix = packed(values);
      return { key: prefix + packedId, value: packed(covered), prefix };
    });
}
