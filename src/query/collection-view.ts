/** What a planner may know of a collection, from one version of the catalogue. */
import type { CatalogueCollection } from "../record/catalogue.js";
import type { QueryCollection } from "./plan.js";

/** Of the kinds that order documents by values; others answer no queries yet. */
export function queryCollection({ stored, indexes }: CatalogueCollection): QueryCollection {
  return {
    name: stored.name,
    primaryKey: stored.primaryKey,
    indexes: indexes
      .filter(({ declaration }) => declaration.kind === "scalar")
      .map(({ id, name, generation, state, declaration }) => ({
        name,
        id,
        generation,
        fields: declaration.fields,
        covering: declaration.covering ?? [],
        isSparse: declaration.sparse === true,
        where: declaration.where ?? null,
        isReadable: state === "readable",
      })),
  };
}
