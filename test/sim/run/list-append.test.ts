/**
 * The workload `list-append` from end to end: what clients see has no anomaly, and the planted bugs of the conflict check are
 * found by what clients see alone, each under a name.
 */
import { expect, test } from "vitest";
import { runSeed } from "../../../sim/run/seed.js";
import { TRANSACTION_LIMITS } from "../../../sim/workload/options.js";

const LIMITS = { ...TRANSACTION_LIMITS, workloads: ["list-append"] as const };
const run = (seed: string, mutants: readonly string[]) =>
  runSeed(seed, { limits: LIMITS, mutants, repeatShare: 0, recording: false });

test("clients see no anomaly, over crashes and recoveries", async () => {
  let crashes = 0;
  for (let seed = 1; seed <= 8; seed++) {
    const { failure, counts } = await run(String(seed), []);
    expect(failure?.message ?? null).toBeNull();
    crashes += counts.processKills + counts.powerLosses;
  }
  expect(crashes).toBeGreaterThan(5);
});

test.each(["T1-reads-not-checked", "T3-only-points-checked", "T6-read-version-off-by-one"])(
  "%s is found, and named",
  async (mutant) => {
    let failure = null;
    for (let seed = 1; failure === null && seed <= 6; seed++)
      ({ failure } = await run(String(seed), [mutant]));
    expect(failure?.oracle).toBe("O5");
    expect(failure?.message).toMatch(/clients have seen (G-single|G2-item|lost-update) \(/);
    expect(failure?.message).toMatch(/T\d+ is transaction of operation \d+/);
  },
);
