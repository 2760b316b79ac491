/**
 * The calls of `node:fs` that take several system calls: whole files, trees, temporary folders. Each is the sequence
 * that Node's own implementation makes, since that sequence is what a crash cuts: `writeFile` truncates, then writes,
 * and syncs only if asked to. Does not own: single system calls (`system-calls.ts`).
 */
import { constants, type Dirent } from "node:fs";
import { posix } from "node:path";
import {
  encoded,
  encodedName,
  type Options,
  toBytes,
  toDescriptor,
  toFlags,
  toLength,
  toMode,
  toOptions,
  toPath,
} from "./arguments.js";
import type { Operation } from "./operation.js";
import { direntOf } from "./stats.js";
import { encodingOf, SystemCalls } from "./system-calls.js";
import { argumentTypeError, isDirectoryError, nodeError } from "./system-error.js";
import type { Volume } from "./volume.js";

/** Node's promises write a file in parts of this size, its other forms as a whole. */
export const WRITE_CHUNK_BYTES = 512 * 1024;
const SUFFIX_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const SUFFIX_LENGTH = 6;

export class FileOperations extends SystemCalls {
  /** Uniform in [0, n); for the names of temporary folders. */
  readonly #below: (n: number) => number;

  constructor(volume: Volume, below: (n: number) => number) {
    super(volume);
    this.#below = below;
  }

  *readFile(file: unknown, options?: unknown): Operation<string | Buffer> {
    const { encoding, flag } = toOptions(options);
    const opened = typeof file !== "number";
    const fd = opened ? yield* this.open(file, flag ?? "r") : toDescriptor(file);
    const parts: Buffer[] = [];
    try {
      for (;;) {
        yield;
        const node = this.volume.nodeOf(fd, "read");
        const part = Buffer.alloc(Math.max(node.kind === "file" ? node.size : 0, 64) + 1);
        const count = this.volume.read(fd, part, 0, part.length, null);
        if (count === 0) break;
        parts.push(part.subarray(0, count));
        if (count < part.length) break;
      }
    } finally {
      if (opened) this.volume.close(fd);
    }
    return encoded(Buffer.concat(parts), encoding);
  }

  *writeFile(file: unknown, data: unknown, options?: unknown): Operation<undefined> {
    yield* this.#writeWhole(file, data, toOptions(options), "w");
  }

  *appendFile(file: unknown, data: unknown, options?: unknown): Operation<undefined> {
    yield* this.#writeWhole(file, data, toOptions(options), "a");
  }

  *copyFile(from: unknown, to: unknown, mode?: unknown): Operation<undefined> {
    const source = toPath(from, "src");
    const target = toPath(to, "dest");
    const exclusive = (toMode(mode, 0) & constants.COPYFILE_EXCL) !== 0;
    yield;
    try {
      yield* this.#copy(source, target, exclusive);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code?.startsWith("E") === true ? nodeError(code, "copyfile", source, target) : error;
    }
  }

  *truncate(path: unknown, length?: unknown): Operation<undefined> {
    const size = toLength(length, 0);
    if (typeof path === "number") return yield* this.ftruncate(path, size);
    const fd = yield* this.open(path, "r+");
    try {
      yield;
      this.volume.ftruncate(fd, size);
    } finally {
      this.volume.close(fd);
    }
    return undefined;
  }

  *mkdir(path: unknown, options?: unknown): Operation<string | undefined> {
    const text = toPath(path);
    const { recursive, mode } =
      typeof options === "object" && options !== null
        ? (options as Options)
        : { recursive: false, mode: options };
    const bits = toMode(mode, 0o777);
    yield;
    if (recursive === true) return yield* this.#makeWay(text, bits);
    this.volume.mkdir(text, bits);
    return undefined;
  }

  *mkdtemp(prefix: unknown, options?: unknown): Operation<string | Buffer> {
    const text = toPath(prefix, "prefix");
    const encoding = encodingOf(options);
    yield;
    for (;;) {
      let path = text;
      for (let i = 0; i < SUFFIX_LENGTH; i++) path += SUFFIX_LETTERS[this.#below(SUFFIX_LETTERS.length)];
      try {
        this.volume.mkdir(path, 0o700);
        return encodedName(path, encoding);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === undefined) throw error;
        if (code !== "EEXIST") throw nodeError(code, "mkdtemp", `${text}XXXXXX`);
      }
    }
  }

