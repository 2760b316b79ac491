/**
 * FoundationDB's tuple encoding, byte for byte (its design/tuple.md): typed values as a byte string whose bytewise order
 * is the order of the tuples, element by element, a shorter tuple before those that continue it.
 *
 * Promises: `unpack(pack(t))` holds the same values, and packing what `unpack` returned gives the same bytes, also for
 * bytes that other clients wrote. Everything that is not a tuple is refused with `INVALID_TUPLE` and the place.
 * Does not own: where a tuple stands in the key space (`subspace.ts`).
 */
import { StillwaterError } from "../platform/errors.js";
import { ieeeForm, orderFloat } from "./float-order.js";
import {
  DOUBLE_NAN,
  FLOAT_NAN,
  Float32,
  Float64,
  TRANSACTION_VERSION_BYTES,
  type Tuple,
  type TupleElement,
  UUID_BYTES,
  Uuid,
  Versionstamp,
} from "./tuple-elements.js";

/** The key of a tuple. Throws `INVALID_TUPLE` for a value that has no encoding, or an incomplete versionstamp. */
export function pack(tuple: Tuple): Uint8Array {
  const writer = new TupleWriter();
  writer.tuple(tuple);
  if (writer.incompleteAt >= 0) throw invalid("an incomplete versionstamp goes through packWithVersionstamp");
  return writer.finish();
}

/** A packed tuple with a hole of ten bytes for the commit to fill. */
export interface IncompleteTuple {
  readonly bytes: Uint8Array;
  /** Where the ten bytes go. */
  readonly offset: number;
}

/** The key of a tuple with exactly one incomplete versionstamp. Throws `INVALID_TUPLE` for none, or several. */
export function packWithVersionstamp(tuple: Tuple): IncompleteTuple {
  const writer = new TupleWriter();
  writer.tuple(tuple);
  if (writer.incompleteAt < 0) throw invalid("the tuple has no incomplete versionstamp");
  return { bytes: writer.finish(), offset: writer.incompleteAt };
}

/**
 * The tuple of a key. Integers beyond 2^53 are `bigint`; a double that a plain number would not encode again as a double
 * is a `Float64`. Throws `INVALID_TUPLE`. Does not copy: byte strings share the memory of `bytes` unless escaped.
 */
export function unpack(bytes: Uint8Array): TupleElement[] {
  if (!(bytes instanceof Uint8Array)) throw invalid(`a packed tuple is a Uint8Array, not a ${typeof bytes}`);
  const reader = new TupleReader(bytes);
  const tuple: TupleElement[] = [];
  while (!reader.atEnd) tuple.push(reader.element());
  return tuple;
}

/** The keys of all tuples that continue `tuple` by at least one element: [begin, end). The tuple's own key is outside. */
export function tupleRange(tuple: Tuple): { readonly begin: Uint8Array; readonly end: Uint8Array } {
  const prefix = pack(tuple);
  return { begin: withByte(prefix, 0x00), end: withByte(prefix, 0xff) };
}

const NULL = 0x00;
const BYTES = 0x01;
const TEXT = 0x02;
const NESTED = 0x05;
const BIG_NEGATIVE = 0x0b;
const ZERO = 0x14;
const BIG_POSITIVE = 0x1d;
const FLOAT = 0x20;
const DOUBLE = 0x21;
const FALSE = 0x26;
const TRUE = 0x27;
const UUID = 0x30;
const VERSIONSTAMP_80 = 0x32;
const VERSIONSTAMP_96 = 0x33;
/** Stands after a zero byte that does not end what it is in. */
const ESCAPE = 0xff;

const INTEGER_BYTES_MAX = 255;
/** Integers of up to so many bytes have their length in the type code. */
const SMALL_INTEGER_BYTES = 8;
const NESTING_MAX = 128;

const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

