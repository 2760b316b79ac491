/**
 * Stored documents within one transaction of a migration: found by the catalogue alone, since no schema is declared for what they were,
 * and written with every index told. Owns the checks that are left: of primary keys, and of the declared schema where the documents
 * have to meet it. `finish` must be the last call before the commit.
 */
import { maintain, maintainedIndexes } from "../index/maintenance.js";
import { UniquenessChecks } from "../index/uniqueness.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { Catalogue, CatalogueCollection } from "../record/catalogue.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import type { RecordItem } from "../record/item.js";
import { type FoundItem, ItemStore } from "../record/item-store.js";
import { itemSpace } from "../record/keyspace.js";
import { ownCopy } from "../record/own-copy.js";
import { RecordError, shown } from "../record/record-error.js";
import type { Transaction } from "../transaction/transaction.js";
import { primaryKeyOf, primaryKeyOfDocument, validated } from "./documents.js";
import { mirrorsOf } from "./mirrors.js";
import type { SharedStore } from "./shared-store.js";

/** What the code of a migration may do beside the document that it is given, in the same transaction. */
export interface MigrationWrites {
  /** As it is stored; `undefined` when it is not there. */
  get(collection: string, primaryKey: unknown): Promise<unknown>;
  /** Inserts or replaces. */
  put(collection: string, document: unknown): Promise<void>;
  /** Whether it was there. */
  delete(collection: string, primaryKey: unknown): Promise<boolean>;
}

/** Throws `UNKNOWN_COLLECTION`. */
export function storedCollection(catalogue: Catalogue, name: string): CatalogueCollection {
  const found = catalogue.collections.get(name);
  if (found !== undefined) return found;
  throw new RecordError(
    "UNKNOWN_COLLECTION",
    `there is no collection ${shown(name)} in the store; it has ${[...catalogue.collections.keys()].join(", ") || "none"}.`,
    { collection: name },
  );
}

export function storedItems(shared: SharedStore, { stored }: CatalogueCollection): ItemStore {
  return new ItemStore(itemSpace(shared.root, stored.id), shared.pipeline);
}

export class MigrationItems implements MigrationWrites {
  readonly #shared: SharedStore;
  readonly #transaction: Transaction;
  readonly #catalogue: Catalogue;
  /** By name, of collections whose documents must meet their schema. */
  readonly #declared: ReadonlyMap<string, CollectionDeclaration>;
  readonly #uniqueness: UniquenessChecks;

  constructor(
    shared: SharedStore,
    transaction: Transaction,
    catalogue: Catalogue,
    declared: ReadonlyMap<string, CollectionDeclaration>,
  ) {
    this.#shared = shared;
    this.#transaction = transaction;
    this.#catalogue = catalogue;
    this.#declared = declared;
    this.#uniqueness = new UniquenessChecks(shared.root);
  }

  async get(collection: string, primaryKey: unknown): Promise<unknown> {
    const found = storedCollection(this.#catalogue, collection);
    return (await this.#read(found, this.#elementOf(found, primaryKey)))?.document;
  }

  async put(collection: string, given: unknown): Promise<void> {
    const found = storedCollection(this.#catalogue, collection);
    const item = this.#itemOf(found, given);
    await this.#change(found, await this.#read(found, item.primaryKey), item);
  }

  async delete(collection: string, primaryKey: unknown): Promise<boolean> {
    const found = storedCollection(this.#catalogue, collection);
    const before = await this.#read(found, this.#elementOf(found, primaryKey));
    if (before !== undefined) await this.#change(found, before, null);
    return before !== undefined;
  }

  /** Throws `PRIMARY_KEY_CHANGED`. */
  async replace(found: CatalogueCollection, before: FoundItem, document: unknown): Promise<void> {
    const { name, primaryKey } = found.stored;
    const former = (before.document as Readonly<Record<string, unknown>>)[primaryKey];
    const item = this.#itemOf(found, document);
    if (Buffer.compare(this.#keyOf(found, item), this.#keyOf(found, before)) !== 0) {
      throw new RecordError(
        "PRIMARY_KEY_CHANGED",
        `a migration changes the primary key "${primaryKey}" of a document of "${name}" from ${shown(former)}. ` +
          "Put it under its new key and delete the old one.",
        { collection: name, field: primaryKey, value: former },
      );
    }
    await this.#change(found, before, item);
  }

  async remove(found: CatalogueCollection, before: FoundItem): Promise<void> {
    await this.#change(found, before, null);
  }

  /** Throws `UNIQUE_VIOLATION`. */
  finish(): Promise<void> {
    return this.#uniqueness.check(this.#transaction);
  }

  #itemOf(found: CatalogueCollection, given: unknown): RecordItem {
    const declaration = this.#declared.get(found.stored.name);
    const document = declaration === undefined ? ownCopy(given) : validated(declaration, given);
    const { name, primaryKey } = found.stored;
    const own = this.#shared.declarations.get(name) ?? { name, primaryKey };
    return { primaryKey: primaryKeyOfDocument(own, document), document };
  }

  #elementOf({ stored: { name, primaryKey } }: CatalogueCollection, value: unknown): TupleElement {
    return primaryKeyOf(this.#shared.declarations.get(name) ?? { name, primaryKey }, value);
  }

  #keyOf(found: CatalogueCollection, { primaryKey }: RecordItem): Uint8Array {
    return storedItems(this.#shared, found).keyOf(primaryKey);
  }

  #read(found: CatalogueCollection, primaryKey: TupleElement): Promise<FoundItem | undefined> {
    return storedItems(this.#shared, found).read(this.#transaction, primaryKey);
  }

  /** In every collection that keeps the document. */
  async #change(
    found: CatalogueCollection,
    before: FoundItem | undefined,
    after: RecordItem | null,
  ): Promise<void> {
    await this.#changeOne(found, before, after);
    const item = after ?? before;
    const { name } = found.stored;
    if (item === undefined || !this.#shared.declarations.has(name)) return;
    for (const mirror of mirrorsOf(this.#shared, name, item)) {
      const other = storedCollection(this.#catalogue, mirror.collection);
      const former = await this.#read(other, mirror.item.primaryKey);
      await this.#changeOne(other, former, after === null ? null : mirror.item);
    }
  }

  async #changeOne(
    found: CatalogueCollection,
    before: FoundItem | undefined,
    after: RecordItem | null,
  ): Promise<void> {
    const items = storedItems(this.#shared, found);
    const indexes = maintainedIndexes(found, this.#shared.maintenance);
    await maintain(this.#transaction, indexes, before ?? null, after, this.#uniqueness);
    if (after !== null) items.write(this.#transaction, after, before);
    else if (before !== undefined) items.clear(this.#transaction, before);
  }
}
