import { expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { type SimulationResult, simulate } from "../../../sim/run/simulation.js";
import { RecordedOperations } from "../../../sim/workload/generator.js";
import { PLAIN_OPTIONS } from "../../../sim/workload/plain-options.js";

/** A checkpoint during which the process is killed at a crash point; 0 operations follow. */
function cutOff(point: string): Promise<SimulationResult> {
  return simulate({
    options: PLAIN_OPTIONS,
    choices: Choices.fromLog("1", {}),
    source: new RecordedOperations([
      { kind: "write", call: "single", mutations: [["put", "a", 64, 10]] },
      { kind: "write", call: "single", mutations: [["put", "b", 128, 10]] },
      { kind: "crash", how: "process-kill", at: { point, hits: 1 }, nested: [] },
      { kind: "checkpoint", restores: false },
    ]),
    mutants: [],
    recording: true,
  });
}

test("[O20] a checkpoint that is cut off after it has got its name is opened and compared, and removed", async () => {
  const { failure, counts, traceLines } = await cutOff("partial.renamed");
  expect(failure).toBeNull();
  expect(counts.processKills).toBe(1);
  expect(counts.oracles.O20).toBe(1);
  expect(traceLines).toContain("vfs removeDirectory /checkpoint-3 0 0");
});

test("[O20] one that is cut off before promises nothing, and is cleared away", async () => {
  const { failure, counts, traceLines } = await cutOff("checkpoint.manifest-durable");
  expect(failure).toBeNull();
  expect(counts.processKills).toBe(1);
  expect(counts.oracles.O20).toBe(0);
  expect(traceLines).toContain("vfs removeDirectory /checkpoint-3.partial 0 0");
});

test("[O20] a checkpoint that has failed under its name already, and is being removed, is none for the next process", async () => {
  const disk = { ...PLAIN_OPTIONS.disk, faults: { ...PLAIN_OPTIONS.disk.faults, syncError: 1e-9 } };
  const cutOffRemovals = new Set<number>();
  // The seventh sync, counted from 0, is that of the directory in which the checkpoint has got its name.
  for (let calls = 37; calls < 45; calls++) {
    const { failure, traceLines } = await simulate({
      options: { ...PLAIN_OPTIONS, disk },
      choices: Choices.fromLog("1", { "disk.sync": [["1:7", 1]] }),
      source: new RecordedOperations([
        { kind: "crash", how: "power-loss", at: { calls }, nested: [] },
        { kind: "checkpoint", restores: false },
      ]),
      mutants: [],
      recording: true,
    });
    expect(failure).toBeNull();
    const crash = traceLines.findIndex((line) => line.startsWith("crash power-loss at"));
    if (traceLines[crash - 1] === "vfs removeFile /checkpoint-1/CURRENT 0 0") cutOffRemovals.add(calls);
  }
  expect(cutOffRemovals.size).toBe(1);
});

test("[O20] a copy that gets its name before its files have theirs for good is seen without a crash", async () => {
  const restored = (mutants: readonly string[]) =>
    simulate({
      options: PLAIN_OPTIONS,
      choices: Choices.fromLog("1", {}),
      source: new RecordedOperations([
        { kind: "write", call: "single", mutations: [["put", "a", 64, 10]] },
        { kind: "checkpoint", restores: true },
      ]),
      mutants,
      recording: false,
    });
  expect((await restored([])).failure).toBeNull();
  const { failure } = await restored(["swap:partial@partial-directory:publishPartial"]);
  expect(failure).toMatchObject({ oracle: "O20" });
  expect(failure?.message).toMatch(/restored-1, once it has its name/);
});
