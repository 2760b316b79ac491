/**
 * Cases on the real disk: reading, writing, listing. Reading also asks whether the mutants and crash points that a case
 * names still exist in the sources that are running: without them it would be another case.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StillwaterError } from "../../src/platform/errors.js";
import { readProbeSites } from "../coverage/sites.js";
import { isKnownMutant, PLANTED_MUTANTS } from "../mutants/catalogue.js";
import { ANY_POINT, type CrashMoment } from "../world/crash-plan.js";
import { formatCase, parseCase, type SimulationCase } from "./case.js";
import { Checker } from "./checker.js";

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
  const one = parseCase(text, path);
  checkSourceNames(one, path);
  return one;
}

/** Throws `INVALID_ARGUMENT` for the name of a mutant or crash point that the sources do not have. */
function checkSourceNames(one: SimulationCase, path: string): void {
  const check = new Checker(path);
  const mutants = PLANTED_MUTANTS.map(({ id }) => id);
  one.mutants.forEach((id, index) => {
    if (!isKnownMutant(id)) check.oneOf(id, mutants, `mutants[${index}]`);
  });
  one.operations.forEach((operation, index) => {
    if (operation.kind !== "crash") return;
    const place = `operations[${index}]`;
    checkCrashPoint(check, operation.at, `${place}.at.point`);
    operation.nested.forEach(({ at }, nested) => {
      checkCrashPoint(check, at, `${place}.nested[${nested}].at.point`);
    });
  });
}

function checkCrashPoint(check: Checker, at: CrashMoment, place: string): void {
  if (!("point" in at) || at.point === ANY_POINT) return;
  const known = readProbeSites().crashPoints.map(({ id }) => id);
  check.oneOf(at.point, [ANY_POINT, ...known], place);
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
