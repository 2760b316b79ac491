/**
 * The one door to files. Small as the engine needs and honest as POSIX: it says for each call what is durable when
 * it returns, and what an error leaves behind. Synchronous, because a thread-pool round trip costs 35–50 µs and a
 * system call 1.5 µs; only data sync and deliberately parallel reads also exist in an asynchronous form.
 *
 * Two rules hold everywhere:
 * 1. A name and a file are made durable apart: `syncData` makes bytes and size durable, `syncDirectory` makes names
 *    durable. Until then a crash may keep or lose each of them independently.
 * 2. After a failed sync nobody knows what is on the medium (fsyncgate): callers must not retry on the same file and
 *    believe it.
 *
 * Paths are absolute or relative to the process, with "/" between parts. Errors are `StillwaterError`s with one of
 * the file-system codes, the path, the operation and the cause.
 */

export interface VFS {
  /** Creates a new, empty file and opens it for reading and writing. Never touches an existing inode: `EXISTS`. */
  createFile(path: string): VFile;

  /** Opens an existing file. `NOT_FOUND` when there is none. `read` handles refuse writes with `READ_ONLY`. */
  openFile(path: string, mode: "read" | "readWrite"): VFile;

  /**
   * Removes a file's name. Durable after `syncDirectory` of the parent. While handles are open its data lives on, or, where
   * `capabilities.openFilesMove` is false, this fails with `FILE_BUSY`.
   */
  removeFile(path: string): void;

  /**
   * Atomically gives a file or directory a new name, replacing a file there. Durable after `syncDirectory` of both parents.
   * Where `capabilities.openFilesMove` is false: `FILE_BUSY` while either file, or one in the directory, is open.
   */
  rename(from: string, to: string): void;

  /** Gives a file a second name (hard link). `EXISTS` when `to` is there. Durable after `syncDirectory` of the parent. */
  link(from: string, to: string): void;

  /** Creates one directory; the parent must exist. `EXISTS` when it is there. */
  makeDirectory(path: string): void;

  /** Removes an empty directory; `NOT_EMPTY` otherwise. */
  removeDirectory(path: string): void;

  /** Names in a directory, sorted by UTF-16 code unit. */
  list(path: string): string[];

  /** Makes the names of a directory durable. A no-op where `capabilities.directorySync` is false. */
  syncDirectory(path: string): void;

  /** What is at a path, or null when nothing is. */
  stat(path: string): VFileStat | null;

  /**
   * Takes the exclusive lock of a directory. Resolves when it is held. `LOCKED` (with `owner`) when this or another
   * process holds it. Released by `release()` and by the end of the process, however it ends.
   */
  lockDirectory(path: string): Promise<VLock>;

  readonly capabilities: VFSCapabilities;
}

/** What a file system can do, where they differ. */
export interface VFSCapabilities {
  /**
   * Whether names can be synced on their own. False on Windows, where a file system with a journal makes what was done to
   * names earlier durable along with the next file that is synced.
   */
  readonly directorySync: boolean;
  /** Whether hard links work. */
  readonly links: boolean;
  /** Whether files outlive the process. False in memory. */
  readonly permanence: boolean;
  /**
   * Whether a file may be removed, moved and replaced while somebody has it open. False on Windows: `FILE_BUSY` then, having
   * done nothing, which is also what a scanner or a backup program leads to that looks at a file for a while.
   */
  readonly openFilesMove: boolean;
  /**
   * What `syncData` asks of the operating system. `fdatasync` and `FlushFileBuffers` reach the medium. So does
   * `F_FULLFSYNC`, at the price of emptying the drive's whole cache, some milliseconds; macOS' own fsync would not.
   */
  readonly dataSync: DataSync;
}

export type DataSync = "fdatasync" | "F_FULLFSYNC" | "FlushFileBuffers" | "fsync";

/** What is known of a file without reading it. */
export interface VFileStat {
  readonly kind: "file" | "directory";
  /** Bytes; 0 for directories. */
  readonly size: number;
}

/** A lock that is held until it is released, or its process ends. */
export interface VLock {
  /** Gives the lock back. Idempotent. */
  release(): Promise<void>;
}

/**
 * An open file. Positioned I/O only: there is no cursor and no append mode, so a failed write never leaves orphan
 * bytes between good ones. Implementations extend `PositionalFile`, which completes short transfers.
 */
export interface VFile {
  readonly path: string;

  /**
   * Reads `length` bytes at `position` into `target` from `targetStart`. Returns the number read: less than `length`
   * only at the end of the file. On error the target's content is undefined.
   */
  read(target: Uint8Array, targetStart: number, length: number, position: number): number;

  /**
   * Writes all of `source[sourceStart, sourceStart + length)` at `position`, growing the file if needed. On return
   * the bytes are in the page cache: they survive the end of the process, not of the power. On error any part of
   * the range may have been written.
   */
  write(source: Uint8Array, sourceStart: number, length: number, position: number): void;

  /** Sets the size. Growing fills with zeros. Durable after `syncData`. */
  truncate(size: number): void;

  /** On return all earlier writes and the size survive power loss. On error nothing may be believed (rule 2). */
  syncData(): void;

  /** As `syncData`, without blocking; `done(null)` or `done(error)` runs on a later turn, exactly once. Covers writes made before the call. */
  syncDataLater(done: (error: Error | null) => void): void;

  /** As `read`, without blocking; `done(error, bytesRead)` runs on a later turn, exactly once. `target` must not be touched meanwhile. */
  readLater(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void;

  /** Bytes in the file now. */
  size(): number;

  /** Gives the handle back. Idempotent. Does not sync. Other calls after it fail with `CLOSED`. */
  close(): void;
}
