/**
 * Change feeds: a change is in the feed if and only if it is committed, in the order of the commits, once. Over the engine, which
 * nobody else can commit to, and over the same as if others could.
 */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { simulate } from "../../sim/harness/simulate.js";
import { Store } from "../../src/engine/store.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Platform } from "../../src/platform/platform.js";
import { ATOMIC_OPERATIONS, type AtomicOperation } from "../../src/transaction/atomic.js";
import type { ChangeFeedCommit } from "../../src/transaction/change-feeds.js";
import { StorageDatabase } from "../../src/transaction/database.js";
import { EngineStorage } from "../../src/transaction/engine-storage.js";
import type { TransactionStorage } from "../../src/transaction/storage.js";
import type { Transaction } from "../../src/transaction/transaction.js";
import { b, fails, rows, s } from "./contract/support.js";
import { FeedReplica } from "./fixtures/feed-replica.js";

const FEED = "feed";
const RANGE = { begin: b("b"), end: b("y") };

/** The engine behind answers that take some turns, so that commits overtake each other; if shared, without its promise. */
function far(storage: TransactionStorage, isShared: boolean): TransactionStorage {
  let count = 0;
  const travel = async <T>(answer: T): Promise<T> => {
    for (let turns = count++ % 4; turns > 0; turns--) await nextTurn();
    return answer;
  };
  return {
    isExclusive: !isShared,
    openView: async (version) => travel(await storage.openView(version)),
    commit: async (request) => travel(await storage.commit(request)),
    watch: (key, value, version) => storage.watch(key, value, version),
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function openDatabase(
  platform: Platform,
  directory: string,
  isShared: boolean,
  isFar: boolean,
): Promise<StorageDatabase> {
  const store = await Store.open(directory, {}, platform);
  const engine = new EngineStorage(store, platform.clock);
  const { clock, scheduler, random } = platform;
  return new StorageDatabase({
    storage: isFar ? far(engine, isShared) : engine,
    clock,
    scheduler,
    random,
    settings: { changeFeeds: true },
    close: async () => {
      engine.close();
      await store.close();
    },
  });
}

async function all(commits: AsyncIterable<ChangeFeedCommit>): Promise<ChangeFeedCommit[]> {
  const found: ChangeFeedCommit[] = [];
  for await (const commit of commits) found.push(commit);
  return found;
}

const brief = ({ mutations }: ChangeFeedCommit): string[] =>
  mutations.map((mutation) => {
    switch (mutation.type) {
      case "set":
        return `${s(mutation.key)}=${s(mutation.value)}`;
      case "clear":
        return `-${s(mutation.key)}`;
      case "clearRange":
        return `-[${s(mutation.begin)}, ${s(mutation.end)})`;
      case "atomic":
        return `${mutation.operation} ${s(mutation.key)} ${s(mutation.operand)}`;
    }
  });

for (const isShared of [false, true]) {
  describe(isShared ? "on a storage that others commit to" : "on a storage of its own", () => {
    let database: StorageDatabase;
    const set = (...keys: string[]): Promise<Transaction> =>
      database.transact((tx) => {
        for (const key of keys) tx.set(b(key), b("1"));
        return tx;
      });
    const inRange = async (): Promise<string[]> =>
      rows(await database.read((tx) => tx.getRangeAll(RANGE.begin, RANGE.end)));

    beforeEach(async () => {
      const platform = nodePlatform({ vfs: await createMemoryVFS() });
      database = await openDatabase(platform, "/db", isShared, true);
    });
    afterEach(() => database.close());

    test("a feed holds what was committed in its range since, with each mutation as it was given", async () => {
      await set("early");
      await database.changeFeeds.create(FEED, RANGE);
      await set("a", "c", "z");
      await set("a");
      await database.transact((tx) => {
        tx.clearRange(b("a"), b("d"));
        tx.set(b("b"), b("2"));
        tx.clear(b("e"));
        tx.atomic("add", b("f"), b("1"));
        tx.setVersionstampedValue(b("g"), b("0123456789"), 0);
        tx.setVersionstampedKey(b("h0123456789"), 1, b("3"));
        tx.setVersionstampedKey(b("z0123456789"), 1, b("4"));
      });
      const found = await all(database.changeFeeds.read(FEED));
      const stamp = s(found[1]?.versionstamp);
      expect(found.map(brief)).toEqual([
        ["c=1"],
        ["-[b, d)", "b=2", "-e", "add f 1", `g=${stamp}`, `h${stamp}=3`],
      ]);
    });

    test("versions and stamps of the entries are those of the commits, and reading goes on behind any of them", async () => {
      await database.changeFeeds.create(FEED, RANGE);
      const versions: number[] = [];
      for (const key of ["c", "d", "e"]) versions.push((await set(key)).getCommittedVersion());
      const found = await all(database.changeFeeds.read(FEED));
      expect(found.map(({ version }) => version)).toEqual(versions);
      const later = database.changeFeeds.read(FEED, { from: (versions[0] as number) + 1 });
      expect((await all(later)).map(brief)).toEqual([["d=1"], ["e=1"]]);
      expect((await all(database.changeFeeds.read(FEED, { limit: 2 }))).map(brief)).toEqual([
        ["c=1"],
        ["d=1"],
      ]);
    });

    test("what is refused is in no feed", async () => {
      await database.changeFeeds.create(FEED, RANGE);
      const loser = database.createTransaction();
      await loser.get(b("c"));
      loser.set(b("d"), b("lost"));
      await set("c");
      await expect(loser.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
      expect((await all(database.changeFeeds.read(FEED))).map(brief)).toEqual([["c=1"]]);
    });

    test("two feeds are independent, whatever their names", async () => {
      await database.changeFeeds.create("a", RANGE);
      await database.changeFeeds.create("ab", { begin: b("m"), end: b("n") });
      await set("c", "m");
      await set("c");
      expect((await all(database.changeFeeds.read("a"))).map(brief)).toEqual([["c=1", "m=1"], ["c=1"]]);
      expect((await all(database.changeFeeds.read("ab"))).map(brief)).toEqual([["m=1"]]);
      await database.changeFeeds.remove("a");
      await set("m");
      expect((await all(database.changeFeeds.read("ab"))).map(brief)).toEqual([["m=1"], ["m=1"]]);
      expect((await database.changeFeeds.list()).map(({ name }) => name)).toEqual(["ab"]);
    });

    test("registering again is no error and loses nothing, but another range is", async () => {
      const version = await database.changeFeeds.create(FEED, RANGE);
      await set("c");
      expect(await database.changeFeeds.create(FEED, RANGE)).toBe(version);
      expect((await all(database.changeFeeds.read(FEED))).map(brief)).toEqual([["c=1"]]);
      const other = database.changeFeeds.create(FEED, { begin: b("c"), end: b("y") });
      await expect(other).rejects.toEqual(fails("EXISTS"));
    });

    test("what was popped cannot be read, and what was not can", async () => {
      await database.changeFeeds.create(FEED, RANGE);
      await set("c");
      const version = (await set("d")).getCommittedVersion();
      await database.changeFeeds.pop(FEED, version);
      await database.changeFeeds.pop(FEED, version - 1);
      expect((await all(database.changeFeeds.read(FEED))).map(brief)).toEqual([["d=1"]]);
      const below = all(database.changeFeeds.read(FEED, { from: version - 1 }));
      await expect(below).rejects.toEqual(fails("CHANGE_FEED_POPPED"));
      expect(await database.changeFeeds.describe(FEED)).toMatchObject({ poppedVersion: version });
    });

    test("a feed that is not there, or not any more, is a typed error", async () => {
      await expect(all(database.changeFeeds.read(FEED))).rejects.toEqual(fails("CHANGE_FEED_NOT_REGISTERED"));
      await expect(database.changeFeeds.pop(FEED, 1)).rejects.toEqual(fails("CHANGE_FEED_NOT_REGISTERED"));
      await expect(database.changeFeeds.remove(FEED)).rejects.toEqual(fails("CHANGE_FEED_NOT_REGISTERED"));
      await database.changeFeeds.create(FEED, RANGE);
      await set("c");
      const tail = database.changeFeeds.read(FEED, { wait: true })[Symbol.asyncIterator]();
      await tail.next();
      const ended = expect(tail.next()).rejects.toEqual(fails("CHANGE_FEED_NOT_REGISTERED"));
      await database.changeFeeds.remove(FEED);
      await database.changeFeeds.create(FEED, RANGE);
      await ended;
    });

    test("a commit of ten million bytes is chunks, and reads as one commit", async () => {
      await database.changeFeeds.create(FEED, RANGE);
      const value = new Uint8Array(99_000).fill(7);
      const count = 98;
      await database.transact((tx) => {
        for (let i = 0; i < count; i++) tx.set(b(`k${i}`), value);
      });
      await set("c");
      const found = await all(database.changeFeeds.read(FEED));
      expect(found.map(({ mutations }) => mutations.length)).toEqual([count, 1]);
      expect(found[0]?.mutations.every(({ type, ...rest }) => type === "set" && "value" in rest)).toBe(true);
      const entries = await database.read(
        (tx) => tx.getRangeAll(b("\xff/feed/entry/"), b("\xff/feed/entry0")),
        {
          accessSystemKeys: true,
        },
      );
      expect(Math.max(...entries.map((entry) => entry[1].length))).toBeLessThanOrEqual(65_537);
    });

    test("a commit of a hundred thousand mutations reads as one commit", async () => {
      await database.changeFeeds.create(FEED, RANGE);
      const count = 100_000;
      await database.transact((tx) => {
        for (let i = 0; i < count; i++) tx.set(b(`k${i}`), b(""));
      });
      const found = await all(database.changeFeeds.read(FEED));
      expect(found.map(({ mutations }) => mutations.length)).toEqual([count]);
    });

    test("a reader that waits gets what is committed later, and ends when it is told to", async () => {
      await database.changeFeeds.create(FEED, RANGE);
      const end = new AbortController();
      const found: string[][] = [];
      const reader = (async () => {
        for await (const commit of database.changeFeeds.read(FEED, { wait: true, signal: end.signal })) {
          found.push(brief(commit));
          if (found.length === 3) break;
        }
      })();
      for (const key of ["c", "a", "d", "e"]) await set(key);
      await reader;
      expect(found).toEqual([["c=1"], ["d=1"], ["e=1"]]);
      const idle = all(database.changeFeeds.read(FEED, { from: 1_000_000, wait: true, signal: end.signal }));
      end.abort();
      expect(await idle).toEqual([]);
    });

    test("no change is missed while the feed is being registered", async () => {
      let isRegistered = false;
      const versions: number[] = [];
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        const commits: Promise<void>[] = [];
        for (let i = 0; !isRegistered || i < 5; i++) {
          commits.push(set(`c${writer}.${i}`).then((tx) => void versions.push(tx.getCommittedVersion())));
          await nextTurn();
        }
        await Promise.all(commits);
      });
      await set("before");
      const version = await database.changeFeeds.create(FEED, RANGE);
      isRegistered = true;
      await Promise.all(writers);
      const recorded = (await all(database.changeFeeds.read(FEED))).map((commit) => commit.version);
      const expected = versions.filter((other) => other > version).sort((a, c) => a - c);
      expect(recorded).toEqual(expected);
      expect(expected.length).toBeLessThan(versions.length);
    });

    test("the feed replayed into an empty model is the range, after any program", async () => {
      let program = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(anyTransaction, { maxLength: 12 }),
          fc.boolean(),
          async (transactions, together) => {
            await database.transact((tx) => tx.clearRange(b(""), b("\xff")));
            const name = `program ${program++}`;
            await database.changeFeeds.create(name, RANGE);
            const runs = transactions.map(
              (steps) => () => database.transact((tx) => steps.forEach((step) => step(tx))),
            );
            if (together) await Promise.all(runs.map((run) => run()));
            else for (const run of runs) await run();
            const replica = new FeedReplica();
            // In two readings, the second behind the last version of the first.
            await replica.follow(database.changeFeeds.read(name, { limit: 3 }));
            await replica.follow(database.changeFeeds.read(name, { from: replica.version + 1 }));
            expect(replica.rows()).toEqual((await inRange()).sort());
            await database.changeFeeds.remove(name);
          },
        ),
        { numRuns: 60 },
      );
    });
  });
}

