/**
 * Scrubs one readable index while others write (features DF-44): transaction after transaction, from where the last one has stopped,
 * by whichever process. A flat index from its rows to the items and from the items to its rows; an aggregation by a shadow that is
 * built and compared with it, and repaired by putting the shadow in its place.
 *
 *     flat         entries ──► items ──► done
 *     aggregation  (shadow built) ──► comparison ──► done: shadow swapped in, or dropped
 *
 * Owns the loop and what becomes of the position. Does not own: what is damage (`scrub-batch.ts`, `comparison.ts`), how a shadow is
 * built (`../build`).
 */
import { crashPoint } from "../../platform/probes.js";
import { RecordError } from "../../record/record-error.js";
import type { TransactionOptions } from "../../transaction/options.js";
import type { Transaction } from "../../transaction/transaction.js";
import { OnlineBuilder } from "../build/online-builder.js";
import { catalogued, type IndexEnvironment, storedIndex } from "../environment.js";
import { beginShadow, dropShadow, swapShadow } from "../index-changes.js";
import { indexCopy, type MaintainedIndex } from "../maintenance.js";
import { pause, throwIfStopped } from "../pause.js";
import { compareCopies } from "./comparison.js";
import {
  type ScrubBatch,
  type ScrubFinding,
  type ScrubLimits,
  scrubEntries,
  scrubItems,
} from "./scrub-batch.js";
import { type ScrubOptions, type ScrubSettings, scrubSettings, scrubThrottle } from "./scrub-options.js";
import { firstState, ScrubProgress, type ScrubState, type ScrubTotals } from "./scrub-progress.js";

/** What a scrub has compared, found and repaired. */
export interface ScrubResult extends ScrubTotals {
  /** The first of those that this call has found, at most 1,000. */
  readonly findings: readonly ScrubFinding[];
}

/** After each transaction: what it has found, and all there is so far. */
export interface ScrubStep {
  readonly phase: ScrubState["phase"];
  readonly totals: ScrubTotals;
  readonly findings: readonly ScrubFinding[];
}

const FINDINGS_MAX = 1_000;
/** Tries are counted by the throttle, which makes the next one smaller. */
const ONE_TRY: TransactionOptions = { priority: "batch", retryLimit: 0 };

export class Scrubber {
  readonly #environment: IndexEnvironment;
  readonly #collection: string;
  readonly #index: string;
  readonly #settings: ScrubSettings;
  readonly #options: ScrubOptions;
  readonly #onStep: ((step: ScrubStep) => void) | undefined;
  readonly #findings: ScrubFinding[] = [];

