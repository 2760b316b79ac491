/**
 * When the simulated machine goes down. At most one request is armed; it fires at the n-th VFS call from now, at the
 * n-th hit of a crash point, or when virtual time has passed, whichever kind it is. Plain data, so that a saved case
 * holds its crashes literally. Owns the countdown only; `World` performs the crash.
 */
import type { CrashKind } from "../disk/simulation-disk.js";
import type { SimulationClock } from "./clock.js";

/** The name that means any crash point. */
export const ANY_POINT = "*";

/** When a crash strikes: at a call, at a crash point, at a time. */
export type CrashMoment =
  /** Just before the n-th VFS call from now (1 = the next one). */
  | { readonly calls: number }
  /** At the n-th hit of this crash point; `"*"` is any. */
  | { readonly point: string; readonly hits: number }
  /** Between two tasks, once this much virtual time has passed. */
  | { readonly afterMs: number };

/** A crash that is armed. */
export interface CrashRequest {
  readonly how: CrashKind;
  readonly at: CrashMoment;
}

export class CrashPlan {
  armed: CrashRequest | null = null;
  readonly #clock: SimulationClock;
  #countdown = 0;
  #dueUs = Number.POSITIVE_INFINITY;

  constructor(clock: SimulationClock) {
    this.#clock = clock;
  }

  arm(request: CrashRequest): void {
    this.armed = request;
    this.#countdown = 0;
    this.#dueUs = Number.POSITIVE_INFINITY;
    if ("calls" in request.at) this.#countdown = request.at.calls;
    else if ("point" in request.at) this.#countdown = request.at.hits;
    else this.#dueUs = this.#clock.nowUs + Math.ceil(request.at.afterMs * 1000);
  }

  disarm(): void {
    this.armed = null;
    this.#dueUs = Number.POSITIVE_INFINITY;
  }

  /** Virtual time at which the armed request falls due; infinite when it does not wait for time. */
  get dueUs(): number {
    return this.#dueUs;
  }

  /** Counts a VFS call; true when the machine goes down before it. */
  onCall(): boolean {
    return this.armed !== null && "calls" in this.armed.at && --this.#countdown <= 0;
  }

  /** Counts a crash point; true when the machine goes down at it. */
  onPoint(id: string): boolean {
    if (this.armed === null || !("point" in this.armed.at)) return false;
    if (this.armed.at.point !== ANY_POINT && this.armed.at.point !== id) return false;
    return --this.#countdown <= 0;
  }
}
