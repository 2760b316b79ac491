/**
 * Errors as users of Level expect them: one of Level's codes, and the store's own error, with all that it says, as the cause.
 * A mistake of the program (a wrong option, another database's snapshot) is a bare `TypeError`, as everywhere in Level.
 */
import { type ErrorCode, StillwaterError } from "../platform/errors.js";
import { mutant } from "../platform/probes.js";

/** The codes of `LevelError`. */
export type LevelErrorCode =
  | "LEVEL_CORRUPTION"
  | "LEVEL_IO_ERROR"
  | "LEVEL_LOCKED"
  | "LEVEL_READONLY"
  | "LEVEL_BUSY"
  | "LEVEL_NOT_SUPPORTED"
  | "LEVEL_NOT_A_STORE"
  | "LEVEL_EXISTS"
  | "LEVEL_INVALID_KEY"
  | "LEVEL_INVALID_VALUE"
  | "LEVEL_INVALID_BATCH"
  | "LEVEL_SNAPSHOT_NOT_OPEN"
  | "LEVEL_ABORTED"
  | "LEVEL_DATABASE_NOT_OPEN";

const CODES: Readonly<Partial<Record<ErrorCode, LevelErrorCode>>> = {
  CORRUPTION: "LEVEL_CORRUPTION",
  LOCKED: "LEVEL_LOCKED",
  READ_ONLY: "LEVEL_READONLY",
  BUSY: "LEVEL_BUSY",
  UNSUPPORTED_FORMAT: "LEVEL_NOT_SUPPORTED",
  NOT_A_STORE: "LEVEL_NOT_A_STORE",
  EXISTS: "LEVEL_EXISTS",
  KEY_TOO_LARGE: "LEVEL_INVALID_KEY",
  VALUE_TOO_LARGE: "LEVEL_INVALID_VALUE",
  BATCH_TOO_LARGE: "LEVEL_INVALID_BATCH",
  SNAPSHOT_CLOSED: "LEVEL_SNAPSHOT_NOT_OPEN",
  CLOSED: "LEVEL_DATABASE_NOT_OPEN",
  // The disk, or what is in its way.
  IO: "LEVEL_IO_ERROR",
  FAILED_STOP: "LEVEL_IO_ERROR",
  NO_SPACE: "LEVEL_IO_ERROR",
  NOT_FOUND: "LEVEL_IO_ERROR",
  ACCESS_DENIED: "LEVEL_IO_ERROR",
  NOT_DIRECTORY: "LEVEL_IO_ERROR",
  IS_DIRECTORY: "LEVEL_IO_ERROR",
  NOT_EMPTY: "LEVEL_IO_ERROR",
  TOO_MANY_OPEN_FILES: "LEVEL_IO_ERROR",
};

/** Words that programs on Level look for in messages. */
const FOREWORDS: Readonly<Partial<Record<ErrorCode, string>>> = {
  NOT_A_STORE: "Database does not exist: ",
  EXISTS: "It exists already: ",
};

/** What went wrong, by Level's `code`; `cause` is the store's error. */
export class LevelError extends Error {
  readonly code: LevelErrorCode;

  constructor(code: LevelErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "LevelError";
    this.code = code;
  }
}

/** An error of the store as one of Level. What is none of the store's is given back as it is. */
export function levelError(error: unknown): unknown {
  if (!(error instanceof StillwaterError)) return error;
  const code =
    mutant("A5-stop-called-busy") && error.code === "FAILED_STOP" ? "LEVEL_BUSY" : CODES[error.code];
  if (code !== undefined) return new LevelError(code, (FOREWORDS[error.code] ?? "") + error.message, error);
  if (error.code === "INVALID_ARGUMENT" || error.code === "UNKNOWN_OPTION")
    return new TypeError(error.message, { cause: error });
  return error;
}

/** Rethrows as an error of Level; for `catch` of promises. */
export function throwLevelError(error: unknown): never {
  throw levelError(error);
}

export function notOpen(call: string): LevelError {
  return new LevelError("LEVEL_DATABASE_NOT_OPEN", `Database is not open: cannot call ${call}()`);
}

/** Named as the web names it. */
export function aborted(): LevelError {
  const error = new LevelError("LEVEL_ABORTED", "Operation has been aborted");
  error.name = "AbortError";
  return error;
}
