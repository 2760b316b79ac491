/**
 * O37 (invariant I-16). Verifies: a document that is split has all of its parts, in order, with the bytes that its head says, and no
 * part is there that belongs to none: neither of a longer document before it nor of one that was removed. Does not verify: what
 * is in the bytes (O38).
 */
import type { RawState } from "../records/raw-state.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export function checkLargeDocuments(ledger: OracleLedger, state: RawState, when: string): void {
  ledger.count("O37");
  const [damage] = state.partsDamage;
  if (damage !== undefined) throw new OracleFailure("O37", `${when}: the document of ${damage}`);
}
