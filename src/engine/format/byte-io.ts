/**
 * Varints, byte strings and text for the parts of the format that are small and rarely read: manifest edits and table
 * properties. Reading past the end is a `RangeError`, which the caller turns into a corruption error with a place.
 */
import { fail } from "../../platform/assert.js";

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  uint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) fail("a varint holds a safe integer");
    let rest = value;
    while (rest >= 0x80) {
      this.#byte((rest % 0x80) + 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.#byte(rest);
    return this;
  }

  /** Length, then the bytes. */
  bytes(value: Uint8Array): this {
    this.uint(value.length);
    return this.raw(value);
  }

  /** The bytes alone; the reader knows how many. */
  raw(value: Uint8Array): this {
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  get length(): number {
    return this.#length;
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, start = 0, length: number = bytes.length - start) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = start + length;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  uint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      if (this.#at >= this.#end) throw new RangeError("a varint runs past the end");
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * scale;
      if (value > Number.MAX_SAFE_INTEGER) throw new RangeError("a varint is too large");
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
  }

  bytes(): Uint8Array {
    return this.raw(this.uint());
  }

  /** A copy of the next `length` bytes. */
  raw(length: number): Uint8Array {
    if (this.#at + length > this.#end) throw new RangeError("a byte string runs past the end");
    const copy = this.#bytes.slice(this.#at, this.#at + length);
    this.#at += length;
    return copy;
  }
}
