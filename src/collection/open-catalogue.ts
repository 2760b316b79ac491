/**
 * What is declared against what is stored, when a store is opened. A new store takes the schema as it is; one that is there must
 * have the same. Owns the comparison and its errors. Does not own: changing a schema that is in use (migrations).
 */
import type { Catalogue, CatalogueCollection, StoredIndex } from "../record/catalogue.js";
import { type CollectionDeclaration, indexName } from "../record/declaration.js";
import { JSON_CODEC } from "../record/pipeline/json-codec.js";
import { RecordError } from "../record/record-error.js";
import { compareVersions, parseVersion, type SchemaDeclaration } from "./schema.js";
import type { SharedStore } from "./shared-store.js";

/** Throws `SCHEMA_CHANGED`, `SCHEMA_TOO_OLD`, `SCHEMA_TOO_NEW`, `UNKNOWN_INDEX_KIND`, `INVALID_SCHEMA`. */
export async function matchCatalogue(shared: SharedStore, schema: SchemaDeclaration): Promise<void> {
  for (const { name, indexes } of schema.collections) {
    for (const index of indexes) shared.kinds.checked(name, index);
  }
  await shared.database.transact(async (transaction) => {
    const stored = await shared.catalogues.read(transaction);
    if (stored.schemaVersion === null) {
      shared.catalogues.write(transaction, stored, firstCatalogue(stored, schema));
    } else compare(stored, schema);
  });
}

/** Nothing is stored yet, so every index is complete. */
function firstCatalogue(empty: Catalogue, schema: SchemaDeclaration): Catalogue {
  let nextId = empty.nextId;
  const collections = new Map<string, CatalogueCollection>();
  for (const declaration of schema.collections) {
    const id = nextId++;
    const { name, primaryKey } = declaration;
    collections.set(name, {
      stored: { id, name, primaryKey, fields: null },
      indexes: declaration.indexes.map(
        (index): StoredIndex => ({
          id: nextId++,
          collectionId: id,
          name: indexName(name, index),
          declaration: index,
          state: "readable",
          generation: 0,
          nextGeneration: 1,
          shadow: null,
          since: schema.version,
        }),
      ),
    });
  }
  return { ...empty, schemaVersion: schema.version, collections, nextId };
}

function compare(stored: Catalogue, schema: SchemaDeclaration): void {
  const order = compareVersions(parseVersion(stored.schemaVersion ?? ""), parseVersion(schema.version));
  if (order > 0) {
    throw new RecordError(
      "SCHEMA_TOO_OLD",
      `the store has schema ${stored.schemaVersion}, and this program declares ${schema.version}. Run a newer program.`,
    );
  }
  if (order < 0) {
    throw new RecordError(
      "SCHEMA_TOO_NEW",
      `the store has schema ${stored.schemaVersion}, and this program declares ${schema.version}. ` +
        `It needs a migration from ${stored.schemaVersion} to ${schema.version}.`,
    );
  }
  for (const declaration of schema.collections) compareCollection(stored, declaration);
}

function compareCollection(stored: Catalogue, declaration: CollectionDeclaration): void {
  const { name, primaryKey, indexes } = declaration;
  const former = stored.collections.get(name);
  if (former === undefined) throw changed(name, "is not in the store");
  if (former.stored.primaryKey !== primaryKey) {
    throw changed(
      name,
      `has the primary key "${former.stored.primaryKey}" in the store, not "${primaryKey}"`,
    );
  }
  const names = new Set(indexes.map((index) => indexName(name, index)));
  for (const index of former.indexes) {
    if (!names.has(index.name))
      throw changed(name, `has an index "${index.name}" in the store that is not declared`);
  }
  for (const index of indexes) {
    const own = former.indexes.find((other) => other.name === indexName(name, index));
    if (own === undefined)
      throw changed(name, `declares an index "${indexName(name, index)}" that is not in the store`);
    if (Buffer.compare(JSON_CODEC.encode(own.declaration), JSON_CODEC.encode(index)) !== 0) {
      throw changed(name, `declares the index "${own.name}" otherwise than it is stored`);
    }
  }
}

function changed(collection: string, what: string): RecordError {
  return new RecordError(
    "SCHEMA_CHANGED",
    `the collection "${collection}" ${what}, though both have one schema version. Raise the version and add a migration.`,
    { collection },
  );
}
