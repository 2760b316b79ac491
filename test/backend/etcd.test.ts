/**
 * The etcd backend on a fake of etcd, where what real servers do rarely can be made to happen: answers that get lost, requests
 * that take effect late, members that do not run, compaction.
 */

import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { type Etcd3Module, loadEtcd3 } from "../../src/backend/etcd/client.js";
import { type EtcdDatabaseOptions, openEtcdDatabase } from "../../src/backend/etcd/database.js";
import { UNHEARD_CHANNELS } from "../../src/platform/event-sink.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Database } from "../../src/transaction/transaction.js";
import { SharedDatabase } from "../transaction/contract/backend.js";
import { b, everything, fails, fill, rows, s, u64 } from "../transaction/contract/support.js";
import { defineContract } from "../transaction/contract.js";
import { FakeEtcd, type Fate } from "./fake-etcd.js";

const platform = nodePlatform();
const MAX_OPERATIONS = 20_000;

function open(etcd: FakeEtcd, options: Partial<EtcdDatabaseOptions> = {}): Promise<Database> {
  return openEtcdDatabase(
    { hosts: etcd.hosts, maxOperations: etcd.maxOperations, watchIntervalMs: 1, ...options },
    platform,
    etcd.connect,
  );
}

describe("the etcd backend on a fake of etcd", () => {
  const etcd = new FakeEtcd();
  etcd.maxOperations = MAX_OPERATIONS;
  let count = 0;
  const shared = new SharedDatabase((transactions) => open(etcd, { prefix: `${++count}/`, transactions }));
  afterAll(() => shared.close());

  defineContract({
    name: "fake etcd",
    limits: { largeTransactions: "TRANSACTION_TOO_LARGE" },
    run: (body, setting) => shared.run(body, setting),
  });
});

describe("answers that get lost", () => {
  const fates = fc.array(
    fc.constantFrom<Fate>("answered", "lost", "applied, answer lost", "applied late, answer lost"),
    { minLength: 1, maxLength: 40 },
  );

  test("each transaction takes effect once, and nobody is told that the result is unknown", async () => {
    await fc.assert(
      fc.asyncProperty(fates, fc.integer({ min: 1, max: 3 }), async (script, clients) => {
        const etcd = new FakeEtcd();
        let next = 0;
        etcd.fate = () => script[next++] ?? "answered";
        const databases = await Promise.all(Array.from({ length: clients }, () => open(etcd)));
        await Promise.all(
          databases.flatMap((db, client) =>
            Array.from({ length: 4 }, (_, n) =>
              db.transact(async (tx) => {
                const last = s(await tx.get(b(`last/${client}`))) ?? "";
                tx.set(b(`last/${client}`), b(`${last}.`));
                tx.atomic("add", b("count"), u64(1));
                tx.setVersionstampedKey(b("log/0123456789"), 4, b(`${client} ${n}`));
              }),
            ),
          ),
        );
        const db = databases[0] as Database; // at least one
        const after = await everything(db);
        expect(after.filter((row) => row.startsWith("log/")).length).toBe(4 * clients);
        expect(after.filter((row) => row.startsWith("last/"))).toEqual(
          databases.map((_, client) => `last/${client}=....`),
        );
        expect((await db.read((tx) => tx.get(b("count"))))?.[0]).toBe(4 * clients);
        for (const one of databases) await one.close();
      }),
      { numRuns: 30 },
    );
  });

  test("when nobody can be asked any more, the result is unknown", async () => {
    const etcd = new FakeEtcd();
    const db = await open(etcd, { unavailableAfterMs: 20 });
    etcd.fate = () => {
      etcd.isDown.fill(true);
      return "applied, answer lost";
    };
    const tx = db.createTransaction();
    tx.set(b("k"), b("v"));
    await expect(tx.commit()).rejects.toEqual(fails("COMMIT_UNKNOWN_RESULT"));
    etcd.isDown.fill(false);
    etcd.fate = () => "answered";
    expect(await everything(db)).toEqual(["k=v"]);
    // The lane whose end is not known is not used again.
    await fill(db, "a", "b");
    expect(await everything(db)).toEqual(["a=A", "b=B", "k=v"]);
    await db.close();
  });
});

