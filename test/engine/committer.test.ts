/**
 * The commit pipeline as a store's users see it: what is acknowledged when, what is visible when, what a failing disk
 * leaves. On a plain disk whose syncs the test holds and whose calls it makes fail.
 */
import { describe, expect, test } from "vitest";
import { Batch } from "../../src/engine/batch.js";
import type { StoreOptions } from "../../src/engine/options.js";
import { Store } from "../../src/engine/store.js";
import { StillwaterError } from "../../src/platform/errors.js";
import {
  type ManualPlatform,
  ManualScheduler,
  manualPlatform,
  type Outcome,
} from "./fixtures/manual-platform.js";
import { bytes, rowsOf, text } from "./fixtures/model.js";
import { type Call, failure, PlainVFS } from "./fixtures/plain-vfs.js";

interface Opened {
  readonly store: Store;
  readonly vfs: PlainVFS;
  readonly platform: ManualPlatform;
}

async function opened(
  options: StoreOptions = {},
  vfs?: PlainVFS,
  scheduler = new ManualScheduler(),
): Promise<Opened> {
  const disk = vfs ?? new PlainVFS(scheduler);
  const platform = manualPlatform(disk, scheduler);
  return {
    store: await platform.settle(
      Store.open("/store", { memtableBytes: 65_536, blockCacheBytes: 65_536, ...options }, platform),
    ),
    vfs: disk,
    platform,
  };
}

/** What a process that was killed now would leave, opened by another. */
async function afterKill({ vfs }: Opened, options: StoreOptions = {}): Promise<Opened> {
  const scheduler = new ManualScheduler();
  return opened(options, new PlainVFS(scheduler, vfs.files()), scheduler);
}

async function valuesAfterKill(one: Opened): Promise<string[]> {
  const other = await afterKill(one);
  const keys = rowsOf(other.store).map(([key]) => key);
  await other.platform.settle(other.store.close());
  return keys;
}

function put(store: Store, key: string, value = "v"): Promise<number> {
  return store.put(bytes(key), bytes(value));
}

function batch(key: string, value = "v"): Batch {
  return new Batch().put(bytes(key), bytes(value));
}

/** Where a promise stands: not settled, or how. */
function watch<T>(promise: Promise<T>): { state: "pending" | "resolved" | string; value: T | undefined } {
  const watched: { state: string; value: T | undefined } = { state: "pending", value: undefined };
  promise.then(
    (value) => {
      watched.state = "resolved";
      watched.value = value;
    },
    (error: unknown) => {
      watched.state = error instanceof StillwaterError ? error.code : `untyped: ${String(error)}`;
    },
  );
  return watched;
}

