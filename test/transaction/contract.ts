/**
 * What every backend of `Database` must do, as one set of cases: FoundationDB's behaviour, in the words of its documentation.
 * `contract.test.ts` runs them on each backend that is here.
 */
import { expect } from "vitest";
import {
  firstGreaterOrEqual,
  firstGreaterThan,
  lastLessOrEqual,
  lastLessThan,
} from "../../src/transaction/key-selector.js";
import type { Transaction } from "../../src/transaction/transaction.js";
import { defineDirectoryContract } from "../keyspace/directory-contract.js";
import { defineAtomicCases } from "./contract/atomics.js";
import { type ContractBackend, casesOn } from "./contract/backend.js";
import { defineConflictCases } from "./contract/conflicts.js";
import { defineHermitage } from "./contract/hermitage.js";
import { defineIdempotencyCases } from "./contract/idempotency.js";
import { defineLifecycleCases } from "./contract/lifecycle.js";
import { defineLimitCases } from "./contract/limits.js";
import { defineReadCases } from "./contract/reads.js";
import { b, everything, fails, fill, plain, rows, s, touch, u64 } from "./contract/support.js";
import { defineVersionstampCases } from "./contract/versionstamps.js";
import { defineWatchCases } from "./contract/watches.js";

export function defineContract(backend: ContractBackend): void {
  const test = casesOn(backend);

  test("what a transaction commits, later ones read", async (db) => {
    await db.transact((tx) => tx.set(b("k"), b("v")));
    expect(s(await db.read((tx) => tx.get(b("k"))))).toBe("v");
    await db.transact((tx) => tx.clear(b("k")));
    expect(await db.read((tx) => tx.get(b("k")))).toBeUndefined();
  });

  test("transact resolves with what its body returned", async (db) => {
    expect(await db.transact(async (tx) => (tx.set(b("a"), b("1")), 42))).toBe(42);
  });

  test("an error of the body is passed on, and nothing is committed", async (db) => {
    const failing = db.transact((tx) => {
      tx.set(b("a"), b("1"));
      throw new Error("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    expect(await db.read((tx) => tx.get(b("a")))).toBeUndefined();
  });

  test("a transaction reads one version, whatever commits meanwhile", async (db) => {
    await fill(db, "a");
    const tx = db.createTransaction();
    expect(s(await tx.get(b("a")))).toBe("A");
    await db.transact((other) => other.set(b("a"), b("new")));
    await db.transact((other) => other.set(b("b"), b("new")));
    expect(s(await tx.get(b("a")))).toBe("A");
    expect(rows(await tx.getRangeAll(b(""), b("\xff")))).toEqual(["a=A"]);
    tx.cancel();
  });

  test("of two transactions that read and wrote the same key the second to commit fails", async (db) => {
    const [one, two] = [db.createTransaction(), db.createTransaction()];
    await touch(one, "k");
    await touch(two, "k");
    await one.commit();
    await expect(two.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("two that wrote the same key without reading it both commit", async (db) => {
    const [one, two] = [db.createTransaction(), db.createTransaction()];
    await one.getReadVersion();
    await two.getReadVersion();
    one.set(b("k"), b("1"));
    two.set(b("k"), b("2"));
    await one.commit();
    await two.commit();
    expect(s(await db.read((tx) => tx.get(b("k"))))).toBe("2");
  });

  test("write skew is not possible", async (db) => {
    await fill(db, "x", "y");
    const [one, two] = [db.createTransaction(), db.createTransaction()];
    await one.get(b("x"));
    await one.get(b("y"));
    await two.get(b("x"));
    await two.get(b("y"));
    one.set(b("x"), b("1"));
    two.set(b("y"), b("2"));
    await one.commit();
    await expect(two.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("a snapshot read does not conflict", async (db) => {
    const [one, two] = [db.createTransaction(), db.createTransaction()];
    await touch(one, "k");
    await two.snapshot.get(b("k"));
    two.set(b("other"), b("1"));
    await one.commit();
    await two.commit();
  });

  test("reading an absent key conflicts with its creation", async (db) => {
    const tx = db.createTransaction();
    expect(await tx.get(b("k"))).toBeUndefined();
    tx.set(b("other"), b("1"));
    await fill(db, "k");
    await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("a range read conflicts with a row that appears in it, as far as it has been read", async (db) => {
    await fill(db, "a", "c", "e");
    const near = db.createTransaction();
    const far = db.createTransaction();
    for (const tx of [near, far]) {
      expect(rows(await tx.getRangeAll(b("a"), b("z"), { limit: 2 }))).toEqual(["a=A", "c=C"]);
      tx.set(b("mine"), b("1"));
    }
    await fill(db, "d");
    await near.commit();
    await fill(db, "b");
    await expect(far.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("clearing a range conflicts with who has read in it", async (db) => {
    await fill(db, "b");
    const tx = db.createTransaction();
    await tx.get(b("b"));
    tx.set(b("other"), b("1"));
    await db.transact((other) => other.clearRange(b("a"), b("c")));
    await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("a transaction sees its own writes, in point and range reads of both directions", async (db) => {
    await fill(db, "a", "b", "c", "d");
    const tx = db.createTransaction();
    tx.set(b("b"), b("new"));
    tx.set(b("bb"), b("own"));
    tx.clear(b("c"));
    tx.clearRange(b("d"), b("e"));
    tx.set(b("dd"), b("after the clear"));
    const expected = ["a=A", "b=new", "bb=own", "dd=after the clear"];
    expect(rows(await tx.getRangeAll(b(""), b("\xff")))).toEqual(expected);
    expect(rows(await tx.getRangeAll(b(""), b("\xff"), { reverse: true }))).toEqual([...expected].reverse());
    expect(await tx.get(b("d"))).toBeUndefined();
    expect(s(await tx.get(b("bb")))).toBe("own");
    await tx.commit();
    expect(rows(await db.read((later) => later.getRangeAll(b(""), b("\xff"))))).toEqual(expected);
  });

  test("without readYourWrites it sees only what was there", async (db) => {
    await fill(db, "a");
    const tx = db.createTransaction({ readYourWrites: false });
    tx.set(b("a"), b("new"));
    expect(s(await tx.get(b("a")))).toBe("A");
    tx.cancel();
  });

  test("what a transaction has set itself does not conflict when it reads it", async (db) => {
    const tx = db.createTransaction();
    await tx.getReadVersion();
    tx.set(b("k"), b("mine"));
    expect(s(await tx.get(b("k")))).toBe("mine");
    await fill(db, "k");
    await tx.commit();
    expect(s(await db.read((later) => later.get(b("k"))))).toBe("mine");
  });

  test("a range read conflicts by what was read before a later write of the same transaction", async (db) => {
    await fill(db, "a", "b");
    const tx = db.createTransaction();
    for await (const [key] of tx.getRange(b("a"), b("z"))) tx.set(key, b("changed"));
    await db.transact((other) => other.set(b("a"), b("theirs")));
    await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("key selectors find keys by their place, across own writes and beyond both ends", async (db) => {
    await fill(db, "a", "c", "e");
    const tx = db.createTransaction();
    tx.set(b("d"), b("own"));
    tx.clear(b("e"));
    const find = async (selector: Parameters<Transaction["getKey"]>[0]): Promise<string | undefined> =>
      s(await tx.getKey(selector));
    expect(await find(firstGreaterOrEqual(b("c")))).toBe("c");
    expect(await find(firstGreaterThan(b("c")))).toBe("d");
    expect(await find(lastLessThan(b("c")))).toBe("a");
    expect(await find(lastLessOrEqual(b("c")))).toBe("c");
    expect(await find(firstGreaterOrEqual(b("a"), 2))).toBe("d");
    expect(await find(lastLessOrEqual(b("d"), -2))).toBe("a");
    expect(await find(lastLessThan(b("c"), 2))).toBe("d");
    expect(await find(firstGreaterThan(b("d")))).toBe("\xff");
    expect(await find(lastLessThan(b("a")))).toBe("");
    expect(rows(await tx.getRangeAll(firstGreaterThan(b("a")), lastLessOrEqual(b("d"))))).toEqual(["c=C"]);
    tx.cancel();
  });

  test("a key selector conflicts with a key that appears between where it starts and what it finds", async (db) => {
    await fill(db, "a", "e");
    const tx = db.createTransaction();
    expect(s(await tx.getKey(firstGreaterThan(b("a"))))).toBe("e");
    tx.set(b("z"), b("1"));
    await fill(db, "c");
    await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("ranges are read in pieces, and leaving early stops reading", async (db) => {
    await fill(db, ...Array.from({ length: 300 }, (_, i) => `k${String(i).padStart(3, "0")}`));
    const tx = db.createTransaction();
    const seen: (string | undefined)[] = [];
    for await (const [key] of tx.getRange(b("k"), b("l"), { reverse: true })) {
      seen.push(s(key));
      if (seen.length === 3) break;
    }
    expect(seen).toEqual(["k299", "k298", "k297"]);
    expect((await tx.getRangeAll(b("k"), b("l"), { limit: 0 })).length).toBe(0);
    tx.cancel();
  });

  test(
    "atomic additions of many transactions add up, without a conflict",
    async (db) => {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          db.transact((tx) => tx.atomic("add", b("n"), u64(3)), { retryLimit: 0 }),
        ),
      );
      expect(plain(await db.read((tx) => tx.get(b("n"))))).toEqual(u64(60));
    },
    { needs: "atomicOperations" },
  );

  test("atomic operations show in the transaction's own reads", async (db) => {
    await db.transact((tx) => tx.set(b("n"), u64(5)));
    const tx = db.createTransaction();
    tx.atomic("add", b("n"), u64(1));
    tx.atomic("add", b("fresh"), u64(7));
    tx.set(b("own"), u64(1));
    tx.atomic("bitOr", b("own"), u64(6));
    tx.clear(b("gone"));
    tx.atomic("add", b("gone"), u64(2));
    expect(plain(await tx.get(b("n")))).toEqual(u64(6));
    expect(await tx.get(b("fresh"))).toEqual(u64(7));
    expect(await tx.get(b("own"))).toEqual(u64(7));
    expect(await tx.get(b("gone"))).toEqual(u64(2));
    await tx.commit();
    expect(plain(await db.read((later) => later.get(b("n"))))).toEqual(u64(6));
  });

  test("compareAndClear clears exactly the value it names", async (db) => {
    await fill(db, "a", "b");
    await db.transact((tx) => {
      tx.atomic("compareAndClear", b("a"), b("A"));
      tx.atomic("compareAndClear", b("b"), b("A"));
    });
    expect(rows(await db.read((tx) => tx.getRangeAll(b(""), b("\xff"))))).toEqual(["b=B"]);
  });

  test(
    "versionstamps order keys as commits were ordered, and the transaction learns its own",
    async (db) => {
      const stamps: string[] = [];
      for (const name of ["first", "second", "third"]) {
        const tx = db.createTransaction();
        tx.setVersionstampedKey(b("log/0123456789"), 4, b(name));
        tx.setVersionstampedValue(b(`value/${name}`), b("<0123456789>"), 1);
        const stamp = tx.getVersionstamp();
        await tx.commit();
        stamps.push(s(await stamp) as string);
        expect(tx.getCommittedVersion()).toBeGreaterThan(0);
      }
      expect([...stamps].sort()).toEqual(stamps);
      expect(stamps.every((stamp) => stamp.length === 10)).toBe(true);
      const log = await db.read((tx) => tx.getRangeAll(b("log/"), b("log0")));
      expect(rows(log)).toEqual(["first", "second", "third"].map((name, i) => `log/${stamps[i]}=${name}`));
      expect(s(await db.read((tx) => tx.get(b("value/second"))))).toBe(`<${stamps[1]}>`);
    },
    { needs: "versionstampedKeys" },
  );

  test(
    "what the versionstamp decides cannot be read before the commit",
    async (db) => {
      const tx = db.createTransaction();
      tx.setVersionstampedValue(b("v"), b("0123456789"), 0);
      tx.setVersionstampedKey(b("k0123456789"), 1, b(""));
      await expect(tx.get(b("v"))).rejects.toEqual(fails("ACCESSED_UNREADABLE"));
      await expect(tx.getRangeAll(b("k"), b("l"))).rejects.toEqual(fails("ACCESSED_UNREADABLE"));
      // A transaction of which a read has failed does not commit.
      await expect(tx.commit()).rejects.toEqual(fails("ACCESSED_UNREADABLE"));
    },
    { needs: "versionstampedKeys" },
  );

  test(
    "explicit conflict ranges conflict like reads and writes",
    async (db) => {
      const [reader, writer] = [db.createTransaction(), db.createTransaction()];
      await reader.getReadVersion();
      reader.addReadConflictRange(b("a"), b("c"));
      reader.set(b("x"), b("1"));
      writer.addWriteConflictKey(b("b"));
      await writer.commit();
      await expect(reader.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
    },
    { needs: "writeConflictRanges" },
  );

  test(
    "the conflicting ranges are told when asked for",
    async (db) => {
      const tx = db.createTransaction({ reportConflictingRanges: true });
      await tx.get(b("a"));
      await tx.get(b("m"));
      tx.set(b("x"), b("1"));
      await fill(db, "m");
      await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
      expect(tx.getConflictingRanges().map(([begin, end]) => [s(begin), s(end)])).toEqual([["m", "m\0"]]);
    },
    { needs: "conflictReport" },
  );

  test("a transaction without writes commits without a version", async (db) => {
    const tx = db.createTransaction();
    await tx.get(b("a"));
    const stamp = tx.getVersionstamp();
    await tx.commit();
    expect(tx.getCommittedVersion()).toBe(-1);
    await expect(stamp).rejects.toEqual(fails("NO_COMMIT_VERSION"));
  });

  test("onError resets for a conflict and refuses what does not pass", async (db) => {
    const tx = db.createTransaction();
    await touch(tx, "k");
    await fill(db, "k");
    const error: unknown = await tx.commit().then(
      () => null,
      (reason: unknown) => reason,
    );
    await tx.onError(error);
    await touch(tx, "k");
    await tx.commit();
    const mine = new Error("mine");
    await expect(db.createTransaction().onError(mine)).rejects.toBe(mine);
  });

  test("the retry limit ends the tries", async (db) => {
    let tries = 0;
    const losing = db.transact(
      async (tx) => {
        tries++;
        await touch(tx, "k");
        await fill(db, "k");
      },
      { retryLimit: 2, maxRetryDelayMs: 1 },
    );
    await expect(losing).rejects.toEqual(fails("NOT_COMMITTED"));
    expect(tries).toBe(3);
  });

  test("a committing or committed transaction cannot be used until it is reset", async (db) => {
    await fill(db, "a");
    const tx = db.createTransaction();
    tx.set(b("a"), b("1"));
    await tx.commit();
    expect(() => tx.clear(b("a"))).toThrow(fails("USED_DURING_COMMIT") as Error);
    await expect(tx.get(b("a"))).rejects.toEqual(fails("USED_DURING_COMMIT"));
    await expect(tx.commit()).rejects.toEqual(fails("USED_DURING_COMMIT"));
    tx.reset();
    expect(s(await tx.get(b("a")))).toBe("1");
    tx.cancel();
    await expect(tx.get(b("a"))).rejects.toEqual(fails("TRANSACTION_CANCELLED"));
  });

  test(
    "a watch ends when the value changes, and not before",
    async (db) => {
      await fill(db, "w");
      const tx = db.createTransaction();
      const watch = tx.watch(b("w"));
      await tx.commit();
      let over = false;
      void watch.changed.then(() => {
        over = true;
      });
      await db.transact((other) => other.set(b("elsewhere"), b("1")));
      await db.transact((other) => other.set(b("w"), b("W")));
      expect(over).toBe(false);
      await db.transact((other) => other.set(b("w"), b("changed")));
      await watch.changed;
    },
    { needs: "watches" },
  );

  test(
    "a watch sees what its own transaction leaves, and can be cancelled",
    async (db) => {
      const tx = db.createTransaction();
      tx.set(b("w"), b("mine"));
      const [kept, cancelled] = [tx.watch(b("w")), tx.watch(b("w"))];
      await tx.commit();
      cancelled.cancel();
      await expect(cancelled.changed).rejects.toEqual(fails("OPERATION_CANCELLED"));
      await db.transact((other) => other.clear(b("w")));
      await kept.changed;
    },
    { needs: "watches" },
  );

  const misuses: readonly (readonly [what: string, code: string, misuse: (tx: Transaction) => unknown])[] = [
    ["a key beyond 10,000 bytes", "KEY_TOO_LARGE", (tx) => tx.set(new Uint8Array(10_001), b(""))],
    ["a value beyond 100,000 bytes", "VALUE_TOO_LARGE", (tx) => tx.set(b("k"), new Uint8Array(100_001))],
    ["a key of the system", "KEY_OUTSIDE_LEGAL_RANGE", (tx) => tx.set(b("\xff"), b(""))],
    ["an inverted range", "INVERTED_RANGE", (tx) => tx.clearRange(b("b"), b("a"))],
    ["an unknown option", "UNKNOWN_OPTION", (tx) => tx.setOptions({ fast: true } as object)],
    ["an option's bad value", "INVALID_OPTION_VALUE", (tx) => tx.setOptions({ retryLimit: 0.5 })],
    ["an unknown mutation", "INVALID_MUTATION_TYPE", (tx) => tx.atomic("double" as "add", b("k"), b(""))],
    [
      "a stamp that does not fit",
      "CLIENT_INVALID_OPERATION",
      (tx) => tx.setVersionstampedKey(b("k"), 0, b("")),
    ],
    ["a version that is none", "VERSION_INVALID", (tx) => tx.setReadVersion(-1)],
    ["its commit version before the commit", "NO_COMMIT_VERSION", (tx) => tx.getCommittedVersion()],
  ];
  for (const [what, code, misuse] of misuses) {
    test(`${what} is refused with ${code}`, async (db) => {
      const tx = db.createTransaction();
      expect(() => misuse(tx)).toThrow(fails(code) as Error);
      tx.set(b("after"), b("all"));
      await tx.commit();
    });
  }

  test("a transaction beyond its size limit does not commit", async (db) => {
    const tx = db.createTransaction({ sizeLimitBytes: 1000 });
    tx.set(b("a"), new Uint8Array(500));
    expect(tx.getApproximateSize()).toBeGreaterThan(500);
    // Some backends refuse the write at once, some the commit.
    const grow = async (): Promise<void> => tx.set(b("b"), new Uint8Array(500));
    const refused = await grow().catch((error: unknown) => error);
    if (refused !== undefined) expect(refused).toEqual(fails("TRANSACTION_TOO_LARGE"));
    await expect(tx.commit()).rejects.toEqual(fails("TRANSACTION_TOO_LARGE"));
    expect(await everything(db)).toEqual([]);
  });

  test(
    "a future read version is refused",
    async (db) => {
      const tx = db.createTransaction();
      tx.setReadVersion(2 ** 50);
      await expect(tx.get(b("a"))).rejects.toEqual(fails("FUTURE_VERSION"));
    },
    { needs: "chosenReadVersions" },
  );

  defineHermitage(test);
  defineReadCases(test);
  defineAtomicCases(test);
  defineVersionstampCases(test);
  defineWatchCases(test);
  defineLifecycleCases(test);
  defineLimitCases(test);
  defineConflictCases(test);
  defineIdempotencyCases(test);
  defineDirectoryContract(backend);
}
