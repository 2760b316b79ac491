/** Entry of a worker thread: runs its share of an ensemble and posts what it adds up to. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../src/platform/assert.js";
import { runShare, type Share } from "./ensemble.js";

assert(parentPort !== null, "this module runs as a worker thread");
const port = parentPort;
await runShare(
  workerData as Share,
  (progress) => port.postMessage(progress),
  () => false,
);
