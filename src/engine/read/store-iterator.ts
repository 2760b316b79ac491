/**
 * What users iterate: the live keys of a range at one version, in either direction. Merges all sources, keeps of each
 * key the newest version that the read version can see, and leaves out what deletes and range deletes cover.
 *
 * Promise: the view is fixed at creation (created synchronously) and unaffected by commits, flushes and compactions
 * until the iterator is closed or exhausted, whichever comes first. Keys and values are handed out as copies.
 * Does not skip over covered stretches: rows under a range delete are stepped over until compaction has dropped them.
 */
import { StillwaterError } from "../../platform/errors.js";
import { mutant } from "../../platform/probes.js";
import { checkKey } from "../batch.js";
import type { Cursor } from "../cursor.js";
import { compareBytes, compareKeys, copyOf, EMPTY_BYTES, keyAfter } from "../format/bytes.js";
import { KIND_NONE, KIND_PUT } from "../format/operation.js";
import type { TreeVersion } from "../manifest/version-set.js";
import type { RangeTombstones } from "../memtable/range-tombstones.js";
import type { TableCache } from "../table-cache.js";
import { IteratorHold } from "./iterator-hold.js";
import { LevelCursor } from "./level-cursor.js";
import { MergingCursor } from "./merging-cursor.js";
import { copyValue, type ReadableSegment, tablesInRange } from "./read-view.js";

export interface IterationRange {
  /** Inclusive; null: from the first key. */
  readonly begin: Uint8Array | null;
  /** Exclusive; null: to the last key. */
  readonly end: Uint8Array | null;
  readonly reverse: boolean;
  readonly limit: number;
}

export interface IterationSources {
  /** Newest first. */
  readonly segments: readonly ReadableSegment[];
  readonly tree: TreeVersion;
  readonly tables: TableCache;
  /** Called once, when the iterator is closed. */
  readonly onClose: (hold: IteratorHold) => void;
}

/**
 * Rows of one key that are stepped over before the cursor looks for the next key: a search costs about as much as this many steps, and
 * a key that is written all the time has thousands of versions until a flush (RocksDB: max_sequential_skip_in_iterations, 8).
 */
const STEPS_BEFORE_SEEK = 8;

/** A cursor over a range at one version. Close it. */
export class StoreIterator {
  readonly version: number;
  readonly #range: IterationRange;
  /** For the store: what is given back when it is closed. */
  readonly hold: IteratorHold;
  readonly #tombstones: readonly RangeTombstones[];
  readonly #cursor: Cursor;
  #isPositioned = false;
  #hasRow = false;
  /** It has said that there are no more rows, and may say so again; closed by anybody else it must not. */
  #isExhausted = false;
  /** The user key of the current row. */
  #key: Uint8Array = new Uint8Array(64);
  #keyLength = 0;
  /** In reverse, the value of the row: the cursor has moved on by then. */
  #value: Uint8Array = EMPTY_BYTES;
  #valueLength = 0;

