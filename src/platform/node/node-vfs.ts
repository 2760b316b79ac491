/**
 * `VFS` over `node:fs`, or over anything of the same shape. Owns the mapping of names, flags and errors.
 * Promise: what `VFS` says, on every platform Node runs on; a descriptor is given back only after the last
 * asynchronous call on it has ended, so that a late sync never hits a stranger who was given the same number.
 * Does not own: locking (`directory-lock.ts`), the meaning of errno (`errno.ts`).
 */
import * as nodeFs from "node:fs";
import type { DataSync, VFile, VFileStat, VFS, VFSCapabilities, VLock } from "../vfs.js";
import { type DirectoryLocks, systemDirectoryLocks } from "./directory-lock.js";
import { errnoOf, fileSystemError, isHeldOpen, isInterrupted, systemError } from "./errno.js";
import { NodeFile } from "./node-file.js";
import type { NodeFileSystem } from "./node-file-system.js";

/** What libuv makes of `fdatasync`. On macOS, where a volume refuses it, libuv falls back to what the volume has. */
const DATA_SYNC: ReadonlyMap<NodeJS.Platform, DataSync> = new Map([
  ["linux", "fdatasync"],
  ["darwin", "F_FULLFSYNC"],
  ["win32", "FlushFileBuffers"],
]);

/** The store's files are for their owner to write and for the group and others to read, as far as the umask allows. */
const FILE_MODE = 0o644;

export interface NodeVFSTraits {
  readonly permanence?: boolean;
  readonly system?: NodeJS.Platform;
}

export class NodeVFS implements VFS {
  readonly capabilities: VFSCapabilities;
  private readonly fs: NodeFileSystem;
  private readonly locks: DirectoryLocks;

  /**
   * `locks` must guard the same volume as `fs`: the operating system's for `node:fs`, a registry for one in memory.
   * `system`: by whose rules `fs` answers.
   */
  constructor(
    fs: NodeFileSystem = nodeFs,
    locks: DirectoryLocks = systemDirectoryLocks(fs),
    { permanence = true, system = process.platform }: NodeVFSTraits = {},
  ) {
    this.fs = fs;
    this.locks = locks;
    const isWindows = system === "win32";
    this.capabilities = {
      directorySync: !isWindows,
      links: true,
      permanence,
      openFilesMove: !isWindows,
      dataSync: DATA_SYNC.get(system) ?? "fsync",
    };
  }

  createFile(path: string): VFile {
    const { O_CREAT, O_EXCL, O_RDWR } = this.fs.constants;
    const descriptor = attempt("createFile", path, () =>
      this.fs.openSync(path, O_CREAT | O_EXCL | O_RDWR, FILE_MODE),
    );
    return new NodeFile(this.fs, path, descriptor, true);
  }

  openFile(path: string, mode: "read" | "readWrite"): VFile {
    const { O_RDONLY, O_RDWR } = this.fs.constants;
    const writable = mode === "readWrite";
    const descriptor = attemptAgain("openFile", path, () =>
      this.fs.openSync(path, writable ? O_RDWR : O_RDONLY),
    );
    if (!writable) this.refuseDirectory(path, descriptor);
    return new NodeFile(this.fs, path, descriptor, writable);
  }

  removeFile(path: string): void {
    this.onFile("removeFile", path, () => this.fs.unlinkSync(path));
  }

  rename(from: string, to: string): void {
    const move = () => {
      try {
        this.fs.renameSync(from, to);
      } catch (error) {
        throw this.busyOr(error, "rename", from);
      }
    };
    attempt("rename", from, move, to);
  }

  link(from: string, to: string): void {
    this.onFile("link", from, () => this.fs.linkSync(from, to), to);
  }

  makeDirectory(path: string): void {
    attempt("makeDirectory", path, () => this.fs.mkdirSync(path));
  }

  removeDirectory(path: string): void {
    attempt("removeDirectory", path, () => this.fs.rmdirSync(path));
  }

  list(path: string): string[] {
    // Array.prototype.sort compares strings by UTF-16 code unit, which is the order promised.
    return attemptAgain("list", path, () => this.fs.readdirSync(path)).sort();
  }

  syncDirectory(path: string): void {
    if (!this.capabilities.directorySync) return;
    attempt("syncDirectory", path, () => {
      const descriptor = this.fs.openSync(path, this.fs.constants.O_RDONLY);
      try {
        if (!this.fs.fstatSync(descriptor).isDirectory()) throw systemError("ENOTDIR", "fsync", path);
        this.fs.fsyncSync(descriptor);
      } finally {
        this.fs.closeSync(descriptor);
      }
    });
  }

  stat(path: string): VFileStat | null {
    return attemptAgain("stat", path, () => {
      try {
        const found = this.fs.statSync(path);
        return found.isDirectory() ? { kind: "directory", size: 0 } : { kind: "file", size: found.size };
      } catch (error) {
        // A file in the middle of the path means as surely as a missing name that nothing is there.
        if (errnoOf(error) === "ENOENT" || errnoOf(error) === "ENOTDIR") return null;
        throw error;
      }
    });
  }

  lockDirectory(path: string): Promise<VLock> {
    return this.locks.lock(path);
  }

  /** POSIX lets a directory be opened for reading, and would fail only at the first read. */
  private refuseDirectory(path: string, descriptor: number): void {
    try {
      if (this.fs.fstatSync(descriptor).isDirectory()) throw systemError("EISDIR", "open", path);
    } catch (error) {
      this.fs.closeSync(descriptor);
      throw fileSystemError(error, "openFile", path);
    }
  }

  /** Systems disagree about unlink and link of a directory (EISDIR, EPERM); here it is always `IS_DIRECTORY`. */
  private onFile(operation: string, path: string, action: () => void, target?: string): void {
    attempt(
      operation,
      path,
      () => {
        try {
          action();
        } catch (error) {
          const denied = errnoOf(error) === "EPERM" || errnoOf(error) === "EACCES";
          if (denied && this.stat(path)?.kind === "directory")
            throw systemError("EISDIR", operation, path, error);
          throw operation === "removeFile" ? this.busyOr(error, operation, path) : error;
        }
      },
      target,
    );
  }

  /** Where open files stay where they are, a denial of a name may mean just that; it always means that nothing was done. */
  private busyOr(error: unknown, operation: string, path: string): unknown {
    const isBusy = !this.capabilities.openFilesMove && isHeldOpen(error);
    return isBusy ? systemError("EBUSY", operation, path, error) : error;
  }
}

function attempt<Result>(operation: string, path: string, action: () => Result, target?: string): Result {
  try {
    return action();
  } catch (error) {
    throw fileSystemError(error, operation, path, target);
  }
}

/** For calls that change nothing, and so may be made again after an interruption. */
function attemptAgain<Result>(operation: string, path: string, action: () => Result): Result {
  for (;;) {
    try {
      return action();
    } catch (error) {
      if (!isInterrupted(error)) throw fileSystemError(error, operation, path);
    }
  }
}
