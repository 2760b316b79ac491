import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { caseOf, formatCase, parseCase, type SimulationCase } from "../../../sim/cases/case.js";
import { listCases, readCase, writeCase } from "../../../sim/cases/files.js";
import { replayCase } from "../../../sim/cases/replay.js";
import { runSeed, type SeedConfig, seedAt } from "../../../sim/run/seed.js";
import { DEFAULT_LIMITS } from "../../../sim/workload/options.js";

const CONFIG: SeedConfig = { limits: DEFAULT_LIMITS, mutants: [], repeatShare: 0, recording: false };
const MUTANT = "W1-ack-before-sync";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stillwater-cases-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function passingCase(seed = "31"): Promise<SimulationCase> {
  return caseOf(await runSeed(seed, CONFIG), [], "passing", "passes");
}

async function failingCase(): Promise<SimulationCase> {
  for (let i = 0; i < 40; i++) {
    const result = await runSeed(seedAt("1", i), { ...CONFIG, mutants: [MUTANT] });
    if (result.failure !== null) return caseOf(result, [MUTANT], "failing", result.failure.message);
  }
  return expect.unreachable("the planted bug survived 40 seeds");
}

describe("a saved run", () => {
  test("replays exactly, without the generator, from its file", async () => {
    for (const seed of ["31", "32", "33"]) {
      const one = await passingCase(seed);
      const read = readCase(writeCase(folder, one));
      expect(read).toEqual(one);
      const { asExpected, sameTrace } = await replayCase(read);
      expect({ seed, asExpected, sameTrace }).toEqual({ seed, asExpected: true, sameTrace: true });
    }
  });

  test("that failed fails again by the same oracle, and passes once the bug is gone", async () => {
    const one = readCase(writeCase(folder, await failingCase()));
    expect(one.expect.oracle).toBe("O1");
    const { asExpected, sameTrace, result } = await replayCase(one);
    expect(result.failure?.oracle).toBe("O1");
    expect([asExpected, sameTrace]).toEqual([true, true]);
    const fixed = await replayCase(one, false, []);
    expect(fixed.result.failure).toBeNull();
    expect(fixed.asExpected).toBe(false);
  });

  test("may have any operation or choice taken out, and still runs", async () => {
    const one = await passingCase();
    const operations = one.operations.filter((_, i) => i % 3 !== 1);
    const { result } = await replayCase({ ...one, operations, choices: {} });
    expect(result.failure).toBeNull();
    expect(result.operations).toEqual(operations);
  });

  test("is listed by name", async () => {
    const one = await passingCase();
    writeCase(join(folder, "listed"), { ...one, name: "b" });
    writeCase(join(folder, "listed"), { ...one, name: "a" });
    writeFileSync(join(folder, "listed", "notes.txt"), "");
    expect(listCases(join(folder, "listed"))).toEqual(
      ["a.json", "b.json"].map((name) => join(folder, "listed", name)),
    );
  });
});

describe("what is not a case is refused with the place and what was wanted:", () => {
  let good: SimulationCase;
  beforeAll(async () => {
    good = await passingCase();
  });
  const parse = (change: object) => () => parseCase(JSON.stringify({ ...good, ...change }), "x.json");

  test("the good one is not refused", () => {
    expect(parseCase(formatCase(good), "x.json")).toEqual(good);
  });

  test("no JSON, no object, no file", () => {
    expect(() => parseCase("{", "x.json")).toThrow(/x\.json is not JSON/);
    expect(() => parseCase("[]", "x.json")).toThrow(/the file must be an object/);
    expect(() => readCase(join(folder, "nowhere.json"))).toThrow(/cannot be read/);
  });

  test("another format", () => {
    expect(parse({ format: 2 })).toThrow(/x\.json has case format 2, but this version reads format 1/);
    expect(parse({ format: "1" })).toThrow(/format must be the number 1/);
  });

  test("wrong fields", () => {
    expect(parse({ seed: 5 })).toThrow(/seed must be a text/);
    expect(parse({ expect: { oracle: "O99" } })).toThrow(/expect\.oracle must be/);
    expect(parse({ mutants: [1] })).toThrow(/mutants\[0\] must be a text/);
    expect(parse({ operations: {} })).toThrow(/operations must be an array/);
    expect(parse({ operations: [{ kind: "explode" }] })).toThrow(/operations\[0\]\.kind must be one of/);
    expect(parse({ operations: [{ kind: "get" }] })).toThrow(/operations\[0\]\.key must be a text/);
    const write = { kind: "write", call: "batch", mutations: [["put", "a", 1, -1]] };
    expect(parse({ operations: [write] })).toThrow(
      /operations\[0\]\.mutations\[0\]\[3\] must be a whole number/,
    );
    expect(
      parse({
        choices: {
          crash: [
            [3, 1],
            [2, 1],
          ],
        },
      }),
    ).toThrow(/choices\.crash\[1\]\[0\] must be more than 3/);
    expect(parse({ options: { ...good.options, store: { blockBytes: 1 } } })).toThrow(/blockBytes/);
    expect(parse({ options: { ...good.options, disk: {} } })).toThrow(/options\.disk\.capacityBytes/);
  });
});
