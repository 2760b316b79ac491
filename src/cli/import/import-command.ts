/** `import`: from newline-delimited JSON, from a LevelDB directory, or from tables of an SQLite file. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type EncodingOptions, withEncodings } from "../encoding.js";
import { startProgress } from "../progress.js";
import { count, JSON_FLAG, type JsonOption, printResult, withStore } from "../session.js";
import { importRows } from "./import-rows.js";
import { importJsonLines } from "./json-lines.js";
import { openLevelSource } from "./level-source.js";
import type { RowSource } from "./row-source.js";
import { openSqliteSource, type SqliteSelection } from "./sqlite-source.js";

interface ImportOptions extends EncodingOptions, JsonOption, SqliteSelection {
  readonly fromLevel?: string;
  readonly fromSqlite?: string;
}

export function addImportCommand(program: Command): void {
  withEncodings(program.command("import <dir> [file]"))
    .summary("store newline-delimited JSON, a LevelDB database or SQLite tables")
    .description(
      'store newline-delimited JSON, {"key":…,"value":…} a line, from a file or standard input ("-", the default), or what another ' +
        "database holds; creates the store if need be and replaces keys that are there. From a database: whatever stops it, what is stored " +
        "stays and the same command again goes on; in the end both sides are compared",
    )
    .addOption(new Option("--from-level <dir>", "every row of a LevelDB directory (needs classic-level)"))
    .addOption(
      new Option(
        "--from-sqlite <file>",
        "rows of an SQLite file, as documents under (table, primary key)",
      ).conflicts("fromLevel"),
    )
    .option("--table <name>", "of SQLite: this table only")
    .option("--key <column>", "of SQLite: keys are what is in this column")
    .option("--value <column>", "of SQLite: values are what is in this column")
    .option(...JSON_FLAG)
    .action(importInto);
}

async function importInto(
  directory: string,
  file: string | undefined,
  options: ImportOptions,
): Promise<void> {
  checkTogether(file, options);
  if (options.fromLevel === undefined && options.fromSqlite === undefined)
    return importJsonLines(directory, file, options);
  // Before the store is opened, and perhaps created.
  const source =
    options.fromLevel === undefined
      ? openSqliteSource(options.fromSqlite as string, options)
      : await openLevelSource(options.fromLevel);
  try {
    await importSource(directory, source, options);
  } finally {
    await source.close();
  }
}

async function importSource(directory: string, source: RowSource, options: ImportOptions): Promise<void> {
  // Rows are read twice.
  const progress = await startProgress(options, source.total === null ? null : 2 * source.total);
  const result = await withStore(directory, options, { createIfMissing: true }, async (store) => {
    try {
      return await importRows(store, source, (rows) => progress.update(rows, rows));
    } finally {
      progress.stop();
    }
  });
  await printResult(options, result, [
    `${count(result.rows, "row")} of ${source.path}: ${result.stored.toLocaleString("en-US")} stored, ${result.alreadyThere.toLocaleString("en-US")} there already, at version ${result.version}`,
    `compared: ${count(result.bytes, "byte")} on both sides, ${result.checksum}`,
  ]);
}

function checkTogether(file: string | undefined, options: ImportOptions): void {
  const { fromLevel, fromSqlite, table, key, value, hex, base64 } = options;
  const isDatabase = fromLevel !== undefined || fromSqlite !== undefined;
  if (isDatabase && (file !== undefined || hex === true || base64 === true))
    throw new InvalidArgumentError(
      "a file, --hex and --base64 are for newline-delimited JSON, not for a database.",
    );
  if (fromSqlite === undefined && (table !== undefined || key !== undefined || value !== undefined))
    throw new InvalidArgumentError("--table, --key and --value need --from-sqlite.");
  if (key !== undefined && table === undefined) throw new InvalidArgumentError("--key needs --table.");
  if (value !== undefined && key === undefined) throw new InvalidArgumentError("--value needs --key.");
}
