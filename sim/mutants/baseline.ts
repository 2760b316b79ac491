/**
 * Compares a matrix with an earlier one that was kept as a file, so that a change which makes bugs harder to find is
 * seen although they are all still found.
 */
import { readFileSync } from "node:fs";
import { StillwaterError } from "../../src/platform/errors.js";
import type { Matrix, MatrixRow } from "./matrix.js";

/** A kill has become slower when it takes this many times the seeds, and the CPU time, of before. */
const SLOWER_FACTOR = 4;
/** Below this, numbers of seeds are a matter of luck. */
const SEEDS_THAT_MATTER = 40;

/** A report of `sim mutants --report`. Throws `NOT_FOUND` or `INVALID_ARGUMENT`. */
export function readMatrix(path: string): Matrix {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new StillwaterError("NOT_FOUND", `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
      path,
    });
  }
  try {
    const matrix = JSON.parse(text) as Matrix;
    if (matrix.format === 1 && Array.isArray(matrix.rows)) return matrix;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `${path} is no report of a kill matrix. Make one with \`stillwater sim mutants --report\`.`,
    { path },
  );
}

/** One sentence for each mutant that was killed before and now takes much longer, or survives. */
export function regressions(before: Matrix, now: Matrix): string[] {
  const known = new Map(before.rows.map((row) => [row.id, row]));
  return now.rows.flatMap((row) => {
    const former = known.get(row.id);
    if (former === undefined || former.kills === 0) return [];
    if (row.kills === 0 && row.killingCase === null)
      return [`${row.id} was killed after ${seedsOf(former)} seeds, and survives now`];
    const isSlower =
      seedsOf(row) >= SEEDS_THAT_MATTER &&
      seedsOf(row) >= SLOWER_FACTOR * seedsOf(former) &&
      row.cpuMsMedian >= SLOWER_FACTOR * former.cpuMsMedian;
    return isSlower ? [`${row.id} takes ${seedsOf(row)} seeds to kill, and took ${seedsOf(former)}`] : [];
  });
}

/** Seeds of a series that most did not end with a kill: at least as many as were run in one. */
function seedsOf({ seedsMedian, seeds, kills }: MatrixRow): number {
  return seedsMedian ?? Math.round(seeds / Math.max(1, kills));
}
