/** Packs a tuple, element by element, into bytes that grow. Owns the encoding; who may pack what is said in `tuple.ts`. */
import { StillwaterError } from "../platform/errors.js";
import { orderFloat } from "./float-order.js";
import {
  BIG_NEGATIVE,
  BIG_POSITIVE,
  BYTES,
  DOUBLE,
  ESCAPE,
  FALSE,
  FLOAT,
  INTEGER_BYTES_MAX,
  invalid,
  NESTED,
  NESTING_MAX,
  NULL,
  SMALL_INTEGER_BYTES,
  TEXT,
  TRUE,
  UUID,
  VERSIONSTAMP_96,
  ZERO,
} from "./tuple-codes.js";
import {
  DOUBLE_NAN,
  FLOAT_NAN,
  Float32,
  Float64,
  TRANSACTION_VERSION_BYTES,
  type Tuple,
  type TupleElement,
  Uuid,
  Versionstamp,
} from "./tuple-elements.js";

export class TupleWriter {
  /** Where the hole of an incomplete versionstamp is, or −1. */
  incompleteAt = -1;
  private bytes = new Uint8Array(FIRST_BYTES);
  private view = new DataView(this.bytes.buffer);
  private length = 0;
  private depth = 0;

  /** Makes it as good as new, whatever has happened to it. */
  reset(): void {
    this.incompleteAt = -1;
    this.length = 0;
    this.depth = 0;
    if (this.bytes.length <= KEPT_BYTES) return;
    this.bytes = new Uint8Array(FIRST_BYTES);
    this.view = new DataView(this.bytes.buffer);
  }

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
      this.text(element);
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

  /** Most texts in keys are short and plain: these are copied as they are looked at. */
  private text(text: string): void {
    const start = this.length;
    this.byte(TEXT);
    if (text.length <= PLAIN_LENGTH_MAX) {
      this.reserve(text.length + 1);
      const { bytes } = this;
      let at = this.length;
      let i = 0;
      for (; i < text.length; i++) {
        const code = text.charCodeAt(i);
        if (code === 0 || code > 0x7f) break;
        bytes[at++] = code;
      }
      if (i === text.length) {
        bytes[at++] = 0x00;
        this.length = at;
        return;
      }
    }
    this.length = start;
    if (LONE_SURROGATE.test(text)) throw invalid("a text with half of a surrogate pair has no UTF-8 form");
    this.escaped(TEXT, encoder.encode(text));
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

const FIRST_BYTES = 128;
/** A larger buffer is not kept from one tuple to the next. */
const KEPT_BYTES = 16_384;
/** From here on the encoder of the platform is faster. */
const PLAIN_LENGTH_MAX = 64;
const LONE_SURROGATE = /\p{Surrogate}/u;
const encoder = new TextEncoder();
