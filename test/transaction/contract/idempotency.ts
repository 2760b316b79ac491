/** Idempotency keys, as part of the contract of every backend. */
import { expect } from "vitest";
import type { Transaction } from "../../../src/transaction/transaction.js";
import type { ContractCase } from "./backend.js";
import { b, everything, fails, s, u64 } from "./support.js";

const addOne = (tx: Transaction): void => tx.atomic("add", b("n"), u64(1));

export function defineIdempotencyCases(test: ContractCase): void {
  const needs = "idempotencyKeys";

  test(
    "a second commit with one idempotency key applies nothing, and has the version of the first",
    async (db) => {
      const run = async (): Promise<Transaction> => {
        const tx = db.createTransaction({ idempotencyKey: b("key") });
        tx.set(b("k"), b("1"));
        tx.addReadConflictKey(b("other"));
        await tx.commit();
        return tx;
      };
      const first = await run();
      await db.transact((tx) => tx.clear(b("k")));
      const second = await run();
      expect(second.getCommittedVersion()).toBe(first.getCommittedVersion());
      expect(await everything(db)).toEqual([]);
    },
    { needs },
  );

  test(
    "transact with one key counts once, with another key again",
    async (db) => {
      for (const key of ["a", "b", "a", "b", "a"])
        await db.transact(addOne, { idempotencyKey: b(`count ${key}`) });
      expect((await db.read((tx) => tx.get(b("n"))))?.[0]).toBe(2);
    },
    { needs },
  );

  test(
    "of many at the same time with one key one is applied, and all succeed",
    async (db) => {
      const all = Array.from({ length: 8 }, async () => db.transact(addOne, { idempotencyKey: b("many") }));
      await Promise.all(all);
      expect((await db.read((tx) => tx.get(b("n"))))?.[0]).toBe(1);
    },
    { needs },
  );

  test(
    "a commit that conflicts is not remembered",
    async (db) => {
      const options = { idempotencyKey: b("conflicts") };
      const tx = db.createTransaction(options);
      await tx.get(b("k"));
      tx.set(b("k"), b("mine"));
      await db.transact((other) => other.set(b("k"), b("theirs")));
      await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
      await db.transact((other) => other.set(b("k"), b("again")), options);
      expect(s(await db.read((other) => other.get(b("k"))))).toBe("again");
    },
    { needs },
  );
}
