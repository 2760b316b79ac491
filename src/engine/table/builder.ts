/**
 * Writes one table, front to back, into a new file. Takes rows in internal order and range tombstones in key order,
 * and writes in chunks of at least `chunkBytes`; memory stays at a chunk, a block, four bytes a key for the filter and
 * the index. Does not sync and does not close: the file is durable, and may be referred to, only after the caller's
 * `syncData` and `syncDirectory`. After an error the file is garbage and the builder of no further use.
 *
 * Splitting is the caller's matter, who must not split the versions of one user key over two tables of a level.
 */
import { assert } from "../../platform/assert.js";
import { crashPoint, mutant } from "../../platform/probes.js";
import type { VFile } from "../../platform/vfs.js";
import { compareBytes, compareKeys, copyOf, EMPTY_BYTES } from "../format/bytes.js";
import type { ChecksumAlgorithm } from "../format/checksum.js";
import { hashKey } from "../format/hash.js";
import { KEY_BYTES_MAX, KIND_DELETE, KIND_PUT, VALUE_BYTES_MAX } from "../format/operation.js";
import type { RangeFragment } from "../memtable/range-tombstones.js";
import { wholeWords } from "./block-memory.js";
import { COMPRESSION_NONE, type CompressionName, compressBody, compressionId } from "./compression.js";
import { ADD_FULL, ADD_NEW_KEY, DataBlockBuilder, encodeSingleRow } from "./data-block-builder.js";
import { encodeFilter, filterBytes } from "./filter.js";
import { encodeFooter, FOOTER_BYTES } from "./footer.js";
import { BLOCK_BYTES_MAX, BLOCK_BYTES_MIN, sealBlock, storedBytes, type TableIdentity } from "./format.js";
import { IndexBuilder } from "./index-block.js";
import { encodeProperties, type TableProperties, type TableSummary } from "./properties.js";
import { assertFragments, countRangeTombstones, encodeRangeTombstones } from "./range-tombstone-block.js";

export interface TableBuilderOptions {
  /** New and empty. */
  readonly file: VFile;
  readonly fileNumber: number;
  /** Largest stored size of a block of more than one row. */
  readonly blockBytes: number;
  /** 0: no filter. */
  readonly bloomBitsPerKey: number;
  readonly checksum: ChecksumAlgorithm;
  readonly compression: CompressionName;
  /** Smallest write, the last ones apart. Default 64 KiB. */
  readonly chunkBytes?: number;
}

const CHUNK_BYTES_DEFAULT = 64 * 1024;

export class TableBuilder implements TableIdentity {
  readonly fileNumber: number;
  readonly checksum: ChecksumAlgorithm;

  private readonly file: VFile;
  private readonly compressionId: number;
  private readonly bloomBitsPerKey: number;
  private readonly chunkBytes: number;
  private readonly outputBytes: number;
  private readonly block: DataBlockBuilder;
  private readonly index = new IndexBuilder();
  /** Bytes of the chunk that wait in the output area of `block.memory`. */
  private chunkLength = 0;
  private writtenBytes = 0;
  /** Hash of each distinct key. */
  private hashes = new Uint32Array(64);
  private hashCount = 0;

  /** The last row of the newest finished block. */
  private lastKey: Uint8Array = EMPTY_BYTES;
  private lastVersion = 0;
  private firstKey: Uint8Array | null = null;
  private readonly fragments: RangeFragment[] = [];
  private minVersion = Number.MAX_SAFE_INTEGER;
  private maxVersion = 0;
  private entryCount = 0;
  private tombstoneCount = 0;
  private rawBytes = 0;
  private finished = false;

  constructor(options: TableBuilderOptions) {
    const { blockBytes, checksum } = options;
    assert(blockBytes >= BLOCK_BYTES_MIN && blockBytes <= BLOCK_BYTES_MAX, "a block has 64 bytes to 64 KiB");
    this.file = options.file;
    this.fileNumber = options.fileNumber;
    this.checksum = checksum;
    this.compressionId = compressionId(options.compression);
    this.bloomBitsPerKey = options.bloomBitsPerKey;
    this.chunkBytes = options.chunkBytes ?? CHUNK_BYTES_DEFAULT;
    this.outputBytes = wholeWords(this.chunkBytes + blockBytes);
    this.block = new DataBlockBuilder(blockBytes, checksum.bytes, this.outputBytes);
  }

