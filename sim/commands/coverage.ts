/**
 * The command `sim coverage`: runs an ensemble and lists everything that there is to reach, with how often it was. Ends
 * with 1 when something that is not declared rare never was (O26). Prints; the reckoning is in `sim/coverage`.
 */
import { Command } from "commander";
import { COVERAGE_KINDS, type CoverageRow, coverageRows, missedRows } from "../coverage/coverage.js";
import { readProbeSites } from "../coverage/sites.js";
import { runEnsemble } from "../run/ensemble.js";
import { ALL_LIMITS } from "../workload/options.js";
import { parseCount, print } from "./parameters.js";

/** A minute and a half of processor time: what comes once in a thousand seeds is still reached. */
const SEEDS = 3000;

interface CoverageFlags {
  readonly seeds: number;
  readonly from: string;
  readonly jobs: number;
  readonly json?: boolean;
}

export function coverageCommand(): Command {
  return new Command("coverage")
    .description(
      "list what a run reaches: crash points, marks, faults, oracles, …; 1 when something never is",
    )
    .option("--seeds <n>", "how many", parseCount, SEEDS)
    .option("--from <seed>", "the first seed", "1")
    .option("--jobs <n>", "threads", parseCount, 1)
    .option("--json", "print JSON instead of a table")
    .action(coverage);
}

async function coverage(flags: CoverageFlags): Promise<void> {
  const { seeds, from, jobs } = flags;
  const { counts, failures } = await runEnsemble(
    {
      limits: ALL_LIMITS,
      mutants: [],
      repeatShare: 0.05,
      metamorphicShare: 0.05,
      watchesMutants: true,
      recording: false,
      from,
      seeds,
      timeMs: Number.POSITIVE_INFINITY,
      jobs,
      failuresMax: Number.POSITIVE_INFINITY,
    },
    () => {},
  );
  const rows = coverageRows(counts, readProbeSites(), true);
  const missed = missedRows(rows);
  const text =
    flags.json === true
      ? JSON.stringify(
          { format: 1, node: process.version, seeds, from, failures: failures.length, rows },
          null,
          2,
        )
      : formatCoverage(rows, seeds);
  print(text);
  if (missed.length > 0) process.exitCode = 1;
}

/** One table a kind, then a line that says what was missed. */
export function formatCoverage(rows: readonly CoverageRow[], seeds: number): string {
  const lines: string[] = [];
  for (const kind of COVERAGE_KINDS) {
    const ofKind = rows.filter((row) => row.kind === kind);
    if (ofKind.length === 0) continue;
    const reached = ofKind.filter((row) => row.reached > 0).length;
    lines.push(`${kind}s: ${reached} of ${ofKind.length} reached`, ...ofKind.map(rowLine), "");
  }
  const missed = missedRows(rows);
  lines.push(
    missed.length === 0
      ? `everything that is not declared rare was reached by ${seeds} seeds`
      : `never reached by ${seeds} seeds: ${missed.map(({ kind, id }) => `${kind} ${id}`).join(", ")}`,
  );
  return lines.join("\n");
}

function rowLine({ id, reached, crashed, rare, places }: CoverageRow): string {
  const often = reached === 0 ? "never" : reached.toLocaleString("en-US");
  const down = crashed === null ? "" : `  ${crashed === 0 ? "never" : crashed} crashed`.padEnd(16);
  const why = reached === 0 && rare !== null ? `  rare: ${rare}` : "";
  return `  ${id.padEnd(42)}${often.padStart(12)}${down}  ${places.join(", ")}${why}`.trimEnd();
}
