/**
 * Rows as newline-delimited JSON, `{"key":…,"value":…}` a line, in one of three encodings of bytes as text. Promise: what is
 * written reads back as the same bytes; what cannot be (bytes that are no UTF-8 in the encoding "text") is an error, never a
 * replacement character; all rows are of one version, whatever is committed meanwhile.
 */
import { StillwaterError } from "../platform/errors.js";
import type { ScanOptions } from "./range.js";
import type { StoreIterator } from "./read/store-iterator.js";

export type RowEncoding = "text" | "hex" | "base64";

export interface ExportOptions extends ScanOptions {
  /** How keys and values are written. Default `base64`, which every byte string has. */
  readonly encoding?: RowEncoding;
}

/** A store, or one that is only read. */
export interface RowSource {
  iterator(options?: ScanOptions): StoreIterator;
}

/** Text that is collected before it is given out. */
const CHUNK_CHARACTERS = 64 * 1024;
const ENCODINGS: readonly RowEncoding[] = ["text", "hex", "base64"];

/**
 * The rows of a range in key order, as pieces of text that end at the end of a line. They are those of the snapshot given,
 * else of the moment at which the first piece is asked for. Throws `UNKNOWN_OPTION`, `INVALID_ARGUMENT`, and what reads throw.
 */
export function* exportRows(source: RowSource, options: ExportOptions = {}): Generator<string, void, void> {
  const { encoding = "base64", ...range } = options;
  if (!ENCODINGS.includes(encoding)) {
    throw new StillwaterError("INVALID_ARGUMENT", `encoding must be one of ${ENCODINGS.join(", ")}.`);
  }
  const iterator = source.iterator(range);
  try {
    let text = "";
    while (iterator.next()) {
      const key = encodeBytes(iterator.key, encoding, "a key");
      const value = encodeBytes(iterator.value, encoding, `the value of ${JSON.stringify(key)}`);
      text += `${JSON.stringify({ key, value })}\n`;
      if (text.length < CHUNK_CHARACTERS) continue;
      yield text;
      text = "";
    }
    if (text !== "") yield text;
  } finally {
    iterator.close();
  }
}

/** Throws `INVALID_ARGUMENT` for bytes that are no text in the text encoding. */
export function encodeBytes(bytes: Uint8Array, encoding: RowEncoding, what: string): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (encoding !== "text") return view.toString(encoding);
  const text = decodeUtf8(view);
  if (text !== null) return text;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `${what} is not UTF-8 text (it begins with hex ${view.toString("hex", 0, 16)}). Use another encoding: hex or base64 (--hex or --base64 on the command line).`,
  );
}

const STRICT_UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Null when the bytes are no UTF-8. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return STRICT_UTF8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}
