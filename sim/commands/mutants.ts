/**
 * The commands `sim mutants` (the kill matrix) and `sim advise` (the sync advisor). Parse, show progress, print, set exit
 * codes: 1 when a mutant survives that is not proven equivalent, or a proof is wrong. The work is in `sim/mutants`.
 */
import { writeFileSync } from "node:fs";
import cliProgress from "cli-progress";
import { Command, InvalidArgumentError } from "commander";
import { StillwaterError } from "../../src/platform/errors.js";
import { advise, formatAdvice } from "../mutants/advisor.js";
import { readMatrix, regressions } from "../mutants/baseline.js";
import { type Matrix, type MatrixConfig, runMatrix } from "../mutants/matrix.js";
import { formatCatalogue, formatMatrix, markdownMatrix, totals } from "../mutants/matrix-report.js";
import { parseCount, print } from "./parameters.js";

const BUDGET = 1000;
const ADVICE_BUDGET = 400;
const STARTS = 3;
const JOBS = 2;

interface HuntFlags {
  readonly starts: number;
  readonly budget: number;
  readonly jobs: number;
  readonly from: string;
  readonly cases: string;
  readonly report?: string;
}

interface MutantsFlags extends HuntFlags {
  readonly only?: readonly string[];
  readonly list?: boolean;
  readonly baseline?: string;
  readonly markdown?: string;
}

export function mutantsCommand(): Command {
  return withHunt(new Command("mutants"), BUDGET)
    .description(
      "hunt every planted bug and automatic mutant; 1 when one survives that is not proven equivalent",
    )
    .option("--only <ids>", "these mutants, by commas; a star at the end takes all that begin so", splitIds)
    .option("--baseline <file>", "warn of kills that have become 4 times slower than in this report")
    .option("--markdown <file>", "write the page docs/KILL-MATRIX.md")
    .option("--list", "print the catalogue of planted bugs and run nothing")
    .action(mutants);
}

export function adviseCommand(): Command {
  return withHunt(new Command("advise"), ADVICE_BUDGET)
    .description("say of each sync of the engine which oracles need it")
    .action(adviseSyncs);
}

function withHunt(command: Command, budget: number): Command {
  return command
    .option("--starts <n>", "series of seeds for each mutant", parseCount, STARTS)
    .option("--budget <n>", "seeds of a series", parseCount, budget)
    .option("--jobs <n>", "threads", parseCount, JOBS)
    .option("--from <seed>", "the first seed of the first series", "1")
    .option("--cases <dir>", "saved cases, for mutants that no seed kills", "seeds")
    .option("--report <file>", "write a JSON report");
}

async function mutants(flags: MutantsFlags): Promise<void> {
  if (flags.list === true) {
    print(formatCatalogue());
    return;
  }
  const before = flags.baseline === undefined ? null : asUsage(() => readMatrix(flags.baseline as string)); // just looked at
  const matrix = await hunt(flags, flags.only ?? null);
  print(formatMatrix(matrix));
  if (before !== null) for (const line of regressions(before, matrix)) print(`WARNING  ${line}`);
  if (flags.markdown !== undefined) writeFileSync(flags.markdown, markdownMatrix(matrix));
}

async function adviseSyncs(flags: HuntFlags): Promise<void> {
  const matrix = await hunt(flags, ["drop:*", "swap:*"]);
  print(`${formatAdvice(advise(matrix))}\n\n${totals(matrix).join("\n")}`);
}

async function hunt(flags: HuntFlags, only: readonly string[] | null): Promise<Matrix> {
  const { starts, budget, jobs, from, cases } = flags;
  const matrix = await withProgress({ only, starts, budget, jobs, from, cases });
  if (flags.report !== undefined) writeFileSync(flags.report, `${JSON.stringify(matrix, null, 1)}\n`);
  if (matrix.rows.some(({ verdict }) => verdict === "survived" || verdict === "refuted"))
    process.exitCode = 1;
  return matrix;
}

async function withProgress(config: MatrixConfig): Promise<Matrix> {
  try {
    if (process.stderr.isTTY !== true) return await runMatrix(config, () => {});
    const bar = new cliProgress.SingleBar({
      format: "{bar} {percentage} %  {value} of {total} hunts  {survivors} without a kill",
      clearOnComplete: true,
      hideCursor: true,
    });
    let isStarted = false;
    try {
      return await runMatrix(config, ({ done, all, survivors }) => {
        if (isStarted) bar.update(done, { survivors });
        else bar.start(all, done, { survivors });
        isStarted = true;
      });
    } finally {
      bar.stop();
    }
  } catch (error) {
    throw usageOf(error);
  }
}

function asUsage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw usageOf(error);
  }
}

/** What the user gave and cannot be is wrong usage of the command. */
function usageOf(error: unknown): unknown {
  const isUsage = error instanceof StillwaterError && ["INVALID_ARGUMENT", "NOT_FOUND"].includes(error.code);
  return isUsage ? new InvalidArgumentError(error.message) : error;
}

function splitIds(text: string): readonly string[] {
  return text.split(",");
}