  /** `onStep`: what it throws ends the scrub, which can be gone on with. Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
  constructor(
    environment: IndexEnvironment,
    target: { readonly collection: string; readonly index: string },
    options: ScrubOptions = {},
    onStep?: (step: ScrubStep) => void,
  ) {
    this.#environment = environment;
    this.#collection = target.collection;
    this.#index = target.index;
    this.#options = options;
    this.#settings = scrubSettings(options);
    this.#onStep = onStep;
  }

  /**
   * Until all is looked through. Throws `UNKNOWN_COLLECTION`, `UNKNOWN_INDEX`, `INDEX_NOT_READABLE`, `WRONG_INDEX_KIND` for a kind
   * that can be judged neither way, `OPERATION_CANCELLED`, `ITEM_CORRUPT`, and what the transactions throw.
   */
  async run(): Promise<ScrubResult> {
    throwIfStopped(this.#options.signal);
    const isFlat = await this.#begin();
    if (!isFlat) await this.#buildShadow();
    const throttle = scrubThrottle(this.#settings);
    const { world } = this.#environment;
    for (let hasFailed = false; ; ) {
      const delayMs = Math.max(throttle.delayMs, hasFailed ? this.#settings.retryDelayMs : 0);
      await pause(world.scheduler, delayMs, this.#options.signal);
      let batch: ScrubBatch;
      try {
        batch = await this.#batch(throttle.items);
      } catch (error) {
        throttle.failed(error);
        hasFailed = true;
        continue;
      }
      throttle.succeeded();
      hasFailed = false;
      this.#told(batch);
      // CRASH_POINT(id: scrub.batch-written)
      crashPoint("scrub.batch-written");
      if (batch.isLast && batch.state.phase !== "entries") return this.#end(batch.state);
    }
  }

  /** Whether the index is flat. Forgets the position that it is not to go on from. */
  #begin(): Promise<boolean> {
    return this.#environment.database.transact(async (transaction) => {
      const { copy, progress } = await this.#open(transaction);
      if (this.#options.restart === true) progress.clear(transaction);
      return copy.maintainer.entries !== undefined;
    });
  }

  async #buildShadow(): Promise<void> {
    const target = [this.#environment, this.#collection, this.#index] as const;
    const { signal, restart = false } = this.#options;
    if (restart) await dropShadow(...target);
    await beginShadow(...target);
    const request = {
      collection: this.#collection,
      indexes: [this.#index],
      copy: "shadow",
      from: null,
      isMutual: false,
    } as const;
    await new OnlineBuilder(this.#environment, request, signal === undefined ? {} : { signal }).run();
  }

  #batch(entries: number): Promise<ScrubBatch> {
    const { database, world, root } = this.#environment;
    return database.transact(async (transaction) => {
      const begunMs = world.clock.nowMs();
      const limits: ScrubLimits = {
        entries,
        bytes: this.#settings.bytesPerTransaction,
        isLate: () => world.clock.nowMs() - begunMs >= this.#settings.transactionMs,
      };
      const { copy, shadow, items, progress } = await this.#open(transaction);
      const { entries: source } = copy.maintainer;
      const found = await progress.read(transaction);
      const first = firstState(copy.generation, source === undefined ? "comparison" : "entries");
      // Of another copy, or from when the index was of another kind: of no use.
      const isOurs =
        found?.generation === copy.generation && (found.phase === "comparison") === (source === undefined);
      const state = isOurs ? found : first;
      let batch: ScrubBatch;
      if (source === undefined) {
        if (shadow === null) throw this.#lostShadow();
        batch = await compareCopies(copy, shadow, transaction.snapshot, state, limits);
      } else {
        const scrub = { index: copy, entries: source, items, repair: this.#settings.repair };
        const run = state.phase === "entries" ? scrubEntries : scrubItems;
        batch = await run(scrub, transaction, state, limits);
      }
      const isNextPhase = batch.isLast && state.phase === "entries";
      const next = isNextPhase ? { ...batch.state, phase: "items" as const, position: NOTHING } : batch.state;
      if (batch.isLast && !isNextPhase && source !== undefined)
        new ScrubProgress(root, copy.stored.id).clear(transaction);
      else progress.write(transaction, next);
      return batch;
    }, ONE_TRY);
  }

  /** Of a comparison, the shadow goes one way or the other. */
  async #end(state: ScrubState): Promise<ScrubResult> {
    const { scanned, dangling, missing, wrong, sharedValues } = state;
    let { repaired } = state;
    if (state.phase === "comparison") {
      const target = [this.#environment, this.#collection, this.#index] as const;
      const damaged = dangling + missing + wrong;
      const isSwapped = this.#settings.repair && damaged > 0;
      await (isSwapped ? swapShadow : dropShadow)(...target);
      if (isSwapped) repaired = damaged;
      await this.#environment.database.transact(async (transaction) => {
        const { stored } = await this.#found(transaction);
        new ScrubProgress(this.#environment.root, stored.id).clear(transaction);
      });
    }
    const findings = repaired === state.repaired ? this.#findings : this.#findings.map(asRepaired);
    return { scanned, dangling, missing, wrong, sharedValues, repaired, findings };
  }

  async #found(transaction: Transaction) {
    const catalogue = await this.#environment.catalogues.read(transaction);
    const collection = catalogued(catalogue, this.#collection);
    return { collection, stored: storedIndex(collection, this.#index) };
  }

  /** Throws as `run`. */
  async #open(transaction: Transaction) {
    const { root, maintenance } = this.#environment;
    const { collection, stored } = await this.#found(transaction);
    if (stored.state !== "readable")
      throw this.#refused("INDEX_NOT_READABLE", `is ${stored.state}. Build it first`);
    const copy = indexCopy(collection, stored, stored.generation, false, maintenance);
    const { structure } = maintenance.kinds.byIdentifier(stored.declaration.kind);
    if (copy.maintainer.entries === undefined && structure !== "aggregation") {
      const { kind } = stored.declaration;
      throw this.#refused(
        "WRONG_INDEX_KIND",
        `is of kind "${kind}", which is neither flat nor an aggregation: it cannot be scrubbed`,
      );
    }
    const shadow: MaintainedIndex | null =
      stored.shadow === null
        ? null
        : indexCopy(collection, stored, stored.shadow.generation, true, maintenance);
    const items = this.#environment.itemsOf(collection);
    return { copy, shadow, items, progress: new ScrubProgress(root, stored.id) };
  }

  #told({ state, findings }: ScrubBatch): void {
    const room = FINDINGS_MAX - this.#findings.length;
    this.#findings.push(...findings.slice(0, room));
    this.#onStep?.({ phase: state.phase, totals: state, findings });
  }

  #lostShadow(): RecordError {
    return this.#refused(
      "ILLEGAL_INDEX_STATE",
      "has lost the shadow that it is compared with. Scrub it again",
    );
  }

  #refused(
    code: "INDEX_NOT_READABLE" | "WRONG_INDEX_KIND" | "ILLEGAL_INDEX_STATE",
    why: string,
  ): RecordError {
    const collection = this.#collection;
    const index = this.#index;
    return new RecordError(code, `the index "${index}" of "${collection}" ${why}.`, { collection, index });
  }
}

const NOTHING = new Uint8Array(0);

function asRepaired(finding: ScrubFinding): ScrubFinding {
  return { ...finding, isRepaired: true };
}
