/** The table of faults in code: whole, and in agreement with what is counted. */
import { expect, test } from "vitest";
import { FAULT_KINDS } from "../../../sim/disk/counters.js";
import { contractOf, FAULT_ROWS, rowOf } from "../../../sim/disk/fault-table.js";
import { WORLD_FAULT_KINDS } from "../../../sim/world/faults.js";

test("every row of the model is there once", () => {
  const ids = [
    ...Array.from({ length: 43 }, (_, i) => `S${i + 1}`),
    ...Array.from({ length: 9 }, (_, i) => `T${i + 1}`),
  ];
  expect(FAULT_ROWS.map(({ id }) => id)).toEqual(ids);
});

test("what is counted belongs to a row that is not off, and what is not off is counted", () => {
  const counted = new Set([
    ...FAULT_KINDS.map(rowOf),
    ...WORLD_FAULT_KINDS.map((kind) => kind.split(" ")[0]),
  ]);
  for (const { id, off } of FAULT_ROWS) expect(counted.has(id), id).toBe(off === null);
  expect([...counted].filter((id) => !FAULT_ROWS.some((row) => row.id === id))).toEqual([]);
});

test("damage is of class D and nothing else is", () => {
  const damage = FAULT_KINDS.filter((kind) => contractOf(kind) === "D");
  expect(damage.map((kind) => kind.split(" ")[0])).toEqual([
    "S10",
    "S14",
    "S15",
    "S16",
    "S17",
    "S18",
    "S19",
    "S20",
    "S22",
    "S22",
    "S22",
  ]);
  expect(contractOf("S22 sync error")).toBe("R");
  expect(contractOf("S24 no space at sync")).toBe("L");
});
