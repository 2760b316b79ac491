/** The explorer finds what it must find, and nothing in an engine that is right. */
import { describe, expect, test } from "vitest";
import { replayCase } from "../../../sim/cases/replay.js";
import { type ExplorationResult, explore } from "../../../sim/explore/exploration.js";
import { caseOfFailure } from "../../../sim/explore/explore-case.js";
import { formatExploration, formatExploredFailure } from "../../../sim/explore/summary.js";
import { exploreUnit } from "../../../sim/explore/unit.js";
import { listUnits, workloadText } from "../../../sim/explore/workloads.js";

function exploreOneStep(mutants: readonly string[]): Promise<ExplorationResult> {
  return explore({ stepsMax: 1, jobs: 0, depth: 1, mutants, failuresMax: 1 }, () => {});
}

describe("an exploration", () => {
  test("of single steps proves that no crash breaks a promise, and says within which bounds", async () => {
    const result = await exploreOneStep([]);
    expect(result.failures).toEqual([]);
    const { counts, oracles, isFinished } = result;
    expect(isFinished).toBe(true);
    expect(counts.workloads).toBe(listUnits(1).flatMap(({ workloads }) => workloads).length);
    expect(counts.completeInstants).toBe(counts.instants);
    expect(counts.states).toBeGreaterThan(1000);
    expect(counts.distinctStates).toBeLessThan(counts.states);
    expect(counts.recoveries).toBe(3 * counts.distinctStates);
    for (const id of ["O1", "O2", "O3", "O4", "O7", "O8", "O9", "O10", "O12", "O13", "O18", "O23"] as const) {
      expect(oracles[id], id).toBeGreaterThan(0);
    }
    expect(formatExploration(result)).toContain("no promise is broken: proven for every workload of up to 1");
  });

  test("of a unit comes to the same each time, and crashes in recoveries are further states", async () => {
    const [unit] = listUnits(0);
    if (unit === undefined) throw new Error("opening alone is a unit");
    const shallow = await exploreUnit(unit, { mutants: [], depth: 1 });
    expect(await exploreUnit(unit, { mutants: [], depth: 1 })).toEqual(shallow);
    const deep = await exploreUnit(unit, { mutants: [], depth: 2 });
    expect(deep.failures).toEqual([]);
    expect(shallow.counts.statesInRecovery).toBe(0);
    expect(deep.counts.statesInRecovery).toBeGreaterThan(100);
    expect(deep.counts.distinctStates).toBe(shallow.counts.distinctStates + deep.counts.statesInRecovery);
  });
});

describe("a planted bug is found by a single step or by opening alone, as a case that replays", () => {
  const planted = [
    ["M1-current-not-synced", "O8", "(open only)"],
    ["M2-manifest-not-synced", "O8", "(open only)"],
    ["M28-found-directory-not-synced", "O8", "(open only)"],
    ["D2-table-not-synced", "O8", "put-a"],
    ["W1-ack-before-sync", "O1", "put-a"],
  ] as const;

  test.for(planted)("%s", async ([mutant, oracle, workload]) => {
    const { failures } = await exploreOneStep([mutant]);
    const [first] = failures;
    if (first === undefined) throw new Error(`${mutant} is not found`);
    expect(first.oracle).toBe(oracle);
    expect(first.workload).toBe(workload);
    expect(formatExploredFailure(first, "x.json")).toContain("stillwater sim replay x.json");
    const { one, reproduced } = await caseOfFailure(first, [mutant], "found");
    expect(reproduced).toBe(true);
    const replay = await replayCase(one);
    expect(replay.asExpected && replay.sameTrace).toBe(true);
    const sound = await replayCase({ ...one, mutants: [], expect: { oracle: null } });
    expect(sound.result.failure).toBeNull();
  });

  test("a crash after a kill, and one in a recovery, are requested where the case counts from", async () => {
    const unit = listUnits(2).find(({ workloads }) =>
      workloads.some((one) => workloadText(one) === "kill, put-a"),
    );
    const workloads = unit?.workloads.filter((one) => workloadText(one) === "kill, put-a") ?? [];
    const { failures } = await exploreUnit({ workloads }, { mutants: ["W1-ack-before-sync"], depth: 2 });
    const single = failures.find(({ crashes }) => crashes.length === 1);
    const double = failures.find(({ crashes }) => crashes.length === 2);
    for (const failure of [single, double]) {
      if (failure === undefined) continue;
      const { one, reproduced } = await caseOfFailure(failure, ["W1-ack-before-sync"], "found");
      expect(reproduced).toBe(true);
      expect(
        one.operations.some((operation) => operation.kind === "crash" && operation.nested.length > 0),
      ).toBe(true);
    }
    expect(single).toBeDefined();
  });
});
