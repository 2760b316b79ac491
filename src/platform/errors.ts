/**
 * The one error family of Stillwater. Every error that crosses the public surface is a `StillwaterError` with a
 * stable `code`, a message that says what was wrong and what to do next, and, where there is one, the `cause`.
 * Does not own: which layer throws what; each throw site documents that.
 */

/** Stable codes. A code is never renamed or reused once released; messages may change freely. Each has a row in docs/ERRORS.md. */
export type ErrorCode =
  // From the file system (every VFS implementation maps errno to these).
  | "NOT_FOUND"
  | "EXISTS"
  | "NO_SPACE"
  | "READ_ONLY"
  | "ACCESS_DENIED"
  | "FILE_BUSY"
  | "LOCKED"
  | "NOT_DIRECTORY"
  | "IS_DIRECTORY"
  | "NOT_EMPTY"
  | "TOO_MANY_OPEN_FILES"
  | "CLOSED"
  | "IO"
  // From the engine.
  | "INVALID_ARGUMENT"
  | "UNKNOWN_OPTION"
  | "KEY_TOO_LARGE"
  | "VALUE_TOO_LARGE"
  | "BATCH_TOO_LARGE"
  | "NOT_A_STORE"
  | "UNSUPPORTED_FORMAT"
  | "CORRUPTION"
  | "FAILED_STOP"
  | "BUSY"
  | "SNAPSHOT_CLOSED"
  | "VERSION_TOO_LOW"
  | "STORE_REPLACED"
  // From backups.
  | "NOT_A_REPOSITORY"
  | "UNKNOWN_BACKUP"
  // From transactions; FoundationDB's names.
  | "TRANSACTION_TOO_OLD"
  | "FUTURE_VERSION"
  | "NOT_COMMITTED"
  | "COMMIT_UNKNOWN_RESULT"
  | "TRANSACTION_CANCELLED"
  | "TRANSACTION_TIMED_OUT"
  | "TRANSACTION_TOO_LARGE"
  | "TOO_MANY_WATCHES"
  | "WATCHES_DISABLED"
  | "ACCESSED_UNREADABLE"
  | "DATABASE_LOCKED"
  | "OPERATION_CANCELLED"
  | "CLIENT_INVALID_OPERATION"
  | "KEY_OUTSIDE_LEGAL_RANGE"
  | "INVERTED_RANGE"
  | "INVALID_OPTION_VALUE"
  | "INVALID_MUTATION_TYPE"
  | "VERSION_INVALID"
  | "RANGE_LIMITS_INVALID"
  | "READ_VERSION_ALREADY_SET"
  | "NO_COMMIT_VERSION"
  | "USED_DURING_COMMIT"
  | "CHANGE_FEED_NOT_REGISTERED"
  | "CHANGE_FEED_POPPED"
  // From records.
  | "INVALID_ITEM"
  | "ITEM_CORRUPT"
  | "ITEM_TOO_LARGE"
  | "DECRYPTION_FAILED"
  | "UNKNOWN_ENCRYPTION_KEY"
  | "ITEM_NOT_ENCRYPTED"
  // From records and indexes.
  | "INVALID_SCHEMA"
  | "VALIDATION_FAILED"
  | "ASYNC_VALIDATION"
  | "INVALID_PRIMARY_KEY"
  | "PRIMARY_KEY_CHANGED"
  | "DOCUMENT_EXISTS"
  | "DOCUMENT_CHANGED"
  | "SAVE_IN_PROGRESS"
  | "UNIQUE_VIOLATION"
  | "UNKNOWN_COLLECTION"
  | "UNKNOWN_INDEX"
  | "UNKNOWN_FIELD"
  | "INVALID_INDEX_VALUE"
  | "INDEX_ENTRY_TOO_LARGE"
  | "UNKNOWN_INDEX_KIND"
  | "WRONG_INDEX_KIND"
  | "INDEX_NOT_READABLE"
  | "ILLEGAL_INDEX_STATE"
  | "INDEX_BUILD_MISMATCH"
  | "INDEX_BUILD_VIOLATIONS"
  | "INDEX_SOURCE_UNSUITABLE"
  | "INDEX_INCONSISTENT"
  | "LEASE_HELD"
  | "LEASE_LOST"
  | "INVALID_CONTINUATION"
  | "CONTINUATION_MISMATCH"
  | "SCHEMA_CHANGED"
  | "SCHEMA_TOO_OLD"
  | "SCHEMA_TOO_NEW"
  | "INVALID_MIGRATION"
  | "DELETE_DENIED"
  | "DANGLING_REFERENCE"
  // From the admin's operations.
  | "INVALID_PAGE_TOKEN"
  | "PRECONDITION_FAILED"
  | "PROTECTED_RANGE"
  | "UNMAINTAINABLE_COLLECTION"
  | "NOT_SUPPORTED"
  // From backends.
  | "UNAVAILABLE"
  | "UNKNOWN_ERROR"
  | "MISSING_DEPENDENCY"
  // From imports.
  | "IMPORT_MISMATCH"
  // From the key space.
  | "INVALID_TUPLE"
  | "INVALID_ENTITY_KEY"
  | "DIRECTORY_NOT_FOUND"
  | "DIRECTORY_EXISTS"
  | "DIRECTORY_PARENT_NOT_FOUND"
  | "DIRECTORY_LAYER_MISMATCH"
  | "DIRECTORY_IS_ROOT"
  | "DIRECTORY_MOVE_INTO_ITSELF"
  | "DIRECTORY_ACROSS_PARTITIONS"
  | "DIRECTORY_PARTITION_ROOT"
  | "DIRECTORY_PREFIX_NOT_ALLOWED"
  | "DIRECTORY_PREFIX_IN_USE"
  | "DIRECTORY_READ_ONLY"
  | "DIRECTORY_VERSION_UNSUPPORTED"
  | "DIRECTORY_DAMAGED"
  | "ASSERTION";

/** Extra facts of an error: plain data, so that a caller may log or branch on them. */
export interface ErrorDetails {
  readonly cause?: unknown;
  /** Path of the file or directory concerned. */
  readonly path?: string;
  /** Byte offset inside `path`, for corruption and I/O errors. */
  readonly offset?: number;
  /** The VFS call or engine operation that failed. */
  readonly operation?: string;
  /** Who has it, for `LOCKED`: process number, since when, where, and what it runs, as far as that is known. */
  readonly owner?: string;
  /** Process number of the owner, for `LOCKED`; absent where nobody can tell. */
  readonly ownerPid?: number;
}

/** Every error that crosses the public surface: a stable `code`, and a message that says what to do. */
export class StillwaterError extends Error {
  readonly code: ErrorCode;
  readonly path: string | undefined;
  readonly offset: number | undefined;
  readonly operation: string | undefined;
  readonly owner: string | undefined;
  readonly ownerPid: number | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "StillwaterError";
    this.code = code;
    this.path = details.path;
    this.offset = details.offset;
    this.operation = details.operation;
    this.owner = details.owner;
    this.ownerPid = details.ownerPid;
  }
}

/** Bytes on disk are not what was written there. Always names the file; names the offset where one is known. */
export class CorruptionError extends StillwaterError {
  constructor(message: string, details: ErrorDetails & { readonly path: string }) {
    const place = details.offset === undefined ? details.path : `${details.path} at byte ${details.offset}`;
    super("CORRUPTION", `${message} (${place})`, details);
    this.name = "CorruptionError";
  }
}

/** True when `error` is a `StillwaterError` with this code. */
export function hasCode(error: unknown, code: ErrorCode): error is StillwaterError {
  return error instanceof StillwaterError && error.code === code;
}
