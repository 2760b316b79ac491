/**
 * O23. Verifies: no read returns bytes that no write of that key ever stored, and no key that was never written.
 * Damage inflicted by the simulator may surface as a typed error instead, never as wrong data.
 * Does not verify: which of the values once stored it is (O1, O12).
 */
import { describeValue } from "../model/comparison.js";
import { shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";
import type { Recovery } from "./recovery.js";

export function checkNoSilentCorruption(ledger: OracleLedger, { content, prefix }: Recovery): void {
  ledger.count("O23");
  if (prefix !== null) return;
  if (content.stranger !== null) {
    throw new OracleFailure("O23", `${shownKey(content.stranger.key)} is there, but was never written`);
  }
  content.pairs((history, row) => {
    if (history === undefined || row === undefined) return;
    if (content.spanOf(history, row.value) !== null) return;
    throw new OracleFailure(
      "O23",
      `${shownKey(row.key)} holds ${describeValue(row.value)}, never stored there`,
    );
  });
}
