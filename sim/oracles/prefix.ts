/**
 * O3. Verifies: the recovered content is the state after some prefix of the commits, in the order in which they were
 * submitted: a lost commit is followed by lost commits only. Searches all prefixes since the base of the model.
 * Does not verify: how long the prefix is (O1).
 */
import { shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";
import type { Recovery } from "./recovery.js";

/** Returns the prefix that the store holds. */
export function checkPrefix(ledger: OracleLedger, { content, prefix }: Recovery): number {
  ledger.count("O3");
  if (prefix !== null) return prefix;
  let newest = { sequence: content.low, key: "" };
  let oldest = { sequence: content.high, key: "" };
  content.pairs((history, row) => {
    const span = history === undefined ? null : content.spanOf(history, row?.value);
    if (history === undefined || span === null) return;
    if (span.shortest > newest.sequence) newest = { sequence: span.shortest, key: history.key };
    if (span.longest < oldest.sequence) oldest = { sequence: span.longest, key: history.key };
  });
  throw new OracleFailure(
    "O3",
    newest.sequence > oldest.sequence
      ? `commit ${newest.sequence} is there (${shownKey(newest.key)} shows it), but an earlier one, commit ` +
          `${oldest.sequence + 1}, is not (${shownKey(oldest.key)} is older)`
      : `no prefix of the commits ${content.low} to ${content.high} explains the content of the store`,
  );
}
