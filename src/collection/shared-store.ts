/**
 * What all transactions of one record store share, and how parts above and below the public face find it: root, catalogue, kinds,
 * pipeline, declarations. Owns no behaviour of its own.
 */
import type { IndexEnvironment } from "../index/environment.js";
import type { IndexKind } from "../index/kind.js";
import { type MaintainedIndex, type MaintenanceSettings, maintainedIndexes } from "../index/maintenance.js";
import type { KindRegistry } from "../index/registry.js";
import type { Subspace } from "../keyspace/subspace.js";
import { assert } from "../platform/assert.js";
import type { EventSink } from "../platform/event-sink.js";
import type { Clock, Random, Scheduler } from "../platform/platform.js";
import type { Catalogue, CatalogueCollection, CatalogueStore } from "../record/catalogue.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import { ItemStore } from "../record/item-store.js";
import { itemSpace } from "../record/keyspace.js";
import type { ItemPipeline } from "../record/pipeline/item-pipeline.js";
import { RecordError, shown } from "../record/record-error.js";
import type { Database } from "../transaction/transaction.js";
import { MetricCounters } from "./metrics.js";
import type { RelationshipDeclaration } from "./relationships.js";

/** Time and chance, from the platform. */
export interface RecordWorld {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
}

export interface SharedStoreParts {
  readonly database: Database;
  readonly root: Subspace;
  readonly world: RecordWorld;
  readonly catalogues: CatalogueStore;
  readonly kinds: KindRegistry;
  readonly pipeline: ItemPipeline;
  readonly declarations: ReadonlyMap<string, CollectionDeclaration>;
  /** Who is told of builds and states of indexes. */
  readonly events: EventSink;
  readonly relationships: readonly RelationshipDeclaration[];
  /** Version of the declared schema: under another one nothing is read or written. */
  readonly schemaVersion: string;
}

/** A collection as one version of the catalogue has it. */
export interface OpenCollection {
  readonly declaration: CollectionDeclaration;
  readonly catalogued: CatalogueCollection;
  readonly items: ItemStore;
  /** Every copy of an index that a writer must tell. */
  readonly indexes: readonly MaintainedIndex[];
}

export class SharedStore implements SharedStoreParts, IndexEnvironment {
  readonly database: Database;
  readonly root: Subspace;
  readonly world: RecordWorld;
  readonly catalogues: CatalogueStore;
  readonly kinds: KindRegistry;
  readonly pipeline: ItemPipeline;
  readonly declarations: ReadonlyMap<string, CollectionDeclaration>;
  readonly events: EventSink;
  readonly metrics = new MetricCounters();
  readonly relationships: readonly RelationshipDeclaration[];
  readonly schemaVersion: string;
  /** Declared collections of several types. */
  readonly polymorphics: readonly CollectionDeclaration[];
  /** Of the newest version of the catalogue that was used; a new one replaces all. */
  #open = new Map<string, OpenCollection>();
  #openVersion = "";

  constructor(parts: SharedStoreParts) {
    this.database = parts.database;
    this.root = parts.root;
    this.world = parts.world;
    this.catalogues = parts.catalogues;
    this.kinds = parts.kinds;
    this.pipeline = parts.pipeline;
    this.declarations = parts.declarations;
    this.events = parts.events;
    this.relationships = parts.relationships;
    this.polymorphics = [...parts.declarations.values()].filter(({ types }) => types !== undefined);
    this.schemaVersion = parts.schemaVersion;
  }

  get maintenance(): MaintenanceSettings {
    const { root, kinds, pipeline } = this;
    return { root, kinds, pipeline, wallMs: () => this.world.clock.wallMs() };
  }

  kindOf(identifier: string): IndexKind {
    return this.kinds.byIdentifier(identifier);
  }

  /** Resolves on a later turn. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.world.scheduler.defer(resolve));
  }

  /** Throws `UNKNOWN_COLLECTION`. */
  declarationOf(name: string): CollectionDeclaration {
    const declaration = this.declarations.get(name);
    if (declaration !== undefined) return declaration;
    throw new RecordError(
      "UNKNOWN_COLLECTION",
      `there is no collection ${shown(name)}; declared are ${[...this.declarations.keys()].join(", ")}.`,
      { collection: name },
    );
  }

  itemsOf({ stored }: CatalogueCollection): ItemStore {
    return new ItemStore(itemSpace(this.root, stored.id), this.pipeline);
  }

  /** Throws `UNKNOWN_COLLECTION`, `SCHEMA_TOO_OLD` when another process has migrated the store or is about to. */
  collectionIn(catalogue: Catalogue, name: string): OpenCollection {
    const declaration = this.declarationOf(name);
    if (catalogue.version !== this.#openVersion) {
      this.#requireOwn(catalogue);
      this.#open = new Map();
      this.#openVersion = catalogue.version;
    }
    const known = this.#open.get(name);
    if (known !== undefined) return known;
    const catalogued = catalogue.collections.get(name);
    assert(catalogued !== undefined, "a store of the declared version has every declared collection");
    const opened: OpenCollection = {
      declaration,
      catalogued,
      items: this.itemsOf(catalogued),
      indexes: maintainedIndexes(catalogued, this.maintenance),
    };
    this.#open.set(name, opened);
    return opened;
  }

  /**
   * Documents of another schema would be misread, and written as they must no longer be. A lightweight migration changes none, so
   * programs with the former schema go on until it is over.
   */
  #requireOwn({ schemaVersion, migration }: Catalogue): void {
    if (schemaVersion === this.schemaVersion && migration?.isExclusive !== true) return;
    const what =
      migration?.isExclusive === true
        ? `is being migrated from ${migration.from} to ${migration.to}`
        : `has schema ${schemaVersion}`;
    throw new RecordError(
      "SCHEMA_TOO_OLD",
      `the store ${what}, and this program declares ${this.schemaVersion}. Open it with a program that declares its schema.`,
    );
  }
}
