/** The errors of transactions by FoundationDB's numbers, and what a retry loop may do about each. */
import { expect, test } from "vitest";
import { StillwaterError } from "../../src/platform/errors.js";
import { TransactionError, type TransactionErrorCode } from "../../src/transaction/errors.js";

type Kind = readonly [code: TransactionErrorCode, number: number, retry: "passes" | "unknown" | "stays"];

/** As in error_definitions.h of FoundationDB 7. */
const KINDS: readonly Kind[] = [
  ["TRANSACTION_TOO_OLD", 1007, "passes"],
  ["FUTURE_VERSION", 1009, "passes"],
  ["NOT_COMMITTED", 1020, "passes"],
  ["COMMIT_UNKNOWN_RESULT", 1021, "unknown"],
  ["TRANSACTION_CANCELLED", 1025, "stays"],
  ["TRANSACTION_TIMED_OUT", 1031, "stays"],
  ["TOO_MANY_WATCHES", 1032, "stays"],
  ["WATCHES_DISABLED", 1034, "stays"],
  ["ACCESSED_UNREADABLE", 1036, "stays"],
  ["UNAVAILABLE", 1037, "passes"],
  ["DATABASE_LOCKED", 1038, "passes"],
  ["OPERATION_CANCELLED", 1101, "stays"],
  ["CLIENT_INVALID_OPERATION", 2000, "stays"],
  ["KEY_OUTSIDE_LEGAL_RANGE", 2004, "stays"],
  ["INVERTED_RANGE", 2005, "stays"],
  ["INVALID_OPTION_VALUE", 2006, "stays"],
  ["READ_VERSION_ALREADY_SET", 2010, "stays"],
  ["VERSION_INVALID", 2011, "stays"],
  ["RANGE_LIMITS_INVALID", 2012, "stays"],
  ["USED_DURING_COMMIT", 2017, "stays"],
  ["INVALID_MUTATION_TYPE", 2018, "stays"],
  ["NO_COMMIT_VERSION", 2021, "stays"],
  ["TRANSACTION_TOO_LARGE", 2101, "stays"],
  ["KEY_TOO_LARGE", 2102, "stays"],
  ["VALUE_TOO_LARGE", 2103, "stays"],
];

test.each(KINDS)("%s is FoundationDB's %i, and %s", (code, number, retry) => {
  const error = new TransactionError(code, "for the test");
  expect(error).toBeInstanceOf(StillwaterError);
  expect([error.code, error.fdbCode]).toEqual([code, number]);
  expect(error.retryable).toBe(retry !== "stays");
  expect(error.maybeCommitted).toBe(retry === "unknown");
});
