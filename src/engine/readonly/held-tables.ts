/**
 * The tables of a reader, opened once and kept open: the writer, which knows nothing of readers, removes a table as soon as no
 * read of its own needs it, and on POSIX systems an open file stays readable after that. The table cache opens and closes
 * tables as ever, but gets these files lent.
 */
import { hasCode, StillwaterError } from "../../platform/errors.js";
import type { VFile, VFS } from "../../platform/vfs.js";
import { tablePath } from "../files.js";
import { equalKeys } from "../format/bytes.js";
import { checkTableSize, missingTable } from "../manifest/manifest-log.js";
import type { TableMeta } from "../manifest/table-meta.js";
import type { TableFiles } from "../table-cache.js";

interface HeldTable {
  readonly table: TableMeta;
  readonly file: VFile;
}

export class HeldTables implements TableFiles {
  readonly #vfs: VFS;
  readonly #directory: string;
  readonly #held = new Map<string, HeldTable>();

  constructor(vfs: VFS, directory: string) {
    this.#vfs = vfs;
    this.#directory = directory;
  }

  get count(): number {
    return this.#held.size;
  }

  /**
   * Opens the table's file, unless it is open. Throws `CORRUPTION` when it is not there or has another size, `STORE_REPLACED`
   * when another table of that number is held, and `TOO_MANY_OPEN_FILES`.
   */
  hold(table: TableMeta): void {
    const path = tablePath(this.#directory, table.fileNumber);
    const held = this.#held.get(path);
    if (held !== undefined) {
      if (!isSame(held.table, table)) throw storeReplaced(this.#directory);
      return;
    }
    const file = this.#open(path);
    try {
      checkTableSize(path, table, file.size());
    } catch (error) {
      file.close();
      throw error;
    }
    this.#held.set(path, { table, file });
  }

  /** Lends the file of a table that is held. */
  openFile(path: string): VFile {
    const held = this.#held.get(path);
    if (held === undefined) throw missingTable(path);
    return new LentFile(held.file);
  }

  /** Closes the file of one table. */
  release(fileNumber: number): void {
    const path = tablePath(this.#directory, fileNumber);
    const held = this.#held.get(path);
    this.#held.delete(path);
    held?.file.close();
  }

  /** Closes the files of all tables but these. */
  keepOnly(fileNumbers: readonly number[]): void {
    const kept = new Set(fileNumbers);
    for (const [path, { table, file }] of this.#held) {
      if (kept.has(table.fileNumber)) continue;
      this.#held.delete(path);
      file.close();
    }
  }

  close(): void {
    this.keepOnly([]);
  }

  #open(path: string): VFile {
    try {
      return this.#vfs.openFile(path, "read");
    } catch (error) {
      if (hasCode(error, "NOT_FOUND")) throw missingTable(path);
      throw error;
    }
  }
}

export function storeReplaced(directory: string): StillwaterError {
  return new StillwaterError(
    "STORE_REPLACED",
    `${directory} does not hold what it held: another store has been put in its place, or it has lost commits that could be read. ` +
      "Close this reader and open another.",
    { path: directory },
  );
}

/** Numbers are never used twice in one store, so tables of one number are one table. */
function isSame(a: TableMeta, b: TableMeta): boolean {
  return (
    a.bytes === b.bytes &&
    a.minVersion === b.minVersion &&
    a.maxVersion === b.maxVersion &&
    a.entryCount === b.entryCount &&
    equalKeys(a.smallest, b.smallest) &&
    equalKeys(a.largest, b.largest)
  );
}

/** An open file whose owner is somebody else: closing it does nothing. */
class LentFile implements VFile {
  readonly path: string;
  readonly #file: VFile;

  constructor(file: VFile) {
    this.path = file.path;
    this.#file = file;
  }

  read(target: Uint8Array, targetStart: number, length: number, position: number): number {
    return this.#file.read(target, targetStart, length, position);
  }

  readLater(
    target: Uint8Array,
    targetStart: number,
    length: number,
    position: number,
    done: (error: Error | null, bytesRead: number) => void,
  ): void {
    this.#file.readLater(target, targetStart, length, position, done);
  }

  size(): number {
    return this.#file.size();
  }

  // The owner's handle was opened for reading, and refuses these.
  write(source: Uint8Array, sourceStart: number, length: number, position: number): void {
    this.#file.write(source, sourceStart, length, position);
  }

  truncate(size: number): void {
    this.#file.truncate(size);
  }

  syncData(): void {
    this.#file.syncData();
  }

  syncDataLater(done: (error: Error | null) => void): void {
    this.#file.syncDataLater(done);
  }

  close(): void {}
}
