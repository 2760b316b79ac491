/**
 * Memory for the data blocks of all open tables: fixed slots in a few large segments, so that caching a block makes no
 * object, and a hit is one read of the table's own slot map. Segments are made as they are needed. Victims are chosen
 * by CLOCK (second chance). A pinned block is never evicted and never moves. Blocks larger than a slot live beside the
 * slots, one object each.
 *
 * Bounds: slots take at most `capacityBytes`; large blocks take what the slots have left, and at least an eighth of
 * the capacity, so the whole stays within 9/8 of it. With capacity 0, or when everything is pinned, nothing is cached
 * and readers use memory of their own; answers do not change.
 *
 * Does not own: reading and proving blocks (`block-file.ts`), or who holds which pin.
 */
import { assert } from "../../platform/assert.js";
import { buggify, mutant, sometimes } from "../../platform/probes.js";
import { BlockMemory, EMPTY_MEMORY, wholeWords } from "./block-memory.js";

/** In a slot map: the block is not cached. */
export const SLOT_NONE = -1;
/** In a slot map: the block is among the large ones. */
export const SLOT_LARGE = -2;

const SEGMENT_BYTES_MIN = 64 * 1024;
const SEGMENT_BYTES_MAX = 1024 * 1024;
/** Steps in which a cache of middling size grows to its capacity. */
const SEGMENTS = 64;
const PINS_MAX = 65_535;
/** What a freed slot is filled with in simulation, so that reading it on is noticed. */
const MANGLED = 0xdb;

export interface BlockCacheOptions {
  readonly capacityBytes: number;
  /** Size of an ordinary block, i.e. the store's `blockBytes`. */
  readonly slotBytes: number;
}

/** A cached block that is larger than a slot. Lives until it is evicted and nobody pins it. */
export class LargeBlock {
  readonly memory: BlockMemory;
  readonly owner: CachedTable;
  readonly block: number;
  pins = 0;
  referenced = false;

  constructor(memory: BlockMemory, owner: CachedTable, block: number) {
    this.memory = memory;
    this.owner = owner;
    this.block = block;
  }
}

/** What the cache holds of one table. Made by `addTable`, given back by `dropTable`. */
export class CachedTable {
  /** For each block its slot, `SLOT_NONE` or `SLOT_LARGE`. Readers look; only the cache writes. */
  readonly slots: Int32Array;
  readonly large = new Map<number, LargeBlock>();

  constructor(blockCount: number) {
    this.slots = new Int32Array(blockCount).fill(SLOT_NONE);
  }
}

export class BlockCache {
  readonly slotBytes: number;
  readonly capacityBytes: number;
  hits = 0;
  misses = 0;
  evictions = 0;

  private readonly slotsMax: number;
  /** Slots in a whole segment: a power of two. The last segment may be shorter. */
  private readonly segmentShift: number;
  private readonly segments: BlockMemory[] = [];
  private slotCount = 0;
  /** Of each slot: the table and block in it; null when it is free or being filled. */
  private owners: (CachedTable | null)[] = [];
  private blocks: Int32Array = new Int32Array(0);
  private pins: Uint16Array = new Uint16Array(0);
  private referenced: Uint8Array = new Uint8Array(0);
  private readonly free: number[] = [];
  private hand = 0;
  private filledSlots = 0;
  private slabBytes = 0;
  /** In order of arrival, or of their second chance. */
  private readonly large = new Set<LargeBlock>();
  private largeBytes = 0;
  private scratch: BlockMemory = EMPTY_MEMORY;

  constructor(options: BlockCacheOptions) {
    assert(options.capacityBytes >= 0 && options.slotBytes > 0, "a cache has a capacity and slots");
    this.capacityBytes = options.capacityBytes;
    this.slotBytes = wholeWords(options.slotBytes);
    this.slotsMax = Math.floor(options.capacityBytes / this.slotBytes);
    const segmentBytes = Math.min(
      SEGMENT_BYTES_MAX,
      Math.max(SEGMENT_BYTES_MIN, options.capacityBytes / SEGMENTS),
    );
    this.segmentShift = Math.floor(Math.log2(Math.max(1, segmentBytes / this.slotBytes)));
  }

  addTable(blockCount: number): CachedTable {
    return new CachedTable(blockCount);
  }

