/**
 * The command `stillwater sim`: swarm, replay, coverage and more. Parses, prints, sets exit codes; the work is done
 * elsewhere. Exit codes: 0 fine, 2 wrong usage, 129 a promise of safety was broken, 128 one of liveness, 127 the
 * simulator itself failed, 126 a seed did not run twice the same way; `coverage` 1 when something was never reached.
 */
import { writeFileSync } from "node:fs";
import cliProgress from "cli-progress";
import { Command, InvalidArgumentError } from "commander";
import { caseOf, type SimulationCase } from "./cases/case.js";
import { readCase, writeCase } from "./cases/files.js";
import { explainDivergence, replayCase } from "./cases/replay.js";
import { checkHistoryCommand } from "./commands/check-history.js";
import { coverageCommand } from "./commands/coverage.js";
import { determinismCommand } from "./commands/determinism.js";
import { execCommand } from "./commands/exec.js";
import { EXIT_CODES, setExitCode } from "./commands/exit-codes.js";
import { exploreCommand } from "./commands/explore.js";
import { lintCommand } from "./commands/lint.js";
import { adviseCommand, mutantsCommand } from "./commands/mutants.js";
import {
  type LimitFlags,
  parseCount,
  parseDuration,
  print,
  seedConfig,
  usage,
  withLimits,
} from "./commands/parameters.js";
import { printShrunk, shrinkCommand } from "./commands/shrink.js";
import { readProbeSites } from "./coverage/sites.js";
import { CANARY } from "./mutants/canary.js";
import { failureClass } from "./oracles/failure.js";
import { type EnsembleConfig, type EnsembleResult, runEnsemble } from "./run/ensemble.js";
import { jsonReport, junitReport } from "./run/report-files.js";
import { type FailureClass, parseSeed, runSeed, type SeedConfig, type SeedResult } from "./run/seed.js";
import { formatFailure, formatSummary, reproduceLine } from "./run/summary.js";
import { pageOfCase } from "./viewer/record.js";

const DEFAULT_SEEDS = 1000;
const FAILURES_MAX = 10;
const FAILURES_SHOWN = 3;
interface RunFlags extends LimitFlags {
  readonly seeds?: number;
  readonly from: string;
  readonly time?: number;
  readonly jobs: number;
  readonly seedLimit?: number;
  readonly report?: string;
  readonly junit?: string;
  readonly save?: string;
  readonly canary?: boolean;
  readonly shrink?: boolean;
}

interface ReplayFlags extends LimitFlags {
  readonly trace?: string;
  readonly save?: string;
  readonly html?: string;
}

/** The command with everything below it; the caller adds it to its program. */
export function simCommand(): Command {
  const sim = new Command("sim").description("break the store in a deterministic simulator");
  withLimits(sim.command("run"))
    .description("run many seeds and report what broke")
    .option("--seeds <n>", `how many (default ${DEFAULT_SEEDS}, or as many as --time allows)`, parseCount)
    .option(
      "--from <seed>",
      "the first seed; numbers count up from it, other text gets a suffix",
      usage(parseSeed),
      "1",
    )
    .option("--time <duration>", "stop after so long, like 60s or 10m", parseDuration)
    .option("--jobs <n>", "threads", parseCount, 1)
    .option("--seed-limit <duration>", "give a seed up that takes longer: it hangs", parseDuration)
    .option("--report <file>", "write a JSON report")
    .option("--junit <file>", "write a JUnit XML report")
    .option("--save <dir>", "save each failing seed as a case")
    .option("--shrink", "make the first failure as small as it gets, and print it")
    .option("--canary", "have every seed fail, to see that failures are reported")
    .action(run);
  withLimits(sim.command("replay <seed-or-case>"))
    .description("run one seed, or a case file (*.json), exactly as before")
    .option("--trace <file>", "write everything that happened, one line an event")
    .option("--save <dir>", "save the run as a case")
    .option("--html <file>", "write a page that goes through the run step by step")
    .action(replay);
  sim.addCommand(shrinkCommand());
  sim.addCommand(coverageCommand());
  sim.addCommand(determinismCommand());
  sim.addCommand(mutantsCommand());
  sim.addCommand(adviseCommand());
  sim.addCommand(execCommand());
  sim.addCommand(exploreCommand());
  sim.addCommand(lintCommand());
  sim.addCommand(checkHistoryCommand());
  return sim;
}

