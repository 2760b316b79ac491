/**
 * O11 (invariant I-11). Verifies: each readable index holds exactly what its documents make, both ways: every row of every
 * document, with its covered values, and no other; of each group the exact number. Read from raw keys of one state, with rows that
 * are written out by hand for each index of the simulation. Does not verify: copies that are being built (O36), histories
 * (`history-rows.ts`), what reads make of rows (O38).
 */
import { expectedIndex, type PackedRow, packedRows, packedTotals } from "../records/expected-rows.js";
import { copyName, parsed, type RawIndex, type RawState, shown } from "../records/raw-state.js";
import { unpacked } from "../records/tuple.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** `damaged`: names of indexes in which somebody has changed rows by hand, and that have not been scrubbed since. */
export function checkIndexRows(
  ledger: OracleLedger,
  state: RawState,
  damaged: ReadonlySet<string>,
  when: string,
): void {
  const [damage] = state.damage;
  if (damage !== undefined) throw new OracleFailure("O11", `${when}: ${damage}`);
  for (const index of state.indexes) {
    const expected = expectedIndex(index.name);
    if (damaged.has(index.name) || index.state !== "readable" || expected.kind === "history") continue;
    ledger.count("O11");
    const found = state.rowsOf(copyName(index.id, index.generation));
    const due =
      expected.kind === "flat"
        ? new Map(expectedRows(state, index).map(({ row }) => [row.key, row.value]))
        : packedTotals(expected, documentsOf(state, index));
    const wrong = firstDifference(due, found);
    if (wrong !== null) throw new OracleFailure("O11", `${when}: the index "${index.name}" ${wrong}`);
  }
}

export function documentsOf(state: RawState, { collectionId }: RawIndex): unknown[] {
  return [...state.itemsOf(collectionId).values()].map(({ text }) => parsed(text));
}

/** Of what there is, and what is due. Null: none. */
export function firstDifference(
  due: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): string | null {
  for (const [key, value] of due) {
    const is = found.get(key);
    if (is === value) continue;
    if (is === undefined) return `lacks ${shownRow(key)}`;
    return `has 0x${hex(is)} at ${shownRow(key)}, but 0x${hex(value)} is due`;
  }
  for (const key of found.keys()) if (!due.has(key)) return `has ${shownRow(key)}, of no document`;
  return null;
}

function hex(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("hex");
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

export function shownRow(key: string): string {
  return unpacked(key) === null ? `a key that is no row` : `the row (${shown(key)})`;
}
