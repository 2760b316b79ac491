/**
 * The list of known pitfalls of such engines (`reference/engine.md`, D1 to D50) and of defects read in an earlier one
 * (features 1.3): each that concerns this layer has a test that names it. D39 to D43 are the transaction layer's.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** Tests that stand for a pitfall without naming it. */
const ALSO: { readonly [pitfall: string]: string } = {
  D23: "never loses, moves or overwrites a pinned block, never mixes blocks up, and keeps its accounts",
  D25: "never loses, moves or overwrites a pinned block, never mixes blocks up, and keeps its accounts",
};

test("every listed pitfall and defect has a test that names it", () => {
  const names = readdirSync(join(import.meta.dirname), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts") && !name.startsWith("pitfalls"))
    .flatMap((name) => readFileSync(join(import.meta.dirname, name), "utf8").split("\n"))
    .filter((line) => /(test|it|describe)(\.each.*)?\(|^\s*"|^\s*\)?\(?["`]/.test(line));
  const pitfalls = [...Array(50).keys()].map((i) => `D${i + 1}`).filter((id) => !/^D(39|4[0-3])$/.test(id));
  const defects = [...Array(14).keys()].map((i) => `FS-defect ${i + 1}`);
  const missing = [...pitfalls, ...defects].filter((id) => {
    const also = ALSO[id];
    return !names.some(
      (line) => new RegExp(`[[( ]${id}[\\]),]`).test(line) || (also !== undefined && line.includes(also)),
    );
  });
  expect(missing).toEqual([]);
});
