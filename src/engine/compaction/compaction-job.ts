/**
 * Compaction: merges tables of one or more levels into sorted tables of the output level, dropping what nobody can see
 * any more. Inputs are always read past the cache and verified, so damage is found and never laundered with a fresh
 * checksum (engine.md D24). Outputs are cut only between user keys, and range tombstones are cut to their table.
 */
import { assert } from "../../platform/assert.js";
import { buggify, mutant, sometimes } from "../../platform/probes.js";
import type { VFS } from "../../platform/vfs.js";
import type { Cursor } from "../cursor.js";
import { compareBytes, copyOf } from "../format/bytes.js";
import { KIND_DELETE } from "../format/operation.js";
import { endsBefore, type TableMeta } from "../manifest/table-meta.js";
import type { RangeFragment } from "../memtable/range-tombstones.js";
import { RangeTombstones } from "../memtable/range-tombstones.js";
import { LevelCursor, type TableSource } from "../read/level-cursor.js";
import { MergingCursor } from "../read/merging-cursor.js";
import type { TableBuilder } from "../table/builder.js";
import type { TableReader } from "../table/reader.js";
import { openTable } from "../table-cache.js";
import { BaseLevelCheck } from "./base-level.js";
import { type Job, JobOutput, type TableFormat } from "./job.js";
import { StripeRule } from "./stripes.js";

export interface CompactionDescription {
  readonly kind: "compaction";
  readonly directory: string;
  /** Input runs, newest first; the tables of a run are sorted and share no key. */
  readonly runs: readonly (readonly TableMeta[])[];
  readonly outputLevel: number;
  /** Tables outside the job that hold older data than the inputs: lists sorted by key. */
  readonly older: readonly (readonly TableMeta[])[];
  /** Tables of the level below the output, to cut outputs at; sorted by key. */
  readonly grandparents: readonly TableMeta[];
  /** Snapshots open when the job was made, ascending. */
  readonly snapshots: readonly number[];
  /** Target size of an output. */
  readonly tableBytes: number;
  /** Numbers for the outputs, never used before. The last one takes whatever remains. */
  readonly fileNumbers: readonly number[];
  readonly format: TableFormat;
  readonly beatRows: number;
}

/** An output is also cut where it would overlap this many times its target in the level below. */
const GRANDPARENT_OVERLAP_MAX = 10;

export function* runCompaction(vfs: VFS, compaction: CompactionDescription): Job {
  const output = new JobOutput(vfs, compaction.directory, compaction.format);
  const inputs = new JobInputs(vfs, compaction.directory);
  let merged: MergingCursor | null = null;
  try {
    const tombstones: RangeTombstones[] = [];
    let bytesRead = 0;
    for (const run of compaction.runs) {
      for (const table of run) {
        bytesRead += table.bytes;
        if (table.rangeTombstoneCount > 0) tombstones.push(inputs.rangeTombstonesOf(table));
      }
      yield;
    }
    merged = new MergingCursor(compaction.runs.map((run) => new LevelCursor(run, inputs)));
    const writer = new OutputWriter(compaction, output, RangeTombstones.merge(tombstones));
    merged.seekFirst();
    let rows = 0;
    while (merged.valid) {
      writer.row(merged);
      merged.next();
      rows++;
      if (rows % compaction.beatRows === 0) yield;
    }
    writer.end();
    output.publish();
    return {
      tables: output.tables,
      bytesRead,
      bytesWritten: output.bytesWritten,
      rowsRead: rows,
      rowsWritten: output.rowsWritten,
    };
  } catch (error) {
    output.abandon();
    throw error;
  } finally {
    merged?.close();
    inputs.close();
    output.close();
  }
}

/** Opens input tables when the merge reaches them and closes them behind it, so memory does not grow with the inputs. */
class JobInputs implements TableSource {
  readonly #vfs: VFS;
  readonly #directory: string;
  readonly #open = new Map<number, TableReader>();

  constructor(vfs: VFS, directory: string) {
    this.#vfs = vfs;
    this.#directory = directory;
  }

  open(table: TableMeta): Cursor {
    const reader = this.#reader(table);
    this.#open.set(table.fileNumber, reader);
    return reader.cursor({ fillCache: false });
  }

  release(table: TableMeta): void {
    this.#open.get(table.fileNumber)?.close();
    this.#open.delete(table.fileNumber);
  }

  rangeTombstonesOf(table: TableMeta): RangeTombstones {
    const reader = this.#reader(table);
    reader.close();
    return RangeTombstones.fromFragments(reader.rangeTombstones);
  }

  close(): void {
    for (const reader of this.#open.values()) reader.close();
    this.#open.clear();
  }

  #reader(table: TableMeta): TableReader {
    return openTable(this.#vfs, this.#directory, table, null);
  }
}

/** Decides row by row what is kept and where outputs end. */
class OutputWriter {
  readonly #compaction: CompactionDescription;
  readonly #output: JobOutput;
  readonly #ranges: RangeTombstones;
  readonly #keptFragments: RangeTombstones;
  readonly #stripes: StripeRule;
  readonly #base: BaseLevelCheck;
  #builder: TableBuilder | null = null;
  #used = 0;
  /** The user key of the rows being seen, in a buffer that grows. */
  #key: Uint8Array = new Uint8Array(64);
  #keyLength = -1;
  /** Begin of the open output's share of the key space; null: from the very start. */
  #outputBegin: Uint8Array | null = null;
  #grandparent = 0;
  #grandparentBytes = 0;

