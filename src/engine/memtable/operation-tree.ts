/**
 * A B+tree of references to operations in an arena, ordered by key ascending, then version descending. It owns the
 * order and nothing else: key and value bytes stay in the arena, which must outlive the tree and never change below a
 * reference.
 *
 * Layout: nodes of 64 slots in parallel typed arrays that grow by doubling. Per slot a node stores a reference (word
 * index of the operation) and the 48-bit head of its key after the prefix that all keys of the node share (`SKIP`), so
 * a search touches key bytes once per node for the prefix and then only on equal heads. Heads from byte 0 would be
 * useless for keys with a long shared prefix, which is what tuple encoding and zero padding produce.
 *
 * In an inner node slot i > 0 refers to the first operation below child i; slot 0 stands for minus infinity and is
 * never read. References are replaced but never removed, so the separator before a leaf always equals the leaf's first
 * entry. Full inner nodes are split on the way down (Guibas and Sedgewick 1978), hence no path is kept.
 *
 * Positions are given out as slot numbers, valid until the next insert; `holds` tells whether one still is.
 */
import { assert } from "../../platform/assert.js";
import { commonPrefixLength, keyHead48 } from "../format/bytes.js";
import { type Arena, OPERATION_HEADER_BYTES } from "../format/operation.js";

const FANOUT = 64;
const SLOT_SHIFT = 6;

/** Words of `meta` per node. CHILDREN, of inner nodes, shares its place with NEXT, of leaves. */
const META_SHIFT = 2;
const COUNT = 0;
const SKIP = 1;
const NEXT = 2;
const CHILDREN = 2;
const PREVIOUS = 3;

/** Half-full nodes give 32^7 entries, more than any arena can hold. */
const HEIGHT_MAX = 7;

/** No slot, no leaf. */
export const NONE = -1;

const NO_CHILDREN = new Int32Array(0);

export class OperationTree {
  /** Live references. */
  count = 0;
  /** The reference in each slot. A new array replaces this one when the tree grows: do not hold it. */
  references: Int32Array = new Int32Array(FANOUT);

  private readonly bytes: Uint8Array;
  private readonly words: Uint32Array;
  private heads: Float64Array = new Float64Array(FANOUT);
  private meta: Int32Array = new Int32Array([0, 0, NONE, NONE]);
  private children: Int32Array = NO_CHILDREN;
  private nodeCount = 1;
  private innerCount = 0;
  private root = 0;
  /** Levels of inner nodes above the leaves. */
  private height = 0;
  private lastLeaf = 0;
  /** The leaf of the latest insert: runs of neighbouring keys skip the descent. */
  private finger = 0;
  /** Where the latest descent for an insert came from; read only when its leaf must be split. */
  private parent = NONE;
  private parentPosition = 0;
  /** How many bytes the key of the search under way is known to share with every key of the node it is at. */
  private shared = 0;
  /** Whether the latest search met an entry of just its key and version. */
  private exact = false;

  constructor(arena: Arena) {
    this.bytes = arena.bytes;
    this.words = arena.words;
  }

  /**
   * Adds the operation at word index `reference`. One of equal key and version takes the place of the earlier one.
   * O(log n), plus a shift inside one leaf.
   */
  insert(reference: number): void {
    const length = (this.words[reference] as number) & 0xffff;
    const start = (reference << 2) + OPERATION_HEADER_BYTES;
    const delta = this.words[reference + 2] as number;

    let leaf = this.finger;
    if (this.fingerTakes(start, length, delta)) this.shared = 0;
    else leaf = this.descendToInsert(start, length, delta);
    this.exact = false;
    let position = this.search(leaf, 0, this.bytes, start, length, delta);
    if (this.exact) {
      this.references[(leaf << SLOT_SHIFT) + position] = reference;
      return;
    }
    const count = this.meta[(leaf << META_SHIFT) + COUNT] as number;
    if (count === FANOUT) {
      if (this.height === 0) this.growRoot();
      const at = this.leafSplitPoint(leaf, position);
      const right = this.splitLeaf(leaf, at);
      this.addChild(right, this.references[right << SLOT_SHIFT] as number);
      if (position > at) {
        leaf = right;
        position -= at;
      }
    }
    this.insertSlot(leaf, 0, position, reference);
    this.finger = leaf;
    this.count++;
  }

  /** Slot of the first entry at or after (key, version = base + `delta`), or NONE. O(log n). */
  lowerBound(key: Uint8Array, start: number, length: number, delta: number): number {
    let node = this.root;
    this.shared = 0;
    for (let level = this.height; level > 0; level--) {
      const position = this.childPosition(node, key, start, length, delta);
      node = this.childAt(node, position);
    }
    const position = this.search(node, 0, key, start, length, delta);
    if (position < (this.meta[(node << META_SHIFT) + COUNT] as number))
      return (node << SLOT_SHIFT) + position;
    const next = this.meta[(node << META_SHIFT) + NEXT] as number;
    return next === NONE ? NONE : next << SLOT_SHIFT;
  }

