/**
 * The platform of production: real files, clocks, chance, timers and threads.
 * Promise: nothing here keeps a process alive but work that was asked for and is not done (`defer`, a timer that says so, a
 * file operation in flight, a worker that owes a reply).
 */
import { randomFillSync } from "node:crypto";
import { performance } from "node:perf_hooks";
import { setImmediate, setTimeout } from "node:timers";
import { assert } from "../assert.js";
import { StillwaterError } from "../errors.js";
import type { Clock, Platform, Random, Scheduler, Timer, WorkerHost } from "../platform.js";
import type { VFS } from "../vfs.js";
import { DiagnosticsChannels } from "./diagnostics-sink.js";
import { NodeVFS } from "./node-vfs.js";
import { NodeWorkerHost } from "./worker-host.js";

/** What of the real platform is replaced. */
export interface NodePlatformOptions {
  /** Where files live. Default: the real file system. */
  readonly vfs?: VFS;
  /** False: no threads; background work runs in slices on the caller's thread. Default: true, unless `vfs` is given. */
  readonly workers?: boolean;
}

/** Throws `UNKNOWN_OPTION` and `INVALID_ARGUMENT`. */
export function nodePlatform(options: NodePlatformOptions = {}): Platform {
  for (const name of Object.keys(options)) {
    if (name !== "vfs" && name !== "workers") {
      throw new StillwaterError(
        "UNKNOWN_OPTION",
        `nodePlatform has no option "${name}". It knows: vfs, workers.`,
      );
    }
  }
  if (options.workers !== undefined && typeof options.workers !== "boolean") {
    throw new StillwaterError("INVALID_ARGUMENT", `The option "workers" must be true or false.`);
  }
  // Threads share the real file system with this one; of any other `vfs` they know nothing.
  const sharesFiles = options.vfs === undefined;
  if (options.workers === true && !sharesFiles) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `The option "workers" cannot be true together with "vfs": threads would not see its files.`,
    );
  }
  const workers: WorkerHost | null = options.workers === false || !sharesFiles ? null : new NodeWorkerHost();
  return {
    vfs: options.vfs ?? new NodeVFS(),
    clock: new NodeClock(),
    random: new NodeRandom(),
    scheduler: new NodeScheduler(),
    workers,
    events: new DiagnosticsChannels(),
  };
}

class NodeClock implements Clock {
  nowMs(): number {
    return performance.now();
  }

  wallMs(): number {
    return Date.now();
  }
}

/** Draws from the operating system's generator, some hundred at a time. */
class NodeRandom implements Random {
  private readonly pool = new Uint32Array(256);
  private next = this.pool.length;

  nextUint32(): number {
    if (this.next === this.pool.length) {
      randomFillSync(this.pool);
      this.next = 0;
    }
    return this.pool[this.next++] as number; // next < pool.length
  }
}

class NodeScheduler implements Scheduler {
  defer(task: () => void): void {
    setImmediate(task);
  }

  after(delayMs: number, task: () => void, keepsAlive = false): Timer {
    assert(delayMs >= 0, "a delay is a number of milliseconds, not negative");
    return new NodeTimer(delayMs, task, keepsAlive);
  }
}

/** Longest delay that `setTimeout` takes; it makes 1 ms of a longer one. */
const TIMEOUT_MAX_MS = 2 ** 31 - 1;

/** One timer. `setTimeout` cuts fractions off and may fire up to a millisecond early; this one waits for the rest. */
class NodeTimer implements Timer {
  private readonly dueMs: number;
  private readonly task: () => void;
  private readonly keepsAlive: boolean;
  private timeout: NodeJS.Timeout;

  constructor(delayMs: number, task: () => void, keepsAlive: boolean) {
    this.dueMs = performance.now() + delayMs;
    this.task = task;
    this.keepsAlive = keepsAlive;
    this.timeout = this.arm(delayMs);
  }

  cancel(): void {
    clearTimeout(this.timeout);
  }

  private arm(delayMs: number): NodeJS.Timeout {
    const timeout = setTimeout(() => this.fire(), Math.min(Math.ceil(delayMs), TIMEOUT_MAX_MS));
    return this.keepsAlive ? timeout : timeout.unref();
  }

  private fire(): void {
    const restMs = this.dueMs - performance.now();
    if (restMs > 0) this.timeout = this.arm(restMs);
    else this.task();
  }
}
