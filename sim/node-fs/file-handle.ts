/**
 * `FileHandle` of `fs.promises` over a simulated descriptor. An object of our own, since Node's is tied to a real
 * descriptor; it has the same methods and events. Does not own: what the calls do (`file-operations.ts`).
 */
import { EventEmitter } from "node:events";
import type { ReadStream, WriteStream } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import type { Options } from "./arguments.js";
import { FileOperations, WRITE_CHUNK_BYTES } from "./file-operations.js";
import type { Operation } from "./operation.js";

export interface HandleHost {
  readonly operations: FileOperations;
  promise<T>(operation: Operation<T>): Promise<T>;
  createReadStream(path: unknown, options: Options): ReadStream;
  createWriteStream(path: unknown, options: Options): WriteStream;
}

export class SimulatedFileHandle extends EventEmitter {
  readonly #host: HandleHost;
  #fd: number;
  #closing: Promise<void> | null = null;

  constructor(host: HandleHost, fd: number) {
    super();
    this.#host = host;
    this.#fd = fd;
  }

  get fd(): number {
    return this.#fd;
  }

  getAsyncId(): number {
    return -1;
  }

  appendFile(data: unknown, options?: unknown): Promise<void> {
    return this.writeFile(data, options);
  }

  chmod(mode: unknown): Promise<void> {
    return this.#call("fchmod", (operations, fd) => operations.fchmod(fd, mode));
  }

  chown(uid: unknown, gid: unknown): Promise<void> {
    return this.#call("fchown", (operations, fd) => operations.fchown(fd, uid, gid));
  }

  close(): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    if (this.#fd === -1) return Promise.resolve();
    const fd = this.#fd;
    this.#fd = -1;
    this.#closing = this.#host.promise(this.#host.operations.close(fd)).finally(() => {
      this.#closing = null;
      this.emit("close");
    });
    return this.#closing;
  }

  createReadStream(options: Options = {}): ReadStream {
    return this.#stream(this.#host.createReadStream("", { ...options, fd: this.#fd }), options);
  }

  createWriteStream(options: Options = {}): WriteStream {
    return this.#stream(this.#host.createWriteStream("", { ...options, fd: this.#fd }), options);
  }

  datasync(): Promise<void> {
    return this.#call("fdatasync", (operations, fd) => operations.fdatasync(fd));
  }

  async read(
    target?: unknown,
    offset?: unknown,
    length?: unknown,
    position?: unknown,
  ): Promise<{ bytesRead: number; buffer: unknown }> {
    if (!ArrayBuffer.isView(target)) {
      const options = (target ?? {}) as Options;
      const buffer = options["buffer"] ?? Buffer.alloc(16_384);
      return this.read(buffer, options["offset"], options["length"], options["position"]);
    }
    const call = (operations: FileOperations, fd: number) =>
      operations.read(fd, target, offset, length, position);
    return { bytesRead: await this.#call("read", call), buffer: target };
  }

  readFile(options?: unknown): Promise<string | Buffer> {
    return this.#call("read", (operations, fd) => operations.readFile(fd, options));
  }

  readLines(options: Options = {}): Interface {
    return createInterface({ input: this.createReadStream(options), crlfDelay: Number.POSITIVE_INFINITY });
  }

  async readv(buffers: unknown, position?: unknown): Promise<{ bytesRead: number; buffers: unknown }> {
    const bytesRead = await this.#call("read", (operations, fd) => operations.readv(fd, buffers, position));
    return { bytesRead, buffers };
  }

  stat(options?: unknown): Promise<unknown> {
    return this.#call("fstat", (operations, fd) => operations.fstat(fd, options));
  }

  sync(): Promise<void> {
    return this.#call("fsync", (operations, fd) => operations.fsync(fd));
  }

  truncate(length?: unknown): Promise<void> {
    return this.#call("ftruncate", (operations, fd) => operations.ftruncate(fd, length));
  }

  utimes(accessed: unknown, modified: unknown): Promise<void> {
    return this.#call("futime", (operations, fd) => operations.futimes(fd, accessed, modified));
  }

  async write(
    data: unknown,
    first?: unknown,
    second?: unknown,
    third?: unknown,
  ): Promise<{ bytesWritten: number; buffer: unknown }> {
    const call = (operations: FileOperations, fd: number) => operations.write(fd, data, first, second, third);
    return { bytesWritten: await this.#call("write", call), buffer: data };
  }

  async writeFile(data: unknown, options?: unknown): Promise<void> {
    const plain = typeof options === "string" ? { encoding: options } : ((options ?? {}) as Options);
    const whole = await gathered(data, plain["encoding"]);
    await this.#call("write", (operations, fd) =>
      operations.writeFile(fd, whole, { ...plain, chunkBytes: WRITE_CHUNK_BYTES }),
    );
  }

  async writev(buffers: unknown, position?: unknown): Promise<{ bytesWritten: number; buffers: unknown }> {
    const bytesWritten = await this.#call("write", (operations, fd) =>
      operations.writev(fd, buffers, position),
    );
    return { bytesWritten, buffers };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #call<T>(
    syscall: string,
    make: (operations: FileOperations, fd: number) => Operation<T>,
  ): Promise<T> {
    if (this.#fd === -1) {
      throw Object.assign(new Error("file closed"), { code: "EBADF", syscall });
    }
    return this.#host.promise(make(this.#host.operations, this.#fd));
  }

  /** A stream closes the descriptor itself, so that the handle must know. */
  #stream<T extends ReadStream | WriteStream>(stream: T, options: Options): T {
    (stream as EventEmitter).once("close", () => {
      if (options["autoClose"] === false || this.#fd === -1) return;
      this.#fd = -1;
      this.emit("close");
    });
    return stream;
  }
}

/** The data of a `writeFile` of promises, which may be a stream or any iterable of parts. */
export async function gathered(data: unknown, encoding: unknown): Promise<unknown> {
  const isIterable =
    typeof data === "object" &&
    data !== null &&
    !ArrayBuffer.isView(data) &&
    (Symbol.asyncIterator in data || Symbol.iterator in data);
  if (!isIterable) return data;
  const parts: Uint8Array[] = [];
  for await (const part of data as AsyncIterable<unknown>) {
    parts.push(
      typeof part === "string" ? Buffer.from(part, encoding as BufferEncoding) : (part as Uint8Array),
    );
  }
  return Buffer.concat(parts);
}
