/**
 * Records within one transaction: documents are checked, stored, and every index of their collection told, so that after the commit
 * each index is what it would be if it were built anew. Calls take turns, in their order: two writes of one document would each take
 * what was there before for what the other has left.
 *
 * `finish` must be the last call before the commit: there unique values are checked. Nothing here commits.
 */
import { maintain } from "../index/maintenance.js";
import { UniquenessChecks } from "../index/uniqueness.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type { Catalogue } from "../record/catalogue.js";
import type { RecordItem } from "../record/item.js";
import type { FoundItem } from "../record/item-store.js";
import type { Transaction } from "../transaction/transaction.js";
import { primaryKeyOf, primaryKeyOfDocument, validated } from "./documents.js";
import type { OpenCollection, SharedStore } from "./shared-store.js";

/** One change of one document, for hooks. */
export interface RecordChange {
  readonly collection: string;
  readonly primaryKey: TupleElement;
  readonly before: unknown;
  readonly after: unknown;
}

export class RecordWriter {
  readonly shared: SharedStore;
  readonly transaction: Transaction;
  readonly #uniqueness: UniquenessChecks;
  #catalogue: Promise<Catalogue> | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(shared: SharedStore, transaction: Transaction) {
    this.shared = shared;
    this.transaction = transaction;
    this.#uniqueness = new UniquenessChecks(shared.root);
  }

  /** The one this transaction commits under, if it commits. */
  catalogue(): Promise<Catalogue> {
    this.#catalogue ??= this.shared.catalogues.read(this.transaction);
    return this.#catalogue;
  }

  async collection(name: string): Promise<OpenCollection> {
    return this.shared.collectionIn(await this.catalogue(), name);
  }

  /** Inserts or replaces. Throws `VALIDATION_FAILED`, `ASYNC_VALIDATION`, `INVALID_PRIMARY_KEY`, `INVALID_INDEX_VALUE`. */
  put(name: string, given: unknown): Promise<void> {
    const declaration = this.shared.declarationOf(name);
    const document = validated(declaration, given);
    const item = { primaryKey: primaryKeyOfDocument(declaration, document), document };
    return this.inTurn(async () => {
      const collection = await this.collection(name);
      const before = await collection.items.read(this.transaction, item.primaryKey);
      await this.#change(collection, before, item);
    });
  }

  /** Whether it was there. */
  delete(name: string, primaryKey: unknown): Promise<boolean> {
    const element = primaryKeyOf(this.shared.declarationOf(name), primaryKey);
    return this.inTurn(async () => {
      const collection = await this.collection(name);
      const before = await collection.items.read(this.transaction, element);
      if (before === undefined) return false;
      await this.#change(collection, before, null);
      return true;
    });
  }

  /** `undefined` when it is not there. */
  async get(name: string, primaryKey: unknown): Promise<unknown> {
    const element = primaryKeyOf(this.shared.declarationOf(name), primaryKey);
    const collection = await this.collection(name);
    return (await collection.items.read(this.transaction, element))?.document;
  }

  /** The last call before the commit. Throws `UNIQUE_VIOLATION`. */
  finish(): Promise<void> {
    return this.inTurn(() => this.#uniqueness.check(this.transaction));
  }

  /** After the calls before it. What one of those threw is its own caller's. */
  inTurn<T>(call: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(call);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #change(
    collection: OpenCollection,
    before: FoundItem | undefined,
    after: RecordItem | null,
  ): Promise<void> {
    // Indexes first: an index that refuses the document has then written nothing of it beside others' rows.
    await maintain(this.transaction, collection.indexes, before ?? null, after, this.#uniqueness);
    if (after !== null) collection.items.write(this.transaction, after, before);
    else if (before !== undefined) collection.items.clear(this.transaction, before);
  }
}