describe("order of a commit", () => {
  test("nothing is acknowledged or visible before the sync that covers it, and both come right after", async () => {
    const { store, vfs, platform } = await opened();
    await platform.settle(put(store, "first"));
    vfs.holdsSyncs = true;
    const one = watch(put(store, "a"));
    const two = watch(store.write(batch("b")));
    await platform.pass(1000);
    expect([one.state, two.state, store.version]).toEqual(["pending", "pending", 10]);
    expect(store.getSync(bytes("a"))).toBeUndefined();
    expect(rowsOf(store)).toEqual([["first", "v"]]);
    vfs.holdsSyncs = false;
    vfs.releaseSyncs();
    await platform.pass(1);
    expect([one.state, one.value, two.state, two.value, store.version]).toEqual([
      "resolved",
      11,
      "resolved",
      12,
      12,
    ]);
    expect(rowsOf(store)).toHaveLength(3);
    await platform.settle(store.close());
  });

  test("the bytes are in the file before the sync is asked for", async () => {
    const { store, vfs, platform } = await opened();
    await platform.settle(put(store, "first"));
    const order: Call[] = [];
    vfs.before = (call, path) => {
      if (path.endsWith(".wal")) order.push(call);
    };
    await platform.settle(put(store, "a"));
    expect(order).toEqual(["write", "syncDataLater"]);
    vfs.before = null;
    await platform.settle(store.close());
  });

  test("commits of one turn share one record and one sync; those that arrive meanwhile share the next", async () => {
    const { store, vfs, platform } = await opened();
    await platform.settle(put(store, "first"));
    const syncs = vfs.count("syncDataLater");
    const writes = vfs.count("write");
    vfs.holdsSyncs = true;
    const early = Array.from({ length: 100 }, (_, i) => put(store, `a${i}`));
    await platform.pass(1);
    const late = Array.from({ length: 200 }, (_, i) => put(store, `b${i}`));
    await platform.pass(1);
    expect([vfs.count("syncDataLater") - syncs, vfs.count("write") - writes]).toEqual([1, 1]);
    vfs.holdsSyncs = false;
    vfs.releaseSyncs();
    const versions = await platform.settle(Promise.all([...early, ...late]));
    expect(versions).toEqual(Array.from({ length: 300 }, (_, i) => 11 + i));
    expect([vfs.count("syncDataLater") - syncs, vfs.count("write") - writes]).toEqual([2, 2]);
    await platform.settle(store.close());
  });

  test("a group takes no more commits than groupCommitsMax", async () => {
    const { store, vfs, platform } = await opened({ groupCommitsMax: 10 });
    await platform.settle(put(store, "first"));
    const writes = vfs.count("write");
    await platform.settle(Promise.all(Array.from({ length: 35 }, (_, i) => put(store, `a${i}`))));
    expect(vfs.count("write") - writes).toBe(4);
    await platform.settle(store.close());
  });

  test("buffered commits are acknowledged without a sync, survive a kill, and are synced within bufferedSyncMs", async () => {
    const one = await opened({ durability: "buffered", bufferedSyncMs: 40 });
    const { store, vfs, platform } = one;
    vfs.holdsSyncs = true;
    expect(await platform.settle(put(store, "a"))).toBe(10);
    expect(rowsOf(store)).toEqual([["a", "v"]]);
    expect(vfs.count("syncDataLater")).toBe(0);
    expect(await valuesAfterKill(one)).toEqual(["a"]);
    await platform.pass(39);
    expect(vfs.count("syncDataLater")).toBe(0);
    await platform.pass(2);
    expect(vfs.count("syncDataLater")).toBe(1);
    vfs.holdsSyncs = false;
    vfs.releaseSyncs();
    await platform.settle(store.close());
  });

  test("a buffered commit behind a sync commit becomes visible after it, never before", async () => {
    const { store, vfs, platform } = await opened();
    await platform.settle(put(store, "first"));
    vfs.holdsSyncs = true;
    const sync = watch(put(store, "k", "sync"));
    await platform.pass(1);
    const buffered = watch(store.put(bytes("k"), bytes("buffered"), { durability: "buffered" }));
    await platform.pass(1);
    expect([sync.state, buffered.state]).toEqual(["pending", "pending"]);
    expect(store.getSync(bytes("k"))).toBeUndefined();
    vfs.holdsSyncs = false;
    vfs.releaseSyncs();
    await platform.pass(1);
    expect([sync.value, buffered.value]).toEqual([11, 12]);
    expect(text(store.getSync(bytes("k")) as Uint8Array)).toBe("buffered");
    await platform.settle(store.close());
  });

  test("durability none syncs nothing until the memtable is sealed, and a close keeps everything", async () => {
    const { store, vfs, platform } = await opened({ durability: "none" });
    await platform.settle(put(store, "a"));
    await platform.pass(1000);
    expect(vfs.count("syncDataLater")).toBe(0);
    await platform.settle(store.close());
    const again = await opened({}, vfs, platform.scheduler);
    expect(rowsOf(again.store)).toEqual([["a", "v"]]);
    await platform.settle(again.store.close());
  });

  test("requireVersionAtLeast lets a write through only at or above that version", async () => {
    const { store, platform } = await opened();
    const version = await platform.settle(put(store, "a"));
    const require = (requireVersionAtLeast: number): Promise<number> =>
      store.put(bytes("b"), bytes("v"), { requireVersionAtLeast });
    expect(await platform.outcome(require(version + 1))).toMatchObject({
      error: { code: "VERSION_TOO_LOW" },
    });
    expect(await platform.settle(require(version))).toBe(version + 1);
    expect(await platform.settle(require(0))).toBe(version + 2);
    await platform.settle(store.close());
  });
});

