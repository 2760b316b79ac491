/**
 * The log segment that commits go to, together with the memtable that indexes it: the arena holds the very bytes of the
 * file, so an operation is encoded once and serves log and memory alike. Owns the order of bytes within one segment;
 * the committer decides when to write, sync, apply and seal.
 *
 * A segment is created whole (given its full size, header and name durable) before the first commit may use it, is
 * written at increasing positions only, and once sealed is never written again; after a crash it is never appended to
 * (engine.md D9–D15). Nothing here retries: the first error is the committer's to turn into fail-stop.
 */
import type { Counters } from "../../metrics/registry.js";
import { assert } from "../../platform/assert.js";
import { crashPoint, mutant } from "../../platform/probes.js";
import type { VFile, VFS } from "../../platform/vfs.js";
import { COUNTER } from "../engine-metrics.js";
import { walPath } from "../files.js";
import type { ChecksumAlgorithm } from "../format/checksum.js";
import {
  FRAME_COMMITS,
  FRAME_HEADER_BYTES,
  FRAME_MARK,
  FRAME_SEAL,
  FRAME_SECTOR_BYTES,
  FrameHeader,
  frameBytes,
  nextSector,
  sealFrame,
} from "../format/frame.js";
import {
  type Arena,
  KIND_NONE,
  KIND_PUT,
  KIND_RANGE_DELETE,
  operationKind,
  operationLength,
} from "../format/operation.js";
import { Memtable } from "../memtable/memtable.js";
import { SEGMENT_FRAMES_START, SEGMENT_HEADER_BYTES, writeSegmentHeader } from "./segment-header.js";

/** Room kept free at the end for the seal and a mark, each in a sector of its own. */
const SEGMENT_TAIL_BYTES = 4 * FRAME_SECTOR_BYTES;

/** Arena size for a segment whose commits may take `payloadBytes`. */
export function segmentCapacity(payloadBytes: number): number {
  return (
    (SEGMENT_FRAMES_START + frameBytes(payloadBytes) + FRAME_SECTOR_BYTES + SEGMENT_TAIL_BYTES + 15) & ~7
  );
}

/** Where a sealed segment has ended, for its successor to record. Keeps nothing of the segment in memory. */
export interface SegmentEnd {
  readonly fileNumber: number;
  readonly usedBytes: number;
  readonly chain: number;
}

export interface SegmentOrigin {
  readonly fileNumber: number;
  readonly storeId: Uint8Array;
  readonly checksum: ChecksumAlgorithm;
  /** Newest version assigned so far. */
  readonly baseVersion: number;
  /** The sealed predecessor that is still live, if any. */
  readonly previous: SegmentEnd | null;
  /** False: bytes go to the file only when the segment is sealed (`durability: "none"`). */
  readonly isLogged: boolean;
}

export class Segment {
  readonly fileNumber: number;
  readonly memtable: Memtable;
  readonly arena: Arena;
  readonly baseVersion: number;
  /** Newest version assigned in this segment. */
  lastVersion: number;
  /** A sync is under way. */
  syncInFlight = false;
  /** Everything below this offset is durable. */
  syncedTo = 0;
  /** Readers (iterators) that look into the arena; it is not reused while there are any. */
  pins = 0;
  readonly #file: VFile;
  readonly #codec: { readonly checksum: ChecksumAlgorithm; readonly fileNumber: number };
  readonly #header = new FrameHeader();
  readonly #isLogged: boolean;
  #chain: number;
  /** Start of the record that is being filled, or -1. */
  #recordAt = -1;
  #recordCommits = 0;
  /** End of the last operation in the arena. */
  #used: number;
  /** Everything below this offset has been written to the file. */
  #writtenTo = 0;
  /** Everything below this offset has been given to a sync, whether that has ended or not. */
  #syncAskedTo = 0;
  #isSealed = false;

  /** Creates the file and makes it, its size, its header and its name durable. */
  static create(vfs: VFS, directory: string, arena: Arena, origin: SegmentOrigin): Segment {
    // CRASH_POINT(id: wal.rotate.before-create)
    crashPoint("wal.rotate.before-create");
    const file = vfs.createFile(walPath(directory, origin.fileNumber));
    try {
      // CRASH_POINT(id: wal.rotate.after-create)
      crashPoint("wal.rotate.after-create");
      // The full size at once, so that later syncs need not change it (engine.md fact 2).
      if (!mutant("M13-segment-sized-after-sync")) file.truncate(arena.capacity);
      const segment = new Segment(file, arena, origin);
      file.syncData();
      if (mutant("M13-segment-sized-after-sync")) file.truncate(arena.capacity);
      segment.syncedTo = segment.#writtenTo;
      // CRASH_POINT(id: wal.rotate.after-sync)
      crashPoint("wal.rotate.after-sync");
      if (!mutant("W24-segment-name-not-synced")) vfs.syncDirectory(directory);
      // CRASH_POINT(id: wal.rotate.after-dirsync)
      crashPoint("wal.rotate.after-dirsync");
      return segment;
    } catch (error) {
      file.close();
      throw error;
    }
  }

