/**
 * What the code of a migration can do (features DF-76). Every call either looks at what is there (`addIndex`, `removeIndex`) or keeps
 * count of what it has done, in the transaction that does it: so an interrupted migration runs its code again from the start, calls
 * that are done do nothing, and the one under way goes on. For that the code must make the same calls in the same order each time;
 * it may have more of them behind those that are done.
 *
 *     (migrations, version, step, number of the call) → call, collection, position, documents so far, whether it is done
 *
 * Documents are given as they are stored, whatever schema they were written with.
 */
import type { KeyRange } from "../keyspace/subspace.js";
import { buggify, crashPoint, mutant } from "../platform/probes.js";
import type { Catalogue, CatalogueCollection } from "../record/catalogue.js";
import { type CollectionDeclaration, type IndexDeclaration, indexName } from "../record/declaration.js";
import type { FoundItem, ItemStore } from "../record/item-store.js";
import { KEYSPACE } from "../record/keyspace.js";
import { JSON_CODEC } from "../record/pipeline/json-codec.js";
import { RecordError, shown } from "../record/record-error.js";
import type { ReadTransaction, Transaction } from "../transaction/transaction.js";
import type { IndexManager } from "./index-manager.js";
import { MigrationItems, type MigrationWrites, storedCollection, storedItems } from "./migration-items.js";
import { type Restructured, withIndexAdded, withIndexRemoved } from "./restructure.js";
import type { SharedStore } from "./shared-store.js";

/** What a context needs of the stage that it belongs to. */
export interface MigrationSite {
  readonly shared: SharedStore;
  readonly manager: IndexManager;
  readonly from: string;
  readonly to: string;
  readonly step: "willMigrate" | "didMigrate";
  readonly collections: readonly CollectionDeclaration[];
  /** Collections whose documents must meet their schema when they are written. */
  readonly declared: ReadonlyMap<string, CollectionDeclaration>;
  /** Runs a transaction of the step; fails when it is over, or another process does it. */
  transact<T>(body: (transaction: Transaction, catalogue: Catalogue) => Promise<T>): Promise<T>;
}

/** What becomes of a document: another one, the same (`undefined` or itself), or nothing (`null`). */
export type MigrationChange = (
  document: Readonly<Record<string, unknown>>,
  writes: MigrationWrites,
) => unknown;

interface CallProgress {
  readonly call: string;
  readonly collection: string;
  /** Key of the last document that was looked at. */
  readonly position: Uint8Array | null;
  readonly documents: number;
  readonly isDone: boolean;
}

/** Documents of one read, and of one transaction (features DF-76). */
const ENUMERATE_ITEMS = 1_000;
const BATCH_ITEMS = 100;
/** Where a tester asks for more transactions. */
const SMALL_BATCH_ITEMS = 2;

/** What the own code of a migration works with: raw documents in batches, and indexes. */
export class MigrationContext {
  readonly from: string;
  readonly to: string;
  readonly #site: MigrationSite;
  #calls = 0;

  constructor(site: MigrationSite) {
    this.from = site.from;
    this.to = site.to;
    this.#site = site;
  }

