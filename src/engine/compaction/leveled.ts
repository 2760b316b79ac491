/**
 * Leveled compaction: level 1 has a target size and each deeper level `levelRatio` times that. The level that exceeds
 * its target most, in proportion and weighed against how full the next one is (so deep levels do not starve), gives the
 * table whose overlap with the next level is smallest for its size (RocksDB's kMinOverlappingRatio; TigerBeetle argues
 * the same bound). Ties go to the lowest file number, so the choice is a function of the shape alone.
 */

import { mutant } from "../../platform/probes.js";
import { compareKeys } from "../format/bytes.js";
import {
  coveringRange,
  endsBefore,
  type TableMeta,
  tablesOverlap,
  totalBytes,
} from "../manifest/table-meta.js";
import { LEVEL_COUNT, type Levels } from "../manifest/tree.js";
import type { ResolvedOptions } from "../options.js";
import type { KeyRange } from "../range.js";
import type { CompactionPlan, CompactionStrategy } from "./strategy.js";

/** A move may put a table above at most this many times its target in the level below (as LevelDB). */
const GRANDPARENT_OVERLAP_MAX = 10;
const FILL_MIN = 0.01;

export class LeveledStrategy implements CompactionStrategy {
  readonly #options: ResolvedOptions;

  constructor(options: ResolvedOptions) {
    this.#options = options;
  }

  pick(levels: Levels): CompactionPlan | null {
    let best = -1;
    let bestUrgency = 0;
    for (let level = 0; level < LEVEL_COUNT - 1; level++) {
      const fill = this.#fill(levels, level);
      if (fill < 1) continue;
      const urgency =
        fill / Math.max(level + 1 < LEVEL_COUNT - 1 ? this.#fill(levels, level + 1) : FILL_MIN, FILL_MIN);
      if (urgency > bestUrgency) {
        best = level;
        bestUrgency = urgency;
      }
    }
    if (best < 0) return null;
    return best === 0 ? this.#planLevel0(levels) : this.#planLevel(levels, best);
  }

  debtBytes(levels: Levels): number {
    let debt = 0;
    const level0 = tablesAt(levels, 0);
    if (level0.length > this.#options.level0CompactionFiles) {
      const bySize = level0.map((table) => table.bytes).sort((a, b) => a - b);
      for (const bytes of bySize.slice(this.#options.level0CompactionFiles)) debt += bytes;
    }
    for (let level = 1; level < LEVEL_COUNT - 1; level++) {
      debt += Math.max(0, totalBytes(tablesAt(levels, level)) - this.#targetBytes(level));
    }
    return debt;
  }

  backlog(levels: Levels): number {
    return tablesAt(levels, 0).length;
  }

  pickManual(
    levels: Levels,
    step: number,
    mayShrink: (table: TableMeta) => boolean,
    range: KeyRange | null = null,
  ): CompactionPlan | null {
    let deepest = 1;
    levels.forEach((tables, level) => {
      if (tables.length > 0) deepest = Math.max(deepest, level);
    });
    const concerned = (level: number): readonly TableMeta[] => {
      const tables = tablesAt(levels, level);
      if (range === null) return tables;
      const inRange = tablesInRange(tables, range);
      return level === 0 ? overlappingClosure(tables, inRange) : inRange;
    };
    // Each level once into the next, then the bottom level once onto itself where it still holds tombstones.
    for (let level = step; level < deepest; level++) {
      const tables = concerned(level);
      if (tables.length > 0) return this.#plan(levels, level, tables, level + 1, false);
    }
    if (step > deepest) return null;
    // Whole neighbourhoods only: an output made of tables with a gap between them could span what lies in the gap.
    const bottom = concerned(deepest);
    const tables = bottom.slice(bottom.findIndex(mayShrink), bottom.findLastIndex(mayShrink) + 1);
    if (tables.length === 0) return null;
    const runs = [{ level: deepest, tables }];
    return { runs, outputLevel: deepest, isTrivialMove: false, tableBytes: this.#options.tableBytes };
  }

  #fill(levels: Levels, level: number): number {
    const tables = tablesAt(levels, level);
    if (level === 0) return tables.length / this.#options.level0CompactionFiles;
    return totalBytes(tables) / this.#targetBytes(level);
  }

  #targetBytes(level: number): number {
    return this.#options.levelBaseBytes * this.#options.levelRatio ** (level - 1);
  }

  #planLevel0(levels: Levels): CompactionPlan {
    const level0 = tablesAt(levels, 0);
    const oldest = level0[level0.length - 1] as TableMeta;
    return this.#plan(
      levels,
      0,
      mutant("C1-level0-input-not-expanded")
        ? [level0[0] as TableMeta]
        : overlappingClosure(level0, [oldest]),
      1,
      true,
    );
  }

  #planLevel(levels: Levels, level: number): CompactionPlan {
    let best: TableMeta | null = null;
    let bestRatio = Number.POSITIVE_INFINITY;
    for (const table of tablesAt(levels, level)) {
      const below = tablesAt(levels, level + 1).filter((other) => tablesOverlap(table, other));
      const ratio = totalBytes(below) / table.bytes;
      if (ratio < bestRatio || (ratio === bestRatio && best !== null && table.fileNumber < best.fileNumber)) {
        best = table;
        bestRatio = ratio;
      }
    }
    return this.#plan(levels, level, [best as TableMeta], level + 1, true);
  }

  #plan(
    levels: Levels,
    level: number,
    tables: readonly TableMeta[],
    outputLevel: number,
    mayMove: boolean,
  ): CompactionPlan {
    const range = { ...(tables[0] as TableMeta), ...coveringRange(tables) };
    const below = tablesAt(levels, outputLevel).filter((table) => tablesOverlap(range, table));
    const runs =
      level === 0 ? tables.map((table) => ({ level: 0, tables: [table] })) : [{ level, tables: [...tables] }];
    const grandparents = (levels[outputLevel + 1] ?? []).filter((table) => tablesOverlap(range, table));
    const isTrivialMove =
      mayMove &&
      tables.length === 1 &&
      (below.length === 0 || mutant("C11-moved-into-an-overlap")) &&
      totalBytes(grandparents) <= GRANDPARENT_OVERLAP_MAX * this.#options.tableBytes;
    if (below.length > 1 && mutant("C13-output-level-input-omitted")) below.pop();
    if (below.length > 0) runs.push({ level: outputLevel, tables: below });
    return { runs, outputLevel, isTrivialMove, tableBytes: this.#options.tableBytes };
  }
}

function tablesInRange(tables: readonly TableMeta[], { begin, end }: KeyRange): readonly TableMeta[] {
  return tables.filter((table) => !endsBefore(table, begin) && compareKeys(table.smallest, end) < 0);
}

/**
 * `seeds` and every level-0 table that overlaps one of them, directly or through others: leaving out an older one would put newer
 * data below it (LevelDB issue 44). Keeps the order newest first.
 */
function overlappingClosure(level0: readonly TableMeta[], seeds: readonly TableMeta[]): TableMeta[] {
  const chosen = new Set<TableMeta>(seeds);
  let grew = true;
  while (grew) {
    grew = false;
    for (const table of level0) {
      if (chosen.has(table)) continue;
      for (const other of chosen) {
        if (!tablesOverlap(table, other)) continue;
        chosen.add(table);
        grew = true;
        break;
      }
    }
  }
  return level0.filter((table) => chosen.has(table));
}

function tablesAt(levels: Levels, level: number): readonly TableMeta[] {
  return levels[level] ?? [];
}
