/**
 * The workflows of continuous integration call commands that exist, with flags that exist, and scripts that package.json
 * has. Does not verify: what GitHub makes of the rest of the files.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { simCommand } from "../sim/cli.js";

const ROOT = join(import.meta.dirname, "..");
const FOLDER = join(ROOT, ".github/workflows");
const workflows = readdirSync(FOLDER).map((name) => readFileSync(join(FOLDER, name), "utf8"));

test("every command of the simulator that a workflow runs exists, with every flag it gives", () => {
  const unknown: string[] = [];
  let seen = 0;
  for (const text of workflows) {
    // A folded scalar goes on in the next line; a literal one has one command a line.
    for (const [, name, rest] of text.matchAll(/cli\/main\.js sim (\w+)((?:.|\n +--)*)/g)) {
      seen++;
      const command = simCommand().commands.find((one) => one.name() === name);
      if (command === undefined) unknown.push(`sim ${name}`);
      for (const [flag] of (rest ?? "").matchAll(/--[\w-]+/g)) {
        if (command?.options.every(({ long }) => long !== flag) === true) unknown.push(`sim ${name} ${flag}`);
      }
    }
  }
  expect(seen).toBeGreaterThan(5);
  expect(unknown).toEqual([]);
});

test("every script that a workflow runs is in package.json", () => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const called = workflows.flatMap((text) => [...text.matchAll(/npm (?:run )?([\w:]+)(?=\s|$)/g)]);
  const names = called.map(([, name]) => name as string).filter((name) => name !== "ci");
  expect(names.length).toBeGreaterThan(3);
  expect(names.filter((name) => scripts[name] === undefined)).toEqual([]);
});
