/**
 * A transaction of records, as its body sees it: collections that read and write within it, and the plain transaction beside them
 * for keys of the user's own.
 */
import type { CollectionDeclaration, DocumentOf, KeyOf } from "../record/declaration.js";
import type { Transaction } from "../transaction/transaction.js";
import { Collection } from "./collection.js";
import { deleteEnforcing, type EnforcedDeletion } from "./delete-rules.js";
import { RecordReader } from "./record-reader.js";
import type { RecordWriter } from "./record-writer.js";
import { type Joined, joined, related } from "./related.js";
import type { RelatedBy, RelationshipDeclaration } from "./relationships.js";

export type CollectionNamed<
  Collections extends readonly CollectionDeclaration[],
  Name extends Collections[number]["name"],
> = Extract<Collections[number], { readonly name: Name }>;

/** One transaction over several collections; see `RecordStore.transact`. */
export class RecordTransaction<Collections extends readonly CollectionDeclaration[]> {
  readonly #writer: RecordWriter;

  constructor(writer: RecordWriter) {
    this.#writer = writer;
  }

  /** For keys outside the records; committed with them. */
  get transaction(): Transaction {
    return this.#writer.transaction;
  }

  /** The document that the key leads to, or null; of a list of keys those that are there, in its order. */
  related<const Relationship extends RelationshipDeclaration>(
    relationship: Relationship,
    document: DocumentOf<Relationship["from"]>,
  ): Promise<RelatedBy<Relationship>> {
    return related(this.#reader(), relationship, document);
  }

  /** As `related`, for many documents: each other document is read once. */
  joining<const Relationship extends RelationshipDeclaration>(
    relationship: Relationship,
    documents: readonly DocumentOf<Relationship["from"]>[],
  ): Promise<Joined<DocumentOf<Relationship["from"]>, RelatedBy<Relationship>>[]> {
    return joined(this.#reader(), relationship, documents) as Promise<
      Joined<DocumentOf<Relationship["from"]>, RelatedBy<Relationship>>[]
    >;
  }

  /**
   * Deletes the document, and does to those that name it what their relationships say. Plain `delete` does not. Throws
   * `DELETE_DENIED` with their number; then nothing was deleted.
   */
  deleteEnforcingRelationships<const Name extends Collections[number]["name"]>(
    name: Name,
    primaryKey: KeyOf<CollectionNamed<Collections, Name>>,
  ): Promise<EnforcedDeletion> {
    return deleteEnforcing(this.#writer, name, primaryKey);
  }

  collection<const Name extends Collections[number]["name"]>(
    name: Name,
  ): Collection<CollectionNamed<Collections, Name>> {
    const writer = this.#writer;
    writer.shared.declarationOf(name);
    const reader = this.#reader();
    return new Collection(name, {
      metrics: writer.shared.metrics,
      turn: () => writer.shared.turn(),
      write: (body) => body(writer),
      read: (body) => body(reader),
    });
  }

  #reader(): RecordReader {
    const writer = this.#writer;
    return new RecordReader(writer.shared, writer.transaction, () => writer.catalogue());
  }
}
