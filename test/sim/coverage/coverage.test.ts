import { describe, expect, test } from "vitest";
import { coverageRows, missedRows } from "../../../sim/coverage/coverage.js";
import { type ProbeSites, readProbeSites, sitesIn } from "../../../sim/coverage/sites.js";
import { emptyCounts } from "../../../sim/run/counts.js";

const SITES: ProbeSites = {
  crashPoints: [{ id: "wal_append", places: ["a.ts:1"], rare: null }],
  marks: [
    { id: "seen", places: ["a.ts:2"], rare: null },
    { id: "not-seen", places: ["a.ts:3"], rare: null },
    { id: "hardly", places: ["a.ts:4"], rare: "it takes a thousand edits" },
  ],
  buggify: [],
  mutants: [{ id: "M1", places: ["a.ts:5"], rare: null }],
};

describe("O26", () => {
  test("names what was never reached, unless it is declared rare", () => {
    const counts = emptyCounts();
    counts.crashPointHits["wal_append"] = 3;
    counts.crashPointCrashes["wal_append"] = 1;
    counts.marks["seen"] = 1;
    const rows = coverageRows(counts, SITES, true);
    expect(rows[0]).toEqual({
      kind: "crash point",
      id: "wal_append",
      reached: 3,
      crashed: 1,
      rare: null,
      places: ["a.ts:1"],
    });
    const missed = missedRows(rows).map(({ kind, id }) => `${kind} ${id}`);
    expect(missed).toContain("mark not-seen");
    expect(missed).toContain("mutant M1");
    expect(missed).toContain("oracle O1");
    expect(missed).toContain("fault S1 torn write");
    expect(missed).toContain("VFS call rename");
    expect(missed).not.toContain("mark seen");
    expect(missed).not.toContain("mark hardly");
    expect(missed).not.toContain("crash point wal_append");
    expect(missed).not.toContain("VFS call readLater");
  });

  test("does not ask for places of mutants in runs that did not watch them", () => {
    expect(coverageRows(emptyCounts(), SITES, false).some(({ kind }) => kind === "mutant")).toBe(false);
  });
});

describe("the catalogue of probes", () => {
  const pattern = /(?:\/\/ RARE: (?<rare>.+)\n[^\n]*)?\bsometimes\(\s*"(?<id>[\w.-]+)"/g;

  test("finds calls over line breaks, gathers places by id, and reads why one is rare", () => {
    const text =
      'a();\nsometimes(\n  "one",\n  true,\n);\n// RARE: once in a life\n  if (x) sometimes("two");\nsometimes("one");\n';
    expect(sitesIn([["f.ts", text]], pattern)).toEqual([
      { id: "one", places: ["f.ts:3", "f.ts:8"], rare: null },
      { id: "two", places: ["f.ts:7"], rare: "once in a life" },
    ]);
  });

  test("knows each kind of probe in the sources, and no id of one stands in two files' marks", () => {
    const { crashPoints, marks, buggify, mutants } = readProbeSites();
    expect(crashPoints.length).toBeGreaterThan(40);
    expect(marks.length).toBeGreaterThan(40);
    expect(buggify.length).toBeGreaterThan(3);
    expect(mutants.length).toBeGreaterThan(30);
    expect(marks.filter(({ places }) => places.length !== 1)).toEqual([]);
    expect(marks.find(({ id }) => id === "manifest.rewritten")?.rare).toMatch(/thousand edits/);
  });
});
