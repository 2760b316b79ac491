/**
 * `simulate`, by the example of the documentation: the bug of the journal is found and explained, the fixed journal
 * passes, a seed repeats, and with fast-check one message holds both seeds.
 */
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { FixedJournal } from "../../../examples/journal/fixed-journal.js";
import { Journal } from "../../../examples/journal/journal.js";
import { appending, nothingLost } from "../../../examples/journal/scenario.js";
import { simulateWith } from "../../../sim/harness/fast-check.js";
import { type SimulateOptions, SimulationFailure, simulate } from "../../../sim/harness/simulate.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

const RECORDS = ["one", "two", "x".repeat(5000), "four"];
const journal: SimulateOptions<string> = {
  scenario: appending(Journal, RECORDS),
  check: nothingLost(Journal),
};
const fixed: SimulateOptions<string> = {
  scenario: appending(FixedJournal, RECORDS),
  check: nothingLost(FixedJournal),
};

async function failureOf(promise: Promise<unknown>): Promise<SimulationFailure> {
  const error: unknown = await promise.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(SimulationFailure);
  return error as SimulationFailure;
}

describe("simulate", () => {
  it("finds the bug of the journal, and its message has the cause and the line that repeats it", async () => {
    const failure = await failureOf(simulate(journal));
    expect(failure.message).toContain("create /data/journal");
    expect(failure.message).toMatch(/cause +It fails exactly when create \/data\/journal does not survive\./);
    expect(failure.message).toContain(`STILLWATER_SEED=${failure.seed} npx vitest run`);
    vi.stubEnv("STILLWATER_SEED", String(failure.seed));
    const again = await failureOf(simulate({ ...journal, seeds: 1 }));
    expect(again.message).toBe(failure.message);
  });

  it("finds nothing in the fixed journal, in hundreds of crash states", async () => {
    const report = await simulate(fixed);
    expect(report.seeds).toBe(200);
    expect(report.powerLosses).toBeGreaterThan(50);
    expect(report.processKills).toBeGreaterThan(50);
    expect(report.crashStates).toBeGreaterThan(20);
    expect((await simulate({ ...fixed, seeds: 20 })).hash).toBe(
      (await simulate({ ...fixed, seeds: 20 })).hash,
    );
  });

  it("crashes code that uses the VFS, the clock and streams, and lets it crash itself", async () => {
    const report = await simulate<number>({
      seeds: 40,
      scenario: async ({ fs, vfs, clock, scheduler, directory, acknowledge, crash }) => {
        const file = vfs.createFile(`${directory}/counter`);
        vfs.syncDirectory(directory);
        const before = clock.nowMs();
        await new Promise<void>((resolve) => scheduler.after(1000, resolve));
        file.write(Buffer.from([clock.nowMs() - before >= 1000 ? 1 : 0]), 0, 1, 0);
        file.syncData();
        acknowledge(1);
        const stream = fs.createWriteStream("log");
        stream.write("a");
        await new Promise<void>((resolve) => stream.end("b", resolve));
        crash("process-kill");
      },
      check: ({ fs, acknowledged, crash }) => {
        if (acknowledged.length > 0 && fs.readFileSync("counter")[0] !== 1)
          throw new Error("the counter is lost");
        if (crash === "power-loss") return;
        if (fs.existsSync("log") && !"ab".startsWith(fs.readFileSync("log", "utf8")))
          throw new Error("odd log");
      },
    });
    expect(report.processKills).toBeGreaterThan(10);
  });

  it("tells a scenario that fails by itself, a check that hangs, and an unknown option", async () => {
    const broken = { ...fixed, scenario: () => Promise.reject(new Error("own fault")) };
    await expect(simulate(broken)).rejects.toThrow("The scenario fails without any crash: own fault");
    const hangs = { ...fixed, seeds: 1, check: () => new Promise(() => {}) };
    await expect(simulate(hangs)).rejects.toThrow("the check does not come to an end");
    await expect(simulate({ ...fixed, seed: 3 } as typeof fixed)).rejects.toThrow('no option "seed"');
    vi.stubEnv("STILLWATER_SEED", "abc");
    await expect(simulate(fixed)).rejects.toThrow("STILLWATER_SEED must be a whole number");
  });
});

describe("simulateWith fast-check", () => {
  it("gives one message with the shrunk input and both seeds, and one line that repeats it", async () => {
    const withInput = {
      scenario: (context: { input: string[] } & Parameters<ReturnType<typeof appending>>[0]) =>
        appending(Journal, context.input)(context),
      check: nothingLost(Journal),
    };
    const records = fc.array(fc.string({ maxLength: 20 }), { maxLength: 4 });
    const run = () => simulateWith(fc, records, withInput, { seed: 42 });
    const failure = await failureOf(run());
    expect(failure.message).toMatch(/input +\["[^"]*"\]/);
    expect(failure.message).toMatch(/fast-check +seed 42, path "[\d:]+"/);
    const line = /STILLWATER_SEED=(\d+) STILLWATER_FAST_CHECK=(\S+) /.exec(failure.reproduce);
    vi.stubEnv("STILLWATER_SEED", line?.[1] ?? "");
    vi.stubEnv("STILLWATER_FAST_CHECK", line?.[2] ?? "");
    const again = await failureOf(run());
    expect(again.explanation.split("\n").slice(0, 3)).toEqual(failure.explanation.split("\n").slice(0, 3));
  });

  it("passes when no input and no seed fails", async () => {
    const records = fc.array(fc.string({ maxLength: 20 }), { maxLength: 3 });
    const options = {
      seeds: 5,
      scenario: (context: { input: string[] } & Parameters<ReturnType<typeof appending>>[0]) =>
        appending(FixedJournal, context.input)(context),
      check: nothingLost(FixedJournal),
    };
    expect(await simulateWith(fc, records, options, { numRuns: 5 })).toEqual({ inputs: 5 });
  });
});
