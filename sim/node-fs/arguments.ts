/**
 * The argument forms of `node:fs`: paths as text, Buffer or URL, flags as text or number, modes, times, encodings, and
 * the several ways to say which part of a buffer is meant. Refuses what Node refuses, with Node's codes.
 */
import { constants } from "node:fs";
import { fileURLToPath } from "node:url";
import { argumentTypeError, argumentValueError, rangeError } from "./system-error.js";

export function toPath(value: unknown, name = "path"): string {
  let path: string;
  if (typeof value === "string") path = value;
  else if (Buffer.isBuffer(value)) path = value.toString();
  else if (value instanceof Uint8Array) path = Buffer.from(value).toString();
  else if (value instanceof URL) path = fileURLToPath(value);
  else throw argumentTypeError(name, "of type string or an instance of Buffer or URL", value);
  if (!path.includes("\u0000")) return path;
  const message = `The argument '${name}' must be a string, Uint8Array, or URL without null bytes. Received ${JSON.stringify(path)}`;
  throw Object.assign(new TypeError(message), { code: "ERR_INVALID_ARG_VALUE" });
}

export function toDescriptor(value: unknown, name = "fd"): number {
  if (typeof value !== "number") throw argumentTypeError(name, "of type number", value);
  if (!Number.isInteger(value) || value < 0 || value > 0x7fffffff) {
    throw rangeError(name, ">= 0 && <= 2147483647", value);
  }
  return value;
}

const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_SYNC, O_TRUNC, O_WRONLY } = constants;
const FLAGS: ReadonlyMap<string, number> = new Map(
  (
    [
      ["r", O_RDONLY],
      ["rs", O_RDONLY | O_SYNC],
      ["r+", O_RDWR],
      ["rs+", O_RDWR | O_SYNC],
      ["w", O_TRUNC | O_CREAT | O_WRONLY],
      ["wx", O_TRUNC | O_CREAT | O_WRONLY | O_EXCL],
      ["w+", O_TRUNC | O_CREAT | O_RDWR],
      ["wx+", O_TRUNC | O_CREAT | O_RDWR | O_EXCL],
      ["a", O_APPEND | O_CREAT | O_WRONLY],
      ["ax", O_APPEND | O_CREAT | O_WRONLY | O_EXCL],
      ["as", O_APPEND | O_CREAT | O_WRONLY | O_SYNC],
      ["a+", O_APPEND | O_CREAT | O_RDWR],
      ["ax+", O_APPEND | O_CREAT | O_RDWR | O_EXCL],
      ["as+", O_APPEND | O_CREAT | O_RDWR | O_SYNC],
    ] as const
  ).flatMap(([text, flags]): [string, number][] => [
    [text, flags],
    // Letters may stand in other orders: "xw", "sr", "sr+".
    [[...text.replace("+", "")].reverse().join("") + (text.endsWith("+") ? "+" : ""), flags],
  ]),
);

export function toFlags(value: unknown, otherwise = "r"): number {
  const wanted = value ?? otherwise;
  if (typeof wanted === "number") return wanted;
  const flags = FLAGS.get(wanted as string);
  if (flags === undefined) throw argumentValueError("flags", wanted);
  return flags;
}

export function toMode(value: unknown, otherwise: number, name = "mode"): number {
  if (value === undefined || value === null) return otherwise;
  if (typeof value === "string") {
    if (!/^[0-7]+$/.test(value)) throw argumentValueError(name, value);
    return Number.parseInt(value, 8);
  }
  if (typeof value !== "number") throw argumentTypeError(name, "of type number", value);
  if (!Number.isInteger(value) || value < 0) throw rangeError(name, ">= 0 && <= 4294967295", value);
  return value;
}

/** Milliseconds of a Date, or of seconds as number or text. */
export function toTimeMs(value: unknown): number {
  if (value instanceof Date) return value.getTime();
  const seconds = typeof value === "string" && value !== "" ? Number(value) : value;
  if (typeof seconds === "number" && Number.isFinite(seconds)) return seconds * 1000;
  throw argumentTypeError("time", "of type number or string or an instance of Date", value);
}

