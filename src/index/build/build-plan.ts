/**
 * What a build is to do, as one version of the catalogue allows it: which copies of which indexes, in which order of items. Made
 * again for each version, since states and generations may have changed meanwhile. The stamp says which build it is: only the same
 * one may go on where another has stopped (features DF-46).
 */
import type { Catalogue, CatalogueCollection, StoredIndex } from "../../record/catalogue.js";
import { RecordError } from "../../record/record-error.js";
import type { BuildSource } from "../build-progress.js";
import { catalogued, type IndexEnvironment, storedIndex } from "../environment.js";
import { indexCopy, type MaintainedIndex } from "../maintenance.js";
import { IndexScan, sourceUse } from "./index-scan.js";
import { type ItemScan, PrimaryKeyScan } from "./item-scan.js";
import { checkPair } from "./mutual-check.js";

export interface BuildRequest {
  readonly collection: string;
  /** One, or several that are built in one scan and become readable together (features DF-41). */
  readonly indexes: readonly string[];
  /** The copy in use, which is write-only, or a shadow beside it. */
  readonly copy: "own" | "shadow";
  /** The index in whose order items are read; null: in that of primary keys (features DF-43). */
  readonly from: string | null;
  /** Whether the two indexes mirror each other (features DF-42). */
  readonly isMutual: boolean;
}

export interface BuildPlan {
  readonly catalogue: Catalogue;
  readonly collection: CatalogueCollection;
  readonly targets: readonly MaintainedIndex[];
  /** Whether there is nothing left to do: the indexes are readable. */
  readonly isDone: boolean;
  readonly scan: ItemScan;
  readonly source: BuildSource | null;
  readonly stamp: string;
}

/** Throws `UNKNOWN_COLLECTION`, `UNKNOWN_INDEX`, `ILLEGAL_INDEX_STATE`, `INDEX_SOURCE_UNSUITABLE`, `INVALID_ARGUMENT`. */
export function planBuild(
  environment: IndexEnvironment,
  catalogue: Catalogue,
  request: BuildRequest,
): BuildPlan {
  const collection = catalogued(catalogue, request.collection);
  const indexes = request.indexes.map((name) => storedIndex(collection, name));
  const isDone = request.copy === "own" && indexes.every(({ state }) => state === "readable");
  const targets = indexes.map((index) => {
    const generation = request.copy === "own" ? index.generation : index.shadow?.generation;
    const isReady = request.copy === "own" ? index.state === "writeOnly" : index.state === "readable";
    if (!isDone && (!isReady || generation === undefined)) throw notReady(request, index);
    return indexCopy(collection, index, generation ?? index.generation, true, environment.maintenance);
  });
  if (request.isMutual) checkPair(targets);
  const source = request.from === null ? null : storedIndex(collection, request.from);
  return {
    catalogue,
    collection,
    targets,
    isDone,
    scan: source === null || isDone ? itemScan(environment, collection) : indexScan(source),
    source: source === null ? null : { id: source.id, generation: source.generation },
    stamp: stampOf(request, targets, source),
  };

  function indexScan(from: StoredIndex): ItemScan {
    const { kinds } = environment.maintenance;
    const decision = sourceUse(from, indexes, kinds);
    if (decision.use === "none") throw unsuitable(request, decision.why);
    const copy = indexCopy(collection, from, from.generation, false, environment.maintenance);
    const { entries } = copy.maintainer;
    if (entries === undefined) throw unsuitable(request, "its kind has no rows of items");
    const items = decision.use === "items" ? environment.itemsOf(collection) : null;
    return new IndexScan(copy, entries, items);
  }
}

function itemScan(environment: IndexEnvironment, collection: CatalogueCollection): ItemScan {
  return new PrimaryKeyScan(environment.itemsOf(collection));
}

function stampOf(
  { isMutual }: BuildRequest,
  targets: readonly MaintainedIndex[],
  source: StoredIndex | null,
): string {
  return JSON.stringify({
    type: isMutual ? "mutual" : "plain",
    targets: targets
      .map(({ stored, generation }) => [stored.id, generation] as const)
      .sort(([a], [b]) => a - b),
    source: source === null ? null : [source.id, source.generation],
  });
}

function notReady({ collection, copy }: BuildRequest, { name, state }: StoredIndex): RecordError {
  return new RecordError(
    "ILLEGAL_INDEX_STATE",
    copy === "own"
      ? `the index "${name}" of "${collection}" is ${state}; only one that is writeOnly is built. ` +
          (state === "disabled" ? "Enable it first." : "To build it anew, use rebuild.")
      : `the index "${name}" of "${collection}" has no shadow that could be built. Begin one; the index must be readable.`,
    { collection, index: name },
  );
}

function unsuitable({ collection, from }: BuildRequest, why: string): RecordError {
  return new RecordError(
    "INDEX_SOURCE_UNSUITABLE",
    `no index of "${collection}" can be built from "${from}": ${why}. Build from a readable scalar index that has every item ` +
      "once, or from the items.",
    { collection, index: from ?? undefined },
  );
}
