/** Unpacks a tuple, element by element. Takes only what packing writes, and never reads beyond the end of its bytes. */
import { StillwaterError } from "../platform/errors.js";
import { ieeeForm } from "./float-order.js";
import {
  BIG_NEGATIVE,
  BIG_POSITIVE,
  BYTES,
  DOUBLE,
  ESCAPE,
  FALSE,
  FLOAT,
  invalid,
  NESTED,
  NESTING_MAX,
  NULL,
  SMALL_INTEGER_BYTES,
  TEXT,
  TRUE,
  UUID,
  VERSIONSTAMP_80,
  VERSIONSTAMP_96,
  ZERO,
} from "./tuple-codes.js";
import {
  DOUBLE_NAN,
  Float32,
  Float64,
  TRANSACTION_VERSION_BYTES,
  type TupleElement,
  UUID_BYTES,
  Uuid,
  Versionstamp,
} from "./tuple-elements.js";

export class TupleReader {
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

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
