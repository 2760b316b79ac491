/**
 * The package as it is packed: what is in it, that nothing runs when it is installed, that two packs are the same bytes,
 * and that its modules do what the manifest says of them. Judges what `npm run build` left in dist.
 * Does not verify: that it works once installed (`consumer.test.ts`).
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUDGET } from "./budget.js";
import { entryPoints, manifest, type Packed, pack, ROOT } from "./packed.js";

const folder = mkdtempSync(join(tmpdir(), "stillwater-pack-"));
let packed: Packed;

beforeAll(() => {
  packed = pack(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("nothing runs when the package is installed", () => {
  const hooks = [
    "preinstall",
    "install",
    "postinstall",
    "prepublish",
    "preprepare",
    "prepare",
    "postprepare",
  ];
  expect(Object.keys(manifest.scripts).filter((name) => hooks.includes(name))).toEqual([]);
  // npm compiles where it finds this file, without being asked.
  expect(packed.files.map(({ path }) => path)).not.toContain("binding.gyp");
});

test("two packs are the same bytes", () => {
  const again = join(folder, "again");
  mkdirSync(again);
  const hash = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  expect(hash(pack(again).tarball)).toBe(hash(packed.tarball));
});

test("it holds scripts, types and the time-travel page, and no sources, tests, maps or settings", () => {
  const others = packed.files
    .map(({ path }) => path)
    .filter((path) => !/^dist\/(src|instrumented\/(src|sim))\/.+\.(js|d\.ts|html|css|json|svg)$/.test(path));
  expect(others.sort()).toEqual(["CHANGELOG.md", "LICENSE", "README.md", "package.json"]);
});

test("every entry point and command that the manifest names is in it", () => {
  const paths = new Set(packed.files.map(({ path }) => path));
  const named = entryPoints.flatMap(({ script, types }) => [script, types]);
  for (const path of [...named, ...Object.values(manifest.bin)]) {
    expect(paths, path).toContain(path.replace(/^\.\//, ""));
  }
});

test("commands begin with a line that names node", () => {
  for (const path of Object.values(manifest.bin)) {
    expect(readFileSync(join(ROOT, path), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  }
});

test("it keeps its budget of bytes and files", () => {
  expect(packed.size).toBeLessThan(BUDGET.packedBytes);
  expect(packed.unpackedSize).toBeLessThan(BUDGET.unpackedBytes);
  expect(packed.files.length).toBeLessThan(BUDGET.files);
});

test("modules do nothing when they are loaded, except those that the manifest lists and programs of their own", () => {
  const listed = manifest.sideEffects.map((path) => path.replace(/^\.\//, ""));
  expect(listed.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  const acting = packed.files
    .map(({ path }) => path)
    .filter((path) => path.endsWith(".js") && actsWhenLoaded(path))
    .filter((path) => !listed.includes(path));
  // Threads, checks in processes of their own, and the command: nobody imports them.
  expect(acting.filter((path) => !/-(worker|main)\.js$|\/cli\/main\.js$/.test(path))).toEqual([]);
  expect(listed.filter((path) => !actsWhenLoaded(path))).toEqual([]);
});

/** Whether loading a module does more than make its own names: a call, a loop, a branch, something done to others. */
function actsWhenLoaded(path: string): boolean {
  const text = readFileSync(join(ROOT, path), "utf8");
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const own = new Set(
    statements
      .filter(ts.isVariableStatement)
      .flatMap(({ declarationList }) => declarationList.declarations.map(({ name }) => name.getText())),
  );
  const isHarmless = ({ expression }: ts.ExpressionStatement): boolean => {
    // What the compiler makes of a class that names itself: `_a = Name`.
    if (ts.isBinaryExpression(expression)) return own.has(expression.left.getText());
    // Asks whether this machine can run the module at all, which matters only to who uses it.
    return ts.isCallExpression(expression) && expression.expression.getText() === "assert";
  };
  return statements.some((statement) =>
    ts.isExpressionStatement(statement)
      ? !isHarmless(statement)
      : ts.isIterationStatement(statement, false) ||
        ts.isIfStatement(statement) ||
        ts.isTryStatement(statement),
  );
}
