/**
 * Changes of an index in the catalogue, each one transaction: enabling, disabling, a shadow begun, put in use or dropped. With the
 * copy that goes out of use its keys are cleared in the same transaction, which no writer can miss: all of them read the version of
 * the catalogue with a conflict. Owns which changes are legal together with `state.ts`; does not own builds.
 */
import { crashPoint } from "../platform/probes.js";
import { type CatalogueCollection, type StoredIndex, withIndex } from "../record/catalogue.js";
import { KEYSPACE } from "../record/keyspace.js";
import { RecordError } from "../record/record-error.js";
import type { Transaction } from "../transaction/transaction.js";
import { clearCopy } from "./build/build-batch.js";
import { BuildViolationsError } from "./build/online-builder.js";
import { BuildProgress, isComplete } from "./build-progress.js";
import { catalogued, type IndexEnvironment, storedIndex } from "./environment.js";
import { indexCopy } from "./maintenance.js";
import { inState } from "./state.js";
import { unresolvedViolations } from "./violations.js";

/** Disabled to write-only, with a copy of its own: nothing of what it held before is left. Throws `ILLEGAL_INDEX_STATE`. */
export function enableIndex(
  environment: IndexEnvironment,
  collection: string,
  index: string,
): Promise<StoredIndex> {
  return changeIndex(environment, collection, index, (_, stored) => {
    const enabled = inState(collection, stored, "writeOnly");
    return { ...enabled, generation: stored.nextGeneration, nextGeneration: stored.nextGeneration + 1 };
  });
}

/** Any other state to disabled. What it holds is cleared. Throws `ILLEGAL_INDEX_STATE`. */
export function disableIndex(
  environment: IndexEnvironment,
  collection: string,
  index: string,
): Promise<StoredIndex> {
  return changeIndex(environment, collection, index, (transaction, stored) => {
    const disabled = { ...inState(collection, stored, "disabled"), shadow: null };
    clearCopy(transaction, environment.root, stored.id, stored.generation);
    if (stored.shadow !== null) clearCopy(transaction, environment.root, stored.id, stored.shadow.generation);
    return disabled;
  });
}

/**
 * A second copy beside the one in use, empty, told of changes from now on; the one that there is already, if there is. Only of a
 * readable index. Throws `ILLEGAL_INDEX_STATE`.
 */
export function beginShadow(
  environment: IndexEnvironment,
  collection: string,
  index: string,
): Promise<StoredIndex> {
  return changeIndex(environment, collection, index, (_, stored) => {
    if (stored.state !== "readable") throw noShadow(collection, stored, "has none, for it is not readable");
    if (stored.shadow !== null) return stored;
    const { nextGeneration } = stored;
    return { ...stored, shadow: { generation: nextGeneration }, nextGeneration: nextGeneration + 1 };
  });
}

/**
 * Puts the shadow, complete, in the place of the copy in use, which is cleared. Readers see the one or the other. Throws
 * `ILLEGAL_INDEX_STATE`.
 */
export function swapShadow(
  environment: IndexEnvironment,
  collection: string,
  index: string,
): Promise<StoredIndex> {
  return changeIndex(environment, collection, index, async (transaction, stored, found) => {
    const { root } = environment;
    if (stored.shadow === null) throw noShadow(collection, stored, "has none");
    const { generation } = stored.shadow;
    const progress = new BuildProgress(root, stored.id, generation);
    const state = await progress.read(transaction);
    if (state === undefined || !isComplete(state)) {
      throw noShadow(collection, stored, "is not complete");
    }
    if (stored.declaration.unique === true) {
      const copy = indexCopy(found, stored, generation, true, environment.maintenance);
      const { unresolved } = await unresolvedViolations(transaction, root, copy);
      if (unresolved.length > 0) throw new BuildViolationsError(collection, unresolved);
    }
    progress.clear(transaction);
    clearCopy(transaction, root, stored.id, stored.generation);
    return { ...stored, generation, shadow: null };
  });
}

/** Takes the shadow away and clears it. Nothing happens when there is none. */
export function dropShadow(
  environment: IndexEnvironment,
  collection: string,
  index: string,
): Promise<StoredIndex> {
  return changeIndex(environment, collection, index, (transaction, stored) => {
    if (stored.shadow === null) return stored;
    clearCopy(transaction, environment.root, stored.id, stored.shadow.generation);
    return { ...stored, shadow: null };
  });
}

/** Clears what is left of copies that are in use no more, by whatever way they went. Returns the index as it is. */
export function dropOldCopies(
  environment: IndexEnvironment,
  collection: string,
  index: string,
): Promise<StoredIndex> {
  return changeIndex(environment, collection, index, (transaction, stored) => {
    const { root } = environment;
    const inUse = [
      ...(stored.state === "disabled" ? [] : [stored.generation]),
      ...(stored.shadow === null ? [] : [stored.shadow.generation]),
      stored.nextGeneration,
    ];
    for (const purpose of [KEYSPACE.indexes, KEYSPACE.builds, KEYSPACE.violations]) {
      let from = 0;
      for (const generation of inUse) {
        transaction.clearRange(
          root.pack([purpose, stored.id, from]),
          root.pack([purpose, stored.id, generation]),
        );
        from = generation + 1;
      }
    }
    return stored;
  });
}

async function changeIndex(
  environment: IndexEnvironment,
  collection: string,
  index: string,
  change: (
    transaction: Transaction,
    stored: StoredIndex,
    collection: CatalogueCollection,
  ) => StoredIndex | Promise<StoredIndex>,
): Promise<StoredIndex> {
  const { database, catalogues, events } = environment;
  const { before, after } = await database.transact(async (transaction) => {
    await environment.held?.check(transaction);
    const catalogue = await catalogues.read(transaction);
    const found = catalogued(catalogue, collection);
    const stored = storedIndex(found, index);
    const changed = await change(transaction, stored, found);
    if (changed !== stored) catalogues.write(transaction, catalogue, withIndex(catalogue, changed));
    return { before: stored, after: changed };
  });
  // CRASH_POINT(id: index.state-changed)
  crashPoint("index.state-changed");
  if (events.isHeard && (before.state !== after.state || before.generation !== after.generation)) {
    const { state, generation } = after;
    events.publish({ type: "state-changed", collection, index, state, generation });
  }
  return after;
}

function noShadow(collection: string, { name, state }: StoredIndex, why: string): RecordError {
  return new RecordError(
    "ILLEGAL_INDEX_STATE",
    `the shadow of the index "${name}" of "${collection}", which is ${state}, ${why}. Build one of a readable index first.`,
    { collection, index: name },
  );
}
