/** `verify` and `compact`, beside `stats`: looking after a store. */
import type { Command } from "commander";
import { count, JSON_FLAG, type JsonOption, printResult, withStore } from "./session.js";
import { addStatsCommand, totalOf } from "./stats-command.js";
import { setExitCode } from "./terminal.js";

export function addUpkeepCommands(program: Command): void {
  addStatsCommand(program);
  program
    .command("verify <dir>")
    .summary("read everything back and check it")
    .description("read everything back and check it; exit code 1 when anything is wrong. Changes no data")
    .option(...JSON_FLAG)
    .action(verify);
  program
    .command("compact <dir>")
    .summary("merge all tables")
    .description("merge all tables, so that nothing deleted or replaced takes space any more")
    .option(...JSON_FLAG)
    .action(compact);
}

async function verify(directory: string, options: JsonOption): Promise<void> {
  const report = await withStore(directory, options, {}, (store) => store.verify());
  const isSound = report.problems.length === 0;
  if (!isSound) setExitCode(1);
  const scope = `${count(report.tables, "table")}, ${count(report.entries, "row")}, ${count(report.bytes, "byte")}`;
  const verdict = isSound ? `sound: ${scope}` : `${count(report.problems.length, "problem")} in ${scope}`;
  await printResult(options, { ok: isSound, ...report }, [...report.problems, verdict]);
}

async function compact(directory: string, options: JsonOption): Promise<void> {
  const result = await withStore(directory, options, {}, async (store) => {
    await store.flush();
    const before = totalOf(store.stats());
    await store.compact();
    return { before, after: totalOf(store.stats()) };
  });
  const { before, after } = result;
  await printResult(options, result, [
    `before: ${count(before.tables, "table")}, ${count(before.entries, "row")}, ${count(before.bytes, "byte")}`,
    `after:  ${count(after.tables, "table")}, ${count(after.entries, "row")}, ${count(after.bytes, "byte")}`,
  ]);
}
