/**
 * The nodes of the memtable's B+tree: 64 slots each, in parallel typed arrays that grow by doubling. Per slot a node
 * stores a reference (word index of an operation in the arena) and the 48-bit head of its key after the prefix that
 * all keys of the node share (SKIP), so that a search rarely touches key bytes. Heads from byte 0 would be useless for
 * keys with a long shared prefix, which is what tuple encoding and zero padding produce.
 *
 * Owns slots, prefixes, heads, links between leaves, and splitting. Does not own the order: where a reference belongs
 * is said by `OperationTree`, which extends this class so that its searches reach the arrays directly.
 */
import { commonPrefixLength, keyHead48 } from "../format/bytes.js";
import { type Arena, OPERATION_HEADER_BYTES } from "../format/operation.js";

export const FANOUT = 64;
export const SLOT_SHIFT = 6;

/** Words of `meta` per node. CHILDREN, of inner nodes, shares its place with NEXT, of leaves. */
export const META_SHIFT = 2;
export const COUNT = 0;
export const SKIP = 1;
export const NEXT = 2;
export const CHILDREN = 2;
export const PREVIOUS = 3;

/** No slot, no leaf. */
export const NONE = -1;

const NO_CHILDREN = new Int32Array(0);

export class TreeNodes {
  /** The reference in each slot. A new array replaces this one when the tree grows: do not hold it. */
  references: Int32Array = new Int32Array(FANOUT);

  protected readonly bytes: Uint8Array;
  protected readonly words: Uint32Array;
  protected heads: Float64Array = new Float64Array(FANOUT);
  protected meta: Int32Array = new Int32Array([0, 0, NONE, NONE]);
  protected children: Int32Array = NO_CHILDREN;
  protected lastLeaf = 0;
  private nodeCount = 1;
  private innerCount = 0;

  /** Begins with node 0, an empty leaf. It stays the first leaf, because a split moves the upper part away. */
  constructor(arena: Arena) {
    this.bytes = arena.bytes;
    this.words = arena.words;
  }

  /** NONE past the last entry. */
  slotAfter(slot: number): number {
    const meta = (slot >> SLOT_SHIFT) << META_SHIFT;
    if ((slot & (FANOUT - 1)) + 1 < (this.meta[meta + COUNT] as number)) return slot + 1;
    const next = this.meta[meta + NEXT] as number;
    return next === NONE ? NONE : next << SLOT_SHIFT;
  }

  /** NONE before the first entry. */
  slotBefore(slot: number): number {
    if ((slot & (FANOUT - 1)) > 0) return slot - 1;
    const previous = this.meta[((slot >> SLOT_SHIFT) << META_SHIFT) + PREVIOUS] as number;
    if (previous === NONE) return NONE;
    return (previous << SLOT_SHIFT) + (this.meta[(previous << META_SHIFT) + COUNT] as number) - 1;
  }

  /** Whether `slot` is live and still has `reference`: then the position is good, whatever was inserted meanwhile. */
  holds(slot: number, reference: number): boolean {
    return (
      this.references[slot] === reference &&
      (slot & (FANOUT - 1)) < (this.meta[((slot >> SLOT_SHIFT) << META_SHIFT) + COUNT] as number)
    );
  }

  protected childAt(inner: number, position: number): number {
    return this.children[(this.meta[(inner << META_SHIFT) + CHILDREN] as number) + position] as number;
  }

  /** Puts a reference at `position` of a node with room. `first` is the node's first slot with a key. */
  protected insertSlot(node: number, first: number, position: number, reference: number): void {
    const meta = node << META_SHIFT;
    const base = node << SLOT_SHIFT;
    const count = this.meta[meta + COUNT] as number;
    const start = (reference << 2) + OPERATION_HEADER_BYTES;
    const length = (this.words[reference] as number) & 0xffff;
    let skip = this.meta[meta + SKIP] as number;
    if (count <= first) {
      skip = length;
      this.meta[meta + SKIP] = skip;
    } else if (skip > 0 && (position === first || position === count)) {
      // Only at an end: a key without the shared prefix is smaller or greater than all keys that have it.
      const other = ((this.references[base + first] as number) << 2) + OPERATION_HEADER_BYTES;
      const shared = commonPrefixLength(this.bytes, other, skip, this.bytes, start, length);
      if (shared < skip) {
        skip = shared;
        this.setSkip(node, first, skip);
      }
    }
    const heads = this.heads;
    const references = this.references;
    const at = base + position;
    for (let slot = base + count; slot > at; slot--) {
      heads[slot] = heads[slot - 1] as number;
      references[slot] = references[slot - 1] as number;
    }
    heads[at] = keyHead48(this.bytes, start, length, skip);
    references[at] = reference;
    this.meta[meta + COUNT] = count + 1;
  }

