/**
 * The records of a database as its catalogue has them, for tools that know nothing of the program that declared them. Documents are
 * bytes with an item's header, so they can be read, and indexes built and checked; what no schema is there to check is not written.
 */
import { OWN_KINDS } from "../index/kinds.js";
import { KindRegistry } from "../index/registry.js";
import { Subspace } from "../keyspace/subspace.js";
import { type Catalogue, CatalogueStore } from "../record/catalogue.js";
import { ItemPipeline } from "../record/pipeline/item-pipeline.js";
import { type ItemStorageOptions, pipelineSettings } from "../record/pipeline/pipeline-options.js";
import { RecordError } from "../record/record-error.js";
import type { Database } from "../transaction/transaction.js";
import { DEFAULT_ROOT } from "./record-store.js";
import { type RecordWorld, SharedStore } from "./shared-store.js";

export interface StoredRecords {
  readonly shared: SharedStore;
  /** As it was when they were opened. */
  readonly catalogue: Catalogue;
}

/** Throws `NOT_FOUND` when the database has no records, `UNSUPPORTED_FORMAT`. */
export async function openStoredRecords(
  database: Database,
  world: RecordWorld,
  items: ItemStorageOptions = {},
): Promise<StoredRecords> {
  const root = Subspace.of(...DEFAULT_ROOT);
  const catalogues = new CatalogueStore(root);
  const catalogue = await database.read((reader) => catalogues.peek(reader));
  if (catalogue.schemaVersion === null) {
    throw new RecordError(
      "NOT_FOUND",
      "there are no records in this store: no program has declared collections in it.",
    );
  }
  const shared = new SharedStore({
    database,
    root,
    world,
    catalogues,
    kinds: new KindRegistry(OWN_KINDS),
    pipeline: new ItemPipeline(pipelineSettings(items, world.random)),
    declarations: new Map(),
    relationships: [],
    schemaVersion: catalogue.schemaVersion,
    events: { isHeard: false, publish() {} },
  });
  return { shared, catalogue };
}
