/**
 * Records within one transaction: documents are checked, stored, and every index of their collection told, so that after the commit
 * each index is what it would be if it were built anew. Calls take turns, in their order: two writes of one document would each take
 * what was there before for what the other has left.
 *
 * `finish` must be the last call before the commit: there hooks run and unique values are checked. A change that an index has
 * refused, or that could not be read or written, has perhaps been done in part: then `finish` throws what it threw, whoever has
 * caught it. Nothing here commits.
 */
import { maintain } from "../index/maintenance.js";
import { UniquenessChecks } from "../index/uniqueness.js";
import type { TupleElement } from "../keyspace/tuple-elements.js";
import { hasCode, type StillwaterError } from "../platform/errors.js";
import { mutant } from "../platform/probes.js";
import type { Catalogue } from "../record/catalogue.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import type { RecordItem } from "../record/item.js";
import type { FoundItem } from "../record/item-store.js";
import { RecordError, shown } from "../record/record-error.js";
import { TransactionError } from "../transaction/errors.js";
import type { Transaction } from "../transaction/transaction.js";
import {
  checkKeySize,
  isValid,
  keyName,
  namedError,
  primaryKeyOf,
  primaryKeyOfDocument,
  validated,
} from "./documents.js";
import { mirrorsOf } from "./mirrors.js";
import { ReferenceChecks } from "./reference-checks.js";
import type { OpenCollection, SharedStore } from "./shared-store.js";

/** One change of one document. */
export interface RecordChange {
  readonly collection: string;
  readonly primaryKey: TupleElement;
  /** Undefined: it was not there. */
  readonly before: unknown;
  /** Undefined: it is gone. */
  readonly after: unknown;
}

/** Who is told of each change as it is made, and may make more at the end. */
export interface ChangeListener {
  changed(change: RecordChange): void;
  beforeCommit(writer: RecordWriter): Promise<void>;
}

/** What `update` does to a document: new values of fields, or a function that gives the new document. */
export type DocumentChange<Document> = Partial<Document> | ((document: Document) => Document);

export class RecordWriter {
  readonly shared: SharedStore;
  readonly transaction: Transaction;
  readonly #listener: ChangeListener | null;
  readonly #uniqueness: UniquenessChecks;
  readonly #references: ReferenceChecks;
  #catalogue: Promise<Catalogue> | null = null;
  #turn: Promise<unknown> = Promise.resolve();
  #failure: { readonly error: unknown } | null = null;
  #isOver = false;

  constructor(shared: SharedStore, transaction: Transaction, listener: ChangeListener | null = null) {
    this.shared = shared;
    this.transaction = transaction;
    this.#listener = listener;
    this.#uniqueness = new UniquenessChecks(shared.root);
    this.#references = new ReferenceChecks(shared.relationships);
  }

  /** The one this transaction commits under, if it commits. */
  catalogue(): Promise<Catalogue> {
    this.#catalogue ??= this.shared.catalogues.read(this.transaction);
    return this.#catalogue;
  }

  async collection(name: string): Promise<OpenCollection> {
    return this.shared.collectionIn(await this.catalogue(), name);
  }

  /**
   * Inserts or replaces; gives what the schema has made of it. Throws `VALIDATION_FAILED`, `ASYNC_VALIDATION`,
   * `INVALID_PRIMARY_KEY`, `INVALID_INDEX_VALUE`.
   */
  put(name: string, given: unknown): Promise<unknown> {
    const item = this.#checked(name, given);
    return this.inTurn(async () => {
      const collection = await this.collection(name);
      const before = await collection.items.read(this.transaction, item.primaryKey);
      await this.#change(collection, before, item);
      return item.document;
    });
  }

