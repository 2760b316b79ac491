/**
 * Runs a case and says whether it did what the case expects. A case that expects to pass guards against the return of
 * a bug; one that expects an oracle to fail (with a planted bug) guards the oracle.
 */
import { Choices } from "../choices/choices.js";
import { type SimulationResult, simulate } from "../run/simulation.js";
import { RecordedOperations } from "../workload/generator.js";
import type { SimulationCase } from "./case.js";

export interface Replay {
  readonly result: SimulationResult;
  /** The run did what the case expects. */
  readonly asExpected: boolean;
  /** The run went exactly as it did when the case was saved; null when the case does not say how that was. */
  readonly sameTrace: boolean | null;
}

export async function replayCase(
  one: SimulationCase,
  recording = false,
  mutants: readonly string[] = one.mutants,
): Promise<Replay> {
  const result = await simulate({
    options: one.options,
    choices: Choices.fromLog(one.seed, one.choices),
    source: new RecordedOperations(one.operations),
    mutants,
    recording,
  });
  const { failure, fingerprint } = result;
  const expected = one.expect.oracle;
  const asExpected = expected === null ? failure === null : failure?.oracle === expected;
  const sameTrace = one.traceHash === undefined ? null : one.traceHash === fingerprint.traceHash;
  return { result, asExpected, sameTrace };
}
