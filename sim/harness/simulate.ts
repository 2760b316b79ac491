/**
 * `simulate`: crash-tests a piece of code inside a user's own test, in one call. For each seed the scenario runs on a
 * simulated machine, which goes down at a moment of the seed; then the check runs on what is left, and is told what had
 * been acknowledged. The first failing seed is cut down to its root cause and thrown, with the line that repeats it.
 *
 * Promises: a seed always does the same; `STILLWATER_SEED=n` runs that seed alone. Time and chance must come from the
 * context: real timers and I/O stand still in a simulated process.
 */
import { StillwaterError } from "../../src/platform/errors.js";
import { type ChoiceLog, Choices } from "../choices/choices.js";
import { itemText } from "../disk/crash-items.js";
import type { DiskOptions, SyncPersonality } from "../disk/options.js";
import type { CrashItem, CrashKind } from "../disk/simulation-disk.js";
import { isTorn } from "../exec/crash-states.js";
import { findRootCause, type RootCause } from "../exec/root-cause.js";
import type { CheckContext, ScenarioContext } from "./scenario.js";
import { runSeed, type SeedFailure, type SeedRun, type Subject } from "./seed-run.js";

/** The scenario, the check, and where and how often the machine goes down. */
export interface SimulateOptions<Promised, Input = undefined> {
  /** The code under test. Runs in `directory` on a fresh disk; crashed at any call on the disk, or after its end. */
  readonly scenario: (context: ScenarioContext<Input, Promised>) => unknown;
  /** Opens what is left, as after a restart, and throws unless it is as promised. */
  readonly check: (context: CheckContext<Input, Promised>) => unknown;
  /** How many; default 200. */
  readonly seeds?: number;
  /** The number of the first seed; default 1. */
  readonly from?: number;
  /** Which crashes; default both. */
  readonly kinds?: readonly CrashKind[];
  /** What the disk makes durable when; default `posix-strict`, the weakest. */
  readonly personality?: SyncPersonality;
  /** Other properties of the disk: faults, size, tears. */
  readonly disk?: Partial<DiskOptions>;
}

/** How much `simulate` has tried, and a hash over all of it. */
export interface SimulateReport {
  readonly seeds: number;
  readonly powerLosses: number;
  readonly processKills: number;
  /** Power losses that found something unsynced. */
  readonly crashStates: number;
  /** Over the traces of all seeds: equal in two runs that did the same. */
  readonly hash: string;
}

/** Why a seed failed. The message holds everything; the fields are for tools. */
export class SimulationFailure extends Error {
  readonly seed: number;
  /** Of `STILLWATER_SEED`, with more variables in front where there are some. */
  readonly reproduce: string;
  readonly explanation: string;

  constructor(seed: number, explanation: string, cause: unknown, variables = "") {
    const reproduce = `STILLWATER_SEED=${seed}${variables} npx vitest run (or however you run this test)`;
    super(`${explanation}\n  reproduce   ${reproduce}`, { cause });
    this.name = "SimulationFailure";
    this.seed = seed;
    this.reproduce = reproduce;
    this.explanation = explanation;
  }
}

const SEEDS = 200;
/** Names every option, so that an unknown one is told from a known one. */
const OPTION_NAMES = ["scenario", "check", "seeds", "from", "kinds", "personality", "disk"];

/** Throws `SimulationFailure` for the first seed whose check fails. */
export async function simulate<Promised = unknown>(
  options: SimulateOptions<Promised>,
): Promise<SimulateReport> {
  return simulateInput(options, undefined);
}

/** As `simulate`, with an input for the scenario: see `simulateWith`. */
export async function simulateInput<Promised, Input>(
  options: SimulateOptions<Promised, Input>,
  input: Input,
): Promise<SimulateReport> {
  checkOptions(options);
  const subject: Subject<Input, Promised> = {
    scenario: options.scenario,
    check: options.check,
    input,
    disk: {
      ...options.disk,
      ...(options.personality === undefined ? {} : { personality: options.personality }),
    },
    kinds: options.kinds ?? ["power-loss", "process-kill"],
  };
  const rehearsal = await runSeed(subject, Choices.fromSeed("rehearsal"), null);
  if (rehearsal.failure?.stage === "scenario") throw ownFault(rehearsal.failure);
  // A scenario that is scheduled otherwise may take more calls; a crash beyond its last call strikes after its end.
  const callsMax = Math.ceil(rehearsal.calls * 1.25) + 1;
  const counts = { seeds: 0, powerLosses: 0, processKills: 0, crashStates: 0 };
  let hash = "";
  for (const seed of seedsOf(options)) {
    const run = await runSeed(subject, Choices.fromSeed(String(seed)), callsMax);
    if (run.failure !== null) throw await explain(subject, seed, callsMax, run, run.failure);
    counts.seeds++;
    counts[run.crash === "power-loss" ? "powerLosses" : "processKills"]++;
    if (run.items.length > 0) counts.crashStates++;
    hash = foldHash(hash, run.traceHash);
  }
  return { ...counts, hash };
}

