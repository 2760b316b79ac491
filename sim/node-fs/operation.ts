/**
 * A call of `node:fs` as a sequence of system calls, written once for all its forms. It is a generator that stops
 * before each system call: the synchronous form runs through, the others give each step a turn of its own, as Node's
 * thread pool does, so that calls in flight together interleave. Arguments are checked before the first stop.
 */
import { SimulatedCrash } from "../disk/errors.js";

export type Operation<T> = Generator<undefined, T, undefined>;

/** The place in the caller's code, noted where a call begins and given back where its steps run. */
export interface CallSite {
  current: string | null;
}

/** Lets one pending call take its next step, sometime later. Promise: every task given runs once, unless the life ends. */
export type Turn = (task: () => void) => void;

/** How many calls of Node run at a time by default. */
const POOL_THREADS = 4;

interface Job {
  readonly operation: Operation<unknown>;
  readonly site: string | null;
  readonly settle: (error: unknown, value: unknown) => void;
}

/** The thread pool: of the first four calls in flight, one makes a step at each turn. */
export class Pool {
  readonly site: CallSite = { current: null };
  /** Set while somebody wants to know where calls come from. */
  captureSite: (() => string) | null = null;
  readonly #turn: Turn;
  readonly #pick: (choices: number) => number;
  readonly #jobs: Job[] = [];

  /** `pick` decides which of the calls in flight goes on; 0 is the oldest. */
  constructor(turn: Turn, pick: (choices: number) => number) {
    this.#turn = turn;
    this.#pick = pick;
  }

  get pending(): number {
    return this.#jobs.length;
  }

  /** The synchronous form. */
  run<T>(operation: Operation<T>): T {
    if (this.captureSite !== null) this.site.current = this.captureSite();
    for (;;) {
      const step = operation.next();
      if (step.done === true) return step.value;
    }
  }

  /** The asynchronous forms. Throws what the checks of the arguments throw; `settle` is called once, later. */
  start<T>(operation: Operation<T>, settle: (error: unknown, value: T) => void): void {
    const site = this.captureSite === null ? null : this.captureSite();
    const first = operation.next();
    if (first.done === true) {
      this.#turn(() => settle(null, first.value));
      return;
    }
    this.#jobs.push({ operation, site, settle: settle as Job["settle"] });
    this.#turn(this.#step);
  }

  readonly #step = (): void => {
    const index = this.#jobs.length > 1 ? this.#pick(Math.min(POOL_THREADS, this.#jobs.length)) : 0;
    const job = this.#jobs[index];
    if (job === undefined) return;
    this.site.current = job.site;
    let step: IteratorResult<undefined, unknown>;
    try {
      step = job.operation.next();
    } catch (error) {
      this.#jobs.splice(index, 1);
      // A process that has ended learns of nothing any more.
      if (!(error instanceof SimulatedCrash)) job.settle(error, undefined);
      return;
    }
    if (step.done !== true) {
      this.#turn(this.#step);
      return;
    }
    this.#jobs.splice(index, 1);
    job.settle(null, step.value);
  };
}