  /** A declared index, built before the promise resolves. Throws `UNKNOWN_INDEX`, `INDEX_BUILD_VIOLATIONS`. */
  async addIndex(collection: string, index: string): Promise<void> {
    const own = this.#declaredIndex(collection, index);
    const state = await this.#site.transact(async (transaction, catalogue) => {
      const found = storedCollection(catalogue, collection);
      const stored = found.indexes.find(({ name }) => name === index);
      if (stored !== undefined) return stored.state;
      this.#write(transaction, catalogue, {
        catalogue: withIndexAdded(catalogue, collection, own, this.to),
        cleared: [],
      });
      return "writeOnly";
    });
    if (state === "writeOnly") await this.#site.manager.build(collection, [index] as never);
  }

  /** An index that is no longer declared; its name is remembered. Throws `UNKNOWN_INDEX`, `INVALID_ARGUMENT`. */
  async removeIndex(collection: string, index: string): Promise<void> {
    const declaration = this.#site.collections.find(({ name }) => name === collection);
    if (declaration?.indexes.some((own) => indexName(collection, own) === index)) {
      throw new RecordError(
        "INVALID_ARGUMENT",
        `the index "${index}" of "${collection}" is declared, so it cannot be removed. Take it out of the declaration.`,
        { collection, index },
      );
    }
    await this.#site.transact(async (transaction, catalogue) => {
      const found = storedCollection(catalogue, collection);
      const isFormer = catalogue.formers.some(
        (former) => former.type === "index" && former.collection === collection && former.name === index,
      );
      if (!found.indexes.some(({ name }) => name === index)) {
        if (isFormer) return;
        throw unknownIndex(collection, index);
      }
      this.#write(
        transaction,
        catalogue,
        withIndexRemoved(this.#site.shared.root, catalogue, collection, index, this.to),
      );
    });
  }

  /** Builds an index anew, beside the copy in use if it is readable. Throws `UNKNOWN_INDEX`, `INDEX_BUILD_VIOLATIONS`. */
  async rebuildIndex(collection: string, index: string): Promise<void> {
    const call = this.#call(`rebuildIndex ${index}`, collection);
    if ((await this.#progressOf(call))?.isDone === true) return;
    await this.#site.manager.rebuild(collection, index as never);
    await this.#site.transact(async (transaction) => {
      this.#setProgress(transaction, call, { position: null, documents: 0, isDone: true });
    });
  }

  /** Every document in the order of primary keys; 1,000 of them are of one version. */
  async *enumerate(collection: string): AsyncGenerator<Readonly<Record<string, unknown>>> {
    for (let position: Uint8Array | null = null; ; ) {
      const page: readonly FoundItem[] = await this.#page(collection, position);
      for (const { document } of page) yield document as Readonly<Record<string, unknown>>;
      const last = page.at(-1);
      if (last === undefined || page.length < ENUMERATE_ITEMS) return;
      position = await this.#keyOf(collection, last);
    }
  }

  /** O(documents). */
  async count(collection: string): Promise<number> {
    let documents = 0;
    for await (const _ of this.enumerate(collection)) documents++;
    return documents;
  }

  /**
   * Gives each document to `change` and stores what that makes of it, 100 in a transaction. Each is changed once, also when the
   * migration is interrupted; but `change` may be asked again before, so it must do nothing outside of `writes`. Documents that it
   * puts into the same collection behind the one it is given are met as well. Resolves with how many were there. Throws
   * `PRIMARY_KEY_CHANGED`, `VALIDATION_FAILED` (in `didMigrate` of the last stage), `UNIQUE_VIOLATION`, `INVALID_INDEX_VALUE`.
   */
  async batchUpdate(collection: string, change: MigrationChange): Promise<number> {
    const call = this.#call("batchUpdate", collection);
    let size = buggify("migration.small-batches") ? SMALL_BATCH_ITEMS : BATCH_ITEMS;
    for (;;) {
      try {
        const progress = await this.#batch(call, change, size);
        if (progress.isDone) return progress.documents;
      } catch (error) {
        // Documents of any size: fewer of them at a time.
        if (size === 1 || !isTooMuch(error)) throw error;
        size = Math.ceil(size / 4);
      }
    }
  }

  /** Deletes documents for which `which` says so, as `batchUpdate`. Resolves with how many were looked at. */
  batchDelete(
    collection: string,
    which: (document: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<number> {
    return this.batchUpdate(collection, (document) => (which(document) ? null : undefined));
  }

  async #batch(call: Call, change: MigrationChange, size: number): Promise<CallProgress> {
    const { shared, declared } = this.#site;
    const progress = await this.#site.transact(async (transaction, catalogue) => {
      const before = await this.#progressIn(transaction, call);
      if (before?.isDone === true) return before;
      const found = storedCollection(catalogue, call.collection);
      const items = storedItems(shared, found);
      const writes = new MigrationItems(shared, transaction, catalogue, declared);
      const batch = await itemsBehind(items, transaction, before?.position ?? null, size);
      for (const item of batch) await changeOne(found, item, change, writes);
      await writes.finish();
      const last = batch.at(-1);
      const after = {
        position: last === undefined ? (before?.position ?? null) : items.keyOf(last.primaryKey),
        documents: (before?.documents ?? 0) + batch.length,
        isDone: batch.length < size,
      };
      if (mutant("I50-migration-progress-behind-its-batch")) return { ...call, ...after };
      return this.#setProgress(transaction, call, after);
    });
    if (mutant("I50-migration-progress-behind-its-batch")) {
      await this.#site.transact(async (transaction) => this.#setProgress(transaction, call, progress));
    }
    // CRASH_POINT(id: migration.batch-written)
    crashPoint("migration.batch-written");
    return progress;
  }

  #call(call: string, collection: string): Call {
    const { shared, to, step } = this.#site;
    const number = this.#calls++;
    return { call, collection, number, key: shared.root.pack([KEYSPACE.migrations, to, step, number]) };
  }

  #progressOf(call: Call): Promise<CallProgress | undefined> {
    return this.#site.transact((transaction) => this.#progressIn(transaction, call));
  }

  async #progressIn(transaction: Transaction, call: Call): Promise<CallProgress | undefined> {
    const row = await transaction.get(call.key);
    if (row === undefined) return undefined;
    const progress = JSON_CODEC.decode(row) as CallProgress;
    if (progress.call === call.call && progress.collection === call.collection) return progress;
    throw new RecordError(
      "INVALID_MIGRATION",
      `${this.#site.step} of the migration from ${this.from} to ${this.to} was interrupted, and its call ${call.number + 1} was ` +
        `${progress.call} of "${progress.collection}"; now it is ${call.call} of "${call.collection}". ` +
        "Make the same calls in the same order, and new ones behind them.",
      { collection: call.collection },
    );
  }

  #setProgress(
    transaction: Transaction,
    { key, call, collection }: Call,
    rest: Pick<CallProgress, "position" | "documents" | "isDone">,
  ): CallProgress {
    const progress: CallProgress = { call, collection, ...rest };
    transaction.set(key, JSON_CODEC.encode(progress));
    return progress;
  }

  #page(collection: string, position: Uint8Array | null): Promise<readonly FoundItem[]> {
    const { shared } = this.#site;
    return shared.database.read(async (reader) => {
      const found = storedCollection(await shared.catalogues.peek(reader), collection);
      return itemsBehind(storedItems(shared, found), reader, position, ENUMERATE_ITEMS);
    });
  }

  #keyOf(collection: string, { primaryKey }: FoundItem): Promise<Uint8Array> {
    const { shared } = this.#site;
    return shared.database.read(async (reader) => {
      const found = storedCollection(await shared.catalogues.peek(reader), collection);
      return storedItems(shared, found).keyOf(primaryKey);
    });
  }

  #write(transaction: Transaction, before: Catalogue, { catalogue, cleared }: Restructured): void {
    writeRestructured(this.#site.shared, transaction, before, { catalogue, cleared });
  }

  #declaredIndex(collection: string, index: string): IndexDeclaration {
    const declaration = this.#site.collections.find(({ name }) => name === collection);
    const own = declaration?.indexes.find((one) => indexName(collection, one) === index);
    if (own === undefined) throw unknownIndex(collection, index);
    return own;
  }
}

