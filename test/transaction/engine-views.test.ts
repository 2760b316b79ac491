/** What transactions hold of the store is given back: when they end, when their time is over, also if nobody ends them. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { Store } from "../../src/engine/store.js";
import { StorageDatabase } from "../../src/transaction/database.js";
import { EngineStorage } from "../../src/transaction/engine-storage.js";
import { TRANSACTION_LIFETIME_MS } from "../../src/transaction/limits.js";
import { b, fails, s } from "./contract/support.js";
import { type ShiftedPlatform, shiftedPlatform } from "./fixtures/shifted-platform.js";

let platform: ShiftedPlatform;
let store: Store;
let database: StorageDatabase;

beforeEach(async () => {
  platform = await shiftedPlatform();
  store = await Store.open("/store", {}, platform);
  const storage = new EngineStorage(store, platform.clock);
  const { clock, scheduler, random } = platform;
  database = new StorageDatabase({ storage, clock, scheduler, random, close: () => store.close() });
  await database.transact((tx) => {
    for (let i = 0; i < 10; i++) tx.set(b(`k${i}`), b("v"));
  });
});
afterEach(() => database.close());

const held = () => {
  const { openSnapshots, openIterators } = store.stats();
  return { openSnapshots, openIterators };
};
const NOTHING = { openSnapshots: 0, openIterators: 0 };
const rows = (tx: ReturnType<StorageDatabase["createTransaction"]>) =>
  tx.getRange(b(""), b("\xff"))[Symbol.asyncIterator]();

test("cancelling a transaction gives back the rows that it was reading", async () => {
  const tx = database.createTransaction();
  const iterator = rows(tx);
  await iterator.next();
  expect(held()).toEqual({ openSnapshots: 1, openIterators: 1 });
  tx.cancel();
  expect(held()).toEqual(NOTHING);
  await expect(iterator.next()).rejects.toEqual(fails("TRANSACTION_CANCELLED"));
});

test("so does a reset, and the iterator of before does not go on", async () => {
  const tx = database.createTransaction();
  const iterator = rows(tx);
  await iterator.next();
  tx.reset();
  expect(held()).toEqual(NOTHING);
  await expect(iterator.next()).rejects.toEqual(fails("TRANSACTION_CANCELLED"));
  expect(s(await tx.get(b("k1")))).toBe("v");
  tx.cancel();
});

test("so does a commit, and nothing is read after it that it did not look at", async () => {
  const tx = database.createTransaction();
  const iterator = rows(tx);
  await iterator.next();
  tx.set(b("mine"), b("1"));
  await tx.commit();
  expect(held()).toEqual(NOTHING);
  await expect(iterator.next()).rejects.toEqual(fails("USED_DURING_COMMIT"));
});

test("so does a commit that is refused, without anybody ending the transaction", async () => {
  const tx = database.createTransaction();
  await tx.get(b("k1"));
  const iterator = rows(tx);
  await iterator.next();
  tx.set(b("k2"), b("1"));
  await database.transact((other) => other.set(b("k1"), b("new")));
  await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  expect(held()).toEqual(NOTHING);
});

test("a transaction without a timeout that nobody ends holds nothing longer than it may read", async () => {
  const tx = database.createTransaction({ timeoutMs: 0 });
  const iterator = rows(tx);
  await iterator.next();
  platform.pass(TRANSACTION_LIFETIME_MS + 1);
  await database.transact((other) => other.set(b("k1"), b("new")));
  expect(held()).toEqual(NOTHING);
  await expect(iterator.next()).rejects.toEqual(fails("TRANSACTION_TOO_OLD"));
  await expect(tx.get(b("k1"))).rejects.toEqual(fails("TRANSACTION_TOO_OLD"));
});

test("one that is still young keeps what it holds while old ones lose it", async () => {
  const [old, young] = [database.createTransaction({ timeoutMs: 0 }), database.createTransaction()];
  await old.get(b("k1"));
  platform.pass(TRANSACTION_LIFETIME_MS - 1_000);
  await young.get(b("k1"));
  platform.pass(2_000);
  await database.transact((other) => other.set(b("k1"), b("new")));
  expect(held()).toEqual({ openSnapshots: 1, openIterators: 0 });
  expect(s(await young.get(b("k1")))).toBe("v");
  young.cancel();
  expect(held()).toEqual(NOTHING);
});

test("a body that cancels its transaction and throws is left with its own error", async () => {
  const failing = database.transact(async (tx) => {
    await tx.get(b("k1"));
    tx.cancel();
    throw new Error("mine");
  });
  await expect(failing).rejects.toThrow("mine");
  expect(held()).toEqual(NOTHING);
});
