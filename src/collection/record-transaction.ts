/**
 * A transaction of records, as its body sees it: collections that read and write within it, and the plain transaction beside them
 * for keys of the user's own.
 */
import type { CollectionDeclaration } from "../record/declaration.js";
import type { Transaction } from "../transaction/transaction.js";
import { Collection } from "./collection.js";
import { RecordReader } from "./record-reader.js";
import type { RecordWriter } from "./record-writer.js";

export type CollectionNamed<
  Collections extends readonly CollectionDeclaration[],
  Name extends Collections[number]["name"],
> = Extract<Collections[number], { readonly name: Name }>;

export class RecordTransaction<Collections extends readonly CollectionDeclaration[]> {
  readonly #writer: RecordWriter;

  constructor(writer: RecordWriter) {
    this.#writer = writer;
  }

  /** For keys outside the records; committed with them. */
  get transaction(): Transaction {
    return this.#writer.transaction;
  }

  collection<const Name extends Collections[number]["name"]>(
    name: Name,
  ): Collection<CollectionNamed<Collections, Name>> {
    const writer = this.#writer;
    writer.shared.declarationOf(name);
    const reader = new RecordReader(writer.shared, writer.transaction, () => writer.catalogue());
    return new Collection(name, {
      metrics: writer.shared.metrics,
      write: (body) => body(writer),
      read: (body) => body(reader),
    });
  }
}
