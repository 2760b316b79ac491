/**
 * `node:fs` over a simulated disk, whole: the synchronous, callback and promise forms of every call, streams, file
 * handles. Each call is written once, as an operation (`operation.ts`); this file gives it its forms. The durability of
 * everything is that of the disk, the answers are those of Node on Linux (`test/sim/node-fs/conformance.test.ts`).
 * Refused: `watch`, `watchFile`, `openAsBlob`.
 */
import fs from "node:fs";
import { promisify } from "node:util";
import { type Options, toOptions, toPath } from "./arguments.js";
import { SimulatedDirectory } from "./directory.js";
import { gathered, type HandleHost, SimulatedFileHandle } from "./file-handle.js";
import { FileOperations, WRITE_CHUNK_BYTES } from "./file-operations.js";
import { type Operation, Pool, type Turn } from "./operation.js";
import type { Volume } from "./volume.js";

/** Taken now: later they may be our own. */
const { createReadStream, createWriteStream } = fs;

type Call = (...parameters: never[]) => Operation<unknown>;
type Loose = (...parameters: unknown[]) => unknown;
type Callback = (error: unknown, ...values: unknown[]) => void;

/** What a scenario or program gets in place of `node:fs`. */
export type SimulatedFS = typeof fs;

/** Whose turn it is, and which call is answered next. */
export interface NodeFSOptions {
  /** Gives a call in flight its next turn. */
  readonly turn: Turn;
  /** Which of several calls in flight makes its step; 0 is the oldest. */
  readonly pick: (choices: number) => number;
  /** Uniform in [0, n); for the names of temporary folders. */
  readonly below: (n: number) => number;
}

/** A `node:fs` on a simulated disk. */
export interface NodeFS {
  readonly fs: SimulatedFS;
  readonly pool: Pool;
}

/** Calls with a form each in `fs` (sync and callback) and, unless they take a descriptor, in `fs.promises`. */
const PATH_CALLS = [
  "access", "appendFile", "chmod", "chown", "copyFile", "cp", "lchown", "link", "lstat", "lutimes", "mkdir",
  "mkdtemp", "readdir", "readFile", "readlink", "realpath", "rename", "rm", "rmdir", "stat", "symlink", "truncate",
  "unlink", "utimes", "writeFile",
] as const; // biome-ignore format: a list of names
const DESCRIPTOR_CALLS = [
  "close", "fchmod", "fchown", "fdatasync", "fstat", "fsync", "ftruncate", "futimes", "open", "read", "readv",
  "write", "writev",
] as const; // biome-ignore format: a list of names

export function createNodeFS(volume: Volume, options: NodeFSOptions): NodeFS {
  const operations = new FileOperations(volume, options.below);
  const pool = new Pool(options.turn, options.pick);
  const forms: Record<string, unknown> = {
    ...pick(fs.constants, ["F_OK", "R_OK", "W_OK", "X_OK"]),
    ...pick(fs, ["constants", "Stats", "Dirent", "Dir", "ReadStream", "WriteStream"]),
    ...pick(fs, ["FileReadStream", "FileWriteStream", "_toUnixTimestamp"]),
  };
  for (const name of [...PATH_CALLS, ...DESCRIPTOR_CALLS]) {
    const call = (operations[name] as Call).bind(operations) as (
      ...parameters: unknown[]
    ) => Operation<unknown>;
    forms[`${name}Sync`] = (...parameters: unknown[]) => pool.run(call(...parameters));
    forms[name] = callbackForm(name, pool, call);
  }
  addSpecialForms(forms, operations, pool, options.turn);
  const simulated = forms as unknown as SimulatedFS; // the loops and functions here make every member of it
  addStreams(forms, simulated);
  forms["promises"] = promiseForms(operations, pool, simulated, options.turn);
  return { fs: simulated, pool };
}

/** In the form `name(...parameters, callback)`. Results of transfers come with their buffer. */
function callbackForm(
  name: string,
  pool: Pool,
  call: (...parameters: unknown[]) => Operation<unknown>,
): Loose {
  const buffered = ["read", "readv", "write", "writev"].includes(name);
  const form: Loose = (...given) => {
    const callback = given.findLast((value) => typeof value === "function") as Callback | undefined;
    if (callback === undefined) throw missingCallback(given.at(-1));
    let parameters = given.slice(0, given.lastIndexOf(callback));
    if (name === "read") parameters = readParameters(parameters);
    pool.start(call(...parameters), (error, value) => {
      if (error !== null) callback(error);
      else if (buffered) callback(null, value, parameters[1]);
      else if (value === undefined) callback(null);
      else callback(null, value);
    });
  };
  if (buffered) {
    const [count, what] = [
      name.startsWith("read") ? "bytesRead" : "bytesWritten",
      name.endsWith("v") ? "buffers" : "buffer",
    ];
    Object.defineProperty(form, promisify.custom, {
      value: (...parameters: unknown[]) =>
        new Promise((resolve, reject) => {
          form(...parameters, (error: unknown, value: unknown, buffer: unknown) =>
            error === null ? resolve({ [count]: value, [what]: buffer }) : reject(error),
          );
        }),
    });
  }
  return form;
}

/** `fs.read(fd, callback)`, `fs.read(fd, options, callback)`, `fs.read(fd, buffer, …, callback)`. */
function readParameters(parameters: unknown[]): unknown[] {
  const [fd, second] = parameters;
  if (ArrayBuffer.isView(second)) return parameters;
  const options = (second ?? {}) as Options;
  const buffer = options["buffer"] ?? Buffer.alloc(16_384);
  return [fd, buffer, options["offset"], options["length"], options["position"]];
}

