/** The README's promises that a machine can check: its examples run as printed, its links lead somewhere. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);

test("the README shows examples", () => {
  expect(examples.length).toBeGreaterThanOrEqual(2);
});

for (const [index, example] of examples.entries()) {
  test(`example ${index + 1} of the README runs as printed`, () => {
    const directory = mkdtempSync(join(tmpdir(), "stillwater-readme-"));
    try {
      const entry = pathToFileURL(join(root, "dist/src/index.js")).href;
      const { outputText } = ts.transpileModule(example.replace('"stillwater"', JSON.stringify(entry)), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      });
      writeFileSync(join(directory, "example.mjs"), outputText);
      execFileSync(process.execPath, ["example.mjs"], { cwd: directory, encoding: "utf8" });
      expect(existsSync(join(directory, "data", "CURRENT"))).toBe(true);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

test("the README's first screen has its two commands, and package.json has what they run", () => {
  const scripts = (
    JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> }
  ).scripts;
  expect(readme.match(/```sh\n(.*)\n```/g)?.slice(0, 2)).toEqual([
    "```sh\nnpm ci && npm run sim\n```",
    "```sh\nnpm cit\n```",
  ]);
  expect(scripts).toHaveProperty("sim");
  expect(scripts).toHaveProperty("test");
});

for (const page of [
  "README.md",
  "docs/ARCHITECTURE.md",
  "docs/FORMAT.md",
  "docs/SIMULATION.md",
  "docs/TESTPLAN.md",
]) {
  test(`links of ${page} lead to files`, () => {
    const text = readFileSync(join(root, page), "utf8");
    for (const [, target] of text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)) {
      expect(existsSync(join(root, dirname(page), target as string)), target).toBe(true);
    }
  });
}
