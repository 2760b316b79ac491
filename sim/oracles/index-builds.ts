/**
 * O36 (invariant I-13). Verifies, of each copy of an index that is being built, from raw keys after every commit: documents up to the
 * position that is stored have all of their rows, whoever has written them; no row is of no document; totals are exactly
 * those of the documents that were passed, so that none is lost or counted twice; a copy whose build has not begun counts nothing; no
 * position is left of a build that has ended, and nothing of a copy that is in use no more. That a copy that becomes readable is whole
 * is O11, from that commit on. Does not verify: that builds end, histories of versions.
 */
import { type ExpectedIndex, expectedIndex, packedRows, packedTotals } from "../records/expected-rows.js";
import { copyName, parsed, type RawIndex, type RawItem, type RawState, shown } from "../records/raw-state.js";
import { type RawElement, unpacked } from "../records/tuple.js";
import { OracleFailure, type OracleLedger } from "./failure.js";
import { expectedRows, firstDifference, shownRow } from "./index-rows.js";

/** `damaged`: as of `checkIndexRows`. */
export function checkIndexBuilds(
  ledger: OracleLedger,
  state: RawState,
  damaged: ReadonlySet<string>,
  when: string,
): void {
  const used = new Set<string>();
  const built = new Set<string>();
  for (const index of state.indexes) {
    if (index.state !== "disabled") used.add(copyName(index.id, index.generation));
    const generations = [
      ...(index.state === "writeOnly" ? [index.generation] : []),
      ...(index.shadow === null ? [] : [index.shadow.generation]),
    ];
    for (const generation of generations) {
      ledger.count("O36");
      const copy = copyName(index.id, generation);
      used.add(copy);
      built.add(copy);
      const wrong = damaged.has(index.name) ? null : wrongCopy(state, index, copy);
      if (wrong !== null)
        throw new OracleFailure("O36", `${when}: "${index.name}", which is being built, ${wrong}`);
    }
  }
  for (const copy of [...state.rows.keys(), ...state.violations.keys()]) {
    if (!used.has(copy))
      throw new OracleFailure("O36", `${when}: copy ${copy} is in use no more, but is there`);
  }
  for (const copy of state.builds.keys()) {
    if (!built.has(copy)) throw new OracleFailure("O36", `${when}: a build of copy ${copy} is left behind`);
  }
}

/** Null when it holds what it must. */
function wrongCopy(state: RawState, index: RawIndex, copy: string): string | null {
  const expected = expectedIndex(index.name);
  const hasPassed = progressOf(state, copy);
  // In the order of an index that is gone: nobody goes on with such a build.
  if (hasPassed === null || expected.kind === "history") return null;
  const passed = [...state.itemsOf(index.collectionId).values()].filter(hasPassed);
  const rows = state.rowsOf(copy);
  return expected.kind === "flat"
    ? wrongRows(state, index, passed, rows)
    : wrongTotals(expected, passed, rows);
}

function wrongRows(
  state: RawState,
  index: RawIndex,
  passed: readonly RawItem[],
  rows: ReadonlyMap<string, string>,
): string | null {
  for (const { packedId, text } of passed) {
    for (const row of packedRows(index.name, parsed(text), packedId)) {
      if (rows.get(row.key) !== row.value)
        return `has passed ${shown(packedId)}, but not its row ${shownRow(row.key)}`;
    }
  }
  const due = new Map(expectedRows(state, index).map(({ row }) => [row.key, row.value]));
  for (const [key, value] of rows)
    if (due.get(key) !== value) return `has ${shownRow(key)}, which no document has so`;
  return null;
}

function wrongTotals(
  expected: Extract<ExpectedIndex, { kind: "totals" }>,
  passed: readonly RawItem[],
  rows: ReadonlyMap<string, string>,
): string | null {
  const due = packedTotals(
    expected,
    passed.map(({ text }) => parsed(text)),
  );
  const wrong = firstDifference(due, rows);
  return wrong === null ? null : `${wrong}, of ${passed.length} documents that it has passed`;
}

/** Which documents a build has passed. Null: it goes in the order of an index that is there no more. */
function progressOf(state: RawState, copy: string): ((item: RawItem) => boolean) | null {
  const [row] = state.builds.get(copy) ?? [];
  if (row === undefined) return () => false;
  const [position, , sourceId, sourceGeneration] = unpacked(row[1]) ?? [];
  const at = bytesOf(position);
  if (at === null) return () => false;
  if (sourceId === null) return ({ packedId }) => packedId <= at;
  const source = state.indexes.find(({ id }) => id === sourceId);
  if (source === undefined || source.generation !== sourceGeneration || source.state !== "readable")
    return null;
  return ({ packedId, text }) => {
    const [first] = packedRows(source.name, parsed(text), packedId);
    return first !== undefined && first.key <= at;
  };
}

function bytesOf(element: RawElement | undefined): string | null {
  return typeof element === "object" && element !== null && "bytes" in element ? element.bytes : null;
}
