/**
 * Documents of stored records, read and written by the catalogue alone. Owns pages in the order of primary keys and of an index's
 * rows, and the refusal to write past what the catalogue knows; what is written goes through the record writer, so every index is
 * told and unique values are checked.
 */

import { catalogued } from "../index/environment.js";
import { rowsAfterValues } from "../index/value-range.js";
import type { KeyRange } from "../keyspace/subspace.js";
import { pack, unpack } from "../keyspace/tuple.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { CatalogueCollection } from "../record/catalogue.js";
import { type IndexValue, indexElement } from "../record/index-value.js";
import type { FoundItem, ItemStore } from "../record/item-store.js";
import { COMPOSITE_KEY, polymorphicKey } from "../record/polymorphic.js";
import { RecordError, shown } from "../record/record-error.js";
import type { ReadTransaction } from "../transaction/transaction.js";
import { keyName, primaryKeyOf, primaryKeyOfDocument } from "./documents.js";
import { itemRange } from "./item-range.js";
import { readableIndex, wrongKind } from "./record-reader.js";
import { RecordRunner } from "./record-runner.js";
import { type StoredRecords, whyNotWritable } from "./stored-records.js";

export interface DocumentPage {
  readonly items: readonly FoundItem[];
  /** Where the next page goes on; null on the last. */
  readonly next: Uint8Array | null;
}

export interface PageBounds {
  readonly limit: number;
  readonly reverse: boolean;
  /** `next` of the page before. */
  readonly after: Uint8Array | null;
}

/** The element of a primary key, also of a collection of several types: [type, key]. Throws `INVALID_PRIMARY_KEY`. */
export function elementOf({ stored }: CatalogueCollection, value: unknown): TupleElement {
  const { name, primaryKey } = stored;
  if (primaryKey !== COMPOSITE_KEY) return primaryKeyOf({ name, primaryKey }, value);
  const [type, key] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  const element = typeof type === "string" ? polymorphicKey([{ name: type }], type, key) : null;
  if (element !== null) return element;
  throw new RecordError(
    "INVALID_PRIMARY_KEY",
    `${shown(value)} cannot be a primary key of "${name}". Give the name of a type and the primary key within it: ["Name", 1].`,
    { collection: name, value },
  );
}

