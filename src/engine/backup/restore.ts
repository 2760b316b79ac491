/**
 * Reading backups: listing them, verifying one, and making a store out of one. Each table is judged by the SHA-256 that
 * was taken when it was backed up, and as a table by itself; what bears the restored store's name is whole, durable and
 * has been read back. Never changes a repository.
 */
import { CorruptionError, StillwaterError } from "../../platform/errors.js";
import { joinPath } from "../../platform/path.js";
import { crashPoint, mutant, sometimes } from "../../platform/probes.js";
import type { VFS } from "../../platform/vfs.js";
import { tablePath } from "../files.js";
import { checksumByName } from "../format/checksum.js";
import { ManifestLog } from "../manifest/manifest-log.js";
import { refuseUnknownOptions } from "../options.js";
import { claimPartial, publishPartial } from "../partial-directory.js";
import { type RestoreReport, refuseTaken } from "../restore.js";
import { verifyStore } from "../verify.js";
import type { BackupTable, Descriptor } from "./descriptor.js";
import { openRepository, problemOf, type Repository, repositoryPath, withRepository } from "./repository.js";
import { checkRows, copyHashed, proveTable, turn } from "./transfer.js";
import type {
  BackupProblem,
  BackupProgress,
  BackupVerification,
  BackupWorld,
  RepositoryReport,
} from "./types.js";

