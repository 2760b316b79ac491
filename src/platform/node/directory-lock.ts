/**
 * The exclusive lock of a store directory, held by one owner among all threads and processes of a machine.
 * Promise: it ends with its owner, however that ends (return, exception, SIGKILL), and is never left behind by a
 * crash. Node has no flock, so the lock is something else that the kernel gives to one process and takes back:
 *
 *   Linux      an abstract unix socket named after the directory's device and inode
 *   Windows    a named pipe, named in the same way
 *   elsewhere  a claim file that names a process, believed only while that process lives (`claim-lock.ts`)
 *
 * The name follows the inode, so two spellings of a path, a symbolic link or a bind mount cannot get around it.
 * Does not own: owners in different network namespaces (containers that share a volume) or on different machines
 * (network file systems). Abstract sockets do not reach across those; give each store to one container.
 */
import { createHash } from "node:crypto";
import { statSync } from "node:fs";
import { createServer, type Server } from "node:net";
import type { VLock } from "../vfs.js";
import { claimDirectory } from "./claim-lock.js";
import { errnoOf, fileSystemError, systemError } from "./errno.js";
import { lockedError, notedPid, removeLockNote, writeLockNote } from "./lock-note.js";
import type { NodeFileSystem } from "./node-file-system.js";
import { holderOfSocket } from "./socket-holder.js";

export interface DirectoryLocks {
  /** As `VFS.lockDirectory`. */
  lock(directory: string): Promise<VLock>;
}

/** Where the lock lives. `socket` covers named pipes. */
export type LockMechanism = "socket" | "claim";

const NATIVE_MECHANISM: LockMechanism =
  process.platform === "linux" || process.platform === "win32" ? "socket" : "claim";

/** Locks among all processes of this machine. `fs` must be the real file system; it serves the notes. */
export function systemDirectoryLocks(
  fs: NodeFileSystem,
  mechanism: LockMechanism = NATIVE_MECHANISM,
): DirectoryLocks {
  return {
    async lock(directory) {
      const identity = identify(directory);
      const held =
        mechanism === "socket" ? await listen(fs, directory, identity) : claimDirectory(fs, directory);
      return complete(fs, directory, held);
    },
  };
}

/** Locks among all users of one in-memory volume, which lives and dies with this process. */
export function volumeDirectoryLocks(fs: NodeFileSystem): DirectoryLocks {
  const taken = new Set<number>();
  return {
    async lock(directory) {
      const found = inspect(directory, () => fs.statSync(directory));
      if (taken.has(found.ino)) throw lockedError(fs, directory, process.pid);
      taken.add(found.ino);
      return complete(fs, directory, { release: async () => void taken.delete(found.ino) });
    },
  };
}

/** Adds the note to a lock that was just taken; gives the lock back where that is impossible. */
async function complete(fs: NodeFileSystem, directory: string, held: VLock): Promise<VLock> {
  try {
    writeLockNote(fs, directory);
  } catch (error) {
    await held.release();
    throw error;
  }
  const release = async (): Promise<void> => {
    removeLockNote(fs, directory);
    await held.release();
  };
  let released: Promise<void> | null = null;
  return {
    release() {
      released ??= release();
      return released;
    },
  };
}

/** A name for the directory itself, whatever path leads to it. */
function identify(directory: string): string {
  // As bigint: an inode number may not fit a double, and two that round to one would lock each other out.
  const found = inspect(directory, () => statSync(directory, { bigint: true }));
  return createHash("sha512").update(`${found.dev}:${found.ino}`).digest("hex").slice(0, IDENTITY_CHARACTERS);
}

/**
 * With its zero and its prefix a name fills the address of an abstract socket, 108 bytes, to the last. Shorter ones are padded
 * with zeros by some versions of libuv and not by others, and to the kernel those are two names: processes of two versions of
 * Node would both get the lock.
 */
const IDENTITY_CHARACTERS = 96;

function inspect<Stat extends { isDirectory(): boolean }>(directory: string, stat: () => Stat): Stat {
  let found: Stat;
  try {
    found = stat();
  } catch (error) {
    throw fileSystemError(error, "lockDirectory", directory);
  }
  if (found.isDirectory()) return found;
  throw fileSystemError(systemError("ENOTDIR", "lock", directory), "lockDirectory", directory);
}

function listen(fs: NodeFileSystem, directory: string, identity: string): Promise<VLock> {
  const name = `stillwater-${identity}`;
  const path = process.platform === "win32" ? `\\\\.\\pipe\\${name}` : `\0${name}`;
  const server = createServer((connection) => connection.destroy());
  return new Promise((resolve, reject) => {
    server.once("error", (error) => {
      const taken = errnoOf(error) === "EADDRINUSE";
      reject(
        taken
          ? lockedError(fs, directory, holderOfSocket(name, notedPid(fs, directory)))
          : fileSystemError(error, "lockDirectory", directory),
      );
    });
    // exclusive: without it the workers of a node:cluster share one socket, and all of them would hold the lock.
    server.listen({ path, exclusive: true }, () => {
      // Later errors are failed accepts of curious strangers; the name stays ours.
      server.on("error", () => undefined);
      server.unref();
      resolve({ release: () => stop(server) });
    });
  });
}

function stop(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}
