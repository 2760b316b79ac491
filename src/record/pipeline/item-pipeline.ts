/**
 * An item on its way to the store and back: encoded, compressed, encrypted (features DF-62). Owns the header that says what
 * was done, so that an item is read whatever the settings are by then, and its checks. Index entries do not come through here.
 *
 *     byte 0   format, 1
 *     byte 1   codec
 *     byte 2   compression, 0 for none; then the length before it follows in 4 bytes, little-endian
 *     byte 3   1 when encrypted with AES-256-GCM; then the length of the key's id follows in one byte, and the id
 *     …        the encoded item; encrypted: nonce, ciphertext, tag
 *
 * Does not own: splitting what is too large for one value (`large-values.ts`), schemas.
 */
import { StillwaterError } from "../../platform/errors.js";
import type { Random } from "../../platform/platform.js";
import type { Codec, CodecRegistry } from "./codec.js";
import { type Compression, compressed, compressionById, decompressed } from "./compression.js";
import { decrypt, encrypt, type KeyProvider } from "./encryption.js";
import { corruptItem } from "./item-errors.js";

export interface PipelineSettings {
  readonly codec: Codec;
  /** For reading what other settings have written. */
  readonly codecs: CodecRegistry;
  /** Null: items are stored as the codec gives them. */
  readonly compression: Compression | null;
  readonly compressions: readonly Compression[];
  /** Null: items are not encrypted; encrypted ones cannot be read. */
  readonly keys: KeyProvider | null;
  readonly random: Random;
}

const FORMAT = 1;
const HEADER_BYTES = 4;
const LENGTH_BYTES = 4;

export class ItemPipeline {
  readonly #settings: PipelineSettings;

  constructor(settings: PipelineSettings) {
    this.#settings = settings;
  }

  /** `place`: the key under which the item will be stored. Throws `INVALID_ITEM`. */
  encode(item: unknown, place: Uint8Array): Uint8Array {
    const { codec, compression, keys, random } = this.#settings;
    const encoded = codec.encode(item);
    const short = compression === null ? null : compressed(compression, encoded);
    const body = short ?? encoded;
    const key = keys?.current() ?? null;
    const keyId = key === null ? null : Buffer.from(key.id, "utf8");
    const header = new Uint8Array(
      HEADER_BYTES + (short === null ? 0 : LENGTH_BYTES) + (keyId === null ? 0 : 1 + keyId.length),
    );
    header.set([FORMAT, codec.id, short === null ? 0 : (compression?.id ?? 0), keyId === null ? 0 : 1]);
    let at = HEADER_BYTES;
    if (short !== null) {
      new DataView(header.buffer).setUint32(at, encoded.length, true);
      at += LENGTH_BYTES;
    }
    if (keyId !== null) {
      header[at] = keyId.length;
      header.set(keyId, at + 1);
    }
    return join(header, key === null ? body : encrypt(key, body, join(header, place), random));
  }

  /** Throws `ITEM_CORRUPT`, `UNSUPPORTED_FORMAT`, `DECRYPTION_FAILED`, `UNKNOWN_ENCRYPTION_KEY`. */
  decode(stored: Uint8Array, place: Uint8Array): unknown {
    const { codecs, compressions } = this.#settings;
    const header = readHeader(stored);
    const codec = codecs.byId(header.codec);
    let body = stored.subarray(header.end);
    if (header.keyId !== null) {
      body = decrypt(this.#key(header.keyId), body, join(stored.subarray(0, header.end), place));
    }
    if (header.compression !== 0) {
      body = decompressed(compressionById(compressions, header.compression), body, header.plainBytes);
    }
    return codec.decode(body);
  }

  #key(id: string): ReturnType<KeyProvider["current"]> {
    const key = this.#settings.keys?.byId(id);
    if (key !== undefined) return key;
    throw new StillwaterError(
      "UNKNOWN_ENCRYPTION_KEY",
      `an item is encrypted with the key "${id}", which the key provider does not have. Add it to the former keys.`,
    );
  }
}

interface Header {
  readonly codec: number;
  readonly compression: number;
  /** Before compression. */
  readonly plainBytes: number;
  readonly keyId: string | null;
  readonly end: number;
}

function readHeader(stored: Uint8Array): Header {
  if (stored.length < HEADER_BYTES) throw cutOff();
  const [format, codec, compression, encryption] = stored as unknown as [number, number, number, number];
  if (format !== FORMAT || encryption > 1) {
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `an item has the format ${format}.${encryption}, and this version reads ${FORMAT}. Use a newer one.`,
    );
  }
  let at = HEADER_BYTES;
  let plainBytes = 0;
  if (compression !== 0) {
    if (stored.length < at + LENGTH_BYTES) throw cutOff();
    plainBytes = new DataView(stored.buffer, stored.byteOffset).getUint32(at, true);
    at += LENGTH_BYTES;
  }
  if (encryption === 0) return { codec, compression, plainBytes, keyId: null, end: at };
  const length = stored[at];
  if (length === undefined || stored.length < at + 1 + length) throw cutOff();
  const keyId = Buffer.from(stored.subarray(at + 1, at + 1 + length)).toString("utf8");
  return { codec, compression, plainBytes, keyId, end: at + 1 + length };
}

function cutOff(): StillwaterError {
  return corruptItem("an item ends within its header.");
}

function join(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
