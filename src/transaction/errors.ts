/**
 * The errors of transactions, with FoundationDB's number and name where it has one (its error_definitions.h), so that code
 * written for a cluster finds what it looks for. Owns which of them a retry may follow. Does not own the retrying.
 */
import { type ErrorCode, type ErrorDetails, StillwaterError } from "../platform/errors.js";

/** What each code means to a retry loop; numbers are FoundationDB's. */
const KINDS = {
  TRANSACTION_TOO_OLD: { fdbCode: 1007, retry: "always" },
  FUTURE_VERSION: { fdbCode: 1009, retry: "always" },
  NOT_COMMITTED: { fdbCode: 1020, retry: "always" },
  COMMIT_UNKNOWN_RESULT: { fdbCode: 1021, retry: "maybe-committed" },
  TRANSACTION_CANCELLED: { fdbCode: 1025, retry: "never" },
  TRANSACTION_TIMED_OUT: { fdbCode: 1031, retry: "never" },
  TOO_MANY_WATCHES: { fdbCode: 1032, retry: "never" },
  WATCHES_DISABLED: { fdbCode: 1034, retry: "never" },
  ACCESSED_UNREADABLE: { fdbCode: 1036, retry: "never" },
  /** Of a cluster that nobody answers for: FoundationDB's process_behind, which says to try later. */
  UNAVAILABLE: { fdbCode: 1037, retry: "always" },
  DATABASE_LOCKED: { fdbCode: 1038, retry: "always" },
  CHANGE_FEED_NOT_REGISTERED: { fdbCode: 1060, retry: "never" },
  CHANGE_FEED_POPPED: { fdbCode: 1066, retry: "never" },
  OPERATION_CANCELLED: { fdbCode: 1101, retry: "never" },
  CLIENT_INVALID_OPERATION: { fdbCode: 2000, retry: "never" },
  KEY_OUTSIDE_LEGAL_RANGE: { fdbCode: 2004, retry: "never" },
  INVERTED_RANGE: { fdbCode: 2005, retry: "never" },
  INVALID_OPTION_VALUE: { fdbCode: 2006, retry: "never" },
  READ_VERSION_ALREADY_SET: { fdbCode: 2010, retry: "never" },
  VERSION_INVALID: { fdbCode: 2011, retry: "never" },
  RANGE_LIMITS_INVALID: { fdbCode: 2012, retry: "never" },
  USED_DURING_COMMIT: { fdbCode: 2017, retry: "never" },
  INVALID_MUTATION_TYPE: { fdbCode: 2018, retry: "never" },
  NO_COMMIT_VERSION: { fdbCode: 2021, retry: "never" },
  TRANSACTION_TOO_LARGE: { fdbCode: 2101, retry: "never" },
  KEY_TOO_LARGE: { fdbCode: 2102, retry: "never" },
  VALUE_TOO_LARGE: { fdbCode: 2103, retry: "never" },
  /** Of a FoundationDB cluster, with a number that has no code here: that number is the error's `fdbCode`. */
  UNKNOWN_ERROR: { fdbCode: 4000, retry: "never" },
} as const satisfies Partial<Record<ErrorCode, { fdbCode: number; retry: Retry }>>;

type Retry = "always" | "maybe-committed" | "never";

/** The codes of `TransactionError`. */
export type TransactionErrorCode = keyof typeof KINDS;

/** For a code that stands for several numbers: which it is, and whether it passes. */
export interface TransactionErrorDetails extends ErrorDetails {
  readonly fdbCode?: number;
  readonly retry?: Retry;
}

/** An error of a transaction, with FoundationDB's number and whether trying again may help. */
export class TransactionError extends StillwaterError {
  declare readonly code: TransactionErrorCode;
  /** FoundationDB's number of this error. */
  readonly fdbCode: number;
  /** Trying the transaction again may help: it has not been committed, or perhaps (`maybeCommitted`). */
  readonly retryable: boolean;
  /** Whether the transaction took effect is not known, so only one that may run twice may be tried again. */
  readonly maybeCommitted: boolean;

  constructor(code: TransactionErrorCode, message: string, details: TransactionErrorDetails = {}) {
    super(code, message, details);
    const { fdbCode, retry } = { ...KINDS[code], ...details };
    this.name = "TransactionError";
    this.fdbCode = fdbCode;
    this.retryable = retry !== "never";
    this.maybeCommitted = retry === "maybe-committed";
  }
}

/** `NOT_COMMITTED` with what conflicted; storages throw it. */
export class ConflictError extends TransactionError {
  /** Of the reads, by keys as text; empty unless the transaction has asked for a report. */
  readonly ranges: readonly (readonly [begin: string, end: string])[];

  constructor(ranges: readonly (readonly [begin: string, end: string])[] = []) {
    super("NOT_COMMITTED", "something that the transaction has read was written meanwhile. Try again.");
    this.ranges = ranges;
  }
}

/** The error of FoundationDB's number, if it has a code here. */
export function errorOfNumber(
  fdbCode: number,
  message: string,
  details: ErrorDetails = {},
): TransactionError | null {
  if (fdbCode === KINDS.NOT_COMMITTED.fdbCode) return new ConflictError();
  for (const [code, kind] of Object.entries(KINDS)) {
    if (kind.fdbCode === fdbCode) return new TransactionError(code as TransactionErrorCode, message, details);
  }
  return null;
}
