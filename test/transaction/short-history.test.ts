/** Conflicts of transactions that stay open while more is written than the history of writes keeps for all. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";

let database: StorageDatabase;

beforeEach(async () => {
  database = await openEngineDatabase("/store", {}, nodePlatform({ vfs: await createMemoryVFS() }));
});
afterEach(() => database.close());

const KEYS_OF_A_COMMIT = 2_000;
const COMMITS = 48;
const bytes = (text: string): Uint8Array => Buffer.from(text);

test("what a transaction has read is known to the last, however much others write before it commits", async () => {
  const unharmed = database.createTransaction();
  const harmed = database.createTransaction();
  for (const transaction of [unharmed, harmed]) await transaction.get(bytes("own"));
  await unharmed.get(bytes("quiet"));
  await harmed.get(bytes("commit 00 key 0001999"));
  for (let commit = 0; commit < COMMITS; commit++) {
    await database.transact((transaction) => {
      const name = `commit ${String(commit).padStart(2, "0")}`;
      for (let key = 0; key < KEYS_OF_A_COMMIT; key++) {
        transaction.set(bytes(`${name} key ${String(key).padStart(7, "0")}`), bytes("x"));
      }
    });
  }
  for (const transaction of [unharmed, harmed]) transaction.set(bytes("result"), bytes("x"));
  await expect(harmed.commit()).rejects.toMatchObject({ code: "NOT_COMMITTED" });
  await unharmed.commit();
});
