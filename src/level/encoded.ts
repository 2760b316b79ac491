/**
 * Between the formats of Level and the bytes of the store. Text is encoded without a copy of its own where it is short: the store
 * copies keys and values at the call, so one scratch buffer serves them all, and a view of each length is made once.
 */
import type { Encoded, Format } from "./abstract-level.js";

const SCRATCH_BYTES = 256;

/** Encodes into memory that is used again for the next call. Two that live at the same time need a scratch each. */
export class Scratch {
  readonly #bytes = new Uint8Array(SCRATCH_BYTES);
  /** The first `n` bytes. */
  readonly #views: (Uint8Array | undefined)[] = [];

  /** Good until the next call. */
  bytesOf(encoded: Encoded): Uint8Array {
    if (typeof encoded !== "string") return encoded;
    const { length } = encoded;
    if (length > SCRATCH_BYTES) return Buffer.from(encoded, "utf8");
    const bytes = this.#bytes;
    for (let at = 0; at < length; at++) {
      const unit = encoded.charCodeAt(at);
      if (unit > 0x7f) return Buffer.from(encoded, "utf8");
      bytes[at] = unit;
    }
    this.#views[length] ??= bytes.subarray(0, length);
    return this.#views[length] as Uint8Array; // made one line above
  }
}

/** Bytes that are the caller's to keep, unless they were bytes before. */
export function bytesOf(encoded: Encoded): Uint8Array {
  return typeof encoded === "string" ? Buffer.from(encoded, "utf8") : encoded;
}

/** Bytes of the store, which hands out copies, in the format asked for. A Buffer is a `view`, as in classic-level. */
export function inFormat(bytes: Uint8Array, format: Format): Encoded {
  return format === "utf8" ? (bytes as Buffer).toString("utf8") : bytes;
}
