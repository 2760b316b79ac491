/**
 * Salvage: makes a new store out of whatever can be read of one that refuses to open. Offline, and the last resort
 * after restoring a backup. Never changes the damaged directory (the lock's note apart).
 *
 * Takes every table block that verifies and every log segment up to its first bad record, puts the rows in version
 * order key by key, and writes the newest state of each key into a new store with a new identity, under the versions
 * that the rows had. Reports every place where something was lost or is doubtful. What it does not promise once
 * anything is lost: that the result is the state at any one moment. A lost block may have held a delete or a newer
 * value, so older values may be back; a batch may be there in part; later commits may be there without earlier ones.
 */
import { StillwaterError } from "../platform/errors.js";
import { baseName, joinPath } from "../platform/path.js";
import type { Random } from "../platform/platform.js";
import type { VFS } from "../platform/vfs.js";
import { JobOutput, type TableFormat } from "./compaction/job.js";
import type { Cursor } from "./cursor.js";
import { CURRENT_NAME, parseFileName, QUARANTINE_NAME, walName, walPath } from "./files.js";
import { compareBytes, compareKeys, copyOf } from "./format/bytes.js";
import { checksumByName } from "./format/checksum.js";
import { KIND_PUT, OPERATION_HEADER_BYTES, operationVersionDelta } from "./format/operation.js";
import { readCurrent } from "./manifest/current.js";
import { type LoadedManifest, loadManifest, ManifestLog } from "./manifest/manifest-log.js";
import { endsBefore, type TableMeta, totalBytes } from "./manifest/table-meta.js";
import { LEVEL_COUNT } from "./manifest/tree.js";
import { RangeTombstones } from "./memtable/range-tombstones.js";
import { resolveOptions } from "./options.js";
import { claimPartial, publishPartial } from "./partial-directory.js";
import { LevelCursor } from "./read/level-cursor.js";
import { MergingCursor } from "./read/merging-cursor.js";
import { LAST_RESERVED_VERSION } from "./recovery.js";
import { lockForReading, refuseTaken, requireSound } from "./restore.js";
import { readDamagedSegment, SegmentCursor } from "./salvage/damaged-log.js";
import { inspectTable, type ReadableTable, ReadableTables } from "./salvage/damaged-table.js";
import { damageOf, type SalvageFinding } from "./salvage/finding.js";
import { rangeDeleteBounds, type SegmentContents } from "./wal/segment-reader.js";

export type { SalvageFinding } from "./salvage/finding.js";

export interface SalvageReport {
  /** The new store is the state after some commit of the old one: nothing in the middle is missing. */
  readonly isConsistent: boolean;
  /** Whether the manifest could tell which tables and log segments count; if not, all that were found were read. */
  readonly usedManifest: boolean;
  /** Keys in the new store. */
  readonly rows: number;
  /** Version at which the new store goes on: not below any that the readable files may have given out. */
  readonly version: number;
  /** Files of which at least a part was read. */
  readonly tablesRead: number;
  readonly segmentsRead: number;
  /** What was lost or is doubtful, in the order of the files; empty when everything was read. */
  readonly findings: readonly SalvageFinding[];
}

export interface SalvageContext {
  readonly vfs: VFS;
  readonly random: Random;
  readonly directory: string;
  /** Outside of `directory`, and nothing there yet. */
  readonly target: string;
}

/**
 * Throws `EXISTS`, `LOCKED`, `NOT_A_STORE`, `UNSUPPORTED_FORMAT` (another version of Stillwater wrote a file: it is
 * the one to salvage with) and file errors of the target. Memory: the log segments and one block window a sorted run.
 */
export async function salvageStore(context: SalvageContext): Promise<SalvageReport> {
  const { vfs, directory, target } = context;
  refuseTaken(vfs, target);
  const lock = await lockForReading(vfs, directory);
  try {
    const findings: SalvageFinding[] = [];
    const survey = surveyFiles(vfs, directory, findings);
    const tables: ReadableTable[] = [];
    for (const number of survey.tableNumbers) {
      const table = inspectTable(vfs, directory, number, findings);
      if (table !== null) tables.push(table);
    }
    const segments = readSegments(vfs, directory, survey, findings);
    const version = highestVersion(survey, tables, segments);
    const rows = writeStore(context, { tables, segments }, version);
    return {
      isConsistent: survey.usesManifest && !findings.some(({ kind }) => kind === "lost"),
      usedManifest: survey.usesManifest,
      rows,
      version,
      tablesRead: tables.length,
      segmentsRead: segments.length,
      findings,
    };
  } finally {
    await lock?.release();
  }
}

