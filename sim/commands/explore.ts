/**
 * `stillwater sim explore`: every workload of up to so many steps, every legal crash state at every instant. Parses,
 * prints, saves, sets the exit code (0, 2, 129 a broken promise, 128 one of liveness, 127 when a case does not
 * reproduce); the work is done in `sim/explore`.
 */
import { writeFileSync } from "node:fs";
import cliProgress from "cli-progress";
import { Command, InvalidArgumentError } from "commander";
import { writeCase } from "../cases/files.js";
import { type ExplorationConfig, type ExplorationResult, explore } from "../explore/exploration.js";
import { caseOfFailure } from "../explore/explore-case.js";
import { formatExploration, formatExploredFailure } from "../explore/summary.js";
import { failureClass } from "../oracles/failure.js";
import { collectPlanted, parseCount, print } from "./parameters.js";

const DEFAULT_STEPS = 3;
/** Four steps take hours. */
const STEPS_MAX = 4;
const FAILURES_MAX = 10;
const FAILURES_SHOWN = 3;
const EXIT_SAFETY = 129;
const EXIT_LIVENESS = 128;
const EXIT_HARNESS = 127;

interface ExploreFlags {
  readonly ops: number;
  readonly jobs: number;
  readonly depth: 1 | 2;
  readonly mutant: readonly string[];
  readonly save?: string;
  readonly report?: string;
}

export function exploreCommand(): Command {
  return new Command("explore")
    .description("try every crash state of every small workload")
    .option("--ops <n>", "steps of the longest workload", parseSteps, DEFAULT_STEPS)
    .option("--jobs <n>", "threads", parseCount, 1)
    .option("--depth <n>", "2: also crash during each recovery", parseDepth, 1)
    .option(
      "--mutant <id>",
      "switch a planted bug on; may be repeated",
      collectPlanted,
      [] as readonly string[],
    )
    .option("--save <dir>", "save each broken state as a case")
    .option("--report <file>", "write a JSON report")
    .action(run);
}

async function run(flags: ExploreFlags): Promise<void> {
  const { ops, jobs, depth, mutant } = flags;
  const config = { stepsMax: ops, jobs, depth, mutants: mutant, failuresMax: FAILURES_MAX };
  const result = await withProgress(config);
  let allReproduced = true;
  for (const [index, failure] of result.failures.slice(0, FAILURES_MAX).entries()) {
    const { one, reproduced } = await caseOfFailure(failure, mutant, `explore-${index + 1}`);
    if (!reproduced) {
      allReproduced = false;
      print(`the case of this failure passes: ${failure.workload}`);
    }
    const path = flags.save === undefined ? null : writeCase(flags.save, one);
    if (index < FAILURES_SHOWN) print(`${formatExploredFailure(failure, path)}\n`);
    else if (path !== null) print(`saved ${path}`);
  }
  print(formatExploration(result));
  if (flags.report !== undefined)
    writeFileSync(flags.report, `${JSON.stringify({ format: 1, ...result }, null, 2)}\n`);
  setExitCode(result, allReproduced);
}

function setExitCode({ failures }: ExplorationResult, allReproduced: boolean): void {
  if (failures.length === 0) return;
  const isSafety = failures.some(({ oracle }) => failureClass(oracle) !== "liveness");
  process.exitCode = !allReproduced ? EXIT_HARNESS : isSafety ? EXIT_SAFETY : EXIT_LIVENESS;
}

async function withProgress(config: ExplorationConfig): Promise<ExplorationResult> {
  if (process.stderr.isTTY !== true) return explore(config, () => {});
  const bar = new cliProgress.SingleBar({
    format: "{bar} {percentage} %  {states} states  {failures} failures",
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(1, 0, { states: 0, failures: 0 });
  try {
    return await explore(config, (done, total, states, failures) => {
      bar.setTotal(total);
      bar.update(done, { states, failures });
    });
  } finally {
    bar.stop();
  }
}

function parseSteps(text: string): number {
  const steps = parseCount(text);
  if (steps > STEPS_MAX) throw new InvalidArgumentError(`It must be from 1 to ${STEPS_MAX}.`);
  return steps;
}

function parseDepth(text: string): 1 | 2 {
  if (text === "1" || text === "2") return text === "1" ? 1 : 2;
  throw new InvalidArgumentError("It must be 1 or 2.");
}
