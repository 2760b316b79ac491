import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runEnsemble } from "../../../sim/run/ensemble.js";
import { parseSeed, runSeed, type SeedConfig, seedAt } from "../../../sim/run/seed.js";
import { DEFAULT_LIMITS } from "../../../sim/workload/options.js";
import { type Compiled, compileSources, runModule } from "../compiled.js";

const CONFIG: SeedConfig = { limits: DEFAULT_LIMITS, mutants: [], repeatShare: 0, recording: false };

describe("a small ensemble over the real engine", () => {
  test(
    "keeps every promise in 50 seeds, with crashes, recoveries and faults",
    {
      timeout: 120_000,
    },
    async () => {
      let crashes = 0;
      let recoveries = 0;
      let faults = 0;
      const failures: string[] = [];
      for (let i = 0; i < 50; i++) {
        const { failure, seed, counts } = await runSeed(seedAt("4000", i), CONFIG);
        if (failure !== null) failures.push(`seed ${seed}: ${failure.message}`);
        crashes += counts.processKills + counts.powerLosses;
        recoveries += counts.recoveries;
        faults += Object.values(counts.faults).reduce((sum, times) => sum + times, 0);
      }
      expect(failures).toEqual([]);
      expect(crashes).toBeGreaterThan(50);
      expect(recoveries).toBeGreaterThan(crashes);
      expect(faults).toBeGreaterThan(100);
    },
  );

  test("runs a seed the same way twice, recorded or not", async () => {
    for (const seed of ["11", "12", "deadbeef"]) {
      const first = await runSeed(seed, CONFIG);
      const second = await runSeed(seed, { ...CONFIG, recording: true });
      expect(second.fingerprint).toEqual(first.fingerprint);
      expect(second.operations).toEqual(first.operations);
      expect(second.choices).toEqual(first.choices);
      expect(first.traceLines).toEqual([]);
      expect(second.traceLines.length).toBeGreaterThan(100);
    }
  });

  test("can fail: a planted bug is found within 40 seeds, by an oracle, the same one each time", async () => {
    const config = { ...CONFIG, mutants: ["W1-ack-before-sync"] };
    for (let i = 0; i < 40; i++) {
      const { failure, seed } = await runSeed(seedAt("1", i), config);
      if (failure === null) continue;
      expect(failure.oracle).toBe("O1");
      expect(failure.class).toBe("safety");
      expect((await runSeed(seed, config)).failure).toEqual(failure);
      return;
    }
    expect.unreachable("the planted bug survived 40 seeds");
  });
});

describe("in other processes", () => {
  let compiled: Compiled;
  beforeAll(() => {
    compiled = compileSources();
  }, 60_000);
  afterAll(() => compiled.remove());

  test("a seed runs the same way", async () => {
    const text = `
      import { runSeed } from "./sim/run/seed.js";
      const config = JSON.parse(process.argv[1]);
      const prints = [];
      for (const seed of ["21", "22", "23", "24"]) prints.push((await runSeed(seed, config)).fingerprint);
      console.log(JSON.stringify(prints));
    `;
    const outcomes = await Promise.all([1, 2].map(() => runModule(compiled, text, JSON.stringify(CONFIG))));
    const here = [];
    for (const seed of ["21", "22", "23", "24"]) here.push((await runSeed(seed, CONFIG)).fingerprint);
    for (const { code, output, errors } of outcomes) {
      expect(errors).toBe("");
      expect(code).toBe(0);
      expect(JSON.parse(output)).toEqual(here);
    }
  });

  test("several threads run the same seeds as one", async () => {
    const text = `
      import { runEnsemble } from "./sim/run/ensemble.js";
      const config = JSON.parse(process.argv[1]);
      const { seeds, counts } = await runEnsemble({ ...config, timeMs: Infinity }, () => {});
      console.log(JSON.stringify({ seeds, counts }));
    `;
    const run = async (jobs: number) => {
      const config = { ...CONFIG, from: "300", seeds: 12, jobs, failuresMax: 1 };
      const { output, errors } = await runModule(compiled, text, JSON.stringify(config));
      expect(errors).toBe("");
      const { seeds, counts } = JSON.parse(output) as {
        seeds: number;
        counts: { operations: number; vfsCalls: number; recoveries: number };
      };
      return [seeds, counts.operations, counts.vfsCalls, counts.recoveries];
    };
    const [one, two] = await Promise.all([run(1), run(2)]);
    expect(two).toEqual(one);
    expect(one?.[0]).toBe(12);
  });

  test("a seed that takes too long is given up by name, as a broken promise of liveness, and the others run on", async () => {
    const text = `
      import { runEnsemble } from "./sim/run/ensemble.js";
      const config = JSON.parse(process.argv[1]);
      const { seeds, failures } = await runEnsemble({ ...config, timeMs: Infinity }, () => {});
      console.log(JSON.stringify({ seeds, failures }));
    `;
    // No seed is over within a millisecond, so every one of them hangs.
    const config = { ...CONFIG, from: "300", seeds: 3, jobs: 1, failuresMax: 10, seedMsMax: 1 };
    const { output, errors } = await runModule(compiled, text, JSON.stringify(config));
    expect(errors).toBe("");
    const { seeds, failures } = JSON.parse(output) as {
      seeds: number;
      failures: { seed: string; failure: { class: string; message: string } }[];
    };
    expect(seeds).toBe(3);
    expect(failures.map(({ seed }) => seed)).toEqual(["300", "301", "302"]);
    for (const { failure } of failures) {
      expect(failure.class).toBe("liveness");
      expect(failure.message).toContain("has not ended within 0.001 s");
    }
  });
});

test("an ensemble adds up its seeds, and stops when enough have failed", async () => {
  const ensemble = {
    ...CONFIG,
    from: "1",
    seeds: 60,
    timeMs: Number.POSITIVE_INFINITY,
    jobs: 0,
    failuresMax: 2,
  };
  const told: number[] = [];
  const bad = await runEnsemble({ ...ensemble, mutants: ["W1-ack-before-sync"] }, (seeds) =>
    told.push(seeds),
  );
  expect(bad.failures.map(({ failure }) => failure?.oracle)).toEqual(["O1", "O1"]);
  expect(bad.seeds).toBeLessThan(60);
  expect(told.at(-1)).toBe(bad.seeds);
  const none = await runEnsemble({ ...ensemble, timeMs: 0 }, () => {});
  expect(none).toMatchObject({ seeds: 0, failures: [] });
});

test("seeds count up from a number, and get a suffix otherwise", () => {
  expect([seedAt("7", 0), seedAt("7", 3)]).toEqual(["7", "10"]);
  const hash = "b87fd66a90b1c2d3e4f5061728394a5b6c7d8e9f";
  expect([seedAt(hash, 0), seedAt(hash, 2)]).toEqual([hash, `${hash}+2`]);
});

test("a commit's hash is a seed: it runs, repeats, and begins a series of its own", async () => {
  const hash = "0123456789abcdef0123456789abcdef01234567";
  expect(parseSeed(hash)).toBe(hash);
  expect([0, 1, 2].map((n) => seedAt(hash, n))).toEqual([hash, `${hash}+1`, `${hash}+2`]);
  expect(parseSeed(seedAt(hash, 1))).toBe(`${hash}+1`);
  const config: SeedConfig = { ...CONFIG, repeatShare: 1 };
  const one = await runSeed(hash, config);
  const next = await runSeed(`${hash}+1`, config);
  expect(one.failure).toBeNull();
  expect(one.counts.oracles.O14).toBe(1);
  expect(next.fingerprint.traceHash).not.toBe(one.fingerprint.traceHash);
});