export function toLength(value: unknown, otherwise: number): number {
  if (value === undefined || value === null) return otherwise;
  if (typeof value !== "number") throw argumentTypeError("len", "of type number", value);
  if (!Number.isInteger(value)) throw rangeError("len", "an integer", value);
  return Math.max(0, value);
}

export type Options = Readonly<Record<string, unknown>>;

/** An options argument: an object, an encoding, or nothing. */
export function toOptions(value: unknown): Options {
  if (value === undefined || value === null || typeof value === "function") return {};
  if (typeof value === "string") return { encoding: toEncoding(value) };
  if (typeof value !== "object") {
    throw argumentTypeError("options", "of type string or an instance of Object", value);
  }
  const options = value as Options;
  toEncoding(options["encoding"]);
  return options;
}

export function toEncoding(value: unknown): string | null {
  if (value === undefined || value === null || value === "buffer") return null;
  if (typeof value === "string" && Buffer.isEncoding(value)) return value;
  throw Object.assign(
    new TypeError(`The argument 'encoding' is invalid encoding. Received '${String(value)}'`),
    { code: "ERR_INVALID_ARG_VALUE" },
  );
}

/** Bytes as the caller's encoding wants them; a Buffer without one. */
export function encoded(bytes: Buffer, encoding: unknown): string | Buffer {
  const wanted = toEncoding(encoding);
  return wanted === null ? bytes : bytes.toString(wanted as BufferEncoding);
}

/** A name as the caller's encoding wants it; a text without one. */
export function encodedName(name: string, encoding: unknown): string | Buffer {
  if (encoding === "buffer") return Buffer.from(name);
  const wanted = toEncoding(encoding);
  return wanted === null || wanted === "utf8" || wanted === "utf-8"
    ? name
    : Buffer.from(name).toString(wanted as BufferEncoding);
}

export function toBytes(value: unknown, encoding: unknown, name = "data"): Uint8Array {
  if (typeof value === "string")
    return Buffer.from(value, (toEncoding(encoding) ?? "utf8") as BufferEncoding);
  return viewOf(value, name, "of type string or an instance of Buffer, TypedArray, or DataView");
}

export function viewOf(
  value: unknown,
  name = "buffer",
  wanted = "an instance of Buffer, TypedArray, or DataView",
): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  throw argumentTypeError(name, wanted, value);
}

export function toViews(value: unknown): Uint8Array[] {
  if (!Array.isArray(value)) throw argumentTypeError("buffers", "an instance of ArrayBufferView[]", value);
  return value.map((view) => viewOf(view, "buffers", "an instance of ArrayBufferView[]"));
}

export interface Range {
  readonly offset: number;
  readonly length: number;
  /** Null: at the cursor. */
  readonly position: number | null;
}

/** The part of a buffer and the place in the file, in the object form or as three arguments. */
export function toRange(view: Uint8Array, first: unknown, length: unknown, position: unknown): Range {
  if (typeof first === "object" && first !== null) {
    const options = first as Options;
    return toRange(view, options["offset"], options["length"], options["position"]);
  }
  const offset = first === undefined || first === null ? 0 : wholeNumber(first, "offset");
  if (offset > view.byteLength) throw rangeError("offset", `<= ${view.byteLength}`, offset);
  const count =
    length === undefined || length === null ? view.byteLength - offset : wholeNumber(length, "length");
  if (offset + count > view.byteLength) {
    throw rangeError("length", `<= ${view.byteLength - offset}`, count);
  }
  return { offset, length: count, position: toPosition(position) };
}

export function toPosition(value: unknown): number | null {
  if (value === undefined || value === null || value === -1 || value === -1n) return null;
  if (typeof value === "bigint") return Number(value);
  return typeof value === "number" ? wholeNumber(value, "position") : null;
}

function wholeNumber(value: unknown, name: string): number {
  if (typeof value !== "number") throw argumentTypeError(name, "of type number", value);
  if (!Number.isSafeInteger(value) || value < 0) throw rangeError(name, ">= 0", value);
  return value;
}
