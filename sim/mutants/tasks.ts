/**
 * The work of a matrix as tasks, and threads that share it: whoever is idle takes the next one, so that a long hunt
 * keeps nobody else waiting. Results do not depend on the number of threads.
 */
import { Worker } from "node:worker_threads";
import { runSeed, seedAt } from "../run/seed.js";
import { DEFAULT_LIMITS } from "../workload/options.js";
import { type Hunt, type HuntResult, hunt } from "./hunt.js";

/** Find out which places sync, and how often, by running seeds. */
export interface SiteCount {
  readonly from: string;
  readonly seeds: number;
}

export type Task = { readonly hunt: Hunt } | { readonly count: SiteCount };
export type Answer = { readonly hunted: HuntResult } | { readonly calls: Readonly<Record<string, number>> };

const YOUNG_GENERATION_MB = 48;

export async function runTask(task: Task): Promise<Answer> {
  if ("hunt" in task) return { hunted: await hunt(task.hunt) };
  const calls: Record<string, number> = {};
  for (let i = 0; i < task.count.seeds; i++) {
    const { counts } = await runSeed(seedAt(task.count.from, i), {
      limits: DEFAULT_LIMITS,
      mutants: [],
      repeatShare: 0,
      recording: false,
      countsSyncs: true,
    });
    for (const [site, times] of Object.entries(counts.syncSites)) calls[site] = (calls[site] ?? 0) + times;
  }
  return { calls };
}

/** Carries out all tasks, begun in their order, on `jobs` threads; 0 is the calling one. */
export async function shareOut(
  tasks: readonly Task[],
  jobs: number,
  onAnswer: (answer: Answer) => void,
): Promise<void> {
  const left = [...tasks];
  if (jobs === 0) {
    for (const task of left) onAnswer(await runTask(task));
    return;
  }
  await Promise.all(Array.from({ length: Math.min(jobs, left.length) }, () => workOff(left, onAnswer)));
}

/** One thread, for as long as there are tasks. */
function workOff(left: Task[], onAnswer: (answer: Answer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./task-worker.js", import.meta.url), {
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    const next = (): void => {
      const task = left.shift();
      if (task === undefined) void worker.terminate();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      else worker.postMessage(task);
    };
    worker.on("message", (answer: Answer) => {
      onAnswer(answer);
      next();
    });
    worker.on("error", reject);
    worker.on("exit", () => resolve());
    next();
  });
}