interface Survey {
  readonly usesManifest: boolean;
  /** Ascending. */
  readonly tableNumbers: readonly number[];
  readonly walNumbers: readonly number[];
  /** Log segments from this number on are not in tables; 0 when nobody knows. */
  readonly minWalNumber: number;
  readonly lastVersion: number;
  /** Null when nobody knows. */
  readonly storeId: Uint8Array | null;
}

/** Which files count: those that the manifest names, or all when it does not load. */
function surveyFiles(vfs: VFS, directory: string, findings: SalvageFinding[]): Survey {
  const found = vfs.list(directory).map((name) => ({ name, ...parseFileName(name) }));
  const numbersOf = (kind: string): number[] =>
    found
      .filter((file) => file.kind === kind)
      .map(({ number }) => number)
      .sort((a, b) => a - b);
  const manifest = tryManifest(vfs, directory, findings);
  if (manifest !== null) {
    const { levels, counters, storeId } = manifest;
    const { minWalNumber, lastVersion } = counters;
    const tableNumbers = levels.flatMap((level) => level.map(({ fileNumber }) => fileNumber));
    const walNumbers = numbersOf("wal").filter((number) => number >= minWalNumber);
    tableNumbers.sort((a, b) => a - b);
    return { usesManifest: true, tableNumbers, walNumbers, minWalNumber, lastVersion, storeId };
  }
  const tableNumbers = numbersOf("table");
  const walNumbers = numbersOf("wal");
  if (tableNumbers.length + walNumbers.length === 0) {
    throw new StillwaterError(
      "NOT_A_STORE",
      `${directory} holds neither tables nor log segments of a store.`,
      {
        path: directory,
      },
    );
  }
  if (found.some(({ kind }) => kind === "quarantine")) {
    const path = joinPath(directory, QUARANTINE_NAME);
    const message = "files that an earlier opening did not find in the manifest were not read";
    findings.push({ kind: "doubtful", path, offset: null, bytes: null, message });
  }
  const lastVersion = LAST_RESERVED_VERSION;
  const storeId = tryStoreId(vfs, directory);
  return { usesManifest: false, tableNumbers, walNumbers, minWalNumber: 0, lastVersion, storeId };
}

function tryManifest(vfs: VFS, directory: string, findings: SalvageFinding[]): LoadedManifest | null {
  let reason = "CURRENT is missing";
  let path = joinPath(directory, CURRENT_NAME);
  let offset: number | null = null;
  try {
    const manifest = loadManifest(vfs, directory);
    if (manifest !== null) return manifest;
  } catch (error) {
    const damage = damageOf(error);
    reason = damage.message;
    path = damage.path ?? path;
    offset = damage.offset ?? null;
  }
  findings.push({
    kind: parseFileName(baseName(path)).kind === "table" ? "lost" : "doubtful",
    path,
    offset,
    bytes: null,
    message:
      `the manifest cannot be used (${reason}), so every table and log segment in the directory was read: ` +
      "keys that had been deleted and values that had been replaced may be back",
  });
  return null;
}

function tryStoreId(vfs: VFS, directory: string): Uint8Array | null {
  try {
    return readCurrent(vfs, directory)?.storeId ?? null;
  } catch (error) {
    // `tryManifest` has reported it; each segment is then believed to be of the store that it names.
    damageOf(error);
    return null;
  }
}

/** Reads the log and finds out what is missing between its segments. */
function readSegments(
  vfs: VFS,
  directory: string,
  survey: Survey,
  findings: SalvageFinding[],
): readonly SegmentContents[] {
  const segments: SegmentContents[] = [];
  for (const number of survey.walNumbers) {
    const segment = readDamagedSegment(vfs, directory, number, survey.storeId, findings);
    if (segment === null) continue;
    const { previousNumber, previousLength } = segment.header;
    const before = segments[segments.length - 1];
    if (previousNumber > 0 && previousNumber >= survey.minWalNumber) {
      const path = walPath(directory, previousNumber);
      const isKnown = findings.some((finding) => finding.path === path && finding.kind === "lost");
      if (before?.header.fileNumber === previousNumber) {
        const offset = before.end;
        if (offset < previousLength && !isKnown) {
          const message = `the end of a log segment: ${walName(number)}, which follows it, tells how long it was`;
          findings.push({ kind: "lost", path, offset, bytes: previousLength - offset, message });
        }
      } else if (survey.usesManifest && !isKnown) {
        const message = `a log segment that is missing, though ${walName(number)} follows it, with all its commits`;
        findings.push({ kind: "lost", path, offset: null, bytes: previousLength, message });
      }
    }
    segments.push(segment);
  }
  return segments;
}

