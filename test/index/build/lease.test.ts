/** Leases: one owner at a time, taken over when nobody renews, and no commit without. */
import { describe, expect, test } from "vitest";
import { LEASE_PRESETS, Lease, type LeaseParts } from "../../../src/index/build/lease.js";
import { Subspace } from "../../../src/keyspace/subspace.js";
import { referenceDatabase, virtualWorld, withMutant } from "./fixtures.js";

const key = Subspace.of("work").pack([]);
const settings = { waitMs: 5_000, renewMs: 1_000, staleMs: 3_000 };

function scene(): LeaseParts & { readonly world: ReturnType<typeof virtualWorld> } {
  const world = virtualWorld();
  return { world, database: referenceDatabase(world), root: Subspace.of("root") };
}

/** Resolves when it is told to. */
function latch(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
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
