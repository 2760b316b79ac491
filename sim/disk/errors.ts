/**
 * What simulated file calls throw: `SimulatedCrash`, which ends a life, and the same typed errors, with the same
 * causes, that the production file system makes of an errno. Does not own: when.
 */
import { StillwaterError } from "../../src/platform/errors.js";
import { systemError as errnoError, fileSystemError } from "../../src/platform/node/errno.js";

/**
 * Thrown through the engine to end a simulated process. Not a `StillwaterError`: nothing but the runner may catch it
 * and go on, and every later call of the same life throws it again.
 */
export class SimulatedCrash extends Error {
  constructor(message = "the simulated process has ended; nothing of it may go on") {
    super(message);
    this.name = "SimulatedCrash";
  }
}

/** The errno values that a simulated disk gives. */
export type Errno =
  | "ENOENT"
  | "EEXIST"
  | "ENOTDIR"
  | "EISDIR"
  | "ENOTEMPTY"
  | "EINVAL"
  | "EBUSY"
  | "ENOSPC"
  | "EDQUOT"
  | "EFBIG"
  | "EMFILE"
  | "EROFS"
  | "EACCES"
  | "EPERM"
  | "EINTR"
  | "EAGAIN"
  | "EIO";

/** `place` is the byte offset or, for calls on two names, the second. */
export function systemError(
  errno: Errno,
  operation: string,
  path: string,
  place?: number | string,
): StillwaterError {
  return fileSystemError(errnoError(errno, operation, path), operation, path, place);
}

export function readOnlyError(operation: string, path: string): StillwaterError {
  const message = `${operation} of ${path} needs a file opened with "readWrite"; this one was opened with "read".`;
  return new StillwaterError("READ_ONLY", message, { path, operation });
}

export function lockedError(path: string, owner: string): StillwaterError {
  const message = `${path} is open already, by ${owner}. A store has one owner at a time: close it there first.`;
  return new StillwaterError("LOCKED", message, { path, operation: "lockDirectory", owner });
}
