/**
 * One seed: draws its options, runs it, and runs it again where determinism is to be checked (every failing seed, and
 * a share of the passing ones chosen by the seed itself). The same seed and configuration give the same result.
 */
import { StillwaterError } from "../../src/platform/errors.js";
import { type ChoiceLog, Choices } from "../choices/choices.js";
import { Sfc32 } from "../choices/random.js";
import { checkSameRun } from "../oracles/determinism.js";
import { failureClass, OracleFailure, OracleLedger } from "../oracles/failure.js";
import type { TraceMarks } from "../trace/trace.js";
import { OperationGenerator } from "../workload/generator.js";
import type { Operation } from "../workload/operation.js";
import { drawOptions, type SimulationOptions, type SwarmLimits } from "../workload/options.js";
import type { RunCounts } from "./counts.js";
import { checkMetamorphic } from "./metamorphic.js";
import { describeFailure, type SimulationFailure, type SimulationResult, simulate } from "./simulation.js";

/** Other options under which a seed is run again. */
const METAMORPHIC_VARIANTS = 2;

/** How one seed is run. */
export interface SeedConfig {
  readonly limits: SwarmLimits;
  readonly mutants: readonly string[];
  /** Share of the passing seeds that are run twice. Failing ones always are. */
  readonly repeatShare: number;
  /** Share of the passing seeds whose operations are run again under other options (O21). Default 0. */
  readonly metamorphicShare?: number;
  /** Whether places of mutants are counted, for a report of coverage. */
  readonly watchesMutants?: boolean;
  readonly recording: boolean;
  /** As in `SimulationSetup`. */
  readonly countsSyncs?: boolean;
}

/** How a failure is classed by exit codes. */
export type FailureClass = "safety" | "liveness" | "determinism" | "harness";

/** Plain data: it crosses threads. */
export interface SeedResult {
  readonly seed: string;
  readonly options: SimulationOptions;
  readonly failure: (SimulationFailure & { readonly class: FailureClass }) | null;
  readonly operations: readonly Operation[];
  readonly choices: ChoiceLog;
  readonly counts: RunCounts;
  readonly fingerprint: SimulationResult["fingerprint"];
  readonly traceLines: readonly string[];
  readonly traceMarks: TraceMarks;
}

export async function runSeed(seed: string, config: SeedConfig): Promise<SeedResult> {
  const { options, result } = await withoutStacks(() => runOnce(seed, config));
  const repeats = result.failure !== null || new Sfc32(seed, "repeat").fraction() < config.repeatShare;
  const failure =
    (repeats ? await repeat(seed, config, result) : null) ?? (await metamorphic(seed, config, result));
  return {
    seed,
    options,
    failure: failure === null ? null : { ...failure, class: classOf(failure) },
    operations: result.operations,
    choices: result.choices,
    counts: result.counts,
    fingerprint: result.fingerprint,
    traceLines: result.traceLines,
    traceMarks: result.trace.marks(),
  };
}

/** Taking stacks of errors that are only injected costs several percent; a failing seed is run again with them. */
async function withoutStacks<T>(run: () => Promise<T>): Promise<T> {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    return await run();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

async function runOnce(
  seed: string,
  config: SeedConfig,
): Promise<{ options: SimulationOptions; result: SimulationResult }> {
  const choices = Choices.fromSeed(seed);
  const options = drawOptions(choices.stream("options"), config.limits);
  const source = new OperationGenerator(options, choices.stream("workload"));
  const { mutants, recording, watchesMutants = false, countsSyncs = false } = config;
  const setup = { options, choices, source, mutants, recording, watchesMutants, countsSyncs };
  return { options, result: await simulate(setup) };
}

/** Runs the seed again; a difference is a failure of its own, and graver than the one it was run for. */
async function repeat(
  seed: string,
  config: SeedConfig,
  first: SimulationResult,
): Promise<SimulationFailure | null> {
  const { result: second } = await runOnce(seed, config);
  const ledger = new OracleLedger();
  try {
    checkSameRun(ledger, first.fingerprint, second.fingerprint);
  } catch (error) {
    if (!(error instanceof OracleFailure)) throw error;
    const known = first.failure === null ? "" : ` (the first run failed: ${first.failure.message})`;
    const stack = second.failure?.stack ?? error.stack ?? "";
    return { oracle: error.oracle, message: error.message + known, stack };
  }
  first.counts.oracles.O14 += ledger.evaluations.O14;
  return second.failure;
}

/** Runs the operations of some of the passing seeds under other options, which must change no answer. */
async function metamorphic(
  seed: string,
  { limits, mutants, metamorphicShare = 0 }: SeedConfig,
  { failure, counts }: SimulationResult,
): Promise<SimulationFailure | null> {
  if (failure !== null || new Sfc32(seed, "metamorphic").fraction() >= metamorphicShare) return null;
  const ledger = new OracleLedger();
  try {
    await checkMetamorphic(seed, limits, METAMORPHIC_VARIANTS, mutants, ledger);
    return null;
  } catch (error) {
    return describeFailure(error);
  } finally {
    counts.oracles.O21 += ledger.evaluations.O21;
  }
}

function classOf(failure: SimulationFailure): FailureClass {
  return failure.oracle === null ? "harness" : failureClass(failure.oracle);
}

/**
 * The text of a seed: a number, a commit hash, or a word. Throws `INVALID_ARGUMENT` for text that cannot have been
 * printed as one, such as a path.
 */
export function parseSeed(text: string): string {
  if (/^[\w.+-]{1,80}$/.test(text)) return text;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `${JSON.stringify(text)} is no seed. A seed is a number, a commit hash, or 1 to 80 letters, digits and _.+-; ` +
      "a case is the path of a file that ends in .json.",
  );
}

/** The n-th seed of a series: numbers count up, any other text gets a suffix. */
export function seedAt(from: string, n: number): string {
  if (/^\d{1,15}$/.test(from)) return String(Number(from) + n);
  return n === 0 ? from : `${from}+${n}`;
}
