/**
 * The shape of the tree as a value: levels of tables, and what an edit does to them. Pure; the invariants that every
 * reader relies on are asserted on each new shape (features.md I-6, simulation.md O10).
 * Level 0 holds whole sorted runs, newest first by version, and they may overlap. Deeper levels are sorted by key and
 * their tables share no key, so all versions of a key that a level has are in one table (LevelDB issues 320, 339).
 */
import { assert } from "../../platform/assert.js";
import { compareKeys } from "../format/bytes.js";
import type { ManifestEdit } from "./edit.js";
import { endsBefore, type TableMeta } from "./table-meta.js";

export const LEVEL_COUNT = 7;

export type Levels = readonly (readonly TableMeta[])[];

/** A new shape; `levels` is not changed. Throws `ASSERTION` when the edit does not fit. */
export function applyEdit(levels: Levels, edit: ManifestEdit): Levels {
  const next = levels.map((tables) => [...tables]);
  for (const { level, fileNumber } of edit.removed) {
    const tables = levelAt(next, level);
    const index = tables.findIndex((table) => table.fileNumber === fileNumber);
    assert(index >= 0, `table ${fileNumber} is removed from level ${level} but is not there`);
    tables.splice(index, 1);
  }
  for (const { level, table } of edit.added) {
    const tables = levelAt(next, level);
    let index = 0;
    if (level === 0)
      while (index < tables.length && (tables[index] as TableMeta).maxVersion > table.maxVersion) index++;
    else
      while (index < tables.length && compareKeys((tables[index] as TableMeta).smallest, table.smallest) < 0)
        index++;
    tables.splice(index, 0, table);
  }
  checkLevels(next);
  return next;
}

/** Throws `ASSERTION` unless the levels are what readers rely on. */
export function checkLevels(levels: Levels): void {
  assert(levels.length === LEVEL_COUNT, "the tree has all its levels");
  const seen = new Set<number>();
  levels.forEach((tables, level) => {
    tables.forEach((table, index) => {
      assert(!seen.has(table.fileNumber), `table ${table.fileNumber} is in the tree once`);
      seen.add(table.fileNumber);
      assert(compareKeys(table.smallest, table.largest) <= 0, `table ${table.fileNumber} has ordered bounds`);
      assert(table.minVersion <= table.maxVersion, `table ${table.fileNumber} has ordered versions`);
      if (index === 0) return;
      const before = tables[index - 1] as TableMeta;
      if (level === 0)
        assert(before.minVersion > table.maxVersion, `level 0 is newest first at table ${table.fileNumber}`);
      else
        assert(
          endsBefore(before, table.smallest),
          `tables of level ${level} are apart at table ${table.fileNumber}`,
        );
    });
  });
}

function levelAt(levels: TableMeta[][], level: number): TableMeta[] {
  const tables = levels[level];
  assert(tables !== undefined, `level ${level} exists`);
  return tables;
}
