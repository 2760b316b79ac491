/**
 * Many seeds: runs a series until a number of them, a time or enough failures is reached, in worker threads or in this
 * one, and adds everything up. Which seeds are run does not depend on the number of threads, only how far
 * the series gets in a given time. Owns the only wall clock of the simulator: for the time budget, for rates, and for the
 * watchdog that gives up a seed which hangs.
 */
import { Worker } from "node:worker_threads";
import { Choices } from "../choices/choices.js";
import { OracleFailure } from "../oracles/failure.js";
import { drawOptions } from "../workload/options.js";
import { addCounts, emptyCounts, type RunCounts } from "./counts.js";
import { runSeed, type SeedConfig, type SeedResult, seedAt } from "./seed.js";

/** Which seeds run, how long, and on how many threads. */
export interface EnsembleConfig extends SeedConfig {
  readonly from: string;
  /** Infinity: as many as the time allows. */
  readonly seeds: number;
  readonly timeMs: number;
  /** Worker threads; 0 runs everything in the calling thread. */
  readonly jobs: number;
  /** Stops after so many failing seeds. */
  readonly failuresMax: number;
  /** A seed that takes longer on the wall clock hangs, and is given up; in threads only. Default `SEED_MS_MAX`. */
  readonly seedMsMax?: number;
}

/** Hundreds of times what a seed takes on a busy machine. */
export const SEED_MS_MAX = 60_000;

/** What a swarm of seeds has come to. */
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
  /** Indices that are left out: they hang. */
  readonly skip: readonly number[];
  /** Shared with the watchdog: 1 + the index of the seed that is running. */
  readonly running: SharedArrayBuffer;
}

/** What a thread tells after each few seeds. */
export interface Progress {
  readonly seeds: number;
  readonly counts: RunCounts;
  /** The last index that this covers. */
  readonly through: number;
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
    await runShare(shareOf(config, 0, 1), collect, isEnough);
  } else {
    const shares = Array.from({ length: config.jobs }, (_, first) => shareOf(config, first, config.jobs));
    await Promise.all(shares.map((share) => runInThreads(share, collect, isEnough)));
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
  const { config, first, stride, skip } = share;
  const running = new Int32Array(share.running);
  const started = performance.now();
  let counts = emptyCounts();
  let seeds = 0;
  let failures: { index: number; result: SeedResult }[] = [];
  let through = first;
  const flush = (): void => {
    if (seeds > 0) report({ seeds, counts, failures, through });
    counts = emptyCounts();
    seeds = 0;
    failures = [];
  };
  for (let index = first; index < config.seeds; index += stride) {
    if (isEnough() || performance.now() - started >= config.timeMs) break;
    if (skip.includes(index)) continue;
    Atomics.store(running, 0, index + 1);
    const result = await runSeed(seedAt(config.from, index), config);
    through = index;
    seeds++;
    addCounts(counts, result.counts);
    if (result.failure !== null) failures.push({ index, result });
    if (seeds >= REPORT_EVERY || failures.length > 0) flush();
  }
  flush();
}

function shareOf(config: EnsembleConfig, first: number, stride: number): Share {
  return { config, first, stride, skip: [], running: new SharedArrayBuffer(4) };
}

/**
 * Runs a share in a thread; when a seed hangs in a loop that nothing within the thread can see, in another one that goes
 * on behind it. What the first had not told of yet is run again.
 */
async function runInThreads(
  share: Share,
  collect: (progress: Progress) => void,
  isEnough: () => boolean,
): Promise<void> {
  const { config, stride } = share;
  const skip: number[] = [];
  const started = performance.now();
  for (let { first } = share; ; ) {
    const note = (progress: Progress): void => {
      first = progress.through + stride;
      collect(progress);
    };
    const timeMs = config.timeMs - (performance.now() - started);
    const hung = await runInThread({ ...share, config: { ...config, timeMs }, first, skip }, note, isEnough);
    if (hung === null) return;
    skip.push(hung);
    collect({
      seeds: 1,
      counts: emptyCounts(),
      through: hung,
      failures: [{ index: hung, result: hangingSeed(config, hung) }],
    });
    if (isEnough()) return;
  }
}

/** Resolves with null when the thread has done its share or has been told that it is enough; else with the index that hangs. */
function runInThread(
  share: Share,
  collect: (progress: Progress) => void,
  isEnough: () => boolean,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    // A thread before this one may have left its mark.
    new Int32Array(share.running).fill(0);
    const worker = new Worker(new URL("./ensemble-worker.js", import.meta.url), {
      workerData: share,
      execArgv: [],
      // Most of what a seed allocates dies with it, and with room for a whole seed it dies without being copied.
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    let hung: number | null = null;
    const watchdog = watch(share, (index) => {
      hung = index;
      void worker.terminate();
    });
    worker.on("message", (progress: Progress) => {
      // Once given up, a thread is heard no more: what it has not told of is run again.
      if (hung !== null) return;
      collect(progress);
      if (isEnough()) void worker.terminate();
    });
    worker.on("error", (error) => {
      watchdog.stop();
      reject(error);
    });
    worker.on("exit", () => {
      watchdog.stop();
      resolve(hung);
    });
  });
}

/** Looks now and then which seed a thread is running, and says when it has been the same one for too long. */
function watch(share: Share, onHang: (index: number) => void): { stop(): void } {
  const seedMsMax = share.config.seedMsMax ?? SEED_MS_MAX;
  const running = new Int32Array(share.running);
  let seen = 0;
  let since = performance.now();
  const timer = setInterval(
    () => {
      const now = Atomics.load(running, 0);
      if (now !== seen) {
        seen = now;
        since = performance.now();
      } else if (seen > 0 && performance.now() - since > seedMsMax) {
        clearInterval(timer);
        onHang(seen - 1);
      }
    },
    Math.min(WATCH_MS, seedMsMax),
  );
  return { stop: () => clearInterval(timer) };
}

const WATCH_MS = 500;

/** Nothing is known of such a run but its seed and options. */
function hangingSeed(config: EnsembleConfig, index: number): SeedResult {
  const seed = seedAt(config.from, index);
  const seconds = (config.seedMsMax ?? SEED_MS_MAX) / 1000;
  const { message } = new OracleFailure(
    "O15",
    `the seed has not ended within ${seconds} s: it loops without a VFS call or a turn, and its thread was ended. ` +
      "Replay it under a debugger",
  );
  return {
    seed,
    options: drawOptions(Choices.fromSeed(seed).stream("options"), config.limits),
    failure: { oracle: "O15", message, stack: "", class: "liveness" },
    operations: [],
    choices: {},
    counts: emptyCounts(),
    fingerprint: { traceHash: "", traceLength: 0, durableHash: "", clockUs: 0, streams: {} },
    traceLines: [],
    traceMarks: { every: 1, hashes: [] },
  };
}
