/**
 * Which crashes are tried at one moment of a program: the kill of the process, which keeps what was written, and power
 * losses, each an answer for every unsynced thing (0 keeps its newest state, the last answer the durable one). All
 * combinations when they are few; otherwise all kept, all lost, each single one lost or kept, every moment in time, and
 * seeded mixtures. Beyond those, changes that span several sectors are torn, one at a time. Does not own: what is legal,
 * which the disk decides (`sim/disk/power-loss.ts`).
 */
import { Sfc32 } from "../choices/random.js";
import type { CrashItem, CrashKind } from "../disk/simulation-disk.js";

export interface CrashChoice {
  readonly kind: CrashKind;
  /** One for each unsynced thing; empty for a kill. */
  readonly answers: readonly number[];
}

const SECTOR_BYTES = 512;
/** A tear in the middle of the page: the first four sectors are new, the rest is old. See `tornSectors`. */
const TEAR_IN_THE_MIDDLE = 3 << 2;

export interface Enumeration {
  readonly choices: readonly CrashChoice[];
  /** Whether all combinations are among them (tears aside). */
  readonly complete: boolean;
}

export function crashChoices(
  items: readonly CrashItem[],
  kinds: readonly CrashKind[],
  statesMax: number,
  seed: string,
): Enumeration {
  const choices: CrashChoice[] = [];
  if (kinds.includes("process-kill")) choices.push({ kind: "process-kill", answers: [] });
  if (!kinds.includes("power-loss")) return { choices, complete: true };
  const counts = items.map(({ sequences }) => sequences.length + 1);
  const combinations = counts.reduce((product, count) => product * count, 1);
  const complete = combinations <= statesMax;
  const answers = complete ? allCombinations(counts) : sampled(items, counts, statesMax, seed);
  for (const one of [...answers, ...tears(items, counts)]) choices.push({ kind: "power-loss", answers: one });
  return { choices, complete };
}

/** The last answer: the durable state. */
export function lostAnswer(item: CrashItem): number {
  return item.sequences.length;
}

/** Whether an answer stands for a page of which only some sectors persist. */
export function isTorn(item: CrashItem, answer: number): boolean {
  return answer > item.sequences.length;
}

function allCombinations(counts: readonly number[]): number[][] {
  let all: number[][] = [[]];
  for (const count of counts) {
    all = all.flatMap((one) => Array.from({ length: count }, (_, answer) => [...one, answer]));
  }
  return all;
}

function sampled(
  items: readonly CrashItem[],
  counts: readonly number[],
  statesMax: number,
  seed: string,
): number[][] {
  const lost = counts.map((count) => count - 1);
  const kept = counts.map(() => 0);
  const states: number[][] = [kept, lost];
  items.forEach((_, index) => {
    states.push(kept.with(index, lost[index] as number), lost.with(index, 0));
  });
  const moments = [...new Set(items.flatMap(({ sequences }) => sequences))].sort((a, b) => a - b);
  for (const moment of moments) {
    states.push(
      items.map(({ sequences }) => {
        const state = sequences.findIndex((sequence) => sequence <= moment);
        return state < 0 ? sequences.length : state;
      }),
    );
  }
  const random = new Sfc32(seed, `crash-states.${items.length}`);
  const room = Math.max(0, statesMax - states.length);
  for (let mixture = 0; mixture < room; mixture++) states.push(counts.map((count) => random.below(count)));
  return states.length <= statesMax ? states : thinned(states, statesMax, random);
}

/** The corners stay; of the rest a seeded choice. */
function thinned(states: readonly number[][], statesMax: number, random: Sfc32): number[][] {
  const rest = states.slice(2);
  while (rest.length > Math.max(0, statesMax - 2)) rest.splice(random.below(rest.length), 1);
  return [...states.slice(0, 2), ...rest];
}

function tears(items: readonly CrashItem[], counts: readonly number[]): number[][] {
  const kept = counts.map(() => 0);
  return items.flatMap((item, index) => {
    if (item.kind !== "page" || item.length <= SECTOR_BYTES) return [];
    return [kept.with(index, TEAR_IN_THE_MIDDLE * (counts[index] as number))];
  });
}
