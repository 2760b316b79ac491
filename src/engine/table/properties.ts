/**
 * What a table says of itself: bounds, versions and counts. Written at the end by the builder, checked against the
 * manifest by whoever opens the table, and against the rows by `verify`.
 *
 * Payload, in varints, in the order of the fields below; a key is its length and its bytes; `largestExclusive` is 0
 * or 1. The bounds include the range tombstones.
 */
import { ByteReader, ByteWriter } from "../format/byte-io.js";

export interface TableSummary {
  readonly fileNumber: number;
  /** Size of the file. */
  readonly bytes: number;
  readonly smallest: Uint8Array;
  readonly largest: Uint8Array;
  /** The upper bound is the end of a range tombstone and no key of the table is equal to it. */
  readonly largestExclusive: boolean;
  /** Over rows and range tombstones. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Rows: puts and deletes, every version. */
  readonly entryCount: number;
  /** Of the rows, deletes. */
  readonly tombstoneCount: number;
  /** Range tombstones after fragmentation: the sum of the fragments' versions. */
  readonly rangeTombstoneCount: number;
  /** Key and value bytes of all rows. */
  readonly rawBytes: number;
}

/** The summary without what the footer and the file system know. */
export type TableProperties = Omit<TableSummary, "fileNumber" | "bytes">;

export function encodeProperties(properties: TableProperties): Uint8Array {
  return new ByteWriter()
    .bytes(properties.smallest)
    .bytes(properties.largest)
    .uint(properties.largestExclusive ? 1 : 0)
    .uint(properties.minVersion)
    .uint(properties.maxVersion)
    .uint(properties.entryCount)
    .uint(properties.tombstoneCount)
    .uint(properties.rangeTombstoneCount)
    .uint(properties.rawBytes)
    .finish();
}

/** The properties of a payload, or null when it holds none. */
export function decodeProperties(payload: Uint8Array): TableProperties | null {
  try {
    const reader = new ByteReader(payload);
    const properties: TableProperties = {
      smallest: reader.bytes(),
      largest: reader.bytes(),
      largestExclusive: reader.uint() === 1,
      minVersion: reader.uint(),
      maxVersion: reader.uint(),
      entryCount: reader.uint(),
      tombstoneCount: reader.uint(),
      rangeTombstoneCount: reader.uint(),
      rawBytes: reader.uint(),
    };
    return reader.atEnd ? properties : null;
  } catch (error) {
    // Reading past the end is how a payload that holds no properties shows itself.
    if (error instanceof RangeError) return null;
    throw error;
  }
}
