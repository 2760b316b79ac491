/** Commit hooks: what they see, what they may do, and what their errors do. */
import { beforeEach, describe, expect, test } from "vitest";
import type { AfterCommitContext, CommitHook } from "../../src/transaction/commit-hooks.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Transaction } from "../../src/transaction/transaction.js";
import { b, everything, fails, s } from "./contract/support.js";
import { shiftedPlatform } from "./fixtures/shifted-platform.js";

let database: StorageDatabase;

beforeEach(async () => {
  database = await openEngineDatabase("/db", {}, await shiftedPlatform());
  return () => database.close();
});

const set = (key: string, value = "1", options = {}): Promise<void> =>
  database.transact((tx) => tx.set(b(key), b(value)), options);

describe("a hook before the commit", () => {
  test("sees every write in order, the metadata, and the same id in all tries", async () => {
    const seen: unknown[] = [];
    database.addCommitHook({
      before({ mutations, metadata, transactionId }) {
        seen.push([transactionId, metadata, mutations.map(({ type }) => type)]);
      },
    });
    let tries = 0;
    await database.transact(
      async (tx) => {
        await tx.get(b("c"));
        tx.set(b("a"), b("1"));
        tx.clear(b("b"));
        tx.clearRange(b("x"), b("z"));
        tx.atomic("add", b("n"), b("1"));
        tx.setVersionstampedKey(b("k0123456789"), 1, b(""));
        tx.setVersionstampedValue(b("v"), b("0123456789"), 0);
        if (tries++ === 0) await set("c");
      },
      { metadata: { who: "me" } },
    );
    const types = ["set", "clear", "clearRange", "atomic", "setVersionstampedKey", "setVersionstampedValue"];
    const own = [1, { who: "me" }, types];
    expect(seen).toEqual([[2, {}, ["set"]], own, own]);
  });

  test("that throws aborts the commit, with nothing applied", async () => {
    database.addCommitHook({
      before({ mutations }) {
        if (mutations.some((mutation) => "key" in mutation && s(mutation.key) === "bad"))
          throw new Error("not that");
      },
    });
    const both = database.transact((tx) => {
      tx.set(b("good"), b("1"));
      tx.set(b("bad"), b("1"));
    });
    await expect(both).rejects.toThrow("not that");
    expect(await everything(database)).toEqual([]);
    await set("good");
    expect(await everything(database)).toEqual(["good=1"]);
  });

  test("writes in the same commit, and later hooks see it", async () => {
    const seen: number[] = [];
    database.addCommitHook({ priority: 2, before: ({ mutations }) => void seen.push(mutations.length) });
    database.addCommitHook({
      priority: 1,
      async before({ transaction }) {
        transaction.set(b("index"), (await transaction.get(b("a"))) ?? b("none"));
      },
    });
    await set("a", "own");
    expect(seen).toEqual([2]);
    expect(await everything(database)).toEqual(["a=own", "index=own"]);
  });

  test("conflicts by what it has read", async () => {
    let isFirst = true;
    database.addCommitHook({
      async before({ transaction, metadata }) {
        if (metadata["checks"] !== true) return;
        await transaction.get(b("limit"));
        if (isFirst) {
          isFirst = false;
          await set("limit", "changed");
        }
      },
    });
    const tx = database.createTransaction({ metadata: { checks: true } });
    tx.set(b("a"), b("1"));
    await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("runs by priority, those of the database first; concurrent ones of one priority together", async () => {
    const order: string[] = [];
    const hook = (name: string, rest: Partial<CommitHook> = {}): CommitHook => ({
      ...rest,
      async before() {
        order.push(`${name} begins`);
        await Promise.resolve();
        order.push(`${name} ends`);
      },
    });
    database.addCommitHook(hook("late", { priority: 9 }));
    database.addCommitHook(hook("c", { concurrent: true }));
    database.addCommitHook(hook("early", { priority: -1 }));
    await set("a", "1", { commitHooks: [hook("d", { concurrent: true })] });
    const both = ["c begins", "d begins", "c ends", "d ends"];
    expect(order).toEqual(["early begins", "early ends", ...both, "late begins", "late ends"]);
  });

  test("runs beside nothing: using the transaction meanwhile fails both", async () => {
    let tx: Transaction | null = null;
    const commitHooks = [
      {
        before: () => {
          expect(() => (tx as Transaction).set(b("b"), b("1"))).toThrow(fails("USED_DURING_COMMIT") as Error);
        },
      },
    ];
    tx = database.createTransaction({ commitHooks });
    tx.set(b("a"), b("1"));
    await expect(tx.commit()).rejects.toEqual(fails("USED_DURING_COMMIT"));
    expect(await everything(database)).toEqual([]);
  });

  test("does not run for a transaction that wrote nothing, nor after it was taken away", async () => {
    let runs = 0;
    const remove = database.addCommitHook({ before: () => void runs++ });
    await database.transact((tx) => tx.get(b("a")));
    await database.read((tx) => tx.get(b("a")));
    await database.changeFeeds.create("feed", { begin: b("a"), end: b("b") });
    expect(runs).toBe(0);
    remove();
    await set("a");
    expect(runs).toBe(0);
  });
});

describe("a hook after the commit", () => {
  test("that fails is reported, and the commit stands and resolves", async () => {
    const failures: [unknown, AfterCommitContext][] = [];
    const later: number[] = [];
    database.addCommitHook({
      after: ({ version }) => {
        throw new Error(`after ${version}`);
      },
      afterFailed: (error, context) => failures.push([error, context]),
    });
    database.addCommitHook({ after: ({ version }) => void later.push(version), afterFailed: () => {} });
    await set("a");
    expect(await everything(database)).toEqual(["a=1"]);
    expect(failures.map(([error]) => String(error))).toEqual([`Error: after ${later[0]}`]);
    expect(failures[0]?.[1].mutations).toHaveLength(1);
  });

  test("does not run when the commit fails", async () => {
    let runs = 0;
    const commitHooks = [{ after: () => void runs++, afterFailed: () => {} }];
    const tx = database.createTransaction({ commitHooks });
    await tx.get(b("a"));
    tx.set(b("a"), b("mine"));
    await set("a", "theirs");
    await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
    expect(runs).toBe(0);
  });

  test("cannot be registered without somebody to hear of its failures", () => {
    expect(() => database.addCommitHook({ after: () => {} })).toThrow(fails("INVALID_ARGUMENT") as Error);
    expect(() => database.addCommitHook({})).toThrow(fails("INVALID_ARGUMENT") as Error);
  });
});
