/**
 * Builds indexes while others write (features DF-39…43, 46): batch after batch, each a transaction of its own, from where the last
 * one has stopped, by whichever process. A small collection is built in one.
 *
 *     begin ──► batch ──► … ──► batch that finds no more items ──► (mutual check) ──► end: readable
 *       │         │                                                                    │
 *       └── small: all in one transaction ─────────────────────────────────────────────┤
 *                 └── fails: smaller, later, from the stored position                   └── violations: stays write-only, error
 *
 * Why writers need not wait: an idempotent index is told of every write, and telling it again changes nothing. Any other is told of
 * writes of items that the build has passed (`maintenance.ts`), and the build adds the others as it meets them. Owns the loop; not
 * the transactions (`build-batch.ts`), nor how large they are (`throttle.ts`).
 */
import { crashPoint } from "../../platform/probes.js";
import { RecordError, shown } from "../../record/record-error.js";
import type { TransactionOptions } from "../../transaction/options.js";
import type { Transaction } from "../../transaction/transaction.js";
import { isComplete } from "../build-progress.js";
import type { IndexEnvironment } from "../environment.js";
import { type HeldLease, LEASE_PRESETS, Lease, type LeaseSettings } from "../lease.js";
import { pause, throwIfStopped } from "../pause.js";
import { Throttle, type ThrottlePreset, type ThrottleSettings, throttleSettings } from "../throttle.js";
import type { UnresolvedViolation } from "../violations.js";
import { type BuildEnd, type BuildStand, beginBuild, endBuild, standOf, writeBatch } from "./build-batch.js";
import { type BuildObserver, BuildReporter } from "./build-events.js";
import { type BuildRequest, planBuild } from "./build-plan.js";
import { checkMirrored, checkPair } from "./mutual-check.js";

export interface BuildOptions {
  /** Throws away what has been built before. Default false: goes on. */
  readonly clearFirst?: boolean;
  /** How much at a time. Default: 100 items, and as transactions succeed up to 1,000. */
  readonly throttle?: ThrottlePreset | Partial<ThrottleSettings>;
  /** No more than so many items a second. Default: as fast as it goes. */
  readonly itemsPerSecondMax?: number;
  /** A collection of fewer items is built in one transaction. Default 200; 0: none is. */
  readonly inlineItems?: number;
  /** Called after each batch. What it throws ends the build, which can be gone on with. */
  readonly onProgress?: BuildObserver;
  /** Ends the build with `OPERATION_CANCELLED` before its next batch; it can be gone on with. */
  readonly signal?: AbortSignal;
  /**
   * Only one process at a time does this build; another waits for its end, `LEASE_HELD` if that takes too long. Default: true. Without,
   * several may run at once, each for nothing half of the time, and the index is right all the same.
   */
  readonly lease?: boolean | LeaseSettings;
}

/** What a build has read and written. */
export interface BuildResult {
  /** Items that this builder has done: others may have done the rest. */
  readonly items: number;
  readonly batches: number;
  /** False: the indexes were readable already, or another builder has made them so. */
  readonly isOwnEnd: boolean;
}

/** Raised where it is an error that values are violated; the index is write-only still. */
export class BuildViolationsError extends RecordError {
  readonly violations: readonly UnresolvedViolation[];

  constructor(collection: string, violations: readonly UnresolvedViolation[]) {
    const [first] = violations;
    const named = violations.map(
      ({ index, values, primaryKeys }) =>
        `${values.map(shown).join(", ")} in ${index}: ${primaryKeys.map(shown).join(", ")}`,
    );
    super(
      "INDEX_BUILD_VIOLATIONS",
      `several items of "${collection}" have a value that a unique index allows once, so the index stays writeOnly. Change or delete ` +
        `all but one of each, then build again, which goes on from here. ${named.join("; ")}.`,
      {
        collection,
        index: first?.index,
        value: first?.values.length === 1 ? first.values[0] : first?.values,
      },
    );
    this.violations = violations;
  }
}

