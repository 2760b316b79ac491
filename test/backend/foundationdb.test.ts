/**
 * The FoundationDB backend on a fake of the native client: the contract holds through it, and what the contract does not see
 * arrives as the client wants it. A live cluster is `test/foundationdb-cluster`.
 */
import { afterAll, describe, expect, test } from "vitest";
import { type FdbModule, loadFoundationdb, OPTION } from "../../src/backend/foundationdb/client.js";
import { openFoundationDatabase } from "../../src/backend/foundationdb/database.js";
import { translated } from "../../src/backend/foundationdb/errors.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { TransactionError } from "../../src/transaction/errors.js";
import type { Database } from "../../src/transaction/transaction.js";
import { SharedDatabase } from "../transaction/contract/backend.js";
import { b, fails, fill, rows } from "../transaction/contract/support.js";
import { defineContract } from "../transaction/contract.js";
import { fakeFoundationdb } from "./fake-foundationdb.js";

const engines: Database[] = [];
const engine = async (): Promise<Database> => {
  const db = await openEngineDatabase("/db", {}, nodePlatform({ vfs: await createMemoryVFS() }));
  engines.push(db);
  return db;
};
const shared = new SharedDatabase(async (transactions) =>
  openFoundationDatabase({ transactions }, fakeFoundationdb(await engine())),
);

afterAll(async () => {
  await shared.close();
  for (const db of engines) await db.close();
});

describe("the FoundationDB backend on a fake client", () => {
  defineContract({
    name: "fake FoundationDB",
    limits: { idempotencyKeys: "INVALID_OPTION_VALUE" },
    run: (body, setting) => shared.run(body, setting),
  });
});

describe("what is asked of the client", () => {
  const calls: unknown[][] = [];
  const recording = async (): Promise<Database> => {
    calls.length = 0;
    const fake = fakeFoundationdb(await engine()).open();
    const module: FdbModule = {
      setAPIVersion: (version) => calls.push(["setAPIVersion", version]),
      open: (clusterFile) => {
        calls.push(["open", clusterFile]);
        return {
          close: () => calls.push(["close"]),
          _db: {
            createTransaction: () =>
              new Proxy(fake._db.createTransaction(), {
                get: (target, name) => {
                  const method = Reflect.get(target, name) as (...args: unknown[]) => unknown;
                  return (...args: unknown[]) => {
                    calls.push([name, ...args]);
                    return method.apply(target, args);
                  };
                },
              }),
          },
        };
      },
    };
    return openFoundationDatabase({ clusterFile: "/etc/fdb.cluster", apiVersion: 630 }, module);
  };
  const called = (name: string): unknown[][] => calls.filter(([one]) => one === name);

  test("the cluster file and the API version, once, and the end", async () => {
    const db = await recording();
    await db.close();
    await db.close();
    expect(calls).toEqual([["setAPIVersion", 630], ["open", "/etc/fdb.cluster"], ["close"]]);
    expect(() => db.createTransaction()).toThrow(fails("CLOSED") as Error);
  });

  test("options by their numbers, and again after a retry", async () => {
    const db = await recording();
    const options = {
      timeoutMs: 70,
      retryLimit: 3,
      priority: "batch",
      snapshotReadYourWrites: false,
    } as const;
    const tx = db.createTransaction(options);
    const expected = [
      [OPTION.timeout, 70],
      [OPTION.retryLimit, 3],
      [OPTION.maxRetryDelay, 1_000],
      [OPTION.sizeLimit, 10_000_000],
      [OPTION.snapshotReadYourWritesDisable, null],
      [OPTION.priorityBatch, null],
    ];
    expect(called("setOption").map(([, ...args]) => args)).toEqual(expected);
    calls.length = 0;
    await tx.onError(new TransactionError("NOT_COMMITTED", "made up"));
    expect(called("onError")).toEqual([["onError", 1020]]);
    expect(called("setOption").map(([, ...args]) => args)).toEqual(expected);
    calls.length = 0;
    tx.setOptions({ timeoutMs: 80 });
    expect(called("setOption")).toEqual([["setOption", OPTION.timeout, 80]]);
    tx.setOptions({ snapshotReadYourWrites: true });
    expect(called("setOption").pop()).toEqual(["setOption", OPTION.snapshotReadYourWritesEnable, null]);
    expect(() => tx.setOptions({ priority: "default" })).toThrow(fails("INVALID_OPTION_VALUE") as Error);
  });

  test("an unknown result goes back to the user, unless running twice does no harm", async () => {
    const db = await recording();
    const unknown = new TransactionError("COMMIT_UNKNOWN_RESULT", "made up");
    await expect(db.createTransaction().onError(unknown)).rejects.toBe(unknown);
    expect(called("onError")).toEqual([]);
    await db.createTransaction({ idempotent: true }).onError(unknown);
    expect(called("onError")).toEqual([["onError", 1021]]);
  });

  test("ranges in the pieces of their mode, in both directions, until the limit", async () => {
    const db = await recording();
    const names = Array.from({ length: 20 }, (_, i) => `k${String(i).padStart(2, "0")}`);
    await fill(db, ...names);
    const modes = { iterator: -1, small: 1, wantAll: -2, exact: -2 } as const;
    for (const [streamingMode, number] of Object.entries(modes)) {
      for (const reverse of [false, true]) {
        calls.length = 0;
        const read = await db.read((tx) =>
          tx.getRangeAll(b("k"), b("l"), { streamingMode: streamingMode as keyof typeof modes, reverse }),
        );
        const expected = names.map((name) => `${name}=${name.toUpperCase()}`);
        expect(rows(read)).toEqual(reverse ? expected.reverse() : expected);
        const pieces = called("getRange");
        expect(pieces.map((args) => args[9])).toEqual(Array.from({ length: pieces.length }, () => number));
        expect(pieces.map((args) => args[10])).toEqual(pieces.map((_, i) => i + 1));
        expect(pieces.length).toBe(number === -2 ? 1 : 3);
      }
    }
    calls.length = 0;
    expect((await db.read((tx) => tx.getRangeAll(b("k"), b("l"), { limit: 9 }))).length).toBe(9);
    expect(called("getRange").map((args) => args[7])).toEqual([9]);
    expect(await db.read((tx) => tx.getRangeAll(b("k"), b("l"), { limit: 0 }))).toEqual([]);
  });

  test("the place of a versionstamp behind its key or value, in four bytes", async () => {
    const db = await recording();
    const tx = db.createTransaction();
    tx.setVersionstampedKey(b("log/0123456789"), 4, b("v"));
    tx.setVersionstampedValue(b("k"), b("0123456789"), 0);
    expect(called("atomicOp")).toEqual([
      ["atomicOp", 14, Buffer.from("log/0123456789\x04\0\0\0"), Buffer.from("v")],
      ["atomicOp", 15, Buffer.from("k"), Buffer.from("0123456789\0\0\0\0")],
    ]);
    tx.cancel();
  });
});

