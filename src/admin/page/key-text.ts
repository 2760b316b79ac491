/**
 * Keys for people. Without being told, a key that is plain text is shown as that, one that unpacks as a tuple unpacked, and any other
 * as text with the other bytes as \xNN. Nothing that is shown can break a line, hide or turn around what stands beside it.
 */

import { Float32, Float64, type TupleElement, Uuid, Versionstamp } from "../../keyspace/tuple-elements.js";
import { TupleReader } from "../../keyspace/tuple-reader.js";
import { StillwaterError } from "../../platform/errors.js";
import { hexByte, hexOf, type TextEncoding, textOfBytes, utf8Of } from "./bytes.js";

/** `auto` chooses for each key. */
export type KeyStyle = "auto" | "tuple" | TextEncoding;

export interface KeyText {
  readonly text: string;
  /** What the text is, which may be less than what was asked for: bytes are not always UTF-8, nor a tuple. */
  readonly form: "text" | "tuple" | "bytes" | "hex" | "base64url";
}

export function keyTextOf(key: Uint8Array, style: KeyStyle): KeyText {
  if (style === "hex" || style === "base64url") return { text: textOfBytes(key, style) ?? "", form: style };
  const text = utf8Of(key);
  if (text !== null && (style === "utf8" || (style === "auto" && !UNSEEN.test(text) && text !== "")))
    return { text: escapeUnseen(text), form: "text" };
  const tuple = style === "utf8" ? null : tupleText(key);
  return tuple === null ? { text: escapedBytes(key), form: "bytes" } : { text: tuple, form: "tuple" };
}

/** Controls, line and paragraph ends, marks of direction, and what has no width: none of them shows where it stands. */
const UNSEEN = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;
/** Of a text with lines and tabs of its own. */
export const UNSEEN_BUT_LINES =
  /(?![\t\n])[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Co}\p{Cf}\p{Default_Ignorable_Code_Point}]/u;

/** Each character that would not show as \u{…}. */
export function escapeUnseen(text: string, unseen: RegExp = UNSEEN): string {
  if (!unseen.test(text)) return text;
  return text.replaceAll(
    new RegExp(unseen, "gu"),
    (one) => `\\u{${(one.codePointAt(0) as number).toString(16)}}`,
  );
}

/** Printable ASCII as it is, a backslash twice, every other byte as \xNN. */
export function escapedBytes(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0x5c) text += "\\\\";
    else text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${hexByte(byte)}`;
  }
  return text;
}

/** Null where the bytes are no tuple, or the empty one. */
export function tupleText(key: Uint8Array): string | null {
  if (key.length === 0) return null;
  try {
    const reader = new TupleReader(key);
    const parts: string[] = [];
    while (!reader.atEnd) parts.push(elementText(reader.element()));
    return `(${parts.join(", ")})`;
  } catch (error) {
    if (error instanceof StillwaterError) return null;
    throw error;
  }
}

function elementText(element: TupleElement): string {
  if (typeof element === "string") return escapeUnseen(JSON.stringify(element));
  if (element instanceof Uint8Array) return `bytes ${hexOf(element) || "of length 0"}`;
  if (element instanceof Uuid) return `uuid ${element}`;
  if (element instanceof Float32) return `float ${numberText(element.value)}`;
  if (element instanceof Float64) return `double ${numberText(element.value)}`;
  if (element instanceof Versionstamp) return `versionstamp ${versionstampText(element)}`;
  if (Array.isArray(element)) return `(${(element as readonly TupleElement[]).map(elementText).join(", ")})`;
  return typeof element === "number" ? numberText(element) : String(element);
}

function versionstampText({ transaction, user }: Versionstamp): string {
  return `${transaction === null ? "" : hexOf(transaction)}:${user}`;
}

/** Zero below zero has a key of its own. */
function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
