/**
 * A collection as a context shows it: the documents of the store with what is pending in the context. Owns the types and the reads;
 * each is a transaction of its own.
 */
import type { CollectionDeclaration, DocumentOf, IndexNameOf, KeyOf } from "../record/declaration.js";
import {
  type CollectionScanOptions,
  type CollectionWalkOptions,
  type IndexValuesOf,
  type ReadAccess,
  ReadCollection,
  type ScanItemsOptions,
} from "./collection.js";
import type { ContextDocuments } from "./context-documents.js";

/** A collection within a unit of work: one object for each key, however it is fetched. */
export class ContextCollection<Declaration extends CollectionDeclaration> {
  readonly name: Declaration["name"];
  readonly #stored: ReadCollection<Declaration>;
  readonly #documents: ContextDocuments;
  /** Throws when the context is closed. */
  readonly #isSaving: () => boolean;

  constructor(
    name: Declaration["name"],
    access: ReadAccess,
    documents: ContextDocuments,
    isSaving: () => boolean,
  ) {
    this.name = name;
    this.#stored = new ReadCollection(name, access);
    this.#documents = documents;
    this.#isSaving = isSaving;
  }

  /**
   * Pending until the save, which checks it. The object may be changed until then; it is what others get of this context, so it is a
   * whole document, with what the schema would fill in. Throws `DOCUMENT_EXISTS`.
   */
  insert(document: DocumentOf<Declaration>): void {
    this.#isSaving();
    this.#documents.insert(document);
  }

  /** Pending until the save, whether it was fetched or not. */
  delete(primaryKey: KeyOf<Declaration>): void {
    this.#documents.delete(primaryKey, this.#isSaving());
  }

  /** As `delete` for every document that is there now, and every new one. Holds all of them: O(documents) of memory. */
  async deleteAll(): Promise<void> {
    this.#documents.deleteAll(this.#isSaving());
    for await (const document of this.#stored.documents()) {
      this.#documents.fetched(document);
      this.#documents.delete(this.#keyOf(document), this.#isSaving());
    }
  }

  /** The one object of this document, new ones included; `undefined` when it is not there, or deleted here. */
  async get(primaryKey: KeyOf<Declaration>): Promise<DocumentOf<Declaration> | undefined> {
    this.#isSaving();
    const known = this.#documents.find(primaryKey);
    if (known !== undefined) return known.document as DocumentOf<Declaration> | undefined;
    const read = await this.#stored.get(primaryKey);
    return read === undefined ? undefined : this.#own([read])[0];
  }

  /** Reads it again, whatever is pending of it, into the object that there is. */
  async refresh(primaryKey: KeyOf<Declaration>): Promise<DocumentOf<Declaration> | undefined> {
    this.#isSaving();
    const read = await this.#stored.get(primaryKey);
    return this.#documents.refreshed(primaryKey, read) as DocumentOf<Declaration> | undefined;
  }

  /**
   * Stored documents in the order of their primary keys, as the context has them: without those deleted here, and without new ones,
   * which are stored by the save.
   */
  async fetch(options: CollectionScanOptions<KeyOf<Declaration>> = {}): Promise<DocumentOf<Declaration>[]> {
    this.#isSaving();
    return this.#own(await this.#stored.scan(options));
  }

  /** As `fetch`, of those that the index finds by what is stored. */
  async byIndex<const Name extends IndexNameOf<Declaration>>(
    index: Name,
    values: IndexValuesOf<Declaration, Name>,
    options: ScanItemsOptions = {},
  ): Promise<DocumentOf<Declaration>[]> {
    this.#isSaving();
    return this.#own(await this.#stored.byIndex(index, values, options));
  }

  /** Calls `each` with every stored document, as `fetch` gives them. Holds on only to those that it changes or held before. */
  async enumerate(
    each: (document: DocumentOf<Declaration>) => Promise<void> | void,
    options: CollectionWalkOptions<KeyOf<Declaration>> = {},
  ): Promise<void> {
    this.#isSaving();
    for await (const read of this.#stored.documents(options)) {
      const wasHeld = this.#documents.holds(read);
      const [document] = this.#own([read]);
      if (document === undefined) continue;
      await each(document);
      if (!wasHeld) this.#documents.release(document);
    }
  }

  #own(read: readonly DocumentOf<Declaration>[]): DocumentOf<Declaration>[] {
    return read.flatMap((document) => {
      const own = this.#documents.fetched(document) as DocumentOf<Declaration> | undefined;
      return own === undefined ? [] : [own];
    });
  }

  #keyOf(document: DocumentOf<Declaration>): KeyOf<Declaration> {
    return this.#documents.keyOf(document) as KeyOf<Declaration>;
  }
}
