/**
 * The worker's end of `WorkerHost`: answers messages. Each message gets exactly one reply, in the order in which the
 * handler finishes; the host counts on that to know whether work is pending.
 * A handler that fails ends the worker: the host learns it through `onExit`, with the error. What a worker of ours
 * does may be done again from the start, so dying loudly beats going on in an unknown state.
 */
import { setImmediate } from "node:timers";
import { parentPort } from "node:worker_threads";
import { StillwaterError } from "../errors.js";

/** Called once, at the top of a worker's module. The worker then lives until the host terminates it or ends. */
export function serveWorker(handler: (message: unknown) => unknown): void {
  if (parentPort === null) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      "serveWorker() was called on the main thread. Start its module with WorkerHost.spawn().",
    );
  }
  const port = parentPort;
  const answer = async (message: unknown): Promise<void> => {
    port.postMessage(await handler(message));
  };
  port.on("message", (message: unknown) => {
    answer(message).catch((error: unknown) => {
      // Out of the promise, so that it ends the worker under every setting of --unhandled-rejections.
      setImmediate(() => {
        throw error;
      });
    });
  });
}
