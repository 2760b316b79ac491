/**
 * What each index of the simulation must hold for some documents: written out by hand, without anything of `src/index`, so that an
 * index that is wrong in a consistent way is wrong here. Does not own: which documents there are, and comparing; histories
 * (`oracles/history-rows.ts`).
 */
import { assert } from "../../src/platform/assert.js";
import { textOf } from "../transactions/atomics.js";
import type { Item, Note } from "./declarations.js";
import { packed, type RawElement } from "./tuple.js";

export interface ExpectedRow {
  readonly values: readonly RawElement[];
  readonly covered: readonly RawElement[];
}

/** Rows of single documents. */
interface FlatIndex {
  readonly kind: "flat";
  readonly isUnique: boolean;
  /** Whether documents are found by it. */
  readonly isScalar: boolean;
  readonly rowsOf: (document: never) => readonly ExpectedRow[];
}

/** One number for each group: no document counts as nothing. */
interface TotalsIndex {
  readonly kind: "totals";
  readonly isUnique: false;
  readonly bytes: number;
  readonly groupsOf: (document: never) => readonly (readonly RawElement[])[];
  readonly amountOf: (document: never) => bigint;
}

interface HistoryIndex {
  readonly kind: "history";
  readonly isUnique: false;
  readonly keepLast: number;
}

export type ExpectedIndex = FlatIndex | TotalsIndex | HistoryIndex;

const orNull = (text: string | null | undefined): RawElement => text ?? null;
const rows = (...values: readonly (readonly RawElement[])[]): ExpectedRow[] =>
  values.map((each) => ({ values: each, covered: [] }));
const different = (tags: readonly string[]): string[] => [...new Set(tags)];

function scalarIndex<Document>(
  rowsOf: (document: Document) => readonly ExpectedRow[],
  isUnique = false,
): FlatIndex {
  return { kind: "flat", isUnique, isScalar: true, rowsOf };
}

function totals<Document>(
  bytes: number,
  groupsOf: (document: Document) => readonly (readonly RawElement[])[],
  amountOf: (document: Document) => bigint = () => 1n,
): TotalsIndex {
  return { kind: "totals", isUnique: false, bytes, groupsOf, amountOf };
}

/** In the order of their declarations. */
export const ITEM_INDEXES: Readonly<Record<string, ExpectedIndex>> = {
  Item_name: scalarIndex<Item>(({ name }) => rows([name]), true),
  byGroup: scalarIndex<Item>(({ group, amount, name }) => [
    { values: [orNull(group), { double: amount }], covered: [name] },
  ]),
  "Item_tags[]": scalarIndex<Item>(({ tags }) => rows(...different(tags).map((tag) => [tag]))),
  byPlace: scalarIndex<Item>(({ at }) => (typeof at?.place === "string" ? rows([at.place]) : [])),
  small: scalarIndex<Item>(({ amount }) => (amount < 10 ? rows([{ double: amount }]) : [])),
  countByGroup: totals<Item>(8, ({ group }) => [[orNull(group)]]),
  countByTag: totals<Item>(8, ({ tags }) => different(tags).map((tag) => [tag])),
  // One decimal: a unit is a tenth.
  sumByGroup: totals<Item>(
    24,
    ({ group }) => [[orNull(group)]],
    ({ amount }) => 2n ** 128n + BigInt(amount * 10),
  ),
  least: {
    kind: "flat",
    isUnique: false,
    isScalar: false,
    rowsOf: ({ group, amount }: Item) => rows([orNull(group), { double: amount }]),
  },
  history: { kind: "history", isUnique: false, keepLast: 2 },
};

const NOTE_INDEXES: Readonly<Record<string, ExpectedIndex>> = {
  Note_item_line: scalarIndex<Note>(({ item, line }) => rows([item, { double: line }]), true),
};

/** Those that a migration brings (`migrations.ts`); no step asks for them by name. */
const LATER_INDEXES: Readonly<Record<string, ExpectedIndex>> = {
  byAmount: scalarIndex<Item>(({ amount, name }) => [{ values: [{ double: amount }], covered: [name] }]),
  Mark_word: scalarIndex<{ readonly word: string }>(({ word }) => rows([word])),
};

const INDEXES: Readonly<Record<string, ExpectedIndex>> = { ...ITEM_INDEXES, ...NOTE_INDEXES };

/** Those by which documents are found. */
export const SCALAR_INDEXES: readonly string[] = Object.entries(INDEXES)
  .filter(([, index]) => index.kind === "flat" && index.isScalar)
  .map(([name]) => name);

/** Not unique ones, nor those that others are built from: what follows from damage there is no scrub's to repair. */
export function mayBeDamaged(name: string): boolean {
  const index = INDEXES[name];
  return index?.kind === "flat" && !index.isUnique && name !== "byGroup";
}

export function expectedIndex(name: string): ExpectedIndex {
  const index = INDEXES[name] ?? LATER_INDEXES[name];
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

/** Of one document in a flat index. `packedId`: the packed primary key. */
export function packedRows(index: string, document: unknown, packedId: string): readonly PackedRow[] {
  const expected = expectedIndex(index);
  if (expected.kind !== "flat") return [];
  return expected.rowsOf(document as never).map(({ values, covered }) => {
    const prefix = packed(values);
    return { key: prefix + packedId, value: packed(covered), prefix };
  });
}

/** Of all documents in an index of totals: keys and values. */
export function packedTotals(index: TotalsIndex, documents: readonly unknown[]): Map<string, string> {
  const sums = new Map<string, bigint>();
  for (const document of documents) {
    const amount = index.amountOf(document as never);
    for (const group of index.groupsOf(document as never)) {
      const key = packed(group);
      sums.set(key, (sums.get(key) ?? 0n) + amount);
    }
  }
  const modulus = 1n << BigInt(8 * index.bytes);
  return new Map([...sums].map(([key, sum]) => [key, textOf((sum + modulus) % modulus, index.bytes)]));
}
