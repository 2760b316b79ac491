/**
 * The LOCK file: a note for people and for error messages that says who has a directory open. It is not the lock:
 * that belongs to the operating system and ends with its owner, while this note may stay behind after a crash.
 * It is read only when the real lock is found taken, and believed only where nothing contradicts it: whoever holds the lock may
 * not have written its note yet, and then the one that is there was left by somebody who is gone.
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
  const program = process.argv[1] === undefined ? "" : `, running ${process.argv[1]}`;
  try {
    fs.writeFileSync(
      notePath(directory),
      `process ${process.pid} since ${since} on ${hostname()}${program}\n`,
    );
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

/** The process that the note names, whether it lives or not; null where there is no note. */
export function notedPid(fs: NodeFileSystem, directory: string): number | null {
  return readNote(fs, directory)?.pid ?? null;
}

/**
 * The error for a directory whose lock is taken. `holder`: the process that has it, by better knowledge than the note; null
 * where there is none, and then the note is believed if the process that it names lives on this machine.
 */
export function lockedError(fs: NodeFileSystem, directory: string, holder: number | null): StillwaterError {
  const note = readNote(fs, directory);
  const pid = holder ?? (note !== null && note.host === hostname() && lives(note.pid) ? note.pid : null);
  const named = pid === null ? "another process" : `process ${pid}`;
  const owner = note !== null && note.pid === pid ? note.text : named;
  const whose = pid === process.pid ? `this very process (${owner})` : owner;
  return new StillwaterError(
    "LOCKED",
    `${directory} is open already, by ${whose}. A store has one owner at a time: close it there first, wait for it with ` +
      "lockTimeoutMs, or read beside it with openReadOnly.",
    { path: directory, operation: "lockDirectory", owner, ...(pid === null ? {} : { ownerPid: pid }) },
  );
}

interface LockNote {
  readonly text: string;
  readonly pid: number;
  readonly host: string;
}

function notePath(directory: string): string {
  return joinPath(directory, LOCK_FILE_NAME);
}

function readNote(fs: NodeFileSystem, directory: string): LockNote | null {
  let text: string;
  try {
    text = fs.readFileSync(notePath(directory), "utf8");
  } catch (error) {
    // Taken a moment ago, the note not yet written; or not readable for us. Both still mean "someone".
    if (errnoOf(error) === "") throw error;
    return null;
  }
  const found = /^process (\d{1,10}) since \S+ on ([^\s,]{1,255})(?:, running .{1,4096})?$/m.exec(text);
  // Both groups are in every match.
  return found === null ? null : { text: found[0], pid: Number(found[1]), host: found[2] as string };
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and belongs to someone else.
    return errnoOf(error) !== "ESRCH";
  }
}
