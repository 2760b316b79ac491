/** The collections that a record store has, as the catalogue tells it (features FS-28). Indexes: `index-manager.ts`. */
import type { Catalogue } from "../record/catalogue.js";

/** A collection as the catalogue describes it. Plain data. */
export interface CollectionDescription {
  readonly name: string;
  readonly primaryKey: string;
  /** Names, in the order of their creation. */
  readonly indexes: readonly string[];
}

/** By name. */
export function describeCollections(catalogue: Catalogue): CollectionDescription[] {
  return [...catalogue.collections.values()]
    .map(({ stored, indexes }) => ({
      name: stored.name,
      primaryKey: stored.primaryKey,
      indexes: indexes.map(({ name }) => name),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
