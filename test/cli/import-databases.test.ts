/**
 * `import --from-level` and `--from-sqlite`.
 * Verifies: every row comes over as documented, is compared and counted; a second run stores nothing; an import that is cut off goes
 * on; what cannot be imported is refused with its place; a package that is missing is told. SQLite through a driver that needs no
 * compiler, and through Node's own where there is one. Does not verify: `better-sqlite3`, which has the same calls and a compiler.
 */
import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { describe, expect, test } from "vitest";
import { importRows } from "../../src/cli/import/import-rows.js";
import { openLevelSource } from "../../src/cli/import/level-source.js";
import { optionalModule } from "../../src/cli/import/optional-module.js";
import type { RowSource } from "../../src/cli/import/row-source.js";
import { openSqliteSource } from "../../src/cli/import/sqlite-source.js";
import { open, pack, type Store, unpack } from "../../src/index.js";
import { JSON_CODEC } from "../../src/record/pipeline/json-codec.js";
import { jsonOf, stillwater, temporaryFolder } from "./command.js";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);
const ROWS = 2500;

interface Wasm {
  readonly Database: new (path: string) => { exec(sql: string): void; close(): void };
}

function makeSqlite(name: string, sql: string): string {
  const file = path(name);
  const { Database } = createRequire(import.meta.url)("node-sqlite3-wasm") as Wasm;
  const database = new Database(file);
  database.exec(sql);
  database.close();
  return file;
}

async function makeLevel(name: string, rows: number): Promise<string> {
  const directory = path(name);
  const level = new ClassicLevel<Buffer, Buffer>(directory, {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
  });
  await level.batch(
    Array.from({ length: rows }, (_, i) => ({
      type: "put" as const,
      key: levelKey(i),
      value: levelValue(i),
    })),
  );
  await level.close();
  return directory;
}

const levelKey = (i: number): Buffer =>
  Buffer.concat([Buffer.from([i % 256, 0xff, 0]), Buffer.from(`k${i}`)]);
const levelValue = (i: number): Buffer => Buffer.from(i % 10 === 0 ? "" : `value ${i}`);

async function into<Result>(name: string, action: (store: Store) => Promise<Result>): Promise<Result> {
  const store = await open(path(name), { backgroundThread: false, durability: "buffered" });
  try {
    return await action(store);
  } finally {
    await store.close();
  }
}

const silent = (): void => undefined;

describe("from LevelDB", () => {
  test("every row comes over byte for byte; the checksum is that of both sides; a second run stores nothing", async () => {
    const level = await makeLevel("level", ROWS);
    const result = jsonOf(["import", path("from-level"), "--from-level", level]);
    const hash = createHash("sha256");
    const rows = Array.from({ length: ROWS }, (_, i) => [levelKey(i), levelValue(i)] as const);
    rows.sort(([a], [b]) => Buffer.compare(a, b));
    for (const part of rows.flat()) {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(part.length);
      hash.update(length).update(part);
    }
    expect(result).toEqual({
      from: "level",
      source: level,
      rows: ROWS,
      stored: ROWS,
      alreadyThere: 0,
      batches: 3,
      bytes: rows.flat().reduce((sum, part) => sum + part.length, 0),
      checksum: `sha256:${hash.digest("hex")}`,
      version: expect.any(Number),
    });
    await into("from-level", async (store) => {
      expect(
        store
          .scan()
          .toArray()
          .map((row) => row.map((part) => Buffer.from(part).toString("hex"))),
      ).toEqual(rows.map((row) => row.map((part) => part.toString("hex"))));
    });
    const again = stillwater(["import", path("from-level"), "--from-level", level]);
    expect(again.out).toContain("2,500 rows of");
    expect(again.out).toContain("0 stored, 2,500 there already");
  });

  test("an import that is cut off keeps what it has stored, says so, and goes on when it is run again", async () => {
    const level = await makeLevel("level-cut", ROWS);
    await into("cut", async (store) => {
      const source = await openLevelSource(level);
      const cut: RowSource = {
        ...source,
        async *rows() {
          let row = 0;
          for await (const each of source.rows()) {
            if (++row === 1800) yield [new Uint8Array(70_000), each[1]];
            yield each;
          }
        },
      };
      await expect(importRows(store, cut, silent)).rejects.toMatchObject({
        code: "KEY_TOO_LARGE",
        message: expect.stringContaining(
          `At row 1800 of ${level}. 1,000 rows are stored and stay; run it again to go on.`,
        ),
      });
      expect(await importRows(store, source, silent)).toMatchObject({
        rows: ROWS,
        stored: ROWS - 1000,
        alreadyThere: 1000,
      });
      await source.close();
    });
  });

  test("a database that is open elsewhere, a path without one and options that do not fit are refused", async () => {
    const level = await makeLevel("level-open", 1);
    const owner = new ClassicLevel(level);
    await owner.open();
    await expect(openLevelSource(level)).rejects.toMatchObject({ code: "LOCKED", path: level });
    await owner.close();
    await expect(openLevelSource(path("nothing"))).rejects.toMatchObject({ code: "NOT_FOUND" });
    for (const options of [
      ["--from-level", level, "--table", "t"],
      ["--from-level", level, "--hex"],
      ["file", "--from-level", level],
      ["--from-sqlite", level, "--key", "k"],
      ["--from-sqlite", level, "--table", "t", "--value", "k"],
    ]) {
      expect(stillwater(["import", path("never"), ...options]).code, options.join(" ")).toBe(2);
    }
  });
});

const hasOwn = ((): boolean => {
  try {
    createRequire(import.meta.url)("node:sqlite");
    return true;
  } catch {
    return false;
  }
})();

