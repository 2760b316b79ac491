/** The bytes that tuples are made of, and the error for what is none. Names and values are those of FoundationDB's design/tuple.md. */
import { StillwaterError } from "../platform/errors.js";

export const NULL = 0x00;
export const BYTES = 0x01;
export const TEXT = 0x02;
export const NESTED = 0x05;
export const BIG_NEGATIVE = 0x0b;
export const ZERO = 0x14;
export const BIG_POSITIVE = 0x1d;
export const FLOAT = 0x20;
export const DOUBLE = 0x21;
export const FALSE = 0x26;
export const TRUE = 0x27;
export const UUID = 0x30;
export const VERSIONSTAMP_80 = 0x32;
export const VERSIONSTAMP_96 = 0x33;
/** Stands after a zero byte that does not end what it is in. */
export const ESCAPE = 0xff;

export const INTEGER_BYTES_MAX = 255;
/** Integers of up to so many bytes have their length in the type code. */
export const SMALL_INTEGER_BYTES = 8;
export const NESTING_MAX = 128;

/** `at`: the byte, when unpacking. */
export function invalid(what: string, at?: number, cause?: unknown): StillwaterError {
  const place = at === undefined ? "" : ` (byte ${at})`;
  return new StillwaterError("INVALID_TUPLE", `${what}${place}`, cause === undefined ? {} : { cause });
}
