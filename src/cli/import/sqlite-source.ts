/**
 * The rows of tables of an SQLite file as keys and values.
 *
 *     --table T --key K --value V    the bytes of K and V: text as UTF-8, blobs as they are, numbers in decimal
 *     --table T --key K              the bytes of K, and the whole row as a JSON document
 *     --table T, or neither          key: the tuple (T, primary key …), or (T, rowid) without one; value: the row as a document
 *
 * Tuples and documents are those of `docs/FORMAT.md`: `unpack(key)` and the JSON of items give back every value exactly, blobs
 * and integers beyond 2^53 included. Views, and tables of SQLite's own, are left out.
 */
import { pack } from "../../keyspace/tuple.js";
import { StillwaterError } from "../../platform/errors.js";
import { JSON_CODEC } from "../../record/pipeline/json-codec.js";
import type { RowSource, SourceRow } from "./row-source.js";
import { openSqlite, type SqliteDatabase, type SqliteValue } from "./sqlite-drivers.js";

export interface SqliteSelection {
  readonly table?: string;
  readonly key?: string;
  readonly value?: string;
}

interface TableRows {
  readonly name: string;
  readonly rows: number;
  /** What to select, and how a row of it becomes one of ours. */
  readonly sql: string;
  toRow(row: Record<string, SqliteValue>): SourceRow;
}

/** `driver`: this one and no other. Throws as `openSqlite`, and `NOT_FOUND` for a table or column that is not there. */
export function openSqliteSource(path: string, selection: SqliteSelection, driver?: string): RowSource {
  const database = openSqlite(path, driver);
  try {
    const tables = tablesOf(database, path, selection);
    return {
      kind: "sqlite",
      path,
      total: tables.reduce((sum, { rows }) => sum + rows, 0),
      *rows() {
        for (const table of tables) {
          for (const row of database.rows(table.sql)) yield table.toRow(row);
        }
      },
      describe: (row) => describe(tables, row),
      close: async () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function tablesOf(
  database: SqliteDatabase,
  path: string,
  { table, key, value }: SqliteSelection,
): TableRows[] {
  const known = [...database.rows(`SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`)]
    .map(({ name }) => String(name))
    .filter((name) => !name.startsWith("sqlite_"));
  if (table !== undefined && !known.includes(table)) throw notThere(path, "table", table, known);
  return (table === undefined ? known : [table]).map((name) => {
    const columns = [...database.rows(`SELECT name, pk FROM pragma_table_info(${literal(name)})`)].map(
      (column) => ({ name: String(column["name"]), pk: Number(column["pk"]) }),
    );
    for (const column of [key, value]) {
      const names = columns.map((one) => one.name);
      if (column !== undefined && !names.includes(column)) throw notThere(path, "column", column, names);
    }
    const [counted] = [...database.rows(`SELECT count(*) AS rows FROM ${identifier(name)}`)];
    const rows = Number(counted?.["rows"]);
    if (key !== undefined) return { name, rows, ...byColumns(name, key, value) };
    const primary = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk);
    return {
      name,
      rows,
      ...byPrimaryKey(
        name,
        primary.map((column) => column.name),
      ),
    };
  });
}

function byColumns(table: string, key: string, value: string | undefined): Pick<TableRows, "sql" | "toRow"> {
  return {
    sql: `SELECT * FROM ${identifier(table)} ORDER BY ${identifier(key)}`,
    toRow: (row) => [
      bytesOf(row[key] ?? null, key),
      value === undefined ? JSON_CODEC.encode(row) : bytesOf(row[value] ?? null, value),
    ],
  };
}

/** `_rowid_` is there whatever the columns are called, in each table that has no primary key. */
function byPrimaryKey(table: string, primary: readonly string[]): Pick<TableRows, "sql" | "toRow"> {
  const hidden = primary.length === 0;
  const order = hidden ? "_rowid_" : primary.map(identifier).join(", ");
  return {
    sql: `SELECT *${hidden ? `, _rowid_ AS ${identifier(ROWID)}` : ""} FROM ${identifier(table)} ORDER BY ${order}`,
    toRow: (row) => {
      const key = pack(
        [table, ...(hidden ? [row[ROWID]] : primary.map((column) => row[column]))].map(elementOf),
      );
      const { [ROWID]: _, ...document } = row;
      return [key, JSON_CODEC.encode(hidden ? document : row)];
    },
  };
}

/** A name that no column has, so that none is hidden by it. */
const ROWID = "\u0001rowid";

function elementOf(value: SqliteValue | undefined): SqliteValue {
  return value ?? null;
}

function bytesOf(value: SqliteValue, column: string): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (value !== null) return Buffer.from(String(value), "utf8");
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `the column "${column}" is NULL, which is no bytes. Leave --value out to keep whole rows, or choose another column.`,
  );
}

function describe(tables: readonly TableRows[], row: number): string {
  let before = 0;
  for (const { name, rows } of tables) {
    if (row <= before + rows) return `row ${row - before} of table ${name}`;
    before += rows;
  }
  return `row ${row}`;
}

function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function notThere(path: string, what: string, name: string, known: readonly string[]): StillwaterError {
  return new StillwaterError(
    "NOT_FOUND",
    `there is no ${what} "${name}" in ${path}. There are: ${known.join(", ")}.`,
    { path },
  );
}
