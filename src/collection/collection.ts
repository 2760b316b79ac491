/**
 * A typed collection, within a transaction, at one version, or on its own: then each call is a transaction. Owns the types and what
 * goes through several transactions; the work is done in `record-writer.ts` and `record-reader.ts`.
 */
import { refuseUnknownOptions } from "../engine/options.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import type {
  CollectionDeclaration,
  DocumentOf,
  IndexDeclaration,
  IndexNameOf,
  InputOf,
  KeyOf,
  NameOf,
} from "../record/declaration.js";
import type { ValueAt } from "../record/field-path.js";
import type { IndexValue } from "../record/index-value.js";
import { RecordError, shown } from "../record/record-error.js";
import { primaryKeyOf } from "./documents.js";
import { IndexReads } from "./index-reads.js";
import type { MetricCounters } from "./metrics.js";
import { RecordQuery } from "./query.js";
import type { RecordReader, ScanBounds } from "./record-reader.js";
import type { DocumentChange, RecordWriter } from "./record-writer.js";

/** How the reads of a collection are run. */
export interface ReadAccess {
  readonly metrics: MetricCounters;
  /** Resolves on a later turn: what is read from memory gives others none between its pages. */
  turn(): Promise<void>;
  read<T>(body: (reader: RecordReader) => Promise<T>): Promise<T>;
}

export interface RecordAccess extends ReadAccess {
  write<T>(body: (writer: RecordWriter) => Promise<T>): Promise<T>;
}

/** Which raw items a scan gives, and how many. */
export interface ScanItemsOptions {
  /** At most so many documents. Default 100 (features FS-25). */
  readonly limit?: number;
  readonly reverse?: boolean;
}

/** Which documents a scan walks, by their primary keys. */
export interface CollectionScanOptions<Key> extends ScanItemsOptions {
  /** Begins behind this key, in the direction of the scan: that of the last document of the page before. */
  readonly after?: Key;
  /** Only documents whose primary keys, being text, begin so. */
  readonly prefix?: Key extends string ? string : never;
}

/** Which documents a walk goes over, and in what pages. */
export interface CollectionWalkOptions<Key> extends Omit<CollectionScanOptions<Key>, "limit"> {
  /** Documents that one transaction reads. Default 256. */
  readonly pageSize?: number;
}

/** The values by which an index is asked: of its fields, from the first on. */
export type IndexValuesOf<Declaration, Name> = Declaration extends CollectionDeclaration<
  infer Collection,
  infer Document,
  string,
  infer Indexes
>
  ? string extends Collection
    ? readonly IndexValue[]
    : Beginning<FieldValues<Document, FieldsNamed<Collection, Indexes[number], Name>>>
  : never;

type FieldsNamed<Collection extends string, Index, Name> = Index extends IndexDeclaration
  ? Name extends NameOf<Collection, Index>
    ? Index["fields"]
    : never
  : never;

type FieldValues<Document, Fields> = Fields extends readonly string[]
  ? { readonly [At in keyof Fields]: ValueAt<Document, Fields[At] & string> }
  : never;

type Beginning<Values> = Values extends readonly [infer First, ...infer Rest]
  ? readonly [] | readonly [First, ...Beginning<Rest>]
  : readonly [];

const PAGE_SIZE = 256;

