/**
 * The newest writes in order. The arena is the in-memory image of one write-ahead log segment: the committer lays
 * operations out there once, and the memtable only keeps references to them, so no key and no value is copied.
 * Promises: order by key ascending, then version descending; of two operations of one batch on one key the later wins;
 * cursors stay correct while it grows. Does not own: the arena's space, visibility (cursors and `rangeTombstones` show
 * every version), the flush (which sorts the sealed segment anew).
 */
import { assert } from "../../platform/assert.js";
import type { Cursor } from "../cursor.js";
import { compareBytes, copyOf } from "../format/bytes.js";
import {
  type Arena,
  KIND_DELETE,
  KIND_PUT,
  KIND_RANGE_DELETE,
  OPERATION_HEADER_BYTES,
  operationKeyLength,
  operationKind,
  operationValueLength,
  operationVersionDelta,
} from "../format/operation.js";
import { MemtableCursor } from "./memtable-cursor.js";
import { OperationTree } from "./operation-tree.js";
import { RangeTombstones } from "./range-tombstones.js";
import { NONE } from "./tree-nodes.js";

export class Memtable {
  readonly arena: Arena;
  readonly baseVersion: number;
  /** Every range delete inserted so far, of all versions. */
  readonly rangeTombstones: RangeTombstones = new RangeTombstones();
  private readonly tree: OperationTree;

  constructor(arena: Arena, baseVersion: number) {
    this.arena = arena;
    this.baseVersion = baseVersion;
    this.tree = new OperationTree(arena);
  }

  /** Live point entries: an operation that replaced another of its batch counts once. */
  get count(): number {
    return this.tree.count;
  }

  /** Adds the put or delete at byte offset `at` of the arena, complete with its version. O(log n). */
  insert(at: number): void {
    const kind = operationKind(this.arena.words, at);
    assert((at & 3) === 0 && (kind === KIND_PUT || kind === KIND_DELETE), "a point operation is inserted");
    this.tree.insert(at >>> 2);
  }

  /** Adds the range delete at byte offset `at` of the arena. */
  insertRangeDelete(at: number): void {
    const { bytes, words } = this.arena;
    assert((at & 3) === 0 && operationKind(words, at) === KIND_RANGE_DELETE, "a range delete is inserted");
    const beginStart = at + OPERATION_HEADER_BYTES;
    const beginLength = operationKeyLength(words, at);
    // Copies, because tombstones move on into tables and compactions and must not keep a whole arena alive.
    const begin = copyOf(bytes, beginStart, beginLength);
    const end = copyOf(bytes, beginStart + beginLength, operationValueLength(words, at));
    this.rangeTombstones.add(begin, end, this.baseVersion + operationVersionDelta(words, at));
  }

  /**
   * Byte offset in the arena of the newest put or delete of `key` with a version at or below the given one, or -1.
   * Does not look at range tombstones. O(log n), no allocation.
   */
  find(key: Uint8Array, version: number): number {
    const slot = this.tree.lowerBound(key, 0, key.length, version - this.baseVersion);
    if (slot === NONE) return -1;
    const at = (this.tree.references[slot] as number) << 2;
    const { bytes, words } = this.arena;
    const length = operationKeyLength(words, at);
    const found = compareBytes(bytes, at + OPERATION_HEADER_BYTES, length, key, 0, key.length) === 0;
    return found ? at : -1;
  }

  /** A new cursor over the point entries, not yet positioned. */
  cursor(): Cursor {
    return new MemtableCursor(this.tree, this.arena, this.baseVersion);
  }
}
