/**
 * Making a backup of an open store while commits, flushes and compactions go on. What the store has in its log is moved
 * into tables, these tables are kept from being removed, and each of them comes into the repository once: it is there
 * already, or gets a second name (hard link), or is copied. Then, and only then, the descriptor makes it a backup.
 *
 *     lock · clear leftovers · flush, hold ─► each table: hash ─► there? link? copy ─► check its rows
 *       ─► sync tables/ ─► descriptor: write, sync, rename, sync backups/
 *
 * Promise: what is listed is whole and durable, holds every commit that was acknowledged before the call and is the state of
 * one version. A backup that is cut short anywhere is not listed, and the next run clears away what it has left.
 */
import { assert } from "../../platform/assert.js";
import { CorruptionError, StillwaterError } from "../../platform/errors.js";
import { buggify, crashPoint, mutant, sometimes } from "../../platform/probes.js";
import { linkIfPossible } from "../checkpoint.js";
import { tablePath } from "../files.js";
import type { TableMeta } from "../manifest/table-meta.js";
import { totalBytes } from "../manifest/table-meta.js";
import { refuseUnknownOptions } from "../options.js";
import { type BackupTable, backupId, type Descriptor, sequenceOf, writeDescriptor } from "./descriptor.js";
import { type Repository, repositoryPath, tableFileName, withMadeRepository } from "./repository.js";
import { checkRows, copyHashed, hashFile } from "./transfer.js";
import type { BackupInfo, BackupOptions, BackupSource, HeldTables } from "./types.js";

const NOTE_MAX = 10_000;

/** SHA-256 of tables that have been read in this life of the store: tables never change. */
const known = new WeakMap<BackupSource, Map<number, string>>();

export async function writeBackup(
  source: BackupSource,
  given: string,
  options: BackupOptions,
): Promise<BackupInfo> {
  source.requireOpen();
  refuseUnknownOptions(options, ["note", "copies", "onProgress"], "createBackup");
  const { note = "" } = options;
  if (typeof note !== "string" || note.length > NOTE_MAX) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `a backup's note is a text of at most ${NOTE_MAX} characters.`,
    );
  }
  return await withMadeRepository(source.vfs, repositoryPath(given), async (repository) => {
    source.requireOpen();
    repository.clearAway();
    const held = await source.hold();
    try {
      const work = new BackupWork(source, repository, held, options);
      return await work.run(note);
    } catch (error) {
      if (error instanceof StillwaterError) clearQuietly(repository);
      throw error;
    } finally {
      held.release();
    }
  });
}

/** Gives space back at once; what cannot be removed now goes with the next run. */
function clearQuietly(repository: Repository): void {
  try {
    repository.clearAway();
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    // RARE: it takes a second failure right behind the first
    sometimes("backup.clearing-put-off");
  }
}

class BackupWork {
  readonly #source: BackupSource;
  readonly #repository: Repository;
  readonly #held: HeldTables;
  readonly #options: BackupOptions;
  /** Names of tables that some backup of the repository has: durable, and whole unless they are damaged. */
  readonly #shared: ReadonlySet<string>;
  readonly #former: readonly Descriptor[];
  readonly #hashes: Map<number, string>;
  readonly #bytesTotal: number;
  #bytesDone = 0;
  #newBytes = 0;

