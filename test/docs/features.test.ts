/**
 * docs/FEATURES.md names files that are there: modules in src and sim, tests in test, oracles that exist. A name may leave out the
 * folders that its section says; a test also its ending. Does not verify that a module does what its row says.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import { expect, it } from "vitest";
import { ORACLE_IDS } from "../../sim/oracles/failure.js";
import { ROOT } from "./pages.js";

const modules = pathsBelow("src", "sim");
const tests = pathsBelow("test", "sim").flatMap((path) => [path, path.replace(/(\.test)?\.ts$/, "")]);
tests.push(...tests.map((path) => path.replace(/\.ts$/, "")));

const rows = readFileSync(join(ROOT, "docs/FEATURES.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| ids? \|/.test(line))
  .map((line) => line.split("|").map((cell) => cell.trim()));

it("every module that a row names is there", () => {
  expect(named(0).length).toBeGreaterThan(150);
  expect(named(0).filter((name) => !isThere(name, modules))).toEqual([]);
});

it("every test and oracle that a row names is there", () => {
  expect(named(1).length).toBeGreaterThan(120);
  expect(named(1).filter((name) => !isThere(name, tests))).toEqual([]);
  const oracles = rows.flatMap((cells) => cells.join("|").match(/\bO\d+\b/g) ?? []);
  expect(oracles.length).toBeGreaterThan(15);
  expect(oracles.filter((id) => !(ORACLE_IDS as readonly string[]).includes(id))).toEqual([]);
});

/** Names in the columns of modules (0) or tests (1); in the last table both are in one cell: "done: modules; tests. Words". */
function named(column: 0 | 1): string[] {
  return rows.flatMap((cells) => {
    const isSplit = cells.length >= 8;
    const about = isSplit ? (cells[4 + column] as string) : (partsOf(cells[3] ?? "")[column] ?? "");
    return [...about.matchAll(/`([^`]+)`/g)]
      .map(([, name]) => name as string)
      .filter((name) => /^[a-z\d][\w./*-]*$/.test(name) && (column === 1 || /[./]/.test(name)));
  });
}

function partsOf(status: string): string[] {
  const [, places = ""] = /^(?:done|part)[^:]*: (.*?)(?:\. |$)/.exec(status) ?? [];
  return places.split("; ");
}

function isThere(name: string, paths: readonly string[]): boolean {
  const pattern = name.replaceAll(".", "\\.").replaceAll("*", "[^/]*").replace(/\/$/, "");
  const ending = new RegExp(`(^|/)${pattern}$`);
  return paths.some((path) => ending.test(path)) || existsSync(join(ROOT, name));
}

function pathsBelow(...folders: readonly string[]): string[] {
  return folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map(
      (name) => `${folder}/${name.split(sep).join("/")}`,
    ),
  );
}
