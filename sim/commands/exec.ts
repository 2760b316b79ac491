/**
 * The command `sim exec`: crash-tests any Node program. Parses, prints, sets exit codes: 0 the check held, 2 wrong usage,
 * 127 the simulator failed (or a case did not fail as it should), 129 the check failed.
 */
import { writeFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import cliProgress from "cli-progress";
import { Command, InvalidArgumentError } from "commander";
import { StillwaterError } from "../../src/platform/errors.js";
import type { SyncPersonality } from "../disk/options.js";
import type { CrashKind } from "../disk/simulation-disk.js";
import { type CrashTestOptions, type CrashTestResult, checkOne, crashTest } from "../exec/crash-test.js";
import { readExecCase, writeExecCase } from "../exec/exec-case.js";
import type { Finding } from "../exec/findings.js";
import { formatFinding, formatResult, jsonOf } from "../exec/report.js";
import { parsePersonality } from "../exec/settings.js";
import { parseCount, print } from "./parameters.js";

const EXIT_FAILED = 129;
const EXIT_SIMULATOR = 127;
const STATES = 64;
const FINDINGS = 10;
const EVENTS_MAX = 20_000;
const TIME_MAX_S = 60;

interface ExecFlags {
  readonly check?: string;
  readonly mount?: string;
  readonly crash: readonly CrashKind[];
  readonly personality: SyncPersonality;
  readonly states: number;
  readonly sample?: number;
  readonly seed: string;
  readonly findings: number;
  readonly timeout: number;
  readonly allowWrite?: boolean;
  readonly save?: string;
  readonly report?: string;
  readonly replay?: string;
}

export function execCommand(): Command {
  return new Command("exec")
    .description(
      "crash-test any Node program: run it, crash it at every step, run a check on every crash state",
    )
    .usage("[options] -- <program> [parameters...]")
    .argument("[program...]", "the program and its parameters, behind --")
    .option(
      "--check <file>",
      "module whose default export checks a crash state; throws if it is not as promised",
    )
    .option("--mount <dir>", "the directory that is simulated (default: the working directory)")
    .option("--crash <kinds>", "process-kill, power-loss, or both", parseKinds, [
      "process-kill",
      "power-loss",
    ] as const)
    .option("--personality <name>", "of the disk, see docs/SIMULATION.md", parseDisk, "posix-strict" as const)
    .option("--states <n>", "power losses to try at each step, when not all are", parseCount, STATES)
    .option("--sample <n>", "crash at so many steps only, drawn by the seed", parseCount)
    .option(
      "--seed <text>",
      "of samples, and of the program's time and chance; 0: calls complete in order",
      "0",
    )
    .option("--findings <n>", "root causes to report", parseCount, FINDINGS)
    .option("--timeout <seconds>", "for the program", parseCount, TIME_MAX_S)
    .option("--allow-write", "let the program write to the real disk outside of the mounted directory")
    .option("--save <dir>", "save each root cause as a case")
    .option("--report <file>", "write a JSON report")
    .option("--replay <case>", "check the crash state of a saved case")
    .action(exec);
}

async function exec(program: readonly string[], flags: ExecFlags, command: Command): Promise<void> {
  try {
    if (flags.replay !== undefined) await replay(flags.replay);
    else await run(optionsOf(program, flags, command), flags);
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    throw new InvalidArgumentError(error.message);
  }
}

function optionsOf(program: readonly string[], flags: ExecFlags, command: Command): CrashTestOptions {
  // "node app.mjs" means app.mjs.
  const [path, ...parameters] = program[0] === "node" ? program.slice(1) : program;
  if (path === undefined)
    command.error("error: name the program behind --, for example: sim exec --check check.mjs -- app.mjs");
  if (flags.check === undefined) command.error("error: name the check: --check check.mjs");
  const cwd = process.cwd();
  return {
    program: path,
    parameters,
    check: resolve(cwd, flags.check),
    mount: resolve(cwd, flags.mount ?? "."),
    cwd,
    seed: flags.seed,
    personality: flags.personality,
    kinds: flags.crash,
    statesMax: flags.states,
    sample: flags.sample ?? null,
    findingsMax: flags.findings,
    allowWrite: flags.allowWrite === true,
    timeMaxMs: flags.timeout * 1000,
    eventsMax: EVENTS_MAX,
  };
}

async function run(options: CrashTestOptions, flags: ExecFlags): Promise<void> {
  const result = await withProgress(options);
  const { findings } = result.exploration;
  const cases: string[] = [];
  for (const [index, finding] of findings.entries()) {
    if (flags.save === undefined) {
      print(`${formatFinding(finding, commandLine(options))}\n`);
      continue;
    }
    const path = writeExecCase(flags.save, nameOf(options, index), options, result.tape, finding);
    cases.push(path);
    print(`${formatFinding(finding, `npx stillwater sim exec --replay ${path}`)}\n`);
  }
  print(formatResult(result));
  if (flags.report !== undefined) writeFileSync(flags.report, jsonOf(options, result, cases));
  if (findings.length > 0) process.exitCode = EXIT_FAILED;
  else if (result.unconfirmed.length > 0) process.exitCode = EXIT_SIMULATOR;
}

async function withProgress(options: CrashTestOptions): Promise<CrashTestResult> {
  if (process.stderr.isTTY !== true) return crashTest(options, () => {});
  const bar = new cliProgress.SingleBar({
    format: "{bar} step {value} of {total}",
    clearOnComplete: true,
    hideCursor: true,
  });
  bar.start(1, 0);
  try {
    return await crashTest(options, (position, events) => {
      bar.setTotal(events);
      bar.update(position);
    });
  } finally {
    bar.stop();
  }
}

async function replay(path: string): Promise<void> {
  const { one, options, tape } = readExecCase(path);
  const choice = { kind: one.crash, answers: one.answers };
  const whole = { ...options, ...REPLAY_OPTIONS, parameters: one.parameters };
  const finding: Finding | null = await checkOne(whole, tape, one.position, choice);
  if (finding === null) {
    print(
      `case ${one.name}: the check holds on this crash state; when it was saved it failed: ${one.message}`,
    );
    return;
  }
  print(formatFinding({ ...finding, cause: one.note }, `npx stillwater sim exec --replay ${path}`));
  process.exitCode = EXIT_FAILED;
}

/** Nothing is run or explored. */
const REPLAY_OPTIONS = {
  kinds: [],
  statesMax: 1,
  sample: null,
  findingsMax: 1,
  allowWrite: false,
  timeMaxMs: 1,
  eventsMax: 1,
} as const;

function nameOf({ program }: CrashTestOptions, index: number): string {
  return `${basename(program).replace(/\.[cm]?js$/, "")}-${index + 1}`;
}

function commandLine({ program, parameters, check, mount, seed, personality }: CrashTestOptions): string {
  const flags = `--save cases --check ${check} --mount ${mount} --seed ${seed} --personality ${personality}`;
  return `npx stillwater sim exec ${flags} -- ${[program, ...parameters].join(" ")}`;
}

function parseKinds(text: string): readonly CrashKind[] {
  const kinds = text === "both" ? ["process-kill", "power-loss"] : text.split(",");
  if (kinds.every((kind): kind is CrashKind => kind === "process-kill" || kind === "power-loss"))
    return kinds;
  throw new InvalidArgumentError("It must be process-kill, power-loss or both.");
}

function parseDisk(text: string): SyncPersonality {
  try {
    return parsePersonality(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
