/**
 * Finds iterators and snapshots that were forgotten: that nobody can reach any more and nobody has closed, so that what they keep
 * would be kept until the store closes. Gives it back, counts it and tells where it was made. Only on request, because it keeps a
 * stack for each. Does not own: who notices that something cannot be reached (the platform).
 */
import { COUNTER, type EngineMetrics } from "./engine-metrics.js";
import type { LeakEvent, StoreEvents } from "./store-events.js";

export class LeakDetector {
  readonly #metrics: EngineMetrics;
  readonly #events: StoreEvents;
  readonly #isOn: boolean;
  #isOver = false;

  constructor(metrics: EngineMetrics, events: StoreEvents, isOn: boolean) {
    this.#metrics = metrics;
    this.#events = events;
    this.#isOn = isOn && events.leaks !== null;
  }

  /**
   * Calls `giveBack` when `target` is lost, which `giveBack` must not refer to. Returns what is to be called when it is closed, or
   * null where nobody watches.
   */
  watch(kind: LeakEvent["kind"], target: object, version: number, giveBack: () => void): (() => void) | null {
    if (!this.#isOn || this.#events.leaks === null) return null;
    const createdAt = new Error(`${kind} at version ${version}`).stack ?? "";
    return this.#events.leaks.watch(target, () => {
      if (this.#isOver) return;
      this.#metrics.counters.add(COUNTER.leaks_total);
      giveBack();
      this.#events.leaked(() => ({ kind, version, createdAt }));
    });
  }

  /** The store is closed: nothing is kept any more. */
  close(): void {
    this.#isOver = true;
  }
}