describe("blocking commits", () => {
  test("writeSync is durable, visible and in order when it returns, also behind commits that wait", async () => {
    const one = await opened();
    const { store, platform } = one;
    await platform.settle(put(store, "first"));
    const waiting = put(store, "k", "1");
    expect(store.writeSync(batch("k", "2"))).toBe(12);
    expect(text(store.getSync(bytes("k")) as Uint8Array)).toBe("2");
    expect(await valuesAfterKill(one)).toEqual(["first", "k"]);
    expect(await platform.settle(waiting)).toBe(11);
    await platform.settle(store.close());
  });

  test("writeSync fills segment after segment while flushes keep up, and says BUSY where it would have to wait", async () => {
    const one = await opened({ memtableBytes: 4096, immutableMemtablesMax: 1 });
    const { store, platform } = one;
    const acknowledged: string[] = [];
    let busy = 0;
    for (let i = 0; i < 200; i++) {
      try {
        store.writeSync(batch(`k${String(i).padStart(3, "0")}`, "x".repeat(200)));
        acknowledged.push(`k${String(i).padStart(3, "0")}`);
      } catch (error) {
        expect(error).toMatchObject({ code: "BUSY" });
        busy++;
        await platform.pass(10);
      }
    }
    expect(busy).toBeGreaterThan(0);
    expect(rowsOf(store).map(([key]) => key)).toEqual(acknowledged);
    expect(await valuesAfterKill(one)).toEqual(acknowledged);
    await platform.settle(store.close());
  });

  test("[D4] a blocking commit is not acknowledged by a sync that follows a failed one of the same bytes", async () => {
    // Linux reports a write-back error once for each open file: of two syncs of one handle, one gets it and the other
    // succeeds although the bytes are lost.
    const one = await opened();
    const { store, vfs, platform } = one;
    await platform.settle(put(store, "first"));
    vfs.holdsSyncs = true;
    let acknowledged: number | null = null;
    try {
      acknowledged = store.writeSync(batch("k"));
    } catch (error) {
      expect(error).toBeInstanceOf(StillwaterError);
    }
    expect(vfs.heldSyncs > 0 && acknowledged !== null).toBe(false);
    vfs.holdsSyncs = false;
    vfs.releaseSyncs();
    await platform.settle(store.close());
  });

  test("[D4] a blocking commit beside a sync in flight is acknowledged by no other sync of that handle", async () => {
    const { store, vfs, platform } = await opened();
    await platform.settle(put(store, "first"));
    vfs.holdsSyncs = true;
    const early = watch(put(store, "a"));
    await platform.pass(1);
    expect(vfs.heldSyncs).toBe(1);
    let acknowledged: number | null = null;
    try {
      acknowledged = store.writeSync(batch("b"));
    } catch (error) {
      expect(error).toMatchObject({ code: "BUSY" });
    }
    // The sync in flight fails now: nothing that was written before may have been acknowledged.
    vfs.holdsSyncs = false;
    vfs.releaseSyncs(failure("IO", "syncDataLater", "wal"));
    await platform.pass(1);
    expect(acknowledged).toBeNull();
    expect(early.state).toBe("FAILED_STOP");
    await platform.settle(store.close());
  });
});

