/**
 * Virtual time. It moves only when the world moves it: a little with each scheduler step and each VFS call (so that a
 * task which waits by yielding does see time pass), and by a jump to the next timer when nothing else can run.
 * Kept in whole microseconds, so that sums are exact. Owns no events; those are the scheduler's.
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