  constructor(compaction: CompactionDescription, output: JobOutput, ranges: RangeTombstones) {
    this.#compaction = compaction;
    this.#output = output;
    this.#ranges = ranges;
    this.#stripes = new StripeRule(compaction.snapshots);
    this.#base = new BaseLevelCheck(compaction.older);
    this.#keptFragments = this.#collapseRanges();
  }

  row(row: Cursor): void {
    const { keyBytes, keyStart, keyLength, version, kind } = row;
    if (
      this.#keyLength < 0 ||
      compareBytes(keyBytes, keyStart, keyLength, this.#key, 0, this.#keyLength) !== 0
    ) {
      this.#beginKey(keyBytes, keyStart, keyLength);
    }
    if (this.#builder !== null && mutant("C2-key-split-over-tables") && this.#isFull(this.#builder)) {
      this.#finishOutput(copyOf(keyBytes, keyStart, keyLength));
    }
    const stripes = this.#stripes;
    const covering = this.#ranges.isEmpty
      ? 0
      : this.#ranges.coveringVersion(
          keyBytes,
          keyStart,
          keyLength,
          mutant("C23-range-delete-ignores-snapshots")
            ? Number.MAX_SAFE_INTEGER
            : stripes.stripeEnd(stripes.stripeOf(version)),
        );
    // Only a delete in the oldest stripe can be dropped, so only for it the levels below are asked.
    const isBase =
      kind === KIND_DELETE &&
      stripes.stripeOf(version) === 0 &&
      this.#base.isBaseLevel(copyOf(keyBytes, keyStart, keyLength));
    if (!stripes.keeps(version, kind, covering, isBase)) return;
    const builder = this.#builder ?? this.#openOutput();
    builder.add(
      keyBytes,
      keyStart,
      keyLength,
      version,
      kind,
      row.valueBytes,
      row.valueStart,
      row.valueLength,
    );
  }

  /** No more rows: writes what remains, range tombstones past the last row included. */
  end(): void {
    if (this.#builder === null && !this.#keptFragments.clipped(this.#outputBegin, null).isEmpty)
      this.#openOutput();
    if (this.#builder !== null) this.#finishOutput(null);
  }

  #beginKey(keyBytes: Uint8Array, keyStart: number, keyLength: number): void {
    if (keyLength > this.#key.length) this.#key = new Uint8Array(keyLength * 2);
    this.#key.set(keyBytes.subarray(keyStart, keyStart + keyLength));
    this.#keyLength = keyLength;
    this.#stripes.beginKey();
    const crowded = this.#passGrandparents();
    sometimes("compaction.output-ends-for-grandparents", crowded && this.#builder !== null);
    if (this.#builder !== null && (crowded || this.#isFull(this.#builder))) {
      this.#finishOutput(copyOf(keyBytes, keyStart, keyLength));
    }
  }

  #isFull(builder: TableBuilder): boolean {
    return (
      (builder.estimatedBytes >= this.#compaction.tableBytes || buggify("compaction.early-output")) &&
      this.#used < this.#compaction.fileNumbers.length
    );
  }

  /** Adds up the tables of the level below that the open output overlaps so far; true when they have become too many. */
  #passGrandparents(): boolean {
    const { grandparents, tableBytes } = this.#compaction;
    if (this.#grandparent >= grandparents.length) return false;
    const key = copyOf(this.#key, 0, this.#keyLength);
    while (
      this.#grandparent < grandparents.length &&
      endsBefore(grandparents[this.#grandparent] as TableMeta, key)
    ) {
      this.#grandparentBytes += (grandparents[this.#grandparent] as TableMeta).bytes;
      this.#grandparent++;
    }
    if (this.#grandparentBytes <= GRANDPARENT_OVERLAP_MAX * tableBytes) return false;
    this.#grandparentBytes = 0;
    return this.#used < this.#compaction.fileNumbers.length;
  }

  #openOutput(): TableBuilder {
    const fileNumber = this.#compaction.fileNumbers[this.#used];
    assert(fileNumber !== undefined, "a compaction has a number for each output");
    this.#used++;
    this.#builder = this.#output.open(fileNumber);
    return this.#builder;
  }

  /** Ends the open output before `nextKey`; null: at the end of everything. */
  #finishOutput(nextKey: Uint8Array | null): void {
    const builder = this.#builder as TableBuilder;
    const end = mutant("C20-range-delete-not-cut") ? null : nextKey;
    builder.addRangeTombstones(this.#keptFragments.clipped(this.#outputBegin, end).fragments());
    this.#output.finish();
    this.#builder = null;
    this.#outputBegin = nextKey;
    this.#grandparentBytes = 0;
  }

  /** Range tombstones that must go on: per stripe the newest, and in the oldest only above older data. */
  #collapseRanges(): RangeTombstones {
    const kept = new RangeTombstones();
    for (const { begin, end, versions } of this.#ranges.fragments() satisfies readonly RangeFragment[]) {
      const isBase = this.#base.isBaseLevelForRange(begin, end);
      for (const version of this.#stripes.keptTombstones(versions, isBase)) kept.add(begin, end, version);
    }
    return kept;
  }
}
