/**
 * Bytes as texts and back: the encodings that people choose in the page. All keys and values travel as base64url, so that the page
 * holds bytes and shows them as its reader likes. Promise: what a text is read as is shown as the same text again, or refused.
 */

export const TEXT_ENCODINGS = ["utf8", "hex", "base64url"] as const;
export type TextEncoding = (typeof TEXT_ENCODINGS)[number];

/** The text of bytes; null where they are no UTF-8. */
export function textOfBytes(bytes: Uint8Array, encoding: TextEncoding): string | null {
  if (encoding === "hex") return hexOf(bytes);
  return encoding === "utf8" ? utf8Of(bytes) : base64urlOf(bytes);
}

/** Null when the text is none of this encoding. */
export function bytesOfText(text: string, encoding: TextEncoding): Uint8Array | null {
  if (encoding === "hex") return bytesOfHex(text.replaceAll(/\s/g, ""));
  if (encoding === "utf8") {
    const bytes = ENCODER.encode(text);
    // Half a surrogate pair becomes another character.
    return utf8Of(bytes) === text ? bytes : null;
  }
  return /^[\w-]*$/.test(text) ? bytesOfBase64url(text) : null;
}

export function base64urlOf(bytes: Uint8Array): string {
  let characters = "";
  // An argument for each byte: not for all of them at once.
  for (let at = 0; at < bytes.length; at += CHUNK)
    characters += String.fromCharCode(...bytes.subarray(at, at + CHUNK));
  return btoa(characters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const CHUNK = 8_192;

/** Null for what no bytes are written as. */
export function bytesOfBase64url(text: string): Uint8Array | null {
  if (text.length % 4 === 1) return null;
  const characters = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(characters, (character) => character.charCodeAt(0));
  return base64urlOf(bytes) === text ? bytes : null;
}

export function hexOf(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += hexByte(byte);
  return text;
}

export function hexByte(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function bytesOfHex(text: string): Uint8Array | null {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) return null;
  return Uint8Array.from({ length: text.length / 2 }, (_, at) =>
    Number.parseInt(text.slice(2 * at, 2 * at + 2), 16),
  );
}

const ENCODER = new TextEncoder();
const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Null when the bytes are no UTF-8. */
export function utf8Of(bytes: Uint8Array): string | null {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** The first key that does not begin with the prefix and comes behind those that do; null when none can. */
export function endOfPrefix(prefix: Uint8Array): Uint8Array | null {
  const length = prefix.findLastIndex((byte) => byte !== 0xff) + 1;
  if (length === 0) return null;
  const end = prefix.slice(0, length);
  end[length - 1] = (prefix[length - 1] as number) + 1;
  return end;
}

/** The first key behind `key`. */
export function nextKey(key: Uint8Array): Uint8Array {
  const next = new Uint8Array(key.length + 1);
  next.set(key);
  return next;
}
