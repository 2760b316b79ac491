/**
 * Reads everything back and checks it against everything else: tables against their checksums, their order and what
 * the manifest says of them; the manifest on disk against the tree in memory; the log in use against what was written.
 * Changes nothing. Reports every problem it finds rather than stopping at the first.
 */
import { StillwaterError } from "../platform/errors.js";
import type { VFS } from "../platform/vfs.js";
import { equalKeys } from "./format/bytes.js";
import { loadManifest } from "./manifest/manifest-log.js";
import type { TableMeta } from "./manifest/table-meta.js";
import { checkLevels, type Levels } from "./manifest/tree.js";
import { openTable } from "./table-cache.js";
import type { Segment } from "./wal/segment.js";
import { readSegment } from "./wal/segment-reader.js";

/** What `verify` has read, and what is wrong with it. */
export interface VerifyReport {
  /** One sentence each, naming file and place; empty when all is well. */
  readonly problems: readonly string[];
  readonly tables: number;
  readonly entries: number;
  readonly bytes: number;
  readonly logSegments: number;
}

export interface VerifySubject {
  readonly vfs: VFS;
  readonly directory: string;
  readonly levels: Levels;
  readonly storeId: Uint8Array;
  readonly editNumber: number;
  readonly segments: readonly Segment[];
}

/** A generator, so that the caller can let other work run between tables. */
export function* verifyStore(subject: VerifySubject): Generator<void, VerifyReport, void> {
  const problems: string[] = [];
  let tables = 0;
  let entries = 0;
  let bytes = 0;
  collect(problems, () => checkLevels(subject.levels));
  collect(problems, () => checkManifest(subject, problems));
  for (const segment of subject.segments) {
    collect(problems, () => checkSegment(subject, segment, problems));
    yield;
  }
  for (const level of subject.levels) {
    for (const table of level) {
      collect(problems, () => checkTable(subject, table, problems));
      tables++;
      entries += table.entryCount;
      bytes += table.bytes;
      yield;
    }
  }
  return { problems, tables, entries, bytes, logSegments: subject.segments.length };
}

function checkTable(subject: VerifySubject, table: TableMeta, problems: string[]): void {
  const reader = openTable(subject.vfs, subject.directory, table, null);
  try {
    if (reader.filterError !== null) problems.push(reader.filterError.message);
    reader.verify();
    if (!isDescribedBy(reader.summary, table))
      problems.push(`table ${table.fileNumber} is not what the manifest says of it`);
  } finally {
    reader.close();
  }
}

/** Whether what a table says of itself is what the manifest says of it. */
export function isDescribedBy(summary: TableMeta, table: TableMeta): boolean {
  return (
    equalKeys(summary.smallest, table.smallest) &&
    equalKeys(summary.largest, table.largest) &&
    summary.largestExclusive === table.largestExclusive &&
    summary.entryCount === table.entryCount &&
    summary.minVersion === table.minVersion &&
    summary.maxVersion === table.maxVersion &&
    summary.rangeTombstoneCount === table.rangeTombstoneCount
  );
}

function checkManifest(subject: VerifySubject, problems: string[]): void {
  const loaded = loadManifest(subject.vfs, subject.directory);
  if (loaded === null) {
    problems.push("CURRENT is missing");
    return;
  }
  if (
    loaded.editNumber !== subject.editNumber ||
    fileNumbers(loaded.levels) !== fileNumbers(subject.levels)
  ) {
    problems.push(
      `the manifest on disk (edit ${loaded.editNumber}) is not the tree in memory (edit ${subject.editNumber})`,
    );
  }
}

function checkSegment(subject: VerifySubject, segment: Segment, problems: string[]): void {
  const contents = readSegment(subject.vfs, subject.directory, segment.fileNumber, subject.storeId);
  if (contents === null || contents.end !== segment.writtenTo) {
    problems.push(
      `log segment ${segment.fileNumber} reads back to byte ${contents?.end ?? 0}, but was written to byte ${segment.writtenTo}`,
    );
  }
}

/** Problems of the disk and of the data are what is looked for; anything else goes on upwards. */
function collect(problems: string[], check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof StillwaterError) || error.code === "CLOSED") throw error;
    problems.push(error.message);
  }
}

function fileNumbers(levels: Levels): string {
  return levels.map((level) => level.map(({ fileNumber }) => fileNumber).join(",")).join(";");
}
