/**
 * Turns what `node:fs` throws into a `StillwaterError`: stable code, path, operation, offset and cause.
 * Promise: the message says what was wrong and what to do, and never advises to sync again after a failed sync,
 * because the kernel may have dropped the dirty pages and a second sync would report success over lost data.
 */
import { type ErrorCode, StillwaterError } from "../errors.js";

/** `operation` is the name of the VFS method that failed; `place` is the byte offset or, for two names, the second. */
export function fileSystemError(
  cause: unknown,
  operation: string,
  path: string,
  place?: number | string,
): StillwaterError {
  if (cause instanceof StillwaterError) return cause;
  const errno = errnoOf(cause);
  const code = CODES.get(errno) ?? "IO";
  const where = typeof place === "number" ? ` at byte ${place}` : place === undefined ? "" : ` to ${place}`;
  const advice = SYNC_OPERATIONS.has(operation) ? SYNC_ADVICE : ADVICE[code];
  const reason = errno === "" ? String(cause) : `${REASONS[code]} (${errno})`;
  return new StillwaterError(code, `${operation} of ${path}${where} failed: ${reason}. ${advice}`, {
    cause,
    path,
    operation,
    ...(typeof place === "number" ? { offset: place } : {}),
  });
}

/** The errno name of a system error ("ENOENT"), or "" where there is none. */
export function errnoOf(error: unknown): string {
  if (!(error instanceof Error) || !("code" in error)) return "";
  return typeof error.code === "string" ? error.code : "";
}

/** An error as `node:fs` would throw it, for answers that systems give differently or not at all. */
export function systemError(
  errno: string,
  syscall: string,
  path: string,
  cause?: unknown,
): NodeJS.ErrnoException {
  const error = new Error(`${errno}: ${syscall} '${path}'`, cause === undefined ? undefined : { cause });
  return Object.assign(error, { code: errno, syscall, path });
}

/** The one errno that means "nothing happened, call again". Not for sync and close: there it is an error as any other. */
export function isInterrupted(error: unknown): boolean {
  return errnoOf(error) === "EINTR";
}

/** What Windows says where somebody has a file open: any of three, two of which mean a lack of rights elsewhere. */
export function isHeldOpen(error: unknown): boolean {
  return ["EBUSY", "EPERM", "EACCES"].includes(errnoOf(error));
}

export function closedError(operation: string, path: string): StillwaterError {
  return new StillwaterError("CLOSED", `${operation} of ${path} came after close(). Open the file again.`, {
    path,
    operation,
  });
}

type FileSystemCode = Extract<
  ErrorCode,
  | "NOT_FOUND"
  | "EXISTS"
  | "NO_SPACE"
  | "READ_ONLY"
  | "ACCESS_DENIED"
  | "FILE_BUSY"
  | "NOT_DIRECTORY"
  | "IS_DIRECTORY"
  | "NOT_EMPTY"
  | "TOO_MANY_OPEN_FILES"
  | "IO"
>;

const CODES: ReadonlyMap<string, FileSystemCode> = new Map([
  ["ENOENT", "NOT_FOUND"],
  ["EEXIST", "EXISTS"],
  ["ENOSPC", "NO_SPACE"],
  ["EDQUOT", "NO_SPACE"],
  ["EROFS", "READ_ONLY"],
  ["EACCES", "ACCESS_DENIED"],
  ["EPERM", "ACCESS_DENIED"],
  ["EBUSY", "FILE_BUSY"],
  ["ENOTDIR", "NOT_DIRECTORY"],
  ["EISDIR", "IS_DIRECTORY"],
  ["ENOTEMPTY", "NOT_EMPTY"],
  ["EMFILE", "TOO_MANY_OPEN_FILES"],
  ["ENFILE", "TOO_MANY_OPEN_FILES"],
]);

const REASONS: Readonly<Record<FileSystemCode, string>> = {
  NOT_FOUND: "there is no such file or directory",
  EXISTS: "the name is taken",
  NO_SPACE: "the volume or the quota is full",
  READ_ONLY: "the volume is read-only",
  ACCESS_DENIED: "the operating system denied access",
  FILE_BUSY: "somebody has the file open, and nothing was done",
  NOT_DIRECTORY: "a part of the path is not a directory",
  IS_DIRECTORY: "it is a directory",
  NOT_EMPTY: "the directory is not empty",
  TOO_MANY_OPEN_FILES: "too many files are open",
  IO: "the operating system reported an error",
};

const ADVICE: Readonly<Record<FileSystemCode, string>> = {
  NOT_FOUND: "Check the path.",
  EXISTS: "Use another name, or remove what is there.",
  NO_SPACE: "Free some space, then close the store and open it again.",
  READ_ONLY: "Mount the volume writable, or use another directory.",
  ACCESS_DENIED: "Check the owner and the permissions of the path and of its directory.",
  FILE_BUSY:
    "Close the program that uses it (a virus scanner or a backup lets go by itself), then try again.",
  NOT_DIRECTORY: "Check the path.",
  IS_DIRECTORY: "Give the path of a file.",
  NOT_EMPTY: "Empty the directory first.",
  TOO_MANY_OPEN_FILES: "Raise the limit of open files (ulimit -n), or close other files.",
  IO: "Check the disk and the system log, then close the store and open it again.",
};

const SYNC_OPERATIONS: ReadonlySet<string> = new Set(["syncData", "syncDataLater", "syncDirectory"]);

const SYNC_ADVICE =
  "What was written since the last successful sync may be lost. Check the disk, then close the store and open it " +
  "again: recovery finds out what survived.";
