/**
 * Keys and values as texts in JSON and URLs: UTF-8 where the bytes are that, else hexadecimal or base64url (RFC 4648, no padding).
 * Promise: a text stands for exactly one byte string, and what an answer shows reads back as the same bytes in the encoding that it
 * names; nothing is ever replaced or dropped.
 */
import { StillwaterError } from "../platform/errors.js";
import { oneOf } from "./schema.js";

export const BYTE_ENCODINGS = ["utf8", "hex", "base64url"] as const;
export type ByteEncoding = (typeof BYTE_ENCODINGS)[number];

export interface EncodedBytes {
  readonly text: string;
  readonly encoding: ByteEncoding;
}

export const keyEncoding = oneOf(BYTE_ENCODINGS, {
  description:
    "How keys are written, here and in the answer. Keys of an answer that are not UTF-8 are in base64url then.",
  default: "utf8",
});

export const valueEncoding = oneOf(BYTE_ENCODINGS, {
  description:
    "How values are written, here and in the answer. Values that are not UTF-8 are in base64url then.",
  default: "utf8",
});

/** How the text beside it is written. */
export const usedEncoding = oneOf(BYTE_ENCODINGS);

/** `what` names the text in the error. Throws `INVALID_ARGUMENT`. */
export function bytesOf(text: string, encoding: ByteEncoding, what: string): Uint8Array {
  const bytes = Buffer.from(text, encoding);
  // Each has one text, but for the case of hexadecimal digits: Node stops at, or passes over, what it does not know.
  const again = bytes.toString(encoding);
  if (again === text || (encoding === "hex" && again === text.toLowerCase())) return bytes;
  throw new StillwaterError("INVALID_ARGUMENT", `${what} is not ${DESCRIPTIONS[encoding]}.`);
}

const DESCRIPTIONS: Readonly<Record<ByteEncoding, string>> = {
  utf8: "Unicode text (it has half a surrogate pair). Use hex or base64url",
  hex: "hexadecimal: pairs of the digits 0 to 9 and a to f",
  base64url: 'base64url: letters, digits, "-" and "_", without padding',
};

/** In `encoding`, or in base64url where that is UTF-8 and the bytes are not. */
export function textOf(bytes: Uint8Array, encoding: ByteEncoding): EncodedBytes {
  if (encoding === "utf8") {
    const text = decodeUtf8(bytes);
    if (text !== null) return { text, encoding };
    return textOf(bytes, "base64url");
  }
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { text: view.toString(encoding), encoding };
}

/** Keeps a byte order mark, which is part of the bytes. */
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Null when the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** At most `limit` bytes from the front, cut between two characters where the whole is UTF-8 text. */
export function beginningOf(bytes: Uint8Array, limit: number): Uint8Array {
  if (bytes.length <= limit) return bytes;
  let end = limit;
  // A character has at most three bytes behind its first.
  while (end > 0 && limit - end < 4 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  const isBetweenCharacters = ((bytes[end] as number) & 0xc0) !== 0x80;
  return bytes.subarray(0, isBetweenCharacters ? end : limit);
}