/** What one transaction writes at most, and how long it reads (features DF-46). */
const WHOLE_BATCH = { bytes: 900_000, ms: 4_000 };
const INLINE_ITEMS = 200;

/** A transaction of a build may run twice: it looks where the build stands. */
const AGAIN: TransactionOptions = { idempotent: true };
/** Tries are counted by the throttle, which makes the next one smaller. */
const ONE_TRY: TransactionOptions = { priority: "batch", retryLimit: 0 };

export class OnlineBuilder {
  readonly #environment: IndexEnvironment;
  readonly #request: BuildRequest;
  readonly #options: BuildOptions;
  readonly #throttle: Throttle;
  readonly #reporter: BuildReporter;
  #held: HeldLease | null;
  #items = 0;
  #batches = 0;

  /** Throws `INVALID_ARGUMENT`. */
  constructor(environment: IndexEnvironment, request: BuildRequest, options: BuildOptions = {}) {
    this.#environment = environment;
    this.#held = environment.held ?? null;
    this.#request = request;
    this.#options = options;
    this.#throttle = new Throttle(throttleSettings(options.throttle));
    this.#reporter = new BuildReporter(environment, request, options.onProgress);
  }

  /**
   * Until the indexes are readable, or the shadow is complete. Throws `BuildViolationsError`, `INDEX_BUILD_MISMATCH`,
   * `ILLEGAL_INDEX_STATE`, `INDEX_SOURCE_UNSUITABLE`, `INDEX_INCONSISTENT`, `LEASE_HELD`, `LEASE_LOST`, and what the transactions throw.
   */
  async run(): Promise<BuildResult> {
    throwIfStopped(this.#options.signal);
    const settings = leaseSettings(this.#options.lease);
    if (settings === null || this.#held !== null) return this.#work();
    const { collection, indexes, copy } = this.#request;
    const name = JSON.stringify(["build", collection, copy, [...indexes].sort()]);
    const lease = new Lease(this.#environment, name, settings);
    return lease.execute((held) => {
      this.#held = held;
      return this.#work();
    }, this.#options.signal);
  }

  async #work(): Promise<BuildResult> {
    const begun = await this.#begin();
    if (begun === null) return this.#result(false);
    const own = begun.end === undefined ? null : this.#ended(begun.end);
    if (own !== null) return own;
    const { stamp } = begun.stand.plan;
    let { state } = begun.stand;
    while (!isComplete(state)) {
      const next = await this.#batch(stamp);
      if (next === null) return this.#result(false);
      ({ state } = next);
    }
    if (this.#request.isMutual) {
      const pair = checkPair(begun.stand.plan.targets);
      await checkMirrored(this.#environment.database, pair, this.#options.signal);
    }
    return this.#end(stamp);
  }

  /** Every transaction of the build: none commits without the lease. */
  #transact<T>(body: (transaction: Transaction) => Promise<T>, options: TransactionOptions): Promise<T> {
    return this.#environment.database.transact(async (transaction) => {
      await this.#held?.check(transaction);
      return body(transaction);
    }, options);
  }

  #result(isOwnEnd: boolean): BuildResult {
    return { items: this.#items, batches: this.#batches, isOwnEnd };
  }

  /** Null: nothing is left to do. */
  async #begin(): Promise<Begun | null> {
    const { clearFirst = false } = this.#options;
    const limits = { ...WHOLE_BATCH, items: await this.#inlineItems() };
    const begun = await this.#transact(async (transaction): Promise<Begun | null> => {
      const stand = await beginBuild(this.#environment, transaction, this.#request, clearFirst);
      if (stand === null || limits.items === 0 || isComplete(stand.state)) return stand && { stand, done: 0 };
      const state = await writeBatch(this.#environment, transaction, stand, limits);
      const next = { ...stand, state };
      const done = state.itemsDone - stand.state.itemsDone;
      if (this.#request.isMutual) return { stand: next, done };
      return { stand: next, done, end: await this.#endIn(transaction, next) };
    }, AGAIN);
    if (begun !== null && limits.items > 0) await this.#wrote(begun.stand, begun.done);
    return begun;
  }

  /** How many at most, if the collection is so small that one transaction will do; 0 if not. */
  async #inlineItems(): Promise<number> {
    const { inlineItems = INLINE_ITEMS } = this.#options;
    if (inlineItems === 0) return 0;
    const { database, catalogues } = this.#environment;
    return database.read(async (reader) => {
      const plan = planBuild(this.#environment, await catalogues.peek(reader), this.#request);
      const { begin, end } = plan.scan.space.range();
      const rows = await reader.getRangeAll(begin, end, { limit: inlineItems });
      return rows.length < inlineItems ? inlineItems : 0;
    });
  }

  /** Null: another builder has ended it meanwhile. */
  async #batch(stamp: string): Promise<BuildStand | null> {
    const { world } = this.#environment;
    const { itemsPerSecondMax = Number.POSITIVE_INFINITY, signal } = this.#options;
    for (;;) {
      await pause(world.scheduler, this.#throttle.delayMs, signal);
      const begunMs = world.clock.nowMs();
      const limits = { ...WHOLE_BATCH, items: this.#throttle.items };
      let written: { readonly stand: BuildStand; readonly done: number } | null;
      try {
        written = await this.#transact(async (transaction) => {
          const stand = await standOf(this.#environment, transaction, this.#request, stamp);
          if (stand === null || isComplete(stand.state)) return stand && { stand, done: 0 };
          const state = await writeBatch(this.#environment, transaction, stand, limits);
          return { stand: { ...stand, state }, done: state.itemsDone - stand.state.itemsDone };
        }, ONE_TRY);
      } catch (error) {
        this.#throttle.failed(error);
        continue;
      }
      this.#throttle.succeeded();
      if (written === null) return null;
      await this.#wrote(written.stand, written.done);
      const leastMs = (written.done / itemsPerSecondMax) * 1_000;
      await pause(world.scheduler, leastMs - (world.clock.nowMs() - begunMs), signal);
      return written.stand;
    }
  }

  async #wrote({ plan, state }: BuildStand, done: number): Promise<void> {
    this.#items += done;
    this.#batches++;
    // CRASH_POINT(id: index.batch-written)
    crashPoint("index.batch-written");
    await this.#reporter.progressed(state, plan.scan);
  }

  async #end(stamp: string): Promise<BuildResult> {
    for (;;) {
      const end = await this.#transact(async (transaction) => {
        const stand = await standOf(this.#environment, transaction, this.#request, stamp);
        return stand === null ? null : this.#endIn(transaction, stand);
      }, AGAIN);
      if (end === null) return this.#result(false);
      const result = this.#ended(end);
      if (result !== null) return result;
      // Violations by the hundred that are resolved: each transaction has removed some.
      throwIfStopped(this.#options.signal);
    }
  }

  #endIn(transaction: Transaction, stand: BuildStand): Promise<BuildEnd> {
    return endBuild(this.#environment, transaction, stand, this.#request.copy);
  }

  /** Null: not yet. Throws `BuildViolationsError`. */
  #ended({ plan, violations, isReadable }: BuildEnd): BuildResult | null {
    if (violations.length > 0) throw new BuildViolationsError(this.#request.collection, violations);
    if (!isReadable) return null;
    // CRASH_POINT(id: index.state-changed)
    crashPoint("index.state-changed");
    this.#reporter.ended(plan);
    return this.#result(true);
  }
}

function leaseSettings(lease: BuildOptions["lease"] = true): LeaseSettings | null {
  if (typeof lease === "object") return lease;
  return lease ? LEASE_PRESETS.build : null;
}

interface Begun {
  readonly stand: BuildStand;
  /** Items of the first transaction. */
  readonly done: number;
  /** Of a collection that was built in it. */
  readonly end?: BuildEnd;
}
