/**
 * A store of records: typed collections over any database, with indexes that every writer keeps right. Owns the opening and the
 * transactions of records. Does not own the database, but for closing it when it was opened with it.
 */
import { refuseUnknownOptions } from "../engine/options.js";
import type { IndexKind } from "../index/kind.js";
import { OWN_KINDS } from "../index/kinds.js";
import { KindRegistry } from "../index/registry.js";
import { Subspace } from "../keyspace/subspace.js";
import { joinedMetrics, type MetricsSnapshot, NO_METRICS } from "../metrics/snapshot.js";
import { StillwaterError } from "../platform/errors.js";
import { type EventSink, UNHEARD_SINK } from "../platform/event-sink.js";
import { CatalogueStore } from "../record/catalogue.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import { ItemPipeline } from "../record/pipeline/item-pipeline.js";
import { type ItemStorageOptions, pipelineSettings } from "../record/pipeline/pipeline-options.js";
import { RecordError, shown } from "../record/record-error.js";
import type { Database } from "../transaction/transaction.js";
import { type RecordBatchOperation, type RecordBatchOptions, runBatch } from "./batch.js";
import { Collection } from "./collection.js";
import { RecordContext, type RecordContextOptions } from "./context.js";
import { type CollectionDescription, describeCollections } from "./description.js";
import type { RecordHook } from "./hooks.js";
import { IndexManager } from "./index-manager.js";
import { matchCatalogue } from "./open-catalogue.js";
import { RecordRunner, type RecordTransactionOptions } from "./record-runner.js";
import { type CollectionNamed, RecordTransaction } from "./record-transaction.js";
import type { SchemaDeclaration } from "./schema.js";
import { type RecordWorld, SharedStore } from "./shared-store.js";
import { RecordSnapshot } from "./snapshot.js";
import { UlidGenerator } from "./ulid.js";

/** The tuple below which records lie, unless they are opened with another root. */
export const DEFAULT_ROOT = ["stillwater records"] as const;

/** Options of `openRecords` and `recordsOn`. */
export interface RecordStoreOptions {
  /** Below which keys everything lies. Default: the tuple ("stillwater records"). */
  readonly root?: Subspace;
  /** Kinds of index beside our own. */
  readonly kinds?: readonly IndexKind[];
  /** How items become bytes: codec, compression, encryption. What was written with other options stays readable. */
  readonly items?: ItemStorageOptions;
  /** Who is told of builds and states of indexes (`IndexEvent`). Default: nobody. */
  readonly events?: EventSink;
}

