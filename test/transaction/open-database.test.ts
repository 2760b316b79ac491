/** The door: what `openDatabase` accepts, and what it owns. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, test } from "vitest";
import { hasCode, openDatabase, TransactionError } from "../../src/index.js";

const folder = mkdtempSync(join(tmpdir(), "stillwater-open-database-"));
afterAll(() => rmSync(folder, { recursive: true }));
const key = Buffer.from("key");

test("a database keeps what was committed, over closing and opening", async () => {
  const directory = join(folder, "kept");
  {
    await using database = await openDatabase(directory);
    await database.transact((transaction) => transaction.set(key, Buffer.from("value")));
  }
  await using again = await openDatabase(directory, { transactions: { durability: "buffered" } });
  expect(Buffer.from((await again.read((transaction) => transaction.get(key))) ?? []).toString()).toBe(
    "value",
  );
});

test.each([
  [{ stroe: {} }, "UNKNOWN_OPTION"],
  [{ store: { durabilty: "sync" } }, "UNKNOWN_OPTION"],
  [{ store: { durability: "always" } }, "INVALID_ARGUMENT"],
  [{ transactions: { retries: 3 } }, "UNKNOWN_OPTION"],
  [{ transactions: { durability: "none" } }, "INVALID_OPTION_VALUE"],
  [{ transactions: { timeoutMs: -1 } }, "INVALID_OPTION_VALUE"],
  [null, "INVALID_ARGUMENT"],
])("options %j are refused, with nothing created", async (options, code) => {
  const directory = join(folder, "refused");
  await expect(openDatabase(directory, options as never)).rejects.toSatisfy((error) =>
    hasCode(error, code as never),
  );
  expect(existsSync(directory)).toBe(false);
});

test("a second opening is refused while the first is open, and a closed database takes no transactions", async () => {
  const directory = join(folder, "once");
  const database = await openDatabase(directory);
  await expect(openDatabase(directory)).rejects.toSatisfy((error) => hasCode(error, "LOCKED"));
  await database.close();
  expect(() => database.createTransaction()).toThrow(expect.objectContaining({ code: "CLOSED" }));
});

test("a program that waits for nothing but its next try does not end before it", () => {
  const entry = pathToFileURL(join(import.meta.dirname, "../../dist/src/index.js")).href;
  const program = `
    import { openDatabase } from ${JSON.stringify(entry)};
    const database = await openDatabase(${JSON.stringify(join(folder, "retries"))});
    const key = Buffer.from("key");
    let tries = 0;
    await database.transact(async (transaction) => {
      await transaction.get(key);
      transaction.set(key, key);
      if (tries++ < 4) await database.transact((other) => other.set(key, Buffer.from(String(tries))));
    });
    console.log("tries", tries);
    await database.close();
  `;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program]);
  expect(output.toString()).toBe("tries 5\n");
});

test("errors carry FoundationDB's numbers", async () => {
  await using database = await openDatabase(join(folder, "errors"));
  const transaction = database.createTransaction();
  expect(() => transaction.set(Uint8Array.of(0xff), key)).toThrow(TransactionError);
  expect(() => transaction.set(Uint8Array.of(0xff), key)).toThrow(expect.objectContaining({ fdbCode: 2004 }));
});
