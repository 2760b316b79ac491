/**
 * Reads one log segment back: verifies header, frames and chain, and lists the operations. Used by recovery and by
 * every flush, so that each flush proves that the log could have been replayed.
 * Memory: one segment image (about `memtableBytes`). Does not own: which segments are live, or what to do with them.
 */
import { CorruptionError } from "../../platform/errors.js";
import { mutant } from "../../platform/probes.js";
import type { VFS } from "../../platform/vfs.js";
import { walPath } from "../files.js";
import { checksumById } from "../format/checksum.js";
import { FRAME_COMMITS, FRAME_HEADER_BYTES, FRAME_SEAL, scanFrames } from "../format/frame.js";
import {
  Arena,
  KIND_NONE,
  KIND_RANGE_DELETE,
  OPERATION_HEADER_BYTES,
  operationKeyLength,
  operationKind,
  operationLength,
  operationValueLength,
  operationVersionDelta,
} from "../format/operation.js";
import { readSegmentHeader, SEGMENT_FRAMES_START, type SegmentHeader } from "./segment-header.js";

export interface SegmentContents {
  readonly header: SegmentHeader;
  /** Image of the file; operation offsets point into it. */
  readonly arena: Arena;
  /** Offsets of puts and deletes, in log order. */
  readonly points: Int32Array;
  /** Offsets of range deletes, in log order. */
  readonly rangeDeletes: Int32Array;
  readonly commitCount: number;
  /** Newest version in the segment; the base version when it holds none. */
  readonly lastVersion: number;
  /** Offset just past the last valid frame. */
  readonly end: number;
  readonly chain: number;
  /** The segment ends with a seal: nothing was written after it. */
  readonly sealed: boolean;
  readonly tornBytes: number;
}

/**
 * Null when the segment holds no valid header and nothing durable: it was being created when the power went.
 * Throws `CORRUPTION` (file and offset) when bytes that had been durable do not verify.
 */
export function readSegment(
  vfs: VFS,
  directory: string,
  fileNumber: number,
  storeId: Uint8Array,
): SegmentContents | null {
  const path = walPath(directory, fileNumber);
  const file = vfs.openFile(path, "read");
  try {
    const size = file.size();
    const arena = new Arena((size + 15) & ~7);
    const read = file.read(arena.bytes, 0, size, 0);
    if (read !== size)
      throw new CorruptionError(`a log segment of ${size} bytes gives only ${read}`, { path, offset: read });
    const contents = parseSegment(path, arena, size, { fileNumber, storeId });
    if (contents !== null) checkSegmentSize(path, contents.header, size);
    return contents;
  } finally {
    file.close();
  }
}

/** Throws `CORRUPTION`: the size is durable before the header is, so a shorter file has been cut, and records may be gone with the rest. */
export function checkSegmentSize(path: string, header: SegmentHeader, size: number): void {
  if (size >= header.capacity) return;
  throw new CorruptionError(
    `a log segment of ${header.capacity} bytes has only ${size}. Restore a backup, or run \`stillwater salvage\``,
    { path, offset: size },
  );
}

export function parseSegment(
  path: string,
  arena: Arena,
  size: number,
  expected: { readonly fileNumber: number; readonly storeId: Uint8Array },
): SegmentContents | null {
  const header = readSegmentHeader(arena.bytes, size, { path, ...expected });
  return header === null ? null : parseRecords(path, arena, size, beginningOf(header));
}

/** What there is to know of a segment before its first record. */
export type SegmentPosition = Pick<
  SegmentContents,
  "header" | "commitCount" | "lastVersion" | "end" | "chain" | "sealed"
>;

export function beginningOf(header: SegmentHeader): SegmentPosition {
  return {
    header,
    commitCount: 0,
    lastVersion: header.baseVersion,
    end: SEGMENT_FRAMES_START,
    chain: header.previousChain,
    sealed: false,
  };
}

/** Goes on from a position that is the end of a valid record: lists the operations behind it. Throws `CORRUPTION`. */
export function parseRecords(
  path: string,
  arena: Arena,
  size: number,
  from: SegmentPosition,
): SegmentContents {
  const { bytes, words } = arena;
  const { header } = from;
  const fileNumber = mutant("W8-frames-not-bound-to-file") ? 0 : header.fileNumber;
  const codec = { checksum: checksumById(header.checksumId), fileNumber };
  const points = new OffsetList();
  const rangeDeletes = new OffsetList();
  let { commitCount, lastVersion, sealed } = from;
  const scan = scanFrames(
    codec,
    path,
    bytes,
    { start: from.end, limit: size, chain: from.chain },
    (frame, at) => {
      if (sealed) throw new CorruptionError("a log segment goes on after its seal", { path, offset: at });
      if (frame.type === FRAME_SEAL) sealed = true;
      if (frame.type !== FRAME_COMMITS) return;
      if (frame.number !== lastVersion + 1 || frame.count === 0) {
        throw new CorruptionError(`a log record has version ${frame.number} after ${lastVersion}`, {
          path,
          offset: at,
        });
      }
      commitCount += frame.count;
      lastVersion += frame.count;
      const end = at + FRAME_HEADER_BYTES + frame.payloadBytes;
      let operation = at + FRAME_HEADER_BYTES;
      while (operation < end) {
        if (operation + OPERATION_HEADER_BYTES > end || operation + operationLength(words, operation) > end) {
          throw new CorruptionError("an operation runs past its log record", { path, offset: operation });
        }
        const kind = operationKind(words, operation);
        const version = header.baseVersion + operationVersionDelta(words, operation);
        if (kind > KIND_RANGE_DELETE || version < frame.number || version > lastVersion) {
          throw new CorruptionError("an operation has an impossible kind or version", {
            path,
            offset: operation,
          });
        }
        if (kind === KIND_RANGE_DELETE) rangeDeletes.push(operation);
        else if (kind !== KIND_NONE) points.push(operation);
        operation += operationLength(words, operation);
      }
    },
  );
  return {
    header,
    arena,
    points: points.finish(),
    rangeDeletes: rangeDeletes.finish(),
    commitCount,
    lastVersion,
    end: scan.end,
    chain: scan.chain,
    sealed,
    tornBytes: scan.tornBytes,
  };
}

/** Copies of the bounds of the range delete at `at`. */
export function rangeDeleteBounds(
  arena: Arena,
  at: number,
): { readonly begin: Uint8Array; readonly end: Uint8Array } {
  const keyAt = at + OPERATION_HEADER_BYTES;
  const keyEnd = keyAt + operationKeyLength(arena.words, at);
  return {
    begin: arena.bytes.slice(keyAt, keyEnd),
    end: arena.bytes.slice(keyEnd, keyEnd + operationValueLength(arena.words, at)),
  };
}

class OffsetList {
  #offsets = new Int32Array(64);
  #length = 0;

  push(offset: number): void {
    if (this.#length === this.#offsets.length) {
      const grown = new Int32Array(this.#offsets.length * 2);
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    this.#offsets[this.#length++] = offset;
  }

  finish(): Int32Array {
    return this.#offsets.subarray(0, this.#length);
  }
}