  private constructor(file: VFile, arena: Arena, origin: SegmentOrigin) {
    const { previous } = origin;
    this.#file = file;
    this.arena = arena;
    this.fileNumber = origin.fileNumber;
    this.baseVersion = origin.baseVersion;
    this.lastVersion = origin.baseVersion;
    this.memtable = new Memtable(arena, origin.baseVersion);
    const fileNumber = mutant("W8-frames-not-bound-to-file") ? 0 : origin.fileNumber;
    this.#codec = { checksum: origin.checksum, fileNumber };
    this.#isLogged = origin.isLogged;
    this.#chain = previous === null ? 0 : previous.chain;
    writeSegmentHeader(arena.bytes, {
      checksumId: origin.checksum.id,
      fileNumber: origin.fileNumber,
      capacity: arena.capacity,
      baseVersion: origin.baseVersion,
      previousNumber: previous === null ? 0 : previous.fileNumber,
      previousLength: previous === null ? 0 : previous.usedBytes,
      previousChain: this.#chain,
      storeId: origin.storeId,
    });
    if (mutant("W14-chain-forgotten-at-rotation")) this.#chain = 0;
    // The arena may have served another segment; the rest of the header's sector is to be zero.
    arena.bytes.fill(0, SEGMENT_HEADER_BYTES, SEGMENT_FRAMES_START);
    this.#used = SEGMENT_FRAMES_START;
    file.write(arena.bytes, 0, SEGMENT_FRAMES_START, 0);
    this.#writtenTo = SEGMENT_FRAMES_START;
    this.#syncAskedTo = SEGMENT_FRAMES_START;
  }

