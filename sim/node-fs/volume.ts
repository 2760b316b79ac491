/**
 * The system calls of one simulated process over its simulated disk: POSIX as Linux answers, with errors in Node's
 * form. Every change goes through the `VFS` of the disk, which owns what of it survives a crash; this file adds what
 * the engine never needed: descriptors with a cursor, open flags, symbolic links, modes and times.
 *
 * Promises: without faults the answers, error codes included, are those of Linux for a process with all rights (a
 * test compares); after the process has been crashed every call throws `SimulatedCrash`. Permission bits are kept and
 * shown, but only `access` looks at them. Does not own: argument forms of `node:fs` (`operations.ts`).
 */
import { constants } from "node:fs";
import { assert } from "../../src/platform/assert.js";
import type { VFS } from "../../src/platform/vfs.js";
import type { FileNode } from "../disk/file-node.js";
import type { DirectoryNode, TreeNode } from "../disk/name-log.js";
import { type Descriptor, Descriptors, type FileDescriptor } from "./descriptors.js";
import type { InodeKind, Inodes } from "./inodes.js";
import { PathWalk, type Spot } from "./path-walk.js";
import { nodeError, toNodeError } from "./system-error.js";

const { O_ACCMODE, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC } = {
  O_ACCMODE: 3,
  ...constants,
};

/** One call that may have changed something, for whoever records a process. Paths are absolute. */
export interface VolumeStep {
  readonly call: VolumeCall;
  readonly parameters: readonly (string | number | Uint8Array | null)[];
  /** What it is about, for people: the path, or both. */
  readonly path: string;
  /** Whether it changed the tree, bytes or what is durable; opening a file for reading does not. */
  readonly changes: boolean;
}

export type VolumeCall =
  | "open"
  | "close"
  | "write"
  | "ftruncate"
  | "fsync"
  | "fdatasync"
  | "mkdir"
  | "rmdir"
  | "unlink"
  | "rename"
  | "link"
  | "symlink"
  | "chmod";

export interface DirectoryEntry {
  readonly name: string;
  readonly kind: InodeKind;
}

export interface VolumeOptions {
  readonly vfs: VFS;
  readonly root: DirectoryNode;
  readonly inodes: Inodes;
  /** The working directory of the process. */
  readonly cwd: () => string;
}

export class Volume {
  readonly inodes: Inodes;
  readonly walker: PathWalk;
  /** Hears of each call that succeeded and may have changed something. */
  onStep: ((step: VolumeStep) => void) | null = null;
  readonly #vfs: VFS;
  readonly #cwd: () => string;
  readonly #descriptors = new Descriptors();

  constructor(options: VolumeOptions) {
    this.#vfs = options.vfs;
    this.#cwd = options.cwd;
    this.inodes = options.inodes;
    this.walker = new PathWalk(options.root, options.inodes);
  }

  /** The absolute path of a text; parts such as ".." stay, since they depend on links. */
  absolute(path: string): string {
    return path === "" || path.startsWith("/") ? path : `${this.#cwd()}/${path}`;
  }

  open(path: string, flags: number, mode: number): number {
    const exclusive = (flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0;
    const spot = this.#walk("open", path, !exclusive && (flags & O_NOFOLLOW) === 0);
    if (spot.directoryOnly && (flags & O_CREAT) !== 0) throw nodeError("EISDIR", "open", path);
    const created = spot.node === null;
    const descriptor = this.#attempt("open", path, () =>
      created ? this.#create(spot, path, flags, mode) : this.#openExisting(spot, path, flags),
    );
    const fd = this.#descriptors.add(descriptor);
    const changes = created || (flags & O_TRUNC) !== 0;
    this.#tell("open", [this.absolute(path), flags, mode, fd], spot.canonical, changes);
    return fd;
  }

  close(fd: number): void {
    const descriptor = this.#descriptor(fd, "close");
    this.#descriptors.remove(fd);
    if (descriptor.kind === "file") this.#attempt("close", undefined, () => descriptor.file.close());
    this.#tell("close", [fd], descriptor.path, false);
  }