describe("when background work lags", () => {
  const tiny: StoreOptions = {
    memtableBytes: 4096,
    immutableMemtablesMax: 1,
    level0CompactionFiles: 2,
    level0StallFiles: 3,
    level0LimitFiles: 4,
    levelBaseBytes: 8192,
    tableBytes: 4096,
  };

  test("[CX-17] commits wait in a stall, and progress resolves it without loss or reordering", async () => {
    const { store, platform } = await opened(tiny);
    const writes = Array.from({ length: 300 }, (_, i) =>
      put(store, `k${String(i % 40)}`, `${i}`.padEnd(100, ".")),
    );
    const versions = await platform.settle(Promise.all(writes));
    expect(versions).toEqual(Array.from({ length: 300 }, (_, i) => 10 + i));
    expect(rowsOf(store)).toHaveLength(40);
    for (let i = 260; i < 300; i++)
      expect(text(store.getSync(bytes(`k${i % 40}`)) as Uint8Array)).toMatch(`${i}.`);
    await platform.settle(store.close());
  });

  test("[CX-17] commits past pendingCommitsMax fail with BUSY at once, and those that wait are kept", async () => {
    const { store, platform } = await opened({ ...tiny, pendingCommitsMax: 20 });
    const outcomes = Array.from({ length: 300 }, (_, i) => watch(put(store, `k${i}`, "x".repeat(100))));
    await platform.pass(60_000);
    const busy = outcomes.filter(({ state }) => state === "BUSY").length;
    const done = outcomes.filter(({ state }) => state === "resolved");
    expect(busy).toBeGreaterThan(0);
    expect(busy + done.length).toBe(300);
    expect(rowsOf(store)).toHaveLength(done.length);
    await platform.settle(store.close());
  });

  test("[CX-17] past the hard limit of level-0 tables a commit fails with BUSY, and is taken again after compaction", async () => {
    const { store, platform } = await opened({
      ...tiny,
      immutableMemtablesMax: 16,
      level0CompactionFiles: 1,
      level0StallFiles: 2,
      level0LimitFiles: 3,
      beatRows: 1,
    });
    const outcomes: { state: string }[] = [];
    // Flushes go before compactions, so a burst that fits the sealed memtables piles tables up.
    for (let round = 0; round < 30; round++) {
      for (let i = 0; i < 6; i++) outcomes.push(watch(store.write(large(`k${round}.${i}`))));
      for (let turn = 0; turn < 30; turn++) await platform.turn();
    }
    expect(outcomes.filter(({ state }) => state === "BUSY").length).toBeGreaterThan(0);
    await platform.pass(60_000);
    expect(new Set(outcomes.map(({ state }) => state))).toEqual(new Set(["resolved", "BUSY"]));
    expect(store.inspect().levels[0]?.length).toBeLessThan(3);
    expect(await platform.settle(put(store, "last"))).toBeGreaterThan(0);
    expect(rowsOf(store)).toHaveLength(12 * outcomes.filter(({ state }) => state === "resolved").length + 1);
    await platform.settle(store.close());
  });

  test("[CX-17] a commit held back by debt is rejected, not thrown into the event loop, when the limit is passed meanwhile", async () => {
    const states = new Set<string>();
    for (const turnMs of [0.02, 0.1, 0.3]) {
      const { store, platform } = await opened({
        ...tiny,
        immutableMemtablesMax: 16,
        level0CompactionFiles: 1,
        level0StallFiles: 2,
        level0LimitFiles: 3,
        levelBaseBytes: 1024,
        slowdownDebtBytes: 0,
        beatRows: 1,
      });
      platform.scheduler.turnMs = turnMs;
      const outcomes: { state: string }[] = [];
      for (let round = 0; round < 30; round++) {
        for (let i = 0; i < 6; i++) outcomes.push(watch(store.write(large(`k${i}.${round}`))));
        // An error of a timer's task would end the test here, as it would end a process.
        for (let turn = 0; turn < 7 + round; turn++) await platform.turn();
      }
      platform.scheduler.turnMs = 0;
      await platform.pass(60_000);
      for (const { state } of outcomes) states.add(state);
      await platform.settle(store.close());
    }
    expect(states).toEqual(new Set(["resolved", "BUSY"]));
  });

  test("[CX-17] commits held back by debt go on when the log is full and compaction cannot pay the debt", async () => {
    const { store, vfs, platform } = await opened({
      ...tiny,
      immutableMemtablesMax: 16,
      level0CompactionFiles: 1,
      level0StallFiles: 50,
      level0LimitFiles: 60,
      slowdownDebtBytes: 0,
    });
    // Compactions open tables and fail; flushes open only the log. So each flush adds to the debt, and none is paid.
    vfs.before = (made, path) => {
      if (made === "openFile" && path.endsWith(".sst")) throw failure("IO", made, path);
    };
    const outcomes: { state: string }[] = [];
    for (let i = 0; i < 8; i++) {
      outcomes.push(watch(store.write(large(`k${i}`))));
      await platform.pass(100);
    }
    expect(store.stats().debtBytes).toBeGreaterThan(0);
    expect(outcomes.map(({ state }) => state)).toEqual(Array(8).fill("resolved"));
    vfs.before = null;
    await platform.settle(store.close());
  });

  /** A store with a debt that is never paid: compactions open tables and fail; flushes open only the log. */
  async function behind(): Promise<Opened> {
    const one = await opened({
      ...tiny,
      immutableMemtablesMax: 16,
      level0CompactionFiles: 1,
      level0StallFiles: 50,
      level0LimitFiles: 60,
      slowdownDebtBytes: 0,
    });
    one.vfs.before = (made, path) => {
      if (made === "openFile" && path.endsWith(".sst")) throw failure("IO", made, path);
    };
    for (let i = 0; i < 8; i++) {
      watch(one.store.write(large(`k${i}`)));
      await one.platform.pass(100);
    }
    return one;
  }

  test("while the store is behind, system commits come before others, and batch commits after them", async () => {
    const { store, vfs, platform } = await behind();
    const order: string[] = [];
    const outcomes = (["batch", "default", "default", "system"] as const).map((priority) =>
      watch(
        store.writePrepared(
          { prepare: () => batch("k"), accepted: () => order.push(priority) },
          undefined,
          priority,
        ),
      ),
    );
    await platform.turn();
    expect(order).toEqual(["system"]);
    await platform.pass(200);
    expect(order).toEqual(["system", "default", "default", "batch"]);
    expect(outcomes.map(({ state }) => state)).toEqual(Array(4).fill("resolved"));
    vfs.before = null;
    await platform.settle(store.close());
  });

  test("a batch commit that stays out of the way is refused when the store closes meanwhile", async () => {
    const { store, platform } = await behind();
    const late = watch(
      store.writePrepared({ prepare: () => batch("k"), accepted: () => {} }, undefined, "batch"),
    );
    await platform.settle(store.close());
    await platform.pass(200);
    expect(late.state).toBe("CLOSED");
  });
});

