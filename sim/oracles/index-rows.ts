/**
 * O11 (invariant I-11). Verifies: each readable index holds exactly the rows that its documents have, both ways: every row of every
 * document, with its covered values, and no other. Read from raw keys of one state, with rows that are written out by hand for
 * each index of the simulation. Does not verify: copies that are being built (O36), what reads make of rows (O38).
 */
import { type PackedRow, packedRows } from "../records/expected-rows.js";
import { copyName, parsed, type RawIndex, type RawState, shown } from "../records/raw-state.js";
import { unpacked } from "../records/tuple.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

export function checkIndexRows(ledger: OracleLedger, state: RawState, when: string): void {
  const [damage] = state.damage;
  if (damage !== undefined) throw new OracleFailure("O11", `${when}: ${damage}`);
  for (const index of state.indexes) {
    if (index.state !== "readable") continue;
    ledger.count("O11");
    const rows = state.rowsOf(copyName(index.id, index.generation));
    const surplus = new Map(rows);
    for (const { row } of expectedRows(state, index)) {
      const wrong = wrongRow(row, rows);
      if (wrong !== null) throw new OracleFailure("O11", `${when}: the index "${index.name}" ${wrong}`);
      surplus.delete(row.key);
    }
    const [key] = surplus.keys();
    if (key === undefined) continue;
    throw new OracleFailure("O11", `${when}: the index "${index.name}" has ${shownRow(key)}, of no document`);
  }
}

/** Every row that an index is to have, with whose it is. */
export function expectedRows(
  state: RawState,
  { name, collectionId }: RawIndex,
): { readonly packedId: string; readonly row: PackedRow }[] {
  return [...state.itemsOf(collectionId).values()].flatMap(({ packedId, text }) =>
    packedRows(name, parsed(text), packedId).map((row) => ({ packedId, row })),
  );
}

/** Null when the row is there as it must be. */
export function wrongRow(row: PackedRow, rows: ReadonlyMap<string, string>): string | null {
  const value = rows.get(row.key);
  if (value === row.value) return null;
  return value === undefined
    ? `lacks ${shownRow(row.key)}`
    : `has other covered values at ${shownRow(row.key)} than its document`;
}

export function shownRow(key: string): string {
  return unpacked(key) === null ? `a key that is no row` : `the row (${shown(key)})`;
}
