/**
 * A repository: the directory in which backups share their tables.
 *
 *     backups/ID.backup     one descriptor for each backup (`descriptor.ts`)
 *     tables/NNNNNN-H.sst   tables: their number in the store, and the first half of their SHA-256
 *     LOCK                  who works on it
 *
 * A table stands once, however many backups have it; its name says what it holds, so that another table of the same
 * number (of a store that was restored and went another way) is another file. A table goes when no descriptor names it.
 * One at a time makes or removes backups. Owns names, listing and clearing away; files that are none of these are left alone.
 */
import { CorruptionError, hasCode, StillwaterError } from "../../platform/errors.js";
import { joinPath, parentPath } from "../../platform/path.js";
import { crashPoint, mutant, sometimes } from "../../platform/probes.js";
import type { VFS, VLock } from "../../platform/vfs.js";
import { CURRENT_NAME, parseFileName } from "../files.js";
import { removeMadeDirectory } from "../partial-directory.js";
import { lockForReading } from "../restore.js";
import {
  type BackupTable,
  type Descriptor,
  descriptorName,
  idOfName,
  isTemporaryDescriptor,
  readDescriptor,
} from "./descriptor.js";
import type { BackupProblem, RepositoryReport } from "./types.js";

const BACKUPS = "backups";
const TABLES = "tables";
const TABLE_NAME = /^\d{6,15}-[0-9a-f]{32}\.sst(?:\.tmp)?$/;
const NAME_DIGITS = 32;

/** A repository whose directories are there. */
export class Repository {
  readonly vfs: VFS;
  readonly directory: string;
  readonly backupsPath: string;
  readonly tablesPath: string;

  constructor(vfs: VFS, directory: string) {
    this.vfs = vfs;
    this.directory = directory;
    this.backupsPath = joinPath(directory, BACKUPS);
    this.tablesPath = joinPath(directory, TABLES);
  }

  tablePath({ meta, sha256 }: BackupTable): string {
    return joinPath(this.tablesPath, tableFileName(meta.fileNumber, sha256));
  }

  /** Ids of all backups of which there is a descriptor, whole or not, ascending. */
  ids(): string[] {
    if (this.vfs.stat(this.backupsPath) === null) return [];
    return this.vfs.list(this.backupsPath).flatMap((name) => idOfName(name) ?? []);
  }

  /** Throws `UNKNOWN_BACKUP`, `CORRUPTION`, `UNSUPPORTED_FORMAT`. */
  descriptor(id: string): Descriptor {
    this.requireId(id);
    return readDescriptor(this.vfs, this.backupsPath, id);
  }

  requireId(id: string): void {
    if (this.ids().includes(id)) return;
    throw new StillwaterError(
      "UNKNOWN_BACKUP",
      `there is no backup ${JSON.stringify(id)} in ${this.directory}. \`stillwater backup list\` shows those there are.`,
      { path: this.directory },
    );
  }

  /** All descriptors that can be read, and what is wrong with the others. Errors of files are thrown. */
  descriptors(): { readonly whole: readonly Descriptor[]; readonly damaged: RepositoryReport["damaged"] } {
    const whole: Descriptor[] = [];
    const damaged: (BackupProblem & { readonly id: string })[] = [];
    for (const id of this.ids()) {
      try {
        whole.push(readDescriptor(this.vfs, this.backupsPath, id));
      } catch (error) {
        // Removed since its name was read.
        if (hasCode(error, "NOT_FOUND")) continue;
        damaged.push({ id, ...problemOf(error) });
      }
    }
    return { whole, damaged };
  }

  /** What is missing of a backup, judged by names and sizes. */
  missing({ tables }: Descriptor): BackupProblem | null {
    for (const table of tables) {
      const path = this.tablePath(table);
      const stat = this.vfs.stat(path);
      if (stat === null) return { path, offset: null, message: `the table is missing (${path})` };
      if (stat.size === table.meta.bytes) continue;
      const message = `the table has ${stat.size} bytes instead of ${table.meta.bytes} (${path})`;
      return { path, offset: Math.min(stat.size, table.meta.bytes), message };
    }
    return null;
  }

