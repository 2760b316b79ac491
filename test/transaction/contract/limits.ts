/** Limits at the border and one above it, and everything that is no legal argument: typed, with FoundationDB's numbers. */
import { expect } from "vitest";
import { firstGreaterOrEqual } from "../../../src/transaction/key-selector.js";
import type { TransactionOptions } from "../../../src/transaction/options.js";
import type { RangeOptions, Transaction } from "../../../src/transaction/transaction.js";
import type { ContractCase } from "./backend.js";
import { b, everything, fails, fill, s } from "./support.js";

const LARGEST_KEY = new Uint8Array(10_000).fill(0x61);
const TOO_LARGE_KEY = new Uint8Array(10_001).fill(0x61);
const LARGEST_VALUE = new Uint8Array(100_000);
const TOO_LARGE_VALUE = new Uint8Array(100_001);
const STAMP = b("0123456789");

interface Refusal {
  readonly what: string;
  readonly code: string;
  readonly number: number;
  readonly calls: readonly ((tx: Transaction) => unknown)[];
}

const REFUSALS: readonly Refusal[] = [
  {
    what: "keys of 10,001 bytes that are to be there",
    code: "KEY_TOO_LARGE",
    number: 2102,
    calls: [
      (tx) => tx.set(TOO_LARGE_KEY, b("")),
      (tx) => tx.atomic("add", TOO_LARGE_KEY, b("")),
      (tx) => tx.setVersionstampedValue(TOO_LARGE_KEY, STAMP, 0),
      (tx) => tx.setVersionstampedKey(TOO_LARGE_KEY, 0, b("")),
    ],
  },
  {
    what: "values of 100,001 bytes",
    code: "VALUE_TOO_LARGE",
    number: 2103,
    calls: [
      (tx) => tx.set(b("k"), TOO_LARGE_VALUE),
      (tx) => tx.atomic("bitOr", b("k"), TOO_LARGE_VALUE),
      (tx) => tx.setVersionstampedValue(b("k"), TOO_LARGE_VALUE, 0),
      (tx) => tx.setVersionstampedKey(STAMP, 0, TOO_LARGE_VALUE),
    ],
  },
  {
    what: "keys of the system, and bounds beyond its first",
    code: "KEY_OUTSIDE_LEGAL_RANGE",
    number: 2004,
    calls: [
      (tx) => tx.get(b("\xff")),
      (tx) => tx.get(b("\xffx")),
      (tx) => tx.snapshot.get(b("\xff")),
      (tx) => tx.getKey(firstGreaterOrEqual(b("\xff\0"))),
      (tx) => tx.getRangeAll(b("a"), b("\xff\0")),
      (tx) => tx.getRangeAll(b("\xff\0"), b("\xff\x01")),
      (tx) => tx.getRangeAll(firstGreaterOrEqual(b("\xff\0")), b("\xff")),
      (tx) => tx.set(b("\xff"), b("")),
      (tx) => tx.clear(b("\xff")),
      (tx) => tx.clearRange(b("a"), b("\xff\0")),
      (tx) => tx.atomic("add", b("\xff"), b("")),
      (tx) => tx.setVersionstampedKey(b("\xff0123456789"), 1, b("")),
      (tx) => tx.setVersionstampedValue(b("\xff"), STAMP, 0),
      (tx) => tx.addReadConflictRange(b("a"), b("\xff\0")),
      (tx) => tx.addReadConflictKey(b("\xff")),
      (tx) => tx.addWriteConflictRange(b("a"), b("\xff\0")),
      (tx) => tx.addWriteConflictKey(b("\xff")),
      // Where it lies matters more than how long it is.
      (tx) => tx.set(new Uint8Array(10_001).fill(0xff), b("")),
    ],
  },
  {
    what: "ranges that end before they begin",
    code: "INVERTED_RANGE",
    number: 2005,
    calls: [
      (tx) => tx.clearRange(b("b"), b("a")),
      (tx) => tx.addReadConflictRange(b("a\0"), b("a")),
      (tx) => tx.addWriteConflictRange(b("b"), b("")),
    ],
  },
  {
    what: "mutations that there are not",
    code: "INVALID_MUTATION_TYPE",
    number: 2018,
    calls: ["double", "", "toString", "ADD"].map(
      (name) => (tx: Transaction) => tx.atomic(name as "add", b("k"), b("")),
    ),
  },
  {
    what: "limits that are no number of rows",
    code: "RANGE_LIMITS_INVALID",
    number: 2012,
    calls: [-1, 0.5, Number.NaN, Number.NEGATIVE_INFINITY].map(
      (limit) => (tx: Transaction) => tx.getRangeAll(b("a"), b("b"), { limit }),
    ),
  },
  {
    what: "values that options of a range read cannot have",
    code: "INVALID_OPTION_VALUE",
    number: 2006,
    calls: [{ streamingMode: "fast" }, { reverse: 1 }].map(
      (options) => (tx: Transaction) => tx.getRangeAll(b("a"), b("b"), options as unknown as RangeOptions),
    ),
  },
  {
    what: "versions that are none",
    code: "VERSION_INVALID",
    number: 2011,
    calls: [-1, 0.5, Number.NaN, 2 ** 53].map((version) => (tx: Transaction) => tx.setReadVersion(version)),
  },
  {
    what: "values that options cannot have",
    code: "INVALID_OPTION_VALUE",
    number: 2006,
    calls: [
      { timeoutMs: -1 },
      { timeoutMs: Number.NaN },
      { retryLimit: -2 },
      { retryLimit: 0.5 },
      { maxRetryDelayMs: -1 },
      { sizeLimitBytes: 31 },
      { sizeLimitBytes: 10_000_001 },
      { sizeLimitBytes: 100.5 },
      { priority: "high" },
      { durability: "none" },
      { readYourWrites: 1 },
      { snapshotReadYourWrites: "no" },
      { reportConflictingRanges: 0 },
      { idempotent: "yes" },
      { causalReadRisky: 1 },
      { accessSystemKeys: 1 },
    ].map((options) => (tx: Transaction) => tx.setOptions(options as TransactionOptions)),
  },
];

