/**
 * O20. Verifies: a checkpoint opens as a store of its own, at the version that the call gave, with exactly the state
 * of that version, whatever went on beside it. One that a crash has cut off is either not there under its name or whole.
 * Does not verify: restores that a crash has cut off.
 */
import { type Row, scanMismatch } from "../model/comparison.js";
import type { Model, PrefixSpan } from "../model/model.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export function checkCheckpoint(
  ledger: OracleLedger,
  model: Model,
  span: PrefixSpan,
  rows: readonly Row[],
): void {
  ledger.count("O20");
  let mismatch = "it cannot be compared";
  for (let sequence = span.low; sequence <= span.high; sequence++) {
    const found = scanMismatch(model, sequence, {}, Number.POSITIVE_INFINITY, rows);
    if (found === null) return;
    mismatch = found;
  }
  throw new OracleFailure("O20", `the checkpoint at commit ${span.high} differs: ${mismatch}`);
}
