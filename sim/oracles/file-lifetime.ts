/**
 * O9. Verifies: a file that is removed is not live at that moment (in the current tree, in one that a snapshot or
 * iterator holds, or as a log that recovery would need); and after everything has come to rest the directory holds
 * the live files and the fixed ones, nothing else.
 * Does not verify: the quarantine, into which recovery moves what nobody refers to.
 */
import { CURRENT_NAME, LOCK_NAME, QUARANTINE_NAME } from "../../src/engine/files.js";
import type { StoreInspection } from "../../src/engine/store-types.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

const FIXED: readonly string[] = [CURRENT_NAME, LOCK_NAME, QUARANTINE_NAME];

/** Called just before `name` is removed from the store's directory. */
export function checkRemoval(ledger: OracleLedger, inspection: StoreInspection, name: string): void {
  ledger.count("O9");
  if (inspection.liveFiles.includes(name)) {
    throw new OracleFailure("O9", `${name} is about to be removed though it is live`);
  }
}

/** `names`: the directory, with no background work going on. */
export function checkNoOrphans(
  ledger: OracleLedger,
  inspection: StoreInspection,
  names: readonly string[],
): void {
  ledger.count("O9");
  const expected = new Set([...inspection.liveFiles, ...FIXED]);
  for (const name of names) {
    if (!expected.has(name)) {
      throw new OracleFailure("O9", `${name} is left in the directory though nothing refers to it`);
    }
  }
}
