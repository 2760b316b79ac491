/**
 * Makes a failing case as small as it gets: the result breaks the same promise in the same way, and nothing that could
 * be taken out of it is left. Each candidate is one replay in this process. The order of the passes follows what makes
 * later candidates cheap and stable: first the tail and most operations, then crashes next to what they strike, options
 * and decisions, then the details; all of it again until nothing changes or the budget is spent.
 *
 * Does not own: candidates (`*-passes.ts`), running and judging them (`trials.ts`), the cause (`root-cause.ts`).
 */
import type { SimulationCase } from "../cases/case.js";
import {
  crashesWhereTheyStrike,
  fewerOperations,
  fewerOperationsRedrawn,
  simplerCrashes,
  simplerEach,
} from "./operation-passes.js";
import { fewerChoices, plainerNames, plainerOptions, simplerChoices } from "./option-passes.js";
import { findRootCause } from "./root-cause.js";
import { type CaseSize, compareSizes, sizeOf } from "./size.js";
import { type ShrinkBudget, type ShrinkProgress, Trials } from "./trials.js";

export type { CaseSize } from "./size.js";
export type { ShrinkBudget, ShrinkProgress } from "./trials.js";

/** The smallest case that was found, with its cause. */
export interface ShrunkCase {
  /** The small case, with what its run recorded; its note is the finding and the cause. */
  readonly case: SimulationCase;
  /** In one sentence: what makes the difference between failing and passing. */
  readonly cause: string;
  readonly before: CaseSize;
  readonly after: CaseSize;
  readonly runs: number;
  readonly elapsedMs: number;
  /** Whether nothing is left to try; false when the budget ended it. */
  readonly complete: boolean;
}

export const DEFAULT_BUDGET: ShrinkBudget = { timeMs: 60_000, runsMax: 20_000 };

/** A result without its cause is half a result, so there is something for it in any case. */
const CAUSE_BUDGET: ShrinkBudget = { timeMs: 5000, runsMax: 300 };

const PASSES: readonly ((trials: Trials) => Promise<void>)[] = [
  fewerOperations,
  crashesWhereTheyStrike,
  fewerOperations,
  plainerOptions,
  simplerCrashes,
  fewerChoices,
  fewerOperationsRedrawn,
  simplerEach,
  plainerNames,
  simplerChoices,
];

/** Null for a case that does not fail, or that fails without its planted bugs too: there is nothing to shrink. */
export async function shrinkCase(
  one: SimulationCase,
  budget: ShrinkBudget = DEFAULT_BUDGET,
  onProgress: (progress: ShrinkProgress) => void = () => {},
): Promise<ShrunkCase | null> {
  const trials = await Trials.begin(one, budget, onProgress);
  if (trials === null) return null;
  for (let before: CaseSize | null = null; before === null || isSmaller(trials, before); ) {
    before = sizeOf(trials.best);
    for (const pass of PASSES) if (!trials.isOver) await pass(trials);
  }
  const complete = !trials.isOver;
  trials.extend(CAUSE_BUDGET);
  const cause = await findRootCause(trials);
  const { best, runs, elapsedMs } = trials;
  return {
    case: { ...best, cause },
    cause,
    before: sizeOf(one),
    after: sizeOf(best),
    runs,
    elapsedMs,
    complete,
  };
}

function isSmaller(trials: Trials, before: CaseSize): boolean {
  return !trials.isOver && compareSizes(sizeOf(trials.best), before) < 0;
}