const anyKey = fc.constantFrom("a", "b", "c", "d", "m", "x", "y", "z").map(b);
const anyValue = fc.constantFrom("", "1", "22", "333").map(b);
const anyStep: fc.Arbitrary<(tx: Transaction) => void> = fc.oneof(
  fc.tuple(anyKey, anyValue).map(
    ([key, value]) =>
      (tx: Transaction) =>
        tx.set(key, value),
  ),
  anyKey.map((key) => (tx: Transaction) => tx.clear(key)),
  fc.tuple(anyKey, anyKey).map(([one, two]) => {
    const [begin, end] = Buffer.compare(one, two) <= 0 ? [one, two] : [two, one];
    return (tx: Transaction): void => tx.clearRange(begin as Uint8Array, end as Uint8Array);
  }),
  fc.tuple(fc.constantFrom(...(Object.keys(ATOMIC_OPERATIONS) as AtomicOperation[])), anyKey, anyValue).map(
    ([operation, key, operand]) =>
      (tx: Transaction) =>
        tx.atomic(operation, key, operand),
  ),
  anyKey.map((key) => (tx: Transaction) => tx.setVersionstampedValue(key, b("..0123456789"), 2)),
  anyKey.map(
    (key) => (tx: Transaction) =>
      tx.setVersionstampedKey(Buffer.concat([key, new Uint8Array(10)]), 1, b("stamped")),
  ),
);
const anyTransaction = fc.array(anyStep, { minLength: 1, maxLength: 6 });

