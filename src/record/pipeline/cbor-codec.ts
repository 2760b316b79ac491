/**
 * Items as CBOR (RFC 8949) in its core deterministic encoding (4.2.1), so that equal items are equal bytes: shorter than JSON
 * where there are numbers and bytes, and slower. What an item may consist of is the same (`item-refusal.ts`).
 *
 *     number       integer where it is a safe one, else the shortest float that is exact (−0, NaN, ±∞ too)
 *     bigint       tag 2 or 3, however small: an integer would come back as a number
 *     Date         tag 1: seconds, whole ones as an integer, else a float; it is exact to the millisecond
 *     Uint8Array   byte string
 *     Uuid         tag 37: a byte string of 16
 *
 * Writing and the parts of a token are the package cborg's; putting the tokens together is done here, for bytes that the
 * codec would not have written so are refused: it reads exactly what it writes.
 */
import { isUtf8 } from "node:buffer";
import { encode, Token, Tokenizer, Type } from "cborg";
import { UUID_BYTES, Uuid } from "../../keyspace/tuple-elements.js";
import type { StillwaterError } from "../../platform/errors.js";
import type { Codec } from "./codec.js";
import { corruptItem } from "./item-errors.js";
import { DEPTH_MAX, refusalOf } from "./item-refusal.js";

export const CBOR_CODEC: Codec = {
  id: 2,
  name: "cbor",
  encode: (item) => {
    const refusal = refusalOf(item);
    if (refusal !== null) throw refusal;
    return encode(item, OPTIONS);
  },
  decode: (bytes) => new Reader(bytes).item(),
};

const TAG_DATE = 1;
const TAG_POSITIVE = 2;
const TAG_NEGATIVE = 3;
const TAG_UUID = 37;

const ENCODERS = {
  number: (value: number) => (Object.is(value, -0) ? new Token(Type.float, value) : null),
  bigint: (value: bigint) => [
    new Token(Type.tag, value < 0n ? TAG_NEGATIVE : TAG_POSITIVE),
    new Token(Type.bytes, magnitude(value < 0n ? -1n - value : value)),
  ],
  Date: dateTokens,
  // A subclass of Date may call itself anything.
  Object: (value: object) =>
    value instanceof Date ? dateTokens(value) : value instanceof Uuid ? uuidTokens(value) : null,
};

const OPTIONS = { typeEncoders: ENCODERS, ignoreUndefinedProperties: true };

function dateTokens(value: Date): Token[] {
  const seconds = value.getTime() / 1000;
  const type = !Number.isInteger(seconds) ? Type.float : seconds < 0 ? Type.negint : Type.uint;
  return [new Token(Type.tag, TAG_DATE), new Token(type, seconds)];
}

function uuidTokens({ bytes }: Uuid): Token[] {
  return [new Token(Type.tag, TAG_UUID), new Token(Type.bytes, bytes)];
}

/** Big-endian, without zeros in front; none at all for 0. */
function magnitude(value: bigint): Uint8Array {
  if (value === 0n) return new Uint8Array(0);
  const digits = value.toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, "hex");
}

const STRICT = { strict: true, allowIndefinite: false, allowUndefined: false };

class Reader {
  readonly #bytes: Uint8Array;
  readonly #tokens: Tokenizer;

  constructor(bytes: Uint8Array) {
    // Of a Buffer, cborg would give parts that share its memory.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#tokens = new Tokenizer(this.#bytes, STRICT);
  }

  item(): unknown {
    const item = this.#value(0);
    if (!this.#tokens.done()) throw otherwise("bytes behind its end");
    return item;
  }

  #value(depth: number): unknown {
    const begin = this.#tokens.pos();
    const token = this.#next();
    switch (token.type) {
      case Type.uint:
      case Type.negint:
        // Tokens of integers beyond the safe ones are bigints; this codec writes them as floats.
        if (typeof token.value !== "number") throw otherwise("an integer beyond 2^53");
        return token.value;
      case Type.float:
        this.#checkFloat(begin, token.value as number);
        return token.value;
      case Type.true:
      case Type.false:
      case Type.null:
        return token.value;
      case Type.string:
        return this.#text(token);
      case Type.bytes:
        return Uint8Array.from(token.value as Uint8Array);
      case Type.array:
        return this.#array(token.value as number, depth);
      case Type.map:
        return this.#map(token.value as number, depth);
      case Type.tag:
        return this.#tagged(token.value as number);
      default:
        throw otherwise(`the type ${token.type.name}`);
    }
  }

