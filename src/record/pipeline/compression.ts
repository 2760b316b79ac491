/**
 * Compression of encoded items: the algorithms that are there, and the rule when it is worth while. Does not own: encryption,
 * which comes after it, for ciphertext does not compress.
 */
import * as zlib from "node:zlib";
import { StillwaterError } from "../../platform/errors.js";
import { corruptItem } from "./item-errors.js";
import { Registry } from "./registry.js";

/** Makes bytes fewer and whole again; one of your own has an id from 128. */
export interface Compression {
  /** In the header of each item: 1 to 127 are ours, 128 to 255 anybody's. 0 is no compression. */
  readonly id: number;
  readonly name: string;
  compress(bytes: Uint8Array): Uint8Array;
  /** `length`: of the result; a result of any other length is damage. Throws anything for bytes it has not made. */
  decompress(bytes: Uint8Array, length: number): Uint8Array;
}

/** zlib's deflate without header or checksum, which the store has of its own. */
export const DEFLATE: Compression = {
  id: 1,
  name: "deflate",
  compress: (bytes) => zlib.deflateRawSync(bytes),
  decompress: (bytes, length) => wholly(zlib.inflateRawSync, bytes, length),
};

/** Deflate with 18 bytes more: a header and a CRC-32, for readers that want them. */
export const GZIP: Compression = {
  id: 2,
  name: "gzip",
  compress: (bytes) => zlib.gzipSync(bytes),
  decompress: (bytes, length) => wholly(zlib.gunzipSync, bytes, length),
};

/** Brotli knows common words beforehand, which pays for short texts. Its best quality would take 40 times as long. */
const BROTLI_QUALITY = 5;

export const BROTLI: Compression = {
  id: 3,
  name: "brotli",
  compress: (bytes) =>
    zlib.brotliCompressSync(bytes, {
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
      },
    }),
  decompress: (bytes, length) => wholly(zlib.brotliDecompressSync, bytes, length),
};

/** The algorithms that a store knows. */
export class CompressionRegistry extends Registry<Compression> {
  /** Throws `INVALID_ARGUMENT`. */
  constructor(own: readonly Compression[], foreign: readonly Compression[] = []) {
    super("compression", own, foreign);
  }
}

/** Below this nothing is gained (features DF-63). */
export const COMPRESSED_BYTES_MIN = 100;

/** What an item may come to when it is decompressed: a damaged length must not take all memory. */
export const PLAIN_BYTES_MAX = 1 << 28;

/** Null when it is not worth it: short, or not shorter afterwards. Throws `ITEM_TOO_LARGE`. */
export function compressed(algorithm: Compression, bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < COMPRESSED_BYTES_MIN) return null;
  if (bytes.length > PLAIN_BYTES_MAX) {
    throw new StillwaterError(
      "ITEM_TOO_LARGE",
      `an item of ${bytes.length} bytes is larger than ${PLAIN_BYTES_MAX}. Split it into several.`,
    );
  }
  const result = algorithm.compress(bytes);
  return result.length < bytes.length ? result : null;
}

/** Throws `ITEM_CORRUPT`. */
export function decompressed(algorithm: Compression, bytes: Uint8Array, length: number): Uint8Array {
  if (length > PLAIN_BYTES_MAX) throw corruptItem(`an item says that it had ${length} bytes.`);
  let result: Uint8Array;
  try {
    result = algorithm.decompress(bytes, length);
  } catch (cause) {
    throw corruptItem(`an item does not decompress with ${algorithm.name}.`, cause);
  }
  if (result.length === length) return result;
  throw corruptItem(`an item decompresses to ${result.length} bytes, but had ${length}.`);
}

/** zlib stops at the end of what was compressed and says nothing of bytes behind it. */
function wholly(
  inflate: (bytes: Uint8Array, options: zlib.ZlibOptions & zlib.BrotliOptions) => Uint8Array,
  bytes: Uint8Array,
  length: number,
): Uint8Array {
  // With `info` they return this, which their types do not say.
  const { buffer, engine } = inflate(bytes, {
    info: true,
    maxOutputLength: Math.max(1, length),
  }) as unknown as { readonly buffer: Uint8Array; readonly engine: { readonly bytesWritten: number } };
  if (engine.bytesWritten === bytes.length) return buffer;
  throw new Error(`${bytes.length - engine.bytesWritten} bytes follow the end of the compressed data`);
}