/** A commit that fills a memtable of 4 KiB by itself, with keys all over the key space. */
function large(prefix: string): Batch {
  const filling = new Batch();
  for (let i = 0; i < 12; i++) filling.put(bytes(`${i}.${prefix}`), bytes("x".repeat(300)));
  return filling;
}

describe("fail-stop", () => {
  /** Fails each call of this kind on files of this ending, from now on. */
  function failOn(
    vfs: PlainVFS,
    call: Call,
    ending: string,
    code: StillwaterError["code"] = "IO",
  ): { count: number } {
    const failed = { count: 0 };
    vfs.before = (made, path) => {
      if (made !== call || !path.endsWith(ending)) return;
      failed.count++;
      throw failure(code, made, path);
    };
    return failed;
  }

  test("close tells of a failure that comes up only while closing, and gives everything back all the same", async () => {
    // Nothing is logged before the seal, so the first write of the log is the close's own.
    const { store, vfs, platform } = await opened({ durability: "none" });
    await platform.settle(put(store, "acknowledged"));
    failOn(vfs, "write", ".wal");
    expect(await platform.outcome(store.close())).toMatchObject({
      kind: "rejected",
      error: { code: "FAILED_STOP" },
    });
    vfs.before = null;
    const again = await platform.settle(Store.open("/store", {}, platform));
    await platform.settle(again.close());
  });

  async function filled(options: StoreOptions = {}): Promise<Opened> {
    const one = await opened(options);
    await one.platform.settle(put(one.store, "in a table"));
    await one.platform.settle(one.store.flush());
    await one.platform.settle(put(one.store, "in the log"));
    return one;
  }

  /** Writes reject, reads go on, close works, and what was acknowledged is there after a reopen. */
  /** `closing`: what `close` then says; it is silent unless something acknowledged may be lost. */
  async function expectFailStop(
    one: Opened,
    acknowledged: readonly string[],
    closing: Partial<Outcome<void>> = { kind: "resolved" },
  ): Promise<void> {
    const { store, vfs, platform } = one;
    expect(store.inspect().failedStop).toBe(true);
    expect(store.stats().failure).toContain("stopped accepting writes");
    for (const write of [
      () => put(store, "x"),
      () => store.delete(bytes("x")),
      () => store.deleteRange(bytes("a"), bytes("z")),
      () => store.write(batch("x")),
      () => store.put(bytes("x"), bytes("x"), { durability: "buffered" }),
      async () => store.writeSync(batch("x")),
      () => store.flush(),
      () => store.compact(),
      () => store.checkpoint("/copy"),
    ]) {
      expect(await platform.outcome<unknown>(write())).toMatchObject({
        kind: "rejected",
        error: { code: "FAILED_STOP" },
      });
    }
    for (const key of acknowledged) expect(store.getSync(bytes(key)), key).toBeDefined();
    expect(rowsOf(store).map(([key]) => key)).toEqual(expect.arrayContaining([...acknowledged]));
    const snapshot = store.snapshot();
    expect(store.getSync(bytes("in a table"), { snapshot })).toBeDefined();
    snapshot.close();
    vfs.before = null;
    expect(await platform.outcome(store.close())).toMatchObject(closing);
    expect(vfs.handles.size).toBe(0);
    expect(vfs.locks.size).toBe(0);
    const again = await opened({}, vfs, platform.scheduler);
    expect(rowsOf(again.store).map(([key]) => key)).toEqual(expect.arrayContaining([...acknowledged]));
    expect((await platform.settle(again.store.verify())).problems).toEqual([]);
    expect(await platform.settle(put(again.store, "after"))).toBeGreaterThan(0);
    await platform.settle(again.store.close());
  }

  test("[D4][D13] after a failed write of the log", async () => {
    const one = await filled();
    const failed = failOn(one.vfs, "write", ".wal");
    const lost = await one.platform.outcome(put(one.store, "lost"));
    expect(lost).toMatchObject({ error: { code: "FAILED_STOP", cause: { code: "IO" } } });
    expect(one.store.getSync(bytes("lost"))).toBeUndefined();
    await one.platform.pass(10_000);
    expect(failed.count).toBe(1);
    await expectFailStop(one, ["in a table", "in the log"]);
  });

  test("[D4] after a failed sync of the log, which is not tried again", async () => {
    const one = await filled();
    const failed = failOn(one.vfs, "syncDataLater", ".wal");
    const first = watch(put(one.store, "lost"));
    const second = watch(one.store.put(bytes("lost too"), bytes("v"), { durability: "buffered" }));
    await one.platform.pass(10_000);
    expect([first.state, second.state]).toEqual(["FAILED_STOP", "FAILED_STOP"]);
    expect(failed.count).toBe(1);
    let later = 0;
    one.vfs.before = (call, path) => {
      if ((call === "syncData" || call === "syncDataLater" || call === "write") && path.endsWith(".wal"))
        later++;
    };
    await one.platform.pass(10_000);
    expect(one.store.getSync(bytes("lost"))).toBeUndefined();
    await one.platform.settle(one.store.close());
    expect(later).toBe(0);
    const again = await opened({}, one.vfs, one.platform.scheduler);
    expect(rowsOf(again.store).map(([key]) => key)).toEqual(
      expect.arrayContaining(["in a table", "in the log"]),
    );
    await one.platform.settle(again.store.close());
  });

  test("[D4] after a failed sync of a blocking commit", async () => {
    const one = await filled();
    const failed = failOn(one.vfs, "syncData", ".wal");
    expect(() => one.store.writeSync(batch("lost"))).toThrow(
      expect.objectContaining({ code: "FAILED_STOP" }),
    );
    expect(failed.count).toBeLessThanOrEqual(1);
    await expectFailStop(one, ["in a table", "in the log"]);
  });

  test("[D4] after a failed sync of buffered commits that were acknowledged already", async () => {
    const one = await filled({ durability: "buffered" });
    await one.platform.pass(1000);
    failOn(one.vfs, "syncDataLater", ".wal");
    await one.platform.settle(put(one.store, "buffered"));
    await one.platform.pass(1000);
    const closing = { kind: "rejected", error: expect.objectContaining({ code: "FAILED_STOP" }) } as const;
    await expectFailStop(one, ["in a table", "in the log", "buffered"], closing);
  });

  test.each<readonly [string, Call, string]>([
    ["the seal's write", "write", ".wal"],
    ["the seal's sync", "syncDataLater", ".wal"],
    ["creating the next segment", "createFile", ".wal"],
    ["giving the next segment its size", "truncate", ".wal"],
    ["syncing the next segment's header", "syncData", ".wal"],
    ["syncing the next segment's name", "syncDirectory", "/store"],
    ["creating the manifest", "createFile", "000"],
    ["writing the manifest", "write", "000"],
    ["syncing the manifest", "syncData", "000"],
    ["writing the new CURRENT", "write", ".tmp"],
    ["renaming the new CURRENT", "rename", ".tmp"],
  ])("[FS-defect 4][D20] when rotation meets an error in %s", async (_where, call, ending) => {
    const one = await filled({ memtableBytes: 4096 });
    const { store, vfs, platform } = one;
    const acknowledged = ["in a table", "in the log"];
    vfs.before = (made, path) => {
      const matches = ending === "000" ? /MANIFEST-\d+$/.test(path) : path.endsWith(ending);
      if (made === call && matches && rotates) throw failure("IO", made, path);
    };
    let rotates = false;
    for (let i = 0; i < 8; i++) {
      await platform.settle(put(store, `k${i}`, "x".repeat(300)));
      acknowledged.push(`k${i}`);
    }
    rotates = true;
    const late = Array.from({ length: 40 }, (_, i) => ({
      key: `late${i}`,
      outcome: watch(put(store, `late${i}`, "x".repeat(300))),
    }));
    await platform.pass(1000);
    const flushed = platform
      .outcome(store.flush(), 1000)
      .catch((error: unknown) => ({ kind: "rejected" as const, error }));
    await platform.pass(1000);
    await flushed;
    if (!store.inspect().failedStop) {
      // The new manifest of the second flush of a life is an append: these errors strike only a first flush.
      vfs.before = null;
      await platform.settle(store.close());
      return;
    }
    for (const { key, outcome } of late) {
      expect(["resolved", "FAILED_STOP"]).toContain(outcome.state);
      if (outcome.state === "resolved") acknowledged.push(key);
    }
    await expectFailStop(one, acknowledged);
  });

  test("[D20] a manifest edit that fails leaves the old tree in use, deletes nothing, and stops writes", async () => {
    const one = await filled();
    const { store, vfs, platform } = one;
    const before = store.inspect().levels;
    const files = [...vfs.files().keys()];
    let fails = true;
    vfs.before = (call, path) => {
      if (fails && call === "syncData" && path.includes("MANIFEST")) throw failure("IO", call, path);
    };
    expect(await platform.outcome(store.flush())).toMatchObject({ error: { code: "FAILED_STOP" } });
    expect(store.inspect().levels).toEqual(before);
    for (const path of files) expect([...vfs.files().keys()]).toContain(path);
    fails = false;
    await expectFailStop(one, ["in a table", "in the log"]);
  });

  test("a store whose disk is gone altogether still closes, and gives its lock back", async () => {
    for (const busy of [false, true]) {
      const one = await filled({ memtableBytes: 4096, level0CompactionFiles: 1, level0StallFiles: 4 });
      const { store, vfs, platform } = one;
      if (busy) for (let i = 0; i < 60; i++) await platform.settle(put(store, `k${i % 9}`, "x".repeat(400)));
      vfs.before = (call, path) => {
        if (call !== "releaseLock" && call !== "close") throw failure("IO", call, path);
      };
      expect(await platform.outcome(put(store, "lost"))).toMatchObject({ error: { code: "FAILED_STOP" } });
      await platform.outcome(store.close());
      expect(vfs.locks.size).toBe(0);
      expect(vfs.handles.size).toBe(0);
    }
  });

  test("commits that wait in a stall when the disk fails are all rejected", async () => {
    const one = await opened({ memtableBytes: 4096, immutableMemtablesMax: 1 });
    const { store, vfs, platform } = one;
    const outcomes = Array.from({ length: 100 }, (_, i) => watch(put(store, `k${i}`, "x".repeat(300))));
    await platform.turn();
    failOn(vfs, "write", ".wal");
    await platform.pass(10_000);
    expect(outcomes.filter(({ state }) => state === "pending")).toEqual([]);
    expect(outcomes.some(({ state }) => state === "FAILED_STOP")).toBe(true);
    vfs.before = null;
    await platform.settle(store.close());
  });
});