function addSpecialForms(
  forms: Record<string, unknown>,
  operations: FileOperations,
  pool: Pool,
  turn: Turn,
): void {
  forms["existsSync"] = (path: unknown) => pool.run(operations.exists(path));
  const exists: Loose = (path, callback) =>
    pool.start(operations.exists(path), (_error, value) => (callback as (there: boolean) => void)(value));
  Object.defineProperty(exists, promisify.custom, {
    value: (path: unknown) => new Promise((resolve) => exists(path, resolve)),
  });
  forms["exists"] = exists;
  const opendir = (path: unknown) => openDirectory(operations.volume, path, turn);
  forms["opendirSync"] = (path: unknown) => pool.run(opendir(path));
  forms["opendir"] = callbackForm("opendir", pool, (path) => opendir(path));
  const realpath = forms["realpath"] as Loose & { native?: Loose };
  const realpathSync = forms["realpathSync"] as Loose & { native?: Loose };
  const native = (...given: unknown[]) => operations.realpathNative(given[0], given[1]);
  realpath.native = callbackForm("realpath", pool, native);
  realpathSync.native = (...given: unknown[]) => pool.run(native(...given));
  forms["statfsSync"] = () => ({ ...STATFS });
  forms["statfs"] = (...given: unknown[]) => turn(() => (given.at(-1) as Callback)(null, { ...STATFS }));
  forms["unwatchFile"] = () => undefined;
  for (const name of ["watch", "watchFile", "openAsBlob"]) forms[name] = refuse(name);
}

function addStreams(forms: Record<string, unknown>, simulated: SimulatedFS): void {
  const withOurs = (options: unknown): Options => ({ ...plainOptions(options), fs: simulated });
  type ReadOptions = Parameters<typeof fs.createReadStream>[1];
  type WriteOptions = Parameters<typeof fs.createWriteStream>[1];
  forms["createReadStream"] = (path: string, options?: unknown) =>
    createReadStream(path, withOurs(options) as ReadOptions);
  forms["createWriteStream"] = (path: string, options?: unknown) =>
    createWriteStream(path, withOurs(options) as WriteOptions);
}

function promiseForms(
  operations: FileOperations,
  pool: Pool,
  simulated: SimulatedFS,
  turn: Turn,
): Record<string, unknown> {
  const promise = <T>(operation: Operation<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      pool.start(operation, (error, value) => (error === null ? resolve(value) : reject(error)));
    });
  const host: HandleHost = {
    operations,
    promise,
    createReadStream: (path, options) => simulated.createReadStream(path as string, options),
    createWriteStream: (path, options) => simulated.createWriteStream(path as string, options),
  };
  const forms: Record<string, unknown> = { constants: fs.constants };
  for (const name of PATH_CALLS) {
    const call = (operations[name] as Call).bind(operations) as (
      ...parameters: unknown[]
    ) => Operation<unknown>;
    forms[name] = async (...parameters: unknown[]) => promise(call(...parameters.map(descriptorOf)));
  }
  for (const name of ["writeFile", "appendFile"] as const) {
    forms[name] = async (file: unknown, data: unknown, options?: unknown) => {
      const plain = plainOptions(options);
      aborted(plain);
      const whole = await gathered(data, plain["encoding"]);
      const parts = { ...plain, chunkBytes: WRITE_CHUNK_BYTES };
      await promise(operations[name](descriptorOf(file), whole, parts));
    };
  }
  forms["readFile"] = async (file: unknown, options?: unknown) => {
    aborted(plainOptions(options));
    return promise(operations.readFile(descriptorOf(file), options));
  };
  forms["realpath"] = async (...given: unknown[]) => promise(operations.realpathNative(given[0], given[1]));
  forms["open"] = async (path: unknown, flags?: unknown, mode?: unknown) =>
    new SimulatedFileHandle(host, await promise(operations.open(path, flags, mode)));
  forms["opendir"] = async (path: unknown) => promise(openDirectory(operations.volume, path, turn));
  forms["statfs"] = async () => ({ ...STATFS });
  forms["watch"] = refuse("watch");
  return forms;
}

function* openDirectory(volume: Volume, path: unknown, turn: Turn): Operation<SimulatedDirectory> {
  const text = toPath(path);
  yield;
  return new SimulatedDirectory(text, volume.readdir("opendir", text), turn);
}

/** A terabyte, half of it free. */
const STATFS = {
  type: 0x5357,
  bsize: 4096,
  blocks: 2 ** 28,
  bfree: 2 ** 27,
  bavail: 2 ** 27,
  files: 2 ** 24,
  ffree: 2 ** 23,
};

function refuse(name: string): Loose {
  return () => {
    const message = `fs.${name} is not simulated: a simulated disk tells nobody of changes. Switch it off in the program.`;
    throw Object.assign(new Error(message), { code: "ERR_FEATURE_UNAVAILABLE_ON_PLATFORM" });
  };
}

function plainOptions(options: unknown): Options {
  return typeof options === "string" ? { encoding: options } : toOptions(options);
}

function aborted(options: Options): void {
  const { signal } = options;
  if (!(signal instanceof AbortSignal) || !signal.aborted) return;
  const error = new Error("The operation was aborted", { cause: signal.reason });
  error.name = "AbortError";
  throw Object.assign(error, { code: "ABORT_ERR" });
}

/** A file handle stands for its descriptor. */
function descriptorOf(value: unknown): unknown {
  return value instanceof SimulatedFileHandle ? value.fd : value;
}

function missingCallback(value: unknown): TypeError {
  const message = `The "cb" argument must be of type function. Received ${value === undefined ? "undefined" : `type ${typeof value}`}`;
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}

function pick(from: object, names: readonly string[]): Record<string, unknown> {
  const values = from as Readonly<Record<string, unknown>>;
  return Object.fromEntries(names.map((name) => [name, values[name]]));
}
