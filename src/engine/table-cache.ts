/**
 * Open tables, kept while their indexes and filters fit a budget, so that memory does not grow with the data. Least
 * recently used tables are closed first; one that a cursor stands in is pinned and stays.
 * Does not own: which tables are live (the store tells when one is obsolete) and data blocks (the block cache).
 */
import { assert } from "../platform/assert.js";
import { buggify, sometimes } from "../platform/probes.js";
import type { VFS } from "../platform/vfs.js";
import type { Cursor } from "./cursor.js";
import { tablePath } from "./files.js";
import type { TableMeta } from "./manifest/table-meta.js";
import { RangeTombstones } from "./memtable/range-tombstones.js";
import type { TableSource } from "./read/level-cursor.js";
import type { BlockCache } from "./table/block-cache.js";
import { TableReader } from "./table/reader.js";

/** Where files of tables are opened. */
export type TableFiles = Pick<VFS, "openFile">;

interface OpenTable {
  readonly reader: TableReader;
  readonly rangeTombstones: RangeTombstones;
  pins: number;
  /** Tick of the last use. */
  usedAt: number;
}

export class TableCache implements TableSource {
  readonly #vfs: TableFiles;
  readonly #directory: string;
  readonly #blocks: BlockCache;
  readonly #budgetBytes: number;
  readonly #open = new Map<number, OpenTable>();
  #memoryBytes = 0;
  #tick = 0;

  constructor(vfs: TableFiles, directory: string, blocks: BlockCache, budgetBytes: number) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#blocks = blocks;
    this.#budgetBytes = budgetBytes;
  }

  get openTables(): number {
    return this.#open.size;
  }

  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /** For a synchronous use at once; whoever keeps a reader across other calls pins it with `open`. */
  reader(table: TableMeta): TableReader {
    return this.#entry(table).reader;
  }

  /** The table's range tombstones; they stay readable when the table is closed. */
  rangeTombstones(table: TableMeta): RangeTombstones {
    return this.#entry(table).rangeTombstones;
  }

  open(table: TableMeta): Cursor {
    const entry = this.#entry(table);
    const cursor = entry.reader.cursor({ fillCache: true });
    entry.pins++;
    return cursor;
  }

  release(table: TableMeta): void {
    const entry = this.#open.get(table.fileNumber);
    assert(entry !== undefined && entry.pins > 0, "a pinned table stays open");
    entry.pins--;
    this.#evict();
  }

  /** The table's file is about to be removed. */
  forget(fileNumber: number): void {
    const entry = this.#open.get(fileNumber);
    if (entry === undefined) return;
    assert(entry.pins === 0, "a table in use is not obsolete");
    this.#close(fileNumber, entry);
  }

  close(): void {
    for (const [fileNumber, entry] of this.#open) this.#close(fileNumber, entry);
    assert(this.#memoryBytes === 0, "no table memory is left after close");
  }

  #entry(table: TableMeta): OpenTable {
    const found = this.#open.get(table.fileNumber);
    if (found !== undefined) {
      found.usedAt = ++this.#tick;
      return found;
    }
    const reader = openTable(this.#vfs, this.#directory, table, this.#blocks);
    const rangeTombstones = RangeTombstones.fromFragments(reader.rangeTombstones);
    const entry: OpenTable = { reader, rangeTombstones, pins: 0, usedAt: ++this.#tick };
    this.#open.set(table.fileNumber, entry);
    this.#memoryBytes += entry.reader.memoryBytes;
    entry.pins++;
    this.#evict();
    entry.pins--;
    return entry;
  }

  #evict(): void {
    const budget = buggify("table-cache.tiny") ? 0 : this.#budgetBytes;
    if (this.#memoryBytes <= budget) return;
    const idle = [...this.#open]
      .filter(([, entry]) => entry.pins === 0)
      .sort(([, a], [, b]) => a.usedAt - b.usedAt);
    sometimes("table-cache.evicts", idle.length > 0);
    sometimes("table-cache.over-budget-all-pinned", idle.length === 0);
    for (const [fileNumber, entry] of idle) {
      this.#close(fileNumber, entry);
      if (this.#memoryBytes <= budget) return;
    }
  }

  #close(fileNumber: number, entry: OpenTable): void {
    this.#open.delete(fileNumber);
    this.#memoryBytes -= entry.reader.memoryBytes;
    entry.reader.close();
  }
}

/** Opens one table; an error leaves no handle behind. */
export function openTable(
  vfs: TableFiles,
  directory: string,
  table: TableMeta,
  cache: BlockCache | null,
): TableReader {
  const file = vfs.openFile(tablePath(directory, table.fileNumber), "read");
  try {
    return TableReader.open({ file, fileNumber: table.fileNumber, expectedBytes: table.bytes, cache });
  } catch (error) {
    file.close();
    throw error;
  }
}
