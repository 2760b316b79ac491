/**
 * O4. Verifies: a commit that got no answer, or an error, is decided by the first recovery after it: found there, it
 * is there in every later recovery; not found, it never comes back.
 * Does not verify: that it is applied wholly (O2) or in order (O3).
 */
import { describeValue } from "../model/comparison.js";
import { shownKey, writerOf } from "../workload/bytes.js";
import { operationOfWriter } from "../workload/operation.js";
import { OracleFailure, type OracleLedger } from "./failure.js";
import type { Recovery } from "./recovery.js";

export function checkUnknownOutcome(ledger: OracleLedger, { content, prefix }: Recovery): void {
  ledger.count("O4");
  if (prefix !== null) return;
  const { model } = content;
  const older = content.longestPrefix(content.low);
  if (older !== null && older < model.resolved) {
    const missing = model.commits.find((commit) => commit.sequence > older);
    throw new OracleFailure(
      "O4",
      `an earlier recovery found ${missing?.describe() ?? "a commit"}, this one does not`,
    );
  }
  for (const row of content.rows) {
    const writer = writerOf(row.value);
    if (writer === null || !model.lostOperations.has(operationOfWriter(writer))) continue;
    throw new OracleFailure(
      "O4",
      `${shownKey(row.key)} holds ${describeValue(row.value)}, whose commit an earlier recovery found lost`,
    );
  }
}
