import { describe, expect, test } from "vitest";
import { hunt } from "../../../sim/mutants/hunt.js";
import { runSeed, type SeedConfig } from "../../../sim/run/seed.js";
import { ALL_LIMITS, DEFAULT_LIMITS, TRANSACTION_LIMITS } from "../../../sim/workload/options.js";
import { isTransactionWorkload, TRANSACTION_WORKLOADS } from "../../../sim/workload/transaction-workloads.js";
import { parseWorkloads } from "../../../sim/workload/workloads.js";

const CONFIG: SeedConfig = { limits: TRANSACTION_LIMITS, mutants: [], repeatShare: 0, recording: false };

describe("transactions in the simulator", () => {
  test("keep every promise in each workload, over crashes, with commits, conflicts and judged reads", async () => {
    let acknowledged = 0;
    let recoveries = 0;
    let judged = 0;
    for (const workload of TRANSACTION_LIMITS.workloads) {
      for (const seed of ["1", "2"]) {
        const limits = { ...TRANSACTION_LIMITS, workloads: [workload] };
        const { failure, counts, options } = await runSeed(seed, { ...CONFIG, limits });
        expect(failure, `${workload} ${seed}`).toBe(null);
        expect(options.workload).toBe(workload);
        acknowledged += counts.acknowledged;
        recoveries += counts.recoveries;
        judged += counts.oracles.O5;
      }
    }
    expect(acknowledged).toBeGreaterThan(200);
    expect(recoveries).toBeGreaterThan(20);
    expect(judged).toBeGreaterThan(1000);
  });

  test("run the same way twice", async () => {
    for (const seed of ["4", "5"]) {
      expect((await runSeed(seed, { ...CONFIG, repeatShare: 1 })).failure).toBe(null);
    }
  });

  test.each([
    ["T1-reads-not-checked", "O5"],
    ["T7-only-writes-checked", "O5"],
    ["T24-watch-told-without-a-change", "O32"],
  ])("a checker with %s is found out by %s", async (mutant, oracle) => {
    const { kill } = await hunt({ mutant, from: "1", seedsMax: 40 });
    expect(kill?.oracle).toBe(oracle);
  });

  test("are about a quarter of the seeds of a plain run, and leave the others as they are", async () => {
    let transactions = 0;
    for (let seed = 1; seed <= 12; seed++) {
      const all = await runSeed(String(seed), { ...CONFIG, limits: ALL_LIMITS });
      if (isTransactionWorkload(all.options.workload)) transactions++;
      else {
        const store = await runSeed(String(seed), { ...CONFIG, limits: DEFAULT_LIMITS });
        expect(all.fingerprint).toEqual(store.fingerprint);
      }
    }
    expect(transactions).toBeGreaterThan(0);
    expect(transactions).toBeLessThan(8);
  });

  test("go by one name together, and each by its own", () => {
    expect(parseWorkloads("transactions")).toEqual(Object.keys(TRANSACTION_WORKLOADS));
    expect(parseWorkloads("cycle,commits")).toEqual(["cycle", "commits"]);
    expect(() => parseWorkloads("ring")).toThrow(/transactions/);
  });
});
