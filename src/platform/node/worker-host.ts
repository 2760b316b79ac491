/**
 * `WorkerHost` over `node:worker_threads`.
 * Promise: an idle worker does not keep the process alive, one that owes a reply does, so a job can be awaited
 * at the top level of a program that has nothing else to do; `onExit` comes once, after the last message.
 */
import { Worker } from "node:worker_threads";
import { assert } from "../assert.js";
import { StillwaterError } from "../errors.js";
import type { WorkerEvents, WorkerHandle, WorkerHost } from "../platform.js";

export class NodeWorkerHost implements WorkerHost {
  spawn(url: URL, events: WorkerEvents): WorkerHandle {
    return new NodeWorker(url, events);
  }
}

class NodeWorker implements WorkerHandle {
  private readonly worker: Worker;
  private readonly url: URL;
  /** Messages posted and not yet answered. */
  private owed = 0;
  private ended = false;

  constructor(url: URL, events: WorkerEvents) {
    this.url = url;
    this.worker = startWorker(url);
    this.worker.unref();
    let failure: Error | null = null;
    let terminating = false;
    this.terminate = async () => {
      terminating = true;
      // Node holds on to the process until the worker has gone; a reply that comes only now must not let go of it.
      await this.worker.terminate();
    };
    this.worker.on("message", (message: unknown) => {
      assert(this.owed > 0, "a worker replies once to each message");
      this.owed--;
      if (this.owed === 0 && !terminating) this.worker.unref();
      events.onMessage(message);
    });
    this.worker.on("messageerror", (error: Error) => {
      failure ??= error;
      void this.worker.terminate();
    });
    this.worker.on("error", (error: unknown) => {
      failure ??= error instanceof Error ? error : new Error(String(error));
    });
    this.worker.on("exit", (exitCode) => {
      this.ended = true;
      if (failure === null && !terminating) {
        failure = new Error(`the worker ${url.href} ended by itself, with exit code ${exitCode}`);
      }
      events.onExit(failure);
    });
  }

  readonly terminate: () => Promise<void>;

  post(message: unknown): void {
    if (this.ended) {
      throw new StillwaterError("CLOSED", `The worker ${this.url.href} has ended. Start another one.`, {
        operation: "post",
      });
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window: it has no origin
    this.worker.postMessage(message);
    this.owed++;
    if (this.owed === 1) this.worker.ref();
  }
}

/**
 * With the process's own Node options, which it inherits when nothing is said. A program given on the command line must not be: its
 * options are named one by one then, and those of V8, which belong to the process as a whole, Node refuses in such a list.
 */
function startWorker(url: URL): Worker {
  const options = withoutProgram(process.execArgv);
  if (options.length === process.execArgv.length) return new Worker(url);
  try {
    return new Worker(url, { execArgv: options });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_WORKER_INVALID_EXEC_ARGV"))
      throw error;
    return new Worker(url, { execArgv: [] });
  }
}

/** Without those that carry or describe a program given on the command line. */
function withoutProgram(inherited: readonly string[]): string[] {
  const kept: string[] = [];
  for (let i = 0; i < inherited.length; i++) {
    const argument = inherited[i] as string; // i < inherited.length
    if (/^(-e|-p|-pe|--eval|--print|--input-type)$/.test(argument)) i++;
    else if (!/^(--eval|--print|--input-type)=/.test(argument)) kept.push(argument);
  }
  return kept;
}
