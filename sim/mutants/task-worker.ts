/** Entry of a worker thread of a matrix: carries out tasks, one after the other, as they are posted. */
import { parentPort } from "node:worker_threads";
import { assert } from "../../src/platform/assert.js";
import { runTask, type Task } from "./tasks.js";

assert(parentPort !== null, "this module runs as a worker thread");
const port = parentPort;
port.on("message", (task: Task) => {
  // A rejection is an uncaught error of this thread, which its owner hears of.
  void runTask(task).then((answer) => port.postMessage(answer));
});
