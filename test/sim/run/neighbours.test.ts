/** Second openers, stray files and late calls: that runs meet them, and that the oracles object where they must. */
import { expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkOneWinner, checkTurnedAway } from "../../../sim/oracles/single-owner.js";
import { addCounts, emptyCounts } from "../../../sim/run/counts.js";
import { runSeed } from "../../../sim/run/seed.js";
import { DEFAULT_LIMITS, drawOptions } from "../../../sim/workload/options.js";
import { resolveOptions } from "../../../src/engine/options.js";

const CONFIG = { mutants: [], repeatShare: 0, recording: false };

test(
  "runs meet second openers, stray files and other options, and the store bears them",
  { timeout: 60_000 },
  async () => {
    const counts = emptyCounts();
    for (let seed = 6000; seed < 6045; seed++) {
      const { failure, counts: own } = await runSeed(String(seed), { ...CONFIG, limits: DEFAULT_LIMITS });
      expect(failure, `seed ${seed}`).toBeNull();
      addCounts(counts, own);
    }
    expect(counts.worldFaults["S39 second opener"]).toBeGreaterThan(5);
    expect(counts.worldFaults["S40 stray file"]).toBeGreaterThan(5);
    expect(counts.worldFaults["T7 other options"]).toBeGreaterThan(10);
    expect(counts.oracles.O30).toBeGreaterThan(5);
  },
);

test("every set of later options is legal, and none is drawn where reopening is not allowed", () => {
  let changed = 0;
  for (let seed = 0; seed < 200; seed++) {
    const stream = Choices.fromSeed(String(seed)).stream("options");
    const { store, reopenings } = drawOptions(stream, DEFAULT_LIMITS);
    for (const change of reopenings) {
      resolveOptions({ ...store, ...change });
      changed += Object.keys(change).length;
    }
    const without = drawOptions(Choices.fromSeed(String(seed)).stream("options"), {
      ...DEFAULT_LIMITS,
      faults: [],
    });
    expect(without.reopenings).toEqual([]);
  }
  expect(changed).toBeGreaterThan(500);
});

test("two owners are one too many, and none is one too few unless something else was in the way", () => {
  const ledger = new OracleLedger();
  checkOneWinner(ledger, 1, 1, 0);
  checkOneWinner(ledger, 0, 1, 1);
  expect(() => checkOneWinner(ledger, 2, 0, 0)).toThrow(expect.objectContaining({ oracle: "O30" }));
  expect(() => checkOneWinner(ledger, 0, 2, 0)).toThrow(expect.objectContaining({ oracle: "O30" }));
  expect(ledger.evaluations.O30).toBe(4);
});

test("who is turned away must not have got in, nor have left anything behind", () => {
  const ledger = new OracleLedger();
  checkTurnedAway(ledger, false, []);
  expect(() => checkTurnedAway(ledger, true, [])).toThrow(expect.objectContaining({ oracle: "O30" }));
  expect(() => checkTurnedAway(ledger, false, ["createFile /store/x"])).toThrow("createFile /store/x");
});