  /** Of a sealed segment. */
  get end(): SegmentEnd {
    assert(this.#isSealed, "a segment has ended when it is sealed");
    return { fileNumber: this.fileNumber, usedBytes: this.#used, chain: this.#chain };
  }

  get isSealed(): boolean {
    return this.#isSealed;
  }

  get usedBytes(): number {
    return this.#used;
  }

  get writtenTo(): number {
    return this.#writtenTo;
  }

  get hasOpenRecord(): boolean {
    return this.#recordAt >= 0;
  }

  get openRecordCommits(): number {
    return this.#recordCommits;
  }

  get openRecordBytes(): number {
    return this.hasOpenRecord ? this.#used - this.#recordAt : 0;
  }

  /** True when a commit of `payloadBytes` fits. */
  hasRoom(payloadBytes: number): boolean {
    const start = this.hasOpenRecord ? this.#used : this.#nextFrameAt() + FRAME_HEADER_BYTES;
    return start + payloadBytes + 8 + SEGMENT_TAIL_BYTES <= this.arena.capacity;
  }

  /**
   * Reserves room for a commit of `payloadBytes` in the open record, and opens one if there is none. Returns the offset;
   * the caller fills it and then calls `commitAt`.
   */
  reserve(payloadBytes: number): number {
    assert(this.hasRoom(payloadBytes), "a commit fits its segment");
    assert(!this.#isSealed, "a sealed segment takes no commits");
    if (!this.hasOpenRecord) {
      this.#recordAt = this.#nextFrameAt();
      this.#recordCommits = 0;
      this.#used = this.#recordAt + FRAME_HEADER_BYTES;
    }
    const at = this.#used;
    this.#used += payloadBytes;
    return at;
  }

  /** Gives the operations of one commit, at [from, to), the next version and returns it. */
  commitAt(from: number, to: number): number {
    const version = ++this.lastVersion;
    const delta = version - this.baseVersion;
    const words = this.arena.words;
    for (let at = from; at < to; at += operationLength(words, at)) words[(at >> 2) + 2] = delta;
    this.#recordCommits++;
    return version;
  }

  /** Completes the open record and writes it to the file (not durable yet). Returns its payload range. */
  writeRecord(): { readonly from: number; readonly to: number } {
    assert(this.hasOpenRecord, "there is a record to write");
    const at = this.#recordAt;
    const from = at + FRAME_HEADER_BYTES;
    const to = this.#used;
    const header = this.#header;
    header.payloadBytes = to - from;
    header.type = FRAME_COMMITS;
    header.count = this.#recordCommits;
    header.number = this.lastVersion - this.#recordCommits + 1;
    this.#recordAt = -1;
    this.#recordCommits = 0;
    this.#seal(at, header);
    // CRASH_POINT(id: wal.append.before)
    crashPoint("wal.append.before");
    this.#writeOut(at);
    // CRASH_POINT(id: wal_append)
    crashPoint("wal_append");
    return { from, to };
  }

  /** Makes the operations of a written record visible in the memtable, and counts them. */
  apply(from: number, to: number, counters: Counters): void {
    const words = this.arena.words;
    const memtable = this.memtable;
    let puts = 0;
    let deletes = 0;
    let rangeDeletes = 0;
    for (let at = from; at < to; at += operationLength(words, at)) {
      const kind = operationKind(words, at);
      if (kind === KIND_RANGE_DELETE) {
        rangeDeletes++;
        memtable.insertRangeDelete(at);
      } else if (kind !== KIND_NONE) {
        if (kind === KIND_PUT) puts++;
        else deletes++;
        memtable.insert(at);
      }
    }
    counters.add(COUNTER.puts_total, puts);
    if (mutant("N2-range-deletes-counted-as-deletes")) deletes += rangeDeletes;
    counters.add(COUNTER.deletes_total, deletes);
    counters.add(COUNTER.range_deletes_total, rangeDeletes);
    counters.add(COUNTER.bytes_committed_total, to - from);
  }

  /** Records in the log how far it is durable, so that rot in the last synced record is not taken for a torn tail. */
  writeMark(): void {
    if (this.#used + SEGMENT_TAIL_BYTES > this.arena.capacity) return;
    this.#writeControl(FRAME_MARK);
  }

  /** Writes the record after which nothing comes. The caller syncs. */
  writeSeal(): void {
    assert(!this.hasOpenRecord && !this.#isSealed, "a segment is sealed once, with no open record");
    this.#writeControl(FRAME_SEAL);
    this.#isSealed = true;
    if (!this.#isLogged) this.#writeRange(SEGMENT_FRAMES_START, this.#used);
    // CRASH_POINT(id: wal.seal-written)
    crashPoint("wal.seal-written");
  }

  /** Blocks until everything written so far is durable. */
  sync(): void {
    const target = this.#writtenTo;
    this.#syncAskedTo = target;
    // CRASH_POINT(id: wal.fsync.before)
    crashPoint("wal.fsync.before");
    this.#file.syncData();
    this.syncedTo = Math.max(this.syncedTo, target);
    // CRASH_POINT(id: wal_fsync)
    crashPoint("wal_fsync");
  }

  /** As `sync` without blocking; one at a time. */
  syncLater(done: (error: Error | null) => void): void {
    assert(!this.syncInFlight, "a segment has one sync in flight");
    const target = this.#writtenTo;
    this.#syncAskedTo = target;
    this.syncInFlight = true;
    if (mutant("W17-published-before-sync")) this.syncedTo = target;
    // CRASH_POINT(id: wal.sync-submitted)
    crashPoint("wal.sync-submitted");
    this.#file.syncDataLater((error) => {
      this.syncInFlight = error !== null && mutant("W16-failed-sync-stays-in-flight");
      if (error === null || mutant("E1-sync-error-ignored")) {
        this.syncedTo = mutant("W26-sync-covers-later-writes")
          ? this.#writtenTo
          : Math.max(this.syncedTo, target);
        // CRASH_POINT(id: wal.sync-completed)
        crashPoint("wal.sync-completed");
        done(null);
      } else {
        done(error);
      }
    });
  }

  close(): void {
    this.#file.close();
  }

  #writeControl(type: number): void {
    const header = this.#header;
    header.payloadBytes = 0;
    header.type = type;
    header.count = 0;
    header.number = this.lastVersion;
    const at = this.#nextFrameAt();
    this.#seal(at, header);
    this.#writeOut(at);
  }

  /** Where the next frame begins: never in a sector that holds bytes which a sync has been asked to keep. */
  #nextFrameAt(): number {
    if (this.#used > this.#syncAskedTo || mutant("S12-frame-shares-synced-sector")) return this.#used;
    const at = nextSector(this.#used);
    this.arena.bytes.fill(0, this.#used, at);
    return at;
  }

  #seal(at: number, header: FrameHeader): void {
    header.chain = this.#chain;
    header.durableTo = mutant("W25-record-vouches-for-unsynced") ? at : Math.min(this.syncedTo, at);
    this.#chain = sealFrame(this.#codec, this.arena.bytes, at, at, header);
    this.#used = at + frameBytes(header.payloadBytes);
    assert(this.#used <= this.arena.capacity, "a record ends inside its segment");
  }

  /** Writes the frame at `from`; the bytes before it are not touched again. */
  #writeOut(from: number): void {
    if (this.#isLogged) this.#writeRange(from, this.#used);
    else this.#writtenTo = this.#used;
  }

  #writeRange(from: number, to: number): void {
    this.#file.write(this.arena.bytes, from, to - from, from);
    this.#writtenTo = to;
  }
}
