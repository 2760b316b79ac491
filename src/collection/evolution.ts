/**
 * What has changed between the schema that is stored and the one that is declared, and what each change asks for: the rules of
 * evolution (features DF-77, after FoundationDB's Record Layer).
 *
 * | effort | changes |
 * |---|---|
 * | none | new optional field, field that may now be missing or null, wider type |
 * | lightweight | new collection, new or removed index, new word of an enumeration |
 * | custom | new required field, narrower type, removed or renamed field, index declared otherwise under its name, removed collection |
 * | impossible | another primary key, a polymorphic type under another code |
 *
 * A name that something else had before comes back only where a migration says so. Pure; owns no error of its own.
 */
import type { Catalogue, CatalogueCollection, StoredIndex } from "../record/catalogue.js";
import { type CollectionDeclaration, type IndexDeclaration, indexName } from "../record/declaration.js";
import { JSON_CODEC } from "../record/pipeline/json-codec.js";
import { describedBy } from "../record/schema-builder.js";
import { descriptionChanges } from "./description-changes.js";

export type ChangeEffort = "none" | "lightweight" | "custom" | "impossible";

export interface SchemaChange {
  readonly kind:
    | "collectionAdded"
    | "collectionRemoved"
    | "primaryKeyChanged"
    | "indexAdded"
    | "indexRemoved"
    | "indexRedefined"
    | "fieldChanged";
  readonly effort: ChangeEffort;
  readonly collection: string;
  readonly index?: string;
  /** Path of the field; empty for the document itself. */
  readonly field?: string;
  /** A former index or collection had this name. */
  readonly reusedName?: string;
  /** What is different, as the end of a sentence. */
  readonly what: string;
}

/** In the order of the declaration; what is only stored comes last. */
export function compareSchemas(
  stored: Catalogue,
  collections: readonly CollectionDeclaration[],
): SchemaChange[] {
  const changes: SchemaChange[] = [];
  for (const declaration of collections) {
    const { name } = declaration;
    const own = stored.collections.get(name);
    if (own === undefined) {
      const added = { kind: "collectionAdded", effort: "lightweight", collection: name } as const;
      changes.push({ ...added, ...reused(stored, "collection", name, name), what: "is not in the store" });
    } else changes.push(...collectionChanges(stored, own, declaration));
  }
  const declared = new Set(collections.map(({ name }) => name));
  for (const name of stored.collections.keys()) {
    if (declared.has(name)) continue;
    const what = "is in the store and no longer declared";
    changes.push({ kind: "collectionRemoved", effort: "custom", collection: name, what });
  }
  return changes;
}

/** With its name in it, as it is stored. */
export function resolved(collection: string, index: IndexDeclaration): IndexDeclaration {
  return { ...index, name: indexName(collection, index) };
}

function collectionChanges(
  catalogue: Catalogue,
  { stored, indexes }: CatalogueCollection,
  declaration: CollectionDeclaration,
): SchemaChange[] {
  const { name: collection, primaryKey, schema } = declaration;
  const changes: SchemaChange[] = [];
  if (stored.primaryKey !== primaryKey) {
    const what = `has the primary key "${stored.primaryKey}" in the store, not "${primaryKey}"`;
    changes.push({ kind: "primaryKeyChanged", effort: "impossible", collection, field: primaryKey, what });
  }
  const described = describedBy(schema);
  if (stored.fields !== null && described !== null) {
    for (const { effort, field, what } of descriptionChanges(stored.fields, described)) {
      changes.push({ kind: "fieldChanged", effort, collection, field, what });
    }
  }
  for (const own of declaration.indexes) changes.push(...indexChange(catalogue, collection, indexes, own));
  for (const { name } of indexes) {
    if (declaration.indexes.some((own) => indexName(collection, own) === name)) continue;
    const what = `has the index "${name}" in the store, which is no longer declared`;
    changes.push({ kind: "indexRemoved", effort: "lightweight", collection, index: name, what });
  }
  return changes;
}

function indexChange(
  catalogue: Catalogue,
  collection: string,
  stored: readonly StoredIndex[],
  own: IndexDeclaration,
): SchemaChange[] {
  const name = indexName(collection, own);
  const former = stored.find((index) => index.name === name);
  if (former === undefined) {
    const what = `declares the index "${name}", which is not in the store`;
    const added = { kind: "indexAdded", effort: "lightweight", collection, index: name, what } as const;
    return [{ ...added, ...reused(catalogue, "index", collection, name) }];
  }
  const isSame =
    Buffer.compare(
      JSON_CODEC.encode(resolved(collection, former.declaration)),
      JSON_CODEC.encode(resolved(collection, own)),
    ) === 0;
  if (isSame) return [];
  const what = `declares the index "${name}" otherwise than it is stored, so it must be built again`;
  return [{ kind: "indexRedefined", effort: "custom", collection, index: name, what }];
}

function reused(
  { formers }: Catalogue,
  type: "collection" | "index",
  collection: string,
  name: string,
): { readonly reusedName?: string } {
  const isFormer = formers.some(
    (former) => former.type === type && former.collection === collection && former.name === name,
  );
  return isFormer ? { reusedName: name } : {};
}