  /** NONE when the tree is empty, as `lastSlot`. */
  firstSlot(): number {
    // Splits move the upper part away, so the first leaf stays node 0.
    return this.count === 0 ? NONE : 0;
  }

  lastSlot(): number {
    if (this.count === 0) return NONE;
    return (this.lastLeaf << SLOT_SHIFT) + (this.meta[(this.lastLeaf << META_SHIFT) + COUNT] as number) - 1;
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

  /**
   * Which child of `inner` holds the place of (key, delta). Also learns from the separators on both sides how many
   * bytes the key shares with everything below that child, which mostly spares the next search a look at the arena
   * (a cache miss, the dearest step of a descent).
   */
  private childPosition(
    inner: number,
    key: Uint8Array,
    start: number,
    length: number,
    delta: number,
  ): number {
    this.exact = false;
    const bound = this.search(inner, 1, key, start, length, delta);
    // An equal separator is the first entry below its child.
    const position = this.exact ? bound : bound - 1;
    if (position > 0 && position + 1 < (this.meta[(inner << META_SHIFT) + COUNT] as number)) {
      const slot = (inner << SLOT_SHIFT) + position;
      const skip = this.meta[(inner << META_SHIFT) + SKIP] as number;
      const shared = skip + sharedHeadBytes(this.heads[slot] as number, this.heads[slot + 1] as number);
      // Heads are padded with zeros, which are bytes of no key: no more is shared than the key has.
      this.shared = shared < length ? shared : length;
    }
    return position;
  }

  /**
   * Position in `node`, counted from its slot 0, of the first entry from slot `first` on that is not before
   * (key, delta), or the node's count. Sets `exact` when that entry equals both. Trusts `shared`.
   */
  private search(
    node: number,
    first: number,
    key: Uint8Array,
    start: number,
    length: number,
    delta: number,
  ): number {
    const count = this.meta[(node << META_SHIFT) + COUNT] as number;
    if (count <= first) return first;
    const references = this.references;
    const heads = this.heads;
    const base = node << SLOT_SHIFT;
    const skip = this.meta[(node << META_SHIFT) + SKIP] as number;
    if (skip > this.shared) {
      const order = this.comparePrefix(references[base + first] as number, skip, key, start, length);
      if (order !== 0) return order < 0 ? count : first;
    }
    const head = keyHead48(key, start, length, skip);
    let low = base + first;
    let high = base + count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = heads[middle] as number;
      if (other < head) {
        low = middle + 1;
      } else if (other > head) {
        high = middle;
      } else {
        const order = this.compare(references[middle] as number, skip, key, start, length, delta);
        if (order === 0) {
          this.exact = true;
          return middle - base;
        }
        if (order < 0) low = middle + 1;
        else high = middle;
      }
    }
    return low - base;
  }

  /** Orders the first `skip` bytes of an entry against a key; a key that ends inside them is smaller. */
  private comparePrefix(
    reference: number,
    skip: number,
    key: Uint8Array,
    start: number,
    length: number,
  ): number {
    const bytes = this.bytes;
    const entryStart = (reference << 2) + OPERATION_HEADER_BYTES;
    const shared = length < skip ? length : skip;
    for (let i = 0; i < shared; i++) {
      const difference = (bytes[entryStart + i] as number) - (key[start + i] as number);
      if (difference !== 0) return difference;
    }
    return skip - shared;
  }

  /** Orders an entry against (key, delta), of which the first `skip` bytes are known to be equal. */
  private compare(
    reference: number,
    skip: number,
    key: Uint8Array,
    start: number,
    length: number,
    delta: number,
  ): number {
    const bytes = this.bytes;
    const entryStart = (reference << 2) + OPERATION_HEADER_BYTES;
    const entryLength = (this.words[reference] as number) & 0xffff;
    const shared = entryLength < length ? entryLength : length;
    for (let i = skip; i < shared; i++) {
      const difference = (bytes[entryStart + i] as number) - (key[start + i] as number);
      if (difference !== 0) return difference;
    }
    if (entryLength !== length) return entryLength - length;
    return delta - (this.words[reference + 2] as number);
  }