  /** As `put`, all or none: the reads of what was there are sent off together. */
  putMany(name: string, given: readonly unknown[]): Promise<void> {
    const items = given.map((document) => this.#checked(name, document));
    return this.inTurn(async () => {
      const collection = await this.collection(name);
      const found = await Promise.all(
        items.map(({ primaryKey }) => collection.items.read(this.transaction, primaryKey)),
      );
      const seen = new Set<string>();
      for (const [at, item] of items.entries()) {
        const key = keyName(item.primaryKey);
        // A document that is there twice: what was read for the second is out of date.
        const before = seen.has(key)
          ? await collection.items.read(this.transaction, item.primaryKey)
          : found[at];
        seen.add(key);
        await this.#change(collection, before, item);
      }
    });
  }

  /** As `put`; throws `DOCUMENT_EXISTS`, and then has done nothing. */
  insert(name: string, given: unknown): Promise<unknown> {
    const item = this.#checked(name, given);
    return this.inTurn(async () => {
      const collection = await this.collection(name);
      const before = await collection.items.read(this.transaction, item.primaryKey);
      if (before !== undefined) throw exists(collection.declaration, item.document);
      await this.#change(collection, undefined, item);
      return item.document;
    });
  }

  /** The new document; `undefined` when there is none to change. Throws as `put`, and `PRIMARY_KEY_CHANGED`. */
  update(name: string, primaryKey: unknown, change: DocumentChange<unknown>): Promise<unknown> {
    const declaration = this.shared.declarationOf(name);
    const element = primaryKeyOf(declaration, primaryKey);
    if ((typeof change !== "object" || change === null) && typeof change !== "function") {
      throw new RecordError(
        "INVALID_ARGUMENT",
        `a document of "${name}" cannot be changed by ${shown(change)}. Give new values of fields, or a function.`,
        { collection: name, value: change },
      );
    }
    return this.inTurn(async () => {
      const collection = await this.collection(name);
      const before = await collection.items.read(this.transaction, element);
      if (before === undefined) return undefined;
      const given =
        typeof change === "function"
          ? change(await this.#ownCopy(collection, element))
          : { ...(before.document as object), ...change };
      const item = this.#checkedAgain(name, given, before);
      if (keyName(item.primaryKey) !== keyName(element)) {
        throw keyChanged(declaration, primaryKey, item.document);
      }
      await this.#change(collection, before, item);
      return item.document;
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

  /** The last call before the commit. Throws `UNIQUE_VIOLATION`, `DANGLING_REFERENCE`, and what hooks throw. */
  async finish(): Promise<void> {
    await this.#turn;
    if (this.#failure === null) await this.#listener?.beforeCommit(this);
    await this.inTurn(async () => {
      // Whatever comes later would not be checked.
      this.#isOver = true;
      if (this.#failure !== null) throw this.#failure.error;
      await this.#uniqueness.check(this.transaction);
      await this.#references.check(this);
    });
  }

  /**
   * Instead of `finish`, when the try has failed: resolves when no call of it can touch the transaction any more, which may
   * be tried again. Calls that were waiting for their turn, because nobody waited for them, are refused.
   */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#turn;
  }

  /** After the calls before it. What one of those threw is its own caller's. */
  inTurn<T>(call: () => Promise<T>): Promise<T> {
    const turn = mutant("I31-calls-do-not-take-turns") ? Promise.resolve() : this.#turn;
    const result = turn.then(() => {
      if (!this.#isOver) return call();
      throw new TransactionError(
        "USED_DURING_COMMIT",
        "the transaction is committing, or this try of it has failed. Await every write before its body ends.",
      );
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  #checked(name: string, given: unknown): RecordItem {
    const declaration = this.shared.declarationOf(name);
    const document = validated(declaration, given);
    return { primaryKey: primaryKeyOfDocument(declaration, document), document };
  }

  /** Of a document that was stored before: where it did not pass even unchanged, it is not the change that is wrong. */
  #checkedAgain(name: string, given: unknown, before: FoundItem): RecordItem {
    try {
      return this.#checked(name, given);
    } catch (error) {
      if (!hasCode(error, "VALIDATION_FAILED")) throw error;
      const declaration = this.shared.declarationOf(name);
      if (isValid(declaration, before.document)) throw error;
      throw notItsOwn(declaration, error);
    }
  }

  /** A function may change what it is given, but indexes must see what was there. */
  async #ownCopy({ items }: OpenCollection, primaryKey: TupleElement): Promise<unknown> {
    return (await items.read(this.transaction, primaryKey))?.document;
  }

  /** In every collection that keeps the document. What throws here has perhaps told some of them, or some indexes, and others not. */
  async #change(
    collection: OpenCollection,
    before: FoundItem | undefined,
    after: RecordItem | null,
  ): Promise<void> {
    try {
      await this.#changeAll(collection, before, after);
    } catch (error) {
      this.#failure ??= { error };
      throw error;
    }
  }

  async #changeAll(
    collection: OpenCollection,
    before: FoundItem | undefined,
    after: RecordItem | null,
  ): Promise<void> {
    await this.#changeOne(collection, before, after);
    const item = after ?? before;
    if (item === undefined) return;
    for (const mirror of mirrorsOf(this.shared, collection.declaration.name, item)) {
      const other = await this.collection(mirror.collection);
      const former = await other.items.read(this.transaction, mirror.item.primaryKey);
      await this.#changeOne(other, former, after === null ? null : mirror.item);
    }
  }

  async #changeOne(
    collection: OpenCollection,
    before: FoundItem | undefined,
    after: RecordItem | null,
  ): Promise<void> {
    const { declaration, items } = collection;
    try {
      if (after !== null) checkKeySize(declaration, items, after);
      // Indexes first: an item that one of them refuses is not stored beside their rows.
      await maintain(this.transaction, collection.indexes, before ?? null, after, this.#uniqueness);
      if (after !== null) items.write(this.transaction, after, before);
      else if (before !== undefined) items.clear(this.transaction, before);
    } catch (cause) {
      throw namedError(declaration, cause);
    }
    const item = after ?? before;
    if (item === undefined) return;
    const change: RecordChange = {
      collection: declaration.name,
      primaryKey: item.primaryKey,
      before: before?.document,
      after: after?.document,
    };
    this.#references.changed(change);
    this.#listener?.changed(change);
  }
}

function exists({ name, primaryKey }: CollectionDeclaration, document: unknown): RecordError {
  const value = (document as Readonly<Record<string, unknown>>)[primaryKey];
  return new RecordError(
    "DOCUMENT_EXISTS",
    `"${name}" has a document with the primary key ${shown(value)}. Use put to replace it.`,
    { collection: name, field: primaryKey, value },
  );
}

function notItsOwn({ name }: CollectionDeclaration, cause: StillwaterError): RecordError {
  const { field, value } = cause as RecordError;
  return new RecordError(
    "VALIDATION_FAILED",
    `the schema of "${name}" does not take the stored document, which an update gives it again: ${cause.message} ` +
      "Let the schema accept what it gives out, or put a whole document.",
    { collection: name, field, value, cause },
  );
}

function keyChanged(
  { name, primaryKey }: CollectionDeclaration,
  former: unknown,
  document: unknown,
): RecordError {
  const value = (document as Readonly<Record<string, unknown>>)[primaryKey];
  return new RecordError(
    "PRIMARY_KEY_CHANGED",
    `the change of the document ${shown(former)} of "${name}" would give it the primary key ${shown(value)}. ` +
      "Delete it, and insert it under the other key.",
    { collection: name, field: primaryKey, value },
  );
}
