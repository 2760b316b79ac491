/**
 * `node --import stillwater/sim/register app.mjs`: the process of `app.mjs` has its `node:fs` on a simulated disk. The
 * environment says how: `STILLWATER_MOUNT` (the directory that is simulated; the working directory if not set),
 * `STILLWATER_SEED` (makes time and chance repeatable), `STILLWATER_ALLOW_WRITE=1` (writing outside is allowed),
 * `STILLWATER_PERSONALITY`. Nothing reaches the real disk; at the end of the process everything is gone.
 */

import { isMainThread } from "node:worker_threads";
import { StillwaterError } from "../src/platform/errors.js";
import { Recorder } from "./exec/recorder.js";
import { Session } from "./exec/session.js";
import { settingsFrom } from "./exec/settings.js";

if (!isMainThread) {
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    "A worker thread cannot share the simulated disk of its process. Run the program without worker threads.",
    { operation: "register" },
  );
}

const { session: options, record } = settingsFrom(process.env, process.cwd());
const session = new Session(options);
const machine = session.createMachine();
const { volume, nodeFS } = session.enter(machine);
session.files.prepare(machine);
session.install();
if (record !== null) new Recorder(record, session, volume, nodeFS).start();

/** Tells the check of `sim exec` what has been promised from here on: one line on the standard output. */
export function acknowledge(data: unknown): void {
  process.stdout.write(`${typeof data === "string" ? data : JSON.stringify(data)}\n`);
}