/** The catalogue and what no longer belongs to anything, in one transaction. */
export function writeRestructured(
  { catalogues }: SharedStore,
  transaction: Transaction,
  before: Catalogue,
  { catalogue, cleared }: Restructured,
): void {
  for (const space of cleared) {
    const { begin, end } = space.range();
    transaction.clearRange(begin, end);
  }
  catalogues.write(transaction, before, catalogue);
}

interface Call {
  readonly call: string;
  readonly collection: string;
  readonly number: number;
  readonly key: Uint8Array;
}

async function changeOne(
  found: CatalogueCollection,
  item: FoundItem,
  change: MigrationChange,
  writes: MigrationItems,
): Promise<void> {
  const changed: unknown = await change(item.document as Readonly<Record<string, unknown>>, writes);
  if (changed === undefined) return;
  if (changed === null) await writes.remove(found, item);
  else await writes.replace(found, item, changed);
}

async function itemsBehind(
  items: ItemStore,
  reader: ReadTransaction,
  position: Uint8Array | null,
  limit: number,
): Promise<FoundItem[]> {
  const found: FoundItem[] = [];
  for await (const item of items.scan(reader, { ...rangeBehind(items, position), limit })) found.push(item);
  return found;
}

/** Keys of the parts of an item have its key and go on with an element, whose first byte is below 0xFF. */
function rangeBehind({ space }: ItemStore, position: Uint8Array | null): KeyRange {
  const range = space.range();
  return position === null ? range : { begin: Buffer.concat([position, BEHIND]), end: range.end };
}

const BEHIND = Uint8Array.of(0xff);

function isTooMuch(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  return (
    code === "TRANSACTION_TOO_LARGE" || code === "TRANSACTION_TOO_OLD" || code === "TRANSACTION_TIMED_OUT"
  );
}

function unknownIndex(collection: string, index: string): RecordError {
  return new RecordError(
    "UNKNOWN_INDEX",
    `there is no index ${shown(index)} of ${shown(collection)} that a migration could change.`,
    { collection, index },
  );
}
