/** Instrumentation: what is counted, and when it is told. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../src/index.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { ObservedTransaction } from "../../src/transaction/observed-transaction.js";
import type { TransactionReport } from "../../src/transaction/transaction-observer.js";
import { b, fails, fill } from "./contract/support.js";
import { shiftedPlatform } from "./fixtures/shifted-platform.js";

let database: StorageDatabase;
let reports: TransactionReport[];
let isListening: boolean;

beforeEach(async () => {
  reports = [];
  isListening = true;
  const observer = {
    get isListening() {
      return isListening;
    },
    transactionEnded: (report: TransactionReport) => reports.push(report),
  };
  const platform = await shiftedPlatform();
  database = await openEngineDatabase("/db", { observers: [observer] }, platform);
  return () => database.close();
});

const NO_WRITES = { sets: 0, clears: 0, rangeClears: 0, atomics: 0, bytes: 0 };

describe("the report of a transaction", () => {
  test("has what was read and written, with its version", async () => {
    await fill(database, "aa", "bb");
    let version = 0;
    const tx = database.createTransaction({ metadata: { name: "sums" } });
    await tx.get(b("aa"));
    await tx.getRangeAll(b(""), b("\xff"));
    for await (const _row of tx.getRange(b("x"), b("z"))) throw new Error("there is none");
    await tx.snapshot.get(b("c"));
    tx.set(b("c"), b("123"));
    tx.clear(b("d"));
    tx.clearRange(b("e"), b("f"));
    tx.atomic("add", b("n"), b("1"));
    await tx.commit();
    version = tx.getCommittedVersion();
    const { timings, ...report } = reports[1] as TransactionReport;
    expect(report).toEqual({
      transactionId: 2,
      metadata: { name: "sums" },
      outcome: "committed",
      error: undefined,
      version,
      retries: 0,
      conflicts: 0,
      reads: { points: 2, ranges: 2, emptyRanges: 1, rows: 2, bytes: 4 + 8 + 1 },
      writes: { sets: 1, clears: 1, rangeClears: 1, atomics: 1, bytes: 4 + 1 + 2 + 2 },
    });
    expect(timings.totalMs).toBeGreaterThanOrEqual(timings.commitsMs);
  });

  test("counts tries and conflicts, reads of all tries and writes of the last", async () => {
    let tries = 0;
    await database.transact(async (tx) => {
      await tx.get(b("k"));
      tx.set(b("k"), b("1"));
      if (tries++ < 2) await fill(database, "k");
    });
    const report = reports.find(({ retries }) => retries > 0);
    expect(report).toMatchObject({ outcome: "committed", retries: 2, conflicts: 2 });
    expect(report).toMatchObject({
      reads: { points: 3 },
      writes: { sets: 1 },
      error: fails("NOT_COMMITTED"),
    });
  });

  test("has no writes when nothing was committed, and says why", async () => {
    const failing = database.transact((tx) => {
      tx.set(b("k"), b("1"));
      throw new Error("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    const given = database.createTransaction();
    given.set(b("k"), b("1"));
    given.cancel();
    await database.read((tx) => tx.get(b("k")));
    expect(reports.map(({ outcome, writes }) => [outcome, writes])).toEqual([
      ["failed", NO_WRITES],
      ["cancelled", NO_WRITES],
      ["read", NO_WRITES],
    ]);
    expect(String(reports[0]?.error)).toBe("Error: mine");
  });

  test("comes once, and not at all when nobody listened at the start", async () => {
    const tx = database.createTransaction();
    tx.set(b("k"), b("1"));
    await tx.commit();
    tx.cancel();
    expect(reports).toHaveLength(1);
    isListening = false;
    expect(database.createTransaction()).not.toBeInstanceOf(ObservedTransaction);
  });
});

test("reports go to node:diagnostics_channel while somebody subscribes", async () => {
  const directory = mkdtempSync(join(tmpdir(), "stillwater-observer-"));
  const heard: unknown[] = [];
  const listener = (report: unknown): void => void heard.push(report);
  const opened = await openDatabase(directory);
  try {
    await fill(opened, "unheard");
    subscribe("stillwater:transaction", listener);
    await fill(opened, "heard");
    unsubscribe("stillwater:transaction", listener);
    await fill(opened, "unheard");
    expect(heard).toEqual([expect.objectContaining({ outcome: "committed" })]);
  } finally {
    await opened.close();
    rmSync(directory, { recursive: true });
  }
});
