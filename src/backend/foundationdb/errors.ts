/**
 * FoundationDB's errors as ours. A number that has a code of ours gets it; any other keeps its number under the code
 * `UNKNOWN_ERROR`, with what FoundationDB's client says about trying again (its fdb_error_predicate).
 */
import { errorOfNumber, TransactionError } from "../../transaction/errors.js";

/** Numbers without a code of ours that pass: limits of the cluster's servers, throttling. */
const PASSING: ReadonlySet<number> = new Set([1042, 1051, 1078, 1213, 1223]);
/** Passes as well, but the commit may have taken effect: the cluster's version changed. */
const MAYBE_COMMITTED = 1039;

/** What is no error of FoundationDB comes back as it is. */
export function translated(error: unknown): unknown {
  const number = numberOf(error);
  if (number === null || !(error instanceof Error)) return error;
  const known = errorOfNumber(number, `${error.message} (FoundationDB's error ${number})`, { cause: error });
  if (known !== null) return known;
  return new TransactionError("UNKNOWN_ERROR", `${error.message} (FoundationDB's error ${number})`, {
    cause: error,
    fdbCode: number,
    retry: number === MAYBE_COMMITTED ? "maybe-committed" : PASSING.has(number) ? "always" : "never",
  });
}

function numberOf(error: unknown): number | null {
  if (error instanceof TransactionError || typeof error !== "object" || error === null) return null;
  const { code } = error as { readonly code?: unknown };
  return typeof code === "number" ? code : null;
}