  /** `position` null reads at the cursor and moves it. */
  read(fd: number, target: Uint8Array, offset: number, length: number, position: number | null): number {
    const descriptor = this.#file(fd, "read", "EISDIR");
    if (!descriptor.readable) throw nodeError("EBADF", "read");
    const at = position ?? descriptor.position;
    const count = this.#attempt("read", undefined, () => descriptor.file.read(target, offset, length, at));
    if (position === null) descriptor.position += count;
    return count;
  }

  write(fd: number, source: Uint8Array, offset: number, length: number, position: number | null): number {
    const descriptor = this.#file(fd, "write", "EBADF");
    if (!descriptor.writable) throw nodeError("EBADF", "write");
    const at = descriptor.appends ? descriptor.node.size : (position ?? descriptor.position);
    if (length > 0) {
      this.#attempt("write", undefined, () => descriptor.file.write(source, offset, length, at));
      this.inodes.touch(descriptor.node);
    }
    if (position === null || descriptor.appends) descriptor.position = at + length;
    if (this.onStep !== null && length > 0) {
      const bytes = source.slice(offset, offset + length);
      this.#tell("write", [fd, bytes, at], descriptor.path, true);
    }
    return length;
  }

  ftruncate(fd: number, size: number): void {
    const descriptor = this.#file(fd, "ftruncate", "EINVAL");
    if (!descriptor.writable) throw nodeError("EINVAL", "ftruncate");
    const length = Math.max(0, size);
    this.#attempt("ftruncate", undefined, () => descriptor.file.truncate(length));
    this.inodes.touch(descriptor.node);
    this.#tell("ftruncate", [fd, length], descriptor.path, true);
  }

  fsync(fd: number): void {
    this.#sync("fsync", fd);
  }

  fdatasync(fd: number): void {
    this.#sync("fdatasync", fd);
  }

  /** The node, or null when the last part is missing. */
  find(syscall: string, path: string, follows: boolean): TreeNode | null {
    const spot = this.#walk(syscall, path, follows);
    this.#needDirectory(syscall, path, spot);
    return spot.node;
  }

  existing(syscall: string, path: string, follows: boolean): TreeNode {
    const node = this.find(syscall, path, follows);
    if (node === null) throw nodeError("ENOENT", syscall, path);
    return node;
  }

  nodeOf(fd: number, syscall: string): TreeNode {
    return this.#descriptor(fd, syscall).node;
  }

  /** The path by which a descriptor was opened, without links. */
  pathOf(fd: number): string {
    return this.#descriptor(fd, "fstat").path;
  }

  /** Without links, "." and "..". */
  canonical(syscall: string, path: string): string {
    const spot = this.#walk(syscall, path, true);
    if (spot.node === null) throw nodeError("ENOENT", syscall, path);
    this.#needDirectory(syscall, path, spot);
    return spot.canonical;
  }

  /** In order of names. `syscall` is scandir or opendir. */
  readdir(syscall: string, path: string): DirectoryEntry[] {
    const spot = this.#walk(syscall, path, true);
    const { node } = spot;
    if (node === null) throw nodeError("ENOENT", syscall, path);
    if (node.kind !== "directory") throw nodeError("ENOTDIR", syscall, path);
    this.walker.onEnter?.(node, spot.canonical);
    const names = this.#attempt(syscall, path, () => this.#vfs.list(spot.canonical));
    return names.map((name) => {
      const entry = node.entries.get(name);
      assert(entry !== undefined, "a listed name is there");
      return { name, kind: this.inodes.kind(entry) };
    });
  }

  mkdir(path: string, mode: number): void {
    const spot = this.#walk("mkdir", path, false);
    if (spot.node !== null || spot.parent === null) throw nodeError("EEXIST", "mkdir", path);
    const { parent, name } = spot;
    this.#attempt("mkdir", path, () => this.#vfs.makeDirectory(spot.canonical));
    this.inodes.describe(entryOf(parent, name), mode);
    this.inodes.touch(parent);
    this.#tell("mkdir", [this.absolute(path), mode], spot.canonical, true);
  }

  rmdir(path: string): void {
    const spot = this.#walk("rmdir", path, false);
    if (spot.node === null) throw nodeError("ENOENT", "rmdir", path);
    if (spot.node.kind !== "directory") throw nodeError("ENOTDIR", "rmdir", path);
    if (path === "." || path.endsWith("/.")) throw nodeError("EINVAL", "rmdir", path);
    this.walker.onEnter?.(spot.node, spot.canonical);
    this.#attempt("rmdir", path, () => this.#vfs.removeDirectory(spot.canonical));
    if (spot.parent !== null) this.inodes.touch(spot.parent);
    this.#tell("rmdir", [this.absolute(path)], spot.canonical, true);
  }

