/**
 * The whole truth about one table: reads every byte anew, past every cache, and checks each part against the others.
 * Verifies: checksums of all sections and blocks, order of rows, separators, that the filter refuses no key that is
 * there, kinds, and that bounds, versions and counts are exactly what the properties say. Does not verify: that the
 * rows are the ones that were committed; nothing in a table could tell.
 */
import { CorruptionError } from "../../platform/errors.js";
import type { VFile } from "../../platform/vfs.js";
import { compareBytes, compareKeys, copyOf, EMPTY_BYTES, printableKey } from "../format/bytes.js";
import { hashKey } from "../format/hash.js";
import { KIND_DELETE, KIND_PUT } from "../format/operation.js";
import { BlockFile } from "./block-file.js";
import { BlockWindow } from "./block-window.js";
import { COMPRESSION_NONE } from "./compression.js";
import type { TableIndex } from "./index-block.js";
import { readSections, type TableSections } from "./sections.js";
import { TableCursor } from "./table-cursor.js";

export interface TableVerification {
  readonly bytes: number;
  readonly blockCount: number;
  readonly entryCount: number;
  readonly tombstoneCount: number;
  readonly rangeTombstoneCount: number;
}

const READ_AHEAD_BYTES = 256 * 1024;
/** Bytes of rows between two steps: about a millisecond; and what a row costs beside its bytes. */
const STEP_BYTES = 256 * 1024;
const ROW_COST_BYTES = 128;

/** Throws `CORRUPTION` at the first fault, and what the file throws. O(bytes). */
export function verifyTable(file: VFile, fileNumber: number, expectedBytes: number): TableVerification {
  const work = verifyTableInSteps(file, fileNumber, expectedBytes);
  for (let step = work.next(); ; step = work.next()) if (step.done === true) return step.value;
}

/** As `verifyTable`, so that the caller can let other work run in between. */
export function* verifyTableInSteps(
  file: VFile,
  fileNumber: number,
  expectedBytes: number,
): Generator<void, TableVerification, void> {
  const sections = readSections(file, fileNumber, expectedBytes);
  if (sections.filterError !== null) throw sections.filterError;
  const { footer, index, properties } = sections;
  const blockFile = new BlockFile(
    file,
    fileNumber,
    footer.checksum,
    index,
    footer.compressionId !== COMPRESSION_NONE,
  );
  const cursor = new TableCursor(index, new BlockWindow(blockFile, READ_AHEAD_BYTES));
  const walk = new Walk(sections);
  let left = STEP_BYTES;
  for (cursor.seekFirst(); cursor.valid; cursor.next()) {
    const fault = walk.visit(cursor);
    if (fault !== null) throw blockFile.corruption(fault, cursor.blockNumber);
    left -= cursor.keyLength + cursor.valueLength + ROW_COST_BYTES;
    if (left > 0) continue;
    left = STEP_BYTES;
    yield;
  }
  cursor.close();
  const fault = walk.finish();
  if (fault !== null) throw new CorruptionError(fault, { path: file.path });
  return {
    bytes: expectedBytes,
    blockCount: index.blockCount,
    entryCount: properties.entryCount,
    tombstoneCount: properties.tombstoneCount,
    rangeTombstoneCount: properties.rangeTombstoneCount,
  };
}

/** What is known of the rows so far. Each step answers with a fault or null. */
class Walk {
  private readonly sections: TableSections;
  private readonly index: TableIndex;
  private block = -1;
  private entryCount = 0;
  private tombstoneCount = 0;
  private rawBytes = 0;
  private minVersion = Number.MAX_SAFE_INTEGER;
  private maxVersion = 0;
  private smallest: Uint8Array | null = null;
  private key: Uint8Array = EMPTY_BYTES;
  private version = 0;

  constructor(sections: TableSections) {
    this.sections = sections;
    this.index = sections.index;
  }

  visit(row: TableCursor): string | null {
    const { keyBytes, keyStart, keyLength, version, kind } = row;
    if (this.entryCount > 0) {
      const order = compareBytes(this.key, 0, this.key.length, keyBytes, keyStart, keyLength);
      if (order > 0 || (order === 0 && this.version <= version)) return "rows of a table are out of order";
    }
    if (kind !== KIND_PUT && kind !== KIND_DELETE) return `a row of a table has kind ${kind}`;
    const fault = row.blockNumber === this.block ? null : this.enterBlock(row);
    if (fault !== null) return fault;
    if (this.index.compareSeparator(this.block, keyBytes, keyStart, keyLength) < 0) {
      return "a row stands behind the separator of its block";
    }
    const { filter } = this.sections;
    if (filter !== null && !filter.mayContain(hashKey(keyBytes, keyStart, keyLength))) {
      return `the filter of a table refuses the key ${printableKey(copyOf(keyBytes, keyStart, keyLength))}, which is there`;
    }
    this.key = copyOf(keyBytes, keyStart, keyLength);
    this.version = version;
    this.smallest ??= this.key;
    this.entryCount++;
    if (kind === KIND_DELETE) this.tombstoneCount++;
    this.rawBytes += keyLength + row.valueLength;
    this.minVersion = Math.min(this.minVersion, version);
    this.maxVersion = Math.max(this.maxVersion, version);
    return null;
  }

  /** The first row of a block is behind the separator of the block before. */
  private enterBlock(row: TableCursor): string | null {
    const before = this.block;
    this.block = row.blockNumber;
    if (before < 0) return null;
    const order = this.index.compareSeparator(before, row.keyBytes, row.keyStart, row.keyLength);
    const inOrder = order < 0 || (order === 0 && this.index.lastVersion(before) > row.version);
    return inOrder ? null : "a separator of a table's index is not before the next block";
  }

  finish(): string | null {
    const { properties, rangeTombstones, index } = this.sections;
    let smallest = this.smallest;
    let largest = this.smallest === null ? null : this.key;
    let largestExclusive = false;
    for (const { begin, end, versions } of rangeTombstones) {
      if (smallest === null || compareKeys(begin, smallest) < 0) smallest = begin;
      if (largest === null || compareKeys(end, largest) > 0) {
        largest = end;
        largestExclusive = true;
      }
      this.maxVersion = Math.max(this.maxVersion, versions[0] as number);
      this.minVersion = Math.min(this.minVersion, versions[versions.length - 1] as number);
    }
    if (this.block + 1 !== index.blockCount) return "the index of a table names blocks that hold no rows";
    if (smallest === null || largest === null) return "a table holds nothing";
    const boundsHold =
      compareKeys(smallest, properties.smallest) === 0 &&
      compareKeys(largest, properties.largest) === 0 &&
      largestExclusive === properties.largestExclusive;
    if (!boundsHold) return "the bounds of a table are not those of its rows and range tombstones";
    const versionsHold =
      this.minVersion === properties.minVersion && this.maxVersion === properties.maxVersion;
    if (!versionsHold) return "the versions of a table are not in the range that its properties say";
    const countsHold =
      this.entryCount === properties.entryCount &&
      this.tombstoneCount === properties.tombstoneCount &&
      this.rawBytes === properties.rawBytes;
    return countsHold ? null : "the counts of a table are not those of its rows";
  }
}
