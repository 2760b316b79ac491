/**
 * O35 (invariant I-12). Verifies: while a unique index is readable no two documents have one value in it; while a copy of it is being
 * built, each document that shares a value with another one in the copy is recorded as a violation. Does not verify: that a write
 * which would break it is refused with the right words (O38), records of violations that are no more.
 */
import { expectedIndex } from "../records/expected-rows.js";
import { copyName, type RawIndex, type RawState, shown, violationName } from "../records/raw-state.js";
import { OracleFailure, type OracleLedger } from "./failure.js";
import { expectedRows } from "./index-rows.js";

export function checkUniqueValues(ledger: OracleLedger, state: RawState, when: string): void {
  for (const index of state.indexes) {
    if (!expectedIndex(index.name).isUnique) continue;
    if (index.state === "readable") checkReadable(ledger, state, index, when);
    if (index.state === "writeOnly") checkRecorded(ledger, state, index, index.generation, when);
    if (index.shadow !== null) checkRecorded(ledger, state, index, index.shadow.generation, when);
  }
}

function checkReadable(ledger: OracleLedger, state: RawState, index: RawIndex, when: string): void {
  ledger.count("O35");
  const owners = new Map<string, string>();
  for (const { packedId, row } of expectedRows(state, index)) {
    const other = owners.get(row.prefix);
    if (other !== undefined) {
      const [a, b] = [shown(other), shown(packedId)];
      throw new OracleFailure(
        "O35",
        `${when}: ${a} and ${b} both have ${shown(row.prefix)} in the unique index "${index.name}"`,
      );
    }
    owners.set(row.prefix, packedId);
  }
}

function checkRecorded(
  ledger: OracleLedger,
  state: RawState,
  index: RawIndex,
  generation: number,
  when: string,
): void {
  ledger.count("O35");
  const copy = copyName(index.id, generation);
  const rows = state.rowsOf(copy);
  const owners = new Map<string, string[]>();
  for (const { packedId, row } of expectedRows(state, index)) {
    if (!rows.has(row.key)) continue;
    owners.set(row.prefix, [...(owners.get(row.prefix) ?? []), packedId]);
  }
  for (const [prefix, all] of owners) {
    if (all.length < 2) continue;
    const missing = all.find(
      (owner) => state.violations.get(copy)?.has(violationName(prefix, owner)) !== true,
    );
    if (missing === undefined) continue;
    throw new OracleFailure(
      "O35",
      `${when}: ${all.map(shown).join(" and ")} have ${shown(prefix)} in "${index.name}", which is being built, ` +
        `but no violation of ${shown(missing)} is recorded`,
    );
  }
}
