/** What goes in and out of backups: plain data, and the few things of the world that they need. */
import type { Clock, Random, Scheduler } from "../../platform/platform.js";
import type { VFS } from "../../platform/vfs.js";
import type { ManifestState } from "../manifest/manifest-log.js";

/** A backup in a repository. Plain data. */
export interface BackupInfo {
  /** Rises with each backup of a repository, as text too. */
  readonly id: string;
  /** Milliseconds since 1970 by the wall clock of the machine that made it. */
  readonly createdAt: number;
  readonly note: string;
  /** Newest version of the store that it holds; it holds all up to there. */
  readonly version: number;
  /** Bytes of its tables. */
  readonly bytes: number;
  readonly tables: number;
  /** Bytes of the tables that no earlier backup of the repository had. */
  readonly newBytes: number;
}

/** How a backup is made. */
export interface BackupOptions {
  /** A few words for people. Default empty. */
  readonly note?: string;
  /**
   * True: tables are copied even where hard links would do, so that damage to a file of the store cannot be damage to its
   * backup. Default false.
   */
  readonly copies?: boolean;
  readonly onProgress?: (progress: BackupProgress) => void;
}

/** Plain data. */
export interface BackupProgress {
  /** Bytes of tables that are done with, and of all. */
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** What is wrong with one file. */
export interface BackupProblem {
  readonly path: string;
  /** Null where the file as a whole is missing or foreign. */
  readonly offset: number | null;
  readonly message: string;
}

/** What is in a repository. Plain data. */
export interface RepositoryReport {
  /** Backups that are there with all of their files, the oldest first. */
  readonly backups: readonly BackupInfo[];
  /** Backups whose descriptor does not verify, or whose tables are missing or have another size. */
  readonly damaged: readonly (BackupProblem & { readonly id: string })[];
  /** Paths of files and directories that are none of a repository's. They are left alone. */
  readonly foreign: readonly string[];
}

/** What reading a backup back has found. */
export interface BackupVerification {
  readonly backup: BackupInfo;
  /** Empty when every byte is what was backed up. */
  readonly problems: readonly BackupProblem[];
  readonly files: number;
  readonly bytes: number;
  readonly entries: number;
}

/** What backups need of the platform. */
export interface BackupWorld {
  readonly vfs: VFS;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
}

/** What a store gives to whoever backs it up. */
export interface BackupSource extends BackupWorld {
  readonly directory: string;
  /** Throws `CLOSED` once the closing of the store has begun. */
  requireOpen(): void;
  /** Moves all commits made so far into tables, and keeps these until they are released. */
  hold(): Promise<HeldTables>;
}

export interface HeldTables {
  readonly state: ManifestState;
  /** Idempotent. The closing of the store waits for it. */
  release(): void;
}
