/**
 * Keys and values as text. Three encodings: UTF-8 text (the default), hex and base64. Promise: what is printed reads
 * back as the same bytes; what cannot be (bytes that are no UTF-8, a lone surrogate) is an error, never a replacement
 * character.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { decodeUtf8, encodeBytes, type RowEncoding } from "../engine/exported-rows.js";

export { decodeUtf8, encodeBytes };
export type Encoding = RowEncoding;

export interface EncodingOptions {
  readonly hex?: true;
  readonly base64?: true;
}

export function withEncodings(command: Command): Command {
  return command
    .addOption(new Option("--hex", "keys and values are hexadecimal, in and out").conflicts("base64"))
    .addOption(new Option("--base64", "keys and values are base64, in and out"));
}

export function encodingOf(options: EncodingOptions): Encoding {
  if (options.hex === true) return "hex";
  return options.base64 === true ? "base64" : "text";
}

/** `what` names the text in the error. Throws `InvalidArgumentError`. */
export function decodeText(text: string, encoding: Encoding, what: string): Uint8Array {
  if (encoding === "hex" && !/^(?:[0-9a-f]{2})*$/i.test(text)) {
    throw new InvalidArgumentError(`${what} is not hexadecimal: pairs of the digits 0 to 9 and a to f.`);
  }
  const bytes = Buffer.from(text, encoding === "text" ? "utf8" : encoding);
  if (encoding === "base64" && bytes.toString("base64") !== text) {
    throw new InvalidArgumentError(`${what} is not base64 (the standard alphabet, padded with "=").`);
  }
  if (encoding === "text" && bytes.toString("utf8") !== text) {
    throw new InvalidArgumentError(`${what} is not valid Unicode text. Use --hex or --base64.`);
  }
  return bytes;
}

/** One line for people: control characters, backslashes and bytes that are no UTF-8 as \xNN. */
export function displayText(bytes: Uint8Array): string {
  const text = decodeUtf8(bytes);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (text !== null) return text.replace(/[\u0000-\u001f\u007f-\u009f\\\u2028\u2029]/g, escapeAll);
  return Buffer.from(bytes)
    .toString("latin1")
    .replace(/[^\u0020-\u007e]|\\/g, escapeAll);

  function escapeAll(character: string): string {
    if (text === null) return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
    return Buffer.from(character).toString("hex").replace(/../g, "\\x$&");
  }
}
