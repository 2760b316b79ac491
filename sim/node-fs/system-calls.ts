/**
 * The calls of `node:fs` that are one system call, each as an operation (`operation.ts`): arguments in Node's forms,
 * then the call on the volume. Those that take several are in `file-operations.ts`. Not there on purpose: `watch` and
 * `watchFile` (nothing tells of changes), `openAsBlob`.
 */
import { constants, type Stats } from "node:fs";
import type { TreeNode } from "../disk/name-log.js";
import {
  encodedName,
  type Options,
  toBytes,
  toDescriptor,
  toFlags,
  toLength,
  toMode,
  toOptions,
  toPath,
  toPosition,
  toRange,
  toTimeMs,
  toViews,
  viewOf,
} from "./arguments.js";
import type { Operation } from "./operation.js";
import { statsOf } from "./stats.js";
import { argumentTypeError } from "./system-error.js";
import type { Volume } from "./volume.js";

export class SystemCalls {
  readonly volume: Volume;

  constructor(volume: Volume) {
    this.volume = volume;
  }

  *access(path: unknown, mode?: unknown): Operation<undefined> {
    const text = toPath(path);
    const wanted = toMode(mode, constants.F_OK);
    yield;
    this.volume.access(text, wanted);
  }

  *chmod(path: unknown, mode: unknown): Operation<undefined> {
    const text = toPath(path);
    const bits = toMode(mode, 0);
    yield;
    this.volume.chmod(this.volume.existing("chmod", text, true), bits, this.volume.absolute(text));
  }

  *chown(path: unknown, uid: unknown, gid: unknown): Operation<undefined> {
    const text = toPath(path);
    yield;
    this.#own(this.volume.existing("chown", text, true), uid, gid);
  }

  *lchown(path: unknown, uid: unknown, gid: unknown): Operation<undefined> {
    const text = toPath(path);
    yield;
    this.#own(this.volume.existing("lchown", text, false), uid, gid);
  }

  *close(fd: unknown): Operation<undefined> {
    const number = toDescriptor(fd);
    yield;
    this.volume.close(number);
  }

  *fchmod(fd: unknown, mode: unknown): Operation<undefined> {
    const number = toDescriptor(fd);
    const bits = toMode(mode, 0);
    yield;
    const node = this.volume.nodeOf(number, "fchmod");
    this.volume.chmod(node, bits, this.volume.pathOf(number));
  }

  *fchown(fd: unknown, uid: unknown, gid: unknown): Operation<undefined> {
    const number = toDescriptor(fd);
    yield;
    this.#own(this.volume.nodeOf(number, "fchown"), uid, gid);
  }

  *fdatasync(fd: unknown): Operation<undefined> {
    const number = toDescriptor(fd);
    yield;
    this.volume.fdatasync(number);
  }

  *fsync(fd: unknown): Operation<undefined> {
    const number = toDescriptor(fd);
    yield;
    this.volume.fsync(number);
  }

  *fstat(fd: unknown, options?: unknown): Operation<Stats> {
    const number = toDescriptor(fd);
    const { bigint } = toOptions(options);
    yield;
    return this.#stats(this.volume.nodeOf(number, "fstat"), bigint);
  }

  *ftruncate(fd: unknown, length?: unknown): Operation<undefined> {
    const number = toDescriptor(fd);
    const size = toLength(length, 0);
    yield;
    this.volume.ftruncate(number, size);
  }

  *futimes(fd: unknown, accessed: unknown, modified: unknown): Operation<undefined> {
    const number = toDescriptor(fd);
    const times = [toTimeMs(accessed), toTimeMs(modified)] as const;
    yield;
    this.#setTimes(this.volume.nodeOf(number, "futime"), times);
  }

  *utimes(path: unknown, accessed: unknown, modified: unknown): Operation<undefined> {
    const text = toPath(path);
    const times = [toTimeMs(accessed), toTimeMs(modified)] as const;
    yield;
    this.#setTimes(this.volume.existing("utime", text, true), times);
  }

  *lutimes(path: unknown, accessed: unknown, modified: unknown): Operation<undefined> {
    const text = toPath(path);
    const times = [toTimeMs(accessed), toTimeMs(modified)] as const;
    yield;
    this.#setTimes(this.volume.existing("lutime", text, false), times);
  }

  *link(from: unknown, to: unknown): Operation<undefined> {
    const source = toPath(from, "existingPath");
    const target = toPath(to, "newPath");
    yield;
    this.volume.link(source, target);
  }

  *stat(path: unknown, options?: unknown): Operation<Stats | undefined> {
    return yield* this.#statPath("stat", path, options, true);
  }

  *lstat(path: unknown, options?: unknown): Operation<Stats | undefined> {
    return yield* this.#statPath("lstat", path, options, false);
  }

  *open(path: unknown, flags?: unknown, mode?: unknown): Operation<number> {
    const text = toPath(path);
    const wanted = toFlags(flags);
    const bits = toMode(mode, 0o666);
    yield;
    return this.volume.open(text, wanted, bits);
  }

