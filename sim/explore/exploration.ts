/**
 * The whole exploration: every unit of all workloads up to a length, in worker threads or in this one, added up. What is
 * found does not depend on the number of threads, only the order in which it is told. Owns the wall clock of the report.
 */
import { Worker } from "node:worker_threads";
import { OracleLedger } from "../oracles/failure.js";
import { type ExploredFailure, exploreUnit, type UnitConfig, type UnitCounts } from "./unit.js";
import { listUnits } from "./workloads.js";

/** How far an exploration goes. */
export interface ExplorationConfig extends UnitConfig {
  /** Longest workload, in steps. */
  readonly stepsMax: number;
  /** Worker threads; 0 explores in the calling thread. */
  readonly jobs: number;
  /** Stops after so many failing states. */
  readonly failuresMax: number;
}

/** What an exploration has covered and found. */
export interface ExplorationResult {
  readonly config: ExplorationConfig;
  readonly counts: UnitCounts;
  readonly oracles: OracleLedger["evaluations"];
  /** In the order of the units, so the shortest workloads come first. */
  readonly failures: readonly ExploredFailure[];
  /** Whether every unit was explored to its end. */
  readonly isFinished: boolean;
  readonly elapsedMs: number;
  /** Of all threads. */
  readonly processorMs: number;
}

/** What one thread is to do: every `stride`-th unit from `first` on. */
export interface ExplorationShare {
  readonly config: ExplorationConfig;
  readonly first: number;
  readonly stride: number;
}

/** What a thread tells after each unit. */
export interface UnitReport {
  readonly index: number;
  readonly counts: UnitCounts;
  readonly oracles: OracleLedger["evaluations"];
  readonly failures: readonly ExploredFailure[];
}

/** `onProgress` hears of units. */
export async function explore(
  config: ExplorationConfig,
  onProgress: (done: number, total: number, states: number, failures: number) => void,
): Promise<ExplorationResult> {
  const started = performance.now();
  const processorBefore = process.cpuUsage();
  const total = listUnits(config.stepsMax).length;
  const counts: { -readonly [Name in keyof UnitCounts]: number } = emptyCounts();
  const oracles = new OracleLedger().evaluations;
  const failures: { readonly index: number; readonly failure: ExploredFailure }[] = [];
  let done = 0;
  const collect = ({ index, ...report }: UnitReport): void => {
    done++;
    for (const name of COUNT_NAMES) counts[name] += report.counts[name];
    for (const [oracle, times] of Object.entries(report.oracles)) {
      oracles[oracle as keyof typeof oracles] += times;
    }
    failures.push(...report.failures.map((failure) => ({ index, failure })));
    onProgress(done, total, counts.distinctStates, failures.length);
  };
  const isEnough = (): boolean => failures.length >= config.failuresMax;
  if (config.jobs === 0) {
    await exploreShare({ config, first: 0, stride: 1 }, collect, isEnough);
  } else {
    const threads = Array.from({ length: config.jobs }, (_, first) =>
      exploreInThread({ config, first, stride: config.jobs }, collect, isEnough),
    );
    await Promise.all(threads);
  }
  failures.sort((a, b) => a.index - b.index);
  const { user, system } = process.cpuUsage(processorBefore);
  return {
    config,
    counts,
    oracles,
    failures: failures.map(({ failure }) => failure),
    isFinished: done === total,
    elapsedMs: performance.now() - started,
    processorMs: (user + system) / 1000,
  };
}

/** Explores a share in this thread. `isEnough` is asked between units. */
export async function exploreShare(
  { config, first, stride }: ExplorationShare,
  report: (report: UnitReport) => void,
  isEnough: () => boolean,
): Promise<void> {
  const units = listUnits(config.stepsMax);
  for (let index = first; index < units.length && !isEnough(); index += stride) {
    const unit = units[index];
    if (unit !== undefined) report({ index, ...(await exploreUnit(unit, config)) });
  }
}

const COUNT_NAMES = [
  "workloads",
  "instants",
  "completeInstants",
  "states",
  "distinctStates",
  "statesInRecovery",
  "recoveries",
] as const satisfies readonly (keyof UnitCounts)[];

function emptyCounts(): Record<(typeof COUNT_NAMES)[number], number> {
  return Object.fromEntries(COUNT_NAMES.map((name) => [name, 0])) as Record<keyof UnitCounts, number>;
}

/** Resolves when the thread has done its share, or has been told that it is enough. */
function exploreInThread(
  share: ExplorationShare,
  collect: (report: UnitReport) => void,
  isEnough: () => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./exploration-worker.js", import.meta.url), {
      workerData: share,
      execArgv: [],
    });
    worker.on("message", (report: UnitReport) => {
      collect(report);
      if (isEnough()) void worker.terminate();
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
  });
}
