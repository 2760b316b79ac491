/**
 * Named sets of options for the four ways in which most programs use transactions (features DF-67). Plain options: spread
 * them, and say what is different: `transact(body, { ...TRANSACTION_PRESETS.batch, durability: "buffered" })`.
 *
 * | preset      | for                                    | over all tries | retries | longest wait | priority | reads may be old by |
 * |-------------|----------------------------------------|---------------:|--------:|-------------:|----------|--------------------:|
 * | batch       | imports, index builds, clean-ups       | 30 s           | 20      | 2 s          | batch    | 2.5 s               |
 * | system      | what others wait for: locks, schemas   | 2 s            | 5       | 1 s          | system   | 0                   |
 * | interactive | somebody waits in front of a screen    | 1 s            | 3       | 0.1 s        | default  | 0                   |
 * | longRunning | many tries rather than none            | 60 s           | 50      | 5 s          | batch    | 2.5 s               |
 *
 * One try still lasts at most `TRANSACTION_LIFETIME_MS`. For that reason no preset lets reads be older than half of it, where
 * the source of these presets says 30 s and 60 s: a try that begins with such a version could only fail.
 */
import { TRANSACTION_LIFETIME_MS } from "./limits.js";
import type { TransactionOptions } from "./options.js";

const HALF_LIFE_MS = TRANSACTION_LIFETIME_MS / 2;

/** Options for four common uses: spread one, and say what is different. */
export const TRANSACTION_PRESETS = {
  batch: {
    timeoutMs: 30_000,
    retryLimit: 20,
    maxRetryDelayMs: 2_000,
    priority: "batch",
    readVersionAgeMs: HALF_LIFE_MS,
  },
  system: { timeoutMs: 2_000, retryLimit: 5, priority: "system" },
  interactive: { timeoutMs: 1_000, retryLimit: 3, maxRetryDelayMs: 100 },
  longRunning: {
    timeoutMs: 60_000,
    retryLimit: 50,
    maxRetryDelayMs: 5_000,
    priority: "batch",
    readVersionAgeMs: HALF_LIFE_MS,
  },
} as const satisfies Readonly<Record<string, TransactionOptions>>;
