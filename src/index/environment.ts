/**
 * What work on whole indexes (builds, changes of state, scrubs) needs of the store that they belong to. The store's shared part
 * gives it; declared types and schemas are not needed: everything is found by names in the catalogue.
 */
import type { Subspace } from "../keyspace/subspace.js";
import type { EventSink } from "../platform/event-sink.js";
import type { Platform } from "../platform/platform.js";
import type { Catalogue, CatalogueCollection, CatalogueStore, StoredIndex } from "../record/catalogue.js";
import type { ItemStore } from "../record/item-store.js";
import { RecordError, shown } from "../record/record-error.js";
import type { Database } from "../transaction/transaction.js";
import type { HeldLease } from "./lease.js";
import type { MaintenanceSettings } from "./maintenance.js";

export interface IndexEnvironment {
  readonly database: Database;
  readonly root: Subspace;
  readonly world: Pick<Platform, "clock" | "scheduler" | "random">;
  readonly catalogues: CatalogueStore;
  readonly maintenance: MaintenanceSettings;
  /** Who is told of builds and changes of state. */
  readonly events: EventSink;
  /** What all of the work is part of: none of its transactions commits without, and builds take no lease of their own. */
  readonly held?: HeldLease;
  itemsOf(collection: CatalogueCollection): ItemStore;
}

/** For work that is part of a larger one, which holds a lease. */
export function underLease(environment: IndexEnvironment, held: HeldLease): IndexEnvironment {
  const { database, root, world, catalogues, maintenance, events } = environment;
  const itemsOf: IndexEnvironment["itemsOf"] = (collection) => environment.itemsOf(collection);
  return { database, root, world, catalogues, maintenance, events, itemsOf, held };
}

/** Throws `UNKNOWN_COLLECTION`. */
export function catalogued(catalogue: Catalogue, collection: string): CatalogueCollection {
  const found = catalogue.collections.get(collection);
  if (found !== undefined) return found;
  throw new RecordError(
    "UNKNOWN_COLLECTION",
    `there is no collection ${shown(collection)} in the store; it has ${[...catalogue.collections.keys()].join(", ") || "none"}.`,
    { collection },
  );
}

/** Throws `UNKNOWN_INDEX`. */
export function storedIndex({ stored, indexes }: CatalogueCollection, index: string): StoredIndex {
  const found = indexes.find(({ name }) => name === index);
  if (found !== undefined) return found;
  throw new RecordError(
    "UNKNOWN_INDEX",
    `"${stored.name}" has no index ${shown(index)}; it has ${indexes.map(({ name }) => name).join(", ") || "none"}.`,
    { collection: stored.name, index },
  );
}
