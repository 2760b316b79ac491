/**
 * Our transaction options as FoundationDB's. What says nothing to a cluster is left out: its commits are always durable, its
 * reads always current (`durability`, `readVersionAgeMs`). What it cannot do is refused.
 */
import { TransactionError } from "../../transaction/errors.js";
import type { ResolvedTransactionOptions, TransactionOptions } from "../../transaction/options.js";
import { type FdbTransaction, OPTION } from "./client.js";
import { translated } from "./errors.js";

const NUMBERS = {
  timeoutMs: OPTION.timeout,
  retryLimit: OPTION.retryLimit,
  maxRetryDelayMs: OPTION.maxRetryDelay,
  sizeLimitBytes: OPTION.sizeLimit,
} as const satisfies Partial<Record<keyof TransactionOptions, number>>;

/**
 * Sets them on a transaction that is new or has been reset, or, with `before`, those that have changed. Setting them again
 * after `onError` is right: that has forgotten the flags, and time and tries go on counting. Throws what the client throws,
 * and `INVALID_OPTION_VALUE` for a flag that is taken back.
 */
export function applyOptions(
  native: FdbTransaction,
  options: ResolvedTransactionOptions,
  before: ResolvedTransactionOptions | null = null,
): void {
  try {
    for (const [name, code] of Object.entries(NUMBERS)) {
      const value = options[name as keyof typeof NUMBERS];
      if (value !== before?.[name as keyof typeof NUMBERS]) native.setOption(code, Math.ceil(value));
    }
    const old = before === null ? new Set<number>() : flagsOf(before);
    const flags = flagsOf(options);
    for (const code of old) {
      if (flags.has(code)) continue;
      if (code !== OPTION.snapshotReadYourWritesDisable) throw takenBack(code);
      native.setOption(OPTION.snapshotReadYourWritesEnable, null);
    }
    for (const code of flags) if (!old.has(code)) native.setOption(code, null);
  } catch (error) {
    throw translated(error);
  }
}

/** Throws `INVALID_OPTION_VALUE`. */
export function checkSupported(options: ResolvedTransactionOptions): void {
  if (options.idempotencyKey === undefined) return;
  throw new TransactionError(
    "INVALID_OPTION_VALUE",
    "the FoundationDB backend remembers no commits under idempotency keys. Write a key of your own in the transaction, and " +
      "look for it after COMMIT_UNKNOWN_RESULT.",
  );
}

function flagsOf(options: ResolvedTransactionOptions): ReadonlySet<number> {
  const flags: readonly (readonly [isSet: boolean, code: number])[] = [
    [!options.readYourWrites, OPTION.readYourWritesDisable],
    [!options.snapshotReadYourWrites, OPTION.snapshotReadYourWritesDisable],
    [options.priority === "batch", OPTION.priorityBatch],
    [options.priority === "system", OPTION.prioritySystemImmediate],
    [options.reportConflictingRanges, OPTION.reportConflictingKeys],
    [options.accessSystemKeys, OPTION.accessSystemKeys],
  ];
  return new Set(flags.flatMap(([isSet, code]) => (isSet ? [code] : [])));
}

function takenBack(code: number): TransactionError {
  return new TransactionError(
    "INVALID_OPTION_VALUE",
    `FoundationDB's transaction option ${code} cannot be taken back. Reset the transaction, or begin another.`,
  );
}