  /** Paths of what has no name of a repository's. */
  foreign(): string[] {
    const inRoot = this.vfs.list(this.directory).filter((name) => !isOfRoot(name));
    const within = (directory: string, isOurs: (name: string) => boolean): string[] =>
      this.vfs.stat(directory)?.kind === "directory"
        ? this.vfs
            .list(directory)
            .filter((name) => !isOurs(name))
            .map((name) => joinPath(directory, name))
        : [];
    return [
      ...inRoot.map((name) => joinPath(this.directory, name)),
      ...within(this.backupsPath, (name) => idOfName(name) !== null || isTemporaryDescriptor(name)),
      ...within(this.tablesPath, (name) => TABLE_NAME.test(name)),
    ];
  }

  /**
   * Removes what interrupted work has left, and tables that no backup has. While a descriptor cannot be read nobody knows
   * which tables are its own, so then all tables stay. Returns the bytes that went.
   */
  clearAway(): number {
    const { vfs } = this;
    for (const name of vfs.list(this.backupsPath)) {
      if (isTemporaryDescriptor(name)) this.#remove(joinPath(this.backupsPath, name));
    }
    const { whole, damaged } = this.descriptors();
    sometimes("backup.tables-kept-for-a-damaged-descriptor", damaged.length > 0);
    const used = new Set(whole.flatMap(({ tables }) => tables.map((table) => this.tablePath(table))));
    const unused = vfs
      .list(this.tablesPath)
      .filter((name) => TABLE_NAME.test(name) && (name.endsWith(".tmp") || damaged.length === 0))
      .map((name) => joinPath(this.tablesPath, name))
      .filter((path) => !used.has(path));
    if (unused.length === 0) return 0;
    // A crash must not bring back a descriptor without its tables, and its removal may be in the page cache only.
    if (!mutant("K15-tables-removed-before-their-backup")) vfs.syncDirectory(this.backupsPath);
    // CRASH_POINT(id: backup.deletion-durable)
    crashPoint("backup.deletion-durable");
    let bytes = 0;
    for (const path of unused) {
      bytes += vfs.stat(path)?.size ?? 0;
      this.#remove(path);
    }
    return bytes;
  }

  /** Not synced: a removal that a crash undoes is found and done again by the next run. */
  #remove(path: string): void {
    this.vfs.removeFile(path);
    // CRASH_POINT(id: backup.file-removed)
    crashPoint("backup.file-removed");
  }

  /** Takes back a backup. Its tables are `clearAway`'s. Durable with its sync of `backups/`. */
  removeDescriptor(id: string): void {
    this.vfs.removeFile(joinPath(this.backupsPath, descriptorName(id)));
    // CRASH_POINT(id: backup.descriptor-removed)
    crashPoint("backup.descriptor-removed");
  }
}

export function tableFileName(fileNumber: number, sha256: string): string {
  return `${String(fileNumber).padStart(6, "0")}-${sha256.slice(0, NAME_DIGITS)}.sst`;
}

/** Throws `INVALID_ARGUMENT` for what is no path. */
export function repositoryPath(given: unknown): string {
  if (typeof given !== "string" || given === "") {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      "a repository of backups is given by the path of its directory.",
    );
  }
  return given.replace(/(?<=.)\/+$/, "");
}

/** A repository that is there, for reading. Throws `NOT_A_REPOSITORY`. */
export function openRepository(vfs: VFS, directory: string): Repository {
  if (vfs.stat(directory) === null) {
    throw new StillwaterError(
      "NOT_A_REPOSITORY",
      `there is nothing at ${directory}. Check the path; the first backup makes a repository.`,
      { path: directory },
    );
  }
  requireRepository(vfs, directory);
  return new Repository(vfs, directory);
}

/** Runs `work` on a repository that is there while nobody else changes it. Throws `LOCKED`, `NOT_A_REPOSITORY`. */
export async function withRepository<Result>(
  vfs: VFS,
  directory: string,
  mode: "read" | "change",
  work: (repository: Repository) => Promise<Result>,
): Promise<Result> {
  const repository = openRepository(vfs, directory);
  const lock = await (mode === "read" ? lockForReading(vfs, directory) : vfs.lockDirectory(directory));
  return await releasing(lock, () => work(repository));
}