async function run(flags: RunFlags): Promise<void> {
  const config: EnsembleConfig = {
    ...seedConfig(flags.canary === true ? { ...flags, mutant: [...flags.mutant, CANARY] } : flags),
    from: flags.from,
    seeds: flags.seeds ?? (flags.time === undefined ? DEFAULT_SEEDS : Number.POSITIVE_INFINITY),
    timeMs: flags.time ?? Number.POSITIVE_INFINITY,
    jobs: flags.jobs,
    failuresMax: FAILURES_MAX,
    ...(flags.seedLimit === undefined ? {} : { seedMsMax: flags.seedLimit }),
  };
  const result = await withProgress(config);
  const sites = readProbeSites();
  for (const failure of result.failures.slice(0, FAILURES_SHOWN))
    print(`${formatFailure(failure, config)}\n`);
  for (const { seed, failure } of result.failures.slice(FAILURES_SHOWN)) {
    print(`FAILED  seed ${seed}  ${failure?.message ?? ""}`);
  }
  print(formatSummary(result, sites));
  const [first] = result.failures;
  if (flags.shrink === true && first !== undefined) await printShrunk(first, config.mutants);
  if (flags.report !== undefined) writeFileSync(flags.report, jsonReport(result, sites));
  if (flags.junit !== undefined) writeFileSync(flags.junit, junitReport(result));
  if (flags.save !== undefined)
    for (const failed of result.failures) saveCase(flags.save, failed, config.mutants);
  setExitCode(result.failures);
}

async function withProgress(config: EnsembleConfig): Promise<EnsembleResult> {
  if (process.stderr.isTTY !== true) return runEnsemble(config, () => {});
  const byTime = Number.isFinite(config.timeMs);
  const bar = new cliProgress.SingleBar({
    format: "{bar} {percentage} %  {seeds} seeds  {rate}/s  {failures} failures",
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(byTime ? config.timeMs : config.seeds, 0, { seeds: 0, rate: 0, failures: 0 });
  try {
    return await runEnsemble(config, (seeds, failures, elapsedMs) => {
      const rate = Math.round((seeds / Math.max(elapsedMs, 1)) * 1000);
      bar.update(byTime ? Math.min(elapsedMs, config.timeMs) : seeds, { seeds, rate, failures });
    });
  } finally {
    bar.stop();
  }
}

async function replay(subject: string, flags: ReplayFlags): Promise<void> {
  if (subject.endsWith(".json")) {
    await replayFile(subject, flags);
    return;
  }
  const config: SeedConfig = { ...seedConfig(flags), repeatShare: 1, recording: flags.trace !== undefined };
  const result = await runSeed(usage(parseSeed)(subject), config);
  writeTrace(flags.trace, result.traceLines);
  if (flags.save !== undefined) saveCase(flags.save, result, config.mutants);
  const reproduce = reproduceLine(subject, config);
  await writePage(flags.html, caseOf(result, config.mutants, subject, ""), `seed ${subject}`, reproduce);
  if (result.failure === null) {
    const { operations, processKills, powerLosses } = result.counts;
    print(`seed ${subject} passed: ${operations} operations, ${processKills + powerLosses} crashes`);
    print(`  trace    ${result.fingerprint.traceHash}, the same in two runs`);
    print(`  options  ${JSON.stringify(result.options)}`);
  } else {
    print(formatFailure(result, config));
  }
  setExitCode([result]);
}

async function replayFile(path: string, flags: ReplayFlags): Promise<void> {
  if (flags.workload !== undefined || flags.faults !== undefined) {
    throw new InvalidArgumentError("a case has its options; --workload and --faults go with a seed.");
  }
  const one = usage(readCase)(path);
  const mutants = flags.mutant.length > 0 ? flags.mutant : one.mutants;
  const replayed = await replayCase(one, { recording: flags.trace !== undefined, mutants });
  const { result, asExpected } = replayed;
  writeTrace(flags.trace, result.traceLines);
  const reproduce = ["stillwater sim replay", path, ...flags.mutant.flatMap((id) => ["--mutant", id])].join(
    " ",
  );
  await writePage(flags.html, { ...one, mutants }, `case ${one.name}`, reproduce);
  const { failure } = result;
  print(`case ${one.name}: ${failure === null ? "passed" : failure.message}`);
  print(`  expected ${one.expect.oracle === null ? "to pass" : `${one.expect.oracle} to fail`}`);
  const parting = await explainDivergence(one, replayed);
  if (parting !== null) print(`  ${parting}`);
  if (asExpected) return;
  if (failure !== null) print(failure.stack);
  process.exitCode = EXIT_CODES[classOfCase(one, failure?.oracle ?? null)];
}

/** A case that should fail and does not has lost its oracle: that is the simulator's fault. */
function classOfCase(one: SimulationCase, oracle: SimulationCase["expect"]["oracle"]): FailureClass {
  return oracle === null || one.expect.oracle !== null ? "harness" : failureClass(oracle);
}

function saveCase(directory: string, result: SeedResult, mutants: readonly string[]): void {
  const { seed, failure } = result;
  const name = `seed-${seed.replaceAll(/[^\w.-]/g, "_")}`;
  const path = writeCase(
    directory,
    caseOf(result, mutants, name, failure?.message ?? "passed when it was saved"),
  );
  print(`saved ${path}`);
}

function writeTrace(path: string | undefined, lines: readonly string[]): void {
  if (path !== undefined) writeFileSync(path, `${lines.join("\n")}\n`);
}

async function writePage(
  file: string | undefined,
  one: SimulationCase,
  subject: string,
  reproduce: string,
): Promise<void> {
  if (file === undefined) return;
  writeFileSync(file, await pageOfCase(one, { subject, reproduce }));
}
