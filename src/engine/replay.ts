/**
 * Replaying the log when a store is opened: reads the live segments one after the other, judges whether each continues the
 * one before it, and turns each into a level-0 table. Refuses (`CORRUPTION`) where what had been durable is gone or does
 * not verify; takes what a crash may leave for what it is: a torn tail, a segment that was being created.
 * Does not own: which segments are live, recording the result (`recovery.ts`). Memory: one segment at a time.
 */
import { CorruptionError, StillwaterError } from "../platform/errors.js";
import { crashPoint, mutant, sometimes } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";
import { type FlushDescription, flushSegment } from "./compaction/flush-job.js";
import type { JobResult } from "./compaction/job.js";
import { parseFileName, tablePath, walName, walPath } from "./files.js";
import { checksumByName } from "./format/checksum.js";
import { FrameHeader, readFrame } from "./format/frame.js";
import { OPERATION_HEADER_BYTES } from "./format/operation.js";
import type { LoadedManifest } from "./manifest/manifest-log.js";
import type { TableMeta } from "./manifest/table-meta.js";
import type { RecoveryContext, RecoveryReport } from "./recovery.js";
import { isFile } from "./tidying.js";
import { readSegment, type SegmentContents, type SegmentPosition } from "./wal/segment-reader.js";

export interface Replay {
  readonly tables: readonly TableMeta[];
  readonly lastVersion: number;
  readonly nextFileNumber: number;
  readonly report: Pick<
    RecoveryReport,
    "segmentsReplayed" | "commitsReplayed" | "tornBytes" | "tablesWritten"
  >;
}

/** Turns each live segment into a level-0 table, in order. On error removes its tables. */
export function replaySegments(
  context: RecoveryContext,
  loaded: LoadedManifest,
  walNumbers: readonly number[],
  firstFileNumber: number,
): Replay {
  const { vfs, directory } = context;
  const tables: TableMeta[] = [];
  let nextFileNumber = firstFileNumber;
  let lastVersion = loaded.counters.lastVersion;
  let commitsReplayed = 0;
  let tornBytes = 0;
  try {
    for (const segment of liveSegments(context, loaded, walNumbers)) {
      sometimes("recovery.torn-log-tail", segment.tornBytes > 0);
      sometimes("recovery.log-without-commits", segment.commitCount === 0);
      commitsReplayed += segment.commitCount;
      tornBytes += segment.tornBytes;
      // A version that may have been given to a commit of the lost tail is never given to another one.
      lastVersion = Math.max(
        lastVersion,
        segment.sealed ? segment.lastVersion : highestPossibleVersion(segment),
      );
      const result = flushNow(context, loaded.storeId, segment, nextFileNumber);
      if (result.tables.length > 0) nextFileNumber++;
      tables.push(...result.tables);
      // CRASH_POINT(id: recovery.segment-flushed)
      crashPoint("recovery.segment-flushed");
    }
  } catch (error) {
    removeTablesQuietly(vfs, directory, tables);
    throw error;
  }
  const report = {
    segmentsReplayed: walNumbers.length,
    commitsReplayed,
    tornBytes,
    tablesWritten: tables.length,
  };
  return { tables, lastVersion, nextFileNumber, report };
}

/** The live segments in order, one in memory at a time, judging the chain as it goes. Changes nothing. */
export function* liveSegments(
  context: RecoveryContext,
  loaded: LoadedManifest,
  walNumbers: readonly number[],
): Generator<SegmentContents, void, undefined> {
  const { vfs, directory } = context;
  let before: SegmentContents | null = null;
  for (const walNumber of walNumbers) {
    const isLast = walNumber === walNumbers[walNumbers.length - 1];
    const segment = readSegment(vfs, directory, walNumber, loaded.storeId);
    // CRASH_POINT(id: recovery.segment-read)
    crashPoint("recovery.segment-read");
    if (segment === null) {
      sometimes("recovery.unborn-segment");
      refuseUnlessUnborn(vfs, directory, walNumber, isLast && !mutant("W27-unborn-segment-refused"));
      continue;
    }
    if (mutant("W13-zero-tail-drops-segment") && !segment.sealed && segment.tornBytes === 0) continue;
    if (!mutant("D10-segment-chain-unchecked"))
      checkContinues(directory, segment, before, loaded.counters.minWalNumber);
    checkBehindTables(directory, segment, loaded.counters.lastVersion);
    before = segment;
    yield segment;
  }
}

