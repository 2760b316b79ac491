/**
 * The indexes of a store, to look at and to change: states, builds, rebuilds. By names alone, which the catalogue knows: the types
 * only keep a program from naming what it has not declared. Owns the lives of the builds that it has started; what they do is in
 * `src/index/build`.
 */
import { refuseUnknownOptions } from "../engine/options.js";
import { type BuildRequest } from "../index/build/build-plan.js";
import { fractionAt } from "../index/build/item-scan.js";
import { type BuildOptions, type BuildResult, OnlineBuilder } from "../index/build/online-builder.js";
import { BuildProgress, isComplete } from "../index/build-progress.js";
import { catalogued, type IndexEnvironment, storedIndex } from "../index/environment.js";
import {
  beginShadow,
  disableIndex,
  dropOldCopies,
  dropShadow,
  enableIndex,
  swapShadow,
} from "../index/index-changes.js";
import type { ScrubOptions } from "../index/scrub/scrub-options.js";
import { Scrubber, type ScrubResult, type ScrubStep } from "../index/scrub/scrubber.js";
import { IndexVerification, type VerificationOptions } from "../index/scrub/verification.js";
import { StillwaterError } from "../platform/errors.js";
import type { Catalogue, CatalogueCollection, IndexState, StoredIndex } from "../record/catalogue.js";
import type { CollectionDeclaration, IndexNameOf } from "../record/declaration.js";
import { indexSpace, itemSpace } from "../record/keyspace.js";
import { RecordError, shown } from "../record/record-error.js";
import type { ReadTransaction } from "../transaction/transaction.js";
import type { CollectionNamed } from "./record-transaction.js";

/** An index as it is stored, and how far it is built. */
export interface IndexInfo {
  readonly collection: string;
  readonly index: string;
  readonly kind: string;
  readonly fields: readonly string[];
  readonly state: IndexState;
  readonly generation: number;
  /** Of the copy in use; null when none is under way. */
  readonly build: BuildInfo | null;
  /** A second copy that is built beside it. */
  readonly shadow: { readonly generation: number; readonly build: BuildInfo | null } | null;
}

/** How far the build of an index has come. */
export interface BuildInfo {
  readonly itemsDone: number;
  /** An estimate, from 0 to 1. */
  readonly fraction: number;
  /** Whether all items are in: then only violated values, or nobody's last call, keep the index from being readable. */
  readonly isComplete: boolean;
}

/** Options of the builds of indexes. */
export interface IndexBuildOptions extends BuildOptions {
  /** A readable index in whose order items are read, from its rows alone if they have all that is needed. */
  readonly from?: string;
}

type Names = readonly CollectionDeclaration[];
type IndexIn<Collections extends Names, Name extends Collections[number]["name"]> = IndexNameOf<
  CollectionNamed<Collections, Name>
>;

/** The indexes of a store, to look at, build, rebuild, scrub and verify: `RecordStore.indexes`. */
export class IndexManager<const Collections extends Names = Names> {
  readonly #environment: IndexEnvironment;
  readonly #stop = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  readonly #verifications: IndexVerification[] = [];

  constructor(environment: IndexEnvironment) {
    this.#environment = environment;
  }

