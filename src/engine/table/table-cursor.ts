/**
 * The cursor over the rows of one table, in both directions. Holds one block at a time: pinned in the cache, or in
 * memory of its own when it reads past the cache (then every block is read and proved anew). A key is put together in
 * the cursor's own memory, of which only the part behind the block's prefix changes from row to row; a value is read
 * where it lies. After `close` it pins nothing, and positioning it again is allowed while the table is open.
 */
import { assert } from "../../platform/assert.js";
import { mutant } from "../../platform/probes.js";
import { Cursor } from "../cursor.js";
import { KIND_PUT } from "../format/operation.js";
import type { BlockCache, LargeBlock } from "./block-cache.js";
import { type BlockMemory, EMPTY_MEMORY } from "./block-memory.js";
import { BlockWindow } from "./block-window.js";
import type { CachedBlocks } from "./cached-blocks.js";
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
import type { TableIndex } from "./index-block.js";

/** At or above every version: with it, "first row at or after (key, version)" is "first row of the key". */
const NEWEST = Number.MAX_SAFE_INTEGER;
const KEY_SCRATCH_BYTES = 64;

export class TableCursor extends Cursor {
  private readonly index: TableIndex;
  private readonly source: BlockWindow | PinnedBlock;

  /** The loaded block, or −1. */
  private block = -1;
  private row = 0;
  private rowCount = 0;
  private memory: BlockMemory = EMPTY_MEMORY;
  private base = 0;
  /** End of the body in `memory.bytes`. */
  private bodyEnd = 0;
  private prefixLength = 0;
  private baseVersion = 0;
  /** Indexes of the columns in `memory.halves`, `memory.words` and `memory.bytes`; −1 where a column is absent. */
  private offsetsAt = 0;
  private deltasAt = -1;
  private kindsAt = -1;

  constructor(index: TableIndex, source: BlockWindow | PinnedBlock) {
    super();
    this.index = index;
    this.source = source;
    this.keyBytes = new Uint8Array(KEY_SCRATCH_BYTES);
  }

  /** Number of the block of the current row. */
  get blockNumber(): number {
    return this.block;
  }

  seekFirst(): void {
    this.valid = false;
    if (this.index.blockCount === 0) return;
    this.load(0);
    this.settle(0);
  }

  seekLast(): void {
    this.valid = false;
    if (this.index.blockCount === 0) return;
    this.load(this.index.blockCount - 1);
    this.settle(this.rowCount - 1);
  }

  seekAtOrAfter(key: Uint8Array): void {
    this.valid = false;
    const block = this.index.find(key, NEWEST);
    if (block === this.index.blockCount) return;
    this.load(block);
    const row = searchRows(this.memory, this.base, key, key.length, NEWEST) >>> 1;
    if (row < this.rowCount) this.settle(row);
    else this.enterNext();
  }

  seekBefore(key: Uint8Array): void {
    this.valid = false;
    const block = this.index.find(key, NEWEST);
    if (block === this.index.blockCount) {
      this.seekLast();
      return;
    }
    this.load(block);
    const found = searchRows(this.memory, this.base, key, key.length, NEWEST);
    const row = mutant("R5-seek-before-includes-key") && (found & 1) === 1 ? (found >>> 1) + 1 : found >>> 1;
    if (row > 0) this.settle(row - 1);
    else this.enterPrevious();
  }

  next(): void {
    assert(this.valid, "next is called on a row");
    if (this.row + 1 < this.rowCount) this.settle(this.row + 1);
    else this.enterNext();
  }

  previous(): void {
    assert(this.valid, "previous is called on a row");
    if (this.row > 0) this.settle(this.row - 1);
    else this.enterPrevious();
  }

  close(): void {
    this.valid = false;
    this.block = -1;
    this.memory = EMPTY_MEMORY;
    this.source.release();
  }

  private enterNext(): void {
    this.valid = false;
    if (this.block + 1 === this.index.blockCount) return;
    this.load(this.block + 1);
    this.settle(0);
  }