  *readdir(path: unknown, options?: unknown): Operation<(string | Buffer | Dirent)[]> {
    const text = toPath(path);
    const encoding = encodingOf(options);
    const { withFileTypes, recursive } = options === "buffer" ? ({} as Options) : toOptions(options);
    yield;
    const result: (string | Buffer | Dirent)[] = [];
    const queue: { readonly path: string; readonly prefix: string }[] = [{ path: text, prefix: "" }];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      for (const entry of this.volume.readdir("scandir", next.path)) {
        const name = encodedName(
          withFileTypes === true ? entry.name : `${next.prefix}${entry.name}`,
          encoding,
        );
        result.push(withFileTypes === true ? direntOf(entry, name, next.path) : name);
        if (recursive === true && entry.kind === "directory") {
          queue.push({ path: posix.join(next.path, entry.name), prefix: `${next.prefix}${entry.name}/` });
        }
      }
    }
    return result;
  }

  *rm(path: unknown, options?: unknown): Operation<undefined> {
    const text = toPath(path);
    const { force, recursive } = toOptions(options);
    yield;
    let isDirectory: boolean;
    try {
      isDirectory = this.volume.existing("lstat", text, false).kind === "directory";
    } catch (error) {
      if (force === true && (error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    if (!isDirectory) {
      yield;
      this.volume.unlink(text);
    } else if (recursive === true) {
      yield* this.#removeTree(text);
    } else {
      throw isDirectoryError("rm", text);
    }
  }

  *rmdir(path: unknown, options?: unknown): Operation<undefined> {
    const text = toPath(path);
    const { recursive } = toOptions(options);
    yield;
    if (recursive === true) yield* this.#removeTree(text);
    else this.volume.rmdir(text);
  }

  *cp(from: unknown, to: unknown, options?: unknown): Operation<undefined> {
    const source = toPath(from, "src");
    const target = toPath(to, "dest");
    const parsed = toOptions(options);
    if (typeof parsed["filter"] === "function" && parsed["filter"](source, target) === false) return;
    yield;
    const follows = parsed["dereference"] === true;
    const node = this.volume.existing(follows ? "stat" : "lstat", source, follows);
    const kind = this.volume.inodes.kind(node);
    if (kind === "directory") {
      if (parsed["recursive"] !== true) throw isDirectoryError("cp", source);
      yield* this.#makeWay(target, 0o777);
      for (const { name } of this.volume.readdir("opendir", source)) {
        yield* this.cp(posix.join(source, name), posix.join(target, name), parsed);
      }
      return;
    }
    const there = this.volume.find("lstat", target, false);
    if (there !== null && parsed["force"] === false) {
      if (parsed["errorOnExist"] === true) throw nodeError("EEXIST", "cp", target);
      return;
    }
    if (kind === "symlink") {
      if (there !== null) this.volume.unlink(target);
      this.volume.symlink(this.volume.readlink(source), target);
    } else {
      yield* this.copyFile(source, target, parsed["mode"]);
    }
  }

  *#writeWhole(file: unknown, data: unknown, options: Options, otherwise: string): Operation<void> {
    const bytes = toBytes(data, options["encoding"]);
    const { flush } = options;
    if (flush !== undefined && flush !== null && typeof flush !== "boolean") {
      throw argumentTypeError("flush", "of type boolean", flush);
    }
    const opened = typeof file !== "number";
    const fd = opened
      ? yield* this.open(file, options["flag"] ?? otherwise, options["mode"])
      : toDescriptor(file);
    const chunk = typeof options["chunkBytes"] === "number" ? options["chunkBytes"] : bytes.byteLength;
    try {
      for (let at = 0; at < bytes.byteLength; at += chunk) {
        yield;
        this.volume.write(fd, bytes, at, Math.min(chunk, bytes.byteLength - at), null);
      }
      if (flush === true) {
        yield;
        this.volume.fsync(fd);
      }
    } finally {
      if (opened) this.volume.close(fd);
    }
  }

  *#copy(source: string, target: string, exclusive: boolean): Operation<void> {
    const from = this.volume.open(source, toFlags("r"), 0);
    try {
      const node = this.volume.nodeOf(from, "read");
      const flags = constants.O_WRONLY | constants.O_CREAT | (exclusive ? constants.O_EXCL : 0);
      const mode = this.volume.inodes.of(node).mode & 0o7777;
      yield;
      const to = this.volume.open(target, flags, mode);
      try {
        if (this.volume.nodeOf(to, "write") === node) return;
        this.volume.ftruncate(to, 0);
        if (node.kind === "directory") {
          // As libuv does, which finds out only now and takes the copy back.
          this.volume.unlink(target);
          throw nodeError("EISDIR", "read");
        }
        const bytes = Buffer.alloc(node.size);
        yield;
        this.volume.read(from, bytes, 0, bytes.length, 0);
        this.volume.write(to, bytes, 0, bytes.length, 0);
        this.volume.chmod(this.volume.nodeOf(to, "fchmod"), mode, this.volume.pathOf(to));
      } finally {
        this.volume.close(to);
      }
    } finally {
      this.volume.close(from);
    }
  }

  /** All directories on the way, and the last one. Returns the first that had to be made. */
  *#makeWay(path: string, mode: number): Operation<string | undefined> {
    const missing: string[] = [];
    for (let at = path; ; at = posix.dirname(at)) {
      let node: { readonly kind: string } | null;
      try {
        node = this.volume.find("mkdir", at, true);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT" || posix.dirname(at) === at) {
          throw recoded(error, "mkdir", path);
        }
        node = null;
      }
      if (node?.kind === "directory") break;
      if (node !== null) throw nodeError(at === path ? "EEXIST" : "ENOTDIR", "mkdir", path);
      missing.unshift(at);
    }
    for (const directory of missing) {
      yield;
      this.#makeOnWay(directory, mode, path);
    }
    return missing[0];
  }

  #makeOnWay(directory: string, mode: number, path: string): void {
    try {
      // It may be there by now: "a/.." is, once "a" is.
      if (this.volume.find("mkdir", directory, true)?.kind !== "directory")
        this.volume.mkdir(directory, mode);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      // What has the name and is no directory is a link that leads nowhere.
      throw nodeError(code === "EEXIST" ? "ENOENT" : code, "mkdir", path);
    }
  }

  *#removeTree(path: string): Operation<void> {
    for (const { name, kind } of this.volume.readdir("scandir", path)) {
      const inner = posix.join(path, name);
      yield;
      if (kind === "directory") yield* this.#removeTree(inner);
      else this.volume.unlink(inner);
    }
    yield;
    this.volume.rmdir(path);
  }
}

function recoded(error: unknown, syscall: string, path: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error : nodeError(code, syscall, path);
}
