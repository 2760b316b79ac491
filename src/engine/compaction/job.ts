/**
 * What background work is: plain-data descriptions that can cross a thread boundary, and the step-by-step execution of
 * one. Jobs share files with the rest of the engine, never memory. A job's outputs are unreferenced files until the
 * store has recorded them in the manifest, so a job may die at any point and cost nothing but orphans.
 * Every step (`yield`) is a beat: bounded work, after which a scheduler may do something else.
 */
import { StillwaterError } from "../../platform/errors.js";
import { crashPoint, mutant } from "../../platform/probes.js";
import type { VFile, VFS } from "../../platform/vfs.js";
import { tablePath } from "../files.js";
import { checksumByName } from "../format/checksum.js";
import type { TableMeta } from "../manifest/table-meta.js";
import { TableBuilder } from "../table/builder.js";
import type { TableSummary } from "../table/properties.js";
import { type CompactionDescription, runCompaction } from "./compaction-job.js";
import { type FlushDescription, runFlush } from "./flush-job.js";

/** How tables are written. */
export interface TableFormat {
  readonly blockBytes: number;
  readonly bloomBitsPerKey: number;
  readonly compression: "none" | "deflate";
  readonly checksum: "crc32" | "blake3";
}

export type JobDescription = FlushDescription | CompactionDescription;

export interface JobResult {
  readonly tables: readonly TableMeta[];
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** A job in progress: `next()` runs one beat; the return value is the result. */
export type Job = Generator<void, JobResult, void>;

export function startJob(vfs: VFS, description: JobDescription): Job {
  return description.kind === "flush" ? runFlush(vfs, description) : runCompaction(vfs, description);
}

/** The output side of a job: tables being written, made durable together, or removed together. */
export class JobOutput {
  readonly tables: TableMeta[] = [];
  bytesWritten = 0;
  rowsWritten = 0;
  readonly #vfs: VFS;
  readonly #directory: string;
  readonly #format: TableFormat;
  readonly #created: number[] = [];
  #file: VFile | null = null;
  #builder: TableBuilder | null = null;

  constructor(vfs: VFS, directory: string, format: TableFormat) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#format = format;
  }

  get isOpen(): boolean {
    return this.#builder !== null;
  }

  /** Begins a new table file; `fileNumber` has never been used. */
  open(fileNumber: number): TableBuilder {
    // Before the call: one that fails may have been done all the same.
    this.#created.push(fileNumber);
    this.#file = this.#vfs.createFile(tablePath(this.#directory, fileNumber));
    this.#builder = new TableBuilder({
      file: this.#file,
      fileNumber,
      blockBytes: this.#format.blockBytes,
      bloomBitsPerKey: this.#format.bloomBitsPerKey,
      compression: this.#format.compression,
      checksum: checksumByName(this.#format.checksum),
    });
    return this.#builder;
  }

  /** Completes the open table and makes its bytes durable. Its name is durable after `publish`. */
  finish(): void {
    const builder = this.#builder as TableBuilder;
    const file = this.#file as VFile;
    const summary: TableSummary = builder.finish();
    if (!mutant("D2-table-not-synced")) file.syncData();
    // CRASH_POINT(id: sstable.fsync)
    crashPoint("sstable.fsync");
    file.close();
    this.#builder = null;
    this.#file = null;
    this.tables.push(tableMetaOf(summary));
    this.bytesWritten += summary.bytes;
    this.rowsWritten += summary.entryCount;
  }

  /** Makes the names of all finished tables durable. */
  publish(): void {
    if (this.tables.length === 0) return;
    if (!mutant("D2-table-name-not-synced")) this.#vfs.syncDirectory(this.#directory);
    // CRASH_POINT(id: sstable.dirsync)
    crashPoint("sstable.dirsync");
  }

  /** Gives back the handle of a table that was not finished. Idempotent; for `finally`. */
  close(): void {
    const file = this.#file;
    // Before the call: a handle is gone whatever its close reports.
    this.#file = null;
    this.#builder = null;
    if (!mutant("G5-job-output-left-open")) file?.close();
  }

  /**
   * Gives up after an error: removes what was written. What cannot be removed is an orphan, which the next open puts
   * into quarantine; an error here must not hide the one that led here.
   */
  abandon(): void {
    quietly(() => this.close());
    if (mutant("G5-job-output-kept")) return;
    if (mutant("G8-failed-job-removes-others")) this.#created.push(...this.#created.map((own) => own - 1));
    for (const fileNumber of this.#created) {
      const path = tablePath(this.#directory, fileNumber);
      quietly(() => {
        if (this.#vfs.stat(path) !== null) this.#vfs.removeFile(path);
      });
    }
  }
}

/** Errors of the disk are not told. Anything else, such as a simulated crash, goes on upwards. */
function quietly(attempt: () => void): void {
  try {
    attempt();
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
  }
}

/** What the manifest keeps of a table's own summary. */
function tableMetaOf(summary: TableSummary): TableMeta {
  const { rawBytes: _, ...meta } = summary;
  return meta;
}