  /** Of one collection, or of all. Throws `UNKNOWN_COLLECTION`. */
  list(collection?: Collections[number]["name"]): Promise<IndexInfo[]> {
    const { database, catalogues } = this.#environment;
    return database.read(async (reader) => {
      const catalogue = await catalogues.peek(reader);
      const all = collection === undefined ? allOf(catalogue) : [catalogued(catalogue, collection)];
      const infos = all.flatMap((one) => one.indexes.map((index) => this.#info(reader, one, index)));
      return Promise.all(infos);
    });
  }

  /** Throws `UNKNOWN_COLLECTION`, `UNKNOWN_INDEX`. */
  get<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
  ): Promise<IndexInfo> {
    const { database, catalogues } = this.#environment;
    return database.read(async (reader) => {
      const found = catalogued(await catalogues.peek(reader), collection);
      return this.#info(reader, found, storedIndex(found, index));
    });
  }

  /** Disabled to write-only: kept by writers from now on, and to be built. Throws `ILLEGAL_INDEX_STATE`. */
  async enable<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
  ): Promise<void> {
    await enableIndex(this.#environment, collection, index);
  }

  /** From any other state: kept and read no more, its rows cleared. Throws `ILLEGAL_INDEX_STATE`. */
  async disable<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
  ): Promise<void> {
    await disableIndex(this.#environment, collection, index);
  }

  /**
   * Builds write-only indexes, several of them in one scan, until they are readable; goes on where an earlier call has stopped. Of
   * readable ones nothing is left to do. Throws `INDEX_BUILD_VIOLATIONS` (`BuildViolationsError`), `INDEX_BUILD_MISMATCH`,
   * `INDEX_SOURCE_UNSUITABLE`, `ILLEGAL_INDEX_STATE`, `OPERATION_CANCELLED` when it is stopped.
   */
  build<const Name extends Collections[number]["name"]>(
    collection: Name,
    indexes: IndexIn<Collections, Name> | readonly IndexIn<Collections, Name>[],
    options: IndexBuildOptions = {},
  ): Promise<BuildResult> {
    const names: readonly string[] = typeof indexes === "string" ? [indexes] : indexes;
    return this.#run({ collection, indexes: names, copy: "own", isMutual: false }, options);
  }

  /**
   * Builds two write-only indexes of the same fields in opposite orders together, and checks before they become readable that each row
   * of the one has its counterpart in the other. Throws as `build`, and `INDEX_INCONSISTENT`, `INVALID_ARGUMENT` for two that do not
   * mirror each other.
   */
  buildMutual<const Name extends Collections[number]["name"]>(
    collection: Name,
    pair: readonly [IndexIn<Collections, Name>, IndexIn<Collections, Name>],
    options: IndexBuildOptions = {},
  ): Promise<BuildResult> {
    return this.#run({ collection, indexes: pair, copy: "own", isMutual: true }, options);
  }

  /**
   * Builds an index anew. A readable one stays so: a second copy is built beside it and takes its place in one step. A write-only one
   * begins from the start. Throws as `build`.
   */
  async rebuild<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
    options: IndexBuildOptions = {},
  ): Promise<BuildResult> {
    const { state } = await this.get(collection, index);
    if (state !== "readable") return this.build(collection, index, { ...options, clearFirst: true });
    const result = await this.buildShadow(collection, index, options);
    await swapShadow(this.#environment, collection, index);
    return result;
  }

  /**
   * A complete second copy of a readable index, which writers keep from then on, in use by nobody: to be compared, swapped or
   * dropped. Throws as `build`.
   */
  async buildShadow<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
    options: IndexBuildOptions = {},
  ): Promise<BuildResult> {
    await beginShadow(this.#environment, collection, index);
    return this.#run({ collection, indexes: [index], copy: "shadow", isMutual: false }, options);
  }

  /** Puts the complete shadow in the place of the copy in use, which is cleared. Throws `ILLEGAL_INDEX_STATE`. */
  async swapShadow<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
  ): Promise<void> {
    await swapShadow(this.#environment, collection, index);
  }

  /** Nothing happens when there is none. */
  async dropShadow<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
  ): Promise<void> {
    await dropShadow(this.#environment, collection, index);
  }

  /** Clears rows of copies that are in use no more, should there be any. */
  async dropOldCopies<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
  ): Promise<void> {
    await dropOldCopies(this.#environment, collection, index);
  }

  /**
   * Compares a readable index with the items, and repairs it if that is asked for; goes on where an earlier call has stopped.
   * `onStep`: called after each transaction. Throws what `Scrubber.run` throws.
   */
  scrub<const Name extends Collections[number]["name"]>(
    collection: Name,
    index: IndexIn<Collections, Name>,
    options: ScrubOptions = {},
    onStep?: (step: ScrubStep) => void,
  ): Promise<ScrubResult> {
    const signal = this.#signalOf(options.signal);
    const target = { collection, index };
    return this.#kept(() => new Scrubber(this.#environment, target, { ...options, signal }, onStep).run());
  }

  /** Scrubs all indexes in turn from now on, until it is closed, or the store. Throws as `IndexVerification`, and `CLOSED`. */
  verify(options: VerificationOptions): IndexVerification {
    if (this.#stop.signal.aborted)
      throw new StillwaterError("CLOSED", "the records are closed. Open them again.");
    const verification = new IndexVerification(this.#environment, options);
    this.#verifications.push(verification);
    return verification;
  }

  /** Stops the builds and scrubs that are under way, after their batch. They can be gone on with by the next store. */
  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#verifications.map((verification) => verification.close()));
    await Promise.allSettled(this.#running);
  }

  async #run(request: Omit<BuildRequest, "from">, options: IndexBuildOptions): Promise<BuildResult> {
    refuseUnknownOptions(options, OPTIONS, "index build");
    const { from = null, ...rest } = options;
    checkNumbers(rest);
    const { indexes } = request;
    if (indexes.length === 0 || new Set(indexes).size < indexes.length) {
      throw new RecordError("INVALID_ARGUMENT", "name at least one index to build, and each once.", {
        collection: request.collection,
      });
    }
    const signal = this.#signalOf(rest.signal);
    return this.#kept(() =>
      new OnlineBuilder(this.#environment, { ...request, from }, { ...rest, signal }).run(),
    );
  }

  #signalOf(given: AbortSignal | undefined): AbortSignal {
    const { signal } = this.#stop;
    return given === undefined ? signal : AbortSignal.any([signal, given]);
  }

  /** Known to `close` while it runs. */
  async #kept<T>(run: () => Promise<T>): Promise<T> {
    const running = run();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #info(
    reader: ReadTransaction,
    { stored: collection }: CatalogueCollection,
    stored: StoredIndex,
  ): Promise<IndexInfo> {
    const { id, name, declaration, state, generation, shadow } = stored;
    return {
      collection: collection.name,
      index: name,
      kind: declaration.kind,
      fields: declaration.fields,
      state,
      generation,
      build: await this.#build(reader, collection.id, id, generation),
      shadow:
        shadow === null
          ? null
          : {
              generation: shadow.generation,
              build: await this.#build(reader, collection.id, id, shadow.generation),
            },
    };
  }

