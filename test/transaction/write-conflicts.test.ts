/** Writes that count as none: their readers commit, and everything else that the same transaction writes still counts. */
import { expect, test } from "vitest";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database, Transaction } from "../../src/transaction/transaction.js";

const b = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const open = async (): Promise<Database> =>
  openEngineDatabase("/db", {}, nodePlatform({ vfs: await createMemoryVFS() }));

/** Whether a transaction that has read `key` fails when `write` commits meanwhile. */
async function conflicts(db: Database, key: string, write: (tx: Transaction) => void): Promise<boolean> {
  const reader = db.createTransaction();
  await reader.get(b(key));
  reader.set(b("mine"), b(""));
  await db.transact(write);
  return reader.commit().then(
    () => false,
    (error: { code: string }) => {
      expect(error.code).toBe("NOT_COMMITTED");
      return true;
    },
  );
}

const WRITES: readonly (readonly [string, (tx: Transaction) => void])[] = [
  ["set", (tx) => tx.set(b("k"), b("v"))],
  ["clear", (tx) => tx.clear(b("k"))],
  ["clearRange", (tx) => tx.clearRange(b("j"), b("l"))],
  ["atomic", (tx) => tx.atomic("add", b("k"), b("\x01"))],
  ["setVersionstampedValue", (tx) => tx.setVersionstampedValue(b("k"), b("0123456789"), 0)],
];

test.each(WRITES)("after skipNextWriteConflict, %s makes no reader fail", async (_name, write) => {
  await using db = await open();
  expect(await conflicts(db, "k", write)).toBe(true);
  const skipped = (tx: Transaction): void => {
    tx.skipNextWriteConflict();
    write(tx);
  };
  expect(await conflicts(db, "k", skipped)).toBe(false);
  await db.transact(skipped);
});

test.each(WRITES)("before and after one that skips, %s of the same key counts", async (_name, write) => {
  await using db = await open();
  const skip = (tx: Transaction): void => {
    tx.skipNextWriteConflict();
    tx.set(b("k"), b("v"));
  };
  expect(await conflicts(db, "k", (tx) => (write(tx), skip(tx)))).toBe(true);
  expect(await conflicts(db, "k", (tx) => (skip(tx), write(tx)))).toBe(true);
});

test("only one write is skipped, and a key added by hand counts", async () => {
  await using db = await open();
  const skip = (tx: Transaction): void => {
    tx.skipNextWriteConflict();
    tx.set(b("a"), b("1"));
    tx.set(b("b"), b("1"));
    tx.addWriteConflictKey(b("c"));
  };
  expect(await conflicts(db, "a", skip)).toBe(false);
  expect(await conflicts(db, "b", skip)).toBe(true);
  expect(await conflicts(db, "c", skip)).toBe(true);
});

test("a write that is refused uses the skip up, and a reset forgets it", async () => {
  await using db = await open();
  const refused = (tx: Transaction): void => {
    tx.skipNextWriteConflict();
    expect(() => tx.set(new Uint8Array(10_001), b(""))).toThrow(/larger/);
    tx.set(b("k"), b("v"));
  };
  expect(await conflicts(db, "k", refused)).toBe(true);
  const reset = (tx: Transaction): void => {
    tx.skipNextWriteConflict();
    tx.reset();
    tx.set(b("k"), b("v"));
  };
  expect(await conflicts(db, "k", reset)).toBe(true);
});
