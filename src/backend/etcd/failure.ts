/**
 * What went wrong with a request to etcd, and above all: whether the request may have taken effect. gRPC tells a code and
 * a text; `etcd3` wraps them and keeps the text. Does not own: what is done about it.
 */
import { StillwaterError } from "../../platform/errors.js";
import { TransactionError } from "../../transaction/errors.js";

/**
 * - `unsent`: nothing reached a member; the same request may go to another.
 * - `unknown`: no answer came, so it may have taken effect, now or later.
 * - `expired`: a lease that it names has ended; it has not taken effect.
 * - `behind`: this member does not have the asked revision yet.
 * - `refused`: it has not taken effect and never will; `error` is for the user.
 */
export type Failure =
  | { readonly kind: "unsent" | "unknown" | "expired" | "behind"; readonly cause: unknown }
  | { readonly kind: "refused"; readonly error: Error };

/** gRPC's numbers (its "Status codes and their use"). */
const INVALID_ARGUMENT = 3;
const NOT_FOUND = 5;
const PERMISSION_DENIED = 7;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const OUT_OF_RANGE = 11;
const UNIMPLEMENTED = 12;
const UNAVAILABLE = 14;
const UNAUTHENTICATED = 16;

const NEVER_SENT = /No connection established|ECONNREFUSED|Name resolution failed|Failed to connect/;

export function classify(error: unknown): Failure {
  const text = error instanceof Error ? error.message : String(error);
  const code = Number(/\b(\d+) [A-Z_]+: /.exec(text)?.[1] ?? Number.NaN);
  switch (code) {
    case OUT_OF_RANGE:
      return text.includes("future revision") ? { kind: "behind", cause: error } : refused(tooOld(error));
    case NOT_FOUND:
      return { kind: "expired", cause: error };
    case INVALID_ARGUMENT:
    case RESOURCE_EXHAUSTED:
      return refused(beyondLimits(text, error));
    case PERMISSION_DENIED:
    case UNAUTHENTICATED:
      return refused(new StillwaterError("ACCESS_DENIED", `etcd denies access: ${text}`, { cause: error }));
    case FAILED_PRECONDITION:
    case UNIMPLEMENTED:
      return refused(new StillwaterError("IO", `etcd refuses the request: ${text}`, { cause: error }));
    case UNAVAILABLE:
      return { kind: NEVER_SENT.test(text) ? "unsent" : "unknown", cause: error };
    default:
      return { kind: "unknown", cause: error };
  }
}

export function unavailable(afterMs: number, cause: unknown): TransactionError {
  return new TransactionError(
    "UNAVAILABLE",
    `no member of the etcd cluster has answered for ${afterMs} ms. Nothing was committed. Look whether a majority runs.`,
    { cause },
  );
}

export function unknownResult(cause: unknown): TransactionError {
  return new TransactionError(
    "COMMIT_UNKNOWN_RESULT",
    "the connection was lost during the commit, and no member could be asked what became of it.",
    { cause },
  );
}

function refused(error: Error): Failure {
  return { kind: "refused", error };
}

function tooOld(cause: unknown): TransactionError {
  return new TransactionError(
    "TRANSACTION_TOO_OLD",
    "etcd has compacted the version that the transaction reads.",
    { cause },
  );
}

function beyondLimits(text: string, cause: unknown): Error {
  if (/too many operations|too large|larger than max/.test(text)) {
    return new TransactionError(
      "TRANSACTION_TOO_LARGE",
      `the transaction is larger than this etcd takes (${text}). Make it smaller, or raise etcd's --max-txn-ops or ` +
        "--max-request-bytes and the options maxOperations or maxRequestBytes with it.",
      { cause },
    );
  }
  if (text.includes("database space exceeded")) {
    return new StillwaterError("NO_SPACE", "etcd's quota is used up: compact and defragment it.", { cause });
  }
  return new StillwaterError("IO", `etcd refuses the request: ${text}`, { cause });
}