test("a storage that others may commit to has no feeds unless it is opened for them", async () => {
  const platform = nodePlatform({ vfs: await createMemoryVFS() });
  const store = await Store.open("/db", {}, platform);
  const { clock, scheduler, random } = platform;
  const storage = far(new EngineStorage(store, clock), true);
  const database = new StorageDatabase({ storage, clock, scheduler, random, close: () => store.close() });
  await expect(database.changeFeeds.create(FEED, RANGE)).rejects.toEqual(fails("INVALID_ARGUMENT"));
  await database.close();
});

test("after every crash the feed is what the store is, and a reader that goes on has each commit once", async () => {
  const range = { begin: b("a"), end: b("z") };
  const report = await simulate<number>({
    seeds: 60,
    scenario: async ({ platform, directory, acknowledge, random }) => {
      const database = await openDatabase(platform, `${directory}/db`, false, false);
      await database.changeFeeds.create(FEED, range);
      acknowledge(0);
      const writers = Array.from({ length: 3 }, async (_, writer) => {
        for (let i = 0; i < 4; i++) {
          const tx = database.createTransaction();
          tx.set(b(`k${random.nextUint32() % 5}`), b(`${writer}.${i}`));
          if (i === 1) tx.clearRange(b("k0"), b("k3"));
          tx.atomic("appendIfFits", b("log"), b("x"));
          await tx.commit();
          acknowledge(tx.getCommittedVersion());
        }
      });
      await Promise.all(writers);
      await database.close();
    },
    check: async ({ platform, directory, acknowledged }) => {
      const database = await openDatabase(platform, `${directory}/db`, false, false);
      if (acknowledged.length === 0) await database.changeFeeds.create(FEED, range);
      const replica = new FeedReplica();
      const versions = new Set<number>();
      const follow = async (): Promise<void> => {
        for await (const commit of database.changeFeeds.read(FEED, { from: replica.version + 1 })) {
          replica.apply(commit);
          versions.add(commit.version);
        }
        const stored = rows(await database.read((tx) => tx.getRangeAll(range.begin, range.end)));
        if (stored.sort().join() !== replica.rows().join())
          throw new Error(`${stored.join()} but ${replica.rows().join()}`);
      };
      await follow();
      for (const version of acknowledged) {
        if (version > 0 && !versions.has(version)) throw new Error(`version ${version} is not in the feed`);
      }
      await database.transact((tx) => tx.set(b("k1"), b("after the crash")));
      await follow();
      await database.close();
    },
  });
  expect(report.crashStates).toBeGreaterThan(5);
});
