/** `stats`, `verify` and `compact`: looking after a store. */
import type { Command } from "commander";
import { type ReadOnlyStats, ReadOnlyStore } from "../engine/readonly/read-only-store.js";
import type { StoreStats } from "../engine/store-types.js";
import { type ReadOption, withReader, withReadOnly } from "./read-session.js";
import { count, JSON_FLAG, type JsonOption, printResult, withStore } from "./session.js";
import { setExitCode } from "./terminal.js";

export function addUpkeepCommands(program: Command): void {
  withReadOnly(program.command("stats <dir>"))
    .summary("show sizes and the shape of the tree")
    .description("show versions, sizes and the shape of the tree")
    .option(...JSON_FLAG)
    .action(stats);
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

async function stats(directory: string, options: ReadOption): Promise<void> {
  const { result, readOnly } = await withReader(directory, options, {}, async (store) =>
    store instanceof ReadOnlyStore
      ? { found: store.stats(), recovery: null }
      : { found: store.stats(), recovery: store.recovery },
  );
  const { found, recovery } = result;
  const rows = found.levels.map((level, depth) => ({ level: String(depth), ...level }));
  const shown = rows.filter(({ tables }) => tables > 0);
  const lines = [
    `version           ${found.version}`,
    ...tableLines([...shown, { level: "all", ...totalOf(found) }]),
    ...("debtBytes" in found ? ownerLines(found) : readerLines(found)),
  ];
  await printResult(options, { directory, readOnly, recovery, ...found }, lines);
}

function ownerLines(found: StoreStats): string[] {
  const lines = [`waiting to be compacted: ${count(found.debtBytes, "byte")}`];
  if (found.damagedTables.length > 0) lines.push(`damaged tables: ${found.damagedTables.join(", ")}`);
  if (found.failure !== null) lines.push(`background work fails: ${found.failure}`);
  return lines;
}

function readerLines({ memtableBytes, logSegments }: ReadOnlyStats): string[] {
  return [
    `in the log, not in tables yet: ${count(memtableBytes, "byte")} of ${count(logSegments, "segment")}`,
  ];
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

interface Total {
  readonly tables: number;
  readonly bytes: number;
  /** Rows: every version, deletes included. */
  readonly entries: number;
}

function totalOf({ levels }: Pick<StoreStats, "levels">): Total {
  const sum = (name: keyof Total): number => levels.reduce((total, level) => total + level[name], 0);
  return { tables: sum("tables"), bytes: sum("bytes"), entries: sum("entries") };
}

function tableLines(rows: readonly (Total & { readonly level: string })[]): string[] {
  const body = rows.map((row) =>
    tableLine([row.level, grouped(row.tables), grouped(row.entries), grouped(row.bytes)]),
  );
  return [tableLine(["level", "tables", "rows", "bytes"]), ...body];
}

function tableLine(cells: readonly string[]): string {
  return cells.map((cell, i) => (i === 0 ? cell.padEnd(6) : cell.padStart(16))).join("");
}

function grouped(number: number): string {
  return number.toLocaleString("en-US");
}
