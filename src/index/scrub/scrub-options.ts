/**
 * How a scrub goes about it (features DF-44): how much in one transaction, whether it repairs, how patient it is. Owns the defaults,
 * the presets and their checks.
 */
import { refuseUnknownOptions } from "../../engine/options.js";
import { RecordError, shown } from "../../record/record-error.js";
import { Throttle, throttleSettings } from "../throttle.js";

export interface ScrubSettings {
  /** Rows or items of one transaction. */
  readonly entriesPerTransaction: number;
  /** What one transaction reads and writes at most, but for its last row or item. */
  readonly bytesPerTransaction: number;
  /** Milliseconds after which a transaction reads no further. */
  readonly transactionMs: number;
  /** Whether damage is repaired in the transaction that finds it. */
  readonly repair: boolean;
  /** So many failures in a row end the scrub; it can be gone on with. */
  readonly retries: number;
  readonly retryDelayMs: number;
  /** Wait between two transactions. */
  readonly throttleMs: number;
}

const DEFAULT: ScrubSettings = {
  entriesPerTransaction: 1_000,
  bytesPerTransaction: 9_000_000,
  transactionMs: 4_000,
  repair: false,
  retries: 10,
  retryDelayMs: 100,
  throttleMs: 0,
};

export const SCRUB_PRESETS = {
  default: DEFAULT,
  /** Beside users who must not feel it. */
  conservative: {
    ...DEFAULT,
    entriesPerTransaction: 100,
    bytesPerTransaction: 1_000_000,
    transactionMs: 2_000,
    retries: 5,
    retryDelayMs: 200,
    throttleMs: 50,
  },
  /** When nothing else matters. */
  aggressive: { ...DEFAULT, entriesPerTransaction: 10_000, repair: true, retries: 20, retryDelayMs: 50 },
} as const satisfies Readonly<Record<string, ScrubSettings>>;

export type ScrubPreset = keyof typeof SCRUB_PRESETS;

/** How a scrub goes about it, and whether it repairs. */
export interface ScrubOptions extends Partial<ScrubSettings> {
  /** What is not said otherwise. */
  readonly preset?: ScrubPreset;
  /** Begins anew, whatever an earlier scrub has left. Default false: goes on. */
  readonly restart?: boolean;
  /** Ends the scrub with `OPERATION_CANCELLED` before its next transaction. */
  readonly signal?: AbortSignal;
}

/** Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`. */
export function scrubSettings(options: ScrubOptions): ScrubSettings {
  refuseUnknownOptions(options, [...Object.keys(DEFAULT), "preset", "restart", "signal"], "scrub");
  const { preset = "default", restart: _, signal: __, ...given } = options;
  if (!Object.hasOwn(SCRUB_PRESETS, preset)) {
    throw refused(`there is no preset ${shown(preset)}; there are ${Object.keys(SCRUB_PRESETS).join(", ")}`);
  }
  const settings: ScrubSettings = { ...SCRUB_PRESETS[preset], ...given };
  const least: Readonly<Record<string, number>> = { entriesPerTransaction: 1, bytesPerTransaction: 1 };
  for (const [name, value] of Object.entries(settings)) {
    if (name === "repair") continue;
    if (!Number.isSafeInteger(value) || (value as number) < (least[name] ?? 0)) {
      throw refused(`"${name}" is a whole number of at least ${least[name] ?? 0}, not ${shown(value)}`);
    }
  }
  return settings;
}

/** Less in one transaction after a failure, and as much as before after some successes. */
export function scrubThrottle(settings: ScrubSettings): Throttle {
  const { entriesPerTransaction, retries, throttleMs } = settings;
  return new Throttle(
    throttleSettings({
      firstItems: entriesPerTransaction,
      minItems: 1,
      maxItems: entriesPerTransaction,
      firstDelayMs: throttleMs,
      minDelayMs: throttleMs,
      maxDelayMs: Math.max(1_000, throttleMs),
      maxFailures: retries + 1,
    }),
  );
}

function refused(why: string): RecordError {
  return new RecordError("INVALID_ARGUMENT", `the scrub cannot run: ${why}.`);
}