  /** Moves slots from `at` on into a new leaf behind `leaf`, and returns it. */
  protected splitLeaf(leaf: number, at: number): number {
    const right = this.newNode();
    this.moveSlots(leaf, right, at, 0);
    const meta = this.meta;
    const next = meta[(leaf << META_SHIFT) + NEXT] as number;
    meta[(right << META_SHIFT) + NEXT] = next;
    meta[(right << META_SHIFT) + PREVIOUS] = leaf;
    meta[(leaf << META_SHIFT) + NEXT] = right;
    if (next === NONE) this.lastLeaf = right;
    else meta[(next << META_SHIFT) + PREVIOUS] = right;
    return right;
  }

  /** Moves children from `at` on into a new inner node, and returns it. The separator at `at` is the caller's to keep. */
  protected splitInner(inner: number, at: number): number {
    const right = this.newInner();
    this.moveSlots(inner, right, at, 1);
    const from = this.meta[(inner << META_SHIFT) + CHILDREN] as number;
    const to = this.meta[(right << META_SHIFT) + CHILDREN] as number;
    this.children.copyWithin(to, from + at, from + FANOUT);
    return right;
  }

  private moveSlots(node: number, right: number, at: number, first: number): void {
    const from = (node << SLOT_SHIFT) + at;
    const end = (node + 1) << SLOT_SHIFT;
    this.heads.copyWithin(right << SLOT_SHIFT, from, end);
    this.references.copyWithin(right << SLOT_SHIFT, from, end);
    this.meta[(node << META_SHIFT) + COUNT] = at;
    this.meta[(right << META_SHIFT) + COUNT] = FANOUT - at;
    this.meta[(right << META_SHIFT) + SKIP] = this.meta[(node << META_SHIFT) + SKIP] as number;
    this.lengthenSkip(node, first);
    this.lengthenSkip(right, first);
  }

  /** After a split the remaining keys may share more. */
  private lengthenSkip(node: number, first: number): void {
    const base = node << SLOT_SHIFT;
    const count = this.meta[(node << META_SHIFT) + COUNT] as number;
    if (count <= first) return;
    const low = this.references[base + first] as number;
    const high = this.references[base + count - 1] as number;
    const skip = commonPrefixLength(
      this.bytes,
      (low << 2) + OPERATION_HEADER_BYTES,
      (this.words[low] as number) & 0xffff,
      this.bytes,
      (high << 2) + OPERATION_HEADER_BYTES,
      (this.words[high] as number) & 0xffff,
    );
    if (skip !== this.meta[(node << META_SHIFT) + SKIP]) this.setSkip(node, first, skip);
  }

  private setSkip(node: number, first: number, skip: number): void {
    const base = node << SLOT_SHIFT;
    const end = base + (this.meta[(node << META_SHIFT) + COUNT] as number);
    for (let slot = base + first; slot < end; slot++) {
      const reference = this.references[slot] as number;
      const length = (this.words[reference] as number) & 0xffff;
      this.heads[slot] = keyHead48(this.bytes, (reference << 2) + OPERATION_HEADER_BYTES, length, skip);
    }
    this.meta[(node << META_SHIFT) + SKIP] = skip;
  }

  protected newInner(): number {
    const node = this.newNode();
    if (this.innerCount << SLOT_SHIFT === this.children.length) {
      const grown = new Int32Array(Math.max(FANOUT, this.children.length * 2));
      grown.set(this.children);
      this.children = grown;
    }
    this.meta[(node << META_SHIFT) + CHILDREN] = this.innerCount << SLOT_SHIFT;
    this.innerCount++;
    return node;
  }

  private newNode(): number {
    if (this.nodeCount << SLOT_SHIFT === this.references.length) {
      const slots = this.references.length * 2;
      const heads = new Float64Array(slots);
      heads.set(this.heads);
      this.heads = heads;
      const references = new Int32Array(slots);
      references.set(this.references);
      this.references = references;
      const meta = new Int32Array((slots >> SLOT_SHIFT) << META_SHIFT);
      meta.set(this.meta);
      this.meta = meta;
    }
    return this.nodeCount++;
  }
}
