/**
 * O10. Verifies: below level 0 the tables of a level are in order and share no user key; in level 0 versions do not
 * overlap and the newest comes first; each table's bounds and versions are in order, and its number is used once.
 * Does not verify: that a table's content lies within its bounds (`verify` of the engine does).
 * The engine asserts much of this itself; this is the second opinion, written without looking at the first.
 */
import { compareKeys } from "../../src/engine/format/bytes.js";
import type { TableMeta } from "../../src/engine/manifest/table-meta.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export function checkShape(ledger: OracleLedger, levels: readonly (readonly TableMeta[])[]): void {
  ledger.count("O10");
  const numbers = new Set<number>();
  levels.forEach((tables, level) => {
    tables.forEach((table, index) => {
      const broken = (what: string): never => {
        throw new OracleFailure("O10", `table ${table.fileNumber} of level ${level} ${what}`);
      };
      if (numbers.has(table.fileNumber)) broken("is in the tree twice");
      numbers.add(table.fileNumber);
      const order = compareKeys(table.smallest, table.largest);
      if (order > 0 || (order === 0 && table.largestExclusive)) broken("has no keys between its bounds");
      if (table.minVersion > table.maxVersion) broken("has its versions upside down");
      const before = tables[index - 1];
      if (before === undefined) return;
      if (level === 0) {
        if (before.minVersion <= table.maxVersion) broken("is not older than the one before it");
        return;
      }
      const gap = compareKeys(before.largest, table.smallest);
      if (gap > 0 || (gap === 0 && !before.largestExclusive)) {
        broken(`shares keys with table ${before.fileNumber}`);
      }
    });
  });
}
