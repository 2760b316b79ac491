/** The examples of docs/RECORDS.md run as printed, each with a store of its own, and leave what they say. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const guide = readFileSync(join(root, "docs/RECORDS.md"), "utf8");
const examples = [...guide.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] as string);

test("the guide shows examples", () => {
  expect(examples).toHaveLength(3);
});

for (const [index, example] of examples.entries()) {
  test(`example ${index + 1} of the guide runs as printed`, () => {
    const directory = mkdtempSync(join(tmpdir(), "stillwater-guide-"));
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
