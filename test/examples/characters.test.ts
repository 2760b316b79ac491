/** The example of records does what it says, at its small scale. Uses the built package. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "stillwater-characters-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("thousands of characters are loaded, asked for, migrated, indexed beside a writer and saved", () => {
  const program = join(import.meta.dirname, "../../examples/characters.mjs");
  const said = execFileSync(process.execPath, [program, join(folder, "db")], { encoding: "utf8" });
  expect(said.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/^thousands of characters; Greek capitals begin ͰͲͶͿΆΈΉΊΌΎΏΑΒΓΔ/),
    "ω is U+03C9, its capital Ω",
    "SS is the capital of ß",
    "the count index knows as many Greek characters as there are: true",
    "UNIQUE_VIOLATION: Character_text has Ω already",
    "ω is still there: true",
    "e with its marks: eèéêëē",
    "rebuilt, and the same: true",
    "saved: a is a vowel, 1 less than before",
  ]);
});
