/**
 * From a crash state that fails to why: the fewest unsynced things that must be lost, and the fewest that must be kept,
 * for the check to fail, whatever becomes of the others. Found by trying: each trial is a run of the check. Does not own:
 * the words (`report.ts`).
 */
import type { CrashItem } from "../disk/simulation-disk.js";
import { isTorn, lostAnswer } from "./crash-states.js";

export interface RootCause {
  /** The smallest deviation from the newest state that still fails. */
  readonly answers: readonly number[];
  /** Positions of the items that are lost (or torn, or older) in it. */
  readonly lost: readonly number[];
  /** Positions of the items that must be kept for it to fail. */
  readonly kept: readonly number[];
}

/** `fails` runs the check on the state of these answers. */
export async function findRootCause(
  items: readonly CrashItem[],
  failing: readonly number[],
  fails: (answers: readonly number[]) => Promise<boolean>,
): Promise<RootCause> {
  const answers = [...failing];
  for (let changed = true; changed; ) {
    changed = false;
    for (let index = answers.length - 1; index >= 0; index--) {
      const answer = answers[index] as number;
      if (answer === 0 || !(await fails(answers.with(index, 0)))) continue;
      answers[index] = 0;
      changed = true;
    }
  }
  // A plain loss says more than a tear or an older version.
  for (const [index, item] of items.entries()) {
    const answer = answers[index] as number;
    if (answer === 0 || answer === lostAnswer(item) || isTorn(item, answer)) continue;
    if (await fails(answers.with(index, lostAnswer(item)))) answers[index] = lostAnswer(item);
  }
  const lost = positions(answers, (answer) => answer !== 0);
  const withoutOthers = [...answers];
  const kept: number[] = [];
  for (const index of positions(answers, (answer) => answer === 0)) {
    const trial = withoutOthers.with(index, lostAnswer(items[index] as CrashItem));
    if (await fails(trial)) withoutOthers[index] = trial[index] as number;
    else kept.push(index);
  }
  return { answers, lost, kept };
}

function positions(answers: readonly number[], wanted: (answer: number) => boolean): number[] {
  return answers.flatMap((answer, index) => (wanted(answer) ? [index] : []));
}
