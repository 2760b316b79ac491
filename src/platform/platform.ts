/**
 * Time, chance and turns: the interfaces through which all code above this layer meets them, and the bundle that is
 * handed to the engine. Implementations: `node/` for production, `sim/world` for simulation.
 */
import type { EventChannels } from "./event-sink.js";
import type { VFS } from "./vfs.js";

/** Where time comes from. */
export interface Clock {
  /** Monotonic milliseconds with fraction, from an arbitrary origin. Never goes back. */
  nowMs(): number;
  /** Milliseconds since 1970 by the wall clock. May jump in either direction; never used for correctness. */
  wallMs(): number;
}

/** Where chance comes from. */
export interface Random {
  /** Uniform integer in [0, 2^32). */
  nextUint32(): number;
}

/** Something that will run later, unless it is cancelled. */
export interface Timer {
  /** Idempotent. After it returns the task will not run. */
  cancel(): void;
}

/** Runs things later, and in turn. */
export interface Scheduler {
  /** Runs `task` on a later turn, after all promise continuations that are ready now. Tasks keep the process alive. */
  defer(task: () => void): void;
  /**
   * Runs `task` once, no earlier than `delayMs` from now. A pending timer does not keep the process alive, unless somebody
   * has asked for what it is to do (`keepsAlive`, default false).
   */
  after(delayMs: number, task: () => void, keepsAlive?: boolean): Timer;
}

/** Runs a module in another thread and exchanges plain data with it. Absent where there are no threads. */
export interface WorkerHost {
  /** Starts the module at `url` (an ES module that calls `serveWorker`). */
  spawn(url: URL, events: WorkerEvents): WorkerHandle;
}

export interface WorkerEvents {
  onMessage(message: unknown): void;
  /** The worker ended or failed to start; it answers nothing more. Called at most once. */
  onExit(error: Error | null): void;
}

export interface WorkerHandle {
  post(message: unknown): void;
  /** Ends the worker; resolves when it is gone. */
  terminate(): Promise<void>;
}

/** Everything that the store needs of the world: files, time, chance, scheduling, threads. */
export interface Platform {
  readonly vfs: VFS;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Null: background work runs in slices on this thread. */
  readonly workers: WorkerHost | null;
  /** Where the store tells of itself. */
  readonly events: EventChannels;
}