/** What can be read of a collection. `for await (const document of collection)` walks all of it. */
export class ReadCollection<Declaration extends CollectionDeclaration>
  extends IndexReads<Declaration>
  implements AsyncIterable<DocumentOf<Declaration>>
{
  readonly #access: ReadAccess;

  constructor(name: Declaration["name"], access: ReadAccess) {
    super(name, access);
    this.#access = access;
  }

  /** `undefined` when it is not there. Throws `INVALID_PRIMARY_KEY`. One read. */
  async get(primaryKey: KeyOf<Declaration>): Promise<DocumentOf<Declaration> | undefined> {
    this.#access.metrics.count("gets");
    return this.#access.read(
      (reader) => reader.get(this.name, primaryKey) as Promise<DocumentOf<Declaration> | undefined>,
    );
  }

  /** In the order of the keys, `undefined` for each that is not there. All reads are sent off together. */
  async getMany(
    primaryKeys: readonly KeyOf<Declaration>[],
  ): Promise<(DocumentOf<Declaration> | undefined)[]> {
    checkList(primaryKeys, "primary keys");
    this.#access.metrics.count("gets", primaryKeys.length);
    return this.#access.read(
      (reader) => reader.getMany(this.name, primaryKeys) as Promise<(DocumentOf<Declaration> | undefined)[]>,
    );
  }

  /** In the order of their primary keys. Throws `INVALID_ARGUMENT`, `UNKNOWN_OPTION`. */
  async scan(options: CollectionScanOptions<KeyOf<Declaration>> = {}): Promise<DocumentOf<Declaration>[]> {
    const bounds = this.#bounds(options);
    this.#access.metrics.count("scans");
    const found = await this.#access.read((reader) => reader.scan(this.name, bounds));
    return found.map(({ document }) => document as DocumentOf<Declaration>);
  }

  /**
   * Every document in the order of the primary keys, none twice, in bounded memory. Outside a transaction or snapshot each page is a
   * transaction of its own: documents that are written meanwhile show if the walk has not passed their place. Timers and others
   * have a turn between pages.
   */
  async *documents(
    options: CollectionWalkOptions<KeyOf<Declaration>> = {},
  ): AsyncGenerator<DocumentOf<Declaration>, void, undefined> {
    const { pageSize = PAGE_SIZE, ...rest } = options;
    checkLimit(pageSize, "pageSize", 1);
    const bounds = this.#bounds(rest);
    for (let after = bounds.after; ; ) {
      this.#access.metrics.count("scans");
      const page = await this.#access.read((reader) =>
        reader.scan(this.name, { ...bounds, after, limit: pageSize }),
      );
      for (const { document } of page) yield document as DocumentOf<Declaration>;
      if (page.length < pageSize) return;
      after = page.at(-1)?.primaryKey;
      await this.#access.turn();
    }
  }

  [Symbol.asyncIterator](): AsyncGenerator<DocumentOf<Declaration>, void, undefined> {
    return this.documents();
  }

  /**
   * Counts by walking the keys, as `documents` walks: O(documents), and outside a transaction or snapshot not of one moment. Where
   * it is asked often, declare a count index.
   */
  async count(
    options: Pick<CollectionScanOptions<KeyOf<Declaration>>, "after" | "prefix"> = {},
  ): Promise<number> {
    const bounds = this.#bounds(options);
    let total = 0;
    for (let after = bounds.after; ; ) {
      this.#access.metrics.count("scans");
      const page = await this.#access.read((reader) =>
        reader.count(this.name, { ...bounds, after, limit: COUNTED_AT_ONCE }),
      );
      total += page.count;
      if (page.count < COUNTED_AT_ONCE) return total;
      after = page.last;
      await this.#access.turn();
    }
  }

  /**
   * Documents whose indexed fields, from the first on, have these values, in the order of the index. Throws `UNKNOWN_INDEX`,
   * `INDEX_NOT_READABLE`, `WRONG_INDEX_KIND` for an index that does not order documents by values.
   */
  async byIndex<const Name extends IndexNameOf<Declaration>>(
    index: Name,
    values: IndexValuesOf<Declaration, Name>,
    options: ScanItemsOptions = {},
  ): Promise<DocumentOf<Declaration>[]> {
    refuseUnknownOptions(options, ["limit", "reverse"], "byIndex");
    const { limit, reverse } = this.#bounds(options);
    this.#access.metrics.count("indexLookups");
    const query = { index, values: values as readonly IndexValue[], limit, reverse };
    return this.#access.read(
      (reader) => reader.byIndex(this.name, query) as Promise<DocumentOf<Declaration>[]>,
    );
  }

  /** Asks for documents by conditions: `where`, `orderBy`, `limit`, `select`, then `all`, `first`, `count`, `page` or `for await`. */
  query(): RecordQuery<DocumentOf<Declaration>> {
    return new RecordQuery(this.name, this.#access);
  }

  #bounds(options: CollectionScanOptions<KeyOf<Declaration>>): ScanBounds {
    refuseUnknownOptions(options, SCAN_OPTIONS, "scan");
    const { limit, reverse, after, prefix } = options;
    if (limit !== undefined) checkLimit(limit, "limit", 0);
    if (reverse !== undefined && typeof reverse !== "boolean")
      throw refused("reverse", "true or false", reverse);
    return { limit, reverse, prefix, after: after === undefined ? undefined : this.#elementOf(after) };
  }

  #elementOf(after: unknown): TupleElement {
    return primaryKeyOf({ name: this.name, primaryKey: "after" }, after);
  }
}