  /** Frees all blocks of a table. None may be pinned. O(blocks of the table). */
  dropTable(table: CachedTable): void {
    for (const slot of table.slots) {
      if (slot < 0) continue;
      assert(this.pins[slot] === 0, "no cursor is open on a table that is dropped");
      this.clear(slot);
      this.free.push(slot);
    }
    for (const block of table.large.values()) {
      assert(block.pins === 0, "no cursor is open on a table that is dropped");
      this.removeLarge(block);
    }
  }

  // Slots

  /** Where slot `slot` begins: in `memoryOf`, at `baseOf`. */
  memoryOf(slot: number): BlockMemory {
    return this.segments[slot >>> this.segmentShift] as BlockMemory;
  }

  baseOf(slot: number): number {
    return (slot & ((1 << this.segmentShift) - 1)) * this.slotBytes;
  }

  /** Counts a hit and gives the slot its second chance. */
  touch(slot: number): void {
    this.hits++;
    this.referenced[slot] = 1;
  }

  pin(slot: number): void {
    assert(
      this.owners[slot] !== null && (this.pins[slot] as number) < PINS_MAX,
      "only filled slots are pinned",
    );
    this.pins[slot] = (this.pins[slot] as number) + 1;
  }

  unpin(slot: number): void {
    assert((this.pins[slot] as number) > 0, "a slot is unpinned as often as it was pinned");
    this.pins[slot] = (this.pins[slot] as number) - 1;
  }

  /**
   * An empty slot to read a block into, or −1 when there is none to be had. It belongs to the caller until `assign`
   * or `release`.
   */
  reserve(): number {
    if (buggify("block-cache.evict-all")) this.evictAll();
    const free = this.free.pop();
    if (free !== undefined) return free;
    if (this.slotCount < this.slotsMax && this.addSegment()) return this.free.pop() as number;
    return this.evictOne();
  }

  /** Makes the reserved slot the place of a block. */
  assign(slot: number, table: CachedTable, block: number): void {
    assert(
      this.owners[slot] === null && table.slots[block] === SLOT_NONE,
      "a block is cached once, in a free slot",
    );
    this.owners[slot] = table;
    this.blocks[slot] = block;
    this.referenced[slot] = 0;
    table.slots[block] = slot;
    this.filledSlots++;
  }

  /** Gives a reserved slot back unused. */
  release(slot: number): void {
    assert(this.owners[slot] === null, "only a reserved slot is released");
    this.free.push(slot);
  }

  // Large blocks

  /** Takes the memory of a large block into the cache, or answers null when there is no room for it. */
  addLarge(memory: BlockMemory, table: CachedTable, block: number): LargeBlock | null {
    assert(table.slots[block] === SLOT_NONE, "a block is cached once");
    if (buggify("block-cache.evict-all")) this.evictAll();
    const bytes = memory.bytes.length;
    if (!this.shrinkLarge(this.largeLimit(this.slabBytes) - bytes)) return null;
    sometimes("block-cache.large-block");
    const large = new LargeBlock(memory, table, block);
    this.large.add(large);
    this.largeBytes += bytes;
    table.large.set(block, large);
    table.slots[block] = SLOT_LARGE;
    return large;
  }

  /** Whether a large block of this size could ever be cached. */
  mayHoldLarge(bytes: number): boolean {
    return bytes <= this.largeLimit(this.slabBytes);
  }

  /** The large block of a table that its slot map says is here. Counts a hit. */
  touchLarge(table: CachedTable, block: number): LargeBlock {
    const large = table.large.get(block);
    assert(large !== undefined, "a slot map and the large blocks agree");
    this.hits++;
    large.referenced = true;
    return large;
  }

  // Memory for blocks that are not cached

  /** Memory that stays valid until the next call with a block that is not cached. */
  scratchMemory(bytes: number): BlockMemory {
    if (this.scratch.bytes.length < bytes || this.scratch.bytes.length > 4 * (bytes + this.slotBytes)) {
      this.scratch = new BlockMemory(wholeWords(Math.max(bytes, this.slotBytes)));
    }
    return this.scratch;
  }

  // Numbers

  /** Bytes of cached blocks: 0 when all tables are dropped. */
  get accountedBytes(): number {
    return this.filledSlots * this.slotBytes + this.largeBytes;
  }

  /** Bytes that the cache holds of the process's memory. */
  get memoryBytes(): number {
    return this.slabBytes + this.largeBytes + this.scratch.bytes.length;
  }

