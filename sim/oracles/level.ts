/**
 * O42. Verifies, of calls through the interface of Level: a write is one commit of the store, made at the call, under the durability
 * that `sync` asks for, and is answered only when that commit is; an error carries the code of Level's that its cause has in the
 * table here, which was written from the documentation. That reads show what they must is the comparison with the model
 * (`snapshot-stability.ts`), counted under O42 where they go through Level: implicit views from the moment of the call, explicit
 * snapshots for ever. That acknowledged writes survive, and whole, is O1 to O3 on the same commits.
 * Does not verify: encodings, events and hooks, which are the package's and its suite's.
 */
import { type ErrorCode, StillwaterError } from "../../src/platform/errors.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** One call of the store's `write`. */
export interface StoreWrite {
  readonly durability: "sync" | "buffered" | undefined;
  /** Null until it is answered. */
  version: number | null;
}

const CODES: Readonly<Partial<Record<ErrorCode, string>>> = {
  CORRUPTION: "LEVEL_CORRUPTION",
  IO: "LEVEL_IO_ERROR",
  NO_SPACE: "LEVEL_IO_ERROR",
  FAILED_STOP: "LEVEL_IO_ERROR",
  TOO_MANY_OPEN_FILES: "LEVEL_IO_ERROR",
  ACCESS_DENIED: "LEVEL_IO_ERROR",
  NOT_FOUND: "LEVEL_IO_ERROR",
  READ_ONLY: "LEVEL_READONLY",
  LOCKED: "LEVEL_LOCKED",
  BUSY: "LEVEL_BUSY",
  KEY_TOO_LARGE: "LEVEL_INVALID_KEY",
  NOT_A_STORE: "LEVEL_NOT_A_STORE",
  EXISTS: "LEVEL_EXISTS",
  CLOSED: "LEVEL_DATABASE_NOT_OPEN",
};

/** The one commit that a call has made; `sync` is what it asked for. */
export function checkOneCommit(
  ledger: OracleLedger,
  what: string,
  writes: readonly StoreWrite[],
  sync: boolean | undefined,
): StoreWrite {
  ledger.count("O42");
  const [write] = writes;
  if (write === undefined || writes.length > 1)
    throw new OracleFailure("O42", `${what} makes ${writes.length} commits, not one`);
  const wanted = sync === undefined ? undefined : sync ? "sync" : "buffered";
  if (write.durability !== wanted) {
    throw new OracleFailure(
      "O42",
      `${what} with sync ${sync} is committed as ${write.durability ?? "the store's own"}, not ${wanted ?? "that"}`,
    );
  }
  return write;
}

/** The version of a write whose promise has resolved. */
export function checkAnswered(
  ledger: OracleLedger,
  what: string,
  write: StoreWrite,
  writes: readonly StoreWrite[],
): number {
  ledger.count("O42");
  if (writes.length > 1) throw new OracleFailure("O42", `${what} makes ${writes.length} commits, not one`);
  if (write.version !== null) return write.version;
  throw new OracleFailure("O42", `${what} is answered before its commit`);
}

/** The store's error behind one of Level's. */
export function causeOfLevelError(ledger: OracleLedger, error: unknown, call: string): unknown {
  if (error instanceof StillwaterError) {
    throw new OracleFailure("O42", `${call} fails with the store's own error, not one of Level's`, error);
  }
  if (!(error instanceof Error) || !(error.cause instanceof Error)) return error;
  // Where opening fails, the error about that is the first.
  const isOpening =
    "code" in error && error.code === "LEVEL_DATABASE_NOT_OPEN" && !(error.cause instanceof StillwaterError);
  if (isOpening) return causeOfLevelError(ledger, error.cause, call);
  const { cause } = error;
  if (!(cause instanceof StillwaterError)) return error;
  ledger.count("O42");
  const code = "code" in error ? error.code : null;
  if (code === CODES[cause.code]) return cause;
  throw new OracleFailure("O42", `${call} fails with ${code} for ${cause.code}: ${cause.message}`, error);
}
