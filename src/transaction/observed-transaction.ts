/**
 * A transaction with hooks around its commit and onlookers at its end: a wrapper around any other, made only where there are some.
 * Owns the order (before-hooks, commit, after-hooks, report) and that a transaction is not used while its before-hooks
 * run; everything else is the wrapped one's.
 */
import type { Clock } from "../platform/platform.js";
import {
  type AfterCommitContext,
  type CommitContext,
  type CommitHook,
  runAfter,
  runBefore,
} from "./commit-hooks.js";
import { TransactionError } from "./errors.js";
import type { TransactionOptions } from "./options.js";
import { RecordedAccess, Tally } from "./recorded-access.js";
import type { Transaction } from "./transaction.js";
import {
  noWrites,
  type TransactionObserver,
  type TransactionReport,
  type TransactionTimings,
} from "./transaction-observer.js";

export interface Observation {
  readonly transactionId: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** In the order in which they run. */
  readonly hooks: readonly CommitHook[];
  readonly observers: readonly TransactionObserver[];
  readonly clock: Clock;
  /** Runs what may throw where no transaction is hurt by it. */
  readonly defer: (task: () => void) => void;
}

/** Whether before-hooks run, and whether somebody else has used the transaction meanwhile. */
interface Guard {
  isRunningHooks: boolean;
  intrusion: TransactionError | null;
}

export class ObservedTransaction extends RecordedAccess implements Transaction {
  readonly #inner: Transaction;
  readonly #observation: Observation;
  readonly #tally: Tally;
  readonly #guard: Guard;
  readonly #startMs: number;
  #retries = 0;
  #conflicts = 0;
  #error: unknown = undefined;
  #isReported = false;

  constructor(inner: Transaction, observation: Observation) {
    const tally = new Tally(observation.clock, observation.hooks.length > 0);
    const guard: Guard = { isRunningHooks: false, intrusion: null };
    super(inner, tally, () => refuseBesideHooks(guard));
    this.#inner = inner;
    this.#observation = observation;
    this.#tally = tally;
    this.#guard = guard;
    this.#startMs = observation.clock.nowMs();
  }

  setReadVersion(version: number): void {
    refuseBesideHooks(this.#guard);
    this.#inner.setReadVersion(version);
  }

  setOptions(options: TransactionOptions): void {
    this.#inner.setOptions(options);
  }

  async commit(): Promise<void> {
    try {
      refuseBesideHooks(this.#guard);
      if (this.#hasHooks) await this.#timed("hooksMs", () => this.#runBefore());
      await this.#timed("commitsMs", () => this.#inner.commit());
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    const version = this.#inner.getCommittedVersion();
    if (version < 0) this.#report("read", null);
    else await this.hasCommitted(version);
  }

  /** Also for a commit without an answer of which this was found out afterwards. */
  async hasCommitted(version: number): Promise<void> {
    if (this.#hasHooks) await this.#timed("hooksMs", () => this.#runAfter({ ...this.#context(), version }));
    this.#report("committed", version);
  }

  async onError(error: unknown): Promise<void> {
    if (this.#error !== error) this.#failed(error);
    try {
      await this.#timed("waitsMs", () => this.#inner.onError(error));
    } catch (final) {
      this.#report("failed", null);
      throw final;
    }
    this.#retries++;
    this.#tally.forgetWrites();
  }

  reset(): void {
    this.#inner.reset();
    this.#tally.forgetWrites();
  }

  cancel(): void {
    this.#inner.cancel();
    this.#report("cancelled", null);
  }

  getCommittedVersion(): number {
    return this.#inner.getCommittedVersion();
  }

  getVersionstamp(): Promise<Uint8Array> {
    return this.#inner.getVersionstamp();
  }

  getConflictingRanges(): readonly (readonly [begin: Uint8Array, end: Uint8Array])[] {
    return this.#inner.getConflictingRanges();
  }

  /** Hooks are for commits that write. */
  get #hasHooks(): boolean {
    return this.#tally.mutations !== null && this.#tally.mutations.length > 0;
  }

  async #runBefore(): Promise<void> {
    const guard = this.#guard;
    let isOver = false;
    const access = new RecordedAccess(this.#inner, this.#tally, () => {
      if (isOver) throw usedDuringCommit("A hook has gone on after its end: await everything in it.");
    });
    guard.intrusion = null;
    guard.isRunningHooks = true;
    try {
      await runBefore(this.#observation.hooks, { ...this.#context(), transaction: access });
    } finally {
      guard.isRunningHooks = false;
      isOver = true;
    }
    if (guard.intrusion !== null) throw guard.intrusion;
  }

  async #runAfter(context: AfterCommitContext): Promise<void> {
    const { hooks, observers, transactionId } = this.#observation;
    const { version } = context;
    await runAfter(hooks, context, (hook, error) => {
      this.#tell(() => hook.afterFailed?.(error, context));
      for (const observer of observers) {
        this.#tell(() => observer.afterHookFailed?.({ transactionId, version, error }));
      }
    });
  }

  #context(): CommitContext {
    const { transactionId, metadata } = this.#observation;
    return { transactionId, metadata, mutations: this.#tally.mutations ?? [] };
  }

  #failed(error: unknown): void {
    this.#error = error;
    if (error instanceof TransactionError && error.code === "NOT_COMMITTED") this.#conflicts++;
  }

  /** The first end counts: a transaction that has committed may be cancelled afterwards. */
  #report(outcome: TransactionReport["outcome"], version: number | null): void {
    if (this.#isReported) return;
    this.#isReported = true;
    const { observers, transactionId, metadata, clock } = this.#observation;
    const { reads, writes, timings } = this.#tally;
    const report: TransactionReport = {
      transactionId,
      metadata,
      outcome,
      error: this.#error,
      version,
      retries: this.#retries,
      conflicts: this.#conflicts,
      reads,
      writes: outcome === "committed" ? writes : noWrites(),
      timings: { ...timings, totalMs: clock.nowMs() - this.#startMs },
    };
    for (const observer of observers) this.#tell(() => observer.transactionEnded?.(report));
  }

  async #timed(timing: keyof TransactionTimings, work: () => Promise<void>): Promise<void> {
    const { clock } = this.#observation;
    const startMs = clock.nowMs();
    try {
      await work();
    } finally {
      this.#tally.timings[timing] += clock.nowMs() - startMs;
    }
  }

  /** What onlookers throw is for the process, not for the transaction. */
  #tell(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#observation.defer(() => {
        throw error;
      });
    }
  }
}

/** As the transaction itself does during its commit: both fail, the call and the commit. */
function refuseBesideHooks(guard: Guard): void {
  if (!guard.isRunningHooks) return;
  guard.intrusion = usedDuringCommit("Await the commit.");
  throw guard.intrusion;
}

function usedDuringCommit(advice: string): TransactionError {
  return new TransactionError("USED_DURING_COMMIT", `the transaction is committing. ${advice}`);
}
