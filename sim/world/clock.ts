/**
 * Virtual time, and the clocks that a process reads. True time moves only when the world moves it: a little with each
 * scheduler step and each VFS call (so that a task which waits by yielding does see time pass), and by a jump to the
 * next timer when nothing else can run. Kept in whole microseconds, so that sums are exact.
 *
 * A process reads `ProcessClock`, which may lie as real clocks do (T4): its wall clock jumps in both directions, and both
 * clocks may run fast or slow or stand still for a while. Promise: its monotonic clock never goes back. Owns no events;
 * those are the scheduler's, by true time.
 */
import { assert } from "../../src/platform/assert.js";
import type { Clock } from "../../src/platform/platform.js";

/** 2026-01-01T00:00:00Z: an arbitrary, fixed start of the simulated wall clock. */
const WALL_ORIGIN_MS = 1_767_225_600_000;

export class SimulationClock implements Clock {
  #nowUs = 0;

  nowMs(): number {
    return this.#nowUs / 1000;
  }

  wallMs(): number {
    return WALL_ORIGIN_MS + this.#nowUs / 1000;
  }

  get nowUs(): number {
    return this.#nowUs;
  }

  advance(byUs: number): void {
    assert(byUs >= 0, "virtual time never goes back");
    this.#nowUs += byUs;
  }

  /** Jumps to `toUs` unless that is in the past. */
  advanceTo(toUs: number): void {
    if (toUs > this.#nowUs) this.#nowUs = toUs;
  }
}

export class ProcessClock implements Clock {
  readonly #truth: SimulationClock;
  /** What the monotonic clock showed at `#sinceUs`, and how fast it has gone since. */
  #shownMs = 0;
  #sinceUs: number;
  #rate = 1;
  #frozenUntilUs = 0;
  /** Of the wall clock over the monotonic one. */
  #wallOffsetMs: number;

  /** The origin of the monotonic clock is the start of the process: nothing that outlives it may refer to it. */
  constructor(truth: SimulationClock) {
    this.#truth = truth;
    this.#sinceUs = truth.nowUs;
    this.#wallOffsetMs = truth.wallMs();
  }

  nowMs(): number {
    const runUs = this.#truth.nowUs - Math.max(this.#sinceUs, this.#frozenUntilUs);
    return this.#shownMs + (Math.max(0, runUs) / 1000) * this.#rate;
  }

  wallMs(): number {
    return this.#wallOffsetMs + this.nowMs();
  }

  /** The wall clock is set by somebody: only it. */
  jumpWall(byMs: number): void {
    this.#wallOffsetMs += byMs;
  }

  /** Both clocks go at `rate` times true time from now on. */
  drift(rate: number): void {
    assert(rate >= 0, "a clock never runs backwards");
    this.#rebase();
    this.#rate = rate;
  }

  /** Both clocks stand still for a while, and go on from there. */
  freeze(forMs: number): void {
    this.#rebase();
    this.#frozenUntilUs = this.#truth.nowUs + Math.ceil(forMs * 1000);
  }

  #rebase(): void {
    this.#shownMs = this.nowMs();
    this.#sinceUs = this.#truth.nowUs;
  }
}