describe("members that do not run", () => {
  test("the others are asked, for reads, commits and watches", async () => {
    const etcd = new FakeEtcd();
    const db = await open(etcd);
    await fill(db, "k");
    const watching = db.createTransaction();
    const watch = watching.watch(b("k"));
    await watching.commit();
    etcd.isDown[0] = true;
    expect(await everything(db)).toEqual(["k=K"]);
    await db.transact((tx) => tx.set(b("k"), b("changed")));
    await watch.changed;
    await db.close();
  });

  test("a program that waits for one does not end meanwhile", async () => {
    const etcd = new FakeEtcd();
    const { clock, random, scheduler } = platform;
    const waits: (boolean | undefined)[] = [];
    const noting: typeof scheduler = {
      defer: (task) => scheduler.defer(task),
      after: (delayMs, task, keepsAlive) => {
        waits.push(keepsAlive);
        return scheduler.after(delayMs, task, keepsAlive);
      },
    };
    etcd.isDown.fill(true);
    const options = { hosts: etcd.hosts, unavailableAfterMs: 20 };
    const opening = openEtcdDatabase(
      options,
      { clock, random, scheduler: noting, events: UNHEARD_CHANNELS },
      etcd.connect,
    );
    await expect(opening).rejects.toEqual(fails("UNAVAILABLE"));
    expect(new Set(waits)).toEqual(new Set([true]));
  });

  test("without any, the error says so, before a commit too, and passes", async () => {
    const etcd = new FakeEtcd();
    const db = await open(etcd, { unavailableAfterMs: 20 });
    etcd.isDown.fill(true);
    const tx = db.createTransaction();
    tx.set(b("k"), b("v"));
    await expect(tx.commit()).rejects.toMatchObject({
      code: "UNAVAILABLE",
      retryable: true,
      maybeCommitted: false,
    });
    await expect(open(etcd, { unavailableAfterMs: 20 })).rejects.toEqual(fails("UNAVAILABLE"));
    etcd.isDown.fill(false);
    expect(await everything(db)).toEqual([]);
    await db.close();
  });
});

describe("limits of etcd", () => {
  test("more reads, or writes, than a transaction may have are refused before anything is sent", async () => {
    const etcd = new FakeEtcd();
    const db = await open(etcd);
    for (let from = 0; from < 200; from += 100) {
      await fill(db, ...Array.from({ length: 100 }, (_, i) => `k${String(from + i).padStart(3, "0")}`));
    }
    const reading = db.createTransaction();
    expect((await reading.getRangeAll(b("k"), b("l"))).length).toBe(200);
    reading.set(b("x"), b("1"));
    await expect(reading.commit()).rejects.toMatchObject({
      code: "TRANSACTION_TOO_LARGE",
      message: expect.stringContaining("--max-txn-ops") as string,
    });
    const snapshot = db.createTransaction();
    await snapshot.snapshot.getRangeAll(b("k"), b("l"));
    snapshot.set(b("x"), b("1"));
    await snapshot.commit();
    const writing = db.createTransaction();
    for (let i = 0; i < 200; i++) writing.set(b(`w${i}`), b("1"));
    await expect(writing.commit()).rejects.toEqual(fails("TRANSACTION_TOO_LARGE"));
    await db.close();
  });

  test("a limit that is set higher than etcd's comes back as etcd's refusal", async () => {
    const etcd = new FakeEtcd();
    const db = await open(etcd, { maxOperations: 1_000 });
    const tx = db.createTransaction();
    for (let i = 0; i < 200; i++) tx.set(b(`w${i}`), b("1"));
    await expect(tx.commit()).rejects.toEqual(fails("TRANSACTION_TOO_LARGE"));
    await db.close();
  });

  test("what has been compacted is too old", async () => {
    const etcd = new FakeEtcd();
    const db = await open(etcd);
    await fill(db, "k");
    const tx = db.createTransaction();
    await tx.getReadVersion();
    await fill(db, "l");
    etcd.compact();
    await expect(tx.get(b("k"))).rejects.toEqual(fails("TRANSACTION_TOO_OLD"));
    expect(rows(await db.read((later) => later.getRangeAll(b("k"), b("l"))))).toEqual(["k=K"]);
    await db.close();
  });
});

test("additions of several clients add up without a conflict", async () => {
  const etcd = new FakeEtcd();
  const databases = await Promise.all(Array.from({ length: 4 }, () => open(etcd)));
  const once = { retryLimit: 0 };
  await Promise.all(
    databases.flatMap((db) =>
      Array.from({ length: 5 }, () => db.transact((tx) => tx.atomic("add", b("n"), u64(1)), once)),
    ),
  );
  const [db] = databases as [Database];
  expect((await db.read((tx) => tx.get(b("n"))))?.[0]).toBe(20);
  for (const one of databases) await one.close();
});

