/**
 * The background thread's program: runs the jobs that the store sends, on the real file system. It has no state of its
 * own; a job is described wholly by its message.
 */
import { nodePlatform } from "../../platform/node/node-platform.js";
import { serveWorker } from "../../platform/node/worker-port.js";
import { SliceRunner } from "./runner.js";
import { errorToPlain, type WorkerReply, type WorkerRequest } from "./worker-protocol.js";

/** Between slices the thread looks for new messages, so that a flush never waits long behind a compaction. */
const WORKER_SLICE_MS = 5;

const platform = nodePlatform({ workers: false });
const runner = new SliceRunner(platform.vfs, platform.scheduler, platform.clock, WORKER_SLICE_MS);

serveWorker((message) => {
  const { id, description } = message as WorkerRequest;
  return new Promise<WorkerReply>((resolve) => {
    runner.submit(description, (error, result) => {
      resolve({ id, error: error === null ? null : errorToPlain(error), result });
    });
  });
});
