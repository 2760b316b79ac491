/**
 * The LOCK file: a note for people and for error messages that says who has a directory open. It is not the lock:
 * that belongs to the operating system and ends with its owner, while this note may stay behind after a crash.
 * It is read only when the real lock is found taken.
 */
import { hostname } from "node:os";
import { StillwaterError } from "../errors.js";
import { joinPath } from "../path.js";
import { errnoOf, fileSystemError } from "./errno.js";
import type { NodeFileSystem } from "./node-file-system.js";

export const LOCK_FILE_NAME = "LOCK";

/** Writes who holds the lock now. Throws `READ_ONLY` or `ACCESS_DENIED` where the directory cannot be written. */
export function writeLockNote(fs: NodeFileSystem, directory: string): void {
  const since = new Date().toISOString();
  try {
    fs.writeFileSync(notePath(directory), `process ${process.pid} since ${since} on ${hostname()}\n`);
  } catch (error) {
    throw fileSystemError(error, "lockDirectory", notePath(directory));
  }
}

/**
 * Takes the note away; called while the lock is still held, so that it cannot be the next owner's. A note that stays
 * (volume gone or read-only by now) harms nobody, and must not keep a store from closing.
 */
export function removeLockNote(fs: NodeFileSystem, directory: string): void {
  try {
    fs.unlinkSync(notePath(directory));
  } catch (error) {
    if (errnoOf(error) === "") throw error;
  }
}

/** The error for a directory whose lock is taken; names the owner as far as the note tells. */
export function lockedError(fs: NodeFileSystem, directory: string): StillwaterError {
  const owner = readOwner(fs, directory);
  return new StillwaterError(
    "LOCKED",
    `${directory} is open already, by ${owner}. A store has one owner at a time: close it there first.`,
    { path: directory, operation: "lockDirectory", owner },
  );
}

function notePath(directory: string): string {
  return joinPath(directory, LOCK_FILE_NAME);
}

function readOwner(fs: NodeFileSystem, directory: string): string {
  let text: string;
  try {
    text = fs.readFileSync(notePath(directory), "utf8");
  } catch (error) {
    // Taken a moment ago, the note not yet written; or not readable for us. Both still mean "someone".
    if (errnoOf(error) === "") throw error;
    text = "";
  }
  const found = /^process \d+ since \S+ on .{1,255}$/m.exec(text);
  return found === null ? "another process" : found[0];
}