describe("errors of the client", () => {
  const native = (code: number): Error => Object.assign(new Error("from the cluster"), { code });

  test.each([
    [1007, "TRANSACTION_TOO_OLD", true, false],
    [1020, "NOT_COMMITTED", true, false],
    [1021, "COMMIT_UNKNOWN_RESULT", true, true],
    [1031, "TRANSACTION_TIMED_OUT", false, false],
    [2101, "TRANSACTION_TOO_LARGE", false, false],
    [1039, "UNKNOWN_ERROR", true, true],
    [1213, "UNKNOWN_ERROR", true, false],
    [2200, "UNKNOWN_ERROR", false, false],
  ])("%i is %s and keeps its number", (number, code, retryable, maybeCommitted) => {
    expect(translated(native(number))).toMatchObject({ code, fdbCode: number, retryable, maybeCommitted });
  });

  test("what is no error of FoundationDB comes back as it is", () => {
    const mine = new Error("mine");
    const misuse = new TransactionError("INVERTED_RANGE", "made up");
    expect(translated(mine)).toBe(mine);
    expect(translated(misuse)).toBe(misuse);
    expect(translated(Object.assign(new Error("system"), { code: "ENOENT" }))).toMatchObject({
      code: "ENOENT",
    });
  });
});

test("without the package, opening says what to install", async () => {
  await expect(openFoundationDatabase()).rejects.toMatchObject({
    code: "MISSING_DEPENDENCY",
    message: expect.stringContaining("npm install foundationdb@2") as string,
  });
  await expect(loadFoundationdb(async () => ({ default: { open: "here" } }))).resolves.toEqual({
    open: "here",
  });
});

test.each([{ clusterFile: "x", fast: true }, { apiVersion: 510 }, { apiVersion: 730 }])(
  "bad options are refused: %j",
  async (options) => {
    await expect(openFoundationDatabase(options as object)).rejects.toMatchObject({
      code: expect.stringMatching(/UNKNOWN_OPTION|INVALID_ARGUMENT/) as string,
    });
  },
);