  *read(
    fd: unknown,
    buffer?: unknown,
    offset?: unknown,
    length?: unknown,
    position?: unknown,
  ): Operation<number> {
    const number = toDescriptor(fd);
    const view = viewOf(buffer);
    const range = toRange(view, offset, length, position);
    yield;
    if (range.length === 0) return 0;
    return this.volume.read(number, view, range.offset, range.length, range.position);
  }

  *readv(fd: unknown, buffers: unknown, position?: unknown): Operation<number> {
    const number = toDescriptor(fd);
    const views = toViews(buffers);
    const start = toPosition(position);
    yield;
    let total = 0;
    for (const view of views) {
      const at = start === null ? null : start + total;
      const count = view.byteLength === 0 ? 0 : this.volume.read(number, view, 0, view.byteLength, at);
      total += count;
      if (count < view.byteLength) break;
    }
    return total;
  }

  *write(fd: unknown, data: unknown, first?: unknown, second?: unknown, third?: unknown): Operation<number> {
    const number = toDescriptor(fd);
    if (typeof data === "string") {
      const bytes = toBytes(data, second, "buffer");
      const position = toPosition(first);
      yield;
      return this.volume.write(number, bytes, 0, bytes.byteLength, position);
    }
    const view = viewOf(data, "buffer", "of type string or an instance of Buffer, TypedArray, or DataView");
    const range = toRange(view, first, second, third);
    yield;
    return this.volume.write(number, view, range.offset, range.length, range.position);
  }

  /** One system call, and so one step: the bytes of all buffers arrive together. */
  *writev(fd: unknown, buffers: unknown, position?: unknown): Operation<number> {
    const number = toDescriptor(fd);
    const bytes = Buffer.concat(toViews(buffers));
    const at = toPosition(position);
    yield;
    return this.volume.write(number, bytes, 0, bytes.byteLength, at);
  }

  *readlink(path: unknown, options?: unknown): Operation<string | Buffer> {
    const text = toPath(path);
    const encoding = encodingOf(options);
    yield;
    return encodedName(this.volume.readlink(text), encoding);
  }

  *realpath(path: unknown, options?: unknown): Operation<string | Buffer> {
    const text = toPath(path);
    const encoding = encodingOf(options);
    yield;
    return encodedName(this.volume.canonical("lstat", text), encoding);
  }

  /** As the one system call that `realpath.native` and the promise form make. */
  *realpathNative(path: unknown, options?: unknown): Operation<string | Buffer> {
    const text = toPath(path);
    const encoding = encodingOf(options);
    yield;
    return encodedName(this.volume.canonical("realpath", text), encoding);
  }

  *rename(from: unknown, to: unknown): Operation<undefined> {
    const source = toPath(from, "oldPath");
    const target = toPath(to, "newPath");
    yield;
    this.volume.rename(source, target);
  }

  *symlink(target: unknown, path: unknown): Operation<undefined> {
    const text = toPath(target, "target");
    const place = toPath(path);
    yield;
    this.volume.symlink(text, place);
  }

  *unlink(path: unknown): Operation<undefined> {
    const text = toPath(path);
    yield;
    this.volume.unlink(text);
  }

  *exists(path: unknown): Operation<boolean> {
    yield;
    try {
      this.volume.access(toPath(path), constants.F_OK);
      return true;
    } catch (error) {
      if (error instanceof Error && "code" in error) return false;
      throw error;
    }
  }

  *#statPath(
    syscall: "stat" | "lstat",
    path: unknown,
    options: unknown,
    follows: boolean,
  ): Operation<Stats | undefined> {
    const text = toPath(path);
    const { bigint, throwIfNoEntry } = toOptions(options);
    yield;
    try {
      return this.#stats(this.volume.existing(syscall, text, follows), bigint);
    } catch (error) {
      if (throwIfNoEntry === false && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  #stats(node: TreeNode, big: unknown): Stats {
    return statsOf(node, this.volume.inodes, big === true) as Stats; // or BigIntStats, as the caller asked
  }

  #own(node: TreeNode, uid: unknown, gid: unknown): void {
    if (typeof uid !== "number") throw argumentTypeError("uid", "of type number", uid);
    if (typeof gid !== "number") throw argumentTypeError("gid", "of type number", gid);
    const inode = this.volume.inodes.of(node);
    if (uid >= 0) inode.uid = uid;
    if (gid >= 0) inode.gid = gid;
    this.volume.inodes.touchStatus(node);
  }

  #setTimes(node: TreeNode, [accessed, modified]: readonly [number, number]): void {
    const inode = this.volume.inodes.of(node);
    inode.accessedMs = accessed;
    inode.modifiedMs = modified;
    this.volume.inodes.touchStatus(node);
  }
}

/** Of an options argument that may be the encoding itself; "buffer" stays. */
export function encodingOf(options: unknown): unknown {
  if (options === "buffer") return "buffer";
  const parsed: Options = toOptions(options);
  return parsed["encoding"];
}
