/**
 * Trying again: how long to wait before the next try, and how often at most. Exponential with full jitter from the
 * platform's random numbers (Brooker, "Exponential Backoff and Jitter", AWS 2015), starting as FoundationDB's client does.
 * Its numbers, not those of DF-66 (300 ms, doubling ten times): on one machine a conflict is over in less than a
 * millisecond, and a first wait of 10 ms, drawn from [0, 10), is long already.
 */
import type { Random } from "../platform/platform.js";
import type { ResolvedTransactionOptions } from "./options.js";

const FIRST_DELAY_MS = 10;
const GROWTH = 2;

export class Backoff {
  readonly #random: Random;
  #tries = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Tries that have failed. */
  get tries(): number {
    return this.#tries;
  }

  /** How long to wait before trying again; null when it has been tried often enough. */
  nextDelayMs(options: ResolvedTransactionOptions): number | null {
    if (options.retryLimit >= 0 && this.#tries >= options.retryLimit) return null;
    const ceiling = Math.min(options.maxRetryDelayMs, FIRST_DELAY_MS * GROWTH ** Math.min(this.#tries, 30));
    this.#tries++;
    return (ceiling * this.#random.nextUint32()) / 2 ** 32;
  }

  reset(): void {
    this.#tries = 0;
  }
}
