/**
 * O41. Verifies: a backup that is listed restores to a state that the store had between the call and its answer, at the
 * version it says; one that was acknowledged is listed, with everything durable, until somebody deletes it; one that was
 * not is listed only if it is whole; deleting some leaves the others as they were; damage to any file is found.
 * Does not verify: where a file is damaged (tests do), nor backups on a disk that has lied or lost bytes at rest.
 */
import { createHash } from "node:crypto";
import type { BackupTable } from "../../src/engine/backup/descriptor.js";
import { openRepository } from "../../src/engine/backup/repository.js";
import { inspectRepository } from "../../src/engine/backup/restore.js";
import type { RepositoryReport } from "../../src/engine/backup/types.js";
import { StillwaterError } from "../../src/platform/errors.js";
import type { VFS } from "../../src/platform/vfs.js";
import { type Row, scanMismatch } from "../model/comparison.js";
import type { Model, PrefixSpan } from "../model/model.js";
import { OracleFailure, type OracleLedger } from "./failure.js";

/** What is known of a backup that may be there. */
export interface KnownBackup {
  /** As it was when the call was answered, or cut off. */
  readonly model: Model;
  readonly span: PrefixSpan;
  /** Whether it must be there: acknowledged, and nobody has begun to delete it. */
  isCertain: boolean;
}

/** `promised`: the newest version that had been acknowledged when the call was made. */
export function checkBackupVersion(
  ledger: OracleLedger,
  id: string,
  version: number,
  promised: number,
): void {
  ledger.count("O41");
  if (version >= promised) return;
  throw new OracleFailure(
    "O41",
    `backup ${id} was made at version ${version}, though ${promised} had been acknowledged`,
  );
}

/**
 * What a repository shows after a recovery or at rest. `unanswered`: calls without an answer, each of which may have made a
 * backup. `mayShowDamage`: a failed sync may have brought back the descriptor of a backup that was being deleted.
 * Returns the ids of those that nobody was told of.
 */
export function checkListed(
  ledger: OracleLedger,
  report: RepositoryReport,
  known: ReadonlyMap<string, KnownBackup>,
  deleted: ReadonlySet<string>,
  unanswered: number,
  mayShowDamage: boolean,
): readonly string[] {
  ledger.count("O41");
  const listed = new Set(report.backups.map(({ id }) => id));
  for (const [id, { isCertain }] of known) {
    if (isCertain && !listed.has(id)) {
      const damage = report.damaged.find((one) => one.id === id)?.message ?? "it is gone";
      throw new OracleFailure("O41", `backup ${id} was acknowledged, but is not listed: ${damage}`);
    }
  }
  const [first] = report.damaged;
  if (first !== undefined && !mayShowDamage)
    throw new OracleFailure("O41", `backup ${first.id} is there in part: ${first.message}`);
  for (const id of listed) {
    if (deleted.has(id)) throw new OracleFailure("O41", `backup ${id} is listed though it was deleted`);
  }
  if (report.foreign.length > 0)
    throw new OracleFailure("O41", `the repository takes its own for foreign: ${report.foreign.join(", ")}`);
  const strangers = [...listed].filter((id) => !known.has(id));
  if (strangers.length > unanswered) {
    throw new OracleFailure(
      "O41",
      `${strangers.length} backups are listed that nobody was told of, but only ${unanswered} calls have no answer`,
    );
  }
  return strangers;
}

/** `candidates`: what it may hold, any of them. */
export function checkRestored(
  ledger: OracleLedger,
  id: string,
  candidates: readonly Pick<KnownBackup, "model" | "span">[],
  rows: readonly Row[],
): void {
  ledger.count("O41");
  let mismatch = "nobody knows what it should hold";
  for (const { model, span } of candidates) {
    for (let sequence = span.high; sequence >= span.low; sequence--) {
      const found = scanMismatch(model, sequence, {}, Number.POSITIVE_INFINITY, rows);
      if (found === null) return;
      mismatch = `at commit ${sequence}: ${found}`;
    }
  }
  throw new OracleFailure("O41", `backup ${id} restores to another state than it was made of: ${mismatch}`);
}

/** `durable`: what is on the medium, all else left aside. The backup is listed there, and every byte is right. */
export function checkDurableBackup(
  ledger: OracleLedger,
  durable: VFS,
  directory: string,
  id: string,
  when: string,
): void {
  ledger.count("O41");
  const problem = problemOnMedium(durable, directory, id);
  if (problem !== null)
    throw new OracleFailure("O41", `backup ${id}, ${when}, is not whole on the medium: ${problem}`);
}

function problemOnMedium(durable: VFS, directory: string, id: string): string | null {
  try {
    const { backups, damaged } = inspectRepository(durable, directory);
    if (!backups.some((one) => one.id === id))
      return damaged.find((one) => one.id === id)?.message ?? "it is not listed";
    const repository = openRepository(durable, directory);
    for (const table of repository.descriptor(id).tables) {
      if (digest(durable, repository.tablePath(table), table) !== table.sha256)
        return `table ${table.meta.fileNumber} has other bytes`;
    }
    return null;
  } catch (error) {
    if (!(error instanceof StillwaterError)) throw error;
    return error.message;
  }
}

function digest(vfs: VFS, path: string, { meta }: BackupTable): string {
  const file = vfs.openFile(path, "read");
  try {
    const bytes = new Uint8Array(meta.bytes);
    file.read(bytes, 0, bytes.length, 0);
    return createHash("sha256").update(bytes).digest("hex");
  } finally {
    file.close();
  }
}