/** How a backup is restored. */
export interface RestoreOptions {
  /** Whether the restored store is read back and checked as a whole. Default true. Its bytes are checked in any case. */
  readonly verify?: boolean;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** How a backup is verified. */
export interface VerifyOptions {
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** By names and sizes, without reading tables and without the lock. Throws `NOT_A_REPOSITORY`, and file errors. */
export function inspectRepository(vfs: VFS, given: string): RepositoryReport {
  const repository = openRepository(vfs, repositoryPath(given));
  const { whole, damaged } = repository.descriptors();
  const backups: RepositoryReport["backups"][number][] = [];
  const all = [...damaged];
  for (const descriptor of whole) {
    const problem = repository.missing(descriptor);
    if (problem === null) backups.push(descriptor.info);
    else all.push({ id: descriptor.info.id, ...problem });
  }
  all.sort((a, b) => (a.id < b.id ? -1 : 1));
  return { backups, damaged: all, foreign: repository.foreign() };
}

/**
 * Reads every byte of a backup and checks it. Throws `UNKNOWN_BACKUP`, `LOCKED`, `CORRUPTION` when the descriptor itself
 * does not verify, and file errors; other damage is in the report.
 */
export async function verifyInRepository(
  world: BackupWorld,
  given: string,
  id: string,
  options: VerifyOptions,
): Promise<BackupVerification> {
  refuseUnknownOptions(options, ["onProgress"], "verifyBackup");
  return await withRepository(world.vfs, repositoryPath(given), "read", async (repository) => {
    const descriptor = repository.descriptor(id);
    const { info, tables } = descriptor;
    const problems: BackupProblem[] = [];
    const progress = new Progress(info.bytes, options.onProgress);
    for (const table of tables) {
      const problem = await problemOfTable(world, repository, table, progress);
      if (problem !== null) problems.push(problem);
    }
    const entries = tables.reduce((sum, { meta }) => sum + meta.entryCount, 0);
    return { backup: info, problems, files: tables.length, bytes: info.bytes, entries };
  });
}

async function problemOfTable(
  world: BackupWorld,
  repository: Repository,
  table: BackupTable,
  progress: Progress,
): Promise<BackupProblem | null> {
  const path = repository.tablePath(table);
  if (world.vfs.stat(path) === null) return { path, offset: null, message: `the table is missing (${path})` };
  try {
    await proveTable(world, path, table, (bytes) => progress.add(bytes));
    return null;
  } catch (error) {
    sometimes("backup.damage-found");
    return problemOf(error);
  }
}

/**
 * Makes a store at `target` out of a backup. Throws `EXISTS` when there is something at `target`, `UNKNOWN_BACKUP`,
 * `LOCKED`, `CORRUPTION` when anything is not what was backed up, and file errors; there is nothing at `target` then.
 */
export async function restoreFromRepository(
  world: BackupWorld,
  given: string,
  id: string,
  givenTarget: string,
  options: RestoreOptions,
): Promise<RestoreReport> {
  refuseUnknownOptions(options, ["verify", "onProgress"], "restoreBackup");
  const directory = repositoryPath(given);
  if (typeof givenTarget !== "string" || givenTarget === "") {
    throw new StillwaterError("INVALID_ARGUMENT", "the place of a restored store must be a path.");
  }
  const target = givenTarget.replace(/(?<=.)\/+$/, "");
  if (`${target}/`.startsWith(`${directory}/`)) {
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `a store cannot be restored into the repository (${directory}). Choose a path outside of it.`,
      { path: target },
    );
  }
  const { vfs } = world;
  refuseTaken(vfs, target);
  return await withRepository(vfs, directory, "read", async (repository) => {
    const descriptor = repository.descriptor(id);
    const partial = claimPartial(vfs, target);
    try {
      await fill(world, repository, descriptor, partial, options);
    } catch (error) {
      if (error instanceof StillwaterError) removeQuietly(vfs, partial);
      throw error;
    }
    publishPartial(vfs, partial, target);
    // CRASH_POINT(id: backup.restored)
    crashPoint("backup.restored");
    const { info, tables } = descriptor;
    const entries = tables.reduce((sum, { meta }) => sum + meta.entryCount, 0);
    return { files: tables.length, bytes: info.bytes, entries, version: info.version };
  });
}

async function fill(
  world: BackupWorld,
  repository: Repository,
  { info, state, tables }: Descriptor,
  partial: string,
  options: RestoreOptions,
): Promise<void> {
  const { vfs } = world;
  const progress = new Progress(info.bytes, options.onProgress);
  for (const table of tables) {
    const from = repository.tablePath(table);
    const to = tablePath(partial, table.meta.fileNumber);
    const sha256 = await copyHashed(world, from, to, (bytes) => progress.add(bytes));
    // CRASH_POINT(id: backup.restore-file-copied)
    crashPoint("backup.restore-file-copied");
    if (sha256 !== table.sha256 && !mutant("K17-restore-takes-any-bytes")) {
      // Says where the damage is; if it finds none, the file is a sound table, but another one.
      await checkRows(world, from, table, () => undefined);
      throw new CorruptionError("the file is not the one that was backed up", { path: from, offset: 0 });
    }
  }
  const manifestNumber = state.counters.nextFileNumber;
  const counters = {
    ...state.counters,
    nextFileNumber: manifestNumber + 1,
    minWalNumber: manifestNumber + 1,
  };
  const log = ManifestLog.create(vfs, partial, checksumByName("crc32"), manifestNumber, {
    ...state,
    counters,
  });
  try {
    log.seal();
  } finally {
    log.close();
  }
  // CRASH_POINT(id: backup.restore-manifest-durable)
  crashPoint("backup.restore-manifest-durable");
  if (options.verify === false || mutant("K17-restore-takes-any-bytes")) return;
  const { levels, storeId } = state;
  const work = verifyStore({
    vfs,
    directory: partial,
    levels,
    storeId,
    editNumber: log.editNumber,
    segments: [],
  });
  let step = work.next();
  for (; step.done !== true; step = work.next()) await turn(world.scheduler);
  const [problem] = step.value.problems;
  if (problem === undefined) return;
  throw new CorruptionError(`the restored store does not verify, check its disk: ${problem}`, {
    path: partial,
  });
}

/** What cannot be removed now goes with the next attempt to restore there. */
function removeQuietly(vfs: VFS, partial: string): void {
  try {
    for (const name of vfs.list(partial)) vfs.removeFile(joinPath(partial, name));
    vfs.removeDirectory(partial);
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
  }
}

class Progress {
  readonly #total: number;
  readonly #tell: ((progress: BackupProgress) => void) | undefined;
  #done = 0;

  constructor(total: number, tell: ((progress: BackupProgress) => void) | undefined) {
    this.#total = total;
    this.#tell = tell;
    this.add(0);
  }

  add(bytes: number): void {
    this.#done = Math.min(this.#done + bytes, this.#total);
    this.#tell?.({ bytesDone: this.#done, bytesTotal: this.#total });
  }
}
