/**
 * When each part of the key space was last written, for as long as a transaction that read before may still commit: the
 * map from key ranges to versions in which the resolver looks up conflicts (FoundationDB's ConflictSet, there a skip
 * list). Keys are byte strings as text, one character a byte, which compare as the bytes do.
 *
 * The key space is cut at boundaries; all keys from one boundary to the next were last written at one version. Boundaries
 * live in chunks, so that cutting moves a few hundred entries at most, and each chunk knows its newest version, so that a
 * wide question is answered by chunks. What one large commit has written stays a set of its own until it is forgotten, for
 * working it in would keep the event loop. Promise: `newest` is exact for versions above the horizon.
 * Does not own: what a version is, or when the horizon moves.
 */
import { assert } from "../platform/assert.js";
import { buggify, mutant } from "../platform/probes.js";
import { keyTextAfter } from "./key-text.js";
import type { RangeSet } from "./range-set.js";

/** Commits of more ranges are kept apart. A few milliseconds of work below it, one more search a question above. */
const APART_RANGES_MIN = 4_096;
const CHUNK_BOUNDARIES_MAX = 512;
/** A chunk that has shrunk below this joins its neighbour. */
const CHUNK_BOUNDARIES_MIN = 64;
const SWEPT_PER_CUT = 2;
/** A simulation may split from here on, so that few keys make many chunks. */
const TINY_CHUNK_BOUNDARIES = 4;

interface Chunk {
  /** Ascending. The first is the chunk's own beginning. */
  readonly boundaries: string[];
  /** `versions[i]` holds from `boundaries[i]` to the next boundary, be it in the next chunk. */
  readonly versions: number[];
  newest: number;
}

export class WriteHistory {
  /** The first chunk begins with the empty key, so that every key lies in one. */
  readonly #chunks: Chunk[];
  /** Large commits, in the order of their versions. The ranges belong to the commit and change no more. */
  readonly #apart: { readonly version: number; readonly ranges: RangeSet }[] = [];
  #horizon: number;
  #sweepAt = 0;
  /** Cuts since the last sweep, at most. */
  #cuts = 0;

  /** Nothing is known to have been written after `version`. */
  constructor(version: number) {
    this.#horizon = version;
    this.#chunks = [{ boundaries: [""], versions: [version], newest: version }];
  }

  /** Below this, "when" is forgotten: transactions that read earlier cannot be checked. */
  get horizon(): number {
    return this.#horizon;
  }

