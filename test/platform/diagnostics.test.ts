/** The store's events and traces, on Node's own channels. */
import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, tracingChannel, unsubscribe } from "node:diagnostics_channel";
import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { Store } from "../../src/engine/store.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";

const KEY = Buffer.from("key");

const memoryPlatform = async () => nodePlatform({ vfs: await createMemoryVFS() });

describe("tracing channels", () => {
  test("wrap transactions around their commits, and context that a listener binds reaches the commit", async () => {
    const context = new AsyncLocalStorage<string>();
    const seen: string[] = [];
    const transactions = tracingChannel("stillwater:transaction");
    const commits = tracingChannel("stillwater:commit");
    transactions.start.bindStore(context, () => "in the transaction");
    const onTransaction = {
      asyncEnd: (message: object) => {
        seen.push(`transaction ended with ${(message as { result: unknown }).result}`);
      },
    };
    const onCommit = {
      start: () => {
        seen.push(`commit ${context.getStore()}`);
      },
    };
    transactions.subscribe(onTransaction as never);
    commits.subscribe(onCommit as never);
    await using database = await openEngineDatabase("/store", {}, await memoryPlatform());
    const result = await database.transact((transaction) => {
      transaction.set(KEY, KEY);
      return "done";
    });
    transactions.start.unbindStore(context);
    transactions.unsubscribe(onTransaction as never);
    commits.unsubscribe(onCommit as never);
    await database.transact((transaction) => transaction.set(KEY, KEY));
    expect(result).toBe("done");
    expect(seen).toEqual(["commit in the transaction", "transaction ended with done"]);
  });

  test("tell of errors", async () => {
    const errors: unknown[] = [];
    const transactions = tracingChannel("stillwater:transaction");
    const listener = {
      error: (message: object) => {
        errors.push((message as { error: unknown }).error);
      },
    };
    transactions.subscribe(listener as never);
    await using database = await openEngineDatabase("/store", {}, await memoryPlatform());
    const problem = new Error("of the body");
    await expect(database.transact(() => Promise.reject(problem))).rejects.toBe(problem);
    transactions.unsubscribe(listener as never);
    expect(errors).toEqual([problem]);
    expect(database.metrics().counters["transaction_failures_total"]).toBe(1);
  });
});

describe("detectLeaks", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;

  async function leaksOf(detectLeaks: boolean) {
    const told: { kind: string; createdAt: string }[] = [];
    const listener = (event: unknown) => {
      told.push(event as { kind: string; createdAt: string });
    };
    subscribe("stillwater:leak", listener);
    await using store = await Store.open("/store", { detectLeaks }, await memoryPlatform());
    await store.put(KEY, KEY);
    forget(store);
    const kept = store.iterator();
    for (let tries = 0; tries < 50 && told.length < 2; tries++) {
      collect();
      await turn();
    }
    unsubscribe("stillwater:leak", listener);
    const { gauges, counters } = store.metrics();
    kept.close();
    return { told, gauges, counters };
  }

  /** Not inlined, so that nothing of it stays on the stack. */
  function forget(store: Store): void {
    store.iterator().next();
    store.snapshot();
    store.snapshot().close();
  }

  test("tells of forgotten iterators and snapshots with the place of creation, and gives back what they kept", async () => {
    const { told, gauges, counters } = await leaksOf(true);
    expect(told.map(({ kind }) => kind).sort()).toEqual(["iterator", "snapshot"]);
    for (const { createdAt } of told) expect(createdAt).toContain("forget");
    expect(gauges).toMatchObject({ open_iterators: 1, open_snapshots: 0 });
    expect(counters["leaks_total"]).toBe(2);
  });

  test("is off unless asked for: then what was forgotten is kept until the store closes", async () => {
    const { told, gauges } = await leaksOf(false);
    expect(told).toEqual([]);
    expect(gauges).toMatchObject({ open_iterators: 2, open_snapshots: 1 });
  });
});
