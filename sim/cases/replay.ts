/**
 * Runs a case and says whether it did what the case expects. A case that expects to pass guards against the return of
 * a bug; one that expects an oracle to fail (with a planted bug) guards the oracle. When the run is not the one that was
 * saved, says between which events the two parted, so that a change of the code is told from a fault of the simulator.
 */
import { Choices } from "../choices/choices.js";
import type { PowerLossReport } from "../disk/power-loss-report.js";
import { type SimulationResult, simulate } from "../run/simulation.js";
import { type Divergence, divergenceOf } from "../trace/trace.js";
import { RecordedOperations } from "../workload/generator.js";
import type { SimulationCase } from "./case.js";

/** What a replayed case has come to. */
export interface Replay {
  readonly result: SimulationResult;
  /** The run did what the case expects. */
  readonly asExpected: boolean;
  /** The run went exactly as it did when the case was saved; null when the case does not say how that was. */
  readonly sameTrace: boolean | null;
  /** Where it parted from the run that was saved, when it did and the case has marks. */
  readonly divergence: Divergence | null;
}

export interface ReplayOptions {
  /** Whether lines of the trace are kept. */
  readonly recording?: boolean;
  /** Planted bugs to switch on instead of those of the case. */
  readonly mutants?: readonly string[];
  readonly onPowerLoss?: (report: PowerLossReport) => void;
}

export async function replayCase(one: SimulationCase, options: ReplayOptions = {}): Promise<Replay> {
  const { recording = false, mutants = one.mutants, onPowerLoss } = options;
  const result = await simulate({
    options: one.options,
    choices: Choices.fromLog(one.seed, one.choices),
    source: new RecordedOperations(one.operations),
    mutants,
    recording,
    ...(onPowerLoss === undefined ? {} : { onPowerLoss }),
  });
  const { failure, fingerprint } = result;
  const expected = one.expect.oracle;
  const asExpected = expected === null ? failure === null : failure?.oracle === expected;
  // With other bugs switched on it is another run from the start.
  const comparable = one.traceHash !== undefined && mutants.join() === one.mutants.join();
  const sameTrace = comparable ? one.traceHash === fingerprint.traceHash : null;
  return { result, asExpected, sameTrace, divergence: sameTrace === false ? partingOf(one, result) : null };
}

function partingOf(one: SimulationCase, { trace }: SimulationResult): Divergence | null {
  if (one.traceMarks === undefined || one.traceLength === undefined) return null;
  const parting = divergenceOf(one.traceMarks, trace.marks(), [one.traceLength, trace.length]);
  if (parting !== null) return parting;
  // All marks agree, so the difference is behind the last one.
  const { every, hashes } = one.traceMarks;
  return { same: every * hashes.length, different: trace.length };
}

const LINES_SHOWN = 12;

/**
 * For people: that, where and how a replay parted from the run that was saved. Null when it did not. Replays the case
 * once more, to show what the run does there now.
 */
export async function explainDivergence(one: SimulationCase, replay: Replay): Promise<string | null> {
  if (replay.sameTrace !== false) return null;
  const { divergence } = replay;
  if (divergence === null)
    return "the run differs from the one that was saved: the code behaves in another way by now";
  const { same, different } = divergence;
  const { result } = await replayCase(one, { recording: true });
  const lines = result.trace.linesBetween(same + 1, different);
  const left = lines.length > LINES_SHOWN ? [`    … and ${lines.length - LINES_SHOWN} more`] : [];
  return [
    `the code parted from the saved run between events ${shown(same)} and ${shown(different)} ` +
      `(it had ${shown(one.traceLength ?? 0)}, now there are ${shown(result.trace.length)}); the run now does:`,
    ...lines.slice(0, LINES_SHOWN).map((line) => `    ${line}`),
    ...left,
  ].join("\n");
}

function shown(count: number): string {
  return count.toLocaleString("en-US");
}
