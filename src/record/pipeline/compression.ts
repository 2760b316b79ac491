/**
 * Compression of encoded items: a registry of algorithms by the byte that stands in an item's header, and the rule when it
 * is worth while. Does not own: encryption, which comes after it, for ciphertext does not compress.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { StillwaterError } from "../../platform/errors.js";
import { corruptItem } from "./item-errors.js";

export interface Compression {
  /** In the header of each item: 1 to 127 are ours, 128 to 255 anybody's. 0 is no compression. */
  readonly id: number;
  readonly name: string;
  compress(bytes: Uint8Array): Uint8Array;
  /** `length`: of the result; a result of any other length is damage. Throws anything for bytes it has not made. */
  decompress(bytes: Uint8Array, length: number): Uint8Array;
}

/** zlib's deflate without header or checksum, which the store has of its own. Level 6 is zlib's default. */
export const DEFLATE: Compression = {
  id: 1,
  name: "deflate",
  compress: (bytes) => deflateRawSync(bytes, { level: constants.Z_DEFAULT_COMPRESSION }),
  decompress: (bytes, length) => inflateRawSync(bytes, { maxOutputLength: Math.max(1, length) }),
};

/** Below this nothing is gained (features DF-63). */
export const COMPRESSED_BYTES_MIN = 100;

/** Null when it is not worth it: short, or not shorter afterwards. */
export function compressed(algorithm: Compression, bytes: Uint8Array): Uint8Array | null {
  if (bytes.length < COMPRESSED_BYTES_MIN) return null;
  const result = algorithm.compress(bytes);
  return result.length < bytes.length ? result : null;
}

/** Throws `ITEM_CORRUPT`. */
export function decompressed(algorithm: Compression, bytes: Uint8Array, length: number): Uint8Array {
  let result: Uint8Array;
  try {
    result = algorithm.decompress(bytes, length);
  } catch (cause) {
    throw corruptItem(`an item does not decompress with ${algorithm.name}.`, cause);
  }
  if (result.length === length) return result;
  throw corruptItem(`an item decompresses to ${result.length} bytes, but had ${length}.`);
}

/** The algorithm with this id among `known`. Throws `UNSUPPORTED_FORMAT`. */
export function compressionById(known: readonly Compression[], id: number): Compression {
  const found = known.find((algorithm) => algorithm.id === id);
  if (found !== undefined) return found;
  throw new StillwaterError(
    "UNSUPPORTED_FORMAT",
    `the item was compressed with algorithm ${id}, which is not registered. Register it to read the item.`,
  );
}
