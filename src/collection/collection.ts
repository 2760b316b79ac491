/**
 * A typed collection, within a transaction or on its own: then each call is a transaction. Owns the types; the work is done in
 * `record-writer.ts` and `record-reader.ts`.
 */
import type { CollectionDeclaration, DocumentOf, IndexNameOf, KeyOf } from "../record/declaration.js";
import type { IndexValue } from "../record/index-value.js";
import type { RecordReader } from "./record-reader.js";
import type { RecordWriter } from "./record-writer.js";

/** How the calls of a collection are run. */
export interface RecordAccess {
  write<T>(body: (writer: RecordWriter) => Promise<T>): Promise<T>;
  read<T>(body: (reader: RecordReader) => Promise<T>): Promise<T>;
}

export interface ScanItemsOptions {
  /** At most so many documents. Default 100 (features FS-25). */
  readonly limit?: number;
  readonly reverse?: boolean;
}

export class Collection<Declaration extends CollectionDeclaration> {
  readonly name: Declaration["name"];
  readonly #access: RecordAccess;

  constructor(name: Declaration["name"], access: RecordAccess) {
    this.name = name;
    this.#access = access;
  }

  /** Inserts or replaces. Throws `VALIDATION_FAILED`, `INVALID_PRIMARY_KEY`, `INVALID_INDEX_VALUE`, `UNIQUE_VIOLATION`. */
  put(document: DocumentOf<Declaration>): Promise<void> {
    return this.#access.write((writer) => writer.put(this.name, document));
  }

  /** `undefined` when it is not there. */
  get(primaryKey: KeyOf<Declaration>): Promise<DocumentOf<Declaration> | undefined> {
    return this.#access.read(
      (reader) => reader.get(this.name, primaryKey) as Promise<DocumentOf<Declaration> | undefined>,
    );
  }

  /** Whether it was there. */
  delete(primaryKey: KeyOf<Declaration>): Promise<boolean> {
    return this.#access.write((writer) => writer.delete(this.name, primaryKey));
  }

  /** In the order of their primary keys. */
  scan(options: ScanItemsOptions = {}): Promise<DocumentOf<Declaration>[]> {
    return this.#access.read(
      (reader) => reader.scan(this.name, options) as Promise<DocumentOf<Declaration>[]>,
    );
  }

  /**
   * Documents whose indexed fields, from the first on, have these values. Throws `UNKNOWN_INDEX`, `INDEX_NOT_READABLE`,
   * `WRONG_INDEX_KIND` for an index that does not order documents by values.
   */
  byIndex(
    index: IndexNameOf<Declaration>,
    values: readonly IndexValue[],
    options: ScanItemsOptions = {},
  ): Promise<DocumentOf<Declaration>[]> {
    return this.#access.read(
      (reader) =>
        reader.byIndex(this.name, { index, values, ...options }) as Promise<DocumentOf<Declaration>[]>,
    );
  }
}
