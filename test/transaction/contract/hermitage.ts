/**
 * Kleppmann's Hermitage (2014): one interleaving for each anomaly of isolation by the names of Adya, Liskov and O'Neil
 * (2000), in the words of keys and values instead of SQL. Under strict serializability none may show; which transaction
 * has to give way is the later to commit. Each case begins with 1 = 10 and 2 = 20.
 */
import { expect } from "vitest";
import type {
  Database,
  KeyValue,
  ReadTransaction,
  Transaction,
} from "../../../src/transaction/transaction.js";
import type { ContractCase } from "./backend.js";
import { b, everything, fails, s } from "./support.js";

type Body = (db: Database, ...transactions: [Transaction, Transaction, Transaction]) => Promise<void>;

export function defineHermitage(test: ContractCase): void {
  const anomaly = (name: string, body: Body): void =>
    test(`Hermitage ${name}`, async (db) => {
      await db.transact((tx) => {
        put(tx, "1", 10);
        put(tx, "2", 20);
      });
      const transactions: [Transaction, Transaction, Transaction] = [
        db.createTransaction(),
        db.createTransaction(),
        db.createTransaction(),
      ];
      await body(db, ...transactions);
      for (const transaction of transactions) transaction.cancel();
    });

  anomaly("G0: writes of two transactions do not mix", async (db, t1, t2) => {
    put(t1, "1", 11);
    put(t2, "1", 12);
    put(t1, "2", 21);
    await t1.commit();
    expect(await everything(db)).toEqual(["1=11", "2=21"]);
    put(t2, "2", 22);
    await t2.commit();
    expect(await everything(db)).toEqual(["1=12", "2=22"]);
  });

  anomaly("G1a: what was given up is never read", async (db, t1, t2) => {
    put(t1, "1", 101);
    expect(await get(t2, "1")).toBe(10);
    t1.cancel();
    expect(await get(t2, "1")).toBe(10);
    await t2.commit();
    expect(await everything(db)).toEqual(["1=10", "2=20"]);
  });

  anomaly("G1b: what was overwritten before the commit is never read", async (_db, t1, t2) => {
    put(t1, "1", 101);
    expect(await get(t2, "1")).toBe(10);
    put(t1, "1", 11);
    await t1.commit();
    expect(await get(t2, "1")).toBe(10);
    await t2.commit();
  });

  anomaly(
    "G1c: two transactions do not both read what the other wrote, nor both miss it",
    async (_db, t1, t2) => {
      put(t1, "1", 11);
      put(t2, "2", 22);
      expect(await get(t1, "2")).toBe(20);
      expect(await get(t2, "1")).toBe(10);
      await t1.commit();
      await lost(t2);
    },
  );

  anomaly("OTV: what has been observed does not vanish", async (_db, t1, t2, t3) => {
    put(t1, "1", 11);
    put(t1, "2", 19);
    put(t2, "1", 12);
    await t1.commit();
    expect(await get(t3, "1")).toBe(11);
    put(t2, "2", 18);
    expect(await get(t3, "2")).toBe(19);
    await t2.commit();
    expect(await get(t3, "2")).toBe(19);
    expect(await get(t3, "1")).toBe(11);
    await t3.commit();
  });

  anomaly("PMP: a row that is inserted does not show in a predicate read before", async (_db, t1, t2) => {
    expect(await where(t1, (value) => value === 30)).toEqual([]);
    put(t2, "3", 30);
    await t2.commit();
    expect(await where(t1, (value) => value % 3 === 0)).toEqual([]);
    await t1.commit();
  });

  anomaly("PMP for writes: a deletion by predicate sees all of an update or nothing", async (db, t1, t2) => {
    await addTenToAll(t1);
    await clearWhere(t2, 20);
    await t1.commit();
    await lost(t2);
    await db.transact((again) => clearWhere(again, 20));
    expect(await everything(db)).toEqual(["2=30"]);
  });

  anomaly("P4: no update is lost", async (_db, t1, t2) => {
    expect(await get(t1, "1")).toBe(10);
    expect(await get(t2, "1")).toBe(10);
    put(t1, "1", 11);
    put(t2, "1", 11);
    await t1.commit();
    await lost(t2);
  });

  anomaly("G-single: reads are of one moment", async (_db, t1, t2) => {
    expect(await get(t1, "1")).toBe(10);
    expect([await get(t2, "1"), await get(t2, "2")]).toEqual([10, 20]);
    put(t2, "1", 12);
    put(t2, "2", 18);
    await t2.commit();
    expect(await get(t1, "2")).toBe(20);
    await t1.commit();
  });

  anomaly("G-single by predicates: predicates are of one moment", async (_db, t1, t2) => {
    expect(await where(t1, (value) => value % 5 === 0)).toEqual(["1", "2"]);
    for (const key of await where(t2, (value) => value === 10)) put(t2, key, 12);
    await t2.commit();
    expect(await where(t1, (value) => value % 3 === 0)).toEqual([]);
    await t1.commit();
  });

  anomaly("G-single for writes: what is deleted by an old predicate conflicts", async (_db, t1, t2) => {
    expect(await get(t1, "1")).toBe(10);
    put(t2, "1", 12);
    put(t2, "2", 18);
    await t2.commit();
    await clearWhere(t1, 20);
    await lost(t1);
  });

  anomaly("G2-item: no write skew", async (_db, t1, t2) => {
    for (const tx of [t1, t2]) expect([await get(tx, "1"), await get(tx, "2")]).toEqual([10, 20]);
    put(t1, "1", 11);
    put(t2, "2", 21);
    await t1.commit();
    await lost(t2);
  });

  anomaly("G2: no write skew by predicates", async (_db, t1, t2) => {
    for (const tx of [t1, t2]) expect(await where(tx, (value) => value % 3 === 0)).toEqual([]);
    put(t1, "3", 30);
    put(t2, "4", 42);
    await t1.commit();
    await lost(t2);
  });

  anomaly("G2 over two edges: a reader in between makes the cycle", async (_db, t1, t2, t3) => {
    expect(await where(t1, () => true)).toEqual(["1", "2"]);
    put(t2, "2", (await get(t2, "2")) + 5);
    await t2.commit();
    expect([await get(t3, "1"), await get(t3, "2")]).toEqual([10, 25]);
    await t3.commit();
    put(t1, "1", 0);
    await lost(t1);
  });
}

function put(tx: Transaction, key: string, value: number): void {
  tx.set(b(key), b(String(value)));
}

async function get(tx: ReadTransaction, key: string): Promise<number> {
  return Number(s(await tx.get(b(key))));
}

async function all(tx: ReadTransaction): Promise<(readonly [key: string, value: number])[]> {
  const rows = await tx.getRangeAll(b(""), b("\xff"));
  return rows.map(([key, value]: KeyValue) => [String(s(key)), Number(s(value))]);
}

async function where(tx: ReadTransaction, holds: (value: number) => boolean): Promise<string[]> {
  return (await all(tx)).filter(([, value]) => holds(value)).map(([key]) => key);
}

async function addTenToAll(tx: Transaction): Promise<void> {
  for (const [key, value] of await all(tx)) put(tx, key, value + 10);
}

async function clearWhere(tx: Transaction, value: number): Promise<void> {
  for (const key of await where(tx, (one) => one === value)) tx.clear(b(key));
}

async function lost(tx: Transaction): Promise<void> {
  await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
}