  /** Whether the latest insert's leaf has room and is also where (key, delta) belongs. */
  private fingerTakes(start: number, length: number, delta: number): boolean {
    const leaf = this.finger;
    const meta = leaf << META_SHIFT;
    if (this.meta[meta + COUNT] === FANOUT) return false;
    if (this.meta[meta + PREVIOUS] !== NONE) {
      const own = this.references[leaf << SLOT_SHIFT] as number;
      if (this.compare(own, 0, this.bytes, start, length, delta) > 0) return false;
    }
    const next = this.meta[meta + NEXT] as number;
    if (next === NONE) return true;
    return (
      this.compare(this.references[next << SLOT_SHIFT] as number, 0, this.bytes, start, length, delta) > 0
    );
  }

  /** The leaf for (key, delta). On return its parent has room for one more child. */
  private descendToInsert(start: number, length: number, delta: number): number {
    this.shared = 0;
    if (this.height === 0) return this.root;
    if (this.meta[(this.root << META_SHIFT) + COUNT] === FANOUT) this.growRoot();
    let node = this.root;
    for (let level = this.height; level > 0; level--) {
      let position = this.childPosition(node, this.bytes, start, length, delta);
      if (this.meta[(node << META_SHIFT) + COUNT] === FANOUT) {
        const at = innerSplitPoint(position);
        const separator = this.references[(node << SLOT_SHIFT) + at] as number;
        const right = this.splitInner(node, at);
        this.addChild(right, separator);
        if (position >= at) {
          node = right;
          position -= at;
        }
      }
      this.parent = node;
      this.parentPosition = position;
      node = this.childAt(node, position);
    }
    return node;
  }

  private childAt(inner: number, position: number): number {
    return this.children[(this.meta[(inner << META_SHIFT) + CHILDREN] as number) + position] as number;
  }

  /** Puts an inner node with one child above the root. */
  private growRoot(): void {
    assert(this.height < HEIGHT_MAX, "a memtable's tree stays low");
    const root = this.newInner();
    this.children[this.meta[(root << META_SHIFT) + CHILDREN] as number] = this.root;
    this.meta[(root << META_SHIFT) + COUNT] = 1;
    this.root = root;
    this.height++;
    this.parent = root;
    this.parentPosition = 0;
  }

  /** Adds `right`, split off from the child last descended to, behind that child in its parent. */
  private addChild(right: number, separator: number): void {
    const count = this.meta[(this.parent << META_SHIFT) + COUNT] as number;
    assert(count < FANOUT, "a split child's parent has room");
    const position = this.parentPosition + 1;
    const children = this.meta[(this.parent << META_SHIFT) + CHILDREN] as number;
    this.children.copyWithin(children + position + 1, children + position, children + count);
    this.children[children + position] = right;
    this.insertSlot(this.parent, 1, position, separator);
  }

  /** Puts a reference at `position` of a node with room. `first` is the node's first slot with a key. */
  private insertSlot(node: number, first: number, position: number, reference: number): void {
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

  /**
   * How many entries stay left when full `leaf` is split for an insert at `position`: neither side is left empty. In
   * the middle, unless the insert goes next to the leaf's latest entry, the one with the greatest reference. Then the
   * load is a run of ascending or descending keys, or of versions of one key, and the split leaves the run at the end
   * of a leaf (ascending) or a long tail of it behind (descending), so that runs pack densely wherever they are.
   */
  private leafSplitPoint(leaf: number, position: number): number {
    const base = leaf << SLOT_SHIFT;
    let latest = base;
    for (let slot = base + 1; slot < base + FANOUT; slot++) {
      if ((this.references[slot] as number) > (this.references[latest] as number)) latest = slot;
    }
    const middle = FANOUT >> 1;
    if (latest === base + position - 1) return Math.min(Math.max(position, middle), FANOUT - 1);
    if (latest === base + position) return Math.max(Math.min(position, middle), 1);
    return middle;
  }

  /** Moves slots from `at` on into a new leaf behind `leaf`, and returns it. */
  private splitLeaf(leaf: number, at: number): number {
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
  private splitInner(inner: number, at: number): number {
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

  private newInner(): number {
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

/** How many children stay left of a split on the way to child `position`: few move when the load runs along an end. */
function innerSplitPoint(position: number): number {
  if (position === FANOUT - 1) return FANOUT - 1;
  return position === 0 ? 1 : FANOUT >> 1;
}

/** How many leading bytes two 48-bit heads share. */
function sharedHeadBytes(a: number, b: number): number {
  const highA = (a * 2 ** -24) | 0;
  const highB = (b * 2 ** -24) | 0;
  if (highA !== highB) return (Math.clz32(highA ^ highB) - 8) >> 3;
  const low = (a - highA * 0x1000000) ^ (b - highB * 0x1000000);
  return 3 + ((Math.clz32(low) - 8) >> 3);
}
