/**
 * Misuse of directories, one code for each kind. The message says what to do, and names the directory. Not for what goes
 * wrong below: the transaction's own errors pass through as they are.
 */
import { type ErrorCode, StillwaterError } from "../platform/errors.js";

/** The codes of `DirectoryError`. */
export type DirectoryErrorCode = Extract<ErrorCode, `DIRECTORY_${string}`>;

/** Misuse of directories; `path` is the one concerned. */
export class DirectoryError extends StillwaterError {
  declare readonly code: DirectoryErrorCode;

  constructor(code: DirectoryErrorCode, message: string, path: readonly string[]) {
    super(code, message, { path: pathText(path) });
    this.name = "DirectoryError";
  }
}

/** For messages. */
export function pathText(path: readonly string[]): string {
  return `/${path.map((name) => JSON.stringify(name).slice(1, -1)).join("/")}`;
}

export function notFound(path: readonly string[]): DirectoryError {
  return new DirectoryError(
    "DIRECTORY_NOT_FOUND",
    `there is no directory ${pathText(path)}. Create it, or check the path.`,
    path,
  );
}

export function exists(path: readonly string[]): DirectoryError {
  return new DirectoryError(
    "DIRECTORY_EXISTS",
    `there is a directory ${pathText(path)} already. Open it, remove it first, or choose another path.`,
    path,
  );
}

export function isRoot(what: string, path: readonly string[]): DirectoryError {
  return new DirectoryError(
    "DIRECTORY_IS_ROOT",
    `the root of the directories cannot be ${what}. Give the path of a directory in it.`,
    path,
  );
}

export function acrossPartitions(path: readonly string[]): DirectoryError {
  return new DirectoryError(
    "DIRECTORY_ACROSS_PARTITIONS",
    `${pathText(path)} cannot be moved into or out of a partition: its keys would need another prefix. ` +
      "Create a directory there and copy the contents.",
    path,
  );
}

export function damaged(what: string, path: readonly string[]): DirectoryError {
  return new DirectoryError(
    "DIRECTORY_DAMAGED",
    `what is stored for the directories is not what a directory layer writes: ${what}. Something else has written there.`,
    path,
  );
}