  /** Pins held now, over all blocks: 0 when no cursor is open. */
  get pinCount(): number {
    let count = 0;
    for (const pins of this.pins) count += pins;
    for (const block of this.large) count += block.pins;
    return count;
  }

  // Eviction

  /** Drops every block that nobody pins. */
  evictAll(): void {
    for (let slot = 0; slot < this.slotCount; slot++) {
      if (this.owners[slot] === null || this.pins[slot] !== 0) continue;
      this.clear(slot);
      this.free.push(slot);
      this.evictions++;
    }
    for (const block of this.large) {
      if (block.pins !== 0) continue;
      this.removeLarge(block);
      this.evictions++;
    }
  }

  /** CLOCK: two rounds see every slot once without its second chance. Returns −1 when all are pinned. */
  private evictOne(): number {
    for (let steps = 2 * this.slotCount; steps > 0; steps--) {
      const slot = this.hand;
      this.hand = slot + 1 === this.slotCount ? 0 : slot + 1;
      if (this.pins[slot] !== 0 || this.owners[slot] === null) continue;
      if (this.referenced[slot] !== 0) {
        this.referenced[slot] = 0;
        continue;
      }
      this.clear(slot);
      this.evictions++;
      sometimes("block-cache.evicts");
      return slot;
    }
    sometimes("block-cache.all-pinned");
    return -1;
  }

  /** Empties a filled slot; the caller says what becomes of it. */
  private clear(slot: number): void {
    const owner = this.owners[slot];
    const block = this.blocks[slot] as number;
    assert(owner !== undefined && owner !== null && owner.slots[block] === slot, "slot and slot map agree");
    assert(this.pins[slot] === 0, "a pinned slot is never evicted");
    if (!mutant("R18-evicted-block-still-mapped")) owner.slots[block] = SLOT_NONE;
    this.owners[slot] = null;
    this.filledSlots--;
    if (buggify("block-cache.mangle")) {
      const base = this.baseOf(slot);
      this.memoryOf(slot).bytes.fill(MANGLED, base, base + this.slotBytes);
    }
  }

  private removeLarge(block: LargeBlock): void {
    assert(block.pins === 0, "a pinned block is never evicted");
    block.owner.slots[block.block] = SLOT_NONE;
    block.owner.large.delete(block.block);
    this.large.delete(block);
    this.largeBytes -= block.memory.bytes.length;
  }

  /** Adds slots, at the expense of large blocks where the capacity is used up. */
  private addSegment(): boolean {
    const slots = Math.min(1 << this.segmentShift, this.slotsMax - this.slotCount);
    const bytes = slots * this.slotBytes;
    if (!this.shrinkLarge(this.largeLimit(this.slabBytes + bytes))) return false;
    const first = this.slotCount;
    this.segments.push(new BlockMemory(bytes));
    this.slotCount += slots;
    this.slabBytes += bytes;
    this.blocks = grown(this.blocks, new Int32Array(this.slotCount));
    this.pins = grown(this.pins, new Uint16Array(this.slotCount));
    this.referenced = grown(this.referenced, new Uint8Array(this.slotCount));
    for (let slot = this.slotCount - 1; slot >= first; slot--) {
      this.owners[slot] = null;
      this.free.push(slot);
    }
    return true;
  }

  /** Bytes that large blocks may take beside so many bytes of slots. */
  private largeLimit(slabBytes: number): number {
    return Math.max(this.capacityBytes - slabBytes, Math.floor(this.capacityBytes / 8));
  }

  /** Evicts large blocks, second chances granted, until at most `limitBytes` are left. False when pins forbid it. */
  private shrinkLarge(limitBytes: number): boolean {
    if (limitBytes < 0) return false;
    for (let steps = 2 * this.large.size; this.largeBytes > limitBytes && steps > 0; steps--) {
      const [oldest] = this.large;
      assert(oldest !== undefined, "bytes of large blocks are held by large blocks");
      if (oldest.pins === 0 && !oldest.referenced) {
        this.removeLarge(oldest);
        this.evictions++;
        continue;
      }
      oldest.referenced = false;
      this.large.delete(oldest);
      this.large.add(oldest);
    }
    return this.largeBytes <= limitBytes;
  }
}

function grown<Numbers extends Int32Array | Uint16Array | Uint8Array>(from: Numbers, to: Numbers): Numbers {
  to.set(from);
  return to;
}
