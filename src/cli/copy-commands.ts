/**
 * `checkpoint`, `restore` and `salvage`: a second store out of a first. None of them ever changes or replaces what is
 * there: each writes to a path where there is nothing, and what appears there is whole and has been verified.
 */
import { type Command, InvalidArgumentError } from "commander";
import { requireSound, restoreStore } from "../engine/restore.js";
import { type SalvageFinding, type SalvageReport, salvageStore } from "../engine/salvage.js";
import { nodePlatform } from "../index.js";
import { count, JSON_FLAG, type JsonOption, printResult, withStore } from "./session.js";
import { isWithin, setExitCode, storePath } from "./terminal.js";

export function addCopyCommands(program: Command): void {
  program
    .command("checkpoint <dir> <target>")
    .summary("write a verified copy to a new directory")
    .description("write a consistent copy, a store of its own, to a new directory and verify it")
    .option(...JSON_FLAG)
    .action(checkpoint);
  program
    .command("restore <checkpoint> <dir>")
    .summary("make a store out of a checkpoint")
    .description(
      "verify a checkpoint, or a store that was closed, and copy it to a new directory; never replaces a store",
    )
    .option(...JSON_FLAG)
    .action(restore);
  program
    .command("salvage <dir> <newdir>")
    .summary("save what can be read of a store that does not open")
    .description(
      "make a new store out of what can be read of one that does not open, which is not changed; " +
        "exit code 1 when anything was lost",
    )
    .option(...JSON_FLAG)
    .action(salvage);
}

async function checkpoint(directory: string, given: string, options: JsonOption): Promise<void> {
  const target = storePath(given);
  const version = await withStore(directory, options, {}, (store) => store.checkpoint(target));
  const complaint = "the checkpoint has been written, but does not verify. Do not rely on it";
  const { tables, entries, bytes } = requireSound(nodePlatform().vfs, target, complaint).report;
  await printResult(options, { target, version, tables, entries, bytes }, [
    `checkpoint at version ${version} in ${target}, verified: ${count(tables, "table")}, ${count(entries, "row")}, ${count(bytes, "byte")}`,
    "Its tables may be hard links to those of the store: copy it to another disk to survive the loss of this one.",
  ]);
}

async function restore(source: string, given: string, options: JsonOption): Promise<void> {
  const target = storePath(given);
  const report = await restoreStore(nodePlatform().vfs, storePath(source), target);
  const { files, bytes, entries, version } = report;
  await printResult(options, { target, ...report }, [
    `restored version ${version} to ${target}, verified: ${count(files, "file")}, ${count(entries, "row")}, ${count(bytes, "byte")}`,
  ]);
}

async function salvage(given: string, givenTarget: string, options: JsonOption): Promise<void> {
  const directory = storePath(given);
  const target = storePath(givenTarget);
  if (isWithin(directory, target)) {
    throw new InvalidArgumentError(
      "the new directory must be outside of the damaged one, which is not changed.",
    );
  }
  const { vfs, random } = nodePlatform();
  const report = await salvageStore({ vfs, random, directory, target });
  if (report.findings.some(({ kind }) => kind === "lost")) setExitCode(1);
  await printResult(options, { target, ...report }, salvageLines(target, report));
}

function salvageLines(target: string, report: SalvageReport): string[] {
  const { rows, tablesRead, segmentsRead, findings, isConsistent } = report;
  const sources = `${count(tablesRead, "table")} and ${count(segmentsRead, "log segment")}`;
  const lines = [...findings.map(findingLine), `${count(rows, "key")} from ${sources} in ${target}`];
  if (isConsistent)
    lines.push("Nothing in the middle is missing: this is the store as of its last readable commit.");
  else {
    lines.push(
      "This is not the store as of any one moment: later commits may be there without earlier ones, batches in part,",
      "and old values and deleted keys may be back where something was lost. Check what matters before relying on it.",
    );
  }
  return lines;
}

function findingLine({ kind, path, offset, bytes, message }: SalvageFinding): string {
  const place = offset === null ? path : `${path} at byte ${offset}`;
  return `${kind}: ${place}${bytes === null ? "" : `, ${count(bytes, "byte")}`}: ${message}`;
}
