/**
 * The changes of a catalogue that a declared schema asks for: the first one of a new store, and what each stage of a migration does to
 * collections and indexes. Pure; says also which keys no longer belong to anything. Owns ids, and what is remembered of what is gone.
 *
 * The schemas between two stages are not declared, so what is new comes as soon as it can, and the rest where a stage stands for it:
 *
 * | change | in which stage |
 * |---|---|
 * | new collection | at the begin of the first, empty, with its indexes |
 * | new index, removed index, fields that need no code | in the last |
 * | collection or index under the name of a former one | in the one that names it (`reuseNames`) |
 * | index declared otherwise under its name | in the last custom one: built again |
 * | fields | in each custom one |
 * | removed collection | in the one that names it (`removeCollections`) |
 */
import type { Subspace } from "../keyspace/subspace.js";
import type {
  Catalogue,
  CatalogueCollection,
  FormerEntry,
  IndexState,
  StoredIndex,
} from "../record/catalogue.js";
import type { CollectionDeclaration, IndexDeclaration } from "../record/declaration.js";
import { itemSpace, KEYSPACE } from "../record/keyspace.js";
import { describedBy } from "../record/schema-builder.js";
import { compareSchemas, resolved, type SchemaChange } from "./evolution.js";
import type { MigrationStage } from "./migrations.js";

/** Where a stage stands on its way. */
export interface StagePlace {
  readonly stage: MigrationStage;
  readonly isLast: boolean;
  /** No custom one comes after it. */
  readonly isLastCustom: boolean;
}

export interface Restructured {
  readonly catalogue: Catalogue;
  /** What no longer belongs to anything, to be cleared in the same transaction. */
  readonly cleared: readonly Subspace[];
}

/** Every collection that is not there yet, and that needs no leave to come or has it from this stage. Indexes of nothing are complete. */
export function withNewCollections(
  catalogue: Catalogue,
  collections: readonly CollectionDeclaration[],
  since: string,
  reuseNames: readonly string[] = [],
): Catalogue {
  let next = catalogue;
  for (const { kind, collection, reusedName } of compareSchemas(catalogue, collections)) {
    if (kind !== "collectionAdded") continue;
    if (reusedName !== undefined && !reuseNames.includes(reusedName)) continue;
    next = withCollection(next, declared(collections, collection), since);
  }
  return next;
}

/** What this stage does to collections that are there. */
export function restructured(
  root: Subspace,
  catalogue: Catalogue,
  collections: readonly CollectionDeclaration[],
  place: StagePlace,
): Restructured {
  let next = catalogue;
  const cleared: Subspace[] = [];
  for (const change of compareSchemas(catalogue, collections)) {
    if (!isOfStage(change, place)) continue;
    const result = applied(root, next, collections, change, place.stage.to);
    next = result.catalogue;
    cleared.push(...result.cleared);
  }
  if (place.isLast || !place.stage.isLightweight) next = withFields(next, collections);
  return { catalogue: next, cleared };
}

/** Of an index that the schema declares and the store does not have. */
export function withIndexAdded(
  catalogue: Catalogue,
  collection: string,
  index: IndexDeclaration,
  since: string,
): Catalogue {
  const { own, nextId } = added(catalogue, collection, index, "writeOnly", since);
  const found = existing(catalogue, collection);
  return { ...withIndexes(catalogue, found, [...found.indexes, own]), nextId };
}

/** Its id and name are remembered, and all that it keeps is cleared. */
export function withIndexRemoved(
  root: Subspace,
  catalogue: Catalogue,
  collection: string,
  name: string,
  removedIn: string,
): Restructured {
  const found = existing(catalogue, collection);
  const gone = found.indexes.find((index) => index.name === name);
  if (gone === undefined) return { catalogue, cleared: [] };
  const rest = found.indexes.filter((index) => index !== gone);
  const former: FormerEntry = { id: gone.id, type: "index", name, collection, removedIn };
  const without = withIndexes(catalogue, found, rest);
  return {
    catalogue: { ...without, formers: [...catalogue.formers, former] },
    cleared: spacesOfIndex(root, gone.id),
  };
}

function isOfStage({ kind, collection, reusedName }: SchemaChange, place: StagePlace): boolean {
  const { stage, isLast, isLastCustom } = place;
  switch (kind) {
    case "indexAdded":
      return reusedName === undefined ? isLast : stage.reuseNames?.includes(reusedName) === true;
    case "indexRemoved":
      return isLast;
    case "indexRedefined":
      return isLastCustom;
    case "collectionRemoved":
      return stage.removeCollections?.includes(collection) === true;
    default:
      return false;
  }
}

