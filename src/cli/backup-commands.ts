/**
 * `stillwater backup …`: backups in a repository, made beside a running workload, listed, verified, restored, removed.
 * Promise: only `delete` and `prune` remove anything, they say what, and `prune --dry-run` says it without doing it.
 */
import { type Command, InvalidArgumentError } from "commander";
import type { KeepRules } from "../engine/backup/prune.js";
import type { BackupInfo, BackupProblem, BackupProgress } from "../engine/backup/types.js";
import {
  createBackup,
  deleteBackup,
  inspectBackups,
  listBackups,
  pruneBackups,
  restoreBackup,
  verifyBackup,
} from "../index.js";
import { StillwaterError } from "../platform/errors.js";
import { startByteProgress } from "./progress.js";
import { count, JSON_FLAG, type JsonOption, printResult, withStore } from "./session.js";
import { setExitCode, storePath } from "./terminal.js";

const LATEST = "latest";

export function addBackupCommands(program: Command): void {
  const backup = program.command("backup").description("backups that share their tables in a repository");
  backup
    .command("create <dir> <repository>")
    .summary("back up a store")
    .description(
      "back up a store into a repository, which is made if need be. Tables that it has already are shared; others " +
        "get a hard link where that is possible, or are copied",
    )
    .option("--note <text>", "a few words that are kept with it")
    .option("--copy", "copy tables even where hard links would do")
    .option(...JSON_FLAG)
    .action(create);
  backup
    .command("list <repository>")
    .description("show the backups of a repository; exit code 1 when any is damaged")
    .option(...JSON_FLAG)
    .action(list);
  backup
    .command("verify <repository> [id]")
    .summary("read backups back and check every byte")
    .description(
      `read a backup ("${LATEST}" or an id), or all, and check every byte; exit code 1 when anything is wrong`,
    )
    .option(...JSON_FLAG)
    .action(verify);
  backup
    .command("restore <repository> <id> <dir>")
    .summary("make a store out of a backup")
    .description(`make a store in a new directory out of a backup (an id, or "${LATEST}"), and verify it`)
    .option(...JSON_FLAG)
    .action(restore);
  backup
    .command("delete <repository> <id>")
    .summary("remove a backup for good")
    .description("remove a backup for good, with the tables that no other backup has")
    .option(...JSON_FLAG)
    .action(remove);
  backup
    .command("prune <repository>")
    .summary("remove all backups but those that a rule keeps")
    .description(
      "remove for good all backups that none of the rules keeps; hours, days and weeks are those of UTC",
    )
    .option("--keep-last <n>", "the newest n", wholeNumber)
    .option("--keep-hourly <n>", "the newest of each of the last n hours that have one", wholeNumber)
    .option("--keep-daily <n>", "the newest of each of the last n days that have one", wholeNumber)
    .option("--keep-weekly <n>", "the newest of each of the last n weeks that have one", wholeNumber)
    .option("--dry-run", "only say what would be removed")
    .option(...JSON_FLAG)
    .action(prune);
}

async function create(
  directory: string,
  given: string,
  options: JsonOption & { readonly note?: string; readonly copy?: true },
): Promise<void> {
  const repository = storePath(given);
  const { note, copy } = options;
  const info = await withStore(directory, options, {}, (store) =>
    watched(options, (onProgress) =>
      createBackup(store, repository, {
        onProgress,
        ...(note === undefined ? {} : { note }),
        ...(copy === undefined ? {} : { copies: true }),
      }),
    ),
  );
  await printResult(options, { repository, ...info }, [
    `backup ${info.id} of version ${info.version}: ${count(info.tables, "table")}, ${count(info.bytes, "byte")}, of which ${count(info.newBytes, "byte")} are new`,
    ...(copy === undefined
      ? [
          "Its tables may be hard links to those of the store: a repository on another disk survives the loss of this one.",
        ]
      : []),
  ]);
}

async function list(given: string, options: JsonOption): Promise<void> {
  const report = await inspectBackups(storePath(given));
  if (report.damaged.length > 0) setExitCode(1);
  const lines = [
    ...report.backups.map(backupLine),
    ...report.damaged.map((problem) => `damaged: ${problem.id}: ${problem.message}`),
    ...report.foreign.map((path) => `not of this repository: ${path}`),
  ];
  await printResult(options, report, lines.length > 0 ? lines : ["no backups"]);
}

