/**
 * What a tuple may hold beyond JavaScript's own values: numbers whose width is part of their type, identifiers and
 * versionstamps. Plain immutable values with no behaviour but telling what they are; `tuple.ts` encodes them.
 */
import { StillwaterError } from "../platform/errors.js";

/** A 32-bit IEEE float. Sorts among floats only, which stand after all integers and before all doubles. */
export class Float32 {
  readonly value: number;
  /** The bits of a NaN that is not the usual one, which a `number` cannot carry; null for all others. */
  readonly nanBits: number | null;

  constructor(value: number) {
    this.value = Math.fround(value);
    this.nanBits = null;
  }

  /** From the 32 bits of its IEEE form, which also tell NaNs apart. */
  static ofBits(bits: number): Float32 {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, bits);
    const float = new Float32(view.getFloat32(0));
    return Number.isNaN(float.value) && bits !== FLOAT_NAN ? Object.assign(float, { nanBits: bits }) : float;
  }
}

/** A 64-bit IEEE float, for numbers that a plain `number` would encode as an integer: 1.0 beside 1.5 in one column. */
export class Float64 {
  readonly value: number;
  /** As in `Float32`. */
  readonly nanBits: bigint | null;

  constructor(value: number) {
    this.value = value;
    this.nanBits = null;
  }

  /** From the 64 bits of its IEEE form. */
  static ofBits(bits: bigint): Float64 {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, bits);
    const double = new Float64(view.getFloat64(0));
    return Number.isNaN(double.value) && bits !== DOUBLE_NAN
      ? Object.assign(double, { nanBits: bits })
      : double;
  }
}

/** Sixteen bytes in the order in which they are written. */
export class Uuid {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    if (bytes.length !== UUID_BYTES) throw wrongLength("a UUID", UUID_BYTES, bytes.length);
    this.bytes = bytes;
  }

  /** From "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx", in either case. */
  static parse(text: string): Uuid {
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) {
      throw new StillwaterError("INVALID_ARGUMENT", `"${text}" is not a UUID in its text form`);
    }
    const digits = text.replaceAll("-", "");
    return new Uuid(
      Uint8Array.from({ length: UUID_BYTES }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16)),
    );
  }

  toString(): string {
    const digits = Array.from(this.bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, digits);
  }
}

/**
 * Where a commit stands in the order of all: 8 bytes of commit version and 2 of its place in a batch of commits, which
 * the store fills in, and 2 bytes that the user chooses to order what one transaction writes. Incomplete until commit.
 */
export class Versionstamp {
  /** The ten bytes of the store; null until the commit gives them. */
  readonly transaction: Uint8Array | null;
  /** In [0, 65535]. */
  readonly user: number;

  constructor(transaction: Uint8Array | null, user = 0) {
    if (transaction !== null && transaction.length !== TRANSACTION_VERSION_BYTES) {
      throw wrongLength(
        "the transaction part of a versionstamp",
        TRANSACTION_VERSION_BYTES,
        transaction.length,
      );
    }
    if (!Number.isInteger(user) || user < 0 || user > USER_VERSION_MAX) {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        `the user version of a versionstamp is a whole number from 0 to ${USER_VERSION_MAX}, not ${user}`,
      );
    }
    this.transaction = transaction;
    this.user = user;
  }

  /** One to be completed by the commit that writes it. */
  static incomplete(user = 0): Versionstamp {
    return new Versionstamp(null, user);
  }
}

export const UUID_BYTES = 16;
/** The NaN that a `number` is encoded as. */
export const FLOAT_NAN = 0x7fc00000;
export const DOUBLE_NAN = 0x7ff8000000000000n;
export const TRANSACTION_VERSION_BYTES = 10;
const USER_VERSION_MAX = 0xffff;

/**
 * An element of a tuple. A `number` that is a safe integer is encoded as an integer and any other as a double; −0 is a
 * double. A `bigint` is an integer of any size up to 255 bytes.
 */
export type TupleElement =
  | null
  | Uint8Array
  | string
  | number
  | bigint
  | boolean
  | Float32
  | Float64
  | Uuid
  | Versionstamp
  | readonly TupleElement[];

/** Values that make a key; their byte order is their order. */
export type Tuple = readonly TupleElement[];

function wrongLength(what: string, wanted: number, length: number): StillwaterError {
  return new StillwaterError("INVALID_ARGUMENT", `${what} has ${wanted} bytes, not ${length}`);
}
