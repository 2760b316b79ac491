import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { caseOf, formatCase, parseCase, type SimulationCase } from "../../../sim/cases/case.js";
import { listCases, readCase, writeCase } from "../../../sim/cases/files.js";
import { explainDivergence, replayCase } from "../../../sim/cases/replay.js";
import { parseSeed, runSeed, type SeedConfig, seedAt } from "../../../sim/run/seed.js";
import { DEFAULT_LIMITS } from "../../../sim/workload/options.js";
import type { StillwaterError } from "../../../src/platform/errors.js";

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
    const fixed = await replayCase(one, { mutants: [] });
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

describe("a replay that is not the run that was saved", () => {
  let good: SimulationCase;
  beforeAll(async () => {
    good = await passingCase();
  });

  test("says between which events the two parted, and what the run does there now", async () => {
    const half = Math.floor(good.operations.length / 2);
    const middle = good.operations.findIndex(({ kind }, index) => index >= half && kind === "write");
    const changed = good.operations.with(middle, { kind: "get", key: "another key" });
    const one = { ...good, operations: changed };
    const replay = await replayCase(one);
    expect(replay.sameTrace).toBe(false);
    const { same, different } = replay.divergence ?? expect.unreachable("it has marks");
    const every = good.traceMarks?.every ?? 0;
    expect(different - same).toBe(every);
    expect(same).toBeGreaterThan(0);
    expect(different).toBeLessThan(good.traceLength ?? 0);
    const text = await explainDivergence(one, replay);
    expect(text).toContain(
      `between events ${same.toLocaleString("en-US")} and ${different.toLocaleString("en-US")}`,
    );
    expect(text?.split("\n").length).toBeGreaterThan(3);
    const { result } = await replayCase(one, { recording: true });
    const lines = result.trace.linesBetween(same + 1, different);
    expect(lines.some((line) => line.includes(`operation ${middle} `))).toBe(true);
  });

  test("says so as well when the case has no marks", async () => {
    const { traceMarks: _, ...one } = { ...good, operations: good.operations.slice(1) };
    const replay = await replayCase({ ...one, choices: {} });
    expect(replay).toMatchObject({ sameTrace: false, divergence: null });
    expect(await explainDivergence({ ...one, choices: {} }, replay)).toContain("the run differs from");
  });

  test("is nothing to explain when it is the same, or with another bug switched on", async () => {
    const replay = await replayCase(good);
    expect(replay.sameTrace).toBe(true);
    expect(await explainDivergence(good, replay)).toBeNull();
    expect((await replayCase(good, { mutants: [MUTANT] })).sameTrace).toBeNull();
  });
});

describe("a seed", () => {
  test("is a number, a commit hash or a word, and a path or a sentence is not", () => {
    const hash = "0123456789abcdef0123456789abcdef01234567";
    for (const text of ["0", "4711", hash, `${hash}+3`, "nightly-2"]) expect(parseSeed(text)).toBe(text);
    for (const text of ["", "seeds/a", "two words", "a\n", "x".repeat(81)]) {
      expect(() => parseSeed(text)).toThrow(/is no seed\. A seed is/);
    }
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
    const code = (change: object) => {
      try {
        return parse(change)();
      } catch (error) {
        return (error as StillwaterError).code;
      }
    };
    expect(parse({ format: 3 })).toThrow(/x\.json has case format 3, but this version reads format 2/);
    expect(code({ format: 3 })).toBe("UNSUPPORTED_FORMAT");
    expect(parse({ format: "2" })).toThrow(/format must be the number 2/);
    expect(code({ format: "2" })).toBe("INVALID_ARGUMENT");
  });

  test("names that this version does not know, with those it does", () => {
    const point = { kind: "crash", how: "power-loss", at: { point: "no.such", hits: 1 }, nested: [] };
    const save = (change: object) => {
      const path = join(folder, "named.json");
      writeFileSync(path, formatCase({ ...good, ...change }));
      return () => readCase(path);
    };
    expect(parse({ expect: { oracle: "O99" } })).toThrow(/expect\.oracle names "O99".*Known: O1, O2,/);
    expect(save({ mutants: ["X1-none"] })).toThrow(/mutants\[0\] names "X1-none".*W1-ack-before-sync/);
    expect(save({ operations: [point], choices: {} })).toThrow(
      /operations\[0\]\.at\.point names "no\.such".*Known: \*, .*wal/,
    );
    expect(save({ operations: [{ ...point, at: { calls: 1 }, nested: [point] }], choices: {} })).toThrow(
      /operations\[0\]\.nested\[0\] names "kind"/,
    );
    expect(parse({ choices: { luck: [] } })).toThrow(/choices names "luck".*Known: options, .*crash/);
    expect(parse({ operations: [{ kind: "explode" }] })).toThrow(
      /operations\[0\]\.kind names "explode".*Known: write,/,
    );
    expect(parse({ operations: [{ kind: "get", key: "a", keys: 1 }] })).toThrow(
      /operations\[0\] names "keys".*Known: key, blocking, snapshot/,
    );
    expect(parse({ options: { speed: 1 } })).toThrow(/options names "speed".*Known: workload, .*store/);
    expect(parse({ options: { disk: { faults: { gremlins: 1 } } } })).toThrow(
      /options\.disk\.faults names "gremlins".*Known: readError/,
    );
    expect(parse({ options: { schedule: "fair" } })).toThrow(/options\.schedule names "fair".*Known: fifo/);
    expect(parse({ options: { store: { blocks: 1 } } })).toThrow(/options\.store: .*"blocks".*blockBytes/);
    expect(parse({ extra: 1 })).toThrow(/the file names "extra".*Known: format/);
  });

  test("wrong fields", () => {
    expect(parse({ seed: 5 })).toThrow(/seed must be a text/);
    expect(parse({ mutants: [1] })).toThrow(/mutants\[0\] must be a text/);
    expect(parse({ operations: {} })).toThrow(/operations must be an array/);
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
    ).toThrow(/choices\.crash\[1\]\[0\] must be more than 3 in its segment/);
    expect(parse({ choices: { crash: [["7", 1]] } })).toThrow(/choices\.crash\[0\]\[0\] must be an address/);
    expect(parse({ operations: [], choices: { crash: [["7!1:0", 1]] } })).toThrow(
      /about one of the 0 operations \(it names operation 7\)/,
    );
    expect(parse({ options: { store: { blockBytes: 1 } } })).toThrow(/options\.store: .*blockBytes/);
    expect(parse({ options: { disk: { capacityBytes: "much" } } })).toThrow(
      /options\.disk\.capacityBytes must be a number/,
    );
    expect(parse({ traceMarks: { every: 65, hashes: [] } })).toThrow(/traceMarks\.every must be a power/);
    const single = { kind: "write", call: "single", mutations: [] };
    expect(parse({ operations: [single] })).toThrow(/one mutation for a single write/);
  });
});
