/** Shrinking real runs that fail by planted bugs: small, the same failure, and passing without the bug. */
import { describe, expect, test } from "vitest";
import { caseOf, formatCase, parseCase, type SimulationCase } from "../../../sim/cases/case.js";
import { replayCase } from "../../../sim/cases/replay.js";
import { runSeed, seedAt } from "../../../sim/run/seed.js";
import { type ShrinkProgress, type ShrunkCase, shrinkCase } from "../../../sim/shrink/shrink.js";
import { DEFAULT_LIMITS } from "../../../sim/workload/options.js";

const BUDGET = { timeMs: 30_000, runsMax: 3000 };

async function failingCase(mutant: string, from = "1"): Promise<SimulationCase> {
  for (let i = 0; i < 100; i++) {
    const config = { limits: DEFAULT_LIMITS, mutants: [mutant], repeatShare: 0, recording: false };
    const result = await runSeed(seedAt(from, i), config);
    if (result.failure !== null) return caseOf(result, [mutant], mutant, result.failure.message);
  }
  return expect.unreachable(`${mutant} survived 100 seeds`);
}

async function shrunkFrom(...given: Parameters<typeof shrinkCase>): Promise<ShrunkCase> {
  return (await shrinkCase(...given)) ?? expect.unreachable("it fails");
}

describe("a shrunk case", () => {
  const cause: Readonly<Record<string, RegExp>> = {
    "W1-ack-before-sync": /the power fails .*`page \[\d+, \d+\) of \/store\/\d+\.wal` does not persist/,
    "E2-short-write-not-continued": /shortWrite strikes write \[\d+, \d+\) of \//,
    "R5-reverse-stops-at-oldest": /fails without a crash or a fault, at operation \d+/,
    "M1-current-not-synced": /not durable yet/,
  };
  for (const [mutant, sentence] of Object.entries(cause)) {
    test(`of ${mutant} has few operations and faults, fails by the same oracle, and says why`, async () => {
      const one = await failingCase(mutant);
      const progress: ShrinkProgress[] = [];
      const shrunk = await shrunkFrom(one, BUDGET, (step) => progress.push(step));
      expect(shrunk.after.operations).toBeLessThanOrEqual(12);
      expect(shrunk.after.faults).toBeLessThanOrEqual(2);
      expect(shrunk.after).toEqual(progress.at(-1)?.size);
      expect(shrunk.case.expect.oracle).toBe(one.expect.oracle);
      expect(shrunk.cause).toMatch(sentence);
      const read = parseCase(formatCase(shrunk.case), "x.json");
      expect(read).toEqual(shrunk.case);
      const { asExpected, sameTrace } = await replayCase(read);
      expect({ asExpected, sameTrace }).toEqual({ asExpected: true, sameTrace: true });
      const without = await replayCase(read, { mutants: [] });
      expect(without.result.failure?.message ?? null).toBeNull();
    });
  }

  test("is the same whenever it is made", async () => {
    const one = await failingCase("M19-version-reused-after-crash");
    const budget = { timeMs: Number.POSITIVE_INFINITY, runsMax: 400 };
    const [first, second] = [await shrunkFrom(one, budget), await shrunkFrom(one, budget)];
    expect(formatCase(second.case)).toBe(formatCase(first.case));
  });

  test("is made within the budget", async () => {
    const one = await failingCase("W1-ack-before-sync");
    const shrunk = await shrunkFrom(one, { timeMs: 30_000, runsMax: 10 });
    expect(shrunk.complete).toBe(false);
    const { asExpected } = await replayCase(shrunk.case);
    expect(asExpected).toBe(true);
  });

  test("is not made of a case that passes", async () => {
    const one = await failingCase("W1-ack-before-sync");
    expect(await shrinkCase({ ...one, mutants: [] }, BUDGET)).toBeNull();
  });
});
