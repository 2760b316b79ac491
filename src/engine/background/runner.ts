/**
 * Runs jobs in bounded steps on this thread, flushes before compactions. In simulation one beat a turn, so that every
 * interleaving with commits is possible; on a real disk as many beats as fit a slice of time, so that the event loop
 * is never held for long. The worker thread runs this very class with longer slices.
 */
import type { Clock, Scheduler } from "../../platform/platform.js";
import type { VFS } from "../../platform/vfs.js";
import { type Job, type JobDescription, type JobResult, startJob } from "../compaction/job.js";

export type JobCallback = (error: Error | null, result: JobResult | null) => void;

export interface JobRunner {
  /** `done` runs on a later turn, exactly once, unless `close` comes first. */
  submit(description: JobDescription, done: JobCallback): void;
  /** Ends everything that is running; its callbacks do not come. Resolves when nothing touches files any more. */
  close(): Promise<void>;
}

interface RunningJob {
  readonly isFlush: boolean;
  readonly job: Job;
  readonly done: JobCallback;
}

export class SliceRunner implements JobRunner {
  readonly #vfs: VFS;
  readonly #scheduler: Scheduler;
  readonly #clock: Clock;
  readonly #sliceMs: number;
  #jobs: RunningJob[] = [];
  #isScheduled = false;

  /** `sliceMs` 0 means one beat a turn. */
  constructor(vfs: VFS, scheduler: Scheduler, clock: Clock, sliceMs: number) {
    this.#vfs = vfs;
    this.#scheduler = scheduler;
    this.#clock = clock;
    this.#sliceMs = sliceMs;
  }

  submit(description: JobDescription, done: JobCallback): void {
    this.#jobs.push({ isFlush: description.kind === "flush", job: startJob(this.#vfs, description), done });
    this.#schedule();
  }

  close(): Promise<void> {
    const jobs = this.#jobs;
    this.#jobs = [];
    // Runs the jobs' `finally` blocks, which give back their handles.
    for (const { job } of jobs)
      job.return({ tables: [], bytesRead: 0, bytesWritten: 0, rowsRead: 0, rowsWritten: 0 });
    return Promise.resolve();
  }

  #schedule(): void {
    if (this.#isScheduled || this.#jobs.length === 0) return;
    this.#isScheduled = true;
    this.#scheduler.defer(() => this.#slice());
  }

  #slice(): void {
    this.#isScheduled = false;
    const until = this.#sliceMs === 0 ? 0 : this.#clock.nowMs() + this.#sliceMs;
    do {
      const running = this.#jobs.find((job) => job.isFlush) ?? this.#jobs[0];
      if (running === undefined) return;
      this.#beat(running);
    } while (this.#sliceMs > 0 && this.#clock.nowMs() < until);
    this.#schedule();
  }

  #beat(running: RunningJob): void {
    let result: JobResult | null = null;
    let error: Error | null = null;
    try {
      const step = running.job.next();
      if (step.done !== true) return;
      result = step.value;
    } catch (thrown) {
      error = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    this.#remove(running);
    running.done(error, result);
  }

  #remove(running: RunningJob): void {
    this.#jobs = this.#jobs.filter((job) => job !== running);
  }
}
