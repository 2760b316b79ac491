/**
 * The runs of a shrinker: each candidate is replayed once, and is the new best when it still shows the failure. It must
 * break the same promise with the same kind of message, and, when bugs are switched on, pass without them: what fails
 * by itself is another failure. The best is always as its run recorded it: operations that were never reached and
 * decisions that were never asked for are gone. Owns the budget; does not own which candidates there are.
 */
import { assert } from "../../src/platform/assert.js";
import type { SimulationCase } from "../cases/case.js";
import { Choices, type Redraw } from "../choices/choices.js";
import type { CrashNote } from "../run/segments.js";
import { type SimulationFailure, type SimulationResult, simulate } from "../run/simulation.js";
import { RecordedOperations } from "../workload/generator.js";
import { kindOfMessage } from "./message-kind.js";
import { type CaseSize, compareSizes, sizeOf } from "./size.js";

/** Begins the finding that a run was stopped for its length: then length is what the failure is about. */
const TOO_MANY_STEPS = "too many steps";
const STEPS_FACTOR = 4;
const STEPS_MORE = 5000;

/** How long shrinking may take. */
export interface ShrinkBudget {
  readonly timeMs: number;
  readonly runsMax: number;
}

/** How far shrinking has come. */
export interface ShrinkProgress {
  readonly pass: string;
  readonly runs: number;
  readonly elapsedMs: number;
  readonly size: CaseSize;
}

export class Trials {
  runs = 0;
  /** What is being done, for progress. */
  pass = "first replay";
  #budget: ShrinkBudget;
  readonly #onProgress: (progress: ShrinkProgress) => void;
  readonly #started = performance.now();
  readonly #kind: string;
  readonly #oracle: SimulationFailure["oracle"];
  /** A candidate that takes very much longer than the case is of no use. */
  #stepsMax = Number.POSITIVE_INFINITY;
  #best: SimulationCase;
  #crashes: readonly CrashNote[] = [];

  private constructor(
    one: SimulationCase,
    failure: SimulationFailure,
    budget: ShrinkBudget,
    onProgress: (progress: ShrinkProgress) => void,
  ) {
    this.#best = one;
    this.#oracle = failure.oracle;
    this.#kind = kindOfMessage(failure.oracle, failure.message);
    this.#budget = budget;
    this.#onProgress = onProgress;
  }

  /** Replays the case for the first time. Null when it does not fail at all, or fails without its planted bugs too. */
  static async begin(
    one: SimulationCase,
    budget: ShrinkBudget,
    onProgress: (progress: ShrinkProgress) => void,
  ): Promise<Trials | null> {
    const { failure, counts } = await runOf(one, one.mutants, null, Number.POSITIVE_INFINITY);
    if (failure === null) return null;
    const trials = new Trials({ ...one, expect: { oracle: failure.oracle } }, failure, budget, onProgress);
    if (!trials.#kind.startsWith(TOO_MANY_STEPS)) trials.#stepsMax = STEPS_MORE + STEPS_FACTOR * counts.steps;
    return (await trials.accepts(one)) ? trials : null;
  }

  get best(): SimulationCase {
    return this.#best;
  }

  /** The crashes of the run of the best case. */
  get crashes(): readonly CrashNote[] {
    return this.#crashes;
  }

  get elapsedMs(): number {
    return performance.now() - this.#started;
  }

  get isOver(): boolean {
    return this.runs >= this.#budget.runsMax || this.elapsedMs >= this.#budget.timeMs;
  }

  /** From now on, at least so much more. */
  extend({ timeMs, runsMax }: ShrinkBudget): void {
    const { elapsedMs, runs } = this;
    this.#budget = {
      timeMs: Math.max(this.#budget.timeMs, elapsedMs + timeMs),
      runsMax: Math.max(this.#budget.runsMax, runs + runsMax),
    };
  }

  /** Whether the candidate shows the failure; then it is the best from now on. False without a run when it is over. */
  async accepts(candidate: SimulationCase, redraw: Redraw | null = null): Promise<boolean> {
    const recorded = await this.#judge(candidate, redraw);
    if (recorded === null) return false;
    this.#take(recorded);
    return true;
  }

  /** Whether a candidate shows the failure; the best stays. */
  async shows(candidate: SimulationCase): Promise<boolean> {
    return (await this.#judge(candidate, null)) !== null;
  }

  /** As `accepts`, for candidates of which it is open whether their run is smaller: only if it is. */
  async acceptsSmaller(candidate: SimulationCase, redraw: Redraw | null = null): Promise<boolean> {
    const recorded = await this.#judge(candidate, redraw);
    if (recorded === null || compareSizes(sizeOf(recorded.one), sizeOf(this.#best)) >= 0) return false;
    this.#take(recorded);
    return true;
  }

  #take({ one, crashes }: { readonly one: SimulationCase; readonly crashes: readonly CrashNote[] }): void {
    this.#best = one;
    this.#crashes = crashes;
    const { pass, runs, elapsedMs } = this;
    this.#onProgress({ pass, runs, elapsedMs, size: sizeOf(one) });
  }

  async #judge(
    candidate: SimulationCase,
    redraw: Redraw | null,
  ): Promise<{ one: SimulationCase; crashes: readonly CrashNote[] } | null> {
    if (this.isOver) return null;
    this.runs++;
    const result = await runOf(candidate, candidate.mutants, redraw, this.#stepsMax);
    if (!this.#isSame(result.failure)) return null;
    const one = recordedCase(candidate, result);
    if (one.mutants.length > 0) {
      this.runs++;
      const without = await runOf(one, [], null, this.#stepsMax);
      if (without.failure !== null) return null;
    }
    return { one, crashes: result.crashes };
  }

  #isSame(failure: SimulationFailure | null): boolean {
    return (
      failure !== null &&
      failure.oracle === this.#oracle &&
      kindOfMessage(failure.oracle, failure.message) === this.#kind
    );
  }
}

/** The case as its run went: what it never came to, and what it was never asked, is not in it. */
function recordedCase(candidate: SimulationCase, result: SimulationResult): SimulationCase {
  const { operations, choices, fingerprint, trace, failure } = result;
  assert(failure !== null, "only a failing run is recorded");
  return {
    ...candidate,
    note: failure.message,
    operations,
    choices,
    expect: { oracle: failure.oracle },
    traceHash: fingerprint.traceHash,
    traceLength: fingerprint.traceLength,
    traceMarks: trace.marks(),
  };
}

/** Most candidates fail, and nobody reads their stacks. */
async function runOf(
  one: SimulationCase,
  mutants: readonly string[],
  redraw: Redraw | null,
  stepsInAllMax: number,
): Promise<SimulationResult> {
  const { options, seed, operations, choices } = one;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return await simulate({
      options,
      choices: Choices.fromLog(seed, choices, redraw),
      source: new RecordedOperations(operations),
      mutants,
      recording: false,
      stepsInAllMax,
    });
  } finally {
    Error.stackTraceLimit = limit;
  }
}