export function defineLimitCases(test: ContractCase): void {
  for (const { what, code, number, calls } of REFUSALS) {
    test(`limits: ${what} are refused with ${code} (${number}), and the transaction goes on`, async (db) => {
      const tx = db.createTransaction();
      for (const call of calls) {
        await expect((async () => call(tx))(), String(call)).rejects.toEqual(
          expect.objectContaining({ code, fdbCode: number }),
        );
      }
      tx.set(b("after"), b("all"));
      await tx.commit();
      expect(await everything(db)).toEqual(["after=all"]);
    });
  }

  test("limits: the largest key and value are kept, with every operation", async (db) => {
    await db.transact(async (tx) => {
      tx.set(LARGEST_KEY, LARGEST_VALUE);
      expect((await tx.get(LARGEST_KEY))?.length).toBe(100_000);
      tx.addReadConflictKey(LARGEST_KEY);
      tx.addWriteConflictKey(LARGEST_KEY);
    });
    const [row] = await db.read((tx) => tx.getRangeAll(LARGEST_KEY, b("b")));
    expect([row?.[0].length, row?.[1].length]).toEqual([10_000, 100_000]);
    await db.transact((tx) => tx.atomic("byteMax", LARGEST_KEY, LARGEST_VALUE));
    await db.transact((tx) => tx.clear(LARGEST_KEY));
    expect(await everything(db)).toEqual([]);
  });

  test("limits: a key that is too large is nowhere, so reading and clearing it are no errors", async (db) => {
    await db.transact((tx) => tx.set(LARGEST_KEY, b("largest")));
    await db.transact(async (tx) => {
      expect(await tx.get(TOO_LARGE_KEY)).toBeUndefined();
      tx.clear(TOO_LARGE_KEY);
      expect((await tx.getRangeAll(TOO_LARGE_KEY, b("b"))).length).toBe(0);
      expect((await tx.getRangeAll(b("a"), TOO_LARGE_KEY)).length).toBe(1);
      tx.clearRange(TOO_LARGE_KEY, b("b"));
      expect((await tx.getRangeAll(b("a"), b("b"))).length).toBe(1);
      tx.clearRange(b("a"), TOO_LARGE_KEY);
      expect((await tx.getRangeAll(b("a"), b("b"))).length).toBe(0);
    });
    expect(await everything(db)).toEqual([]);
  });

  test("limits: the end of the user's keys bounds ranges and selectors", async (db) => {
    await fill(db, "a", "\xfe");
    await db.transact(async (tx) => {
      expect((await tx.getRangeAll(b("\xff"), b("\xff"))).length).toBe(0);
      expect(s(await tx.getKey(firstGreaterOrEqual(b("\xff"))))).toBe("\xff");
      expect(s(await tx.getKey({ key: b("\xff"), orEqual: false, offset: 0 }))).toBe("\xfe");
      tx.addReadConflictRange(b(""), b("\xff"));
      tx.addWriteConflictRange(b("\xff"), b("\xff"));
      tx.clearRange(b(""), b("\xff"));
    });
    expect(await everything(db)).toEqual([]);
  });

  test(
    "limits: with accessSystemKeys keys from 0xff on can be written, those from 0xff 0xff on cannot",
    async (db) => {
      const options = { accessSystemKeys: true };
      const key = b("\xff/contract");
      await db.transact((tx) => tx.set(key, b("1")), options);
      expect(s(await db.read((tx) => tx.get(key), options))).toBe("1");
      expect(await everything(db)).toEqual([]);
      await db.transact((tx) => tx.clear(key), options);
      const tx = db.createTransaction(options);
      expect(() => tx.set(b("\xff\xff"), b(""))).toThrow(fails("KEY_OUTSIDE_LEGAL_RANGE") as Error);
      tx.cancel();
    },
    { needs: "systemKeys" },
  );

  test("limits: options that there are not are told by name", async (db) => {
    const unknown = { fast: true } as object;
    expect(() => db.createTransaction(unknown)).toThrow(fails("UNKNOWN_OPTION") as Error);
    const tx = db.createTransaction();
    expect(() => tx.setOptions(unknown)).toThrow(fails("UNKNOWN_OPTION") as Error);
    await expect((async () => tx.getRangeAll(b("a"), b("b"), unknown))()).rejects.toEqual(
      fails("UNKNOWN_OPTION"),
    );
    tx.setOptions({ sizeLimitBytes: 32, retryLimit: -1, causalReadRisky: true });
    tx.setOptions({ sizeLimitBytes: 10_000_000, timeoutMs: 0, priority: "batch" });
    await tx.commit();
  });

  test("limits: whether own writes are read cannot change after reads or writes", async (db) => {
    const uses = [(tx: Transaction) => tx.set(b("k"), b("")), (tx: Transaction) => tx.get(b("k"))];
    for (const use of uses) {
      const tx = db.createTransaction();
      await use(tx);
      expect(() => tx.setOptions({ readYourWrites: false })).toThrow(
        expect.objectContaining({ code: "CLIENT_INVALID_OPERATION", fdbCode: 2000 }) as Error,
      );
      tx.setOptions({ readYourWrites: true });
      tx.reset();
      tx.setOptions({ readYourWrites: false });
      tx.cancel();
    }
  });

  test("limits: what is no array of bytes is a TypeError", async (db) => {
    const tx = db.createTransaction();
    const text = "text" as unknown as Uint8Array;
    const calls = [
      () => tx.get(text),
      () => tx.getRangeAll(text, b("b")),
      () => tx.set(text, b("")),
      () => tx.set(b("k"), text),
      () => tx.clear(text),
      () => tx.clearRange(b("a"), text),
      () => tx.addReadConflictRange(text, b("b")),
    ];
    for (const call of calls) await expect((async () => call())(), String(call)).rejects.toThrow(TypeError);
    tx.cancel();
  });

  test(
    "limits: a transaction of almost ten million bytes commits, one of more does not",
    async (db) => {
      const put = (tx: Transaction, count: number): void => {
        for (let i = 0; i < count; i++) tx.set(b(`large/${String(i).padStart(3, "0")}`), LARGEST_VALUE);
      };
      await db.transact((tx) => put(tx, 99));
      expect((await db.read((tx) => tx.getRangeAll(b("large/"), b("large0")))).length).toBe(99);
      await db.transact((tx) => tx.clearRange(b(""), b("\xff")));
      await expect(db.transact((tx) => put(tx, 101))).rejects.toEqual(fails("TRANSACTION_TOO_LARGE"));
      expect(await everything(db)).toEqual([]);
    },
    { needs: "largeTransactions" },
  );

  test("limits: the size limit of a transaction holds to the byte of its approximate size", async (db) => {
    const write = (tx: Transaction): void => tx.set(b("k"), new Uint8Array(1_000));
    const measured = db.createTransaction();
    write(measured);
    const size = measured.getApproximateSize();
    measured.cancel();
    await db.transact(write, { sizeLimitBytes: size });
    await expect(db.transact(write, { sizeLimitBytes: size - 1 })).rejects.toEqual(
      fails("TRANSACTION_TOO_LARGE"),
    );
  });

  test("limits: what a transaction has read counts for its size", async (db) => {
    const tx = db.createTransaction({ sizeLimitBytes: 1_000 });
    for (let i = 0; i < 100; i++) await tx.get(b(`key ${i}`));
    await expect(
      (async () => {
        tx.set(b("k"), b(""));
        await tx.commit();
      })(),
    ).rejects.toEqual(fails("TRANSACTION_TOO_LARGE"));
  });
}
