/**
 * The workloads of records from end to end: nothing is found without a bug, each planted bug is, and the seeds of all other
 * workloads are the runs that they were.
 */
import { expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { INDEX_BUILD_MUTANTS } from "../../../sim/mutants/catalogue/index-builds.js";
import { INDEX_MUTANTS } from "../../../sim/mutants/catalogue/indexes.js";
import { RECORD_MUTANTS } from "../../../sim/mutants/catalogue/records.js";
import { runSeed } from "../../../sim/run/seed.js";
import { ALL_LIMITS, drawOptions, RECORD_LIMITS, type SwarmLimits } from "../../../sim/workload/options.js";
import { isRecordWorkload, RECORD_WORKLOADS } from "../../../sim/workload/record-workloads.js";

type Name = keyof typeof RECORD_WORKLOADS;
const NAMES = Object.keys(RECORD_WORKLOADS) as Name[];

const run = (workloads: readonly Name[], seed: number, mutants: readonly string[] = [], repeatShare = 0) =>
  runSeed(String(seed), {
    limits: { ...RECORD_LIMITS, workloads },
    mutants,
    repeatShare,
    recording: false,
  });

test.each(NAMES)(
  "%s keeps its promises over crashes and reopening, and runs the same way twice",
  async (name) => {
    let crashes = 0;
    const judged = { O11: 0, O35: 0, O37: 0, O38: 0 };
    for (let seed = 1; seed <= 12; seed++) {
      const { failure, counts } = await run([name], seed, [], seed <= 2 ? 1 : 0);
      expect(failure?.message ?? null, `${name} ${seed}`).toBeNull();
      crashes += counts.processKills + counts.powerLosses;
      for (const oracle of Object.keys(judged) as (keyof typeof judged)[])
        judged[oracle] += counts.oracles[oracle];
    }
    expect(crashes).toBeGreaterThan(5);
    for (const [oracle, times] of Object.entries(judged)) expect(times, oracle).toBeGreaterThan(20);
  },
);

/** Found within a few seeds; `sim mutants` hunts the others too. */
const SOON = new Set([
  "I1-entry-not-removed-on-overwrite",
  "I2-double-count-during-build",
  "I3-progress-ahead-of-entries",
  "I4-unique-check-not-conflict-tracked",
  "I6-build-position-read-without-conflict",
  "I9-violations-not-looked-at",
  "I20-group-not-left-on-update",
  "I21-empty-group-kept",
  "I22-retention-keeps-one-less",
  "I30-parts-of-a-longer-document-kept",
  "I31-calls-do-not-take-turns",
  "R14-entry-kept-after-same-value-overwrite",
]);
const PLANTED = [...RECORD_MUTANTS, ...INDEX_MUTANTS, ...INDEX_BUILD_MUTANTS].filter(({ id }) =>
  SOON.has(id),
);

test.each(PLANTED.map(({ id, oracles }) => [id, oracles] as const))("%s is found", async (id, oracles) => {
  const isOfBuilds = INDEX_BUILD_MUTANTS.some((mutant) => mutant.id === id);
  const names: readonly Name[] = isOfBuilds ? ["index-builds"] : NAMES;
  let failure = null;
  for (let seed = 1; failure === null && seed <= 60; seed++) ({ failure } = await run(names, seed, [id]));
  expect(oracles).toContain(failure?.oracle);
});

test("I50-migration-progress-behind-its-batch is found by crashes in migrations", async () => {
  let failure = null;
  for (let seed = 1; failure === null && seed <= 40; seed++)
    ({ failure } = await run(["migrations"], seed, ["I50-migration-progress-behind-its-batch"]));
  expect(failure?.oracle).toBe("O39");
});

test("migrations reach every crash point that they have, and are crashed at some", async () => {
  const hits = new Set<string>();
  let crashes = 0;
  for (let seed = 1; seed <= 12; seed++) {
    const { counts } = await run(["migrations"], seed);
    for (const id of Object.keys(counts.crashPointHits)) if (id.startsWith("migration.")) hits.add(id);
    for (const id of Object.keys(counts.crashPointCrashes)) if (id.startsWith("migration.")) crashes++;
  }
  expect(hits.size).toBe(6);
  expect(crashes).toBeGreaterThan(0);
});

test("the seeds of the other workloads are the runs that they were without them", () => {
  const others = ALL_LIMITS.workloads.filter((name) => !isRecordWorkload(name));
  let records = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const drawn = (workloads: SwarmLimits["workloads"]) =>
      drawOptions(Choices.fromSeed(String(seed)).stream("options"), { ...ALL_LIMITS, workloads });
    const all = drawn(ALL_LIMITS.workloads);
    if (isRecordWorkload(all.workload)) records++;
    else expect(all).toEqual(drawn(others));
  }
  expect(records).toBeGreaterThan(5);
  expect(records).toBeLessThan(40);
});
