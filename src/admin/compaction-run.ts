/**
 * A full compaction that somebody has asked for: one at a time, going on in the background, with what became of the last one.
 * Compaction as such is the engine's own business and goes on without this.
 */
import type { Store } from "../engine/store.js";
import { StillwaterError } from "../platform/errors.js";
import type { Clock } from "../platform/platform.js";

export interface CompactionState {
  readonly isRunning: boolean;
  /** How long the run takes so far, or took; null before the first. */
  readonly elapsedMs: number | null;
  /** Why the last run failed; null when it did not. */
  readonly failure: string | null;
}

export class CompactionRun {
  readonly #clock: Clock;
  #startedAtMs: number | null = null;
  #tookMs: number | null = null;
  #failure: string | null = null;
  #running: Promise<void> | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get state(): CompactionState {
    const isRunning = this.#running !== null;
    const startedAtMs = this.#startedAtMs;
    return {
      isRunning,
      elapsedMs: isRunning && startedAtMs !== null ? this.#clock.nowMs() - startedAtMs : this.#tookMs,
      failure: this.#failure,
    };
  }

  /** Begins one. Its end is in `state`, and what is returned resolves then, never rejecting. Throws `BUSY` beside another. */
  start(store: Store): Promise<void> {
    if (this.#running !== null) {
      throw new StillwaterError("BUSY", "a compaction is running already. Wait for its end.");
    }
    this.#startedAtMs = this.#clock.nowMs();
    this.#failure = null;
    this.#running = this.#run(store, this.#startedAtMs);
    return this.#running;
  }

  async #run(store: Store, startedAtMs: number): Promise<void> {
    try {
      await store.compact();
    } catch (error) {
      this.#failure = error instanceof Error ? error.message : String(error);
    } finally {
      this.#tookMs = this.#clock.nowMs() - startedAtMs;
      this.#running = null;
    }
  }
}