  unlink(path: string): void {
    const spot = this.#walk("unlink", path, false);
    if (spot.node === null) throw nodeError("ENOENT", "unlink", path);
    this.#needDirectory("unlink", path, spot);
    if (spot.node.kind !== "file") throw nodeError("EISDIR", "unlink", path);
    this.#attempt("unlink", path, () => this.#vfs.removeFile(spot.canonical));
    this.inodes.touchStatus(spot.node);
    if (spot.parent !== null) this.inodes.touch(spot.parent);
    this.#tell("unlink", [this.absolute(path)], spot.canonical, true);
  }

  rename(from: string, to: string): void {
    const source = this.#walk("rename", from, false, to);
    const target = this.#walk("rename", to, false, from, true);
    if (source.node !== null && target.node?.kind === "directory") {
      this.walker.onEnter?.(target.node, target.canonical);
    }
    if (source.parent === null || target.parent === null) throw nodeError("EBUSY", "rename", from, to);
    if (source.node === null) throw nodeError("ENOENT", "rename", from, to);
    if (source.node.kind === "file" && source.directoryOnly) throw nodeError("ENOTDIR", "rename", from, to);
    const end = target.directoryOnly ? "/" : "";
    this.#attempt("rename", from, () => this.#vfs.rename(source.canonical, `${target.canonical}${end}`), to);
    this.inodes.touch(source.parent);
    this.inodes.touch(target.parent);
    this.inodes.touchStatus(source.node);
    const about = `${source.canonical} -> ${target.canonical}`;
    this.#tell("rename", [this.absolute(from), this.absolute(to)], about, true);
  }

  link(from: string, to: string): void {
    const source = this.#walk("link", from, false, to);
    if (source.node === null) throw nodeError("ENOENT", "link", from, to);
    if (source.node.kind === "file" && source.directoryOnly) throw nodeError("ENOTDIR", "link", from, to);
    const target = this.#walk("link", to, false, from, true);
    if (target.node !== null || target.parent === null) throw nodeError("EEXIST", "link", from, to);
    if (target.directoryOnly) throw nodeError("ENOENT", "link", from, to);
    if (source.node.kind !== "file") throw nodeError("EPERM", "link", from, to);
    this.#attempt("link", from, () => this.#vfs.link(source.canonical, target.canonical), to);
    this.inodes.touchStatus(source.node);
    this.inodes.touch(target.parent);
    const about = `${source.canonical} -> ${target.canonical}`;
    this.#tell("link", [this.absolute(from), this.absolute(to)], about, true);
  }

  /** The text of a link is kept with its name: both come to be, and survive, together. */
  symlink(target: string, path: string): void {
    const spot = this.#walk("symlink", path, false, target, true);
    if (spot.node !== null || spot.parent === null) throw nodeError("EEXIST", "symlink", target, path);
    if (target === "" || spot.directoryOnly) throw nodeError("ENOENT", "symlink", target, path);
    this.#attempt("symlink", target, () => this.#vfs.createFile(spot.canonical).close(), path);
    this.inodes.describe(entryOf(spot.parent, spot.name), 0o777, target);
    this.inodes.touch(spot.parent);
    this.#tell("symlink", [target, this.absolute(path)], spot.canonical, true);
  }

  readlink(path: string): string {
    const { target } = this.inodes.of(this.existing("readlink", path, false));
    if (target === null) throw nodeError("EINVAL", "readlink", path);
    return target;
  }

  access(path: string, mode: number): void {
    const node = this.existing("access", path, true);
    const executable = (this.inodes.of(node).mode & 0o111) !== 0;
    // A process with all rights may read and write everything, but run only what somebody may run.
    if ((mode & constants.X_OK) !== 0 && !executable) throw nodeError("EACCES", "access", path);
  }

  chmod(node: TreeNode, mode: number, path: string): void {
    const inode = this.inodes.of(node);
    inode.mode = (inode.mode & ~0o7777) | (mode & 0o7777);
    this.inodes.touchStatus(node);
    this.#tell("chmod", [path, mode], path, false);
  }