  async #build(
    reader: ReadTransaction,
    collectionId: number,
    indexId: number,
    generation: number,
  ): Promise<BuildInfo | null> {
    const { root } = this.#environment;
    const state = await new BuildProgress(root, indexId, generation).read(reader);
    if (state === undefined) return null;
    const { source, position, itemsDone } = state;
    const space =
      source === null ? itemSpace(root, collectionId) : indexSpace(root, source.id, source.generation);
    const isAll = isComplete(state);
    return { itemsDone, isComplete: isAll, fraction: isAll ? 1 : await fractionAt(reader, space, position) };
  }
}

const OPTIONS: readonly (keyof IndexBuildOptions)[] = [
  "clearFirst",
  "throttle",
  "itemsPerSecondMax",
  "inlineItems",
  "onProgress",
  "signal",
  "lease",
  "from",
];

/** NaN would be no limit at all. */
function checkNumbers({ itemsPerSecondMax, inlineItems }: IndexBuildOptions): void {
  if (itemsPerSecondMax !== undefined && !(typeof itemsPerSecondMax === "number" && itemsPerSecondMax > 0)) {
    throw new RecordError(
      "INVALID_ARGUMENT",
      `itemsPerSecondMax of a build must be above 0, but is ${shown(itemsPerSecondMax)}.`,
    );
  }
  if (inlineItems !== undefined && !(Number.isSafeInteger(inlineItems) && inlineItems >= 0)) {
    throw new RecordError(
      "INVALID_ARGUMENT",
      `inlineItems of a build is a whole number of at least 0, not ${shown(inlineItems)}.`,
    );
  }
}

function allOf({ collections }: Catalogue): CatalogueCollection[] {
  return [...collections.values()];
}