  private enterPrevious(): void {
    this.valid = false;
    if (this.block === 0) return;
    this.load(this.block - 1);
    this.settle(this.rowCount - 1);
  }

  private load(block: number): void {
    if (block === this.block) return;
    this.block = -1;
    const { source } = this;
    source.load(block);
    const { memory, base } = source;
    const rowCount = rowCountOf(memory, base);
    const flags = flagsOf(memory, base);
    const prefixAt = base + columnsBytes(rowCount, flags);
    this.memory = memory;
    this.base = base;
    this.rowCount = rowCount;
    this.bodyEnd = base + bodyBytesOf(memory, base);
    this.baseVersion = baseVersionOf(memory, base);
    this.offsetsAt = (base >> 1) + 8 + 2 * rowCount;
    this.deltasAt = (flags & FLAG_VERSIONS) !== 0 ? (base >> 2) + 4 + 2 * rowCount : -1;
    this.kindsAt = (flags & FLAG_KINDS) !== 0 ? prefixAt - rowCount : -1;
    this.prefixLength = base + (memory.halves[this.offsetsAt] as number) - prefixAt;
    this.valueBytes = memory.bytes;
    this.version = this.baseVersion;
    this.kind = KIND_PUT;
    if (this.keyBytes.length < this.prefixLength) this.growKey(this.prefixLength, 0);
    for (let i = 0; i < this.prefixLength; i++) this.keyBytes[i] = memory.bytes[prefixAt + i] as number;
    this.block = block;
  }

  /** Makes `row` of the loaded block the current row. */
  private settle(row: number): void {
    const { memory, base, rowCount, offsetsAt, prefixLength } = this;
    const { halves, bytes } = memory;
    const suffixAt = base + (halves[offsetsAt + row] as number);
    const suffixLength = halves[offsetsAt + rowCount + row] as number;
    const rowEnd = row + 1 < rowCount ? base + (halves[offsetsAt + row + 1] as number) : this.bodyEnd;
    const keyLength = prefixLength + suffixLength;
    if (this.keyBytes.length < keyLength) this.growKey(keyLength, prefixLength);
    const key = this.keyBytes;
    for (let i = 0; i < suffixLength; i++) key[prefixLength + i] = bytes[suffixAt + i] as number;
    this.row = row;
    this.keyLength = keyLength;
    this.valueStart = suffixAt + suffixLength;
    this.valueLength = rowEnd - this.valueStart;
    if (this.deltasAt >= 0) this.version = this.baseVersion + (memory.words[this.deltasAt + row] as number);
    if (this.kindsAt >= 0) this.kind = bytes[this.kindsAt + row] as number;
    this.valid = true;
  }

  private growKey(length: number, keep: number): void {
    const grown = new Uint8Array(2 * length);
    grown.set(this.keyBytes.subarray(0, keep));
    this.keyBytes = grown;
  }
}

/** One block of a table, pinned in the cache for as long as a cursor stands in it. */
export class PinnedBlock {
  memory: BlockMemory = EMPTY_MEMORY;
  base = 0;

  private readonly blocks: CachedBlocks;
  private readonly cache: BlockCache;
  private slot = -1;
  private large: LargeBlock | null = null;

  constructor(blocks: CachedBlocks) {
    this.blocks = blocks;
    this.cache = blocks.cache;
  }

  load(block: number): void {
    this.release();
    const { blocks } = this;
    blocks.locate(block, true);
    this.memory = blocks.memory;
    this.base = blocks.base;
    this.slot = blocks.slot;
    this.large = blocks.large;
    if (this.slot >= 0) this.cache.pin(this.slot);
    if (this.large !== null) this.large.pins++;
  }

  release(): void {
    if (this.slot >= 0) this.cache.unpin(this.slot);
    if (this.large !== null) this.large.pins--;
    this.slot = -1;
    this.large = null;
    this.memory = EMPTY_MEMORY;
  }
}