function flushNow(
  context: RecoveryContext,
  storeId: Uint8Array,
  segment: SegmentContents,
  fileNumber: number,
): JobResult {
  const flush: FlushDescription = {
    kind: "flush",
    directory: context.directory,
    storeId,
    walNumber: segment.header.fileNumber,
    fileNumber,
    snapshots: [],
    format: context.format,
    beatRows: Number.MAX_SAFE_INTEGER,
  };
  const job = flushSegment(context.vfs, flush, segment);
  for (;;) {
    const step = job.next();
    if (step.done === true) return step.value;
  }
}

/** Throws `CORRUPTION` unless `segment` follows on `before`, or is the first of its chain. */
export function checkContinues(
  directory: string,
  segment: SegmentPosition,
  before: SegmentPosition | null,
  minWalNumber: number,
): void {
  const { header } = segment;
  const path = walPath(directory, header.fileNumber);
  if (before === null) {
    if (header.previousNumber >= minWalNumber) {
      throw new CorruptionError(
        `the log segment before this one, ${walName(header.previousNumber)}, is missing`,
        { path },
      );
    }
    return;
  }
  const beforeName = walName(before.header.fileNumber);
  if (header.previousNumber !== before.header.fileNumber) {
    throw new CorruptionError(
      `this log segment follows ${walName(header.previousNumber)}, but the one before it is ${beforeName}`,
      { path },
    );
  }
  if (!before.sealed || before.end !== header.previousLength || before.chain !== header.previousChain) {
    throw new CorruptionError(`the log segment before this one, ${beforeName}, has lost its end`, {
      path: walPath(directory, before.header.fileNumber),
      offset: before.end,
    });
  }
}

/** Throws `CORRUPTION` when a live segment holds what is in tables. */
export function checkBehindTables(directory: string, segment: SegmentPosition, lastVersion: number): void {
  const { header, commitCount } = segment;
  if (header.baseVersion >= lastVersion || commitCount === 0) return;
  throw new CorruptionError("a live log segment holds versions that are in tables already", {
    path: walPath(directory, header.fileNumber),
  });
}

/** Numbers of the log segments in use, ascending. */
export function liveWalNumbers(
  vfs: VFS,
  directory: string,
  names: readonly string[],
  minWalNumber: number,
): number[] {
  return names
    .filter((name) => {
      const { kind, number } = parseFileName(name);
      return kind === "wal" && number >= minWalNumber && isFile(vfs, directory, name);
    })
    .map((name) => parseFileName(name).number)
    .sort((a, b) => a - b);
}

/**
 * A segment without a valid header is one that was being created, if it is the last and holds no record. An empty file
 * is nobody's: if a segment of this number had been lost, the one after it would name it as the one before.
 */
export function refuseUnlessUnborn(vfs: VFS, directory: string, walNumber: number, isLast: boolean): void {
  const path = walPath(directory, walNumber);
  const file = vfs.openFile(path, "read");
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(file.size());
    file.read(bytes, 0, bytes.length, 0);
  } finally {
    file.close();
  }
  if (bytes.length === 0) return;
  const frame = new FrameHeader();
  const codecs = (["crc32", "blake3"] as const).map((name) => ({
    checksum: checksumByName(name),
    fileNumber: mutant("W8-frames-not-bound-to-file") ? 0 : walNumber,
  }));
  for (let at = 0; isLast && at < bytes.length; at += 8) {
    if (bytes[at + 24] === 0) continue;
    if (!codecs.some((codec) => readFrame(codec, bytes, at, bytes.length, frame))) continue;
    throw new CorruptionError("the header of a log segment that holds records does not verify", {
      path,
      offset: 0,
    });
  }
  if (!isLast)
    throw new CorruptionError("the header of a log segment that others follow does not verify", {
      path,
      offset: 0,
    });
}

/** Every commit takes at least one operation, so the size of a segment bounds the versions given out in it. */
function highestPossibleVersion(segment: SegmentContents): number {
  if (mutant("M19-version-reused-after-crash")) return segment.lastVersion;
  return segment.header.baseVersion + Math.floor(segment.header.capacity / OPERATION_HEADER_BYTES);
}

/** Orphans cost nothing but space, and the error on the way out is the one that matters. */
function removeTablesQuietly(vfs: VFS, directory: string, tables: readonly TableMeta[]): void {
  for (const { fileNumber } of tables) {
    const path = tablePath(directory, fileNumber);
    try {
      vfs.removeFile(path);
    } catch (error) {
      if (!(error instanceof StillwaterError)) throw error;
    }
  }
}
