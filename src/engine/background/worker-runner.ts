/**
 * Runs jobs in a worker thread, which shares files with this one, not memory. Started at the first job; when a worker
 * dies its jobs fail (their outputs are unreferenced files) and the next job starts another, up to a limit after which
 * jobs run on this thread.
 */
import { StillwaterError } from "../../platform/errors.js";
import type { WorkerHandle, WorkerHost } from "../../platform/platform.js";
import type { JobDescription } from "../compaction/job.js";
import type { JobCallback, JobRunner } from "./runner.js";
import { errorFromPlain, type WorkerReply } from "./worker-protocol.js";

const WORKER_DEATHS_MAX = 3;

export class WorkerRunner implements JobRunner {
  readonly #host: WorkerHost;
  readonly #fallback: JobRunner;
  readonly #pending = new Map<number, JobCallback>();
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
    const id = this.#nextId++;
    this.#pending.set(id, done);
    this.#worker ??= this.#start();
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
        this.#deaths++;
        const failed = [...this.#pending.values()];
        this.#pending.clear();
        const cause = new StillwaterError(
          "IO",
          "the background thread ended during a job. The job will be run again.",
          { cause: error },
        );
        for (const done of failed) done(cause, null);
      },
    });
    return worker;
  }

  #onReply(reply: WorkerReply): void {
    const done = this.#pending.get(reply.id);
    if (done === undefined) return;
    this.#pending.delete(reply.id);
    if (reply.error === null) done(null, reply.result);
    else done(errorFromPlain(reply.error), null);
  }
}
