/**
 * The last 64 bytes of a table, from which everything else is found. Its own checksum is always crc32, so that it can
 * be proved before any field of it is believed, the one that names the algorithm of the blocks included.
 *
 *     0    u64  bytes of all data blocks
 *     8    u64  stored bytes of the range tombstone block, 0 when there is none
 *     16   u64  stored bytes of the filter block, 0 when there is none
 *     24   u64  stored bytes of the index block
 *     32   u64  stored bytes of the properties block
 *     40   u64  number of the table
 *     48   u16  format version
 *     50   u8   checksum algorithm of the blocks: 1 crc32, 2 blake3
 *     51   u8   compression of data blocks: 0 never, 1 deflate where it pays
 *     52   u32  crc32 over [0, 52), bound to table number and file offset
 *     56   8 bytes "STILLSST"
 */
import { CorruptionError, StillwaterError } from "../../platform/errors.js";
import { type ChecksumAlgorithm, checksumById, checksumByName } from "../format/checksum.js";
import { readUint64, writeUint64 } from "../format/frame.js";
import { requireKnownCompression } from "./compression.js";
import { TABLE_FORMAT_VERSION } from "./format.js";

export const FOOTER_BYTES = 64;

const SUM_AT = 52;
const MAGIC = Uint8Array.from("STILLSST", (character) => character.charCodeAt(0));

export interface Footer {
  readonly dataBytes: number;
  readonly rangeTombstoneBytes: number;
  readonly filterBytes: number;
  readonly indexBytes: number;
  readonly propertiesBytes: number;
  readonly fileNumber: number;
  readonly checksum: ChecksumAlgorithm;
  readonly compressionId: number;
}

export function encodeFooter(footer: Footer, fileOffset: number): Uint8Array {
  const bytes = new Uint8Array(FOOTER_BYTES);
  writeUint64(bytes, 0, footer.dataBytes);
  writeUint64(bytes, 8, footer.rangeTombstoneBytes);
  writeUint64(bytes, 16, footer.filterBytes);
  writeUint64(bytes, 24, footer.indexBytes);
  writeUint64(bytes, 32, footer.propertiesBytes);
  writeUint64(bytes, 40, footer.fileNumber);
  bytes[48] = TABLE_FORMAT_VERSION & 0xff;
  bytes[49] = TABLE_FORMAT_VERSION >>> 8;
  bytes[50] = footer.checksum.id;
  bytes[51] = footer.compressionId;
  checksumByName("crc32").write(bytes, SUM_AT, footer.fileNumber, fileOffset, bytes, 0, SUM_AT);
  bytes.set(MAGIC, SUM_AT + 4);
  return bytes;
}

/**
 * The footer that stands at `fileOffset` of table `fileNumber`. Throws `CORRUPTION` when the bytes are not one, and
 * `UNSUPPORTED_FORMAT` when a later version of Stillwater wrote them.
 */
export function decodeFooter(
  bytes: Uint8Array,
  fileNumber: number,
  fileOffset: number,
  path: string,
): Footer {
  const place = { path, offset: fileOffset };
  for (let i = 0; i < MAGIC.length; i++) {
    if (bytes[SUM_AT + 4 + i] !== MAGIC[i])
      throw new CorruptionError("the file does not end as a table does", place);
  }
  if (!checksumByName("crc32").verify(bytes, SUM_AT, fileNumber, fileOffset, bytes, 0, SUM_AT)) {
    throw new CorruptionError("the footer of a table does not verify", place);
  }
  const version = (bytes[48] as number) | ((bytes[49] as number) << 8);
  if (version !== TABLE_FORMAT_VERSION) {
    throw new StillwaterError(
      "UNSUPPORTED_FORMAT",
      `${path} has table format ${version}; this version of Stillwater reads format ${TABLE_FORMAT_VERSION}. ` +
        "Open the store with the version that wrote it.",
      { path },
    );
  }
  requireKnownCompression(bytes[51] as number, path, fileOffset);
  const footer: Footer = {
    dataBytes: readUint64(bytes, 0),
    rangeTombstoneBytes: readUint64(bytes, 8),
    filterBytes: readUint64(bytes, 16),
    indexBytes: readUint64(bytes, 24),
    propertiesBytes: readUint64(bytes, 32),
    fileNumber: readUint64(bytes, 40),
    checksum: checksumById(bytes[50] as number, path),
    compressionId: bytes[51] as number,
  };
  const sections =
    footer.rangeTombstoneBytes + footer.filterBytes + footer.indexBytes + footer.propertiesBytes;
  if (footer.dataBytes + sections !== fileOffset || footer.fileNumber !== fileNumber) {
    throw new CorruptionError("the footer of a table does not describe this file", place);
  }
  return footer;
}
