/**
 * Commands that read, beside a process that has the store open and with --read-only.
 * Verifies: the rows of the owner, its newest commits among them; that it is said how the store was read; that nothing is changed;
 * that commands which write are refused. Does not verify: what a reader sees in general (`test/engine/readonly.test.ts`).
 */
import { chmodSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  collection,
  nodePlatform,
  open,
  openDatabase,
  openReadOnly,
  openRecords,
  s,
  scalar,
  schema,
} from "../../src/index.js";
import { databaseOverReader } from "../../src/transaction/read-only-database.js";
import {
  contentsOf,
  crashedStore,
  jsonOf,
  rowOf,
  stillwater,
  storeWithRows,
  temporaryFolder,
} from "./command.js";

const folder = temporaryFolder();
const path = (name: string): string => join(folder, name);

test("get, scan, export and stats read beside the process that has the store open, with its newest commits, and say so", async () => {
  const directory = path("beside");
  await storeWithRows(directory, 20);
  const owner = await open(directory, { backgroundThread: false });
  await owner.put(Buffer.from("key-00003"), Buffer.from("new"));
  await owner.put(Buffer.from("zz"), Buffer.from("last"));
  const before = contentsOf(directory);
  const got = stillwater(["get", directory, "key-00003"]);
  expect(got).toMatchObject({ code: 0, out: "new" });
  expect(got.error).toMatch(
    new RegExp(
      `open elsewhere, by process ${process.pid} since .*read without owning it, at version ${owner.version}`,
    ),
  );
  expect(jsonOf(["get", directory, "zz"])).toEqual({ key: "zz", value: "last", readOnly: true });
  const rows = stillwater(["scan", directory, "--json", "--gte", "key-00019"]);
  expect(
    rows.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { key: rowOf(19)[0], value: rowOf(19)[1] },
    { key: "zz", value: "last" },
  ]);
  expect(JSON.parse(rows.error)).toEqual({ readOnly: true });
  const file = path("beside.jsonl");
  expect(jsonOf(["export", directory, file])).toEqual({
    rows: 21,
    version: 31,
    file,
    readOnly: true,
  });
  expect(readFileSync(file, "utf8").trim().split("\n")).toHaveLength(21);
  expect(jsonOf(["stats", directory])).toMatchObject({
    readOnly: true,
    recovery: null,
    version: owner.version,
    logSegments: 1,
  });
  expect(stillwater(["stats", directory]).out).toContain("in the log, not in tables yet");
  const refused = stillwater(["put", directory, "a", "b"]);
  expect(refused.code).toBe(1);
  expect(refused.error).toContain(`LOCKED: ${directory} is open already, by process ${process.pid}`);
  expect(contentsOf(directory)).toEqual(before);
  await owner.close();
  expect(jsonOf(["get", directory, "zz"])).toMatchObject({ readOnly: false });
});

test("--read-only recovers nothing and changes nothing in a store that a crash has left", async () => {
  const directory = path("crashed");
  await crashedStore(directory, 10, 5);
  const before = contentsOf(directory);
  expect(jsonOf(["stats", directory, "--read-only"])).toMatchObject({ readOnly: true, logSegments: 1 });
  expect(stillwater(["scan", directory, "--read-only"]).out.trim().split("\n")).toHaveLength(15);
  expect(contentsOf(directory)).toEqual(before);
  expect(stillwater(["scan", directory]).out.trim().split("\n"), "and it is recovered as ever").toHaveLength(
    15,
  );
});

test("a directory that cannot be written is read all the same", async () => {
  const directory = path("locked-down");
  await storeWithRows(directory, 3);
  chmodSync(directory, 0o555);
  try {
    expect(stillwater(["scan", directory]).out.trim().split("\n")).toHaveLength(3);
  } finally {
    chmodSync(directory, 0o755);
  }
});

test("collections and indexes are listed beside the program that has the records open", async () => {
  const directory = path("records");
  const People = collection("People", {
    schema: s.object({ id: s.string(), age: s.number() }),
    primaryKey: "id",
    indexes: [scalar("age")],
  });
  const records = await openRecords(directory, schema({ version: "1.0.0", collections: [People] }));
  await records.collection("People").put({ id: "ada", age: 36 });
  expect(jsonOf(["collections", directory, "--count"])).toMatchObject({
    readOnly: true,
    collections: [{ name: "People", documents: 1 }],
  });
  expect(jsonOf(["indexes", directory])).toMatchObject({
    readOnly: true,
    indexes: [{ index: "People_age" }],
  });
  await records.close();
  expect(jsonOf(["collections", directory])).toMatchObject({ readOnly: false });
});

test("a database over a reader reads in transactions and refuses to commit", async () => {
  const directory = path("database");
  const database = await openDatabase(directory);
  await database.transact(async (transaction) => transaction.set(Buffer.from("a"), Buffer.from("1")));
  const store = await openReadOnly(directory);
  const reader = databaseOverReader(store, nodePlatform());
  expect(await reader.read((transaction) => transaction.get(Buffer.from("a")))).toEqual(Buffer.from("1"));
  await expect(
    reader.transact(async (transaction) => transaction.set(Buffer.from("a"), Buffer.from("2"))),
  ).rejects.toMatchObject({ code: "READ_ONLY", path: directory });
  await reader.close();
  await store.close();
  await database.close();
});
