/**
 * One log segment as a reader beside its writer has it: the bytes read so far, a memtable of the records among them, and where
 * to go on. The writer may be writing the next record at this moment, so what does not verify at the end is not there yet; it
 * is looked at anew by the next `extend`. What was once read stays: a segment is only ever added to.
 *
 * Reads in pieces, between which the caller may let others run. A piece may be older than the one behind it, so that a record
 * can look damaged that was merely being written: whoever hears `CORRUPTION` reads again before believing it
 * (`view-loader.ts`). Keeps no file open.
 */
import { buggify, mutant } from "../../platform/probes.js";
import type { VFile, VFS } from "../../platform/vfs.js";
import { walPath } from "../files.js";
import { Arena } from "../format/operation.js";
import { Memtable } from "../memtable/memtable.js";
import type { ReadableSegment } from "../read/read-view.js";
import { readSegmentHeader, SEGMENT_FRAMES_START } from "../wal/segment-header.js";
import {
  beginningOf,
  checkSegmentSize,
  parseRecords,
  type SegmentContents,
  type SegmentPosition,
} from "../wal/segment-reader.js";

/** Bytes read, and operations applied, in one step. */
const PIECE_BYTES = 1024 * 1024;
const PIECE_OPERATIONS = 4096;
const SMALL_PIECE_BYTES = 1024;

/** A segment that has a header, and so a place in the log. */
export class LogImage implements ReadableSegment {
  readonly fileNumber: number;
  readonly memtable: Memtable;
  pins = 0;
  readonly #arena: Arena;
  readonly #size: number;
  #position: SegmentPosition;
  #tornBytes = 0;

  /** Null where the segment has no valid header yet. */
  static *begin(
    vfs: VFS,
    directory: string,
    fileNumber: number,
    storeId: Uint8Array,
  ): Generator<void, LogImage | null, void> {
    const path = walPath(directory, fileNumber);
    const file = vfs.openFile(path, "read");
    try {
      const size = file.size();
      const arena = new Arena((size + 15) & ~7);
      yield* readPieces(file, arena, 0, Math.min(size, SEGMENT_FRAMES_START));
      const header = readSegmentHeader(arena.bytes, size, { path, fileNumber, storeId });
      if (header === null) return null;
      checkSegmentSize(path, header, size);
      return new LogImage(fileNumber, arena, size, beginningOf(header));
    } finally {
      file.close();
    }
  }

  private constructor(fileNumber: number, arena: Arena, size: number, position: SegmentPosition) {
    this.fileNumber = fileNumber;
    this.#arena = arena;
    this.#size = size;
    this.#position = position;
    this.memtable = new Memtable(arena, position.header.baseVersion);
  }

  /** Where the records end that have been read. */
  get position(): SegmentPosition {
    return this.#position;
  }

  get usedBytes(): number {
    return this.#position.end;
  }

  /** Bytes behind the last record that are no record: one being written, or what a crash has left. */
  get tornBytes(): number {
    return this.#tornBytes;
  }

  /** Reads what has been added. Throws `NOT_FOUND` when the segment is gone, and `CORRUPTION`; then nothing has changed. */
  *extend(vfs: VFS, directory: string): Generator<void, void, void> {
    if (this.#position.sealed) return;
    const path = walPath(directory, this.fileNumber);
    const file = vfs.openFile(path, "read");
    try {
      checkSegmentSize(path, this.#position.header, file.size());
      yield* readPieces(file, this.#arena, this.#position.end, this.#size);
    } finally {
      file.close();
    }
    const added = parseRecords(path, this.#arena, this.#size, this.#position);
    yield* this.#apply(added);
    const { header, commitCount, lastVersion, end, chain, sealed } = added;
    this.#position = { header, commitCount, lastVersion, end, chain, sealed };
    this.#tornBytes = added.tornBytes;
  }

  /** Views of before do not see what is applied: they read at their versions. */
  *#apply({ points, rangeDeletes }: SegmentContents): Generator<void, void, void> {
    for (const at of rangeDeletes) this.memtable.insertRangeDelete(at);
    const kept = mutant("Y2-reader-leaves-out-an-operation") ? points.subarray(1) : points;
    for (let i = 0; i < kept.length; i++) {
      // i < length
      this.memtable.insert(kept[i] as number);
      if (i % PIECE_OPERATIONS === PIECE_OPERATIONS - 1) yield;
    }
  }
}

function* readPieces(file: VFile, arena: Arena, from: number, to: number): Generator<void, void, void> {
  for (let at = from; at < to; ) {
    const end = Math.min(to, at + (buggify("read-only.small-pieces") ? SMALL_PIECE_BYTES : PIECE_BYTES));
    const read = file.read(arena.bytes, at, end - at, at);
    // Shorter than it was: `checkSegmentSize` says so the next time.
    arena.bytes.fill(0, at + read, end);
    at = end;
    yield;
  }
}
