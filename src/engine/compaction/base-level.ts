/**
 * Answers, for ascending keys, whether anything older than a job's inputs may hold the key: only where nothing does may
 * a tombstone be dropped (engine.md D28). Built from the bounds of the tables outside the job that hold older data.
 */

import { mutant } from "../../platform/probes.js";
import { endsBefore, type TableMeta, tableCovers, tablesOverlap } from "../manifest/table-meta.js";

export class BaseLevelCheck {
  readonly #levels: readonly (readonly TableMeta[])[];
  readonly #positions: Int32Array;

  /** Each list holds older data: deeper levels sorted by key, or single older runs of level 0. */
  constructor(older: readonly (readonly TableMeta[])[]) {
    this.#levels = older;
    this.#positions = new Int32Array(older.length);
  }

  /** True when no table of the lists covers `key`. Keys must come in ascending order. */
  isBaseLevel(key: Uint8Array): boolean {
    if (mutant("C4-base-level-skips-a-level")) return true;
    for (let level = 0; level < this.#levels.length; level++) {
      const tables = this.#levels[level] as readonly TableMeta[];
      let at = this.#positions[level] as number;
      while (at < tables.length && endsBefore(tables[at] as TableMeta, key)) at++;
      this.#positions[level] = at;
      if (at < tables.length && tableCovers(tables[at] as TableMeta, key)) return false;
    }
    return true;
  }

  /** True when no table of the lists shares a key with [begin, end). Order does not matter. */
  isBaseLevelForRange(begin: Uint8Array, end: Uint8Array): boolean {
    const range = { smallest: begin, largest: end, largestExclusive: true } as TableMeta;
    return this.#levels.every((tables) => tables.every((table) => !tablesOverlap(table, range)));
  }
}
