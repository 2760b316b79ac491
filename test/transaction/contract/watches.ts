/** Watches: what ends them, what does not, and what becomes of them with their transaction. */
import { expect } from "vitest";
import type { Database, Transaction, Watch } from "../../../src/transaction/transaction.js";
import type { ContractCase } from "./backend.js";
import { b, fails, fill, u64 } from "./support.js";

export function defineWatchCases(test: ContractCase): void {
  const needs = "watches";

  const changes: readonly (readonly [what: string, change: (tx: Transaction) => void])[] = [
    ["another value", (tx) => tx.set(b("w"), b("other"))],
    ["a longer value", (tx) => tx.set(b("w"), b("W\0"))],
    ["an empty value", (tx) => tx.set(b("w"), b(""))],
    ["a clear", (tx) => tx.clear(b("w"))],
    ["a clear of a range", (tx) => tx.clearRange(b("a"), b("z"))],
    ["an atomic operation", (tx) => tx.atomic("add", b("w"), u64(1))],
    ["a versionstamped value", (tx) => tx.setVersionstampedValue(b("w"), b("0123456789"), 0)],
    [
      "a write that skips its conflict",
      (tx) => {
        tx.skipNextWriteConflict();
        tx.set(b("w"), b("other"));
      },
    ],
  ];
  for (const [what, change] of changes) {
    test(
      `watches: ${what} ends all that wait for the key`,
      async (db) => {
        await fill(db, "w");
        const watches = await started(db, "w", "w");
        await db.transact(change);
        await Promise.all(watches.map(({ changed }) => changed));
      },
      { needs },
    );
  }

  test(
    "watches: a key that was not there ends it by appearing, and neighbours do not",
    async (db) => {
      const [watch] = (await started(db, "w")) as [Watch];
      const over = watched(watch);
      await fill(db, "v", "w\0", "x");
      await db.transact((tx) => tx.clear(b("w")));
      await db.read((tx) => tx.get(b("w")));
      expect(over.state).toBe("waits");
      await fill(db, "w");
      await watch.changed;
    },
    { needs },
  );

  test(
    "watches: a write before the watch counts as seen, one after it in the same transaction as a change",
    async (db) => {
      await fill(db, "a", "b");
      const tx = db.createTransaction();
      tx.set(b("a"), b("mine"));
      tx.clear(b("b"));
      const [a, cleared, changing] = [tx.watch(b("a")), tx.watch(b("b")), tx.watch(b("c"))];
      const [overA, overB] = [watched(a), watched(cleared)];
      tx.set(b("c"), b("after"));
      await tx.commit();
      await changing.changed;
      expect([overA.state, overB.state]).toEqual(["waits", "waits"]);
      await db.transact((other) => {
        other.set(b("a"), b("theirs"));
        other.set(b("b"), b("B"));
      });
      await Promise.all([a.changed, cleared.changed]);
    },
    { needs },
  );

  test(
    "watches: what changes between the read and the start of the watch is not missed",
    async (db) => {
      await fill(db, "w");
      const tx = db.createTransaction();
      const watch = tx.watch(b("w"));
      await tx.getReadVersion();
      await db.transact((other) => other.set(b("w"), b("changed")));
      // Nothing was written, so the commit succeeds.
      await tx.commit();
      await watch.changed;
    },
    { needs },
  );

  test(
    "watches: watching reads, so it conflicts",
    async (db) => {
      const tx = db.createTransaction();
      const watch = tx.watch(b("w"));
      await tx.getReadVersion();
      tx.set(b("other"), b("1"));
      await fill(db, "w");
      await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
      await expect(watch.changed).rejects.toEqual(fails("NOT_COMMITTED"));
    },
    { needs },
  );

  test(
    "watches: they end with a transaction that does not commit, and outlive one that does",
    async (db) => {
      for (const end of ["reset", "cancel"] as const) {
        const tx = db.createTransaction();
        const watch = tx.watch(b("w"));
        tx[end]();
        await expect(watch.changed).rejects.toEqual(fails("TRANSACTION_CANCELLED"));
        const committed = db.createTransaction();
        const kept = committed.watch(b("w"));
        await committed.commit();
        committed[end]();
        await db.transact((other) => other.atomic("add", b("w"), u64(1)));
        await kept.changed;
        tx.cancel();
      }
    },
    { needs },
  );

  test(
    "watches: without readYourWrites there are none, nor of a key that cannot be written",
    async (db) => {
      const without = db.createTransaction({ readYourWrites: false });
      expect(() => without.watch(b("w"))).toThrow(fails("WATCHES_DISABLED") as Error);
      const tx = db.createTransaction();
      expect(() => tx.watch(b("\xff"))).toThrow(fails("KEY_OUTSIDE_LEGAL_RANGE") as Error);
      expect(() => tx.watch(new Uint8Array(10_001))).toThrow(fails("KEY_TOO_LARGE") as Error);
      for (const one of [without, tx]) one.cancel();
    },
    { needs },
  );

  test(
    "watches: what the versionstamp decides cannot be watched, and the transaction commits all the same",
    async (db) => {
      const tx = db.createTransaction();
      tx.setVersionstampedValue(b("w"), b("0123456789"), 0);
      const watch = tx.watch(b("w"));
      await expect(watch.changed).rejects.toEqual(fails("ACCESSED_UNREADABLE"));
      await tx.commit();
    },
    { needs },
  );

  test(
    "watches: ten thousand may wait, one more may when one of them ends",
    async (db) => {
      const tx = db.createTransaction();
      tx.set(b("w"), b("known"));
      const watches = Array.from({ length: 10_000 }, () => tx.watch(b("w")));
      expect(() => tx.watch(b("w"))).toThrow(fails("TOO_MANY_WATCHES") as Error);
      watches[0]?.cancel();
      tx.watch(b("w"));
      expect(() => tx.watch(b("w"))).toThrow(fails("TOO_MANY_WATCHES") as Error);
      tx.cancel();
      const [fresh] = (await started(db, "w")) as [Watch];
      fresh.cancel();
      fresh.cancel();
      await expect(fresh.changed).rejects.toEqual(fails("OPERATION_CANCELLED"));
    },
    { needs },
  );

  test(
    "watches: closing the database ends them",
    async (db) => {
      const [watch] = (await started(db, "w")) as [Watch];
      const over = expect(watch.changed).rejects.toEqual(fails("OPERATION_CANCELLED"));
      await db.close();
      await over;
    },
    { needs, closes: true },
  );
}

/** Watches of a transaction that has committed. */
async function started(db: Database, ...keys: string[]): Promise<Watch[]> {
  const tx = db.createTransaction();
  const watches = keys.map((key) => tx.watch(b(key)));
  await tx.commit();
  return watches;
}

function watched(watch: Watch): { state: "waits" | "over" } {
  const over: { state: "waits" | "over" } = { state: "waits" };
  const end = (): void => {
    over.state = "over";
  };
  watch.changed.then(end, end);
  return over;
}