function applied(
  root: Subspace,
  catalogue: Catalogue,
  collections: readonly CollectionDeclaration[],
  { kind, collection, index = "" }: SchemaChange,
  to: string,
): Restructured {
  switch (kind) {
    case "indexAdded": {
      const own = declaredIndex(collections, collection, index);
      return { catalogue: withIndexAdded(catalogue, collection, own, to), cleared: [] };
    }
    case "indexRemoved":
      return withIndexRemoved(root, catalogue, collection, index, to);
    case "indexRedefined":
      return withIndexRedefined(
        root,
        catalogue,
        collection,
        declaredIndex(collections, collection, index),
        to,
      );
    default:
      return withoutCollection(root, catalogue, collection, to);
  }
}

function withCollection(catalogue: Catalogue, declaration: CollectionDeclaration, since: string): Catalogue {
  const { name, primaryKey, schema, indexes } = declaration;
  const stored = { id: catalogue.nextId, name, primaryKey, fields: describedBy(schema) };
  const collections = new Map(catalogue.collections);
  collections.set(name, { stored, indexes: [] });
  let next: Catalogue = { ...catalogue, collections, nextId: catalogue.nextId + 1 };
  for (const index of indexes) {
    const { own, nextId } = added(next, name, index, "readable", since);
    const found = existing(next, name);
    next = { ...withIndexes(next, found, [...found.indexes, own]), nextId };
  }
  return next;
}

function added(
  catalogue: Catalogue,
  collection: string,
  index: IndexDeclaration,
  state: IndexState,
  since: string,
): { readonly own: StoredIndex; readonly nextId: number } {
  const declaration = resolved(collection, index);
  const own: StoredIndex = {
    id: catalogue.nextId,
    collectionId: existing(catalogue, collection).stored.id,
    // Resolved.
    name: declaration.name as string,
    declaration,
    state,
    generation: 0,
    nextGeneration: 1,
    shadow: null,
    since,
  };
  return { own, nextId: catalogue.nextId + 1 };
}

/** The same id, another copy, empty and to be built. */
function withIndexRedefined(
  root: Subspace,
  catalogue: Catalogue,
  collection: string,
  index: IndexDeclaration,
  since: string,
): Restructured {
  const found = existing(catalogue, collection);
  const declaration = resolved(collection, index);
  const indexes = found.indexes.map((one): StoredIndex => {
    if (one.name !== declaration.name) return one;
    const { nextGeneration } = one;
    const copy = { generation: nextGeneration, nextGeneration: nextGeneration + 1, shadow: null };
    return { ...one, ...copy, declaration, state: "writeOnly", since };
  });
  const cleared = found.indexes.filter(({ name }) => name === declaration.name);
  return {
    catalogue: withIndexes(catalogue, found, indexes),
    cleared: cleared.flatMap(({ id }) => spacesOfIndex(root, id)),
  };
}

function withoutCollection(
  root: Subspace,
  catalogue: Catalogue,
  name: string,
  removedIn: string,
): Restructured {
  let next = catalogue;
  const found = existing(catalogue, name);
  const cleared = [itemSpace(root, found.stored.id)];
  for (const index of found.indexes) {
    const without = withIndexRemoved(root, next, name, index.name, removedIn);
    next = without.catalogue;
    cleared.push(...without.cleared);
  }
  const collections = new Map(next.collections);
  collections.delete(name);
  const former: FormerEntry = { id: found.stored.id, type: "collection", name, collection: name, removedIn };
  return { catalogue: { ...next, collections, formers: [...next.formers, former] }, cleared };
}

function withFields(catalogue: Catalogue, declarations: readonly CollectionDeclaration[]): Catalogue {
  const collections = new Map(catalogue.collections);
  for (const { name, schema } of declarations) {
    const found = collections.get(name);
    if (found === undefined) continue;
    collections.set(name, { ...found, stored: { ...found.stored, fields: describedBy(schema) } });
  }
  return { ...catalogue, collections };
}

function withIndexes(
  catalogue: Catalogue,
  found: CatalogueCollection,
  indexes: readonly StoredIndex[],
): Catalogue {
  const collections = new Map(catalogue.collections);
  collections.set(found.stored.name, { ...found, indexes });
  return { ...catalogue, collections };
}

function spacesOfIndex(root: Subspace, id: number): Subspace[] {
  const { indexes, builds, violations, scrubs } = KEYSPACE;
  return [indexes, builds, violations, scrubs].map((purpose) => root.subspace(purpose, id));
}

// All of these were found by a comparison of the two.
function existing(catalogue: Catalogue, name: string): CatalogueCollection {
  return catalogue.collections.get(name) as CatalogueCollection;
}

function declared(collections: readonly CollectionDeclaration[], name: string): CollectionDeclaration {
  return collections.find((declaration) => declaration.name === name) as CollectionDeclaration;
}

function declaredIndex(
  collections: readonly CollectionDeclaration[],
  collection: string,
  name: string,
): IndexDeclaration {
  const { indexes } = declared(collections, collection);
  return indexes.find((index) => resolved(collection, index).name === name) as IndexDeclaration;
}
