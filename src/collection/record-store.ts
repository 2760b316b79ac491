/**
 * A store of records: typed collections over any database, with indexes that every writer keeps right. Owns the opening and the
 * transactions of records. Does not own the database, but for closing it when it was opened with it.
 */
import { refuseUnknownOptions } from "../engine/options.js";
import type { IndexKind } from "../index/kind.js";
import { OWN_KINDS } from "../index/kinds.js";
import { KindRegistry } from "../index/registry.js";
import { Subspace } from "../keyspace/subspace.js";
import type { EventSink } from "../platform/event-sink.js";
import { CatalogueStore } from "../record/catalogue.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import { ItemPipeline } from "../record/pipeline/item-pipeline.js";
import { type ItemStorageOptions, pipelineSettings } from "../record/pipeline/pipeline-options.js";
import type { TransactionOptions } from "../transaction/options.js";
import type { Database } from "../transaction/transaction.js";
import { Collection, type RecordAccess } from "./collection.js";
import { IndexManager } from "./index-manager.js";
import { matchCatalogue } from "./open-catalogue.js";
import { RecordReader } from "./record-reader.js";
import { type CollectionNamed, RecordTransaction } from "./record-transaction.js";
import { RecordWriter } from "./record-writer.js";
import type { SchemaDeclaration } from "./schema.js";
import { type RecordWorld, SharedStore } from "./shared-store.js";

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

export class RecordStore<const Collections extends readonly CollectionDeclaration[]>
  implements AsyncDisposable
{
  /** For the parts of this layer. */
  readonly shared: SharedStore;
  /** Their states and builds. */
  readonly indexes: IndexManager<Collections>;
  readonly #close: () => Promise<void>;

  private constructor(shared: SharedStore, close: () => Promise<void>) {
    this.shared = shared;
    this.indexes = new IndexManager(shared);
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
    refuseUnknownOptions(options, ["root", "kinds", "items", "events"], "record store");
    const { root = Subspace.of("stillwater records"), kinds = [], items = {}, events = NOBODY } = options;
    const shared = new SharedStore({
      database,
      root,
      world,
      catalogues: new CatalogueStore(root),
      kinds: new KindRegistry(OWN_KINDS, kinds),
      pipeline: new ItemPipeline(pipelineSettings(items, world.random)),
      declarations: new Map(schema.collections.map((declaration) => [declaration.name, declaration])),
      events,
    });
    await matchCatalogue(shared, schema);
    return new RecordStore(shared, close);
  }

  /** Each call on it is a transaction of its own. Throws `UNKNOWN_COLLECTION`. */
  collection<const Name extends Collections[number]["name"]>(
    name: Name,
  ): Collection<CollectionNamed<Collections, Name>> {
    this.shared.declarationOf(name);
    return new Collection(name, this.#access);
  }

  /** Runs `body` until it commits, as `Database.transact` does: all of its writes, in whatever collections, or none. */
  transact<T>(
    body: (transaction: RecordTransaction<Collections>) => Promise<T> | T,
    options: TransactionOptions = {},
  ): Promise<T> {
    return this.#write((writer) => Promise.resolve(body(new RecordTransaction(writer))), options);
  }

  /** Stops builds that are under way. */
  async close(): Promise<void> {
    await this.indexes.close();
    await this.#close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #access(): RecordAccess {
    return {
      write: (body) => this.#write(body, {}),
      read: (body) =>
        this.shared.database.read((reader) =>
          body(new RecordReader(this.shared, reader, () => this.shared.catalogues.peek(reader))),
        ),
    };
  }

  #write<T>(body: (writer: RecordWriter) => Promise<T>, options: TransactionOptions): Promise<T> {
    return this.shared.database.transact(async (transaction) => {
      const writer = new RecordWriter(this.shared, transaction);
      const result = await body(writer);
      await writer.finish();
      return result;
    }, options);
  }
}

const NOBODY: EventSink = { isHeard: false, publish() {} };
