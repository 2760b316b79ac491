/** Damage is detected or masked, never served: runs in which it is certain to happen. */
import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { type SimulationResult, simulate } from "../../../sim/run/simulation.js";
import { OperationGenerator } from "../../../sim/workload/generator.js";
import { DEFAULT_LIMITS, drawOptions, type SimulationOptions } from "../../../sim/workload/options.js";

const SEEDS = Array.from({ length: 12 }, (_, i) => `damage ${i}`);

function run(
  seed: string,
  change: (options: SimulationOptions) => SimulationOptions,
  mutants: readonly string[] = [],
): Promise<SimulationResult> {
  const choices = Choices.fromSeed(seed);
  const options = change(
    drawOptions(choices.stream("options"), { ...DEFAULT_LIMITS, workloads: ["commits"], faults: [] }),
  );
  const source = new OperationGenerator(options, choices.stream("workload"));
  return simulate({ options, choices, source, mutants, recording: false });
}

describe("rot in a record of the log that had surely been durable", () => {
  const rotten = (options: SimulationOptions): SimulationOptions => ({
    ...options,
    crashes: { ...options.crashes, everyOperations: 40, atCalls: true },
    store: { ...options.store, durability: "sync", memtableBytes: 65_536 },
    logRotProbability: 1,
  });

  test("makes the store refuse to open", async () => {
    let refusals = 0;
    for (const seed of SEEDS) {
      const { failure, counts } = await run(seed, rotten);
      expect(failure?.message).toBeUndefined();
      refusals += counts.refusals;
    }
    expect(refusals).toBeGreaterThan(SEEDS.length / 4);
  });

  test("that a store overlooks is a broken promise", async () => {
    const broken: (string | null)[] = [];
    for (const seed of SEEDS) {
      const { failure } = await run(seed, rotten, ["W11-scan-ahead-skipped"]);
      if (failure !== null) broken.push(failure.oracle);
    }
    expect(broken.length).toBeGreaterThan(0);
    expect(new Set(broken)).toEqual(new Set(["O23"]));
  });
});

describe("rot and unreadable sectors in tables", () => {
  test("end in a refusal or are never met, and no read is wrong", async () => {
    let refusals = 0;
    for (const seed of SEEDS) {
      const { failure, counts } = await run(seed, (options) => ({
        ...options,
        disk: { ...options.disk, faults: { ...options.disk.faults, bitRot: 0.01, latentSector: 0.005 } },
      }));
      expect(failure?.message).toBeUndefined();
      refusals += counts.refusals;
    }
    expect(refusals).toBeGreaterThan(0);
  });
});
