/**
 * The command `sim shrink`: makes a failing seed or case as small as it gets, says what makes the difference, and writes
 * the result as a case file and as a standalone test. Ends as a run of the failure ends (129, 128, …); 1 when the subject
 * does not fail, since then there is nothing to shrink. Prints; the work is done in `sim/shrink`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import cliProgress from "cli-progress";
import { Command, InvalidArgumentError } from "commander";
import { caseOf, type SimulationCase } from "../cases/case.js";
import { readCase, writeCase } from "../cases/files.js";
import { failureClass } from "../oracles/failure.js";
import { parseSeed, runSeed, type SeedResult } from "../run/seed.js";
import { formatTest } from "../shrink/emit-test.js";
import {
  type CaseSize,
  DEFAULT_BUDGET,
  type ShrinkProgress,
  type ShrunkCase,
  shrinkCase,
} from "../shrink/shrink.js";
import { EXIT_CODES } from "./exit-codes.js";
import { type LimitFlags, parseDuration, print, seedConfig, usage, withLimits } from "./parameters.js";

interface ShrinkFlags extends LimitFlags {
  readonly out: string;
  readonly budget: number;
}

export function shrinkCommand(): Command {
  return withLimits(new Command("shrink"))
    .argument("<seed-or-case>", "a seed that fails, or a case file (*.json)")
    .description("make a failing run as small as it gets, with its cause, as a case and as a test")
    .option("--out <dir>", "where to write both", "shrunk")
    .option("--budget <duration>", "how long it may take", parseDuration, DEFAULT_BUDGET.timeMs)
    .action(shrink);
}

async function shrink(subject: string, flags: ShrinkFlags): Promise<void> {
  const one = subject.endsWith(".json") ? caseFromFile(subject, flags) : await caseFromSeed(subject, flags);
  if (one === null) {
    print(`seed ${subject} passed: there is nothing to shrink`);
    process.exitCode = 1;
    return;
  }
  const shrunk = await withProgress(one, flags.budget);
  if (shrunk === null) {
    print(`case ${one.name} passed: there is nothing to shrink`);
    process.exitCode = 1;
    return;
  }
  const small = { ...shrunk.case, name: `${one.name}-small` };
  printResult(shrunk);
  const casePath = writeCase(flags.out, small);
  mkdirSync(flags.out, { recursive: true });
  const testPath = join(flags.out, `${small.name}.test.ts`);
  writeFileSync(testPath, formatTest(small));
  print(`  case     ${casePath}\n  test     ${testPath}`);
  const { oracle } = small.expect;
  process.exitCode = EXIT_CODES[oracle === null ? "harness" : failureClass(oracle)];
}

/** For `sim run --shrink`: shrinks a failing seed and prints the result, operations and all. */
export async function printShrunk(result: SeedResult, mutants: readonly string[]): Promise<void> {
  const shrunk = await withProgress(caseOfSeed(result, mutants), DEFAULT_BUDGET.timeMs);
  // A seed that does not fail in its case is no run that repeats, and that was reported.
  if (shrunk === null) return;
  printResult(shrunk);
  print(`${formatTest(shrunk.case)}`);
}

function caseFromFile(path: string, flags: ShrinkFlags): SimulationCase {
  if (flags.workload !== undefined || flags.faults !== undefined) {
    throw new InvalidArgumentError("a case has its options; --workload and --faults go with a seed.");
  }
  const one = usage(readCase)(path);
  const name = basename(path, ".json");
  return flags.mutant.length > 0 ? { ...one, name, mutants: flags.mutant } : { ...one, name };
}

async function caseFromSeed(subject: string, flags: ShrinkFlags): Promise<SimulationCase | null> {
  const result = await runSeed(usage(parseSeed)(subject), { ...seedConfig(flags), repeatShare: 0 });
  return result.failure === null ? null : caseOfSeed(result, flags.mutant);
}

function caseOfSeed(result: SeedResult, mutants: readonly string[]): SimulationCase {
  const name = ["seed", result.seed, ...mutants].join("-").replaceAll(/[^\w.-]/g, "_");
  return caseOf(result, mutants, name, result.failure?.message ?? "");
}

async function withProgress(one: SimulationCase, timeMs: number): Promise<ShrunkCase | null> {
  const bar = new cliProgress.SingleBar({
    format: "{bar} {seconds} s  {operations} operations  {faults} faults  {runs} runs  {pass}",
    clearOnComplete: true,
    hideCursor: true,
  });
  const shown = ({ size, runs, pass, elapsedMs }: ShrinkProgress) => ({
    ...size,
    runs,
    pass,
    seconds: (elapsedMs / 1000).toFixed(1),
  });
  const isTTY = process.stderr.isTTY === true;
  if (isTTY)
    bar.start(timeMs, 0, { operations: one.operations.length, faults: 0, runs: 0, pass: "", seconds: 0 });
  try {
    return await shrinkCase(one, { ...DEFAULT_BUDGET, timeMs }, (progress) => {
      if (isTTY) bar.update(Math.min(progress.elapsedMs, timeMs), shown(progress));
    });
  } finally {
    if (isTTY) bar.stop();
  }
}

function printResult(shrunk: ShrunkCase): void {
  const { before, after, runs, elapsedMs, complete } = shrunk;
  const seconds = (elapsedMs / 1000).toFixed(1);
  print(`SHRUNK  ${shrunk.case.note}`);
  print(`  because  ${shrunk.cause}`);
  print(`  before   ${sizeText(before)}`);
  print(`  after    ${sizeText(after)}`);
  print(`  took     ${runs} runs, ${seconds} s${complete ? "" : "; the budget ended it"}`);
}

function sizeText({ operations, faults, decisions, options }: CaseSize): string {
  return [
    counted(operations, "operation"),
    counted(faults, "fault"),
    counted(decisions, "other decision"),
    counted(options, "option"),
  ].join(", ");
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
