/**
 * Options of transactions, with FoundationDB's meanings and defaults in one place (features DF-66; presets: `presets.ts`). Owns their checks: an unknown option, or a value out of range, is an error when it is given.
 */
import { StillwaterError } from "../platform/errors.js";
import { TransactionError } from "./errors.js";
import { TRANSACTION_BYTES_MAX, TRANSACTION_LIFETIME_MS } from "./limits.js";

/** Options of one transaction; FoundationDB's meanings. */
export interface TransactionOptions {
  /** From the first operation, retries included; then `TRANSACTION_TIMED_OUT`. 0 is never. Default 5,000. */
  readonly timeoutMs?: number;
  /** How often `onError` tries again; −1 is for ever. Default 100. */
  readonly retryLimit?: number;
  /** Longest wait between two tries. Default 1,000. */
  readonly maxRetryDelayMs?: number;
  /** Bytes of mutations and conflict ranges. Default and most: 10,000,000. */
  readonly sizeLimitBytes?: number;
  /** Whether reads see what the transaction has written. Default true. */
  readonly readYourWrites?: boolean;
  /** Whether snapshot reads do. Default true. */
  readonly snapshotReadYourWrites?: boolean;
  /**
   * Matters while the store is behind with its background work. Then `batch` commits first stay out of the way of others, 20
   * times as long as these are held back, 100 ms at most, and come last when all wait; `system` commits come first, and are
   * not held back short of a full stall. Reads have no priority.
   */
  readonly priority?: "default" | "batch" | "system";
  /** What the acknowledgement of the commit promises. Default: the store's. */
  readonly durability?: "sync" | "buffered";
  /** Tells which ranges conflicted. Default false: it costs a little. */
  readonly reportConflictingRanges?: boolean;
  /** Whether a commit whose result is unknown is tried again. Set it only where running twice does no harm. */
  readonly idempotent?: boolean;
  /** A name under which the commit is remembered, so that running it again finds that it has been done. */
  readonly idempotencyKey?: Uint8Array;
  /**
   * How old the version may be that the first try reads, so that it need not ask for one: a version that this database has
   * used, from no more than so many milliseconds before the transaction was made. At most half of what a transaction may
   * live. Default 0: everything committed before is seen. Our own engine gives the newest version at no cost, always.
   */
  readonly readVersionAgeMs?: number;
  /** May touch keys from 0xFF on. */
  readonly accessSystemKeys?: boolean;
  /**
   * Read versions may be a little old when a machine fails at the same moment: FoundationDB's way to save a question to
   * other machines. Where there are no other machines it changes nothing. Default false.
   */
  readonly causalReadRisky?: boolean;
}

export type ResolvedTransactionOptions = {
  readonly [Name in keyof TransactionOptions]-?: Exclude<TransactionOptions[Name], undefined> | Unset<Name>;
};

/** Options whose absence means something. */
type Unset<Name> = Name extends "idempotencyKey" | "durability" ? undefined : never;

export const DEFAULT_TRANSACTION_OPTIONS: ResolvedTransactionOptions = {
  timeoutMs: 5_000,
  retryLimit: 100,
  maxRetryDelayMs: 1_000,
  sizeLimitBytes: TRANSACTION_BYTES_MAX,
  readYourWrites: true,
  snapshotReadYourWrites: true,
  priority: "default",
  reportConflictingRanges: false,
  idempotent: false,
  readVersionAgeMs: 0,
  accessSystemKeys: false,
  causalReadRisky: false,
  durability: undefined,
  idempotencyKey: undefined,
};

const CHECKS: Readonly<Record<keyof TransactionOptions, (value: unknown) => boolean>> = {
  timeoutMs: (value) => isFinite(value) && value >= 0,
  retryLimit: (value) => Number.isSafeInteger(value) && (value as number) >= -1,
  maxRetryDelayMs: (value) => isFinite(value) && value >= 0,
  sizeLimitBytes: (value) =>
    Number.isSafeInteger(value) && (value as number) >= 32 && (value as number) <= TRANSACTION_BYTES_MAX,
  readYourWrites: isFlag,
  snapshotReadYourWrites: isFlag,
  priority: (value) => value === "default" || value === "batch" || value === "system",
  durability: (value) => value === "sync" || value === "buffered",
  reportConflictingRanges: isFlag,
  idempotent: isFlag,
  idempotencyKey: (value) => value instanceof Uint8Array && value.length >= 1 && value.length <= 255,
  readVersionAgeMs: (value) => isFinite(value) && value >= 0 && value <= TRANSACTION_LIFETIME_MS / 2,
  accessSystemKeys: isFlag,
  causalReadRisky: isFlag,
};

/** `given` over `base`. Throws `UNKNOWN_OPTION`, `INVALID_OPTION_VALUE`. */
export function resolveTransactionOptions(
  base: ResolvedTransactionOptions,
  given: TransactionOptions,
): ResolvedTransactionOptions {
  const entries = Object.entries(given);
  if (entries.length === 0) return base;
  const result: Record<string, unknown> = { ...base };
  for (const [name, value] of entries) {
    if (value === undefined) continue;
    if (!Object.hasOwn(CHECKS, name)) {
      throw new StillwaterError(
        "UNKNOWN_OPTION",
        `there is no transaction option "${name}". Known: ${Object.keys(CHECKS).join(", ")}.`,
      );
    }
    if (!CHECKS[name as keyof TransactionOptions](value)) {
      throw new TransactionError(
        "INVALID_OPTION_VALUE",
        `${String(value)} is no value for the option "${name}".`,
      );
    }
    result[name] = value;
  }
  return result as unknown as ResolvedTransactionOptions;
}

function isFinite(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isFlag(value: unknown): boolean {
  return typeof value === "boolean";
}
