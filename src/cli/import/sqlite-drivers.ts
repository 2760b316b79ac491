/**
 * SQLite, through whichever of these is there: `better-sqlite3`, Node's own `node:sqlite` (22.13 and later), or
 * `node-sqlite3-wasm`, which needs no compiler. Owns what of them is used, and that integers come out exact: as numbers where
 * a number holds them, as bigints elsewhere.
 */
import { existsSync } from "node:fs";
import { StillwaterError } from "../../platform/errors.js";
import { optionalModule } from "./optional-module.js";

export type SqliteValue = number | bigint | string | Uint8Array | null;

export interface SqliteDatabase {
  readonly driver: string;
  /** Rows as they are asked for. Throws `INVALID_ARGUMENT` for what SQLite refuses. */
  rows(sql: string): IterableIterator<Record<string, SqliteValue>>;
  close(): void;
}

/** What all three have. */
interface Connection {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  iterate(): IterableIterator<Record<string, SqliteValue>>;
  /** `better-sqlite3`. */
  safeIntegers?(on: boolean): unknown;
  /** `node:sqlite`. */
  setReadBigInts?(on: boolean): unknown;
  /** `node-sqlite3-wasm`. */
  finalize?(): void;
}

interface Driver {
  readonly name: string;
  connect(module: unknown, path: string): Connection;
}

type Constructor = new (path: string, options: object) => Connection;

const DRIVERS: readonly Driver[] = [
  {
    name: "better-sqlite3",
    connect: (module, path) => new (module as Constructor)(path, { readonly: true, fileMustExist: true }),
  },
  {
    name: "node:sqlite",
    connect: (module, path) =>
      new (module as { readonly DatabaseSync: Constructor }).DatabaseSync(path, { readOnly: true }),
  },
  {
    name: "node-sqlite3-wasm",
    connect: (module, path) =>
      new (module as { readonly Database: Constructor }).Database(path, {
        readOnly: true,
        fileMustExist: true,
      }),
  },
];

/** Opens a file for reading, as of now. `only`: this driver and no other. Throws `MISSING_DEPENDENCY`, `NOT_FOUND`, `INVALID_ARGUMENT`. */
export function openSqlite(path: string, only?: string): SqliteDatabase {
  if (!existsSync(path))
    throw new StillwaterError("NOT_FOUND", `there is no file ${path}. Check the path.`, { path });
  const { driver, module } = firstLoaded(DRIVERS.filter(({ name }) => only === undefined || name === only));
  const connection = said(path, () => {
    const opened = driver.connect(module, path);
    // One state for all that is read, whoever writes meanwhile.
    opened.exec("BEGIN");
    return opened;
  });
  return {
    driver: driver.name,
    rows: (sql) => rowsOf(path, connection, sql),
    close: () => connection.close(),
  };
}

function firstLoaded(drivers: readonly Driver[]): { readonly driver: Driver; readonly module: unknown } {
  let missing: unknown;
  for (const driver of drivers) {
    try {
      const purpose = "Importing from SQLite needs better-sqlite3, node:sqlite (Node 22.13 or later), or";
      return { driver, module: optionalModule(driver.name, purpose, "node-sqlite3-wasm") };
    } catch (error) {
      missing = error;
    }
  }
  throw missing;
}

function* rowsOf(
  path: string,
  connection: Connection,
  sql: string,
): Generator<Record<string, SqliteValue>, void, void> {
  const statement = said(path, () => connection.prepare(sql));
  try {
    statement.safeIntegers?.(true);
    statement.setReadBigInts?.(true);
    const rows = said(path, () => statement.iterate());
    for (;;) {
      const step = said(path, () => rows.next());
      if (step.done === true) return;
      yield exact(step.value);
    }
  } finally {
    statement.finalize?.();
  }
}

function exact(row: Record<string, SqliteValue>): Record<string, SqliteValue> {
  const result: Record<string, SqliteValue> = {};
  for (const [name, value] of Object.entries(row)) {
    const isSmall =
      typeof value === "bigint" && value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER;
    result[name] = isSmall ? Number(value) : value;
  }
  return result;
}

/** What SQLite says goes on under a code of ours. */
function said<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new StillwaterError(
      "INVALID_ARGUMENT",
      `SQLite refuses ${path}: ${error.message.replace(/\.*$/, ".")}`,
      {
        path,
        cause: error,
      },
    );
  }
}
