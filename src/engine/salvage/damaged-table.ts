/**
 * What can still be read of one table: every block whose checksum holds and whose rows stand in order after those of
 * the blocks before. A table whose footer, index, properties or range tombstones do not verify is lost as a whole, for
 * without them nobody knows where its blocks begin or what they delete. Reads only.
 */
import { assert } from "../../platform/assert.js";
import type { VFile, VFS } from "../../platform/vfs.js";
import type { Cursor } from "../cursor.js";
import { tablePath } from "../files.js";
import { compareBytes, copyOf, EMPTY_BYTES, printableKey } from "../format/bytes.js";
import { KIND_DELETE, KIND_PUT } from "../format/operation.js";
import type { TableMeta } from "../manifest/table-meta.js";
import type { RangeFragment } from "../memtable/range-tombstones.js";
import type { TableSource } from "../read/level-cursor.js";
import { BlockFile } from "../table/block-file.js";
import { BlockWindow } from "../table/block-window.js";
import { COMPRESSION_NONE } from "../table/compression.js";
import { IndexBuilder, TableIndex } from "../table/index-block.js";
import { readSections } from "../table/sections.js";
import { TableCursor } from "../table/table-cursor.js";
import { damageOf, type SalvageFinding } from "./finding.js";

export interface ReadableTable {
  readonly meta: TableMeta;
  /** Numbers of the blocks that can be read. */
  readonly blocks: readonly number[];
  readonly rangeTombstones: readonly RangeFragment[];
}

const READ_AHEAD_BYTES = 64 * 1024;

/** Reads the whole table once. Null when nothing of it can be read. Adds what is wrong to `findings`. */
export function inspectTable(
  vfs: VFS,
  directory: string,
  fileNumber: number,
  findings: SalvageFinding[],
): ReadableTable | null {
  const path = tablePath(directory, fileNumber);
  let file: VFile | null = null;
  try {
    file = vfs.openFile(path, "read");
    const bytes = file.size();
    const { footer, index, properties, rangeTombstones } = readSections(file, fileNumber, bytes);
    const isPacked = footer.compressionId !== COMPRESSION_NONE;
    const walk = new BlockWalk(new BlockFile(file, fileNumber, footer.checksum, index, isPacked), findings);
    const { rawBytes: _rawBytes, ...rest } = properties;
    const meta: TableMeta = { fileNumber, bytes, ...rest };
    return { meta, blocks: walk.readAll(meta), rangeTombstones };
  } catch (error) {
    const { message, offset } = damageOf(error);
    findings.push({
      kind: "lost",
      path,
      offset: offset ?? null,
      bytes: null,
      message: `a table is lost as a whole, with everything in it: ${message}`,
    });
    return null;
  } finally {
    file?.close();
  }
}

/** Cursors over the readable blocks of tables that have been inspected. They only go forward, from the first row. */
export class ReadableTables implements TableSource {
  readonly #vfs: VFS;
  readonly #directory: string;
  readonly #tables: ReadonlyMap<number, ReadableTable>;
  readonly #open = new Map<number, VFile>();

  constructor(vfs: VFS, directory: string, tables: readonly ReadableTable[]) {
    this.#vfs = vfs;
    this.#directory = directory;
    this.#tables = new Map(tables.map((table) => [table.meta.fileNumber, table]));
  }

  open({ fileNumber, bytes }: TableMeta): Cursor {
    const table = this.#tables.get(fileNumber);
    assert(table !== undefined, "a table is inspected before it is read");
    const file = this.#vfs.openFile(tablePath(this.#directory, fileNumber), "read");
    this.#open.set(fileNumber, file);
    const { footer, index } = readSections(file, fileNumber, bytes);
    const isPacked = footer.compressionId !== COMPRESSION_NONE;
    const blockFile = new BlockFile(file, fileNumber, footer.checksum, index, isPacked);
    return new TableCursor(indexOfLength(table.blocks.length), new ChosenBlocks(blockFile, table.blocks));
  }

  release({ fileNumber }: TableMeta): void {
    this.#open.get(fileNumber)?.close();
    this.#open.delete(fileNumber);
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
  }
}

