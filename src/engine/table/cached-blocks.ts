/**
 * The data blocks of one table by way of the block cache: finds a block there, or reads, proves and admits it. When
 * the cache has no room the block goes to memory beside it. After `locate`, the block stands at `memory`, `base`.
 */
import { type BlockCache, type CachedTable, type LargeBlock, SLOT_LARGE } from "./block-cache.js";
import type { BlockFile } from "./block-file.js";
import { BlockMemory, EMPTY_MEMORY, wholeWords } from "./block-memory.js";

export class CachedBlocks {
  memory: BlockMemory = EMPTY_MEMORY;
  base = 0;
  /** Slot of the located block, or −1. */
  slot = -1;
  /** The located block, when it is a cached large one. */
  large: LargeBlock | null = null;

  readonly cache: BlockCache;
  private readonly file: BlockFile;
  private readonly table: CachedTable;

  constructor(file: BlockFile, cache: BlockCache) {
    this.file = file;
    this.cache = cache;
    this.table = cache.addTable(file.index.blockCount);
  }

  /**
   * Locates a block. One that is not cached afterwards stands in memory of its own when `keep` is set, else in the
   * cache's scratch memory, to be read before the next call. Throws `CORRUPTION` and what the file throws.
   */
  locate(block: number, keep: boolean): void {
    const slot = this.table.slots[block] as number;
    if (slot >= 0) {
      this.cache.touch(slot);
      this.settle(this.cache.memoryOf(slot), this.cache.baseOf(slot), slot, null);
    } else if (slot === SLOT_LARGE) {
      const large = this.cache.touchLarge(this.table, block);
      this.settle(large.memory, 0, -1, large);
    } else {
      this.cache.misses++;
      if (this.file.mayBePacked) this.loadPacked(block, keep);
      else this.load(block, keep);
    }
  }

  /** Gives everything back to the cache. No pins may be left. */
  drop(): void {
    this.settle(EMPTY_MEMORY, 0, -1, null);
    this.cache.dropTable(this.table);
  }

  get memoryBytes(): number {
    return this.table.slots.byteLength;
  }

  /** Reads straight to where the block will stay. */
  private load(block: number, keep: boolean): void {
    const { cache, file } = this;
    const length = file.storedBytesOf(block);
    if (length <= cache.slotBytes) {
      const slot = cache.reserve();
      if (slot >= 0) {
        const memory = cache.memoryOf(slot);
        const base = cache.baseOf(slot);
        try {
          file.requireSound(block, memory, base, file.readStored(block, memory, base));
        } catch (error) {
          cache.release(slot);
          throw error;
        }
        cache.assign(slot, this.table, block);
        this.settle(memory, base, slot, null);
        return;
      }
    }
    const isLarge = length > cache.slotBytes && cache.mayHoldLarge(length);
    const memory = keep || isLarge ? new BlockMemory(length) : cache.scratchMemory(length);
    file.requireSound(block, memory, 0, file.readStored(block, memory, 0));
    this.settle(memory, 0, -1, isLarge ? cache.addLarge(memory, this.table, block) : null);
  }

  /** Reads to scratch memory, unpacks, and copies the body to where it will stay. */
  private loadPacked(block: number, keep: boolean): void {
    const { cache, file } = this;
    const scratch = cache.scratchMemory(file.storedBytesOf(block));
    const payloadBytes = file.readStored(block, scratch, 0);
    const stored = scratch.bytes;
    const payload = stored.subarray(0, payloadBytes);
    const body = file.isPacked(block, stored, 0) ? file.unpack(block, payload) : payload;
    if (body.length <= cache.slotBytes) {
      const slot = cache.reserve();
      if (slot >= 0) {
        const memory = cache.memoryOf(slot);
        const base = cache.baseOf(slot);
        memory.bytes.set(body, base);
        try {
          file.requireSound(block, memory, base, body.length);
        } catch (error) {
          cache.release(slot);
          throw error;
        }
        cache.assign(slot, this.table, block);
        this.settle(memory, base, slot, null);
        return;
      }
    }
    const isLarge = body.length > cache.slotBytes && cache.mayHoldLarge(body.length);
    const memory =
      keep || isLarge ? new BlockMemory(wholeWords(body.length)) : cache.scratchMemory(body.length);
    memory.bytes.set(body);
    file.requireSound(block, memory, 0, body.length);
    this.settle(memory, 0, -1, isLarge ? cache.addLarge(memory, this.table, block) : null);
  }

  private settle(memory: BlockMemory, base: number, slot: number, large: LargeBlock | null): void {
    this.memory = memory;
    this.base = base;
    this.slot = slot;
    this.large = large;
  }
}
