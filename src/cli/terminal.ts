/**
 * The edge of the command line: the process, its streams, and the user's own files (never a store's: those go through
 * the engine). Promise: results go to standard output, everything else to standard error; a reader that goes away
 * (`| head`) ends the command quietly; a file that is written appears under its name only when it is whole.
 */
import {
  closeSync,
  createReadStream,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { createRequire } from "node:module";
import { resolve, sep } from "node:path";
import { StillwaterError } from "../platform/errors.js";
import { errnoOf, fileSystemError } from "../platform/node/errno.js";

/** Whoever read our output has gone. Not a failure. */
export class OutputClosed extends Error {}

/** Arguments behind the program's name. */
export function commandLine(): readonly string[] {
  return process.argv.slice(2);
}

/** Takes effect when the process ends by itself; nothing is cut short. */
export function setExitCode(code: number): void {
  process.exitCode = code;
}

/** Resolves at the first SIGINT or SIGTERM from now on; a second one ends the process as ever. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const names = ["SIGINT", "SIGTERM"] as const;
    const listener = (name: NodeJS.Signals): void => {
      for (const one of names) process.off(one, listener);
      resolve(name);
    };
    for (const name of names) process.on(name, listener);
  });
}

export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)("stillwater/package.json") as { version: string };
  return version;
}

/** Whether a person watches standard error. */
export function isWatched(): boolean {
  return process.stderr.isTTY === true;
}

/** Whether standard output is a terminal. */
export function showsOutput(): boolean {
  return process.stdout.isTTY === true;
}

/** A store's path as the engine wants it: "/" between parts, none at the end. */
export function storePath(given: string): string {
  const path = sep === "\\" ? given.replaceAll("\\", "/") : given;
  return path.length > 1 ? path.replace(/(?<=.)\/+$/, "") : path;
}

/** Whether `path` is `directory` or below it, by name. */
export function isWithin(directory: string, path: string): boolean {
  return `${resolve(path)}${sep}`.startsWith(`${resolve(directory)}${sep}`);
}

export function writeError(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Resolves when the chunk is out, so that a slow reader slows the command down. Rejects with `OutputClosed`. */
export function writeOutput(chunk: string | Uint8Array): Promise<void> {
  // The callback is told of every error; without a listener the stream would throw it as well.
  if (process.stdout.listenerCount("error") === 0) process.stdout.on("error", () => undefined);
  return new Promise((done, fail) => {
    process.stdout.write(chunk, (error) => {
      if (error === null || error === undefined) done();
      else if (errnoOf(error) === "EPIPE") fail(new OutputClosed("the reader of the output has gone"));
      else fail(fileSystemError(error, "write", "standard output"));
    });
  });
}

/** The bytes of a user's file, or of standard input for "-", in pieces. */
export async function* readInput(path: string): AsyncGenerator<Uint8Array, void, void> {
  const stream = path === "-" ? process.stdin : createReadStream(path);
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    throw fileSystemError(error, "read", inputName(path));
  } finally {
    stream.destroy();
  }
}

/** Standard input as it comes, for a program that talks to us until either side has enough; see `closeStandardInput`. */
export function readStandardInput(): AsyncIterable<Uint8Array> {
  return process.stdin;
}

/** An input that is still open would keep the process alive. */
export function closeStandardInput(): void {
  process.stdin.destroy();
}

export async function readWholeInput(path: string): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of readInput(path)) pieces.push(piece);
  return Buffer.concat(pieces);
}

export function inputName(path: string): string {
  return path === "-" ? "standard input" : path;
}

/** Bytes that `readInput` will give, or null when nobody knows. Throws `NOT_FOUND`. */
export function inputBytes(path: string): number | null {
  if (path === "-") return null;
  const stat = onFile("read", path, () => statSync(path));
  return stat.isFile() ? stat.size : null;
}

/** Where lines go: standard output or a file. */
export interface Output {
  write(text: string): Promise<void>;
  /** Everything is out, and durable where it is a file. */
  finish(): void;
  /** Leaves nothing behind, where that is possible. */
  abandon(): void;
}

/** Throws `EXISTS` when the file is there and `overwrite` is not set; "-" is standard output. */
export function createOutput(path: string, overwrite: boolean): Output {
  if (path === "-") return { write: writeOutput, finish: () => undefined, abandon: () => undefined };
  if (!overwrite && existsSync(path)) {
    throw new StillwaterError("EXISTS", `${path} exists already. Choose another name, or pass --force.`, {
      path,
    });
  }
  return new OutputFile(path);
}

class OutputFile implements Output {
  readonly #path: string;
  readonly #partial: string;
  readonly #descriptor: number;

  constructor(path: string) {
    this.#path = path;
    this.#partial = `${path}.partial`;
    this.#descriptor = onFile("create", this.#partial, () => openSync(this.#partial, "w"));
  }

  async write(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    onFile("write", this.#partial, () => {
      for (let at = 0; at < bytes.length; ) at += writeSync(this.#descriptor, bytes, at);
    });
  }

  finish(): void {
    onFile("write", this.#partial, () => {
      fsyncSync(this.#descriptor);
      closeSync(this.#descriptor);
      renameSync(this.#partial, this.#path);
    });
  }

  abandon(): void {
    onFile("remove", this.#partial, () => {
      closeSync(this.#descriptor);
      rmSync(this.#partial);
    });
  }
}

function onFile<Result>(operation: string, path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw fileSystemError(error, operation, path);
  }
}
