/**
 * Many seeds: runs a series until a number of them, a time or enough failures is reached, in worker threads or in this
 * one, and adds everything up. Which seeds are run does not depend on the number of threads, only how far
 * the series gets in a given time. Owns the only wall clock of the simulator: for the time budget and for rates.
 */
import { Worker } from "node:worker_threads";
import { addCounts, emptyCounts, type RunCounts } from "./counts.js";
import { runSeed, type SeedConfig, type SeedResult, seedAt } from "./seed.js";

export interface EnsembleConfig extends SeedConfig {
  readonly from: string;
  /** Infinity: as many as the time allows. */
  readonly seeds: number;
  readonly timeMs: number;
  /** Worker threads; 0 runs everything in the calling thread. */
  readonly jobs: number;
  /** Stops after so many failing seeds. */
  readonly failuresMax: number;
}

export interface EnsembleResult {
  readonly config: EnsembleConfig;
  readonly seeds: number;
  readonly counts: RunCounts;
  /** Failing seeds in the order of the series. */
  readonly failures: readonly SeedResult[];
  readonly elapsedMs: number;
}

/** What one worker thread is to do: every `stride`-th seed of the series from `first` on. */
export interface Share {
  readonly config: EnsembleConfig;
  readonly first: number;
  readonly stride: number;
}

/** What a thread tells after each few seeds. */
export interface Progress {
  readonly seeds: number;
  readonly counts: RunCounts;
  readonly failures: readonly { readonly index: number; readonly result: SeedResult }[];
}

const YOUNG_GENERATION_MB = 48;
/** Seeds between two messages of a thread. */
const REPORT_EVERY = 16;

export async function runEnsemble(
  config: EnsembleConfig,
  onProgress: (seeds: number, failures: number, elapsedMs: number) => void,
): Promise<EnsembleResult> {
  const started = performance.now();
  const counts = emptyCounts();
  const failures: { index: number; result: SeedResult }[] = [];
  let seeds = 0;
  const collect = (progress: Progress): void => {
    seeds += progress.seeds;
    addCounts(counts, progress.counts);
    failures.push(...progress.failures);
    onProgress(seeds, failures.length, performance.now() - started);
  };
  const isEnough = (): boolean => failures.length >= config.failuresMax;
  if (config.jobs === 0) {
    await runShare({ config, first: 0, stride: 1 }, collect, isEnough);
  } else {
    const shares = Array.from({ length: config.jobs }, (_, first) => ({
      config,
      first,
      stride: config.jobs,
    }));
    await Promise.all(shares.map((share) => runInThread(share, collect, isEnough)));
  }
  failures.sort((a, b) => a.index - b.index);
  const elapsedMs = performance.now() - started;
  return { config, seeds, counts, failures: failures.map(({ result }) => result), elapsedMs };
}

/** Runs a share in this thread. `isEnough` is asked between seeds. */
export async function runShare(
  share: Share,
  report: (progress: Progress) => void,
  isEnough: () => boolean,
): Promise<void> {
  const { config, first, stride } = share;
  const started = performance.now();
  let counts = emptyCounts();
  let seeds = 0;
  let failures: { index: number; result: SeedResult }[] = [];
  const flush = (): void => {
    if (seeds > 0) report({ seeds, counts, failures });
    counts = emptyCounts();
    seeds = 0;
    failures = [];
  };
  for (let index = first; index < config.seeds; index += stride) {
    if (isEnough() || performance.now() - started >= config.timeMs) break;
    const result = await runSeed(seedAt(config.from, index), config);
    seeds++;
    addCounts(counts, result.counts);
    if (result.failure !== null) failures.push({ index, result });
    if (seeds >= REPORT_EVERY || failures.length > 0) flush();
  }
  flush();
}

/** Resolves when the thread has done its share, or has been told that it is enough. */
function runInThread(
  share: Share,
  collect: (progress: Progress) => void,
  isEnough: () => boolean,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./ensemble-worker.js", import.meta.url), {
      workerData: share,
      execArgv: [],
      // Most of what a seed allocates dies with it, and with room for a whole seed it dies without being copied.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    worker.on("message", (progress: Progress) => {
      collect(progress);
      if (isEnough()) void worker.terminate();
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
  });
}