/** Goes through the blocks of one table and tells the readable ones from the lost ones. */
class BlockWalk {
  readonly #file: BlockFile;
  readonly #window: ChosenBlocks;
  readonly #findings: SalvageFinding[];
  readonly #blocks: number[] = [];
  /** Blocks that are lost since the last readable one. */
  #gap: { readonly first: number; readonly reason: string } | null = null;
  /** The last row that could be read. */
  #key: Uint8Array = EMPTY_BYTES;
  #version = Number.POSITIVE_INFINITY;

  constructor(file: BlockFile, findings: SalvageFinding[]) {
    this.#file = file;
    this.#window = new ChosenBlocks(file, []);
    this.#findings = findings;
  }

  readAll(meta: TableMeta): readonly number[] {
    const { blockCount } = this.#file.index;
    for (let block = 0; block < blockCount; block++) {
      const before = this.#blocks.length === 0 ? meta.smallest : this.#key;
      const { fault, firstKey } = this.#read(block);
      if (fault !== null) {
        this.#gap ??= { first: block, reason: fault };
        continue;
      }
      this.#blocks.push(block);
      this.#closeGap(block, before, firstKey, meta);
    }
    this.#closeGap(blockCount, this.#blocks.length === 0 ? meta.smallest : this.#key, meta.largest, meta);
    return this.#blocks;
  }

  #read(block: number): { readonly fault: string | null; readonly firstKey: Uint8Array } {
    this.#window.blocks = [block];
    const cursor = new TableCursor(ONE_BLOCK, this.#window);
    let key = this.#key;
    let version = this.#version;
    let firstKey: Uint8Array | null = null;
    try {
      for (cursor.seekFirst(); cursor.valid; cursor.next()) {
        const { keyBytes, keyStart, keyLength, kind } = cursor;
        const order = compareBytes(key, 0, key.length, keyBytes, keyStart, keyLength);
        if (order > 0 || (order === 0 && version <= cursor.version)) {
          return { fault: "its rows are out of order", firstKey: key };
        }
        if (kind !== KIND_PUT && kind !== KIND_DELETE) {
          return { fault: `a row has the unknown kind ${kind}`, firstKey: key };
        }
        key = copyOf(keyBytes, keyStart, keyLength);
        version = cursor.version;
        firstKey ??= key;
      }
    } catch (error) {
      return { fault: damageOf(error).message, firstKey: key };
    }
    this.#key = key;
    this.#version = version;
    return { fault: null, firstKey: firstKey ?? key };
  }

  #closeGap(end: number, after: Uint8Array, before: Uint8Array, meta: TableMeta): void {
    if (this.#gap === null) return;
    const { first, reason } = this.#gap;
    this.#gap = null;
    const offset = this.#file.offsetOf(first);
    const blocks = end - first === 1 ? "a block" : `${end - first} blocks`;
    this.#findings.push({
      kind: "lost",
      path: this.#file.file.path,
      offset,
      bytes: this.#file.offsetOf(end) - offset,
      message:
        `${blocks} of a table: keys from "${printableKey(after)}" to "${printableKey(before)}", versions ` +
        `${meta.minVersion} to ${meta.maxVersion}; older values and deleted keys may show in their place (${reason})`,
    });
  }
}

/** Some blocks of a table, as if they were all of them. */
class ChosenBlocks extends BlockWindow {
  blocks: readonly number[];

  constructor(file: BlockFile, blocks: readonly number[]) {
    super(file, READ_AHEAD_BYTES);
    this.blocks = blocks;
  }

  override load(position: number): void {
    const block = this.blocks[position];
    assert(block !== undefined, "a chosen block is one of those that can be read");
    super.load(block);
  }
}

const ONE_BLOCK = indexOfLength(1);

/** An index that serves a walk from the first block to the last, of which only the number of blocks is looked at. */
function indexOfLength(blockCount: number): TableIndex {
  const builder = new IndexBuilder();
  for (let block = 0; block < blockCount; block++) {
    builder.addBlock(0);
    builder.separate(EMPTY_BYTES, 0, null);
  }
  const index = TableIndex.decode(builder.encode(), 0);
  assert(index !== null, "an index of empty blocks decodes");
  return index;
}
