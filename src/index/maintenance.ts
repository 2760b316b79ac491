/**
 * Keeps all indexes of one collection as its items change: who is told of which change, by state, by what a build has passed, by
 * which documents the index holds. Made anew for each version of the catalogue; holds no state of its own.
 *
 * | copy                               | is told                                                   |
 * |---|---|
 * | disabled                           | nothing                                                   |
 * | write-only or shadow, idempotent   | everything                                                |
 * | write-only or shadow, otherwise    | of items that its build has passed (features DF-40)       |
 * | readable                           | everything                                                |
 *
 * Does not own: transactions, items; what uniqueness means (`uniqueness.ts`).
 */
import type { Subspace } from "../keyspace/subspace.js";
import { mutant } from "../platform/probes.js";
import type { CatalogueCollection, StoredIndex } from "../record/catalogue.js";
import type { RecordItem } from "../record/item.js";
import { indexSpace } from "../record/keyspace.js";
import type { ItemPipeline } from "../record/pipeline/item-pipeline.js";
import { meets } from "../record/predicate.js";
import type { Transaction } from "../transaction/transaction.js";
import { BuildProgress, type BuildState, positionInIndex, positionOf } from "./build-progress.js";
import { changeEntries } from "./entry-maintainer.js";
import type { IndexMaintainer } from "./kind.js";
import type { KindRegistry } from "./registry.js";
import type { UniquenessChecks } from "./uniqueness.js";

/** One copy of an index: the one in use, or a shadow. */
export interface MaintainedIndex {
  readonly stored: StoredIndex;
  readonly generation: number;
  /** Whether it is being built: write-only, or a shadow. */
  readonly isBuilding: boolean;
  readonly maintainer: IndexMaintainer;
  readonly progress: BuildProgress;
}

export interface MaintenanceSettings {
  readonly root: Subspace;
  readonly kinds: KindRegistry;
  readonly wallMs: () => number;
  readonly pipeline: ItemPipeline;
}

/** The copies of a collection's indexes that writers must tell of changes. */
export function maintainedIndexes(
  collection: CatalogueCollection,
  settings: MaintenanceSettings,
): MaintainedIndex[] {
  const copies: MaintainedIndex[] = [];
  for (const stored of collection.indexes) {
    if (stored.state !== "disabled") {
      copies.push(indexCopy(collection, stored, stored.generation, stored.state === "writeOnly", settings));
    }
    if (stored.shadow !== null) {
      copies.push(indexCopy(collection, stored, stored.shadow.generation, true, settings));
    }
  }
  return copies;
}

export function indexCopy(
  collection: CatalogueCollection,
  stored: StoredIndex,
  generation: number,
  isBuilding: boolean,
  { root, kinds, wallMs, pipeline }: MaintenanceSettings,
): MaintainedIndex {
  const { declaration, id, name } = stored;
  const maintainer = kinds.byIdentifier(declaration.kind).maintainer({
    collection: collection.stored.name,
    index: name,
    declaration,
    space: indexSpace(root, id, generation),
    wallMs,
    pipeline,
  });
  return { stored, generation, isBuilding, maintainer, progress: new BuildProgress(root, id, generation) };
}

/** Tells every index of the change of one item; what must be unique is noted in `uniqueness` for the end of the transaction. */
export async function maintain(
  transaction: Transaction,
  indexes: readonly MaintainedIndex[],
  before: RecordItem | null,
  after: RecordItem | null,
  uniqueness: UniquenessChecks,
): Promise<void> {
  for (const index of indexes) {
    if (index.isBuilding && !index.maintainer.isIdempotent && !mutant("I2-double-count-during-build")) {
      const built = await builtBy(transaction, index, indexes);
      await updateIndex(transaction, index, built(before), built(after), uniqueness);
    } else {
      const pending = updateIndex(transaction, index, before, after, uniqueness);
      // Without a promise where the kind has none.
      if (pending !== undefined) await pending;
    }
  }
}

/**
 * What of an item the build of this copy has passed: the item or null. What it was and what it is are judged each for itself, for in
 * the order of another index the change may move it over the position; then the build meets it again, or never.
 *
 * A batch that passes the item before this writer commits makes the writer try again. The other way round the batch has read the
 * range in which the item is, or would be, and tries again itself.
 */
async function builtBy(
  transaction: Transaction,
  { progress }: MaintainedIndex,
  all: readonly MaintainedIndex[],
): Promise<(item: RecordItem | null) => RecordItem | null> {
  const state = await progress.readForWriter(transaction);
  if (state === undefined) return () => null;
  const positionOfItem = positions(state, all);
  return (item) => {
    const position = item === null ? null : positionOfItem(item);
    return position !== null && progress.isBuilt(transaction, state, position) ? item : null;
  };
}

/** In the order of the build. */
function positions(
  { source }: BuildState,
  all: readonly MaintainedIndex[],
): (item: RecordItem) => Uint8Array | null {
  if (source === null || mutant("I7-position-taken-for-a-primary-key")) return positionOf;
  const copy = all.find(
    ({ stored, generation }) => stored.id === source.id && generation === source.generation,
  );
  const entries = copy?.maintainer.entries;
  // The source is gone, and with it the build: another must begin from the start.
  if (copy === undefined || entries === undefined) return () => null;
  const { space } = copy.maintainer.context;
  return (item) => positionInIndex(item, entries, space);
}

/** Tells one index, whatever its state: for builders, which know themselves what is built. */
export function updateIndex(
  transaction: Transaction,
  index: MaintainedIndex,
  before: RecordItem | null,
  after: RecordItem | null,
  uniqueness: UniquenessChecks,
): Promise<void> | undefined {
  const { stored, maintainer } = index;
  const old = selected(stored, before);
  const fresh = selected(stored, after);
  if (old === null && fresh === null) return undefined;
  const { entries } = maintainer;
  if (stored.declaration.unique === true && entries !== undefined) {
    const changed = changeEntries(transaction, entries, old, fresh);
    // Of an item that the build has not passed every row is new to the copy, also one that the item had before.
    const isNew = index.isBuilding && fresh !== null;
    for (const entry of isNew ? entries.of(fresh) : changed) uniqueness.note(index, entry);
    return undefined;
  }
  return maintainer.update(transaction, old, fresh) ?? undefined;
}

/** The item, if the index holds it. */
export function selected(stored: StoredIndex, item: RecordItem | null): RecordItem | null {
  const { where } = stored.declaration;
  return item === null || where === undefined || meets(item.document, where) ? item : null;
}
