import { expect, test } from "vitest";
import { CrashLoop } from "../../../sim/oracles/crash-loop.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";

const PAGE = 4096;

/** Feeds the pages in use after each of some crashes in a row. */
function loop(pages: readonly number[]): OracleLedger {
  const ledger = new OracleLedger();
  const watch = new CrashLoop(ledger);
  for (const count of pages) watch.crashed(count * PAGE, 0);
  return ledger;
}

test("a loop of crashes may fill the disk at first, but not on and on", () => {
  expect(loop([10, 30, 50, 50, 50, 52, 50, 50, 50, 50]).evaluations.O19).toBe(6);
  const growing = Array.from({ length: 10 }, (_, index) => 10 + 8 * index);
  expect(() => loop(growing)).toThrow(expect.objectContaining({ oracle: "O19" }));
});

test("a recovery that is completed begins a new count", () => {
  const watch = new CrashLoop(new OracleLedger());
  for (let round = 0; round < 30; round++) {
    watch.crashed(round * 100 * PAGE, 0);
    expect(watch.length).toBe(1);
    watch.recovered();
  }
});
