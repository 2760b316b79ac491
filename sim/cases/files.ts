/** Cases on the real disk: reading, writing, listing. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StillwaterError } from "../../src/platform/errors.js";
import { formatCase, parseCase, type SimulationCase } from "./case.js";

/** Throws `NOT_FOUND`, `INVALID_ARGUMENT` or `UNSUPPORTED_FORMAT`. */
export function readCase(path: string): SimulationCase {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new StillwaterError("NOT_FOUND", `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
      path,
    });
  }
  return parseCase(text, path);
}

/** Writes `<directory>/<name>.json` and returns its path. */
export function writeCase(directory: string, one: SimulationCase): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${one.name}.json`);
  writeFileSync(path, formatCase(one));
  return path;
}

/** Paths of all cases in a directory, sorted. */
export function listCases(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith(".json"))
    .sort()
    .map((name) => join(directory, name));
}
