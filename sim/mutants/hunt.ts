/**
 * One hunt: seeds with one mutant switched on, until one fails. A failure counts as a kill only when an oracle said so
 * and the same seed passes without the mutant; anything else is told as unclear and the hunt goes on.
 */
import type { OracleId } from "../oracles/failure.js";
import { type FailureClass, runSeed, type SeedConfig, seedAt } from "../run/seed.js";
import { CANARY } from "./canary.js";
import { limitsOfMutants } from "./catalogue.js";
import { threadCpuMs } from "./thread-cpu.js";

/** As in `sim run`: without it nothing would see that a mutant makes runs differ. */
const REPEAT_SHARE = 0.05;

export interface Hunt {
  readonly mutant: string;
  /** First seed of the series. */
  readonly from: string;
  readonly seedsMax: number;
}

export interface Kill {
  readonly seed: string;
  readonly oracle: OracleId;
  readonly class: FailureClass;
  readonly message: string;
}

export interface HuntResult {
  readonly mutant: string;
  readonly from: string;
  readonly kill: Kill | null;
  /** Seeds that were run, the killing one included. */
  readonly seeds: number;
  /** Seeds in which the place of the mutant was reached. */
  readonly reached: number;
  readonly cpuMs: number;
  /** Failures that are no kills. */
  readonly unclear: readonly string[];
}

export async function hunt({ mutant, from, seedsMax }: Hunt): Promise<HuntResult> {
  const started = threadCpuMs();
  const config: SeedConfig = {
    limits: limitsOfMutants([mutant]),
    mutants: [mutant],
    repeatShare: REPEAT_SHARE,
    recording: false,
  };
  const unclear: string[] = [];
  let kill: Kill | null = null;
  let seeds = 0;
  let reached = 0;
  while (kill === null && seeds < seedsMax) {
    const seed = seedAt(from, seeds++);
    const { failure, counts } = await runSeed(seed, config);
    if ((counts.mutantSites[mutant] ?? 0) > 0) reached++;
    if (failure === null) continue;
    const { oracle, message } = failure;
    if (oracle === null) unclear.push(`seed ${seed}: the simulator itself failed: ${message}`);
    else if (await failsAnyway(seed, config)) unclear.push(`seed ${seed} fails without the mutant, too`);
    else kill = { seed, oracle, class: failure.class, message };
  }
  return { mutant, from, kill, seeds, reached, cpuMs: Math.round(threadCpuMs() - started), unclear };
}

async function failsAnyway(seed: string, config: SeedConfig): Promise<boolean> {
  if (config.mutants.includes(CANARY)) return false;
  return (await runSeed(seed, { ...config, mutants: [], repeatShare: 0 })).failure !== null;
}
