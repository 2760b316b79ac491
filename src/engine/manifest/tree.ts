/**
 * The shape of the tree as a value: levels of tables, and what edits do to them. Pure; the invariants that every
 * reader relies on are asserted on each new shape (features.md I-6, simulation.md O10).
 * Level 0 holds whole sorted runs, newest first by version, and they may overlap. Deeper levels are sorted by key and
 * their tables share no key, so all versions of a key that a level has are in one table (LevelDB issues 320, 339).
 */
import { fail } from "../../platform/assert.js";
import { compareKeys } from "../format/bytes.js";
import type { ManifestEdit } from "./edit.js";
import { endsBefore, type TableMeta } from "./table-meta.js";

export const LEVEL_COUNT = 7;

export type Levels = readonly (readonly TableMeta[])[];

export const EMPTY_LEVELS: Levels = Array.from({ length: LEVEL_COUNT }, () => []);

/** A new shape; `levels` is not changed. Throws `ASSERTION` when the edit does not fit. O(tables). */
export function applyEdit(levels: Levels, edit: ManifestEdit): Levels {
  const builder = new LevelsBuilder(levels);
  builder.apply(edit);
  return builder.finish();
}

/** Applies many edits and orders the levels once, at the end. */
export class LevelsBuilder {
  readonly #levels: readonly Map<number, TableMeta>[];

  constructor(levels: Levels) {
    this.#levels = levels.map((tables) => new Map(tables.map((table) => [table.fileNumber, table])));
  }

  /** Removals come before additions. Throws `ASSERTION` when a table to be removed is not there, or one to be added is. */
  apply(edit: ManifestEdit): void {
    for (const { level, fileNumber } of edit.removed) {
      if (!this.#at(level).delete(fileNumber))
        fail(`table ${fileNumber} is removed from level ${level} but is not there`);
    }
    for (const { level, table } of edit.added) {
      const tables = this.#at(level);
      if (tables.has(table.fileNumber)) fail(`table ${table.fileNumber} is added to level ${level} twice`);
      tables.set(table.fileNumber, table);
    }
  }

  /** The levels in order, checked. */
  finish(): Levels {
    const levels = this.#levels.map((tables, level) => {
      const inLevel = [...tables.values()];
      if (level === 0) inLevel.sort((a, b) => b.maxVersion - a.maxVersion || b.fileNumber - a.fileNumber);
      else inLevel.sort((a, b) => compareKeys(a.smallest, b.smallest) || a.fileNumber - b.fileNumber);
      return inLevel;
    });
    checkLevels(levels);
    return levels;
  }

  #at(level: number): Map<number, TableMeta> {
    return this.#levels[level] ?? fail(`level ${level} exists`);
  }
}

/** Throws `ASSERTION` unless the levels are what readers rely on. */
export function checkLevels(levels: Levels): void {
  if (levels.length !== LEVEL_COUNT) fail("the tree has all its levels");
  const seen = new Set<number>();
  for (let level = 0; level < levels.length; level++) {
    const tables = levels[level] as readonly TableMeta[];
    let before: TableMeta | null = null;
    for (const table of tables) {
      const { fileNumber } = table;
      if (seen.has(fileNumber)) fail(`table ${fileNumber} is in the tree once`);
      seen.add(fileNumber);
      if (compareKeys(table.smallest, table.largest) > 0) fail(`table ${fileNumber} has ordered bounds`);
      if (table.minVersion > table.maxVersion) fail(`table ${fileNumber} has ordered versions`);
      if (before !== null && level === 0 && before.minVersion <= table.maxVersion) {
        fail(`level 0 is newest first at table ${fileNumber}`);
      }
      if (before !== null && level > 0 && !endsBefore(before, table.smallest)) {
        fail(`tables of level ${level} are apart at table ${fileNumber}`);
      }
      before = table;
    }
  }
}
