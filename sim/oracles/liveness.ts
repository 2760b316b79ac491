/**
 * O15. Verifies: with faults off, space given back and no crash, everything that is pending gets an answer, a new
 * commit succeeds and reads back, and background work comes to rest with nothing left to flush. Also reports a life
 * that got stuck at any time, with everything that was pending (`run/pending.ts`): never a hang.
 * Does not verify: how fast; virtual time and steps are bounded generously.
 */
import type { StoreInspection } from "../../src/engine/store-types.js";
import type { StuckReason } from "../world/world.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** A life ended without finishing. `pending` names what never got an answer. */
export function stuckFailure(reason: StuckReason, pending: readonly string[]): OracleFailure {
  const waiting = pending.length === 0 ? ["nothing that anybody knows of"] : pending;
  return new OracleFailure("O15", `${reason}; waiting for:\n    ${waiting.join("\n    ")}`);
}

/** `pending`: calls without an answer after everything had time to finish. */
export function checkSettled(ledger: OracleLedger, pending: readonly string[]): void {
  ledger.count("O15");
  if (pending.length > 0) throw new OracleFailure("O15", `no answer to: ${pending.join("; ")}`);
}

export function checkAtRest(ledger: OracleLedger, inspection: StoreInspection, waitedMs: number): void {
  ledger.count("O15");
  if (inspection.backgroundBusy) {
    throw new OracleFailure(
      "O15",
      `background work does not come to rest within ${waitedMs} ms of virtual time`,
    );
  }
  if (inspection.immutableMemtables > 0) {
    throw new OracleFailure(
      "O15",
      `${inspection.immutableMemtables} sealed memtables are never flushed though nothing is busy`,
    );
  }
}
