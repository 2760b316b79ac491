/**
 * What to compact next: the interface of the two strategies and the plan they give. Strategies are pure functions of
 * the tree's shape and the options, so a given history always compacts alike (features: FS-22, CX-17).
 */

import type { TableMeta } from "../manifest/table-meta.js";
import type { Levels } from "../manifest/tree.js";
import type { ResolvedOptions } from "../options.js";
import type { KeyRange } from "../range.js";
import { LeveledStrategy } from "./leveled.js";
import { TieredStrategy } from "./tiered.js";

export interface CompactionPlan {
  /** Input runs, newest first, each with the level its tables are taken from. */
  readonly runs: readonly { readonly level: number; readonly tables: readonly TableMeta[] }[];
  readonly outputLevel: number;
  /** The one input table only changes its level: an edit, no work. */
  readonly isTrivialMove: boolean;
  /** Target size of an output. */
  readonly tableBytes: number;
}

export interface CompactionStrategy {
  /** The most urgent plan, or null when the tree is in shape. */
  pick(levels: Levels): CompactionPlan | null;
  /** Bytes that will have to be compacted before the tree is in shape again. */
  debtBytes(levels: Levels): number;
  /** Number that commits stall by: level-0 tables, or what corresponds to them. */
  backlog(levels: Levels): number;
  /**
   * Plans that, run one after the other on the tree as it then is, put everything into its final place, or at least what may
   * hold keys of `range`. `mayShrink` tells the tables that are worth rewriting even where they are: they may hold rows that
   * nobody can see any more.
   */
  pickManual(
    levels: Levels,
    step: number,
    mayShrink: (table: TableMeta) => boolean,
    range?: KeyRange | null,
  ): CompactionPlan | null;
}

export function strategyFor(options: ResolvedOptions): CompactionStrategy {
  return options.compaction === "leveled" ? new LeveledStrategy(options) : new TieredStrategy(options);
}
