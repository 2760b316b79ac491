/**
 * The workloads of the layers above the storage from end to end: nothing is found without a bug, and each planted bug is, by the
 * oracle of its layer.
 */
import { expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { runSeed } from "../../../sim/run/seed.js";
import {
  ALL_LIMITS,
  drawOptions,
  type SwarmLimits,
  TRANSACTION_LIMITS,
} from "../../../sim/workload/options.js";
import { isLayerWorkload, LAYER_WORKLOADS } from "../../../sim/workload/transaction-workloads.js";

type Layer = (typeof LAYER_WORKLOADS)[number];

const run = (workload: Layer, seed: number, mutants: readonly string[] = [], repeatShare = 0) =>
  runSeed(String(seed), {
    limits: { ...TRANSACTION_LIMITS, workloads: [workload] },
    mutants,
    repeatShare,
    recording: false,
  });

test("keys and feeds keep their promises over crashes, reopening and lost answers", async () => {
  let crashes = 0;
  const judged = { O33: 0, O34: 0 };
  const marks: Record<string, number> = {};
  for (const workload of LAYER_WORKLOADS) {
    for (let seed = 1; seed <= 10; seed++) {
      const { failure, counts } = await run(workload, seed);
      expect(failure?.message ?? null, `${workload} ${seed}`).toBeNull();
      crashes += counts.processKills + counts.powerLosses;
      judged.O33 += counts.oracles.O33;
      judged.O34 += counts.oracles.O34;
      for (const [mark, hits] of Object.entries(counts.marks)) marks[mark] = (marks[mark] ?? 0) + hits;
    }
  }
  expect(crashes).toBeGreaterThan(10);
  expect(judged.O33).toBeGreaterThan(500);
  expect(judged.O34).toBeGreaterThan(100);
  for (const mark of ["idempotency.committed-before", "idempotency.next-epoch", "feed.entry-of-many-chunks"])
    expect(marks[mark], mark).toBeGreaterThan(0);
});

test.each(LAYER_WORKLOADS)("%s runs the same way twice", async (workload) => {
  for (const seed of [3, 4]) expect((await run(workload, seed, [], 1)).failure).toBeNull();
});

test.each<[string, Layer, string]>([
  ["T25-idempotency-key-not-recorded", "idempotency", "O33"],
  ["T26-only-the-current-epoch-looked-up", "idempotency", "O33"],
  ["T27-look-up-conflicts-with-nobody", "idempotency", "O33"],
  ["T28-registration-not-noticed", "change-feeds", "O34"],
  ["T29-chunks-in-reverse", "change-feeds", "O16"],
  ["T30-pop-takes-one-more", "change-feeds", "O34"],
])("%s is found in %s, by %s", async (mutant, workload, oracle) => {
  let failure = null;
  for (let seed = 1; failure === null && seed <= 20; seed++)
    ({ failure } = await run(workload, seed, [mutant]));
  expect(failure?.oracle).toBe(oracle);
});

test("the seeds of the other workloads are the runs that they were without them", () => {
  const others = TRANSACTION_LIMITS.workloads.filter((name) => !isLayerWorkload(name));
  let layers = 0;
  for (let seed = 1; seed <= 100; seed++) {
    const drawn = (workloads: SwarmLimits["workloads"]) =>
      drawOptions(Choices.fromSeed(String(seed)).stream("options"), { ...ALL_LIMITS, workloads });
    const all = drawn(TRANSACTION_LIMITS.workloads);
    if (isLayerWorkload(all.workload)) layers++;
    else expect(all).toEqual(drawn(others));
  }
  expect(layers).toBeGreaterThan(5);
  expect(layers).toBeLessThan(40);
});
