/** Verification of aggregations by a shadow, and of all indexes in turn: damage is found beside live writers, and an index built anew. */
import { describe, expect, test } from "vitest";
import type { VerifiedIndex } from "../../../src/index/scrub/verification.js";
import { hasCode } from "../../../src/platform/errors.js";
import { memoryDatabase, memoryWorld } from "../../collection/fixtures.js";
import { gated, referenceDatabase, virtualWorld } from "../build/fixtures.js";
import { type DocStore, document, openDocs, spaceOf } from "./fixtures.js";

const world = virtualWorld();

/** As the documents say. */
async function expectedTotals(store: DocStore): Promise<Map<string, [number: number, total: number]>> {
  const totals = new Map<string, [number, number]>();
  for (const { group, value } of await store.collection("Doc").scan({ limit: 1_000 })) {
    const [number, total] = totals.get(group) ?? [0, 0];
    totals.set(group, [number + 1, total + value]);
  }
  return totals;
}

async function expectSound(store: DocStore): Promise<void> {
  const docs = store.collection("Doc");
  const expected = [...(await expectedTotals(store))].sort(([a], [b]) => (a < b ? -1 : 1));
  const numbers = await docs.aggregates("number");
  const sums = await docs.aggregates("total");
  expect(numbers.map(({ group, value }) => [group[0], value])).toEqual(
    expected.map(([group, [number]]) => [group, number]),
  );
  expect(sums.map(({ group, value }) => [group[0], value.sum])).toEqual(
    expected.map(([group, [, total]]) => [group, total]),
  );
}

/** One count too high, one gone, one of a group that is not there. */
async function damage(store: DocStore, index: "number" | "total"): Promise<void> {
  const { index: space } = await spaceOf(store, index);
  const bytes = index === "number" ? 8 : 24;
  await store.shared.database.transact((transaction) => {
    transaction.atomic(
      "add",
      space.pack(["g0"]),
      Uint8Array.from({ length: bytes }, (_, at) => Number(at === 0)),
    );
    transaction.clear(space.pack(["g1"]));
    transaction.set(
      space.pack(["none"]),
      Uint8Array.from({ length: bytes }, (_, at) => Number(at === bytes - 8)),
    );
  });
}

describe("a scrub of an aggregation", () => {
  test.each(["number", "total"] as const)(
    "finds every wrong group of %s, and repairs them when asked to",
    async (index) => {
      const store = await openDocs(referenceDatabase(world), world, 30);
      const sound = { dangling: 0, missing: 0, wrong: 0 };
      expect(await store.indexes.scrub("Doc", index)).toMatchObject({ ...sound, scanned: 3, repaired: 0 });
      await damage(store, index);
      const found = await store.indexes.scrub("Doc", index, { entriesPerTransaction: 1 });
      expect(found).toMatchObject({ dangling: 1, missing: 1, wrong: 1, repaired: 0 });
      expect((await store.indexes.get("Doc", index)).shadow).toBeNull();
      const mended = await store.indexes.scrub("Doc", index, { repair: true });
      expect(mended).toMatchObject({ dangling: 1, missing: 1, wrong: 1, repaired: 3 });
      expect(mended.findings.every(({ isRepaired }) => isRepaired)).toBe(true);
      await expectSound(store);
      expect(await store.indexes.scrub("Doc", index)).toMatchObject(sound);
    },
  );

  test("takes no write of others for damage, and loses none, whatever is written before its commits", async () => {
    await using database = await memoryDatabase();
    const real = memoryWorld();
    const writer = await openDocs(database, real, 30);
    let turn = -1;
    const gate = async (): Promise<void> => {
      if (turn < 0) return;
      const id = turn++ % 35;
      // A build reads all items: were there a write before each commit of it, none would go through.
      if (turn % 2 === 0) return;
      if (turn % 5 === 0) await writer.collection("Doc").delete(id);
      else await writer.collection("Doc").put(document(id, turn % 4));
    };
    const scrubber = await openDocs(gated(database, gate), real, 0);
    for (const index of ["number", "total"] as const) {
      for (const repair of [false, true]) {
        turn = 0;
        const result = await scrubber.indexes.scrub("Doc", index, { entriesPerTransaction: 1, repair });
        expect(result.findings).toEqual([]);
        turn = -1;
        await damage(writer, index);
        turn = 0;
        await scrubber.indexes.scrub("Doc", index, { entriesPerTransaction: 1, repair: true });
        turn = -1;
        await expectSound(writer);
      }
    }
  });

  test("goes on with the shadow that a scrub that was cut off has left", async () => {
    const store = await openDocs(referenceDatabase(world), world, 30);
    await damage(store, "number");
    await expect(
      store.indexes.scrub("Doc", "number", { entriesPerTransaction: 1 }, () => {
        throw new Error("the process ends");
      }),
    ).rejects.toThrow("the process ends");
    expect((await store.indexes.get("Doc", "number")).shadow).not.toBeNull();
    const rest = await store.indexes.scrub("Doc", "number", { repair: true });
    expect(rest).toMatchObject({ dangling: 1, missing: 1, wrong: 1, repaired: 3 });
    await expectSound(store);
  });
});

