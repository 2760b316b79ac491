/**
 * O21. Verifies: the same operations, without crashes and faults, have the same observable history under other store
 * options, another schedule and other latencies: every value, row, version and error of misuse, exactly.
 * Does not verify: that the history is the right one (the model does, O6 and O22), nor what depends on speed (refusals
 * because background work is behind are tried again).
 */
import { OracleFailure, type OracleLedger } from "./failure.js";

/** `under`: what was different, for the message. */
export function checkSameHistory(
  ledger: OracleLedger,
  one: readonly string[],
  other: readonly string[],
  under: string,
): void {
  ledger.count("O21");
  const length = Math.max(one.length, other.length);
  for (let i = 0; i < length; i++) {
    if (one[i] === other[i]) continue;
    throw new OracleFailure(
      "O21",
      `under ${under} an answer differs: ${shortened(one[i])}, but ${shortened(other[i])}`,
    );
  }
}

function shortened(answer: string | undefined): string {
  if (answer === undefined) return "(no answer)";
  return answer.length <= 200 ? answer : `${answer.slice(0, 200)}… (${answer.length} characters)`;
}
