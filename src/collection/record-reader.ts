/**
 * Reads of records over any reader: a transaction, its snapshot, or one version. Owns how documents are found by primary key and by
 * the rows of an index; does not own predicates and plans (`src/query`).
 */

import type { IndexContext } from "../index/kind.js";
import { indexCopy, type MaintainedIndex } from "../index/maintenance.js";
import { rowsAfterValues } from "../index/value-range.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { Catalogue, StoredIndex } from "../record/catalogue.js";
import type { IndexValue } from "../record/index-value.js";
import { indexElement } from "../record/index-value.js";
import type { FoundItem } from "../record/item-store.js";
import { RecordError, shown } from "../record/record-error.js";
import type { ReadTransaction } from "../transaction/transaction.js";
import { primaryKeyOf } from "./documents.js";
import { type ItemBounds, itemRange } from "./item-range.js";
import type { OpenCollection, SharedStore } from "./shared-store.js";

/** Documents that a scan gives when nobody says how many (features FS-25). */
export const SCAN_LIMIT = 100;

export interface ScanBounds extends ItemBounds {
  readonly limit?: number | undefined;
}

export class RecordReader {
  readonly shared: SharedStore;
  readonly reader: ReadTransaction;
  readonly #readCatalogue: () => Promise<Catalogue>;
  #catalogue: Promise<Catalogue> | null = null;

  constructor(shared: SharedStore, reader: ReadTransaction, readCatalogue: () => Promise<Catalogue>) {
    this.shared = shared;
    this.reader = reader;
    this.#readCatalogue = readCatalogue;
  }

  async collection(name: string): Promise<OpenCollection> {
    this.#catalogue ??= this.#readCatalogue();
    return this.shared.collectionIn(await this.#catalogue, name);
  }

  async get(name: string, primaryKey: unknown): Promise<unknown> {
    const element = primaryKeyOf(this.shared.declarationOf(name), primaryKey);
    const collection = await this.collection(name);
    return (await collection.items.read(this.reader, element))?.document;
  }

  /** In the order of the keys; the reads are sent off together. */
  async getMany(name: string, primaryKeys: readonly unknown[]): Promise<unknown[]> {
    const declaration = this.shared.declarationOf(name);
    const elements = primaryKeys.map((primaryKey) => primaryKeyOf(declaration, primaryKey));
    const { items } = await this.collection(name);
    const found = await Promise.all(elements.map((element) => items.read(this.reader, element)));
    return found.map((item) => item?.document);
  }

  async scan(name: string, { limit = SCAN_LIMIT, ...bounds }: ScanBounds): Promise<FoundItem[]> {
    const { items } = await this.collection(name);
    const { reverse = false } = bounds;
    return items.scanAll(this.reader, { ...itemRange(items, bounds), limit, reverse });
  }

  /** How many documents there are, `limit` at most, and the last that was counted. */
  async count(
    name: string,
    { limit = SCAN_LIMIT, ...bounds }: ScanBounds,
  ): Promise<{ readonly count: number; readonly last: TupleElement | undefined }> {
    const { items } = await this.collection(name);
    return items.count(this.reader, { ...itemRange(items, bounds), limit });
  }

  async byIndex(
    name: string,
    query: {
      readonly index: string;
      readonly values: readonly IndexValue[];
      readonly limit?: number | undefined;
      readonly reverse?: boolean | undefined;
    },
  ): Promise<unknown[]> {
    const { limit = SCAN_LIMIT, reverse = false } = query;
    const collection = await this.collection(name);
    const { maintainer } = readableIndex(this.shared, collection, query.index);
    const { entries, context } = maintainer;
    if (entries === undefined) throw wrongKind(collection, query.index, "does not order documents by values");
    checkValues(context, query.values);
    const { begin, end } = rowsAfterValues(context.space.pack(query.values.map((value) => checked(value))));
    const rows = await this.reader.getRangeAll(begin, end, { limit, reverse });
    const found = await Promise.all(
      rows.map(([key]) => collection.items.read(this.reader, entries.primaryKeyOf(key))),
    );
    return found.flatMap((item) => (item === undefined ? [] : [item.document]));
  }
}

/** Throws `UNKNOWN_INDEX`, `INDEX_NOT_READABLE`. */
export function readableIndex(
  shared: SharedStore,
  { catalogued, indexes }: OpenCollection,
  name: string,
): MaintainedIndex {
  const stored = catalogued.indexes.find((index) => index.name === name);
  const collection = catalogued.stored.name;
  if (stored === undefined) throw unknownIndex(collection, name, catalogued.indexes);
  if (stored.state !== "readable") {
    throw new RecordError(
      "INDEX_NOT_READABLE",
      `the index "${name}" of "${collection}" is ${stored.state}. Build it before reading from it.`,
      { collection, index: name },
    );
  }
  return (
    indexes.find((index) => index.stored.id === stored.id && !index.isBuilding) ??
    indexCopy(catalogued, stored, stored.generation, false, shared.maintenance)
  );
}

function unknownIndex(collection: string, name: string, known: readonly StoredIndex[]): RecordError {
  return new RecordError(
    "UNKNOWN_INDEX",
    `"${collection}" has no index ${shown(name)}; it has ${known.map((index) => index.name).join(", ") || "none"}.`,
    { collection, index: name },
  );
}

export function wrongKind({ catalogued }: OpenCollection, index: string, why: string): RecordError {
  const collection = catalogued.stored.name;
  const kind = catalogued.indexes.find(({ name }) => name === index)?.declaration.kind ?? "unknown";
  return new RecordError(
    "WRONG_INDEX_KIND",
    `the index "${index}" of "${collection}" is of kind "${kind}", which ${why}.`,
    { collection, index },
  );
}

/** More values than fields would be taken for primary keys. */
function checkValues({ collection, index, declaration }: IndexContext, values: readonly IndexValue[]): void {
  const { fields } = declaration;
  if (Array.isArray(values) && values.length <= fields.length) return;
  throw new RecordError(
    "INVALID_ARGUMENT",
    `the index "${index}" of "${collection}" is asked by a list of up to ${fields.length} values, of ${fields.join(", ")}, ` +
      `not by ${shown(values)}.`,
    { collection, index, value: values },
  );
}

function checked(value: IndexValue): TupleElement {
  const indexable = indexElement(value);
  if (indexable !== null) return indexable.element;
  throw new RecordError(
    "INVALID_ARGUMENT",
    `${shown(value)} is in no index. Ask for a value that can be indexed.`,
    { value },
  );
}
