/**
 * Puts the simulated `node:fs` in the place of the real one, for everything that this process loads: the exports of
 * `fs` and `fs.promises` are replaced, which `syncBuiltinESMExports` (the caller's) carries to ES modules. Native addons
 * are refused, since what they write cannot be seen; so are worker threads, which would have a disk each. Child
 * processes run on the real disk, which a warning says once. Not reached: `process.binding`, and what somebody took out
 * of `fs` before this ran, such as the loader of ES modules, which so reads sources from the real disk.
 */
import childProcess from "node:child_process";
import fs from "node:fs";
import workerThreads from "node:worker_threads";
import { StillwaterError } from "../../src/platform/errors.js";
import { Router, type RouterOptions } from "./router.js";

export function installFileSystem(options: RouterOptions): void {
  const router = new Router(options);
  const { promises } = fs;
  Object.assign(promises, router.functions(promises as unknown as Record<string, unknown>, true));
  Object.assign(fs, router.functions(fs as unknown as Record<string, unknown>, false));
  refuseNativeAddons();
  refuseWorkers();
  warnOfChildren();
}

function refuseNativeAddons(): void {
  process.dlopen = (_module: object, filename: string) => {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `The native addon ${filename} cannot be simulated: it would write to the real disk, unseen. ` +
        "Run the program with a pure JavaScript alternative, or test it by killing a real process.",
      { path: filename, operation: "dlopen" },
    );
  };
}

function refuseWorkers(): void {
  // A plain function, since arrow functions cannot be called with `new`.
  function refuse(filename: unknown): never {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `The worker thread ${String(filename)} cannot be simulated: it would not see the simulated disk of this ` +
        "process. Run the program without worker threads.",
      { operation: "new Worker" },
    );
  }
  (workerThreads as { Worker: unknown }).Worker = refuse;
}

function warnOfChildren(): void {
  let warned = false;
  const exported = childProcess as unknown as Record<string, (...parameters: unknown[]) => unknown>;
  for (const name of ["spawn", "spawnSync", "exec", "execSync", "execFile", "execFileSync", "fork"]) {
    const original = exported[name];
    if (original === undefined) continue;
    exported[name] = (...parameters: unknown[]) => {
      if (!warned) {
        process.stderr.write(
          `stillwater: child process ${String(parameters[0])} runs on the real disk and does not see the simulated one\n`,
        );
      }
      warned = true;
      return original(...parameters);
    };
  }
}
