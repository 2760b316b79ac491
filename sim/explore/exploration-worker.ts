/** Entry of a worker thread: explores its share and posts what each unit came to. */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../src/platform/assert.js";
import { type ExplorationShare, exploreShare } from "./exploration.js";

assert(parentPort !== null, "this module runs as a worker thread");
const port = parentPort;
await exploreShare(
  workerData as ExplorationShare,
  (report) => port.postMessage(report),
  () => false,
);