function highestVersion(
  survey: Survey,
  tables: readonly ReadableTable[],
  segments: readonly SegmentContents[],
): number {
  let highest = survey.lastVersion;
  for (const { meta } of tables) highest = Math.max(highest, meta.maxVersion);
  for (const { header, sealed, lastVersion } of segments) {
    // Every commit takes at least one operation, so the size of a segment bounds the versions given out in it.
    const bound = header.baseVersion + Math.floor(header.capacity / OPERATION_HEADER_BYTES);
    highest = Math.max(highest, sealed ? lastVersion : bound);
  }
  return highest;
}

interface Sources {
  readonly tables: readonly ReadableTable[];
  readonly segments: readonly SegmentContents[];
}

/** Builds the new store beside its place, proves it and puts it there. Returns the number of keys. */
function writeStore(context: SalvageContext, sources: Sources, version: number): number {
  const { vfs, random, target } = context;
  const options = resolveOptions({});
  const format: TableFormat = options;
  const partial = claimPartial(vfs, target);
  const output = new JobOutput(vfs, partial, format);
  try {
    writeRows(context, sources, output, options.tableBytes);
  } catch (error) {
    output.abandon();
    throw error;
  }
  const { tables } = output;
  const levels: TableMeta[][] = Array.from({ length: LEVEL_COUNT }, () => []);
  let level = 1;
  for (let target = options.levelBaseBytes; target < totalBytes(tables); target *= options.levelRatio)
    level++;
  levels[Math.min(level, LEVEL_COUNT - 1)] = tables;
  const manifestNumber = tables.length + 1;
  const counters = {
    nextFileNumber: manifestNumber + 1,
    lastVersion: version,
    minWalNumber: manifestNumber + 1,
  };
  const storeId = new Uint8Array(16);
  const words = new DataView(storeId.buffer);
  for (let at = 0; at < storeId.length; at += 4) words.setUint32(at, random.nextUint32());
  const state = { storeId, counters, levels, editNumber: 0 };
  const log = ManifestLog.create(vfs, partial, checksumByName(options.checksum), manifestNumber, state);
  try {
    log.seal();
  } finally {
    log.close();
  }
  const { report } = requireSound(vfs, partial, "the new store does not verify. Check its disk");
  publishPartial(vfs, partial, target);
  return report.entries;
}

/** The newest state of each key, into tables that share no key. */
function writeRows(context: SalvageContext, sources: Sources, output: JobOutput, tableBytes: number): void {
  const readable = new ReadableTables(context.vfs, context.directory, sources.tables);
  const cursors: Cursor[] = sources.segments.map((segment) => new SegmentCursor(segment));
  for (const run of sortedRuns(sources.tables)) cursors.push(new LevelCursor(run, readable));
  const ranges = allRangeDeletes(sources);
  const merged = new MergingCursor(cursors);
  try {
    let key: Uint8Array | null = null;
    let builder = null;
    let nextNumber = 1;
    for (merged.seekFirst(); merged.valid; merged.next()) {
      const { keyBytes, keyStart, keyLength, version, kind, valueBytes, valueStart, valueLength } = merged;
      if (key !== null && compareBytes(key, 0, key.length, keyBytes, keyStart, keyLength) === 0) continue;
      key = copyOf(keyBytes, keyStart, keyLength);
      if (kind !== KIND_PUT) continue;
      if (ranges.coveringVersion(key, 0, keyLength, Number.MAX_SAFE_INTEGER) > version) continue;
      builder ??= output.open(nextNumber++);
      builder.add(key, 0, keyLength, version, kind, valueBytes, valueStart, valueLength);
      if (builder.estimatedBytes < tableBytes) continue;
      output.finish();
      builder = null;
    }
    if (builder !== null) output.finish();
    output.publish();
  } finally {
    merged.close();
    readable.close();
  }
}

/** Tables as few lists in which no two share a key, so that few files are open at a time. */
function sortedRuns(tables: readonly ReadableTable[]): readonly TableMeta[][] {
  const runs: TableMeta[][] = [];
  const byKey = tables.map(({ meta }) => meta).sort((a, b) => compareKeys(a.smallest, b.smallest));
  for (const table of byKey) {
    const run = runs.find((list) => endsBefore(list[list.length - 1] as TableMeta, table.smallest));
    if (run === undefined) runs.push([table]);
    else run.push(table);
  }
  return runs;
}

function allRangeDeletes(sources: Sources): RangeTombstones {
  const sets = sources.tables.map((table) => RangeTombstones.fromFragments(table.rangeTombstones));
  for (const { arena, header, rangeDeletes } of sources.segments) {
    const set = new RangeTombstones();
    for (const at of rangeDeletes) {
      const { begin, end } = rangeDeleteBounds(arena, at);
      set.add(begin, end, header.baseVersion + operationVersionDelta(arena.words, at));
    }
    sets.push(set);
  }
  return RangeTombstones.merge(sets);
}
