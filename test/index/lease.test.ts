/** Leases: one owner at a time, taken over when nobody renews, and no commit without. */
import { describe, expect, test } from "vitest";
import { IndexManager } from "../../src/collection/index-manager.js";
import { underLease } from "../../src/index/environment.js";
import { LEASE_PRESETS, Lease, type LeaseParts } from "../../src/index/lease.js";
import { Subspace } from "../../src/keyspace/subspace.js";
import { KEYSPACE } from "../../src/record/keyspace.js";
import { latch } from "../latch.js";
import { document, openDocs, referenceDatabase, virtualWorld, withMutant } from "./build/fixtures.js";

const key = Subspace.of("work").pack([]);
const settings = { waitMs: 5_000, renewMs: 1_000, staleMs: 3_000 };

function scene(): LeaseParts & { readonly world: ReturnType<typeof virtualWorld> } {
  const world = virtualWorld();
  return { world, database: referenceDatabase(world), root: Subspace.of("root") };
}

describe("a lease", () => {
  test("lets one in after the other, and is given back also when the work fails", async () => {
    const parts = scene();
    let inside = 0;
    let most = 0;
    const work = async (fails: boolean): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise((resolve) => setImmediate(resolve));
      inside--;
      if (fails) throw new Error("work");
    };
    const runs = [false, true, false, true].map((fails) =>
      new Lease(parts, "w", settings).execute(() => work(fails)),
    );
    const ends = await Promise.allSettled(runs);
    expect(ends.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled", "rejected"]);
    expect(most).toBe(1);
    const { begin, end } = parts.root.range();
    expect(await parts.database.read((reader) => reader.getRangeAll(begin, end))).toEqual([]);
  });

  test("is renewed while the work goes on, so that nobody else comes in", async () => {
    const parts = scene();
    const { opened, open } = latch();
    const first = new Lease(parts, "w", settings).execute(() => opened);
    await new Promise((resolve) => setImmediate(resolve));
    // It polls, and time passes for the renewals as well.
    await expect(new Lease(parts, "w", settings).execute(async () => {})).rejects.toMatchObject({
      code: "LEASE_HELD",
    });
    expect(parts.world.clock.nowMs()).toBeGreaterThanOrEqual(5_000);
    expect(await new Lease(parts, "other", settings).execute(async () => "free")).toBe("free");
    open();
    await first;
    expect(await new Lease(parts, "w", settings).execute(async () => "free")).toBe("free");
  });

  test("that nobody renews is taken, and its owner commits nothing any more", async () => {
    const parts = scene();
    const { opened, open } = latch();
    // The platform of a process that stands still: its timers do not run.
    const frozen = {
      ...parts,
      world: { ...parts.world, scheduler: { ...parts.world.scheduler, after: NEVER } },
    };
    const lost = new Lease(frozen, "w", settings).execute(async (lease) => {
      await opened;
      await frozen.database.transact(async (transaction) => {
        await lease.check(transaction);
        transaction.set(key, Uint8Array.of(1));
      });
    });
    lost.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(await new Lease(parts, "w", settings).execute(async () => "taken")).toBe("taken");
    expect(parts.world.clock.nowMs()).toBeGreaterThanOrEqual(3_000);
    open();
    await expect(lost).rejects.toMatchObject({ code: "LEASE_LOST" });
    expect(await parts.database.read((reader) => reader.get(key))).toBeUndefined();
  });

  test("that is taken between the check and the commit fails the commit", async () => {
    const attempt = async (): Promise<unknown> => {
      const parts = scene();
      return new Lease(parts, "w", settings)
        .execute(async (lease) => {
          const transaction = parts.database.createTransaction();
          await lease.check(transaction);
          transaction.set(key, Uint8Array.of(1));
          await parts.database.transact((other) => other.set(ownerKey(parts), Uint8Array.of(9)));
          await transaction.commit();
        })
        .then(
          () => "committed",
          (error) => error,
        );
    };
    expect(await attempt()).toMatchObject({ code: "NOT_COMMITTED" });
    expect(await withMutant("I11-lease-checked-without-conflict", attempt)).toBe("committed");
  });

  test("is over with the last transaction of its work, if that commits", async () => {
    const parts = scene();
    const { begin, end } = parts.root.range();
    const left = () => parts.database.read((reader) => reader.getRangeAll(begin, end));
    await new Lease(parts, "w", settings).execute(async (lease) => {
      const failed = parts.database.transact((transaction) => {
        lease.release(transaction);
        throw new Error("not committed");
      });
      await expect(failed).rejects.toThrow("not committed");
      expect(await left()).toHaveLength(2);
      await parts.database.transact((transaction) => lease.release(transaction));
      expect(await left()).toEqual([]);
      const late = parts.database.transact((transaction) => lease.check(transaction));
      await expect(late).rejects.toMatchObject({ code: "LEASE_LOST" });
    });
  });

  test("covers what is done to indexes under it, and builds take none of their own", async () => {
    const world = virtualWorld();
    const store = await openDocs(referenceDatabase(world), world);
    await store.collection("Doc").put(document(1));
    const { database, root } = store.shared;
    const { begin, end } = root.subspace(KEYSPACE.leases).range();
    const leases: Promise<readonly unknown[]>[] = [];
    const onProgress = (): void => {
      leases.push(database.read((reader) => reader.getRangeAll(begin, end)));
    };
    await new Lease(store.shared, "w", settings).execute(async (lease) => {
      const indexes = new IndexManager(underLease(store.shared, lease));
      await indexes.rebuild("Doc", "group" as never, { inlineItems: 0, onProgress });
      expect(leases.length).toBeGreaterThan(0);
      for (const rows of leases) expect(await rows).toHaveLength(2);
      await indexes.buildShadow("Doc", "group" as never);
      await database.transact((transaction) => lease.release(transaction));
      const lost = { code: "LEASE_LOST" };
      await expect(indexes.swapShadow("Doc", "group" as never)).rejects.toMatchObject(lost);
      await expect(indexes.buildShadow("Doc", "value" as never)).rejects.toMatchObject(lost);
      await store.indexes.disable("Doc", "value");
      await store.indexes.enable("Doc", "value");
      await expect(indexes.build("Doc", "value" as never)).rejects.toMatchObject(lost);
    });
    expect(await store.indexes.get("Doc", "group")).toMatchObject({
      shadow: { build: { isComplete: true } },
    });
  });

  test("is free at once when the clock was put back to before it was given", async () => {
    const parts = scene();
    let backMs = 0;
    const { clock } = parts.world;
    const world = { ...parts.world, clock: { ...clock, wallMs: () => clock.wallMs() - backMs } };
    const { opened, open } = latch();
    const first = new Lease({ ...parts, world }, "w", settings).execute(() => opened);
    await new Promise((resolve) => setImmediate(resolve));
    backMs = 1e9;
    expect(
      await new Lease({ ...parts, world }, "w", { ...settings, waitMs: 0 }).execute(async () => "free"),
    ).toBe("free");
    open();
    await first;
  });

  test("refuses to be renewed more seldom than it lasts", () => {
    expect(() => new Lease(scene(), "w", { ...LEASE_PRESETS.default, renewMs: 60_000 })).toThrow(
      expect.objectContaining({ code: "INVALID_ARGUMENT" }),
    );
  });
});

const NEVER = () => ({ cancel() {} });

function ownerKey({ root }: LeaseParts): Uint8Array {
  return root.pack([5, "w", 0]);
}