/**
 * Makes the directories of a repository where they are missing, durably, and runs `work` under its lock. Throws
 * `NOT_A_REPOSITORY` where something else is there, `INVALID_ARGUMENT` within a store, `LOCKED`, and file errors.
 */
export async function withMadeRepository<Result>(
  vfs: VFS,
  directory: string,
  work: (repository: Repository) => Promise<Result>,
): Promise<Result> {
  refuseWithinStore(vfs, directory);
  const isNew = vfs.stat(directory) === null;
  if (isNew) makeDirectory(vfs, directory);
  requireRepository(vfs, directory);
  const lock = await vfs.lockDirectory(directory);
  let isMade = false;
  try {
    return await releasing(lock, async () => {
      requireRepository(vfs, directory);
      const repository = makeRepository(vfs, directory);
      isMade = true;
      return await work(repository);
    });
  } catch (error) {
    if (isNew && !isMade && error instanceof StillwaterError) takeBack(vfs, directory);
    throw error;
  }
}

function makeRepository(vfs: VFS, directory: string): Repository {
  const repository = new Repository(vfs, directory);
  const { backupsPath, tablesPath } = repository;
  try {
    for (const path of [backupsPath, tablesPath]) if (vfs.stat(path) === null) makeDirectory(vfs, path);
    // Every time: whoever has made them may have ended before their names were durable.
    vfs.syncDirectory(directory);
    vfs.syncDirectory(parentPath(directory));
  } catch (error) {
    if (error instanceof StillwaterError) for (const path of [backupsPath, tablesPath]) takeBack(vfs, path);
    throw error;
  }
  // CRASH_POINT(id: backup.repository-made)
  crashPoint("backup.repository-made");
  return repository;
}

/**
 * A directory whose sync has failed: no later one need make its name durable, so the next attempt must make it anew. One
 * that holds something was durable before.
 */
function takeBack(vfs: VFS, directory: string): void {
  try {
    removeMadeDirectory(vfs, directory);
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
  }
}

async function releasing<Result>(lock: VLock | null, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } finally {
    await lock?.release();
  }
}

function makeDirectory(vfs: VFS, path: string): void {
  try {
    vfs.makeDirectory(path);
  } catch (error) {
    if (!hasCode(error, "EXISTS") || vfs.stat(path)?.kind !== "directory") throw error;
  }
}

/** A directory with nothing in it but what is a repository's is one; so is one that has backups already. */
function requireRepository(vfs: VFS, directory: string): void {
  const isDirectory = vfs.stat(directory)?.kind === "directory";
  const names = isDirectory ? vfs.list(directory) : [];
  const isOne =
    isDirectory && !names.includes(CURRENT_NAME) && (names.includes(BACKUPS) || names.every(isOfRoot));
  if (isOne) return;
  throw new StillwaterError(
    "NOT_A_REPOSITORY",
    `${directory} holds something else than backups. Choose a directory that is empty, or not there yet.`,
    { path: directory },
  );
}

function isOfRoot(name: string): boolean {
  return name === BACKUPS || name === TABLES || parseFileName(name).kind === "lock";
}

/** By the directories above, as far as the path names them. */
function refuseWithinStore(vfs: VFS, directory: string): void {
  for (let at = directory; ; at = parentPath(at)) {
    if (vfs.stat(joinPath(at, CURRENT_NAME))?.kind === "file") {
      throw new StillwaterError(
        "INVALID_ARGUMENT",
        `backups cannot lie within a store: ${at} is one. Choose a directory beside it, better on another disk.`,
        { path: directory },
      );
    }
    if (parentPath(at) === at || at === ".") return;
  }
}

/** Damage in words. Throws what is none: an error of the disk says nothing about what is on it. */
export function problemOf(error: unknown): BackupProblem {
  if (!(error instanceof CorruptionError) && !hasCode(error, "UNSUPPORTED_FORMAT")) throw error;
  const { path, offset, message } = error as StillwaterError;
  return { path: path ?? "", offset: offset ?? null, message };
}
