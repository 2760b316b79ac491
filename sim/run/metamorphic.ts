/**
 * The metamorphic run of one seed (O21): its operations, on a calm machine, once with its own store options and then with
 * those of other seeds. Which those are follows from the seed alone, so that a failure repeats.
 */
import { Choices } from "../choices/choices.js";
import { SOUND_DISK } from "../disk/options.js";
import type { OracleLedger } from "../oracles/failure.js";
import { checkSameHistory } from "../oracles/metamorphic.js";
import { OperationGenerator, RecordedOperations } from "../workload/generator.js";
import { drawOptions, type SimulationOptions, type SwarmLimits } from "../workload/options.js";
import { CALM_WORLD } from "../world/faults.js";
import { historyOf } from "./history.js";

/** Long enough to flush and compact many times. */
const OPERATIONS_MAX = 150;

/** Throws `OracleFailure` when a history differs, and what a calm run throws. */
export async function checkMetamorphic(
  seed: string,
  limits: SwarmLimits,
  variants: number,
  mutants: readonly string[],
  ledger: OracleLedger,
): Promise<void> {
  const choices = Choices.fromSeed(seed);
  const options = calm(drawOptions(choices.stream("options"), limits));
  const source = new OperationGenerator(options, choices.stream("workload"));
  const first = await historyOf(options, source, seed, mutants);
  for (let n = 1; n <= variants; n++) {
    const other = `${seed}/${n}`;
    const drawn = calm(drawOptions(Choices.fromSeed(other).stream("options"), limits));
    const varied = { ...options, store: drawn.store, schedule: drawn.schedule, disk: drawn.disk };
    const { answers } = await historyOf(varied, new RecordedOperations(first.operations), other, mutants);
    checkSameHistory(ledger, first.answers, answers, `${drawn.schedule} and ${JSON.stringify(drawn.store)}`);
  }
}

/** The same workload on a sound disk, with nothing to disturb it. Latencies stay: they are the schedule's own. */
function calm(options: SimulationOptions): SimulationOptions {
  return {
    ...options,
    operations: Math.min(options.operations, OPERATIONS_MAX),
    weights: { ...options.weights, space: 0 },
    crashes: { ...options.crashes, everyOperations: 0 },
    disk: { ...SOUND_DISK, latency: { ...options.disk.latency, stallProbability: 0 } },
    world: CALM_WORLD,
    logRotProbability: 0,
  };
}
