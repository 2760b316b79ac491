/**
 * Where everything of a record store lies below its root: one small integer for each purpose, so that keys are short. Owns the
 * numbers and nothing else; docs/FORMAT.md has the same table.
 */
import type { Subspace } from "../keyspace/subspace.js";

/** First element of every key below the root. Never reused. */
export const KEYSPACE = {
  /** Versions, collections, indexes, former indexes: `catalogue.ts`. */
  catalogue: 0,
  /** (collection id, primary key): items. */
  items: 1,
  /** (index id, generation, …): what the kind keeps there. */
  indexes: 2,
  /** (index id, generation): how far a build has come. */
  builds: 3,
  /** (index id, generation, value, primary key): values of a unique index that is being built with more than one item. */
  violations: 4,
  /** (name): who does work that only one may do, and until when. */
  leases: 5,
  /** (index id): how far a scrub has come. */
  scrubs: 6,
  /** (version, step, number): how far a call of a migration has come. */
  migrations: 7,
} as const;

export function itemSpace(root: Subspace, collectionId: number): Subspace {
  return root.subspace(KEYSPACE.items, collectionId);
}

export function indexSpace(root: Subspace, indexId: number, generation: number): Subspace {
  return root.subspace(KEYSPACE.indexes, indexId, generation);
}
