/**
 * Runs jobs in a worker thread, which shares files with this one, not memory. Started at the first job; when a worker
 * dies its jobs fail (their outputs are unreferenced files) and the next job starts another, up to a limit after which
 * jobs run on this thread. Where there is no worker to start, for a bundler has put everything into one file, they do so
 * from the first on.
 */
import { StillwaterError } from "../../platform/errors.js";
import type { WorkerHandle, WorkerHost } from "../../platform/platform.js";
import type { JobDescription } from "../compaction/job.js";
import type { JobCallback, JobRunner } from "./runner.js";
import { errorFromPlain, type WorkerReply } from "./worker-protocol.js";

const WORKER_DEATHS_MAX = 3;

interface PendingJob {
  readonly description: JobDescription;
  readonly done: JobCallback;
}

export class WorkerRunner implements JobRunner {
  readonly #host: WorkerHost;
  readonly #fallback: JobRunner;
  readonly #pending = new Map<number, PendingJob>();
  #worker: WorkerHandle | null = null;
  #deaths = 0;
  #nextId = 1;
  #isClosed = false;

  /** `fallback` takes over when workers keep dying. */
  constructor(host: WorkerHost, fallback: JobRunner) {
    this.#host = host;
    this.#fallback = fallback;
  }

  submit(description: JobDescription, done: JobCallback): void {
    if (this.#deaths >= WORKER_DEATHS_MAX) {
      this.#fallback.submit(description, done);
      return;
    }
    try {
      this.#worker ??= this.#start();
    } catch {
      // The module has no address in this program, or threads are not to be had.
      this.#giveUp();
      this.#fallback.submit(description, done);
      return;
    }
    const id = this.#nextId++;
    this.#pending.set(id, { description, done });
    this.#worker.post({ id, description });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#pending.clear();
    await this.#worker?.terminate();
    this.#worker = null;
    await this.#fallback.close();
  }

  #start(): WorkerHandle {
    const worker = this.#host.spawn(new URL("./worker-main.js", import.meta.url), {
      onMessage: (message) => this.#onReply(message as WorkerReply),
      onExit: (error) => {
        if (this.#isClosed || this.#worker !== worker) return;
        this.#worker = null;
        const failed = [...this.#pending.values()];
        this.#pending.clear();
        if (isModuleMissing(error)) {
          // It never ran, so no job of it has left anything behind.
          this.#giveUp();
          for (const { description, done } of failed) this.#fallback.submit(description, done);
          return;
        }
        this.#deaths++;
        const cause = new StillwaterError(
          "IO",
          "the background thread ended during a job. The job will be run again.",
          { cause: error },
        );
        for (const { done } of failed) done(cause, null);
      },
    });
    return worker;
  }

  #giveUp(): void {
    this.#deaths = WORKER_DEATHS_MAX;
  }

  #onReply(reply: WorkerReply): void {
    const done = this.#pending.get(reply.id)?.done;
    if (done === undefined) return;
    this.#pending.delete(reply.id);
    if (reply.error === null) done(null, reply.result);
    else done(errorFromPlain(reply.error), null);
  }
}

function isModuleMissing(error: Error | null): boolean {
  const code = error !== null && "code" in error ? error.code : null;
  return code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
}