class TupleWriter {
  /** Where the hole of an incomplete versionstamp is, or −1. */
  incompleteAt = -1;
  private bytes = new Uint8Array(64);
  private view = new DataView(this.bytes.buffer);
  private length = 0;
  private depth = 0;

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }

  /** An error names the element. */
  tuple(tuple: Tuple): void {
    if (!Array.isArray(tuple)) throw invalid(`a tuple is an array, not a ${typeof tuple}`);
    for (let i = 0; i < tuple.length; i++) {
      try {
        this.element(tuple[i] as TupleElement, false); // what is no element is refused there
      } catch (error) {
        throw error instanceof StillwaterError ? invalid(`element ${i}: ${error.message}`) : error;
      }
    }
  }

  private element(element: TupleElement, nested: boolean): void {
    if (element === null) {
      this.byte(NULL);
      if (nested) this.byte(ESCAPE);
    } else if (typeof element === "string") {
      if (LONE_SURROGATE.test(element))
        throw invalid("a text with half of a surrogate pair has no UTF-8 form");
      this.escaped(TEXT, encoder.encode(element));
    } else if (typeof element === "number") {
      if (Number.isSafeInteger(element) && !Object.is(element, -0)) this.integer(element);
      else this.double(element);
    } else if (typeof element === "bigint") {
      this.bigInteger(element);
    } else if (typeof element === "boolean") {
      this.byte(element ? TRUE : FALSE);
    } else if (element instanceof Uint8Array) {
      this.escaped(BYTES, element);
    } else if (Array.isArray(element)) {
      this.nested(element);
    } else if (element instanceof Float32) {
      this.float(element);
    } else if (element instanceof Float64) {
      if (element.nanBits !== null) this.doubleBits(element.nanBits);
      else this.double(element.value);
    } else if (element instanceof Uuid) {
      this.byte(UUID);
      this.raw(element.bytes);
    } else if (element instanceof Versionstamp) {
      this.versionstamp(element);
    } else {
      throw invalid(`a tuple cannot hold ${element === undefined ? "undefined" : `a ${typeof element}`}`);
    }
  }

  private nested(elements: Tuple): void {
    if (++this.depth > NESTING_MAX) throw invalid(`tuples nest up to ${NESTING_MAX} deep`);
    this.byte(NESTED);
    for (const element of elements) this.element(element, true);
    this.byte(0x00);
    this.depth--;
  }

  private escaped(code: number, content: Uint8Array): void {
    this.byte(code);
    this.reserve(2 * content.length + 1);
    for (let i = 0; i < content.length; i++) {
      const byte = content[i] as number;
      this.bytes[this.length++] = byte;
      if (byte === 0) this.bytes[this.length++] = ESCAPE;
    }
    this.bytes[this.length++] = 0x00;
  }

  /** Big-endian in as few bytes as it takes; negative ones as one's complement. */
  private integer(value: number): void {
    const magnitude = Math.abs(value);
    let size = 0;
    for (let limit = 1; size < SMALL_INTEGER_BYTES && magnitude >= limit; limit *= 256) size++;
    this.byte(value < 0 ? ZERO - size : ZERO + size);
    this.reserve(size);
    let rest = magnitude;
    const flip = value < 0 ? 0xff : 0;
    for (let at = this.length + size - 1; at >= this.length; at--) {
      this.bytes[at] = (rest % 256) ^ flip;
      rest = Math.floor(rest / 256);
    }
    this.length += size;
  }

  private bigInteger(value: bigint): void {
    const negative = value < 0n;
    let digits = (negative ? -value : value).toString(16);
    if (digits.length % 2 === 1) digits = `0${digits}`;
    const size = value === 0n ? 0 : digits.length / 2;
    if (size > INTEGER_BYTES_MAX) throw invalid(`an integer of ${size} bytes is longer than 255`);
    const flip = negative ? 0xff : 0;
    if (size <= SMALL_INTEGER_BYTES) this.byte(negative ? ZERO - size : ZERO + size);
    else {
      this.byte(negative ? BIG_NEGATIVE : BIG_POSITIVE);
      this.byte(size ^ flip);
    }
    for (let i = 0; i < size; i++) this.byte(Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16) ^ flip);
  }

  private float({ value, nanBits }: Float32): void {
    this.byte(FLOAT);
    this.reserve(4);
    if (Number.isNaN(value)) this.view.setUint32(this.length, nanBits ?? FLOAT_NAN);
    else this.view.setFloat32(this.length, value);
    orderFloat(this.bytes, this.length, 4);
    this.length += 4;
  }

  private double(value: number): void {
    if (Number.isNaN(value)) {
      this.doubleBits(DOUBLE_NAN);
      return;
    }
    this.byte(DOUBLE);
    this.reserve(8);
    this.view.setFloat64(this.length, value);
    orderFloat(this.bytes, this.length, 8);
    this.length += 8;
  }

  private doubleBits(bits: bigint): void {
    this.byte(DOUBLE);
    this.reserve(8);
    this.view.setBigUint64(this.length, bits);
    orderFloat(this.bytes, this.length, 8);
    this.length += 8;
  }

  private versionstamp(stamp: Versionstamp): void {
    this.byte(VERSIONSTAMP_96);
    if (stamp.transaction !== null) this.raw(stamp.transaction);
    else {
      if (this.incompleteAt >= 0) throw invalid("a key has room for one incomplete versionstamp");
      this.incompleteAt = this.length;
      for (let i = 0; i < TRANSACTION_VERSION_BYTES; i++) this.byte(0xff);
    }
    this.byte(stamp.user >>> 8);
    this.byte(stamp.user & 0xff);
  }

  private raw(content: Uint8Array): void {
    this.reserve(content.length);
    this.bytes.set(content, this.length);
    this.length += content.length;
  }

  private byte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  private reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

class TupleReader {
  private readonly bytes: Uint8Array;
  private at = 0;
  private depth = 0;

