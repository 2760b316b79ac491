/**
 * An open table: point reads, cursors and range tombstones. Index, filter and range tombstones are in memory while it
 * is open; data blocks come through the block cache. Every block read from the file is proved by its checksum, which
 * is bound to table and offset; a block that fails is a `CorruptionError` for the reads that need it, and for no others.
 *
 * Owns the file handle and its share of the cache, and gives both back in `close`. Immutable, so never stale. Does
 * not know which of its rows are deleted by its own or other tables' range tombstones: whoever merges sources does.
 */
import type { VFile } from "../../platform/vfs.js";
import { KIND_PUT } from "../format/operation.js";
import type { RangeFragment } from "../memtable/range-tombstones.js";
import { BlockCache } from "./block-cache.js";
import { BlockFile } from "./block-file.js";
import { BlockWindow } from "./block-window.js";
import { CachedBlocks } from "./cached-blocks.js";
import { COMPRESSION_NONE } from "./compression.js";
import {
  baseVersionOf,
  bodyBytesOf,
  columnsBytes,
  FLAG_KINDS,
  FLAG_VERSIONS,
  flagsOf,
  rowCountOf,
  searchRows,
} from "./data-block.js";
import type { BloomFilter } from "./filter.js";
import type { TableIndex } from "./index-block.js";
import type { TableSummary } from "./properties.js";
import type { RowResult } from "./row-result.js";
import { readSections, type TableSections } from "./sections.js";
import { PinnedBlock, TableCursor } from "./table-cursor.js";
import { type TableVerification, verifyTable } from "./verify.js";

export interface TableOpenOptions {
  /** Becomes the reader's; not closed when `open` throws. */
  readonly file: VFile;
  readonly fileNumber: number;
  /** Size that the manifest knows. */
  readonly expectedBytes: number;
  /** Null: reads of single keys and cursors keep no block. */
  readonly cache: BlockCache | null;
}

export interface TableCursorOptions {
  /** False: read past the cache and prove every block, whether cached or not. For compaction. */
  readonly fillCache: boolean;
  /** How far a cursor that reads past the cache reads ahead. Default 64 KiB. */
  readonly readAheadBytes?: number;
}

const READ_AHEAD_BYTES_DEFAULT = 64 * 1024;

export class TableReader {
  readonly fileNumber: number;
  /** What the table says of itself. */
  readonly summary: TableSummary;
  /** Sorted, not overlapping, each with its versions newest first. */
  readonly rangeTombstones: readonly RangeFragment[];
  /** Why reads go without the table's filter, or null when nothing is wrong with it. */
  readonly filterError: Error | null;

  private readonly file: VFile;
  private readonly index: TableIndex;
  private readonly filter: BloomFilter | null;
  private readonly blockFile: BlockFile;
  private readonly blocks: CachedBlocks;
  private closed = false;

  /** Throws `CORRUPTION` (size, footer, index, properties, range tombstones), `UNSUPPORTED_FORMAT`, or file errors. */
  static open(options: TableOpenOptions): TableReader {
    return new TableReader(options, readSections(options.file, options.fileNumber, options.expectedBytes));
  }

  private constructor(options: TableOpenOptions, sections: TableSections) {
    const { file, fileNumber, expectedBytes, cache } = options;
    const { footer, index } = sections;
    this.fileNumber = fileNumber;
    this.summary = { fileNumber, bytes: expectedBytes, ...sections.properties };
    this.rangeTombstones = sections.rangeTombstones;
    this.filterError = sections.filterError;
    this.file = file;
    this.index = index;
    this.filter = sections.filter;
    this.blockFile = new BlockFile(
      file,
      fileNumber,
      footer.checksum,
      index,
      footer.compressionId !== COMPRESSION_NONE,
    );
    this.blocks = new CachedBlocks(
      this.blockFile,
      cache ?? new BlockCache({ capacityBytes: 0, slotBytes: 4 }),
    );
  }

  /** False only when the table has no row of a key with this hash (`hashKey`). */
  mayContain(hash: number): boolean {
    return this.filter === null || this.filter.mayContain(hash);
  }

  /**
   * Finds the newest row of `key` that is not newer than `version`, delete or put, and fills `out`. The value's bytes
   * are readable until the next call on the cache. Throws `CORRUPTION` when the one block where the row can be fails.
   */
  get(key: Uint8Array, keyHash: number, version: number, out: RowResult): boolean {
    if (this.filter !== null && !this.filter.mayContain(keyHash)) return false;
    const block = this.index.find(key, version);
    if (block === this.index.blockCount) return false;
    const { blocks } = this;
    blocks.locate(block, false);
    const { memory, base } = blocks;
    const found = searchRows(memory, base, key, key.length, version);
    if ((found & 1) === 0) return false;
    const row = found >>> 1;

    const { words, halves, bytes } = memory;
    const rowCount = rowCountOf(memory, base);
    const flags = flagsOf(memory, base);
    const offsetsAt = (base >> 1) + 8 + 2 * rowCount;
    const end = row + 1 < rowCount ? (halves[offsetsAt + row + 1] as number) : bodyBytesOf(memory, base);
    const start = (halves[offsetsAt + row] as number) + (halves[offsetsAt + rowCount + row] as number);
    const delta = (flags & FLAG_VERSIONS) !== 0 ? (words[(base >> 2) + 4 + 2 * rowCount + row] as number) : 0;
    out.version = baseVersionOf(memory, base) + delta;
    out.kind =
      (flags & FLAG_KINDS) !== 0
        ? (bytes[base + columnsBytes(rowCount, flags) - rowCount + row] as number)
        : KIND_PUT;
    out.valueBytes = bytes;
    out.valueStart = base + start;
    out.valueLength = end - start;
    return true;
  }

  /** Bytes of the blocks before the one where `key` would be. */
  bytesBefore(key: Uint8Array): number {
    return this.index.offsets[this.index.find(key, Number.MAX_SAFE_INTEGER)] as number; // one more than there are blocks
  }

  /** A cursor over all rows. Close it before the table. */
  cursor(options: TableCursorOptions): TableCursor {
    const source = options.fillCache
      ? new PinnedBlock(this.blocks)
      : new BlockWindow(this.blockFile, options.readAheadBytes ?? READ_AHEAD_BYTES_DEFAULT);
    return new TableCursor(this.index, source);
  }

  /** Reads the whole file anew and checks everything against everything else. Throws `CORRUPTION` at the first fault. */
  verify(): TableVerification {
    return verifyTable(this.file, this.fileNumber, this.summary.bytes);
  }

  /** Memory that the table takes while open, cached blocks apart. */
  get memoryBytes(): number {
    let tombstones = 0;
    for (const { begin, end, versions } of this.rangeTombstones) {
      tombstones += begin.length + end.length + 8 * versions.length;
    }
    const filter = this.filter === null ? 0 : this.filter.memoryBytes;
    return this.index.memoryBytes + this.blocks.memoryBytes + filter + tombstones;
  }

  /** Gives file and cache back. All cursors must be closed. Idempotent. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.blocks.drop();
    this.file.close();
  }
}