  constructor(source: BackupSource, repository: Repository, held: HeldTables, options: BackupOptions) {
    this.#source = source;
    this.#repository = repository;
    this.#held = held;
    this.#options = options;
    this.#former = repository.descriptors().whole;
    this.#shared = new Set(
      this.#former.flatMap(({ tables }) =>
        tables.map(({ meta, sha256 }) => tableFileName(meta.fileNumber, sha256)),
      ),
    );
    this.#hashes = known.get(source) ?? new Map<number, string>();
    known.set(source, this.#hashes);
    this.#bytesTotal = totalBytes(held.state.levels.flat());
  }

  async run(note: string): Promise<BackupInfo> {
    const { clock, random, vfs } = this.#source;
    const { state } = this.#held;
    const metas = state.levels.flat().sort((a, b) => a.fileNumber - b.fileNumber);
    const live = new Set(metas.map(({ fileNumber }) => fileNumber));
    for (const number of this.#hashes.keys()) if (!live.has(number)) this.#hashes.delete(number);
    const tables: BackupTable[] = [];
    this.#report();
    for (const meta of metas) tables.push(await this.#bring(meta));
    this.#source.requireOpen();
    if (!mutant("K10-backup-before-its-tables")) vfs.syncDirectory(this.#repository.tablesPath);
    // CRASH_POINT(id: backup.tables-durable)
    crashPoint("backup.tables-durable");
    const sequences = this.#repository.ids().map((id) => sequenceOf(id) ?? 0);
    const info: BackupInfo = {
      id: backupId(1 + Math.max(0, ...sequences), random.nextUint32()),
      createdAt: Math.floor(clock.wallMs()),
      note,
      version: state.counters.lastVersion,
      bytes: this.#bytesTotal,
      tables: tables.length,
      newBytes: this.#newBytes,
    };
    writeDescriptor(vfs, this.#repository.backupsPath, { info, state, tables });
    return info;
  }

  /** Sees to it that the repository has a table. Its name is durable later. */
  async #bring(meta: TableMeta): Promise<BackupTable> {
    const { vfs, directory } = this.#source;
    const from = tablePath(directory, meta.fileNumber);
    const before = this.#bytesDone;
    const sha256 = this.#hashes.get(meta.fileNumber) ?? (await hashFile(this.#source, from, this.#onPiece));
    this.#hashes.set(meta.fileNumber, sha256);
    const table = { meta, sha256 };
    const path = this.#repository.tablePath(table);
    const stat = vfs.stat(path);
    const isThere =
      stat !== null && stat.size === meta.bytes && this.#shared.has(tableFileName(meta.fileNumber, sha256));
    sometimes("backup.table-shared", isThere);
    if (!isThere) {
      // The remains of another run, of which nobody knows how durable they are, or of what somebody has cut off.
      if (stat !== null) vfs.removeFile(path);
      await this.#add(from, path, table);
      this.#newBytes += meta.bytes;
    }
    this.#bytesDone = before + meta.bytes;
    this.#report();
    return table;
  }

  async #add(from: string, path: string, table: BackupTable): Promise<void> {
    const source = this.#source;
    const { vfs } = source;
    source.requireOpen();
    const mayLink = this.#options.copies !== true && !buggify("backup.other-device");
    if (mayLink && linkIfPossible(vfs, from, path)) {
      sometimes("backup.table-linked");
      // CRASH_POINT(id: backup.table-linked)
      crashPoint("backup.table-linked");
    } else {
      sometimes("backup.table-copied");
      const temporary = `${path}.tmp`;
      const sha256 = await copyHashed(source, from, temporary, () => source.requireOpen());
      // CRASH_POINT(id: backup.table-copied)
      crashPoint("backup.table-copied");
      if (sha256 !== table.sha256) {
        throw new CorruptionError("the table did not read the same twice. Check the disk", { path: from });
      }
      vfs.rename(temporary, path);
      // CRASH_POINT(id: backup.table-placed)
      crashPoint("backup.table-placed");
    }
    // What is damaged in the store is not called a backup.
    await checkRows(source, path, table, () => source.requireOpen());
  }

  readonly #onPiece = (bytes: number): void => {
    this.#source.requireOpen();
    this.#bytesDone += bytes;
    assert(this.#bytesDone >= 0, "progress does not go back");
    this.#report();
  };

  #report(): void {
    this.#options.onProgress?.({
      bytesDone: Math.min(this.#bytesDone, this.#bytesTotal),
      bytesTotal: this.#bytesTotal,
    });
  }
}
