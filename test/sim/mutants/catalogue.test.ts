import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { PLANTED_MUTANTS, plantedMutant, requireKnownMutant } from "../../../sim/mutants/catalogue.js";
import { ORACLE_IDS } from "../../../sim/oracles/failure.js";
import { hasCode } from "../../../src/platform/errors.js";

const SOURCES = join(import.meta.dirname, "../../../src");

/** Ids of all switches below `src`, sorted, each once. */
function switchesInSources(): string[] {
  const ids = new Set<string>();
  for (const name of readdirSync(SOURCES, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".ts")) continue;
    for (const [, id] of readFileSync(join(SOURCES, name), "utf8").matchAll(/\bmutant\(\s*"([^"]+)"/g)) {
      ids.add(id as string); // the group is part of every match
    }
  }
  return [...ids].sort();
}

describe("the catalogue of planted bugs", () => {
  test("names every switch in the sources, and no other", () => {
    expect(PLANTED_MUTANTS.map(({ id }) => id).sort()).toEqual(switchesInSources());
  });

  test("has at least sixty, each with the bug that it copies, what exposes it, and the promises it breaks", () => {
    expect(PLANTED_MUTANTS.length).toBeGreaterThanOrEqual(60);
    for (const { id, breaks, copies, needs, oracles } of PLANTED_MUTANTS) {
      expect(id).toMatch(/^[A-Z]\d+(-[a-z0-9]+)+$/);
      for (const text of [breaks, copies, needs]) expect(text.length, id).toBeGreaterThan(1);
      expect(oracles.length, id).toBeGreaterThan(0);
      for (const oracle of oracles) expect(ORACLE_IDS, id).toContain(oracle);
    }
  });

  test("names, for each that no workload kills, a test that is about it", () => {
    for (const { id, killer, test: file } of PLANTED_MUTANTS) {
      expect(file !== undefined, id).toBe(killer === "test");
      if (file !== undefined)
        expect(readFileSync(join(SOURCES, "..", file), "utf8"), id).toContain(`"${id}"`);
    }
  });

  test("refuses an id that it does not have", () => {
    expect(plantedMutant("W1-ack-before-sync")?.oracles).toContain("O1");
    expect(plantedMutant("W1")).toBe(null);
    for (const known of ["W1-ack-before-sync", "canary", "drop:log@wal/segment:sync"])
      requireKnownMutant(known);
    for (const unknown of ["W1", "canary-2", "drop:log", "skip:log@wal/segment:sync", ""]) {
      expect(() => requireKnownMutant(unknown)).toThrow(
        expect.toSatisfy((error: unknown) => hasCode(error, "INVALID_ARGUMENT")),
      );
    }
  });
});
