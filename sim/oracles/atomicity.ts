/**
 * O2. Verifies: no commit is there in part: when one of its keys shows it, its other keys show it or something later.
 * Concurrent readers are held to the same by the comparison of each read with one prefix (O6).
 * Does not verify: order between commits (O3).
 */
import type { KeyHistory } from "../model/key-history.js";
import { shownKey } from "../workload/bytes.js";
import { OracleFailure, type OracleLedger } from "./failure.js";
import type { Recovery } from "./recovery.js";

export function checkAtomicity(ledger: OracleLedger, { content, prefix }: Recovery): void {
  ledger.count("O2");
  if (prefix !== null) return;
  // For each commit: a key that shows it, and a key that shows only something earlier.
  const shows = new Map<number, KeyHistory>();
  const lacks = new Map<number, KeyHistory>();
  content.pairs((history, row) => {
    if (history === undefined) return;
    const span = content.spanOf(history, row?.value);
    if (span === null) return;
    if (span.shortest > content.low) shows.set(span.shortest, history);
    for (const sequence of history.sequences) {
      if (sequence > span.longest) lacks.set(sequence, history);
    }
  });
  for (const commit of content.model.commits) {
    const shown = shows.get(commit.sequence);
    const lacking = lacks.get(commit.sequence);
    if (shown === undefined || lacking === undefined) continue;
    throw new OracleFailure(
      "O2",
      `${commit.describe()} is there in part: ${shownKey(shown.key)} shows it, ${shownKey(lacking.key)} does not`,
    );
  }
}
