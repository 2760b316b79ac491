/** Keys and values as people type them: text, hexadecimal, base64url, or a tuple as a JSON list. Owns what is refused, and why. */
import { pack } from "../../keyspace/tuple.js";
import type { Tuple } from "../../keyspace/tuple-elements.js";
import { StillwaterError } from "../../platform/errors.js";
import { bytesOfText, type TextEncoding } from "./bytes.js";
import { Problem } from "./problem.js";

export const INPUT_FORMS = ["utf8", "hex", "base64url", "tuple"] as const;
export type InputForm = (typeof INPUT_FORMS)[number];

export const FORM_NAMES: Readonly<Record<InputForm, string>> = {
  utf8: "text",
  hex: "hex",
  base64url: "base64url",
  tuple: "tuple (JSON)",
};

/** Throws a `Problem` that says what the text should be. */
export function bytesOfInput(text: string, form: InputForm): Uint8Array {
  if (form === "tuple") return packedTuple(text);
  const bytes = bytesOfText(text, form);
  if (bytes === null) throw refused(REFUSALS[form]);
  return bytes;
}

const REFUSALS: Readonly<Record<TextEncoding, string>> = {
  utf8: "this text has half a surrogate pair, which UTF-8 cannot say. Use hex.",
  hex: "this is not hexadecimal: pairs of the digits 0 to 9 and a to f.",
  base64url: 'this is not base64url: letters, digits, "-" and "_", without padding.',
};

function packedTuple(text: string): Uint8Array {
  if (/(?<![\d.])\d{16,}/.test(text.replaceAll(/"(?:[^"\\]|\\.)*"/g, "")))
    throw refused("a number here has more digits than JSON keeps. Give the key in hex.");
  try {
    const tuple: unknown = JSON.parse(text);
    if (!Array.isArray(tuple)) throw refused('a tuple is a JSON list here, for example ["orders", 2026].');
    // What is no element is refused by the packing.
    return pack(tuple as Tuple);
  } catch (error) {
    if (error instanceof SyntaxError) throw refused('this is no JSON list: ["orders", 2026] would be one.');
    if (error instanceof StillwaterError) throw refused(`${error.message}.`);
    throw error;
  }
}

function refused(message: string): Problem {
  return new Problem("INVALID_INPUT", 0, message);
}
