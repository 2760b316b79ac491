/**
 * The workload of `stillwater/level` from end to end: nothing is found without a bug, each planted bug is, and the seeds of all other
 * workloads are the runs that they were.
 */
import { expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { LEVEL_MUTANTS } from "../../../sim/mutants/catalogue/level.js";
import { runSeed } from "../../../sim/run/seed.js";
import { isLevelWorkload } from "../../../sim/workload/level-workloads.js";
import { ALL_LIMITS, drawOptions, LEVEL_LIMITS, type SwarmLimits } from "../../../sim/workload/options.js";

const run = (seed: number, mutants: readonly string[] = [], repeatShare = 0) =>
  runSeed(String(seed), { limits: LEVEL_LIMITS, mutants, repeatShare, recording: false });

test("a Level database keeps its promises over crashes, faults and reopening, and runs the same way twice", async () => {
  let crashes = 0;
  let judged = 0;
  const kinds: Record<string, number> = {};
  const points = new Set<string>();
  for (let seed = 1; seed <= 60; seed++) {
    const { failure, counts } = await run(seed, [], seed <= 5 ? 1 : 0);
    expect(failure?.message ?? null, String(seed)).toBeNull();
    crashes += counts.processKills + counts.powerLosses;
    judged += counts.oracles.O42;
    for (const [kind, times] of Object.entries(counts.operationKinds))
      kinds[kind] = (kinds[kind] ?? 0) + times;
    for (const id of Object.keys(counts.crashPointHits)) points.add(id);
  }
  expect(crashes).toBeGreaterThan(100);
  expect(judged).toBeGreaterThan(5000);
  for (const kind of ["write", "get", "getMany", "scan", "openSnapshot", "stepIterator", "seekIterator"])
    expect(kinds[kind], kind).toBeGreaterThan(50);
  expect([...points].filter((id) => id.startsWith("level.")).sort()).toEqual([
    "level.destroy-begun",
    "level.repair-moved-away",
  ]);
});

test.each(LEVEL_MUTANTS.map(({ id, oracles }) => [id, oracles] as const))(
  "%s is found",
  async (id, oracles) => {
    let failure = null;
    for (let seed = 1; failure === null && seed <= 60; seed++) ({ failure } = await run(seed, [id]));
    expect(oracles).toContain(failure?.oracle);
  },
);

test("the seeds of the other workloads are the runs that they were without it", () => {
  const others = ALL_LIMITS.workloads.filter((name) => !isLevelWorkload(name));
  let drawn = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const options = (workloads: SwarmLimits["workloads"]) =>
      drawOptions(Choices.fromSeed(String(seed)).stream("options"), { ...ALL_LIMITS, workloads });
    const all = options(ALL_LIMITS.workloads);
    if (isLevelWorkload(all.workload)) drawn++;
    else expect(all).toEqual(options(others));
  }
  expect(drawn).toBeGreaterThan(3);
  expect(drawn).toBeLessThan(30);
});
