/**
 * A B+tree of references to operations in an arena, ordered by key ascending, then version descending. It owns the
 * order and nothing else: key and value bytes stay in the arena, which must outlive the tree and never change below a
 * reference.
 *
 * In an inner node slot i > 0 refers to the first operation below child i; slot 0 stands for minus infinity and is
 * never read. References are replaced but never removed, so the separator before a leaf always equals the leaf's first
 * entry. Full inner nodes are split on the way down (Guibas and Sedgewick 1978), hence no path is kept.
 *
 * Positions are given out as slot numbers, valid until the next insert; `holds` tells whether one still is.
 */
import { assert } from "../../platform/assert.js";
import { keyHead48 } from "../format/bytes.js";
import { OPERATION_HEADER_BYTES } from "../format/operation.js";
import {
  CHILDREN,
  COUNT,
  FANOUT,
  META_SHIFT,
  NEXT,
  NONE,
  PREVIOUS,
  SKIP,
  SLOT_SHIFT,
  TreeNodes,
} from "./tree-nodes.js";

/** Nodes at their emptiest, 16 entries or 32 children, give more entries than any arena can hold. */
const HEIGHT_MAX = 7;

/** The fewest entries that a split for a run inside the tree may leave on one side. */
const RUN_SPLIT_MIN = FANOUT >> 2;

const FIRST_LEAF = 0;

export class OperationTree extends TreeNodes {
  /** Live references. */
  count = 0;
  private root = 0;
  /** Levels of inner nodes above the leaves. */
  private height = 0;
  /** The leaf of the latest insert: runs of neighbouring keys skip the descent. */
  private finger = 0;
  /** Where the latest descent for an insert came from; read only when its leaf must be split. */
  private parent = NONE;
  private parentPosition = 0;
  /** How many bytes the key of the search under way is known to share with every key of the node it is at. */
  private shared = 0;
  /** Whether the latest search met an entry of just its key and version. */
  private exact = false;

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
    return this.count === 0 ? NONE : FIRST_LEAF << SLOT_SHIFT;
  }

  lastSlot(): number {
    if (this.count === 0) return NONE;
    return (this.lastLeaf << SLOT_SHIFT) + (this.meta[(this.lastLeaf << META_SHIFT) + COUNT] as number) - 1;
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
    let isLast = true;
    for (let level = this.height; level > 0; level--) {
      let position = this.childPosition(node, this.bytes, start, length, delta);
      const count = this.meta[(node << META_SHIFT) + COUNT] as number;
      isLast &&= position === count - 1;
      if (count === FANOUT) {
        // Ascending loads leave full nodes behind.
        const at = isLast ? FANOUT - 1 : FANOUT >> 1;
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

  /**
   * How many entries stay left when full `leaf` is split for an insert at `position`: half of them, unless the insert
   * goes next to the leaf's latest entry, the one with the greatest reference. Then the load is a run of ascending or
   * descending keys, or of versions of one key, and the split leaves as much of the run as it may behind, so that runs
   * pack densely wherever they are. At the tree's ends it may leave 63. Elsewhere it moves a quarter at least, or a
   * load of short runs in the other direction would leave a trail of nearly empty leaves.
   */
  private leafSplitPoint(leaf: number, position: number): number {
    const base = leaf << SLOT_SHIFT;
    let latest = base;
    for (let slot = base + 1; slot < base + FANOUT; slot++) {
      if ((this.references[slot] as number) > (this.references[latest] as number)) latest = slot;
    }
    const middle = FANOUT >> 1;
    if (latest === base + position - 1) {
      const most = leaf === this.lastLeaf ? FANOUT - 1 : FANOUT - RUN_SPLIT_MIN;
      return Math.min(Math.max(position, middle), most);
    }
    if (latest === base + position) {
      const least = leaf === FIRST_LEAF ? 1 : RUN_SPLIT_MIN;
      return Math.max(Math.min(position, middle), least);
    }
    return middle;
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
}

/** How many leading bytes two 48-bit heads share. */
function sharedHeadBytes(a: number, b: number): number {
  const highA = (a * 2 ** -24) | 0;
  const highB = (b * 2 ** -24) | 0;
  if (highA !== highB) return (Math.clz32(highA ^ highB) - 8) >> 3;
  const low = (a - highA * 0x1000000) ^ (b - highB * 0x1000000);
  return 3 + ((Math.clz32(low) - 8) >> 3);
}