describe("close", () => {
  test("waits for commits under way and makes buffered ones durable", async () => {
    const one = await opened({ durability: "buffered" });
    const { store, vfs, platform } = one;
    const writes = Array.from({ length: 50 }, (_, i) => put(store, `k${i}`));
    await platform.settle(store.close());
    expect(await platform.settle(Promise.all(writes))).toHaveLength(50);
    expect([...vfs.files().keys()].filter((path) => path.endsWith(".wal"))).toEqual([]);
    const again = await opened({}, vfs, platform.scheduler);
    expect(rowsOf(again.store)).toHaveLength(50);
    await platform.settle(again.store.close());
  });

  test("leaves no handle and no timer behind, whatever background work is cut off", async () => {
    for (let turns = 0; turns < 120; turns += 3) {
      const { store, vfs, platform } = await opened({
        memtableBytes: 4096,
        level0CompactionFiles: 1,
        level0StallFiles: 30,
        level0LimitFiles: 40,
        levelBaseBytes: 4096,
        tableBytes: 2048,
        beatRows: 2,
      });
      for (let i = 0; i < 40; i++) await platform.settle(put(store, `k${i % 15}`, "x".repeat(300)));
      for (let turn = 0; turn < turns; turn++) await platform.turn();
      const iterator = store.iterator();
      iterator.next();
      await platform.settle(store.close());
      expect([...vfs.handles].map(({ path }) => path)).toEqual([]);
      expect(vfs.locks.size).toBe(0);
      await platform.pass(0);
      expect(platform.scheduler.timerCount).toBe(0);
      const again = await opened({}, vfs, platform.scheduler);
      expect(again.store.recovery.quarantined).toEqual([]);
      expect(rowsOf(again.store)).toHaveLength(15);
      await platform.settle(again.store.close());
    }
  });

  test("in the middle of a compaction gives its output's handle back, and leaves no table that nothing names", async () => {
    const { store, vfs, platform } = await opened({
      memtableBytes: 16_384,
      level0CompactionFiles: 1,
      level0StallFiles: 30,
      level0LimitFiles: 40,
      beatRows: 1,
    });
    for (let i = 0; i < 300; i++) await platform.settle(put(store, `k${i % 150}`, "x".repeat(100)));
    const outputs = (): number =>
      [...vfs.handles].filter(({ path, isWritable }) => isWritable && path.endsWith(".sst")).length;
    while (store.inspect().immutableMemtables > 0 || outputs() === 0) await platform.turn();
    await platform.settle(store.close());
    expect([...vfs.handles].map(({ path }) => path)).toEqual([]);
    const again = await opened({}, vfs, platform.scheduler);
    expect(again.store.recovery.quarantined).toEqual([]);
    expect(rowsOf(again.store)).toHaveLength(150);
    await platform.settle(again.store.close());
  });

  test("settles every call that is under way: each resolves, or rejects with a typed error", async () => {
    const { store, platform } = await opened({
      memtableBytes: 4096,
      level0CompactionFiles: 1,
      level0StallFiles: 30,
      level0LimitFiles: 40,
      beatRows: 1,
    });
    for (let i = 0; i < 40; i++) await platform.settle(put(store, `k${i}`, "x".repeat(300)));
    const calls: { [name: string]: { state: string } } = {
      flush: watch(store.flush()),
      compact: watch(store.compact()),
      compactAgain: watch(store.compact()),
      verify: watch(store.verify()),
      checkpoint: watch(store.checkpoint("/copy")),
      put: watch(put(store, "last")),
    };
    await platform.turn();
    await platform.settle(store.close());
    await platform.pass(10_000);
    for (const [name, { state }] of Object.entries(calls))
      expect([name, state]).not.toEqual([name, "pending"]);
    for (const { state } of Object.values(calls)) expect(["resolved", "CLOSED"]).toContain(state);
  });

  test("on a full disk neither hangs nor loses: what the log holds is there after a reopen", async () => {
    const one = await opened({ memtableBytes: 4096 });
    const { store, vfs, platform } = one;
    for (let i = 0; i < 5; i++) await platform.settle(put(store, `k${i}`, "x".repeat(300)));
    vfs.before = (call, path) => {
      if (call === "createFile") throw failure("NO_SPACE", call, path);
    };
    await platform.outcome(store.close(), 120_000);
    expect(vfs.locks.size).toBe(0);
    expect(vfs.handles.size).toBe(0);
    vfs.before = null;
    const again = await opened({}, vfs, platform.scheduler);
    expect(rowsOf(again.store)).toHaveLength(5);
    await platform.settle(again.store.close());
  });
});
