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
 * Does not own: which settings there are (`pipeline-options.ts`), splitting what is too large for one value
 * (`large-values.ts`), schemas.
 */
import { isUtf8 } from "node:buffer";
import { StillwaterError } from "../../platform/errors.js";
import type { Random } from "../../platform/platform.js";
import type { Codec, CodecRegistry } from "./codec.js";
import { type Compression, type CompressionRegistry, compressed, decompressed } from "./compression.js";
import { checkEncryptionKey, decrypt, type EncryptionKey, encrypt, type KeyProvider } from "./encryption.js";
import { corruptItem } from "./item-errors.js";

export interface PipelineSettings {
  readonly codec: Codec;
  /** For reading what other settings have written. */
  readonly codecs: CodecRegistry;
  /** Null: items are stored as the codec gives them. */
  readonly compression: Compression | null;
  readonly compressions: CompressionRegistry;
  /** Null: items are not encrypted; encrypted ones cannot be read. */
  readonly keys: KeyProvider | null;
  /** Whether items in clear are read although there are keys. */
  readonly readUnencrypted: boolean;
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

  /** `place`: the key under which the item will be stored. Throws `INVALID_ITEM`, `ITEM_TOO_LARGE`. */
  encode(item: unknown, place: Uint8Array): Uint8Array {
    const { codec, compression, keys, random } = this.#settings;
    if (compression === null && keys === null) return this.#plain(item);
    const encoded = codec.encode(item);
    const short = compression === null ? null : compressed(compression, encoded);
    const key = keys?.current() ?? null;
    const header = writeHeader(codec.id, short === null ? null : compression, encoded.length, key);
    const body = short ?? encoded;
    return key === null ? join(header, body) : encrypt(key, body, header, place, random);
  }

  /**
   * Throws `ITEM_CORRUPT`, `UNSUPPORTED_FORMAT`, `DECRYPTION_FAILED`, `UNKNOWN_ENCRYPTION_KEY`, `ITEM_NOT_ENCRYPTED`; and
   * `INVALID_ARGUMENT` for a key that is none.
   */
  decode(stored: Uint8Array, place: Uint8Array): unknown {
    const { codecs, compressions, keys, readUnencrypted } = this.#settings;
    const header = readHeader(stored);
    if (header.keyId === null && keys !== null && !readUnencrypted) throw notEncrypted();
    const codec = codecs.byId(header.codec);
    let body =
      header.keyId === null
        ? stored.subarray(header.end)
        : decrypt(this.#key(header.keyId), stored, header.end, place);
    if (header.compression !== 0) {
      body = decompressed(compressions.byId(header.compression), body, header.plainBytes);
    }
    try {
      return codec.decode(body);
    } catch (cause) {
      if (cause instanceof StillwaterError) throw cause;
      throw corruptItem(`an item is nothing that the codec "${codec.name}" has written.`, cause);
    }
  }

  /** The way of most items: one piece of memory, which the codec fills behind the header. */
  #plain(item: unknown): Uint8Array {
    const { codec } = this.#settings;
    const stored =
      codec.encodeBehind?.(item, HEADER_BYTES) ?? join(new Uint8Array(HEADER_BYTES), codec.encode(item));
    stored[0] = FORMAT;
    stored[1] = codec.id;
    stored[2] = 0;
    stored[3] = 0;
    return stored;
  }

  #key(id: string): EncryptionKey {
    const key = this.#settings.keys?.byId(id);
    if (key === undefined) {
      throw new StillwaterError(
        "UNKNOWN_ENCRYPTION_KEY",
        `an item is encrypted with the key "${id}", which the key provider does not have. Add it to the former keys.`,
      );
    }
    checkEncryptionKey(key);
    return key;
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

function writeHeader(
  codec: number,
  compression: Compression | null,
  plainBytes: number,
  key: EncryptionKey | null,
): Uint8Array {
  if (key !== null) checkEncryptionKey(key);
  const keyId = key === null ? null : Buffer.from(key.id, "utf8");
  const header = new Uint8Array(
    HEADER_BYTES + (compression === null ? 0 : LENGTH_BYTES) + (keyId === null ? 0 : 1 + keyId.length),
  );
  header.set([FORMAT, codec, compression?.id ?? 0, keyId === null ? 0 : 1]);
  let at = HEADER_BYTES;
  if (compression !== null) {
    new DataView(header.buffer).setUint32(at, plainBytes, true);
    at += LENGTH_BYTES;
  }
  if (keyId !== null) {
    header[at] = keyId.length;
    header.set(keyId, at + 1);
  }
  return header;
}

function readHeader(stored: Uint8Array): Header {
  if (stored.length < HEADER_BYTES) throw cutOff();
  // Four bytes are there.
  const format = stored[0] as number;
  const codec = stored[1] as number;
  const compression = stored[2] as number;
  const encryption = stored[3] as number;
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
  const keyId = Buffer.from(stored.subarray(at + 1, at + 1 + length));
  if (length === 0 || !isUtf8(keyId)) throw corruptItem("an item is encrypted with a key whose id is none.");
  return { codec, compression, plainBytes, keyId: keyId.toString("utf8"), end: at + 1 + length };
}

/** Who may write to the store could put an item in clear in place of an encrypted one, and nothing would vouch for it. */
function notEncrypted(): StillwaterError {
  return new StillwaterError(
    "ITEM_NOT_ENCRYPTED",
    "an item is stored in clear, though items are encrypted. If it was written before they were, set " +
      "encryption.readUnencrypted until all are written anew.",
  );
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