  constructor(bytes: Uint8Array) {
    // What is handed out is plain, whatever subclass the key is: a Buffer's slices would share memory.
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get atEnd(): boolean {
    return this.at === this.bytes.length;
  }

  element(): TupleElement {
    const start = this.at;
    const code = this.byte();
    if (code >= ZERO - SMALL_INTEGER_BYTES && code <= ZERO + SMALL_INTEGER_BYTES) {
      return this.integer(Math.abs(code - ZERO), code < ZERO);
    }
    switch (code) {
      case NULL:
        return null;
      case BYTES:
        return this.escaped();
      case TEXT:
        return this.text(start);
      case NESTED:
        return this.nested();
      case BIG_NEGATIVE:
        return this.bigInteger(this.byte() ^ 0xff, true);
      case BIG_POSITIVE:
        return this.bigInteger(this.byte(), false);
      case FLOAT:
        return Float32.ofBits(ieeeForm(this.take(4)).getUint32(0));
      case DOUBLE:
        return this.double();
      case FALSE:
        return false;
      case TRUE:
        return true;
      case UUID:
        return new Uuid(this.take(UUID_BYTES));
      case VERSIONSTAMP_96: {
        const transaction = this.take(TRANSACTION_VERSION_BYTES);
        return new Versionstamp(transaction, this.byte() * 256 + this.byte());
      }
      case VERSIONSTAMP_80:
        throw invalid("an 80-bit versionstamp (code 32) is not written by any current client", start);
      default:
        throw invalid(`no element begins with byte ${code}`, start);
    }
  }

  private nested(): TupleElement[] {
    if (++this.depth > NESTING_MAX) throw invalid(`tuples nest up to ${NESTING_MAX} deep`, this.at);
    const elements: TupleElement[] = [];
    for (;;) {
      if (this.bytes[this.at] !== 0x00) {
        elements.push(this.element());
        continue;
      }
      this.at++;
      if (this.bytes[this.at] !== ESCAPE) break;
      this.at++;
      elements.push(null);
    }
    this.depth--;
    return elements;
  }

  /** Up to the zero byte that is not escaped. */
  private escaped(): Uint8Array {
    const { bytes } = this;
    const start = this.at;
    let escapes = 0;
    let end = start;
    for (;;) {
      const next = bytes.indexOf(0x00, end);
      if (next < 0) throw invalid("a byte string or text does not end", start);
      end = next;
      if (bytes[end + 1] !== ESCAPE) break;
      escapes++;
      end += 2;
    }
    this.at = end + 1;
    if (escapes === 0) return bytes.subarray(start, end);
    const content = new Uint8Array(end - start - escapes);
    for (let from = start, to = 0; from < end; from++) {
      content[to++] = bytes[from] as number;
      if (bytes[from] === 0x00) from++;
    }
    return content;
  }

  private text(start: number): string {
    try {
      return decoder.decode(this.escaped());
    } catch (error) {
      if (error instanceof StillwaterError) throw error;
      throw invalid("a text is not UTF-8", start, error);
    }
  }

  private double(): number | Float64 {
    const view = ieeeForm(this.take(8));
    const value = view.getFloat64(0);
    if (Number.isNaN(value)) {
      const bits = view.getBigUint64(0);
      return bits === DOUBLE_NAN ? value : Float64.ofBits(bits);
    }
    return Number.isSafeInteger(value) && !Object.is(value, -0) ? new Float64(value) : value;
  }

  /** One whose length has a byte of its own. */
  private bigInteger(size: number, negative: boolean): number | bigint {
    if (size > SMALL_INTEGER_BYTES) return this.integer(size, negative);
    throw invalid(`an integer of ${size} bytes has its length in a byte of its own`, this.at - 1);
  }

  private integer(size: number, negative: boolean): number | bigint {
    const start = this.at;
    const flip = negative ? 0xff : 0;
    const content = this.take(size);
    if (size > 0 && ((content[0] as number) ^ flip) === 0) {
      throw invalid("an integer has more bytes than it needs", start);
    }
    if (size > SMALL_INTEGER_BYTES - 1) {
      let digits = "";
      for (const byte of content) digits += (byte ^ flip).toString(16).padStart(2, "0");
      const value = BigInt(`0x${digits}`);
      return negative ? -value : value;
    }
    let magnitude = 0;
    for (const byte of content) magnitude = magnitude * 256 + (byte ^ flip);
    if (!Number.isSafeInteger(magnitude)) return this.exactly(content, flip, negative);
    return negative && magnitude > 0 ? -magnitude : magnitude;
  }

  /** Seven bytes can hold more than 2^53. */
  private exactly(content: Uint8Array, flip: number, negative: boolean): bigint {
    let value = 0n;
    for (const byte of content) value = value * 256n + BigInt(byte ^ flip);
    return negative ? -value : value;
  }

  private take(size: number): Uint8Array {
    if (this.at + size > this.bytes.length) throw invalid("the last element is cut off", this.at);
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  private byte(): number {
    const byte = this.bytes[this.at];
    if (byte === undefined) throw invalid("the last element is cut off", this.at);
    this.at++;
    return byte;
  }
}

function withByte(bytes: Uint8Array, byte: number): Uint8Array {
  const longer = new Uint8Array(bytes.length + 1);
  longer.set(bytes);
  longer[bytes.length] = byte;
  return longer;
}

function invalid(what: string, at?: number, cause?: unknown): StillwaterError {
  const place = at === undefined ? "" : ` (byte ${at})`;
  return new StillwaterError("INVALID_TUPLE", `${what}${place}`, cause === undefined ? {} : { cause });
}
