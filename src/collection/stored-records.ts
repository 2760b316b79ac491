/**
 * The records of a database as its catalogue has them, for tools that know nothing of the program that declared them. Documents are
 * bytes with an item's header, so they can be read, and indexes built and checked. What the catalogue does not know, a validator of
 * another library or a kind of index that is not ours, cannot be made up: collections with such are not written (`whyNotWritable`).
 */
import { OWN_KINDS } from "../index/kinds.js";
import { KindRegistry } from "../index/registry.js";
import { Subspace } from "../keyspace/subspace.js";
import { hasCode } from "../platform/errors.js";
import { type Catalogue, type CatalogueCollection, CatalogueStore } from "../record/catalogue.js";
import type { CollectionDeclaration } from "../record/declaration.js";
import type { ValueDescription } from "../record/description.js";
import { ItemPipeline } from "../record/pipeline/item-pipeline.js";
import { type ItemStorageOptions, pipelineSettings } from "../record/pipeline/pipeline-options.js";
import { COMPOSITE_KEY } from "../record/polymorphic.js";
import { RecordError } from "../record/record-error.js";
import { ValueSchema } from "../record/schema-builder.js";
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
    declarations: new Map(
      [...catalogue.collections].map(([name, collection]) => [name, declarationOf(collection)]),
    ),
    relationships: [],
    schemaVersion: catalogue.schemaVersion,
    events: { isHeard: false, publish() {} },
  });
  return { shared, catalogue };
}

/**
 * Why documents of a collection cannot be written by the catalogue alone, as the end of a sentence; null when they can. Hooks and
 * relationships are the program's and leave no trace in the catalogue: whoever writes without it writes without them.
 */
export function whyNotWritable(
  { shared, catalogue }: StoredRecords,
  { stored, indexes }: CatalogueCollection,
): string | null {
  const { name, fields, primaryKey } = stored;
  if (primaryKey === COMPOSITE_KEY)
    return "it holds documents of several types, which only the program knows";
  for (const other of catalogue.collections.values()) {
    if (other.stored.primaryKey !== COMPOSITE_KEY || !mayHoldType(other.stored.fields, name)) continue;
    return `its documents may be in "${other.stored.name}" as well, of whose types only the program knows`;
  }
  if (fields === null) return "its schema was made by a library that does not tell what it checks";
  for (const index of indexes) {
    const isKept = index.state !== "disabled" || index.shadow !== null;
    if (isKept && !isKnown(shared.kinds, index.declaration.kind))
      return `its index "${index.name}" is of the kind "${index.declaration.kind}", which only the program can maintain`;
  }
  return null;
}

function isKnown(kinds: KindRegistry, identifier: string): boolean {
  try {
    kinds.byIdentifier(identifier);
    return true;
  } catch (error) {
    if (hasCode(error, "UNKNOWN_INDEX_KIND")) return false;
    throw error;
  }
}

/** Whether documents of a collection of several types may be those of the collection `name` (see `polymorphic.ts`). */
function mayHoldType(fields: ValueDescription | null, name: string): boolean {
  if (fields === null) return true;
  const options = fields.type === "union" ? fields.options : [fields];
  return options.some(
    (option) =>
      option.type === "object" &&
      option.fields.some(({ value }) => value.type === "literal" && value.value === name),
  );
}

function declarationOf({ stored, indexes }: CatalogueCollection): CollectionDeclaration {
  const { name, primaryKey, fields } = stored;
  const schema = fields === null ? unknownSchema() : new ValueSchema<unknown>(fields);
  return { name, primaryKey, schema, indexes: indexes.map(({ declaration }) => declaration) };
}

/** Takes nothing: what it would take is not known. */
function unknownSchema(): CollectionDeclaration["schema"] {
  const message = "the schema is not stored, so nothing can be checked against it";
  return {
    "~standard": { version: 1, vendor: "stillwater", validate: () => ({ issues: [{ message }] }) },
  };
}