/** In the order of the primary keys. Throws `UNKNOWN_COLLECTION`, `INVALID_ARGUMENT`. */
export async function documentPage(
  records: StoredRecords,
  reader: ReadTransaction,
  name: string,
  bounds: PageBounds & { readonly prefix?: string | undefined },
): Promise<DocumentPage> {
  const items = itemsOf(records, name);
  const { after, limit, reverse, prefix } = bounds;
  const range = itemRange(items, {
    reverse,
    prefix,
    ...(after === null ? {} : { after: unpack(after)[0] }),
  });
  const found = await items.scanAll(reader, { ...range, reverse, limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { items: page, next: found.length > limit && last !== undefined ? pack([last.primaryKey]) : null };
}

/**
 * Documents whose indexed fields, from the first on, have these values, in the order of the index. Throws `UNKNOWN_COLLECTION`,
 * `UNKNOWN_INDEX`, `INDEX_NOT_READABLE`, `WRONG_INDEX_KIND`, `INVALID_ARGUMENT`.
 */
export async function indexPage(
  records: StoredRecords,
  reader: ReadTransaction,
  name: string,
  bounds: PageBounds & { readonly index: string; readonly values: readonly unknown[] },
): Promise<DocumentPage> {
  const { shared, catalogue } = records;
  const { index, values, limit, reverse, after } = bounds;
  const collection = shared.collectionIn(catalogue, name);
  const { entries, context } = readableIndex(shared, collection, index).maintainer;
  if (entries === undefined) throw wrongKind(collection, index, "does not order documents by values");
  if (values.length > context.declaration.fields.length) {
    throw new RecordError(
      "INVALID_ARGUMENT",
      `the index "${index}" is asked by values of ${context.declaration.fields.join(", ")}, at most one each.`,
      { collection: name, index },
    );
  }
  const whole = rowsAfterValues(context.space.pack(values.map((value) => elementOfValue(value))));
  const rows = await reader.getRangeAll(...behind(whole, after, reverse), { limit: limit + 1, reverse });
  const page = rows.slice(0, limit);
  const found = await Promise.all(
    page.map(([key]) => collection.items.read(reader, entries.primaryKeyOf(key))),
  );
  return {
    items: found.filter((item) => item !== undefined),
    next: rows.length > limit ? (page.at(-1)?.[0] ?? null) : null,
  };
}

/** `undefined` when it is not there. Throws `UNKNOWN_COLLECTION`, `INVALID_PRIMARY_KEY`. */
export async function storedDocument(
  records: StoredRecords,
  reader: ReadTransaction,
  name: string,
  primaryKey: unknown,
): Promise<FoundItem | undefined> {
  const collection = catalogued(records.catalogue, name);
  return records.shared.itemsOf(collection).read(reader, elementOf(collection, primaryKey));
}

export interface StoredWrite {
  readonly version: number;
  /** Whether there was a document under the key before. */
  readonly existed: boolean;
}

/**
 * Inserts or replaces the document under its primary key, which must be `primaryKey`. Throws `UNMAINTAINABLE_COLLECTION` where the
 * catalogue is not enough to write, `PRIMARY_KEY_CHANGED`, and as a collection's `put` does.
 */
export async function putStoredDocument(
  records: StoredRecords,
  name: string,
  primaryKey: unknown,
  document: unknown,
): Promise<StoredWrite> {
  requireWritable(records, name);
  const declaration = records.shared.declarationOf(name);
  const element = primaryKeyOf(declaration, primaryKey);
  if (keyName(primaryKeyOfDocument(declaration, document)) !== keyName(element)) {
    throw new RecordError(
      "PRIMARY_KEY_CHANGED",
      `the document's own primary key, "${declaration.primaryKey}", is not ${shown(primaryKey)}, under which it is put.`,
      { collection: name, field: declaration.primaryKey },
    );
  }
  return commit(records, async (writer) => {
    const { items } = await writer.collection(name);
    // Were the documents stored in a way that is not known here, the new one would be the only one of its kind.
    await requireReadable(items, writer.transaction.snapshot);
    const existed = (await writer.get(name, primaryKey)) !== undefined;
    await writer.put(name, document);
    return existed;
  });
}

/** Throws as `putStoredDocument`. Nothing is written where there is no such document. */
export function deleteStoredDocument(
  records: StoredRecords,
  name: string,
  primaryKey: unknown,
): Promise<StoredWrite> {
  requireWritable(records, name);
  return commit(records, (writer) => writer.delete(name, primaryKey));
}

type RunnerBody = Parameters<RecordRunner<[]>["write"]>[0];
type Writer = Parameters<RunnerBody>[0];

async function commit(
  { shared }: StoredRecords,
  body: (writer: Writer) => Promise<boolean>,
): Promise<StoredWrite> {
  const { result, version } = await new RecordRunner(shared).commit(body, {});
  return { existed: result, version: version ?? -1 };
}

function requireWritable(records: StoredRecords, name: string): void {
  const why = whyNotWritable(records, catalogued(records.catalogue, name));
  if (why === null) return;
  throw new RecordError(
    "UNMAINTAINABLE_COLLECTION",
    `"${name}" can be read here, but not written: ${why}. Write it with the program that declares it.`,
    { collection: name },
  );
}

/** Throws what reading one of the documents throws: of another codec, encrypted, damaged. */
async function requireReadable(items: ItemStore, reader: ReadTransaction): Promise<void> {
  await items.scanAll(reader, { ...items.space.range(), limit: 1 });
}

function itemsOf({ shared, catalogue }: StoredRecords, name: string): ItemStore {
  return shared.itemsOf(catalogued(catalogue, name));
}

function elementOfValue(value: unknown): TupleElement {
  const indexable = indexElement(value);
  if (indexable !== null) return indexable.element;
  throw new RecordError(
    "INVALID_ARGUMENT",
    `${shown(value)} is in no index. Ask for a value that can be indexed.`,
    {
      value: value as IndexValue,
    },
  );
}

function behind(
  { begin, end }: KeyRange,
  after: Uint8Array | null,
  reverse: boolean,
): [begin: Uint8Array, end: Uint8Array] {
  if (after === null) return [begin, end];
  return reverse ? [begin, after] : [Buffer.concat([after, Uint8Array.of(0)]), end];
}
