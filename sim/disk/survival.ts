/**
 * Which of the unsynced things survive a power loss: the decisions, apart from the mechanism in `power-loss.ts`.
 * Each item (a name operation, a size, a page) is one choice in the `crash` stream, in order; 0 keeps its newest
 * state, so the empty log is the crash that loses nothing, and deleting an entry keeps that item.
 *
 * A power loss of independent coins would hardly ever see the corners, so proposals are stratified: everything kept,
 * everything lost, a single item kept or lost, the state as of one moment, or coins of different bias. Does not own:
 * what is legal; the mechanism bears any answer.
 */
import type { ChoiceStream } from "../choices/choices.js";
import type { Sfc32 } from "../choices/random.js";
import { SECTORS_PER_PAGE } from "./page.js";

/** One thing to decide on. */
export interface SurvivalItem {
  /** When each of its unsynced states was made, newest first; the alternatives are these and, last, the durable one. */
  readonly sequences: readonly number[];
  /** Items that must be kept for this one to be. */
  readonly needs: readonly number[];
  /** Whether what persists of it can be torn: pages. */
  readonly tearable: boolean;
}

/** What an answer says: `state` counts back from the newest, up to `sequences.length` for the durable one. */
export interface Fate {
  readonly state: number;
  /** 0: whole. Otherwise see `tornSectors`. */
  readonly tear: number;
}

type Strategy =
  | { readonly kind: "all-kept" }
  | { readonly kind: "all-lost" }
  | { readonly kind: "single-kept"; readonly kept: ReadonlySet<number> }
  | { readonly kind: "single-lost"; readonly item: number }
  | { readonly kind: "moment"; readonly sequence: number }
  | { readonly kind: "coins"; readonly keep: number };

/** Bits of a tear: 2 for its shape, 8 for sectors, 2 for the older version below. */
const TEARS = 1 << 12;
const COIN_BIASES = [0.1, 0.5, 0.9];
/** Of the pages that coins keep while they have older unsynced versions, the share that keeps one of these. */
const INTERMEDIATE_SHARE = 0.4;

/** Decides on all items. `tearProbability` is for each page of which something persists. */
export function decideFates(
  stream: ChoiceStream,
  items: readonly SurvivalItem[],
  tearProbability: number,
): Fate[] {
  const { random, replaying } = stream;
  const strategy = replaying ? null : drawStrategy(random, items);
  return items.map((item, index) => {
    const proposed = strategy === null ? 0 : propose(random, strategy, item, index, tearProbability);
    const answer = stream.propose(proposed, "crash.survives");
    const alternatives = item.sequences.length + 1;
    return { state: answer % alternatives, tear: Math.floor(answer / alternatives) % TEARS };
  });
}

function propose(
  random: Sfc32,
  strategy: Strategy,
  item: SurvivalItem,
  index: number,
  tearProbability: number,
): number {
  const lost = item.sequences.length;
  const state = proposeState(random, strategy, item, index);
  const mayTear = strategy.kind !== "all-kept" && strategy.kind !== "single-lost";
  if (!item.tearable || state === lost || !mayTear || random.fraction() >= tearProbability) return state;
  return state + (1 + random.below(TEARS - 1)) * (lost + 1);
}

function proposeState(random: Sfc32, strategy: Strategy, item: SurvivalItem, index: number): number {
  const lost = item.sequences.length;
  switch (strategy.kind) {
    case "all-kept":
      return 0;
    case "all-lost":
      return lost;
    case "single-kept":
      return strategy.kept.has(index) ? 0 : lost;
    case "single-lost":
      return strategy.item === index ? lost : 0;
    case "moment": {
      const state = item.sequences.findIndex((sequence) => sequence <= strategy.sequence);
      return state < 0 ? lost : state;
    }
    case "coins":
      if (random.fraction() >= strategy.keep) return lost;
      return lost > 1 && random.fraction() < INTERMEDIATE_SHARE ? 1 + random.below(lost - 1) : 0;
  }
}

function drawStrategy(random: Sfc32, items: readonly SurvivalItem[]): Strategy {
  const item = items.length === 0 ? 0 : random.below(items.length);
  switch (random.below(10)) {
    case 0:
      return { kind: "all-kept" };
    case 1:
      return { kind: "all-lost" };
    case 2:
      return { kind: "single-kept", kept: withNeeds(items, item) };
    case 3:
      return { kind: "single-lost", item };
    case 4:
    case 5: {
      const moments = items.flatMap(({ sequences }) => sequences).sort((a, b) => a - b);
      return { kind: "moment", sequence: moments[random.below(moments.length + 1)] ?? 0 };
    }
    default:
      return { kind: "coins", keep: COIN_BIASES[random.below(COIN_BIASES.length)] as number };
  }
}

function withNeeds(items: readonly SurvivalItem[], item: number, found = new Set<number>()): Set<number> {
  found.add(item);
  for (const needed of items[item]?.needs ?? []) if (!found.has(needed)) withNeeds(items, needed, found);
  return found;
}

/**
 * The sectors of a page that a tear leaves old, and the one, if any, of which only a half is new. Shapes: the first
 * sectors are new, the last ones are, any are, or the first ones and half of the next.
 */
export function tornSectors(tear: number): { readonly old: number; readonly halfNew: number | null } {
  const shape = tear & 3;
  const bits = (tear >> 2) & 255;
  const cut = 1 + (bits % (SECTORS_PER_PAGE - 1));
  const firstSectors = (1 << cut) - 1;
  const allSectors = (1 << SECTORS_PER_PAGE) - 1;
  if (shape === 0) return { old: allSectors & ~firstSectors, halfNew: null };
  if (shape === 1) return { old: firstSectors, halfNew: null };
  if (shape === 2) return { old: bits, halfNew: null };
  const half = bits % SECTORS_PER_PAGE;
  return { old: allSectors & ~((1 << half) - 1), halfNew: half };
}

/** Which older version a torn page shows in its old sectors, counting back from the one that persisted. */
export function tornBase(tear: number, olderStates: number): number {
  return 1 + (((tear >> 10) & 3) % olderStates);
}
