/** The time that a transaction may take: counted from its first call, over all tries, until it is reset by hand. */
import type { Clock, Scheduler, Timer } from "../platform/platform.js";

export class TimeLimit {
  readonly #world: { readonly clock: Clock; readonly scheduler: Scheduler };
  readonly #onOver: (timeoutMs: number) => void;
  #startedMs: number | null = null;
  #timer: Timer | null = null;

  constructor(
    world: { readonly clock: Clock; readonly scheduler: Scheduler },
    onOver: (timeoutMs: number) => void,
  ) {
    this.#world = world;
    this.#onOver = onOver;
  }

  /** Nothing when it has started. */
  start(timeoutMs: number): void {
    if (this.#startedMs !== null) return;
    this.#startedMs = this.#world.clock.nowMs();
    this.#arm(timeoutMs, timeoutMs);
  }

  /** Another limit, from the same start on. */
  change(timeoutMs: number): void {
    this.stop();
    if (this.#startedMs === null) return;
    this.#arm(timeoutMs, Math.max(0, this.#startedMs + timeoutMs - this.#world.clock.nowMs()));
  }

  /** Ends the waiting; what is over stays so. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** The next call starts it anew. */
  reset(): void {
    this.stop();
    this.#startedMs = null;
  }

  /** 0 is no limit. */
  #arm(timeoutMs: number, leftMs: number): void {
    if (timeoutMs > 0) this.#timer = this.#world.scheduler.after(leftMs, () => this.#onOver(timeoutMs));
  }
}