  #array(length: number, depth: number): unknown[] {
    if (depth === DEPTH_MAX) throw otherwise(`more than ${DEPTH_MAX} levels`);
    const values: unknown[] = [];
    for (let i = 0; i < length; i++) values.push(this.#value(depth + 1));
    return values;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    if (depth === DEPTH_MAX) throw otherwise(`more than ${DEPTH_MAX} levels`);
    const members: Record<string, unknown> = {};
    let last: Uint8Array | null = null;
    for (let i = 0; i < length; i++) {
      const begin = this.#tokens.pos();
      const token = this.#next();
      if (token.type !== Type.string) throw otherwise("a member whose name is no text");
      const name = this.#text(token);
      const encoded = this.#bytes.subarray(begin, this.#tokens.pos());
      if (last !== null && Buffer.compare(last, encoded) >= 0) throw otherwise("members in another order");
      last = encoded;
      const value = this.#value(depth + 1);
      if (name !== "__proto__") members[name] = value;
      // An assignment would change the prototype instead.
      else
        Object.defineProperty(members, name, { value, writable: true, enumerable: true, configurable: true });
    }
    return members;
  }

  #tagged(tag: number): unknown {
    const begin = this.#tokens.pos();
    const content = this.#next();
    if (tag === TAG_DATE) return this.#date(begin, content);
    if (tag === TAG_UUID) return uuidOf(content);
    if ((tag !== TAG_POSITIVE && tag !== TAG_NEGATIVE) || content.type !== Type.bytes) {
      throw otherwise(`the tag ${tag}`);
    }
    const bytes = content.value as Uint8Array;
    if (bytes[0] === 0) throw otherwise("a bigint with a zero in front");
    const value = bytes.length === 0 ? 0n : BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
    return tag === TAG_POSITIVE ? value : -1n - value;
  }

  #date(begin: number, { type, value: seconds }: Token): Date {
    if (type === Type.float) this.#checkFloat(begin, seconds as number);
    else if (type !== Type.uint && type !== Type.negint) throw otherwise("a date that is no number");
    if (typeof seconds !== "number") throw otherwise("a date that is none");
    // Apart, so that the error of the division stays below half a millisecond over all of the calendar.
    const whole = Math.floor(seconds);
    const date = new Date(whole * 1000 + Math.round((seconds - whole) * 1000));
    const isDate = !Number.isNaN(date.getTime()) && Object.is(date.getTime() / 1000, seconds);
    if (!isDate) throw otherwise("a date that is none");
    return date;
  }

  /** cborg takes a text of broken UTF-8, and leaves out a byte order mark. */
  #text({ value, encodedLength = 0 }: Token): string {
    const text = value as string;
    // As many characters as bytes, and none in place of a broken one: ASCII.
    if (text.length === encodedLength - headBytes(text.length) && !text.includes("\ufffd")) return text;
    const end = this.#tokens.pos();
    const { buffer, byteOffset } = this.#bytes;
    const head = headBytesOf(this.#bytes[end - encodedLength] ?? 0);
    const bytes = Buffer.from(buffer, byteOffset + end - encodedLength + head, encodedLength - head);
    if (!isUtf8(bytes)) throw otherwise("a text that is no UTF-8");
    return bytes.toString("utf8");
  }

  /** Writes it again: few numbers are floats, and the rules which of three lengths it has are cborg's. */
  #checkFloat(begin: number, value: number): void {
    const again = encode(value, OPTIONS);
    const found = this.#bytes.subarray(begin, this.#tokens.pos());
    if (Buffer.compare(again, found) !== 0) throw otherwise("a number in another form");
  }

  #next(): Token {
    try {
      return this.#tokens.next();
    } catch (cause) {
      throw corruptItem("an item is no CBOR that this codec has written.", cause);
    }
  }
}

function uuidOf({ type, value }: Token): Uuid {
  if (type !== Type.bytes || (value as Uint8Array).length !== UUID_BYTES)
    throw otherwise("a UUID that is none");
  return new Uuid(Uint8Array.from(value as Uint8Array));
}

/** Bytes of the head of a token before so many bytes. */
function headBytes(length: number): number {
  return length < 24 ? 1 : length < 0x100 ? 2 : length < 0x1_0000 ? 3 : 5;
}

/** Bytes of the head of a token that begins so: one, and as many for the length as that says. */
function headBytesOf(first: number): number {
  const length = first & 31;
  return length < 24 ? 1 : 1 + (1 << (length - 24));
}

function otherwise(what: string): StillwaterError {
  return corruptItem(`an item is no CBOR that this codec has written: it has ${what}.`);
}