/** A collection that can be written to as well. */
export class Collection<Declaration extends CollectionDeclaration> extends ReadCollection<Declaration> {
  readonly #access: RecordAccess;

  constructor(name: Declaration["name"], access: RecordAccess) {
    super(name, access);
    this.#access = access;
  }

  /** Inserts or replaces; stored is what the schema makes of it. Throws `VALIDATION_FAILED`, `INVALID_PRIMARY_KEY`, `INVALID_INDEX_VALUE`, `UNIQUE_VIOLATION`. */
  async put(document: InputOf<Declaration>): Promise<void> {
    this.#access.metrics.count("puts");
    await this.#access.write((writer) => writer.put(this.name, document));
  }

  /** As `put` for each, in one transaction: all of them, or none. At most what one transaction holds, 10 MB. */
  async putMany(documents: readonly InputOf<Declaration>[]): Promise<void> {
    checkList(documents, "documents");
    this.#access.metrics.count("puts", documents.length);
    await this.#access.write((writer) => writer.putMany(this.name, documents));
  }

  /** As `put`. Throws `DOCUMENT_EXISTS` when the primary key is taken. */
  async insert(document: InputOf<Declaration>): Promise<void> {
    this.#access.metrics.count("puts");
    await this.#access.write((writer) => writer.insert(this.name, document));
  }

  /**
   * Reads, changes and writes a document in one transaction, by new values of fields or by a function, which may run again. The schema
   * is given the changed document as it would be stored, and what it makes of that is: a transform is applied again, so it must
   * take what it has given out. Gives the new document, `undefined` when there was none. Throws as `put`, `VALIDATION_FAILED` also
   * when the schema does not take its own documents, and `PRIMARY_KEY_CHANGED`.
   */
  async update(
    primaryKey: KeyOf<Declaration>,
    change: DocumentChange<DocumentOf<Declaration>>,
  ): Promise<DocumentOf<Declaration> | undefined> {
    this.#access.metrics.count("puts");
    return this.#access.write(
      (writer) =>
        writer.update(this.name, primaryKey, change as DocumentChange<unknown>) as Promise<
          DocumentOf<Declaration> | undefined
        >,
    );
  }

  /** Whether it was there. */
  async delete(primaryKey: KeyOf<Declaration>): Promise<boolean> {
    this.#access.metrics.count("deletes");
    return this.#access.write((writer) => writer.delete(this.name, primaryKey));
  }
}

const COUNTED_AT_ONCE = 10_000;
const SCAN_OPTIONS = ["limit", "reverse", "after", "prefix"];

function checkLimit(value: unknown, name: string, min: number): void {
  if (Number.isSafeInteger(value) && (value as number) >= min) return;
  throw refused(name, `a whole number of at least ${min}`, value);
}

/** Text has a length and elements too. */
function checkList(value: unknown, what: string): void {
  if (Array.isArray(value)) return;
  throw new RecordError("INVALID_ARGUMENT", `give a list of ${what}, not ${shown(value)}.`, { value });
}

function refused(name: string, wanted: string, value: unknown): RecordError {
  return new RecordError("INVALID_ARGUMENT", `"${name}" must be ${wanted}, but is ${shown(value)}.`, {
    value,
  });
}
