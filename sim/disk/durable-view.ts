/**
 * What would be found if all unsynced state were lost now: a read-only file system over the durable names, sizes and
 * bytes, and a hash of them. Live: each call shows the state at its time, so it costs nothing to make and an oracle
 * can look after every call of the engine. Promise: looking changes nothing, and is neither counted nor traced.
 * Does not own: other crash states; locks (there is nobody to lock out).
 */
import { crc32 } from "node:zlib";
import { closedError } from "../../src/platform/node/errno.js";
import { PositionalFile } from "../../src/platform/positional-file.js";
import type { VFile, VFileStat, VFS, VFSCapabilities, VLock } from "../../src/platform/vfs.js";
import { Trace } from "../trace/trace.js";
import type { DiskTimers } from "./disk-state.js";
import { readOnlyError, systemError } from "./errors.js";
import type { FileNode } from "./file-node.js";
import { unreadableOffset } from "./media-damage.js";
import type { DirectoryNode, TreeNode } from "./name-log.js";
import type { Namespace } from "./namespace.js";
import { PAGE_BYTES, pagesFor } from "./page.js";
import type { PathTable } from "./paths.js";

export class DurableView implements VFS {
  readonly capabilities: VFSCapabilities = {
    directorySync: true,
    links: true,
    permanence: true,
    openFilesMove: true,
    dataSync: "fdatasync",
  };
  private readonly names: Namespace;
  private readonly paths: PathTable;
  private readonly timers: DiskTimers;

  constructor(names: Namespace, paths: PathTable, timers: DiskTimers) {
    this.names = names;
    this.paths = paths;
    this.timers = timers;
  }

  openFile(path: string, mode: "read" | "readWrite"): VFile {
    if (mode === "readWrite") throw systemError("EROFS", "openFile", path);
    const node = this.existing(path, "openFile");
    if (node.kind !== "file") throw systemError("EISDIR", "openFile", path);
    return new DurableFile(path, node, this.timers);
  }

  list(path: string): string[] {
    return [...this.directory(path, "list").durable.keys()].sort();
  }

  stat(path: string): VFileStat | null {
    const node = this.names.peekDurable(this.paths.intern(path));
    if (node === null) return null;
    return node.kind === "file" ? { kind: "file", size: node.mediaSize } : { kind: "directory", size: 0 };
  }

  /** Succeeds: everything here is durable. */
  syncDirectory(path: string): void {
    this.directory(path, "syncDirectory");
  }

  async lockDirectory(path: string): Promise<VLock> {
    this.directory(path, "lockDirectory");
    return { release: async () => undefined };
  }

  createFile(path: string): VFile {
    throw systemError("EROFS", "createFile", path);
  }

  removeFile(path: string): void {
    throw systemError("EROFS", "removeFile", path);
  }

  rename(from: string, to: string): void {
    throw systemError("EROFS", "rename", from, to);
  }

  link(from: string, to: string): void {
    throw systemError("EROFS", "link", from, to);
  }

  makeDirectory(path: string): void {
    throw systemError("EROFS", "makeDirectory", path);
  }

  removeDirectory(path: string): void {
    throw systemError("EROFS", "removeDirectory", path);
  }

  private existing(path: string, operation: string): TreeNode {
    const node = this.names.peekDurable(this.paths.intern(path));
    if (node === null) throw systemError("ENOENT", operation, path);
    return node;
  }

  private directory(path: string, operation: string): DirectoryNode {
    const node = this.existing(path, operation);
    if (node.kind !== "directory") throw systemError("ENOTDIR", operation, path);
    return node;
  }
}

class DurableFile extends PositionalFile {
  readonly path: string;
  private readonly node: FileNode;
  private readonly timers: DiskTimers;
  private closed = false;

  constructor(path: string, node: FileNode, timers: DiskTimers) {
    super();
    this.path = path;
    this.node = node;
    this.timers = timers;
  }

  protected override readOnce(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
  ): number {
    this.assertOpen("read");
    const moved = Math.min(length, this.node.mediaSize - position);
    if (moved <= 0) return 0;
    const unreadable = unreadableOffset(this.node, position, moved, true);
    if (unreadable !== null) throw systemError("EIO", "read", this.path, unreadable);
    this.node.readMedia(target, targetStart, moved, position);
    return moved;
  }

  protected override writeOnce(): number {
    this.assertOpen("write");
    throw readOnlyError("write", this.path);
  }

  override truncate(): void {
    this.assertOpen("truncate");
    throw readOnlyError("truncate", this.path);
  }

  override syncData(): void {
    this.assertOpen("syncData");
  }

  override syncDataLater(done: (error: Error | null) => void): void {
    this.timers.after(0, () => done(this.closed ? closedError("syncDataLater", this.path) : null));
  }

  override readLater(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void {
    this.timers.after(0, () => {
      let error: Error | null = null;
      let moved = 0;
      try {
        moved = this.read(target, targetStart, length, position);
      } catch (failure) {
        error = failure as Error;
      }
      done(error, moved);
    });
  }

  override size(): number {
    this.assertOpen("size");
    return this.node.mediaSize;
  }

  override close(): void {
    this.closed = true;
  }

  private assertOpen(operation: string): void {
    if (this.closed) throw closedError(operation, this.path);
  }
}

/** Names, kinds, sizes, bytes, and which names are the same file. Holes and zeros are the same. */
export function hashDurable(names: Namespace): string {
  const hash = new Trace();
  hashDirectory(hash, names.root, new Map());
  return hash.hash();
}

function hashDirectory(hash: Trace, directory: DirectoryNode, seen: Map<FileNode, number>): void {
  for (const name of [...directory.durable.keys()].sort()) {
    const node = directory.durable.get(name) as TreeNode;
    hash.text(node.kind, name);
    if (node.kind === "directory") {
      hashDirectory(hash, node, seen);
      hash.event(HASH_END, 0, 0, 0);
      continue;
    }
    const first = seen.get(node);
    hash.event(HASH_FILE, first ?? 0, node.mediaSize, 0);
    if (first !== undefined) continue;
    seen.set(node, seen.size + 1);
    hashContent(hash, node);
  }
}

function hashContent(hash: Trace, node: FileNode): void {
  const pages = pagesFor(node.mediaSize);
  for (let index = 0; index < pages; index++) {
    const page = node.mediaPage(index);
    const end = Math.min(PAGE_BYTES, node.mediaSize - index * PAGE_BYTES);
    const sum = page === null ? 0 : crc32(end === PAGE_BYTES ? page : page.subarray(0, end));
    if (page !== null && sum !== zerosChecksum(end)) hash.event(HASH_PAGE, index, sum, 0);
  }
}

/** CRC-32 of this many zeros. */
function zerosChecksum(length: number): number {
  return length === PAGE_BYTES ? ZERO_PAGE_CHECKSUM : crc32(ZERO_PAGE.subarray(0, length));
}

const HASH_FILE = 1;
const HASH_PAGE = 2;
const HASH_END = 3;
const ZERO_PAGE = new Uint8Array(PAGE_BYTES);
const ZERO_PAGE_CHECKSUM = crc32(ZERO_PAGE);
