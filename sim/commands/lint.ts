/**
 * `stillwater sim lint`: what was acknowledged while it was not durable. Parses, prints, sets the exit code: 0 nothing,
 * 2 wrong usage, 129 something.
 */
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { type LintResult, lintSeeds } from "../lint/lint-seeds.js";
import { collectPlanted, parseCount, print } from "./parameters.js";

const DEFAULT_SEEDS = 50;
const EXIT_SAFETY = 129;

interface LintFlags {
  readonly seeds: number;
  readonly from: string;
  readonly mutant: readonly string[];
  readonly report?: string;
}

export function lintCommand(): Command {
  return new Command("lint")
    .description("list what was acknowledged while it was not durable, though no crash happens")
    .option("--seeds <n>", "how many seeds to run", parseCount, DEFAULT_SEEDS)
    .option("--from <seed>", "the first seed", "1")
    .option(
      "--mutant <id>",
      "switch a planted bug on; may be repeated",
      collectPlanted,
      [] as readonly string[],
    )
    .option("--report <file>", "write a JSON report")
    .action(run);
}

async function run({ seeds, from, mutant, report }: LintFlags): Promise<void> {
  const result = await lintSeeds({ seeds, from, mutants: mutant }, () => {});
  print(formatLint(result));
  if (report !== undefined) writeFileSync(report, `${JSON.stringify({ format: 1, ...result }, null, 2)}\n`);
  if (result.groups.length > 0 || result.failed.length > 0) process.exitCode = EXIT_SAFETY;
}

function formatLint({ config, looked, groups, failed }: LintResult): string {
  const asked = Object.entries(looked).map(([kind, times]) => `${kind} ${times}`);
  const lines = [`acknowledgements of ${config.seeds} seeds: ${asked.join(", ")}`];
  for (const { kind, place, times, seed, what, missing } of groups) {
    lines.push(`${kind}: ${place} not durable, ${times} times`);
    lines.push(`  first: seed ${seed}, ${what}: ${missing}`);
  }
  for (const { seed, message } of failed) lines.push(`seed ${seed} fails by itself: ${message}`);
  if (groups.length === 0)
    lines.push("everything that was acknowledged as durable was durable at that moment");
  return lines.join("\n");
}
