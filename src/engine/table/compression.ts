/**
 * Block compression by id. `deflate` is raw DEFLATE (RFC 1951) at level 1 from Node's zlib: about 50 µs to pack and
 * 17 µs to unpack 4 KiB, so it is off by default. A block that does not shrink by an eighth is stored as it is.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import { StillwaterError } from "../../platform/errors.js";

export type CompressionName = "none" | "deflate";

export const COMPRESSION_NONE = 0;
export const COMPRESSION_DEFLATE = 1;

export function compressionId(name: CompressionName): number {
  return name === "deflate" ? COMPRESSION_DEFLATE : COMPRESSION_NONE;
}

/** The packed form of a block body, or null when packing does not pay. */
export function compressBody(id: number, body: Uint8Array): Uint8Array | null {
  if (id === COMPRESSION_NONE) return null;
  const packed = deflateRawSync(body, { level: 1 });
  return packed.length < body.length - (body.length >>> 3) ? packed : null;
}

/** The body of a packed block. Throws what zlib throws when the bytes are not a packed block. */
export function decompressBody(packed: Uint8Array): Uint8Array {
  return inflateRawSync(packed);
}

/** Throws `UNSUPPORTED_FORMAT` unless this version can read blocks with this compression. */
export function requireKnownCompression(id: number, path: string, offset: number): void {
  if (id === COMPRESSION_NONE || id === COMPRESSION_DEFLATE) return;
  throw new StillwaterError(
    "UNSUPPORTED_FORMAT",
    `compression ${id} in ${path} at byte ${offset} is not known to this version of Stillwater. ` +
      "Open the store with the version that wrote it.",
    { path, offset },
  );
}
