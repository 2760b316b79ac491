/**
 * Size-tiered compaction: all data stays in level 0 as whole sorted runs, and `levelRatio` neighbouring runs of similar
 * size are merged into one. Writes each byte fewer times than leveled, at the price of more runs to read and more space.
 * Only runs that are neighbours in age are merged, so level 0 stays ordered by version.
 */

import { mutant } from "../../platform/probes.js";
import type { TableMeta } from "../manifest/table-meta.js";
import { totalBytes } from "../manifest/table-meta.js";
import type { Levels } from "../manifest/tree.js";
import type { ResolvedOptions } from "../options.js";
import type { CompactionPlan, CompactionStrategy } from "./strategy.js";

export class TieredStrategy implements CompactionStrategy {
  readonly #options: ResolvedOptions;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  pick(levels: Levels): CompactionPlan | null {
    const tier = this.#fullTier(levels);
    if (tier !== null && mutant("C18-tiered-run-left-out")) return planOf(tier.filter((_, i) => i !== 1));
    return tier === null ? null : planOf(tier);
  }

  debtBytes(levels: Levels): number {
    const tier = this.#fullTier(levels);
    return tier === null ? 0 : totalBytes(tier);
  }

  /** Runs beyond those that a tree in shape may have: up to `levelRatio - 1` of each size below the largest. */
  backlog(levels: Levels): number {
    const tier = this.#fullTier(levels);
    return tier === null ? 0 : tier.length;
  }

  /** Always everything: what holds a range overlaps all the rest. */
  pickManual(levels: Levels, step: number, mayShrink: (table: TableMeta) => boolean): CompactionPlan | null {
    if (step > 0) return null;
    const runs = (levels[0] ?? []).map((table) => ({ level: 0, tables: [table] }));
    // What a leveled life of this store has left below is the oldest data there is, level by level.
    levels.forEach((tables, level) => {
      if (level > 0 && tables.length > 0) runs.push({ level, tables: [...tables] });
    });
    const [only] = runs.flatMap(({ tables }) => tables);
    if (only === undefined) return null;
    if (runs.length === 1 && runs[0]?.level === 0 && !mayShrink(only)) return null;
    return { ...planOf([]), runs };
  }

  /** The first group, from the newest, of neighbouring runs of one size class that has grown to `levelRatio`. */
  #fullTier(levels: Levels): readonly TableMeta[] | null {
    const runs = levels[0] ?? [];
    let start = 0;
    while (start < runs.length) {
      const sizeClass = this.#sizeClass((runs[start] as TableMeta).bytes);
      let end = start + 1;
      // A smaller run behind a larger one joins its class: it can only be merged together with its neighbours.
      while (end < runs.length && this.#sizeClass((runs[end] as TableMeta).bytes) <= sizeClass) end++;
      if (end - start >= this.#options.levelRatio) return runs.slice(start, end);
      start = end;
    }
    return null;
  }

  #sizeClass(bytes: number): number {
    const base = this.#options.memtableBytes;
    let sizeClass = 0;
    for (let limit = base; bytes > limit; limit *= this.#options.levelRatio) sizeClass++;
    return sizeClass;
  }
}

function planOf(tables: readonly TableMeta[]): CompactionPlan {
  return {
    runs: tables.map((table) => ({ level: 0, tables: [table] })),
    outputLevel: 0,
    isTrivialMove: false,
    tableBytes: Number.MAX_SAFE_INTEGER,
  };
}