async function verify(given: string, id: string | undefined, options: JsonOption): Promise<void> {
  const repository = storePath(given);
  const { backups, damaged } = await inspectBackups(repository);
  const ids = id === undefined ? backups.map((info) => info.id) : [await idOf(repository, id)];
  const problems: (BackupProblem & { readonly id: string })[] = id === undefined ? [...damaged] : [];
  let bytes = 0;
  for (const one of ids) {
    const found = await watched(options, (onProgress) => verifyBackup(repository, one, { onProgress }));
    bytes += found.bytes;
    problems.push(...found.problems.map((problem) => ({ id: one, ...problem })));
  }
  if (problems.length > 0) setExitCode(1);
  const scope = `${count(ids.length, "backup")}, ${count(bytes, "byte")}`;
  await printResult(options, { ok: problems.length === 0, verified: ids, bytes, problems }, [
    ...problems.map((problem) => `${problem.id}: ${problem.message}`),
    problems.length === 0 ? `sound: ${scope}` : `${count(problems.length, "problem")} in ${scope}`,
  ]);
}

async function restore(given: string, id: string, directory: string, options: JsonOption): Promise<void> {
  const repository = storePath(given);
  const target = storePath(directory);
  const chosen = await idOf(repository, id);
  const report = await watched(options, (onProgress) =>
    restoreBackup(repository, chosen, target, { onProgress }),
  );
  const { files, bytes, entries, version } = report;
  await printResult(options, { id: chosen, target, ...report }, [
    `restored version ${version} (backup ${chosen}) to ${target}, verified: ${count(files, "table")}, ${count(entries, "row")}, ${count(bytes, "byte")}`,
  ]);
}

async function remove(given: string, id: string, options: JsonOption): Promise<void> {
  const freedBytes = await deleteBackup(storePath(given), id);
  await printResult(options, { deleted: id, freedBytes }, [
    `removed backup ${id}, and ${count(freedBytes, "byte")} of tables that no other backup has`,
  ]);
}

interface PruneFlags extends JsonOption {
  readonly keepLast?: number;
  readonly keepHourly?: number;
  readonly keepDaily?: number;
  readonly keepWeekly?: number;
  readonly dryRun?: true;
}

async function prune(given: string, options: PruneFlags): Promise<void> {
  const { keepLast, keepHourly, keepDaily, keepWeekly } = options;
  const keep: KeepRules = {
    ...(keepLast === undefined ? {} : { last: keepLast }),
    ...(keepHourly === undefined ? {} : { hourly: keepHourly }),
    ...(keepDaily === undefined ? {} : { daily: keepDaily }),
    ...(keepWeekly === undefined ? {} : { weekly: keepWeekly }),
  };
  const dryRun = options.dryRun === true;
  const report = await pruneBackups(storePath(given), { keep, dryRun });
  const verb = dryRun ? "would remove" : "removed";
  await printResult(options, { dryRun, ...report }, [
    ...report.kept.map((info) => `kept: ${backupLine(info)}`),
    ...report.deleted.map((info) => `${verb}: ${backupLine(info)}`),
    dryRun
      ? `${verb} ${count(report.deleted.length, "backup")}; nothing has been changed`
      : `${verb} ${count(report.deleted.length, "backup")}, and ${count(report.freedBytes, "byte")} of tables that no other has`,
  ]);
}

async function idOf(repository: string, given: string): Promise<string> {
  if (given !== LATEST) return given;
  const newest = (await listBackups(repository)).at(-1);
  if (newest !== undefined) return newest.id;
  throw new StillwaterError("UNKNOWN_BACKUP", `there is no backup in ${repository}.`, { path: repository });
}

/** Runs `work` with a progress bar of its bytes. */
async function watched<Result>(
  options: JsonOption,
  work: (onProgress: (progress: BackupProgress) => void) => Promise<Result>,
): Promise<Result> {
  const bar = await startByteProgress(options);
  try {
    return await work(bar.update);
  } finally {
    bar.stop();
  }
}

function backupLine({ id, createdAt, version, tables, bytes, newBytes, note }: BackupInfo): string {
  const when = new Date(createdAt).toISOString();
  const size = `${count(tables, "table")}, ${count(bytes, "byte")} (${newBytes.toLocaleString("en-US")} new)`;
  return `${id}  ${when}  version ${version}  ${size}${note === "" ? "" : `  ${JSON.stringify(note)}`}`;
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("it must be a whole number.");
}