function seedsOf({ seeds = SEEDS, from = 1 }: { readonly seeds?: number; readonly from?: number }): number[] {
  const only = process.env["STILLWATER_SEED"];
  if (only === undefined) return Array.from({ length: seeds }, (_, index) => from + index);
  const seed = Number(only);
  if (Number.isSafeInteger(seed) && seed >= 0) return [seed];
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `STILLWATER_SEED must be a whole number, but it is "${only}".`,
  );
}

async function explain<Input, Promised>(
  subject: Subject<Input, Promised>,
  seed: number,
  callsMax: number,
  run: SeedRun<Promised>,
  failure: SeedFailure,
): Promise<SimulationFailure> {
  const { items, log } = run;
  let cause: RootCause = { answers: [], lost: [], kept: [] };
  let shown = run;
  if (failure.stage === "check" && run.crash === "power-loss" && items.length > 0) {
    const again = (answers: readonly number[]) =>
      runSeed(subject, Choices.fromLog(String(seed), withCrash(log, answers)), callsMax);
    const fails = async (answers: readonly number[]) => (await again(answers)).failure?.stage === "check";
    cause = await findRootCause(items, answersOf(log, items.length), fails);
    shown = await again(cause.answers);
  }
  const error = shown.failure?.error ?? failure.error;
  return new SimulationFailure(seed, explanation(run, failure, error, cause, items), error);
}

function explanation<Promised>(
  run: SeedRun<Promised>,
  { stage }: SeedFailure,
  error: unknown,
  cause: RootCause,
  items: readonly CrashItem[],
): string {
  const { crash, where, acknowledged } = run;
  const said = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  if (stage === "scenario") return `the scenario failed by itself: ${said}`;
  const text = (index: number) => itemText(items[index] as CrashItem);
  const fate = (index: number) =>
    isTorn(items[index] as CrashItem, cause.answers[index] ?? 0)
      ? "torn"
      : cause.answers[index] === items[index]?.sequences.length
        ? "lost"
        : "older";
  const last = acknowledged.at(-1);
  const promised =
    acknowledged.length === 0 ? "nothing" : `${acknowledged.length} times, the last: ${JSON.stringify(last)}`;
  return [
    `the check failed after a ${crash === "power-loss" ? "power loss" : "process kill"}: ${said}`,
    `  crashed at  ${where}`,
    `  promised    ${promised}`,
    ...cause.lost.map((index) => `  ${fate(index).padEnd(11)} ${text(index)}`),
    ...cause.kept.map((index) => `  needs kept  ${text(index)}`),
    `  cause       ${sentence(crash, cause.lost.map(text), cause.kept.map(text))}`,
  ].join("\n");
}

function sentence(crash: CrashKind, lost: readonly string[], kept: readonly string[]): string {
  if (crash === "process-kill") return "Nothing that was written is lost: the moment alone is enough.";
  if (lost.length === 0) return "Nothing needs to be lost: the moment alone is enough.";
  const although =
    kept.length === 0 ? "" : ` and ${kept.join(" and ")} ${kept.length === 1 ? "is" : "are"} kept`;
  return `It fails exactly when ${lost.join(" and ")} ${lost.length === 1 ? "does" : "do"} not survive${although}.`;
}

/** A scenario must work while nothing goes wrong. */
function ownFault({ error }: SeedFailure): Error {
  const said = error instanceof Error ? error.message : String(error);
  return new Error(`The scenario fails without any crash: ${said}`, { cause: error });
}

function withCrash(log: ChoiceLog, answers: readonly number[]): ChoiceLog {
  const crash = answers.flatMap((answer, index) => (answer === 0 ? [] : [[index, answer] as const]));
  return { ...log, crash };
}

function answersOf(log: ChoiceLog, count: number): number[] {
  const answers = Array.from({ length: count }, () => 0);
  for (const [at, answer] of log["crash"] ?? []) {
    if (typeof at === "number" && at < count) answers[at] = answer;
  }
  return answers;
}

function checkOptions(options: object): void {
  const unknown = Object.keys(options).find((name) => !OPTION_NAMES.includes(name));
  if (unknown === undefined) return;
  throw new StillwaterError(
    "UNKNOWN_OPTION",
    `simulate has no option "${unknown}". It has ${OPTION_NAMES.join(", ")}.`,
  );
}

function foldHash(hash: string, next: string): string {
  let folded = 0x811c9dc5;
  for (const character of hash + next) folded = Math.imul(folded ^ character.charCodeAt(0), 0x01000193);
  return (folded >>> 0).toString(16).padStart(8, "0");
}