/** Typed collections over a database; opened by `openRecords` or `recordsOn`. */
export class RecordStore<const Collections extends readonly CollectionDeclaration[]>
  implements AsyncDisposable
{
  /** For the parts of this layer. */
  readonly shared: SharedStore;
  /** Their states and builds. */
  readonly indexes: IndexManager<Collections>;
  readonly #runner: RecordRunner<Collections>;
  readonly #ids: UlidGenerator;
  /** Open ones: they have timers. */
  readonly #contexts = new Set<RecordContext<Collections>>();
  #isClosed = false;
  readonly #close: () => Promise<void>;

  private constructor(shared: SharedStore, close: () => Promise<void>) {
    this.shared = shared;
    this.indexes = new IndexManager(shared);
    this.#runner = new RecordRunner(shared);
    this.#ids = new UlidGenerator(shared.world.clock, shared.world.random);
    this.#close = close;
  }

  /**
   * Opens the records of `database` with this schema; what is stored must be what is declared. Throws `SCHEMA_CHANGED`,
   * `SCHEMA_TOO_OLD`, `SCHEMA_TOO_NEW`, `INVALID_SCHEMA`, `UNKNOWN_INDEX_KIND`, `UNKNOWN_OPTION`. `close`: run by `close` of
   * the store.
   */
  static async open<const Collections extends readonly CollectionDeclaration[]>(
    database: Database,
    schema: SchemaDeclaration<Collections>,
    world: RecordWorld,
    options: RecordStoreOptions = {},
    close: () => Promise<void> = async () => {},
  ): Promise<RecordStore<Collections>> {
    checkRecordStoreOptions(options);
    const { root = Subspace.of(...DEFAULT_ROOT), kinds = [], items = {}, events = UNHEARD_SINK } = options;
    const shared = new SharedStore({
      database,
      root,
      world,
      catalogues: new CatalogueStore(root),
      kinds: new KindRegistry(OWN_KINDS, kinds),
      pipeline: new ItemPipeline(pipelineSettings(items, world.random)),
      declarations: new Map(schema.collections.map((declaration) => [declaration.name, declaration])),
      events,
      relationships: schema.relationships ?? [],
      schemaVersion: schema.version,
    });
    await matchCatalogue(shared, schema);
    return new RecordStore(shared, close);
  }

  /** Each call on it is a transaction of its own. Throws `UNKNOWN_COLLECTION`. */
  collection<const Name extends Collections[number]["name"]>(
    name: Name,
  ): Collection<CollectionNamed<Collections, Name>> {
    this.shared.declarationOf(name);
    return new Collection(name, this.#runner);
  }

  /**
   * Runs `body` until it commits, as `Database.transact` does: all of its writes, in whatever collections, or none. Await every write
   * in it.
   */
  async transact<T>(
    body: (transaction: RecordTransaction<Collections>) => Promise<T> | T,
    options: RecordTransactionOptions = {},
  ): Promise<T> {
    const result = await this.#runner.write(
      (writer) => Promise.resolve(body(new RecordTransaction(writer))),
      options,
    );
    this.shared.metrics.count("transactions");
    return result;
  }

  /**
   * Writes across collections, all of them or none; resolves with the version of the commit. Throws as the collections do, and
   * `VERSION_TOO_LOW`.
   */
  batch(
    operations: readonly RecordBatchOperation<Collections>[],
    options: RecordBatchOptions = {},
  ): Promise<number> {
    return runBatch(this.#runner, operations, options);
  }

  /** The records as they are now, for some seconds: see `RecordSnapshot`. Close it. */
  async snapshot(...surplus: readonly never[]): Promise<RecordSnapshot<Collections>> {
    if (surplus.length > 0) {
      throw new RecordError(
        "INVALID_ARGUMENT",
        "a snapshot takes no options: it is of the moment it is taken at.",
      );
    }
    return RecordSnapshot.open(this.shared);
  }

  /** The version that a transaction would read now: everything committed is in it. */
  lastVersion(): Promise<number> {
    return this.shared.database.read((reader) => reader.getReadVersion());
  }

  /** A unit of work: see `RecordContext`. Closed by the store, should nobody else. Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`, `CLOSED`. */
  context(options: RecordContextOptions = {}): RecordContext<Collections> {
    if (this.#isClosed) throw new StillwaterError("CLOSED", "the records are closed. Open them again.");
    const context: RecordContext<Collections> = new RecordContext(this.#runner, options, () => {
      this.#contexts.delete(context);
    });
    this.#contexts.add(context);
    return context;
  }

  /** Runs `hook` with every commit of documents from now on. Returns what ends that. Throws `INVALID_ARGUMENT`. */
  addHook(hook: RecordHook<Collections>): () => void {
    return this.#runner.addHook(hook);
  }

  /** A new id for a document, a ULID: ids of one store object rise. */
  newId(): string {
    return this.#ids.next();
  }

  /** As stored, whether this program declares them or not. */
  async listCollections(): Promise<CollectionDescription[]> {
    const { database, catalogues } = this.shared;
    return describeCollections(await database.read((reader) => catalogues.peek(reader)));
  }

  /** What has been called since the records were opened, and what the database below tells of itself. */
  metrics(): MetricsSnapshot {
    const { database, metrics } = this.shared;
    return joinedMetrics(database.metrics?.() ?? NO_METRICS, metrics.snapshot());
  }

  /** Stops builds that are under way, and closes contexts: what is pending in them is not saved. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const context of this.#contexts) await context.close();
    await this.indexes.close();
    await this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`, before anything is opened. */
export function checkRecordStoreOptions(options: RecordStoreOptions): void {
  refuseUnknownOptions(options, ["root", "kinds", "items", "events"], "record store");
  const { root, kinds } = options;
  if (root !== undefined && !(root instanceof Subspace)) {
    throw new RecordError("INVALID_ARGUMENT", `the option "root" must be a Subspace, but is ${shown(root)}.`);
  }
  if (kinds !== undefined && !Array.isArray(kinds)) {
    throw new RecordError("INVALID_ARGUMENT", `the option "kinds" must be a list, but is ${shown(kinds)}.`);
  }
}
