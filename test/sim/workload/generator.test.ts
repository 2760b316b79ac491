import { describe, expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import type { FaultProbabilities } from "../../../sim/disk/options.js";
import { OperationGenerator, type WorkloadState } from "../../../sim/workload/generator.js";
import { KeySpace } from "../../../sim/workload/key-space.js";
import { MUTATIONS_MAX, type Operation } from "../../../sim/workload/operation.js";
import {
  DEFAULT_LIMITS,
  drawOptions,
  FAULT_NAMES,
  mayRefuse,
  parseFaults,
  type SimulationOptions,
} from "../../../sim/workload/options.js";
import { OPERATION_FAMILIES, parseWorkloads } from "../../../sim/workload/workloads.js";
import { resolveOptions } from "../../../src/engine/options.js";

const IDLE: WorkloadState = {
  openSnapshots: [],
  openIterators: [],
  failedStop: false,
  crashArmed: false,
  spaceLimited: false,
  crashPointsSeen: ["wal_append", "recovery.done"],
};

function optionsOf(seed: string, limits = DEFAULT_LIMITS): SimulationOptions {
  return drawOptions(Choices.fromSeed(seed).stream("options"), limits);
}

function operationsOf(seed: string, state: WorkloadState = IDLE): Operation[] {
  const choices = Choices.fromSeed(seed);
  const options = drawOptions(choices.stream("options"), DEFAULT_LIMITS);
  const generator = new OperationGenerator(options, choices.stream("workload"));
  const operations: Operation[] = [];
  for (let next = generator.next(state, 0); next !== null; next = generator.next(state, operations.length)) {
    operations.push(next);
  }
  return operations;
}

const SEEDS = Array.from({ length: 200 }, (_, i) => String(i));

describe("options", () => {
  test("are plain data, and every store accepts them", () => {
    for (const seed of SEEDS) {
      const options = optionsOf(seed);
      expect(JSON.parse(JSON.stringify(options))).toEqual(options);
      expect(() => resolveOptions(options.store)).not.toThrow();
    }
  });

  test("switch every family of operations off in some seeds and on in others, but for writes and reads", () => {
    for (const family of OPERATION_FAMILIES) {
      // Of workloads of their own.
      if (family === "transact" || family === "backup") continue;
      const on = SEEDS.filter((seed) => optionsOf(seed).weights[family] > 0).length;
      const always = family === "write" || family === "get";
      expect(on, family).toBeGreaterThan(10);
      if (always) expect(on, family).toBe(SEEDS.length);
      else expect(on, family).toBeLessThan(SEEDS.length - 50);
    }
  });

  test("switch every fault that is decided call by call off in some seeds and on in others", () => {
    const { faults } = optionsOf("1").disk;
    for (const name of FAULT_NAMES) {
      if (!isCallFault(faults, name)) continue;
      const on = SEEDS.filter((seed) => optionsOf(seed).disk.faults[name] > 0).length;
      expect(on, name).toBeGreaterThan(0);
      expect(on, name).toBeLessThan(SEEDS.length / 2 + 20);
    }
  });

  test("without faults have none, and are otherwise the same", () => {
    for (const seed of SEEDS.slice(0, 50)) {
      const without = optionsOf(seed, { ...DEFAULT_LIMITS, faults: [] });
      expect(Object.values(without.disk.faults).every((probability) => probability === 0)).toBe(true);
      expect(without.weights.space).toBe(0);
      expect(mayRefuse(without)).toBe(false);
      const withAll = optionsOf(seed);
      const others = { disk: 0, weights: 0, logRotProbability: 0, world: 0, reopenings: 0 };
      expect({ ...without, ...others }).toEqual({ ...withAll, ...others });
    }
  });

  test("names of faults and workloads are checked", () => {
    expect(parseFaults("none")).toEqual([]);
    expect(parseFaults("default")).toEqual(FAULT_NAMES);
    expect(parseFaults("tear,noSpace")).toEqual(["tear", "noSpace"]);
    expect(() => parseFaults("tears")).toThrow('there is no fault "tears"');
    expect(parseWorkloads("ranges,commits")).toEqual(["ranges", "commits"]);
    expect(() => parseWorkloads("toString")).toThrow('there is no workload "toString"');
  });
});

describe("generated operations", () => {
  test("are the same for the same seed, and others for another", () => {
    expect(operationsOf("7")).toEqual(operationsOf("7"));
    expect(operationsOf("7")).not.toEqual(operationsOf("8"));
  });

  test("are plain data with sound commits", () => {
    for (const seed of SEEDS.slice(0, 30)) {
      const operations = operationsOf(seed);
      expect(JSON.parse(JSON.stringify(operations))).toEqual(operations);
      for (const operation of operations) {
        if (operation.kind !== "write") continue;
        expect(operation.mutations.length).toBeLessThanOrEqual(MUTATIONS_MAX);
        if (operation.call === "single") expect(operation.mutations.length).toBe(1);
        for (const mutation of operation.mutations) {
          if (mutation[0] === "deleteRange") expect(mutation[1] <= mutation[2]).toBe(true);
        }
      }
    }
  });

  test("crash in every way: at calls, points and times, by kill and power loss, nested", () => {
    const crashes = SEEDS.slice(0, 60).flatMap((seed) =>
      operationsOf(seed).filter((operation) => operation.kind === "crash"),
    );
    for (const how of ["power-loss", "process-kill"])
      expect(crashes.some((one) => one.how === how)).toBe(true);
    for (const moment of ["calls", "point", "afterMs"]) {
      expect(
        crashes.some((one) => moment in one.at),
        moment,
      ).toBe(true);
    }
    expect(crashes.some((one) => one.nested.length > 1)).toBe(true);
  });

  test("do not crash while a crash is armed, and reopen a store that has stopped", () => {
    for (const seed of SEEDS.slice(0, 20)) {
      const armed = operationsOf(seed, { ...IDLE, crashArmed: true });
      expect(armed.some((operation) => operation.kind === "crash")).toBe(false);
      const stopped = operationsOf(seed, { ...IDLE, failedStop: true });
      const reopens = stopped.filter((operation) => operation.kind === "reopen").length;
      expect(reopens).toBeGreaterThan(stopped.length / 6);
    }
  });

  test("use what is open", () => {
    const state = { ...IDLE, openSnapshots: [17], openIterators: [23] };
    const operations = SEEDS.slice(0, 40).flatMap((seed) => operationsOf(seed, state));
    expect(operations.some((one) => one.kind === "get" && one.snapshot === 17)).toBe(true);
    expect(operations.some((one) => one.kind === "stepIterator" && one.id === 23)).toBe(true);
    expect(operations.some((one) => one.kind === "closeSnapshot" && one.id === 17)).toBe(true);
  });
});

test("key spaces are sorted, without repetition, and of every awkward shape", () => {
  const shapes = { empty: 0, prefixOfAnother: 0, high: 0, long: 0 };
  for (const seed of SEEDS.slice(0, 60)) {
    const { keys: options } = optionsOf(seed);
    const { keys } = new KeySpace({ ...options, long: true }, Choices.fromSeed(seed).stream("workload"));
    expect(keys).toEqual([...new Set(keys)].sort());
    if (keys.includes("")) shapes.empty++;
    if (keys.some((key) => key.startsWith("\u00ff\u00ff"))) shapes.high++;
    if (keys.some((key) => key.length > 200)) shapes.long++;
    if (keys.some((key, i) => i > 0 && key.startsWith(keys[i - 1] as string))) shapes.prefixOfAnother++;
  }
  for (const [shape, times] of Object.entries(shapes)) expect(times, shape).toBeGreaterThan(10);
});

/** Whether `--faults` calls a fault as the disk does. */
function isCallFault(faults: FaultProbabilities, name: string): name is keyof FaultProbabilities {
  return Object.hasOwn(faults, name);
}
