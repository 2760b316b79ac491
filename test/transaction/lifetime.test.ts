/**
 * What five seconds do to a transaction, in virtual time: on the engine and on the reference model. Not part of the
 * contract, whose backends cannot let time pass.
 */
import { describe, expect, test } from "vitest";
import { ReferenceDatabase } from "../../sim/model/database/reference-database.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Platform } from "../../src/platform/platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database } from "../../src/transaction/transaction.js";
import { b, fails, fill, s, touch } from "./contract/support.js";

class Time {
  nowMs = 0;
}

async function platformAt(time: Time): Promise<Platform> {
  const platform = nodePlatform({ vfs: await createMemoryVFS() });
  return { ...platform, clock: { nowMs: () => time.nowMs, wallMs: () => time.nowMs } };
}

const BACKENDS: readonly (readonly [string, (time: Time) => Promise<Database>])[] = [
  ["the engine", async (time) => openEngineDatabase("/db", {}, await platformAt(time))],
  ["the reference model", async (time) => new ReferenceDatabase(await platformAt(time))],
];

describe.each(BACKENDS)("on %s", (_name, open) => {
  test("reads work for five seconds from the first, and then fail with TRANSACTION_TOO_OLD", async () => {
    const time = new Time();
    await using db = await open(time);
    await fill(db, "k");
    const tx = db.createTransaction({ timeoutMs: 0 });
    time.nowMs = 100_000;
    expect(s(await tx.get(b("k")))).toBe("K");
    await db.transact((other) => other.set(b("k"), b("new")));
    time.nowMs += 5_000;
    expect(s(await tx.get(b("k")))).toBe("K");
    time.nowMs += 1;
    await expect(tx.get(b("k"))).rejects.toEqual(fails("TRANSACTION_TOO_OLD"));
    await expect(tx.getRangeAll(b("a"), b("z"))).rejects.toEqual(fails("TRANSACTION_TOO_OLD"));
    // A read has failed, so the commit fails; the error passes.
    const error: unknown = await tx.commit().catch((reason: unknown) => reason);
    expect(error).toEqual(fails("TRANSACTION_TOO_OLD"));
    await tx.onError(error);
    expect(s(await tx.get(b("k")))).toBe("new");
    tx.cancel();
  });

  test("what was written meanwhile is told for five seconds, and later the commit is refused either way", async () => {
    for (const [lateMs, code] of [
      [4_999, "NOT_COMMITTED"],
      [60_000, "TRANSACTION_TOO_OLD"],
    ] as const) {
      const time = new Time();
      await using db = await open(time);
      const tx = db.createTransaction({ timeoutMs: 0 });
      await touch(tx, "k");
      await fill(db, "k");
      // Old history is forgotten while others commit.
      for (const atMs of [lateMs / 2, lateMs]) {
        time.nowMs = atMs;
        for (let i = 0; i < 50; i++) await fill(db, "other");
      }
      await expect(tx.commit()).rejects.toEqual(fails(code));
    }
  });

  test("a transaction that only writes commits, however old it is", async () => {
    const time = new Time();
    await using db = await open(time);
    const tx = db.createTransaction({ timeoutMs: 0 });
    tx.set(b("k"), b("1"));
    time.nowMs = 3_600_000;
    await tx.commit();
    expect(s(await db.read((later) => later.get(b("k"))))).toBe("1");
  });
});
