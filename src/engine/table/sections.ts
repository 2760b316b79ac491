/**
 * Reads and proves what stands behind the data blocks of a table: footer, properties, index, filter and range
 * tombstones. Damage to any of them is a `CorruptionError` that names file and offset, with one exception: a filter
 * only saves work, so a filter that cannot be read is left out and answers stay right.
 */
import { CorruptionError, hasCode } from "../../platform/errors.js";
import type { VFile } from "../../platform/vfs.js";
import type { RangeFragment } from "../memtable/range-tombstones.js";
import { BloomFilter } from "./filter.js";
import { decodeFooter, FOOTER_BYTES, type Footer } from "./footer.js";
import { openBlock } from "./format.js";
import { TableIndex } from "./index-block.js";
import { decodeProperties, type TableProperties } from "./properties.js";
import { countRangeTombstones, decodeRangeTombstones } from "./range-tombstone-block.js";

export interface TableSections {
  readonly footer: Footer;
  readonly properties: TableProperties;
  readonly index: TableIndex;
  readonly filter: BloomFilter | null;
  /** Why `filter` is null although the table has one. */
  readonly filterError: Error | null;
  readonly rangeTombstones: readonly RangeFragment[];
}

/** Throws `CORRUPTION`, `UNSUPPORTED_FORMAT` and what the file throws. */
export function readSections(file: VFile, fileNumber: number, expectedBytes: number): TableSections {
  const { path } = file;
  const size = file.size();
  if (size !== expectedBytes || size < FOOTER_BYTES) {
    throw new CorruptionError(`the table has ${size} bytes, but was written with ${expectedBytes}`, { path });
  }
  const footerAt = size - FOOTER_BYTES;
  const footer = decodeFooter(readBytes(file, footerAt, FOOTER_BYTES), fileNumber, footerAt, path);
  const tombstonesAt = footer.dataBytes;
  const filterAt = tombstonesAt + footer.rangeTombstoneBytes;
  const indexAt = filterAt + footer.filterBytes;
  const propertiesAt = indexAt + footer.indexBytes;

  const properties = decodeProperties(
    readSection(file, footer, propertiesAt, footer.propertiesBytes, "properties"),
  );
  if (properties === null) throw malformed("properties", path, propertiesAt);

  const index = TableIndex.decode(
    readSection(file, footer, indexAt, footer.indexBytes, "index"),
    footer.dataBytes,
  );
  if (index === null) throw malformed("index", path, indexAt);

  let rangeTombstones: RangeFragment[] | null = [];
  if (footer.rangeTombstoneBytes > 0) {
    const payload = readSection(file, footer, tombstonesAt, footer.rangeTombstoneBytes, "range tombstones");
    rangeTombstones = decodeRangeTombstones(payload);
  }
  if (rangeTombstones === null || countRangeTombstones(rangeTombstones) !== properties.rangeTombstoneCount) {
    throw malformed("range tombstones", path, tombstonesAt);
  }

  let filter: BloomFilter | null = null;
  let filterError: Error | null = null;
  if (footer.filterBytes > 0) {
    try {
      filter = BloomFilter.decode(readSection(file, footer, filterAt, footer.filterBytes, "filter"));
      if (filter === null) throw malformed("filter", path, filterAt);
    } catch (error) {
      if (!hasCode(error, "CORRUPTION") && !hasCode(error, "IO")) throw error;
      filterError = error;
    }
  }
  return { footer, properties, index, filter, filterError, rangeTombstones };
}

/** The payload of the stored block at `offset`, in memory of its own. */
function readSection(file: VFile, footer: Footer, offset: number, length: number, what: string): Uint8Array {
  const bytes = readBytes(file, offset, length);
  const payloadBytes = openBlock(footer, bytes, 0, length, offset);
  if (payloadBytes < 0) {
    throw new CorruptionError(`the bytes of a table's ${what} do not verify`, { path: file.path, offset });
  }
  return bytes.subarray(0, payloadBytes);
}

function readBytes(file: VFile, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  if (file.read(bytes, 0, length, offset) !== length) {
    throw new CorruptionError("the table ends early", { path: file.path, offset });
  }
  return bytes;
}

function malformed(what: string, path: string, offset: number): CorruptionError {
  return new CorruptionError(`the contents of a table's ${what} are malformed`, { path, offset });
}