  constructor(sources: IterationSources, version: number, range: IterationRange) {
    this.version = version;
    this.#range = range;
    const { segments, tree, tables } = sources;
    const tombstones: RangeTombstones[] = [];
    const cursors: Cursor[] = [];
    for (const { memtable } of segments) {
      if (!memtable.rangeTombstones.isEmpty || segments[0]?.memtable === memtable)
        tombstones.push(memtable.rangeTombstones);
      cursors.push(memtable.cursor());
    }
    tree.levels.forEach((level, depth) => {
      const inRange = tablesInRange(level, range.begin, range.end);
      for (const table of inRange)
        if (table.rangeTombstoneCount > 0 && !(depth > 0 && mutant("R13-deep-range-deletes-ignored")))
          tombstones.push(tables.rangeTombstones(table));
      if (depth === 0) for (const table of inRange) cursors.push(new LevelCursor([table], tables));
      else if (inRange.length > 0) cursors.push(new LevelCursor(inRange, tables));
    });
    this.#tombstones = tombstones;
    this.#cursor = cursors.length === 1 ? (cursors[0] as Cursor) : new MergingCursor(cursors);
    this.hold = new IteratorHold(sources, this.#cursor);
  }

  /** Moves to the next row; false at the end, and then the iterator has closed itself. Throws `CLOSED`, `CORRUPTION`, `IO`. */
  next(): boolean {
    if (this.hold.isClosed) {
      if (this.#isExhausted) return false;
      throw closed();
    }
    if (this.hold.rowsGiven === this.#range.limit) return this.#finish();
    try {
      this.#hasRow = this.#range.reverse ? this.#nextInReverse() : this.#nextForward();
    } catch (error) {
      this.#abandon();
      throw error;
    }
    if (!this.#hasRow) return this.#finish();
    this.hold.rowsGiven++;
    return true;
  }

  /** Continues at the first row in iteration order that is not before `key`, within the range. Throws as `next` does. */
  seek(key: Uint8Array): void {
    if (this.hold.isClosed) throw closed();
    checkKey(key);
    const { begin, end, reverse } = this.#range;
    this.#isPositioned = true;
    this.#hasRow = false;
    if (!mutant("R4-seek-keeps-old-key")) this.#keyLength = -1;
    try {
      if (reverse) {
        const after = keyAfter(key);
        this.#cursor.seekBefore(end !== null && compareKeys(end, after) < 0 ? end : after);
      } else {
        this.#cursor.seekAtOrAfter(begin !== null && compareKeys(begin, key) > 0 ? begin : key);
      }
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  /** A copy of the current key. */
  get key(): Uint8Array {
    this.#requireRow();
    return copyValue(this.#key, 0, this.#keyLength);
  }

  /** A copy of the current value. */
  get value(): Uint8Array {
    this.#requireRow();
    if (this.#range.reverse) return copyValue(this.#value, 0, this.#valueLength);
    const cursor = this.#cursor;
    return copyValue(cursor.valueBytes, cursor.valueStart, cursor.valueLength);
  }

  /** Gives back what the iterator pins. Idempotent. */
  close(): void {
    this.hold.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #finish(): boolean {
    this.#isExhausted = true;
    this.#hasRow = false;
    this.close();
    return false;
  }

  /** After an error: closed, and never to be taken for exhausted. */
  #abandon(): void {
    this.#hasRow = false;
    this.close();
  }

  #requireRow(): void {
    if (!this.#hasRow) {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        "the iterator stands on no row. Call next() and go on only while it returns true.",
      );
    }
    if (this.hold.isClosed) throw closed();
  }

  #nextForward(): boolean {
    const cursor = this.#cursor;
    const { begin, end } = this.#range;
    if (!this.#isPositioned) {
      this.#isPositioned = true;
      this.#keyLength = -1;
      if (begin === null) cursor.seekFirst();
      else cursor.seekAtOrAfter(begin);
    } else {
      this.#skipKey();
    }
    while (cursor.valid) {
      if (
        end !== null &&
        compareBytes(cursor.keyBytes, cursor.keyStart, cursor.keyLength, end, 0, end.length) >= 0
      )
        return false;
      if (cursor.version > this.version) {
        cursor.next();
        continue;
      }
      this.#keepKey();
      if (cursor.kind === KIND_PUT && !this.#isCovered(cursor.version)) return true;
      this.#skipKey();
    }
    return false;
  }

  /** Leaves all rows of the current key behind. */
  #skipKey(): void {
    const cursor = this.#cursor;
    if (this.#keyLength < 0) return;
    for (let steps = 0; cursor.valid && this.#isSameKey(); steps++) {
      if (steps === STEPS_BEFORE_SEEK) {
        cursor.seekAtOrAfter(keyAfter(this.#key.subarray(0, this.#keyLength)));
        return;
      }
      cursor.next();
    }
  }

  #nextInReverse(): boolean {
    const cursor = this.#cursor;
    const { begin, end } = this.#range;
    if (!this.#isPositioned) {
      this.#isPositioned = true;
      if (end === null) cursor.seekLast();
      else cursor.seekBefore(end);
    }
    while (cursor.valid) {
      if (
        begin !== null &&
        compareBytes(cursor.keyBytes, cursor.keyStart, cursor.keyLength, begin, 0, begin.length) < 0
      )
        return false;
      this.#keepKey();
      // Backwards the versions of a key come oldest first, so the last visible one seen is the newest.
      let kind = KIND_NONE;
      let version = 0;
      let steps = 0;
      do {
        if (steps++ === STEPS_BEFORE_SEEK) {
          const key = copyOf(this.#key, 0, this.#keyLength);
          // Where none of the oldest is visible, none is.
          if (kind !== KIND_NONE) {
            cursor.seekAtOrAfter(key);
            while (cursor.version > this.version) cursor.next();
            kind = cursor.kind;
            version = cursor.version;
            this.#keepValue();
          }
          cursor.seekBefore(key);
          break;
        }
        if (cursor.version <= this.version && (kind === KIND_NONE || !mutant("R5-reverse-stops-at-oldest"))) {
          kind = cursor.kind;
          version = cursor.version;
          this.#keepValue();
        }
        cursor.previous();
      } while (cursor.valid && this.#isSameKey());
      if (kind === KIND_PUT && !this.#isCovered(version)) return true;
    }
    return false;
  }

  #isSameKey(): boolean {
    const cursor = this.#cursor;
    return (
      compareBytes(cursor.keyBytes, cursor.keyStart, cursor.keyLength, this.#key, 0, this.#keyLength) === 0
    );
  }

  #isCovered(version: number): boolean {
    for (const tombstones of this.#tombstones) {
      if (tombstones.isEmpty) continue;
      if (tombstones.coveringVersion(this.#key, 0, this.#keyLength, this.version) > version) return true;
    }
    return false;
  }

  #keepKey(): void {
    const { keyBytes, keyStart, keyLength } = this.#cursor;
    if (keyLength > this.#key.length) this.#key = new Uint8Array(keyLength * 2);
    const key = this.#key;
    if (keyLength <= 32) for (let i = 0; i < keyLength; i++) key[i] = keyBytes[keyStart + i] as number;
    else key.set(keyBytes.subarray(keyStart, keyStart + keyLength));
    this.#keyLength = keyLength;
  }

  #keepValue(): void {
    const { valueBytes, valueStart, valueLength } = this.#cursor;
    if (valueLength > this.#value.length) this.#value = new Uint8Array(Math.max(256, valueLength * 2));
    this.#value.set(valueBytes.subarray(valueStart, valueStart + valueLength));
    this.#valueLength = valueLength;
  }
}

function closed(): StillwaterError {
  return new StillwaterError("CLOSED", "the iterator is closed. Create another one.");
}