describe("periodic verification", () => {
  const ALL = ["big", "email", "group", "least", "number", "tags", "total"];

  async function until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      // Nobody waits for the next scrub, so its time does not come by itself.
      world.pass(50);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  test("scrubs every index in turn, again and again, and stops with the store", async () => {
    const store = await openDocs(referenceDatabase(world), world, 10);
    const seen: string[] = [];
    const verification = store.indexes.verify({
      intervalMs: 1_000,
      observer: { verified: ({ index }) => seen.push(index) },
    });
    await until(() => seen.length >= 2 * ALL.length);
    expect(seen.slice(0, 2 * ALL.length)).toEqual([...ALL, ...ALL]);
    await store.close();
    const { length } = seen;
    await verification.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(seen.length).toBe(length);
  });

  test("repairs a little damage row by row, builds an index with much of it anew, and goes on after an error", async () => {
    const store = await openDocs(referenceDatabase(world), world, 30);
    const { index: tags, items } = await spaceOf(store, "tags");
    const { index: group } = await spaceOf(store, "group");
    const { generation } = await store.indexes.get("Doc", "tags");
    await damage(store, "number");
    await store.shared.database.transact((transaction) => {
      transaction.clearRange(tags.range().begin, tags.range().end);
      transaction.clear(group.pack(["g0", 0]));
      // What is no item ends a scrub that reads it.
      transaction.set(items.keyOf(1_000), Uint8Array.of(1, 1));
    });
    const rebuilt: VerifiedIndex[] = [];
    const failed: unknown[] = [];
    let verified = 0;
    await using verification = store.indexes.verify({
      intervalMs: 1_000,
      rebuildAbove: 5,
      scrub: { repair: true, preset: "default" },
      observer: {
        verified: () => verified++,
        rebuilt: (index) => rebuilt.push(index),
        failed: (_, error) => {
          failed.push(error);
          throw new Error("the observer has a bug");
        },
      },
    });
    await until(() => failed.length >= ALL.length);
    expect(failed.every((error) => hasCode(error, "ITEM_CORRUPT"))).toBe(true);
    await store.shared.database.transact((transaction) => transaction.clear(items.keyOf(1_000)));
    verified = 0;
    await until(() => verified > 2 * ALL.length);
    expect(rebuilt).toEqual([{ collection: "Doc", index: "tags" }]);
    expect((await store.indexes.get("Doc", "tags")).generation).toBeGreaterThan(generation);
    await verification.close();
    for (const index of ALL) {
      expect((await store.indexes.scrub("Doc", index as "tags")).findings).toEqual([]);
    }
    await expectSound(store);
  });

  test("is refused with options that it cannot work with", async () => {
    const store = await openDocs(referenceDatabase(world), world, 0);
    for (const [options, code] of [
      [{ intervalMs: 0 }, "INVALID_ARGUMENT"],
      [{ intervalMs: 1, rebuildAbove: -1 }, "INVALID_ARGUMENT"],
      [{ intervalMs: 1, every: 2 }, "UNKNOWN_OPTION"],
      [{ intervalMs: 1, scrub: { repairs: true } }, "UNKNOWN_OPTION"],
    ] as const) {
      expect(() => store.indexes.verify(options as never)).toThrow(expect.objectContaining({ code }));
    }
  });
});
