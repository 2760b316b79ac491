/** Taking a case apart and putting it together: each decision stays with its operation. */
import { expect, test } from "vitest";
import { CASE_FORMAT, type SimulationCase } from "../../../sim/cases/case.js";
import { putTogether, takeApart } from "../../../sim/shrink/steps.js";
import { PLAIN_OPTIONS } from "../../../sim/workload/plain-options.js";

const ONE: SimulationCase = {
  format: CASE_FORMAT,
  name: "x",
  note: "",
  seed: "1",
  options: PLAIN_OPTIONS,
  operations: [{ kind: "settle" }, { kind: "verify" }, { kind: "checkAll" }],
  choices: {
    crash: [
      ["1!1:0", 2],
      ["2!1:3", 1],
    ],
    latency: [
      ["open:1", 9],
      ["0:0", 5],
      ["1:2", 7],
      ["2:0", 8],
      ["end:0", 4],
    ],
  },
  mutants: [],
  expect: { oracle: null },
  traceHash: "0",
};

test("together again, a case is what it was, but for its trace", () => {
  const { traceHash: _, ...rest } = ONE;
  const again = putTogether(ONE, takeApart(ONE));
  expect(again).toMatchObject({ operations: rest.operations });
  expect("traceHash" in again).toBe(false);
  for (const [stream, entries] of Object.entries(ONE.choices)) {
    expect(again.choices[stream]?.toSorted()).toEqual(entries.toSorted());
  }
});

test("an operation that is taken out takes its decisions along, and those of the others are renumbered", () => {
  const { steps, outside } = takeApart(ONE);
  const without = putTogether(ONE, { steps: steps.filter((_, i) => i !== 1), outside });
  expect(without.operations.map(({ kind }) => kind)).toEqual(["settle", "checkAll"]);
  expect(without.choices).toEqual({
    crash: [["1!1:3", 1]],
    latency: [
      ["open:1", 9],
      ["end:0", 4],
      ["0:0", 5],
      ["1:0", 8],
    ],
  });
});
