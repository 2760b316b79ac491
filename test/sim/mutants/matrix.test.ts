import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { advise, formatAdvice } from "../../../sim/mutants/advisor.js";
import { readMatrix, regressions } from "../../../sim/mutants/baseline.js";
import { hunt } from "../../../sim/mutants/hunt.js";
import { type Matrix, type MatrixConfig, type MatrixRow, runMatrix } from "../../../sim/mutants/matrix.js";
import { formatMatrix, markdownMatrix } from "../../../sim/mutants/matrix-report.js";
import { hasCode } from "../../../src/platform/errors.js";

const CONFIG: MatrixConfig = { only: null, starts: 1, budget: 40, jobs: 0, from: "1", cases: "seeds" };

const ROW: MatrixRow = {
  id: "W1-ack-before-sync",
  sort: "planted",
  verdict: "killed",
  kills: 3,
  seedsMedian: 20,
  cpuMsMedian: 300,
  oracle: "O1",
  otherOracles: ["O17"],
  class: "safety",
  killingSeeds: ["4", "1000020", "2000030"],
  killingCase: null,
  reached: 60,
  seeds: 60,
  unclear: [],
};
const MATRIX: Matrix = {
  format: 1,
  node: "v20.0.0",
  config: { ...CONFIG, starts: 3, jobs: 2 },
  syncsPerRun: {},
  rows: [ROW],
  elapsedMs: 2000,
  cpuMs: 3000,
};

describe("a hunt", () => {
  test("ends at the first seed that an oracle fails, and that passes without the mutant", async () => {
    const result = await hunt({ mutant: "L2-stalled-commits-not-woken", from: "1", seedsMax: 40 });
    expect(result.kill).toMatchObject({ oracle: "O15", class: "liveness" });
    expect(result.seeds).toBe(Number(result.kill?.seed));
    expect(result.reached).toBeGreaterThan(0);
    expect(result.unclear).toEqual([]);
  });

  test("that finds nothing says how many seeds it has run, and whether the place was reached", async () => {
    // Of an id that no place in the sources has.
    const result = await hunt({ mutant: "drop:log@nowhere:never", from: "4000", seedsMax: 2 });
    expect(result).toMatchObject({ kill: null, seeds: 2, reached: 0, unclear: [] });
  });
});

describe("a matrix", () => {
  test("of a few mutants has a row for each, with verdict, seeds, oracle and class", async () => {
    const told: number[] = [];
    const only = ["W14-*", "C8-oldest-snapshot-ignored"];
    const matrix = await runMatrix({ ...CONFIG, only }, ({ done }) => told.push(done));
    expect(told).toEqual([1, 2]);
    expect(matrix.rows.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["W14-chain-forgotten-at-rotation", "killed"],
      ["C8-oldest-snapshot-ignored", "killed"],
    ]);
    expect(matrix.rows[1]).toMatchObject({ sort: "planted", kills: 1, oracle: "O6", class: "safety" });
    expect(formatMatrix(matrix)).toMatch(/^planted: 2 mutants, 2 killed, 0 proven equivalent$/m);
  });

  test("takes a saved case where no seed of the budget kills", async () => {
    const config = { ...CONFIG, budget: 1, only: ["M27-directory-sync-tried-again"] };
    const cases = join(import.meta.dirname, "../../../seeds");
    const [row] = (await runMatrix({ ...config, cases }, () => {})).rows;
    expect(row).toMatchObject({ verdict: "killed", kills: 0, killingCase: "directory-sync-tried-again" });
    const [without] = (await runMatrix({ ...config, cases: "/nowhere" }, () => {})).rows;
    expect(without).toMatchObject({ verdict: "survived", killingCase: null });
  });

  test("refuses an id that there is none of", async () => {
    await expect(runMatrix({ ...CONFIG, only: ["W1"] }, () => {})).rejects.toSatisfy((error) =>
      hasCode(error, "INVALID_ARGUMENT"),
    );
  });

  test("calls what nobody killed a survivor, and says how often its place was reached", () => {
    const survivor: MatrixRow = {
      ...ROW,
      verdict: "survived",
      kills: 0,
      seedsMedian: null,
      oracle: null,
      otherOracles: [],
      class: null,
    };
    const text = formatMatrix({ ...MATRIX, rows: [survivor] });
    expect(text).toMatch(/^W1-ack-before-sync +SURVIVED$/m);
    expect(text).toContain("survived 60 seeds; its place was reached in 60 of them");
    expect(text).toContain("planted: 1 mutants, 0 killed, 0 proven equivalent, 1 survived, 0 with a proof");
  });

  test("as Markdown names the real bug that each planted one copies", () => {
    expect(markdownMatrix(MATRIX)).toContain(
      "| `W1-ack-before-sync` | a commit is acknowledged before its sync | etcd #14370 | 20 | 300 | O1 O17 | safety |",
    );
  });
});

describe("a baseline", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "stillwater-matrix-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("warns of kills that have become four times slower, and of new survivors", () => {
    const now = (change: Partial<MatrixRow>): Matrix => ({ ...MATRIX, rows: [{ ...ROW, ...change }] });
    expect(regressions(MATRIX, now({}))).toEqual([]);
    expect(regressions(MATRIX, now({ seedsMedian: 79, cpuMsMedian: 1300 }))).toEqual([]);
    expect(regressions(MATRIX, now({ seedsMedian: 80, cpuMsMedian: 900 }))).toEqual([]);
    expect(regressions(MATRIX, now({ seedsMedian: 80, cpuMsMedian: 1300 }))).toEqual([
      "W1-ack-before-sync takes 80 seeds to kill, and took 20",
    ]);
    expect(regressions(MATRIX, now({ kills: 0, seedsMedian: null }))).toEqual([
      "W1-ack-before-sync was killed after 20 seeds, and survives now",
    ]);
  });

  test("is read from a report, and from nothing else", () => {
    const path = join(folder, "report.json");
    writeFileSync(path, JSON.stringify(MATRIX));
    expect(readMatrix(path)).toEqual(MATRIX);
    for (const text of ["", "{}", '{"format":2,"rows":[]}']) {
      writeFileSync(path, text);
      expect(() => readMatrix(path)).toThrow(
        expect.toSatisfy((error: unknown) => hasCode(error, "INVALID_ARGUMENT")),
      );
    }
    expect(() => readMatrix(join(folder, "nowhere.json"))).toThrow(
      expect.toSatisfy((error: unknown) => hasCode(error, "NOT_FOUND")),
    );
  });
});

test("advice says of each sync who needs it, and which nobody does", () => {
  const row = (id: string, kills: number): MatrixRow => ({
    ...ROW,
    id,
    sort: "automatic",
    kills,
    ...(kills === 0 ? { oracle: null, otherOracles: [] } : {}),
  });
  const matrix: Matrix = {
    ...MATRIX,
    syncsPerRun: { "log@a:needed": 4, "log@b:order-free": 2, "log@c:blind": 0.5 },
    rows: [
      row("drop:log@a:needed", 3),
      row("swap:log@a:needed", 3),
      row("drop:log@b:order-free", 1),
      row("swap:log@b:order-free", 0),
      row("drop:log@c:blind", 0),
      row("swap:log@c:blind", 0),
    ],
  };
  const advice = advise(matrix);
  expect(advice.map(({ text }) => text)).toEqual([
    "needed, and in its place",
    "needed; before or after the next one is all the same",
    "no oracle needs it: redundant, or an oracle is blind",
  ]);
  expect(formatAdvice(advice)).toMatch(/^log@a:needed +4\.00 +O1 O17 +O1 O17 +needed, and in its place$/m);
});