  /** Number of ranges the key space is cut into now. */
  get size(): number {
    let size = 0;
    for (const { boundaries } of this.#chunks) size += boundaries.length;
    return size;
  }

  /** A commit has written all these at `version`, which is not below any earlier one. */
  wroteAll(ranges: RangeSet, version: number): void {
    if (ranges.size >= APART_RANGES_MIN || buggify("write-history.small-commit-apart"))
      this.#apart.push({ version, ranges });
    else {
      ranges.forEach((begin, end) => {
        const from =
          mutant("T9-conflict-begin-is-exclusive") && isRange(begin, end) ? keyTextAfter(begin) : begin;
        const to = mutant("T8-conflict-end-is-inclusive") && isRange(begin, end) ? keyTextAfter(end) : end;
        this.wrote(from, to, version);
      });
    }
  }

  /** [begin, end) is written at `version`, which is not below any earlier one. O(log n + what is replaced). */
  wrote(begin: string, end: string, version: number): void {
    if (begin >= end) return;
    let at = this.#chunkOf(begin);
    let index = floorIndex((this.#chunks[at] as Chunk).boundaries, begin);
    const { boundaries, versions } = this.#chunks[at] as Chunk;
    if (boundaries[index] === begin && boundaries[index + 1] === end) {
      // A key that was written before.
      versions[index] = version;
      this.#raise(at, version);
      return;
    }
    this.#cuts += 2;
    this.#cut(end);
    this.#cut(begin);
    at = this.#chunkOf(begin);
    index = floorIndex((this.#chunks[at] as Chunk).boundaries, begin);
    (this.#chunks[at] as Chunk).versions[index] = version;
    this.#raise(at, version);
    index++;
    // All cuts inside go: their range is one now.
    for (;;) {
      const chunk = this.#chunks[at] as Chunk;
      const stop = lowerIndex(chunk.boundaries, end, index);
      chunk.boundaries.splice(index, stop - index);
      chunk.versions.splice(index, stop - index);
      const isDone = index < chunk.boundaries.length;
      if (chunk.boundaries.length === 0) this.#chunks.splice(at, 1);
      else at++;
      if (isDone || at >= this.#chunks.length) break;
      index = 0;
    }
  }

  /**
   * The newest version at which any key of [begin, end) was written; at most the horizon, or `above`, when none was since. The
   * higher `above`, the less there is to look at.
   */
  newest(begin: string, end: string, above = 0): number {
    let newest = Math.max(this.#horizon, above);
    if (begin >= end) return newest;
    for (let i = this.#apart.length - 1; i >= 0; i--) {
      const { version, ranges } = this.#apart[i] as { version: number; ranges: RangeSet };
      if (version <= newest) break;
      if (!ranges.touches(begin, end) || mutant("T20-large-commits-not-looked-at")) continue;
      newest = version;
      break;
    }
    const first = this.#chunkOf(begin);
    for (let at = first; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at] as Chunk;
      if (at > first && (chunk.boundaries[0] as string) >= end) break;
      if (chunk.newest <= newest) continue;
      // The range of the boundary at or before `begin` counts, wherever it begins.
      let index = at === first ? floorIndex(chunk.boundaries, begin) : 0;
      do {
        newest = Math.max(newest, chunk.versions[index] as number);
        index++;
      } while (index < chunk.boundaries.length && (chunk.boundaries[index] as string) < end);
    }
    return newest;
  }

  /** Nobody asks about versions up to `horizon` any more. Cuts between forgotten ranges go a chunk at a time, in `sweep`. */
  forget(horizon: number): void {
    this.#horizon = Math.max(this.#horizon, horizon);
    while ((this.#apart[0]?.version ?? Number.POSITIVE_INFINITY) <= this.#horizon) this.#apart.shift();
  }

  /**
   * Joins forgotten ranges of the next chunks in turn: of twice as many as were cut since, so that what is kept is at most twice what
   * must be, however large commits are. O(cuts since, and one chunk).
   */
  sweep(): void {
    let left = SWEPT_PER_CUT * this.#cuts;
    this.#cuts = 0;
    for (let chunks = this.#chunks.length; chunks > 0; chunks--) {
      left -= this.#sweepChunk();
      if (left <= 0) return;
    }
  }

  /** Returns how many ranges it has looked at. */
  #sweepChunk(): number {
    if (this.#sweepAt >= this.#chunks.length) this.#sweepAt = 0;
    const chunk = this.#chunks[this.#sweepAt] as Chunk;
    const { boundaries, versions } = chunk;
    const looked = boundaries.length;
    let kept = 1;
    let newest = versions[0] as number;
    for (let index = 1; index < boundaries.length; index++) {
      const version = versions[index] as number;
      const before = versions[kept - 1] as number;
      if (version <= this.#horizon && (before <= this.#horizon || mutant("T17-sweep-joins-with-newer")))
        continue;
      if (before <= this.#horizon && mutant("T18-sweep-joins-with-older")) continue;
      boundaries[kept] = boundaries[index] as string;
      versions[kept] = version;
      newest = Math.max(newest, version);
      kept++;
    }
    boundaries.length = kept;
    versions.length = kept;
    chunk.newest = newest;
    this.#join(this.#sweepAt);
    this.#sweepAt++;
    return looked;
  }

  /** Makes `key` a boundary, if it is none. */
  #cut(key: string): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at] as Chunk;
    const index = floorIndex(chunk.boundaries, key);
    if (chunk.boundaries[index] === key) return;
    chunk.boundaries.splice(index + 1, 0, key);
    chunk.versions.splice(index + 1, 0, chunk.versions[index] as number);
    const { length } = chunk.boundaries;
    if (length > CHUNK_BOUNDARIES_MAX) this.#split(at);
    else if (length >= TINY_CHUNK_BOUNDARIES && buggify("write-history.early-split")) this.#split(at);
  }

  #split(at: number): void {
    const chunk = this.#chunks[at] as Chunk;
    const half = chunk.boundaries.length >> 1;
    const boundaries = chunk.boundaries.splice(half);
    const versions = chunk.versions.splice(half);
    chunk.newest = highest(chunk.versions);
    const newest = mutant("T19-split-forgets-the-newest") ? 0 : highest(versions);
    this.#chunks.splice(at + 1, 0, { boundaries, versions, newest });
  }

  #join(at: number): void {
    const chunk = this.#chunks[at] as Chunk;
    const next = this.#chunks[at + 1];
    if (next === undefined) return;
    if (chunk.boundaries.length >= CHUNK_BOUNDARIES_MIN && next.boundaries.length >= CHUNK_BOUNDARIES_MIN)
      return;
    if (chunk.boundaries.length + next.boundaries.length > CHUNK_BOUNDARIES_MAX) return;
    chunk.boundaries.push(...next.boundaries);
    chunk.versions.push(...next.versions);
    chunk.newest = Math.max(chunk.newest, next.newest);
    this.#chunks.splice(at + 1, 1);
  }

  #raise(at: number, version: number): void {
    const chunk = this.#chunks[at] as Chunk;
    assert(version >= this.#horizon, "writes come in the order of their versions");
    chunk.newest = Math.max(chunk.newest, version);
  }

  /** The chunk in which `key` lies. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (((this.#chunks[middle] as Chunk).boundaries[0] as string) <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function isRange(begin: string, end: string): boolean {
  return end !== keyTextAfter(begin);
}

/** Index of the last boundary at or before `key`; the first one is. */
function floorIndex(boundaries: readonly string[], key: string): number {
  let low = 0;
  let high = boundaries.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((boundaries[middle] as string) <= key) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Index of the first boundary from `from` on that is not before `key`. */
function lowerIndex(boundaries: readonly string[], key: string, from: number): number {
  let low = from;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((boundaries[middle] as string) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function highest(versions: readonly number[]): number {
  let highest = 0;
  for (const version of versions) if (version > highest) highest = version;
  return highest;
}
