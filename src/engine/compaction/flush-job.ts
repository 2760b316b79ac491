/**
 * Flush: turns one sealed log segment into one level-0 table. Reads the segment back from the file rather than from
 * memory, so it is the same code that recovery runs, and every flush proves that the log can be replayed.
 */
import { assert } from "../../platform/assert.js";
import { CorruptionError } from "../../platform/errors.js";
import type { VFS } from "../../platform/vfs.js";
import { walPath } from "../files.js";
import { compareBytes } from "../format/bytes.js";
import {
  type Arena,
  OPERATION_HEADER_BYTES,
  operationKeyLength,
  operationKind,
  operationValueLength,
  operationVersionDelta,
} from "../format/operation.js";
import { RangeTombstones } from "../memtable/range-tombstones.js";
import { sortOperations } from "../memtable/sort-operations.js";
import { rangeDeleteBounds, readSegment, type SegmentContents } from "../wal/segment-reader.js";
import { type Job, JobOutput, type TableFormat } from "./job.js";
import { StripeRule } from "./stripes.js";

export interface FlushDescription {
  readonly kind: "flush";
  readonly directory: string;
  readonly storeId: Uint8Array;
  readonly walNumber: number;
  /** Number for the table, never used before. */
  readonly fileNumber: number;
  /** Snapshots open when the segment was sealed, ascending. */
  readonly snapshots: readonly number[];
  readonly format: TableFormat;
  readonly beatRows: number;
}

export function* runFlush(vfs: VFS, flush: FlushDescription): Job {
  const segment = readSegment(vfs, flush.directory, flush.walNumber, flush.storeId);
  if (segment === null || !segment.sealed) {
    throw new CorruptionError("a sealed log segment does not read back as one", {
      path: walPath(flush.directory, flush.walNumber),
    });
  }
  yield;
  return yield* flushSegment(vfs, flush, segment);
}

/** The second half, for recovery, which has read and judged the segment itself. */
export function* flushSegment(vfs: VFS, flush: FlushDescription, segment: SegmentContents): Job {
  const { arena, points } = segment;
  const output = new JobOutput(vfs, flush.directory, flush.format);
  try {
    const ranges = new RangeTombstones();
    for (const at of segment.rangeDeletes) {
      const { begin, end } = rangeDeleteBounds(arena, at);
      ranges.add(begin, end, segment.header.baseVersion + operationVersionDelta(arena.words, at));
    }
    const kept = sortOperations(arena.bytes, arena.words, points, points.length);
    yield;
    if (kept > 0 || !ranges.isEmpty) {
      yield* writeRows(output, flush, {
        arena,
        points,
        kept,
        ranges,
        baseVersion: segment.header.baseVersion,
      });
      output.publish();
    }
    return {
      tables: output.tables,
      bytesRead: segment.end,
      bytesWritten: output.bytesWritten,
      rowsRead: points.length,
      rowsWritten: output.rowsWritten,
    };
  } catch (error) {
    output.abandon();
    throw error;
  } finally {
    output.close();
  }
}

interface SortedRows {
  readonly arena: Arena;
  readonly points: Int32Array;
  readonly kept: number;
  readonly ranges: RangeTombstones;
  readonly baseVersion: number;
}

function* writeRows(
  output: JobOutput,
  flush: FlushDescription,
  rows: SortedRows,
): Generator<void, void, void> {
  const { points, kept, ranges, baseVersion } = rows;
  const { bytes, words } = rows.arena;
  const stripes = new StripeRule(flush.snapshots);
  const builder = output.open(flush.fileNumber);
  const hasRanges = !ranges.isEmpty;
  let previous = -1;
  for (let i = 0; i < kept; i++) {
    if (i > 0 && i % flush.beatRows === 0) yield;
    const at = points[i] as number;
    const keyAt = at + OPERATION_HEADER_BYTES;
    const keyLength = operationKeyLength(words, at);
    const version = baseVersion + operationVersionDelta(words, at);
    if (previous >= 0) {
      const order = compareBytes(
        bytes,
        previous + OPERATION_HEADER_BYTES,
        operationKeyLength(words, previous),
        bytes,
        keyAt,
        keyLength,
      );
      assert(order <= 0, "a flush writes its rows in order");
      if (order !== 0) stripes.beginKey();
    }
    previous = at;
    const covering = hasRanges
      ? ranges.coveringVersion(bytes, keyAt, keyLength, stripes.stripeEnd(stripes.stripeOf(version)))
      : 0;
    const kind = operationKind(words, at);
    // A flush never knows what lies below, so no tombstone is dropped here.
    if (!stripes.keeps(version, kind, covering, false)) continue;
    builder.add(
      bytes,
      keyAt,
      keyLength,
      version,
      kind,
      bytes,
      keyAt + keyLength,
      operationValueLength(words, at),
    );
  }
  builder.addRangeTombstones(ranges.fragments());
  output.finish();
}