describe("a write that counts as none", () => {
  const silently = (db: Database, write: (tx: Parameters<Parameters<Database["transact"]>[0]>[0]) => void) =>
    db.transact((tx) => {
      tx.skipNextWriteConflict();
      write(tx);
    });

  test("makes no reader fail, whether it puts, changes or removes", async () => {
    const db = await open(new FakeEtcd());
    await fill(db, "a", "b", "c");
    const [points, range] = [db.createTransaction(), db.createTransaction()];
    for (const key of ["a", "b", "new"]) await points.get(b(key));
    await range.getRangeAll(b("a"), b("z"));
    for (const tx of [points, range]) tx.set(b("mine"), b("1"));
    await silently(db, (tx) => tx.set(b("a"), b("changed")));
    await silently(db, (tx) => tx.set(b("a"), b("changed again")));
    await silently(db, (tx) => tx.clear(b("b")));
    await silently(db, (tx) => tx.set(b("new"), b("1")));
    await points.commit();
    // The other one has read where `points` has written.
    await expect(range.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
    await db.close();
  });

  test("hides no write that counts, before it or after", async () => {
    const db = await open(new FakeEtcd());
    await fill(db, "a");
    for (const order of [
      ["silent", "loud"],
      ["loud", "silent"],
    ]) {
      const tx = db.createTransaction();
      await tx.get(b("a"));
      tx.set(b("mine"), b("1"));
      for (const kind of order) {
        if (kind === "loud") await db.transact((other) => other.set(b("a"), b("loud")));
        else await silently(db, (other) => other.set(b("a"), b("silent")));
      }
      await expect(tx.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
    }
    await db.close();
  });
});

test("an old version can be read by its number, though others write to etcd as well", async () => {
  const etcd = new FakeEtcd();
  const [db, other] = [await open(etcd), await open(etcd, { prefix: "other/" })];
  const versions: number[] = [];
  for (const value of ["1", "2", "3"]) {
    await db.transact((tx) => tx.set(b("k"), b(value)));
    versions.push(await db.read((tx) => tx.getReadVersion()));
    for (let i = 0; i < 5; i++) await fill(other, "k");
  }
  for (const [index, version] of versions.entries()) {
    const tx = (await open(etcd)).createTransaction();
    tx.setReadVersion(version);
    expect(s(await tx.get(b("k")))).toBe(String(index + 1));
    tx.cancel();
  }
});

test("a versionstamp holds the version of its commit", async () => {
  const db = await open(new FakeEtcd());
  await fill(db, "a", "b");
  const tx = db.createTransaction();
  tx.setVersionstampedValue(b("k"), b("0123456789"), 0);
  const stamp = tx.getVersionstamp();
  await tx.commit();
  expect(Buffer.from(await stamp).readBigUInt64BE()).toBe(BigInt(tx.getCommittedVersion()));
  expect(await db.read((later) => later.get(b("k")))).toEqual(await stamp);
  await db.close();
});

test("a key with a versionstamp that is cleared afterwards is not written", async () => {
  const db = await open(new FakeEtcd());
  await db.transact((tx) => {
    tx.setVersionstampedKey(b("gone0123456789"), 4, b("1"));
    tx.clearRange(b("a"), b("z"));
    tx.setVersionstampedKey(b("kept0123456789"), 4, b("2"));
  });
  expect((await everything(db)).map((row) => row.slice(0, 4))).toEqual(["kept"]);
  await db.close();
});

test("the traces of removed keys go with their lease, and a removal finds itself another", async () => {
  const etcd = new FakeEtcd();
  const db = await open(etcd, { prefix: "p/" });
  await fill(db, "k");
  await db.transact((tx) => tx.clear(b("k")));
  expect(etcd.keys.filter((key) => key.startsWith("p/x"))).toEqual(["p/xk"]);
  etcd.endLeases();
  expect(etcd.keys.filter((key) => key.startsWith("p/x"))).toEqual([]);
  await fill(db, "k");
  await db.transact((tx) => tx.clear(b("k")));
  expect(await everything(db)).toEqual([]);
  await db.close();
});

test("closing leaves only the data, its version and the list of markers behind", async () => {
  const etcd = new FakeEtcd();
  const db = await open(etcd, { prefix: "p/" });
  await fill(db, "k");
  await db.transact((tx) => tx.addWriteConflictKey(b("x")));
  await db.close();
  expect(etcd.keys).toEqual(["p/dk", "p/m", "p/s"]);
});

test("without the package, opening says what to install", async () => {
  const missing = loadEtcd3({}, () => Promise.reject(new Error("Cannot find package 'etcd3'")));
  await expect(missing).rejects.toMatchObject({
    code: "MISSING_DEPENDENCY",
    message: expect.stringContaining("npm install etcd3@1") as string,
  });
});

test("the package's types are what the backend takes them for", async () => {
  const etcd3 = (await import("etcd3")) satisfies Etcd3Module;
  expect(typeof etcd3.Etcd3).toBe("function");
});

test.each([
  [{ hosts: [] }, "INVALID_ARGUMENT"],
  [{ hosts: ["0"], prefix: "" }, "INVALID_ARGUMENT"],
  [{ hosts: ["0"], maxOperations: 3 }, "INVALID_ARGUMENT"],
  [{ hosts: ["0"], fast: true }, "UNKNOWN_OPTION"],
  [{ hosts: ["0"], transactions: { fast: true } }, "UNKNOWN_OPTION"],
])("bad options are refused: %j", async (options, code) => {
  const opening = openEtcdDatabase(options as EtcdDatabaseOptions, platform, new FakeEtcd().connect);
  await expect(opening).rejects.toEqual(fails(code));
});
