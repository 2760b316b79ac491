/**
 * Errors exactly as `node:fs` gives them: `code`, negative `errno`, `syscall`, `path`, `dest`, and the message in
 * libuv's form. Owns the form; which call fails with what is `volume.ts`.
 */
import { getSystemErrorMap } from "node:util";
import { StillwaterError } from "../../src/platform/errors.js";
import { errnoOf } from "../../src/platform/node/errno.js";

const KNOWN: ReadonlyMap<string, { readonly errno: number; readonly text: string }> = new Map(
  [...getSystemErrorMap()].map(([errno, [code, text]]) => [code, { errno, text }]),
);

/** `remark` goes behind the message, for what Node itself cannot know. */
export function nodeError(
  code: string,
  syscall: string,
  path?: string,
  dest?: string,
  remark?: string,
): NodeJS.ErrnoException {
  const { errno, text } = KNOWN.get(code) ?? { errno: -5, text: "unknown error" };
  const place = path === undefined ? "" : dest === undefined ? ` '${path}'` : ` '${path}' -> '${dest}'`;
  const error = new Error(
    `${code}: ${text}, ${syscall}${place}${remark === undefined ? "" : ` (${remark})`}`,
  );
  return Object.assign(
    error,
    { errno, code, syscall },
    path === undefined ? {} : { path },
    dest === undefined ? {} : { dest },
  );
}

/** Gives an error of the simulated disk Node's form; anything else, such as the end of the life, passes unchanged. */
export function toNodeError(error: unknown, syscall: string, path?: string, dest?: string): unknown {
  if (!(error instanceof StillwaterError)) return error;
  const code =
    error.code === "CLOSED" ? "EBADF" : error.code === "READ_ONLY" ? "EBADF" : errnoOf(error.cause);
  return nodeError(code === "" ? "EIO" : code, syscall, path, dest);
}

/** `ERR_FS_EISDIR`, which `rm` and `cp` give for a directory without `recursive`. */
export function isDirectoryError(syscall: "rm" | "cp", path: string): Error {
  const [text, errno] =
    syscall === "rm" ? ["is a directory", 21] : [`${path} is a directory (not copied)`, 22];
  const error = new Error(
    `Path is a directory: ${syscall} returned EISDIR (${text})${syscall === "rm" ? ` ${path}` : ""}`,
  );
  const info = { code: "EISDIR", message: text, path, syscall, errno };
  error.name = "SystemError";
  return Object.assign(error, { code: "ERR_FS_EISDIR", info, errno, syscall, path });
}

export function argumentTypeError(name: string, wanted: string, value: unknown): TypeError {
  const message = `The "${name}" argument must be ${wanted}. Received ${received(value)}`;
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_TYPE" });
}

export function argumentValueError(name: string, value: unknown): TypeError {
  const message = `The argument '${name}' is invalid. Received '${String(value)}'`;
  return Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" });
}

export function rangeError(name: string, range: string, value: unknown): RangeError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${String(value)}`;
  return Object.assign(new RangeError(message), { code: "ERR_OUT_OF_RANGE" });
}

function received(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "function") return `function ${value.name}`;
  if (typeof value === "object") return `an instance of ${value.constructor?.name ?? "Object"}`;
  const text = typeof value === "string" ? `'${value}'` : String(value);
  return `type ${typeof value} (${text})`;
}