  #create(spot: Spot, path: string, flags: number, mode: number): Descriptor {
    if ((flags & O_CREAT) === 0) throw nodeError("ENOENT", "open", path);
    const { parent, name, canonical } = spot;
    if (parent === null) throw nodeError("EISDIR", "open", path);
    const file = this.#vfs.createFile(canonical);
    const node = entryOf(parent, name) as FileNode; // createFile made a file
    this.inodes.describe(node, mode);
    this.inodes.touch(parent);
    return this.#descriptors.ofFile(file, node, canonical, flags);
  }

  #openExisting(spot: Spot, path: string, flags: number): Descriptor {
    const node = spot.node as TreeNode; // the caller has looked
    if ((flags & O_CREAT) !== 0 && (flags & O_EXCL) !== 0) throw nodeError("EEXIST", "open", path);
    if (node.kind === "directory") {
      const reads = (flags & O_ACCMODE) === O_RDONLY && (flags & O_CREAT) === 0;
      if (!reads) throw nodeError("EISDIR", "open", path);
      return { kind: "directory", node, path: spot.canonical };
    }
    if (this.inodes.of(node).target !== null) {
      throw nodeError((flags & O_DIRECTORY) !== 0 ? "ENOTDIR" : "ELOOP", "open", path);
    }
    if (spot.directoryOnly || (flags & O_DIRECTORY) !== 0) throw nodeError("ENOTDIR", "open", path);
    const file = this.#vfs.openFile(spot.canonical, "readWrite");
    if ((flags & O_TRUNC) !== 0 && node.size > 0) {
      file.truncate(0);
      this.inodes.touch(node);
    }
    return this.#descriptors.ofFile(file, node, spot.canonical, flags);
  }

  #sync(call: "fsync" | "fdatasync", fd: number): void {
    const descriptor = this.#descriptor(fd, call);
    if (descriptor.kind === "file") {
      this.#attempt(call, undefined, () => descriptor.file.syncData());
    } else {
      // By where it is now: it may have been renamed since it was opened. One that is gone has nothing to sync.
      const path = currentPath(descriptor.node, this.walker.root);
      if (path !== null) this.#attempt(call, undefined, () => this.#vfs.syncDirectory(path));
    }
    this.#tell(call, [fd], descriptor.path, true);
  }

  #walk(syscall: string, path: string, follows: boolean, other?: string, isSecond = false): Spot {
    const spot = path === "" ? "ENOENT" : this.walker.walk(this.absolute(path), follows);
    if (typeof spot !== "string") return spot;
    throw isSecond ? nodeError(spot, syscall, other, path) : nodeError(spot, syscall, path, other);
  }

  #needDirectory(syscall: string, path: string, spot: Spot): void {
    if (spot.directoryOnly && spot.node?.kind === "file") throw nodeError("ENOTDIR", syscall, path);
  }

  #descriptor(fd: number, syscall: string): Descriptor {
    const descriptor = this.#descriptors.get(fd);
    if (descriptor === undefined) throw nodeError("EBADF", syscall);
    return descriptor;
  }

  #file(fd: number, syscall: string, otherwise: string): FileDescriptor {
    const descriptor = this.#descriptor(fd, syscall);
    if (descriptor.kind !== "file") throw nodeError(otherwise, syscall);
    return descriptor;
  }

  #attempt<T>(syscall: string, path: string | undefined, call: () => T, dest?: string): T {
    try {
      return call();
    } catch (error) {
      throw toNodeError(error, syscall, path, dest);
    }
  }

  #tell(call: VolumeCall, parameters: VolumeStep["parameters"], path: string, changes: boolean): void {
    this.onStep?.({ call, parameters, path, changes });
  }
}

function entryOf(directory: DirectoryNode, name: string): TreeNode {
  const node = directory.entries.get(name);
  assert(node !== undefined, "what was just made is there");
  return node;
}

function currentPath(directory: DirectoryNode, root: DirectoryNode): string | null {
  const names: string[] = [];
  for (let at = directory; at !== root; ) {
    const { parent } = at;
    if (parent === null) return null;
    const entry = [...parent.entries].find(([, node]) => node === at);
    if (entry === undefined) return null;
    names.unshift(entry[0]);
    at = parent;
  }
  return `/${names.join("/")}`;
}