  /** Adds a row: key ascending, then version strictly descending. Copies; the sources may change afterwards. */
  add(
    key: Uint8Array,
    keyStart: number,
    keyLength: number,
    version: number,
    kind: number,
    value: Uint8Array,
    valueStart: number,
    valueLength: number,
  ): void {
    assert(kind === KIND_PUT || kind === KIND_DELETE, "a table's rows are puts and deletes");
    assert(Number.isSafeInteger(version) && version >= 0, "a version is a safe integer");
    assert(
      keyLength <= KEY_BYTES_MAX && valueLength <= VALUE_BYTES_MAX,
      "a row keeps to the engine's limits",
    );
    const { block } = this;
    let result = ADD_FULL;
    if (block.count > 0) {
      result = block.add(key, keyStart, keyLength, version, kind, value, valueStart, valueLength);
      if (result === ADD_FULL) this.finishBlock();
    }
    if (result === ADD_FULL) {
      const isNewKey = this.beginBlock(key, keyStart, keyLength, version);
      if (block.add(key, keyStart, keyLength, version, kind, value, valueStart, valueLength) === ADD_FULL) {
        const row = encodeSingleRow(
          this.checksum.bytes,
          key,
          keyStart,
          keyLength,
          version,
          kind,
          value,
          valueStart,
          valueLength,
        );
        this.writeSingleRow(row.bytes, row.bodyBytes);
        this.lastKey = copyOf(key, keyStart, keyLength);
        this.lastVersion = version;
      }
      if (isNewKey && !mutant("R16-filter-misses-first-keys")) this.addHash(key, keyStart, keyLength);
    } else if (result === ADD_NEW_KEY) {
      this.addHash(key, keyStart, keyLength);
    }
    this.entryCount++;
    if (kind === KIND_DELETE) this.tombstoneCount++;
    this.rawBytes += keyLength + valueLength;
    if (version < this.minVersion) this.minVersion = version;
    if (version > this.maxVersion) this.maxVersion = version;
  }

  /** Adds range tombstones, fragmented and cut to the table's key range. May be called again with later ranges. */
  addRangeTombstones(fragments: readonly RangeFragment[]): void {
    assertFragments([...this.fragments.slice(-1), ...fragments]);
    for (const fragment of fragments) {
      const { versions } = fragment;
      this.fragments.push(fragment);
      this.maxVersion = Math.max(this.maxVersion, versions[0] as number);
      if (!mutant("T1-oldest-version-ignores-range-deletes"))
        this.minVersion = Math.min(this.minVersion, versions[versions.length - 1] as number);
    }
  }

  /** About the size of the file if it were finished now, before compression of what waits. O(1). */
  get estimatedBytes(): number {
    const data = this.writtenBytes + this.chunkLength + this.block.waitingBytes;
    return (
      data + filterBytes(this.hashCount, this.bloomBitsPerKey) + this.index.estimatedBytes + FOOTER_BYTES
    );
  }

  /** Writes what is left. The table must hold a row or a range tombstone. */
  finish(): TableSummary {
    assert(!this.finished, "a table is finished once");
    this.finished = true;
    assert(this.entryCount > 0 || this.fragments.length > 0, "a table holds something");
    if (this.block.count > 0) this.finishBlock();
    if (this.index.blockCount > 0) this.index.separate(this.lastKey, this.lastVersion, null);
    const properties = this.properties();

    const dataBytes = this.writtenBytes + this.chunkLength;
    const rangeTombstoneBytes =
      this.fragments.length === 0 ? 0 : this.writeSection(encodeRangeTombstones(this.fragments));
    const filter = encodeFilter(this.hashes, this.hashCount, this.bloomBitsPerKey);
    const filterBytes = filter === null ? 0 : this.writeSection(filter);
    const indexBytes = this.writeSection(this.index.encode());
    const propertiesBytes = this.writeSection(encodeProperties(properties));
    this.writeChunk();

    const { fileNumber, checksum } = this;
    const footer = encodeFooter(
      {
        dataBytes,
        rangeTombstoneBytes,
        filterBytes,
        indexBytes,
        propertiesBytes,
        fileNumber,
        checksum,
        compressionId: this.compressionId,
      },
      this.writtenBytes,
    );
    // CRASH_POINT(id: sstable.write-footer)
    crashPoint("sstable.write-footer");
    this.file.write(footer, 0, FOOTER_BYTES, this.writtenBytes);
    return { fileNumber, bytes: this.writtenBytes + FOOTER_BYTES, ...properties };
  }

  /** Before the first row of a block: separates it from the block before. True when its key is not the last one's. */
  private beginBlock(key: Uint8Array, keyStart: number, keyLength: number, version: number): boolean {
    const next = copyOf(key, keyStart, keyLength);
    if (this.firstKey === null) {
      this.firstKey = next;
      return true;
    }
    const order = compareBytes(this.lastKey, 0, this.lastKey.length, next, 0, keyLength);
    assert(order < 0 || (order === 0 && this.lastVersion > version), "rows come in internal order");
    this.index.separate(this.lastKey, this.lastVersion, next);
    return order !== 0;
  }

