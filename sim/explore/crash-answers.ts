/**
 * Which states a power loss may leave, as answers for `SimulationDisk.crashedCopy`: all of them when they are few, else
 * the telling ones of them (simulation.md B2). Then pages torn at each sector, for the pages that matter most. Legality
 * is the disk's; this file only never leaves an answer out where it says that it is complete.
 */
import type { CrashItem } from "../disk/crash-items.js";
import { SECTORS_PER_PAGE } from "../disk/page.js";

export type Answers = readonly number[];

/** Beyond this many combinations an instant is not enumerated but sampled at its corners. */
export const COMPLETE_MAX = 4096;
/** Pairs are tried among so many of the newest things. */
const PAIRS_AMONG = 24;

/**
 * Calls `visit` with each state. Returns whether these were all combinations of kept and lost; torn pages are always a
 * selection and not counted for that.
 */
export function visitCrashStates(items: readonly CrashItem[], visit: (answers: Answers) => void): boolean {
  let combinations = 1;
  for (const { sequences } of items) combinations *= sequences.length + 1;
  const isComplete = combinations <= COMPLETE_MAX;
  if (isComplete) visitAll(items, [], visit);
  else visitCorners(items, visit);
  visitTears(items, visit);
  return isComplete;
}

function visitAll(items: readonly CrashItem[], chosen: number[], visit: (answers: Answers) => void): void {
  const item = items[chosen.length];
  if (item === undefined) {
    visit(chosen);
    return;
  }
  for (let answer = 0; answer <= item.sequences.length; answer++) {
    // Kept without what it needs it is lost, which is another answer.
    if (answer === 0 && item.needs.some((needed) => chosen[needed] !== 0)) continue;
    visitAll(items, [...chosen, answer], visit);
  }
}

/** All kept, all lost, each single kept or lost, everything as of each moment, and pairs. */
function visitCorners(items: readonly CrashItem[], visit: (answers: Answers) => void): void {
  const kept = items.map(() => 0);
  const lost = items.map(({ sequences }) => sequences.length);
  visit(kept);
  visit(lost);
  items.forEach((item, index) => {
    for (let state = 1; state <= item.sequences.length; state++) visit(kept.with(index, state));
    for (let state = 0; state < item.sequences.length; state++) visit(keeping(items, lost, index, state));
  });
  for (const moment of new Set(items.flatMap(({ sequences }) => sequences))) visit(asOf(items, moment));
  const first = Math.max(0, items.length - PAIRS_AMONG);
  for (let one = first; one < items.length; one++) {
    for (let other = first; other < one; other++) {
      visit(keeping(items, keeping(items, lost, one, 0), other, 0));
      visit(kept.with(one, lost[one] as number).with(other, lost[other] as number)); // both in range
    }
  }
}

function keeping(items: readonly CrashItem[], answers: Answers, index: number, state: number): Answers {
  let result: Answers = answers.with(index, state);
  for (const needed of items[index]?.needs ?? []) result = keeping(items, result, needed, 0);
  return result;
}

/** The newest state of each thing that is not newer than this. */
function asOf(items: readonly CrashItem[], moment: number): Answers {
  return items.map(({ sequences }) => {
    const state = sequences.findIndex((sequence) => sequence <= moment);
    return state < 0 ? sequences.length : state;
  });
}

/** The last page of each log and manifest, new up to each sector: with all else kept, and with all that is newer lost. */
function visitTears(items: readonly CrashItem[], visit: (answers: Answers) => void): void {
  items.forEach((item, index) => {
    const newest = item.sequences[0];
    if (newest === undefined || item.kind !== "page" || !isLastOfItsFile(items, index)) return;
    if (!/\.wal$|\/MANIFEST-\d+$|\/CURRENT$/.test(item.path)) return;
    for (let sectors = 1; sectors < SECTORS_PER_PAGE; sectors++) {
      const answer = prefixTear(sectors) * (item.sequences.length + 1);
      visit(items.map((_, other) => (other === index ? answer : 0)));
      visit(asOf(items, newest).with(index, answer));
    }
  });
}

function isLastOfItsFile(items: readonly CrashItem[], index: number): boolean {
  const item = items[index];
  return !items.some(
    (other) =>
      other.kind === "page" && item?.kind === "page" && other.file === item.file && other.page > item.page,
  );
}

/** The tear (see `tornSectors`) that leaves this many sectors new and the others as they were before. */
function prefixTear(sectors: number): number {
  const bits = sectors === 1 ? SECTORS_PER_PAGE - 1 : sectors - 1;
  return bits << 2;
}
