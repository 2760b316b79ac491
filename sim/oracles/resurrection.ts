/**
 * O12. Verifies: no key shows a value that was deleted or overwritten before the span of states that may be seen.
 * The comparison with the model covers this; this oracle names it, and `checkDeletedKeys` asks for deleted keys by
 * name, since a point read takes other paths (filters, caches) than a scan.
 * Does not verify: that the newest value is the right one of several that are possible (O1, O3).
 */
import { describeValue, type Row } from "../model/comparison.js";
import { ABSENT } from "../model/key-history.js";
import type { Model } from "../model/model.js";
import { shownKey, writerOf } from "../workload/bytes.js";
import { operationOfWriter } from "../workload/operation.js";
import { OracleFailure, type OracleLedger } from "./failure.js";
import type { Recovery } from "./recovery.js";

export function checkNoResurrection(ledger: OracleLedger, { content, prefix }: Recovery): void {
  ledger.count("O12");
  if (prefix !== null) return;
  content.pairs((history, row) => {
    if (history === undefined || row === undefined) return;
    if (content.spanOf(history, row.value) !== null) return;
    if (isFormerValue(content.model, row)) {
      throw new OracleFailure(
        "O12",
        `${shownKey(row.key)} holds ${describeValue(row.value)}, which was overwritten or deleted long ago`,
      );
    }
  });
}

/** Asks for keys that are absent after commit `sequence`; `get` reads the store at that state. */
export function checkDeletedKeys(
  ledger: OracleLedger,
  model: Model,
  sequence: number,
  get: (key: Uint8Array) => Uint8Array | undefined,
): void {
  ledger.count("O12");
  for (const history of model.histories) {
    if (history.writerAt(sequence) !== ABSENT) continue;
    const value = get(history.bytes);
    if (value !== undefined) {
      throw new OracleFailure(
        "O12",
        `${shownKey(history.key)} is deleted, but reads as ${describeValue(value)}`,
      );
    }
  }
}

/** Whether a value carries the number of a write that has been made, so that its bytes are not just noise. */
function isFormerValue(model: Model, row: Row): boolean {
  const writer = writerOf(row.value);
  if (writer === null) return false;
  const operation = operationOfWriter(writer);
  const newest = model.commits.at(-1)?.operation ?? operation;
  return operation >= 0 && operation <= newest;
}
