/** A transaction from its first call to its end: tries and retries, time, reset, cancel, use at the wrong moment. */
import { expect } from "vitest";
import { TransactionError, type TransactionErrorCode } from "../../../src/transaction/errors.js";
import type { Transaction } from "../../../src/transaction/transaction.js";
import type { ContractCase } from "./backend.js";
import { b, everything, fails, fill, s, touch } from "./support.js";

export function defineLifecycleCases(test: ContractCase): void {
  test("life: out of time, everything fails until a reset", async (db) => {
    const tx = db.createTransaction({ timeoutMs: 1 });
    tx.set(b("k"), b("1"));
    // It never comes before the commit: the timeout is what ends the waiting.
    await expect(tx.getVersionstamp()).rejects.toEqual(fails("TRANSACTION_TIMED_OUT"));
    await allFail(tx, "TRANSACTION_TIMED_OUT");
    await expect(tx.onError(new TransactionError("NOT_COMMITTED", ""))).rejects.toEqual(
      fails("TRANSACTION_TIMED_OUT"),
    );
    tx.reset();
    tx.set(b("k"), b("2"));
    await tx.commit();
    expect(await everything(db)).toEqual(["k=2"]);
  });

  test("life: a timeout that is set later counts from the first call", async (db) => {
    const tx = db.createTransaction();
    await tx.get(b("k"));
    const stamp = tx.getVersionstamp();
    tx.setOptions({ timeoutMs: 1 });
    await expect(stamp).rejects.toEqual(fails("TRANSACTION_TIMED_OUT"));
    tx.cancel();
  });

  test("life: transact ends a body that waits for what never comes", async (db) => {
    const waiting = db.transact((tx) => tx.getVersionstamp(), { timeoutMs: 1 });
    await expect(waiting).rejects.toEqual(fails("TRANSACTION_TIMED_OUT"));
  });

  test(
    "life: options of the database hold for every transaction that does not say otherwise, after a reset again",
    async (db) => {
      const tx = db.createTransaction();
      await expect(tx.getVersionstamp()).rejects.toEqual(fails("TRANSACTION_TIMED_OUT"));
      const other = db.createTransaction({ timeoutMs: 0 });
      await touch(other, "k");
      await other.commit();
      other.reset();
      await expect(other.getVersionstamp()).rejects.toEqual(fails("TRANSACTION_TIMED_OUT"));
    },
    { transactions: { timeoutMs: 500 } },
  );

  const passing: readonly TransactionErrorCode[] = [
    "TRANSACTION_TOO_OLD",
    "FUTURE_VERSION",
    "NOT_COMMITTED",
    "DATABASE_LOCKED",
  ];
  test("life: onError begins anew after what passes", async (db) => {
    for (const code of passing) {
      const tx = db.createTransaction({ maxRetryDelayMs: 1 });
      await touch(tx, "k");
      await tx.onError(new TransactionError(code, "for the test"));
      await tx.commit();
    }
    expect(await everything(db)).toEqual([]);
  });

  const lasting: readonly TransactionErrorCode[] = [
    "COMMIT_UNKNOWN_RESULT",
    "TRANSACTION_CANCELLED",
    "TRANSACTION_TIMED_OUT",
    "ACCESSED_UNREADABLE",
    "USED_DURING_COMMIT",
    "KEY_TOO_LARGE",
    "VALUE_TOO_LARGE",
    "TRANSACTION_TOO_LARGE",
    "INVERTED_RANGE",
    "KEY_OUTSIDE_LEGAL_RANGE",
    "CLIENT_INVALID_OPERATION",
  ];
  test("life: onError refuses what does not pass, and errors that are not the database's, and cancels", async (db) => {
    const errors: readonly Error[] = [
      ...lasting.map((code) => new TransactionError(code, "for the test")),
      new Error("mine"),
      new TypeError("mine"),
    ];
    for (const error of errors) {
      const tx = db.createTransaction();
      tx.set(b("k"), b("1"));
      await expect(tx.onError(error)).rejects.toBe(error);
      await allFail(tx, "TRANSACTION_CANCELLED");
    }
    expect(await everything(db)).toEqual([]);
  });

  test("life: an unknown result passes for what may run twice", async (db) => {
    const tx = db.createTransaction({ idempotent: true, maxRetryDelayMs: 1 });
    tx.set(b("k"), b("1"));
    await tx.onError(new TransactionError("COMMIT_UNKNOWN_RESULT", "for the test"));
    await tx.commit();
    expect(await everything(db)).toEqual([]);
  });

  test("life: the retry limit counts over all tries, and begins anew with a reset", async (db) => {
    const conflict = new TransactionError("NOT_COMMITTED", "for the test");
    const tx = db.createTransaction({ retryLimit: 2, maxRetryDelayMs: 1 });
    await tx.onError(conflict);
    await tx.onError(conflict);
    await expect(tx.onError(conflict)).rejects.toEqual(fails("NOT_COMMITTED"));
    tx.reset();
    tx.setOptions({ retryLimit: 1, maxRetryDelayMs: 1 });
    await tx.onError(conflict);
    await expect(tx.onError(conflict)).rejects.toEqual(fails("NOT_COMMITTED"));
    const never = db.createTransaction({ retryLimit: 0 });
    await expect(never.onError(conflict)).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("life: options stay over tries", async (db) => {
    await fill(db, "k");
    const tx = db.createTransaction({ readYourWrites: false, maxRetryDelayMs: 1 });
    await tx.onError(new TransactionError("NOT_COMMITTED", "for the test"));
    tx.set(b("k"), b("mine"));
    expect(s(await tx.get(b("k")))).toBe("K");
    tx.reset();
    tx.set(b("k"), b("mine"));
    expect(s(await tx.get(b("k")))).toBe("mine");
    tx.cancel();
  });

  test("life: using a transaction while it commits fails both, until a reset", async (db) => {
    const uses: readonly ((tx: Transaction) => unknown)[] = [
      (tx) => tx.set(b("a"), b("")),
      (tx) => tx.clearRange(b("a"), b("b")),
      (tx) => tx.addReadConflictKey(b("a")),
      (tx) => tx.get(b("a")),
      (tx) => tx.snapshot.getRangeAll(b("a"), b("b")),
      (tx) => tx.getReadVersion(),
      (tx) => tx.getVersionstamp(),
      (tx) => tx.commit(),
    ];
    for (const use of uses) {
      const tx = db.createTransaction();
      tx.set(b("k"), b("1"));
      const commit = tx.commit();
      const both = [commit, (async () => use(tx))()];
      for (const one of await Promise.allSettled(both)) {
        expect(one).toEqual({ status: "rejected", reason: fails("USED_DURING_COMMIT") });
      }
      await allFail(tx, "USED_DURING_COMMIT");
      tx.reset();
      await tx.get(b("k"));
      tx.cancel();
    }
  });

  test("life: after a commit that failed, only onError or a reset helps", async (db) => {
    const tx = db.createTransaction({ maxRetryDelayMs: 1 });
    await touch(tx, "k");
    await fill(db, "k");
    const error: unknown = await tx.commit().catch((reason: unknown) => reason);
    expect(error).toEqual(fails("NOT_COMMITTED"));
    await tx.onError(error);
    expect(s(await tx.get(b("k")))).toBe("K");
    tx.cancel();
    const other = db.createTransaction();
    await touch(other, "k");
    await fill(db, "k");
    await other.commit().catch(() => {});
    await allFail(other, "USED_DURING_COMMIT");
    other.reset();
    await touch(other, "k");
    await other.commit();
  });

  test("life: a cancelled transaction does nothing any more, a reset one nothing of before", async (db) => {
    const tx = db.createTransaction();
    await touch(tx, "k");
    tx.cancel();
    await allFail(tx, "TRANSACTION_CANCELLED");
    tx.reset();
    tx.set(b("fresh"), b("1"));
    tx.reset();
    expect(tx.getApproximateSize()).toBe(0);
    await fill(db, "k");
    tx.set(b("other"), b("1"));
    await tx.commit();
    expect(await everything(db)).toEqual(["k=K", "other=1"]);
  });

  test("life: a transaction that is reset in the middle may commit again and again", async (db) => {
    const tx = db.createTransaction();
    const versions: number[] = [];
    for (const value of ["1", "2", "3"]) {
      await tx.get(b("k"));
      tx.set(b("k"), b(value));
      await tx.commit();
      versions.push(tx.getCommittedVersion());
      tx.reset();
      expect(() => tx.getCommittedVersion()).toThrow(fails("NO_COMMIT_VERSION") as Error);
    }
    expect([...versions].sort((x, y) => x - y)).toEqual(versions);
    expect(new Set(versions).size).toBe(3);
    expect(await everything(db)).toEqual(["k=3"]);
  });

  test("life: who begins after a commit reads at its version or later", async (db) => {
    for (let i = 0; i < 5; i++) {
      const tx = db.createTransaction();
      tx.set(b("k"), b(String(i)));
      await tx.commit();
      const version = await db.read((later) => later.getReadVersion());
      expect(version).toBeGreaterThanOrEqual(tx.getCommittedVersion());
      expect(s(await db.read((later) => later.get(b("k"))))).toBe(String(i));
    }
  });

  test(
    "life: a read version can be chosen before the first read, and once",
    async (db) => {
      await fill(db, "k");
      const tx = db.createTransaction();
      tx.setReadVersion(await db.read((other) => other.getReadVersion()));
      expect(s(await tx.get(b("k")))).toBe("K");
      expect(() => tx.setReadVersion(1)).toThrow(fails("READ_VERSION_ALREADY_SET") as Error);
      tx.reset();
      await tx.get(b("k"));
      expect(() => tx.setReadVersion(1)).toThrow(fails("READ_VERSION_ALREADY_SET") as Error);
      tx.cancel();
    },
    { needs: "chosenReadVersions" },
  );

  test("life: the approximate size grows with everything that a commit carries", async (db) => {
    const tx = db.createTransaction();
    let before = tx.getApproximateSize();
    const grows = async (what: () => unknown, atLeast: number): Promise<void> => {
      await what();
      expect(tx.getApproximateSize()).toBeGreaterThanOrEqual(before + atLeast);
      before = tx.getApproximateSize();
    };
    await grows(() => tx.set(b("key"), new Uint8Array(100)), 103);
    await grows(() => tx.clear(b("key")), 3);
    await grows(() => tx.clearRange(b("from"), b("to")), 6);
    await grows(() => tx.atomic("add", b("key"), new Uint8Array(8)), 11);
    await grows(() => tx.addReadConflictRange(b("xfrom"), b("xto")), 8);
    await grows(() => tx.addWriteConflictRange(b("xfrom"), b("xto")), 8);
    // Of reads it may be told later.
    await grows(() => tx.get(b("another")), 0);
    tx.reset();
    expect(tx.getApproximateSize()).toBe(0);
  });

  test(
    "life: conflicting ranges are told when asked for, and only then",
    async (db) => {
      for (const reportConflictingRanges of [false, true]) {
        const tx = db.createTransaction({ reportConflictingRanges });
        await touch(tx, "a");
        await tx.getRangeAll(b("m"), b("n"));
        expect(tx.getConflictingRanges()).toEqual([]);
        await fill(db, "a");
        await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
        const told = tx.getConflictingRanges().map(([begin, end]) => [s(begin), s(end)]);
        expect(told).toEqual(reportConflictingRanges ? [["a", "a\0"]] : []);
        tx.reset();
        expect(tx.getConflictingRanges()).toEqual([]);
      }
    },
    { needs: "conflictReport" },
  );

  test(
    "life: a closed database makes no transactions",
    async (db) => {
      await fill(db, "k");
      await db.close();
      await db.close();
      expect(() => db.createTransaction()).toThrow(fails("CLOSED") as Error);
      await expect(db.transact(() => {})).rejects.toEqual(fails("CLOSED"));
      await expect(db.read(() => {})).rejects.toEqual(fails("CLOSED"));
    },
    { closes: true },
  );
}

/** Every kind of call. */
async function allFail(tx: Transaction, code: string): Promise<void> {
  const calls: readonly (() => unknown)[] = [
    () => tx.get(b("k")),
    () => tx.getKey({ key: b("k"), orEqual: false, offset: 1 }),
    () => tx.getRangeAll(b("a"), b("z")),
    () => tx.snapshot.get(b("k")),
    () => tx.getReadVersion(),
    () => tx.set(b("k"), b("")),
    () => tx.clear(b("k")),
    () => tx.clearRange(b("a"), b("z")),
    () => tx.atomic("add", b("k"), b("")),
    () => tx.setVersionstampedValue(b("k"), b("0123456789"), 0),
    () => tx.addReadConflictKey(b("k")),
    () => tx.addWriteConflictKey(b("k")),
    () => tx.watch(b("k")),
    () => tx.getVersionstamp(),
    async () => {
      for await (const _row of tx.getRange(b("a"), b("z"))) break;
    },
    () => tx.commit(),
  ];
  for (const call of calls) {
    await expect((async () => call())(), String(call)).rejects.toEqual(fails(code));
  }
}