  private finishBlock(): void {
    const { block } = this;
    const at = this.chunkLength;
    const fileOffset = this.writtenBytes + at;
    const bodyBytes = block.encode(at);
    const { bytes } = block.memory;
    const packed = compressBody(this.compressionId, bytes.subarray(at, at + bodyBytes));
    if (packed !== null) bytes.set(packed, at);
    const length =
      packed === null
        ? sealBlock(this, bytes, at, bodyBytes, COMPRESSION_NONE, fileOffset)
        : sealBlock(this, bytes, at, packed.length, this.compressionId, fileOffset);
    this.index.addBlock(length);
    this.lastKey = copyOf(bytes, block.lastKeyStart, block.lastKeyLength);
    this.lastVersion = block.lastVersion;
    block.reset();
    this.chunkLength = at + length;
    assert(this.chunkLength <= this.outputBytes, "a chunk and a block fit the output area");
    if (this.chunkLength >= this.chunkBytes) this.writeChunk();
  }

  /** The oversize block of one row: sealed in its own memory, written on its own. */
  private writeSingleRow(bytes: Uint8Array, bodyBytes: number): void {
    this.writeChunk();
    const packed = compressBody(this.compressionId, bytes.subarray(0, bodyBytes));
    if (packed !== null) bytes.set(packed);
    const length =
      packed === null
        ? sealBlock(this, bytes, 0, bodyBytes, COMPRESSION_NONE, this.writtenBytes)
        : sealBlock(this, bytes, 0, packed.length, this.compressionId, this.writtenBytes);
    this.index.addBlock(length);
    this.writeOut(bytes, length);
  }

  /** Returns the stored length. */
  private writeSection(payload: Uint8Array): number {
    const length = storedBytes(payload.length, this.checksum.bytes);
    if (this.chunkLength + length > this.outputBytes) this.writeChunk();
    const fileOffset = this.writtenBytes + this.chunkLength;
    if (length > this.outputBytes) {
      const bytes = new Uint8Array(length);
      bytes.set(payload);
      sealBlock(this, bytes, 0, payload.length, COMPRESSION_NONE, fileOffset);
      this.writeOut(bytes, length);
    } else {
      const { bytes } = this.block.memory;
      bytes.set(payload, this.chunkLength);
      sealBlock(this, bytes, this.chunkLength, payload.length, COMPRESSION_NONE, fileOffset);
      this.chunkLength += length;
    }
    return length;
  }

  private writeChunk(): void {
    if (this.chunkLength === 0) return;
    this.writeOut(this.block.memory.bytes, this.chunkLength);
    this.chunkLength = 0;
  }

  private writeOut(bytes: Uint8Array, length: number): void {
    // CRASH_POINT(id: sstable.write-block)
    crashPoint("sstable.write-block");
    this.file.write(bytes, 0, length, this.writtenBytes);
    this.writtenBytes += length;
  }

  private addHash(key: Uint8Array, keyStart: number, keyLength: number): void {
    if (this.bloomBitsPerKey === 0) return;
    if (this.hashCount === this.hashes.length) {
      const grown = new Uint32Array(2 * this.hashCount);
      grown.set(this.hashes);
      this.hashes = grown;
    }
    this.hashes[this.hashCount++] = hashKey(key, keyStart, keyLength);
  }

  private properties(): TableProperties {
    let smallest = this.firstKey;
    let largest = this.firstKey === null ? null : this.lastKey;
    let largestExclusive = false;
    const firstFragment = this.fragments[0];
    const lastFragment = this.fragments[this.fragments.length - 1];
    if (
      firstFragment !== undefined &&
      (smallest === null || compareKeys(firstFragment.begin, smallest) < 0)
    ) {
      smallest = firstFragment.begin;
    }
    if (lastFragment !== undefined && (largest === null || compareKeys(lastFragment.end, largest) > 0)) {
      largest = lastFragment.end;
      largestExclusive = true;
    }
    assert(smallest !== null && largest !== null, "a table that holds something has bounds");
    return {
      smallest,
      largest,
      largestExclusive,
      minVersion: this.minVersion,
      maxVersion: this.maxVersion,
      entryCount: this.entryCount,
      tombstoneCount: this.tombstoneCount,
      rangeTombstoneCount: countRangeTombstones(this.fragments),
      rawBytes: this.rawBytes,
    };
  }
}
