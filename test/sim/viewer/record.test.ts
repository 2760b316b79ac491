import { beforeAll, describe, expect, it } from "vitest";
import { caseOf, type SimulationCase } from "../../../sim/cases/case.js";
import { Choices } from "../../../sim/choices/choices.js";
import { runSeed, type SeedResult } from "../../../sim/run/seed.js";
import { simulate } from "../../../sim/run/simulation.js";
import { recordCase } from "../../../sim/viewer/record.js";
import { Recorder } from "../../../sim/viewer/recorder.js";
import { classifyStoreCall, STORE_LANES } from "../../../sim/viewer/store-lanes.js";
import { type RecordedTrace, STEP_KINDS } from "../../../sim/viewer/trace-model.js";
import { RecordedOperations } from "../../../sim/workload/generator.js";
import { DEFAULT_LIMITS } from "../../../sim/workload/options.js";

const MUTANT = "M1-current-not-synced";
const NOTES = { subject: "seed", reproduce: "stillwater sim replay" };

/** The jobs of the engine that every page should be able to tell apart, and where each makes calls. */
const JOBS = {
  flush: "engine/table/builder.ts",
  compaction: "engine/table/builder.ts",
  "commit log": "engine/wal/segment.ts",
  recovery: "engine/recovery.ts",
  background: "engine/manifest/manifest-log.ts",
} as const;
const SEEDS_MAX = 20;

let passing: SeedResult;
let trace: RecordedTrace;

/** A seed that crashes with something unsynced and compacts, whatever generators draw by now. */
beforeAll(async () => {
  for (let seed = 3; seed < 3 + SEEDS_MAX; seed++) {
    passing = await run(String(seed), []);
    if (passing.failure !== null || passing.counts.crashStates === 0) continue;
    trace = await recordCase(caseFrom(passing, []), NOTES);
    if (Object.keys(JOBS).every((lane) => placesOf(lane).length > 0)) return;
  }
});

describe("recording a run", () => {
  it("changes nothing about it", async () => {
    const recorder = new Recorder({ classify: classifyStoreCall, lanes: STORE_LANES });
    const result = await simulate({
      options: passing.options,
      choices: Choices.fromLog(passing.seed, passing.choices),
      source: new RecordedOperations(passing.operations),
      mutants: [],
      recording: false,
      recorder,
    });
    const { streams: _streams, ...fingerprint } = passing.fingerprint;
    expect(result.fingerprint).toMatchObject(fingerprint);
    expect(recorder.steps).toBeGreaterThan(passing.counts.vfsCalls);
  });

  it("tells each job of the engine by where its calls come from", () => {
    for (const [lane, place] of Object.entries(JOBS)) {
      expect(placesOf(lane).join(), lane).toContain(place);
    }
  });

  it("has every operation, every crash with what it decided, and every injected fault", () => {
    const { steps, crashes, faults, spans, strings } = trace.model;
    const begun = spans.text
      .map((text) => strings[text] ?? "")
      .filter((text) => text.startsWith("operation "));
    expect(begun.length).toBe(passing.operations.length);
    const kinds = steps.kind.map((kind) => STEP_KINDS[kind]);
    expect(kinds.filter((kind) => kind === "crash")).toHaveLength(crashes.length);
    expect(crashes).toHaveLength(passing.counts.powerLosses + passing.counts.processKills);
    const settled = crashes.filter((crash) => crash.settled.length > 0);
    expect(settled).toHaveLength(passing.counts.crashStates);
    const counted = Object.values(passing.counts.faults).reduce((sum, times) => sum + times, 0);
    expect(faults).toHaveLength(2 * counted);
  });

  it("says in the headline what failed, in the words of the oracle", async () => {
    let failing = await run("1", [MUTANT]);
    for (let seed = 2; failing.failure === null && seed <= SEEDS_MAX; seed++)
      failing = await run(String(seed), [MUTANT]);
    const { headline, steps } = (await recordCase(caseFrom(failing, [MUTANT]), NOTES)).model;
    expect(headline.failure).toMatchObject({ oracle: "O8" });
    expect(failing.failure?.message).toContain(headline.failure?.because ?? "nothing");
    expect(headline.failure?.because).not.toContain("O8 broken");
    expect(headline.subject).toBe(`seed with ${MUTANT}`);
    expect(headline.rootCause).toBeNull();
    expect(steps.kind.map((kind) => STEP_KINDS[kind])).toContain("finding");
  });

  it("gives the root cause that the shrinker has left in a case", async () => {
    const cause = "fails iff the power fails at write of /store/CURRENT, and `size 0 -> 64` does not persist";
    const one = { ...caseFrom(passing, []), operations: [], note: "O8: CURRENT does not verify", cause };
    const { headline } = (await recordCase(one, NOTES)).model;
    expect(headline.rootCause).toBe(cause);
    expect(headline.facts).toContainEqual(["about", "O8: CURRENT does not verify"]);
  });
});

function run(seed: string, mutants: readonly string[]): Promise<SeedResult> {
  return runSeed(seed, { limits: DEFAULT_LIMITS, mutants, repeatShare: 0, recording: false });
}

/** Where the calls on a lane were made. */
function placesOf(lane: string): string[] {
  const { lanes, steps, strings } = trace.model;
  const number = lanes.indexOf(lane);
  const places = steps.place.filter((place, step) => place !== 0 && steps.lane[step] === number);
  return [...new Set(places)].map((place) => strings[place] ?? "");
}

function caseFrom(result: SeedResult, mutants: readonly string[]): SimulationCase {
  return caseOf(result, mutants, "a-case", "");
}