describe.each(["node-sqlite3-wasm", ...(hasOwn ? ["node:sqlite"] : [])])(
  "from SQLite through %s",
  (driver) => {
    const sql = `
    CREATE TABLE plain (k TEXT, v BLOB);
    INSERT INTO plain VALUES ('b', x'00ff'), ('a', 'text'), ('10', 1.5);
    CREATE TABLE "odd ""name" (id INTEGER PRIMARY KEY, big INTEGER, n REAL, t TEXT, b BLOB);
    INSERT INTO "odd ""name" VALUES (7, 9007199254740993, 0.5, 'ü', x'01'), (-3, 1, NULL, NULL, NULL);
    CREATE TABLE pairs (x TEXT, y INTEGER, z, PRIMARY KEY (x, y)) WITHOUT ROWID;
    INSERT INTO pairs VALUES ('q', 2, 'two'), ('q', 1, 'one');
    CREATE VIEW seen AS SELECT * FROM plain;
  `;

    test("two columns of a table become keys and values", async () => {
      const file = makeSqlite(`${driver.length}-columns.db`, sql);
      await into(`${driver.length}-columns`, async (store) => {
        const source = openSqliteSource(file, { table: "plain", key: "k", value: "v" }, driver);
        expect(await importRows(store, source, silent)).toMatchObject({ rows: 3, stored: 3, from: "sqlite" });
        await source.close();
        const rows = store
          .scan()
          .toArray()
          .map(([key, value]) => [Buffer.from(key).toString(), Buffer.from(value)]);
        expect(rows).toEqual([
          ["10", Buffer.from("1.5")],
          ["a", Buffer.from("text")],
          ["b", Buffer.from([0, 0xff])],
        ]);
      });
    });

    test("whole tables become documents under their primary keys or rowids, exact to the last bit", async () => {
      const file = makeSqlite(`${driver.length}-documents.db`, sql);
      await into(`${driver.length}-documents`, async (store) => {
        const source = openSqliteSource(file, {}, driver);
        expect(source.total).toBe(7);
        expect(await importRows(store, source, silent)).toMatchObject({ rows: 7, stored: 7 });
        await source.close();
        const rows = store
          .scan()
          .toArray()
          .map(([key, value]) => [unpack(key), JSON_CODEC.decode(value)]);
        expect(rows).toEqual([
          [['odd "name', -3], { id: -3, big: 1, n: null, t: null, b: null }],
          [['odd "name', 7], { id: 7, big: 9007199254740993n, n: 0.5, t: "ü", b: Uint8Array.of(1) }],
          [["pairs", "q", 1], { x: "q", y: 1, z: "one" }],
          [["pairs", "q", 2], { x: "q", y: 2, z: "two" }],
          [["plain", 1], { k: "b", v: Uint8Array.of(0, 0xff) }],
          [["plain", 2], { k: "a", v: "text" }],
          [["plain", 3], { k: "10", v: 1.5 }],
        ]);
        expect(store.getSync(pack(["pairs", "q", 2]))).toBeDefined();
      });
    });

    test("a NULL key, two rows of one key, an unknown table or column and no database at all are refused, with the place", async () => {
      const file = makeSqlite(
        `${driver.length}-bad.db`,
        "CREATE TABLE t (k, v); INSERT INTO t VALUES ('a', 1), ('a', 2), ('b', 3); CREATE TABLE n (k); INSERT INTO n VALUES (NULL);",
      );
      await into(`${driver.length}-bad`, async (store) => {
        const twice = openSqliteSource(file, { table: "t", key: "k", value: "v" }, driver);
        await expect(importRows(store, twice, silent)).rejects.toMatchObject({
          code: "IMPORT_MISMATCH",
          message: expect.stringContaining("row 1 of table t is another value"),
        });
        await twice.close();
        const nothing = openSqliteSource(file, { table: "n", key: "k", value: "k" }, driver);
        await expect(importRows(store, nothing, silent)).rejects.toMatchObject({
          code: "INVALID_ARGUMENT",
          message: expect.stringContaining('"k" is NULL'),
        });
        await nothing.close();
      });
      for (const selection of [
        { table: "x" },
        { table: "t", key: "x" },
        { table: "t", key: "k", value: "x" },
      ])
        expect(() => openSqliteSource(file, selection, driver)).toThrow(
          expect.objectContaining({ code: "NOT_FOUND" }),
        );
      expect(() => openSqliteSource(path("absent.db"), {}, driver)).toThrow(
        expect.objectContaining({ code: "NOT_FOUND" }),
      );
      expect(() => openSqliteSource(import.meta.filename, {}, driver)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT", path: import.meta.filename }),
      );
    });
  },
);

test("import --from-sqlite prints what came over, as text and as JSON", () => {
  const file = makeSqlite(
    "command.db",
    "CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT); INSERT INTO t VALUES ('a', 'b');",
  );
  const target = path("command");
  expect(
    jsonOf(["import", target, "--from-sqlite", file, "--table", "t", "--key", "k", "--value", "v"]),
  ).toMatchObject({
    from: "sqlite",
    rows: 1,
    stored: 1,
    checksum: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
  });
  expect(stillwater(["get", target, "a"]).out).toBe("b");
  expect(stillwater(["import", target, "--from-sqlite", file]).out).toMatch(
    /1 row of .*: 1 stored[^]*compared: \d+ bytes on both sides/,
  );
});

test("a package that is not installed is told by name, with what to install", () => {
  expect(() => optionalModule("no-such-package-at-all", "Importing needs", "no-such-package-at-all")).toThrow(
    expect.objectContaining({
      code: "MISSING_DEPENDENCY",
      message: expect.stringContaining("npm install no-such-package-at-all"),
    }),
  );
});
