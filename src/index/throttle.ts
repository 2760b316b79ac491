/**
 * How much work goes into one transaction of a long job, and how long it waits before the next: more while transactions succeed,
 * less when they fail (features DF-45). A pure state machine: it is told what happened and is asked what to do. It owns also which
 * errors a smaller or a later try may help against. Used by builds and scrubs; does not own the waiting.
 */
import { StillwaterError } from "../platform/errors.js";
import { TransactionError } from "../transaction/errors.js";

export interface ThrottleSettings {
  /** Items of one transaction. */
  readonly firstItems: number;
  readonly minItems: number;
  readonly maxItems: number;
  /** After so many successes in a row, the number of items times this. */
  readonly growAfter: number;
  readonly growth: number;
  /** After a failure, the number of items times this. */
  readonly shrinkage: number;
  /** Wait between two transactions: doubled by a failure, a tenth less by a success. */
  readonly firstDelayMs: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** So many failures in a row end the job. */
  readonly maxFailures: number;
}

const DEFAULT: ThrottleSettings = {
  firstItems: 100,
  minItems: 10,
  maxItems: 1_000,
  growAfter: 3,
  growth: 1.5,
  shrinkage: 0.5,
  firstDelayMs: 0,
  minDelayMs: 0,
  maxDelayMs: 1_000,
  maxFailures: 100,
};

export const THROTTLE_PRESETS = {
  default: DEFAULT,
  /** Beside users who must not feel it. */
  conservative: {
    ...DEFAULT,
    firstItems: 50,
    maxItems: 200,
    growAfter: 5,
    growth: 1.2,
    shrinkage: 0.3,
    firstDelayMs: 50,
    minDelayMs: 10,
    maxDelayMs: 5_000,
  },
  /** When nothing else matters. */
  aggressive: {
    ...DEFAULT,
    firstItems: 200,
    minItems: 50,
    maxItems: 2_000,
    growth: 2,
    shrinkage: 0.7,
    maxDelayMs: 500,
  },
} as const satisfies Readonly<Record<string, ThrottleSettings>>;

export type ThrottlePreset = keyof typeof THROTTLE_PRESETS;

/** A preset, settings that differ from the default, or nothing for the default. Throws `INVALID_ARGUMENT`. */
export function throttleSettings(given: ThrottlePreset | Partial<ThrottleSettings> = {}): ThrottleSettings {
  if (typeof given === "string") {
    if (Object.hasOwn(THROTTLE_PRESETS, given)) return THROTTLE_PRESETS[given];
    throw refused(`there is no preset "${given}"; there are ${Object.keys(THROTTLE_PRESETS).join(", ")}`);
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(DEFAULT, name)) throw refused(`it has no setting "${name}"`);
  }
  const settings = { ...DEFAULT, ...given };
  // A number of items that was asked for alone stays what it is.
  if (given.firstItems !== undefined) {
    if (given.minItems === undefined) settings.minItems = Math.min(settings.minItems, given.firstItems);
    if (given.maxItems === undefined) settings.maxItems = Math.max(settings.maxItems, given.firstItems);
  }
  const isOrdered =
    Number.isSafeInteger(settings.minItems) &&
    1 <= settings.minItems &&
    settings.minItems <= settings.firstItems &&
    settings.firstItems <= settings.maxItems &&
    0 <= settings.minDelayMs &&
    settings.minDelayMs <= settings.maxDelayMs;
  if (!isOrdered) throw refused("minItems ≤ firstItems ≤ maxItems and minDelayMs ≤ maxDelayMs must hold");
  if (!(settings.growth >= 1 && settings.growAfter >= 1 && settings.shrinkage > 0 && settings.shrinkage < 1))
    throw refused("growth must be 1 or more, growAfter 1 or more, shrinkage between 0 and 1");
  return settings;
}

/** From here on a delay of none doubles. */
const SHORTEST_DELAY_MS = 10;
/** After so many failures in a row the smallest piece of work is tried: something in it must go through. */
const FAILURES_UNTIL_ONE = 7;

export class Throttle {
  readonly #settings: ThrottleSettings;
  #items: number;
  #delayMs: number;
  #successes = 0;
  #failures = 0;

  constructor(settings: ThrottleSettings) {
    this.#settings = settings;
    this.#items = settings.firstItems;
    this.#delayMs = Math.max(settings.minDelayMs, Math.min(settings.firstDelayMs, settings.maxDelayMs));
  }

  /** For the next transaction. */
  get items(): number {
    return this.#failures >= FAILURES_UNTIL_ONE ? 1 : this.#items;
  }

  /** To wait before it. */
  get delayMs(): number {
    return this.#delayMs;
  }

  succeeded(): void {
    const { growAfter, growth, maxItems, minDelayMs } = this.#settings;
    this.#failures = 0;
    const shorter = this.#delayMs * 0.9;
    this.#delayMs = Math.max(minDelayMs, shorter < 1 ? 0 : shorter);
    if (++this.#successes < growAfter) return;
    this.#successes = 0;
    this.#items = Math.min(maxItems, Math.ceil(this.#items * growth));
  }

  /** Throws `error` when trying again cannot help, or has not helped often enough. */
  failed(error: unknown): void {
    const { minItems, maxDelayMs, maxFailures, shrinkage } = this.#settings;
    this.#successes = 0;
    if (!mayPass(error) || ++this.#failures >= maxFailures) throw error;
    this.#items = Math.max(minItems, Math.floor(this.#items * shrinkage));
    this.#delayMs = Math.min(maxDelayMs, Math.max(SHORTEST_DELAY_MS, this.#delayMs * 2));
  }
}

/** Errors of one try that a later one, or one of less work, need not meet. The job's transactions may run twice. */
export function mayPass(error: unknown): boolean {
  if (error instanceof TransactionError) {
    return (
      error.retryable || error.code === "TRANSACTION_TOO_LARGE" || error.code === "TRANSACTION_TIMED_OUT"
    );
  }
  return error instanceof StillwaterError && error.code === "BATCH_TOO_LARGE";
}

function refused(why: string): StillwaterError {
  return new StillwaterError("INVALID_ARGUMENT", `the throttle cannot be used: ${why}.`);
}
