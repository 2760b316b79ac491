/** Builds of several indexes, from an index, of mirrored pairs, and builds that are not the same. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RecordStore } from "../../../src/collection/record-store.js";
import type { IndexEvent } from "../../../src/index/build/build-events.js";
import { sourceUse } from "../../../src/index/build/index-scan.js";
import type { StoredIndex } from "../../../src/record/catalogue.js";
import type { Database } from "../../../src/transaction/transaction.js";
import {
  type DocStore,
  document,
  expectRight,
  type IndexName,
  openDocs,
  referenceDatabase,
  SCHEMA,
  TALLY,
  toBuild,
  virtualWorld,
} from "./fixtures.js";

const FEW = { throttle: { firstItems: 5, maxItems: 5 }, inlineItems: 0 } as const;

let database: Database;
let store: DocStore;

beforeEach(async () => {
  const world = virtualWorld();
  database = referenceDatabase(world);
  store = await openDocs(database, world);
  for (let id = 0; id < 23; id++) await store.collection("Doc").put(document(id));
});

afterEach(() => store.close());

async function state(index: IndexName): Promise<string> {
  return (await store.indexes.get("Doc", index)).state;
}

async function giveUp(run: Promise<unknown>): Promise<void> {
  await expect(run).rejects.toThrow("given up");
}

const onProgress = (): void => {
  throw new Error("given up");
};

describe("several indexes", () => {
  test("are built in one scan, and become readable together", async () => {
    await toBuild(store, "tags", "tally", "email");
    await giveUp(store.indexes.build("Doc", ["tags", "tally", "email"], { ...FEW, onProgress }));
    const builds = (await store.indexes.list("Doc")).flatMap(({ build }) =>
      build === null ? [] : [build.itemsDone],
    );
    expect(builds).toEqual([5, 5, 5]);
    await store.collection("Doc").put(document(22, 1));
    await store.collection("Doc").put(document(2, 1));
    expect(await store.indexes.build("Doc", ["email", "tags", "tally"], FEW)).toMatchObject({ items: 18 });
    for (const index of ["tags", "tally", "email"] as const) {
      expect(await state(index)).toBe("readable");
      await expectRight(store, index);
    }
  });

  test("stay write-only all when one of them is violated", async () => {
    await store.indexes.disable("Doc", "email");
    await store.collection("Doc").put({ ...document(3), email: "4@x" });
    await store.indexes.enable("Doc", "email");
    await toBuild(store, "tags");
    await expect(store.indexes.build("Doc", ["tags", "email"])).rejects.toMatchObject({
      code: "INDEX_BUILD_VIOLATIONS",
      violations: [{ index: "email", values: ["4@x"], primaryKeys: [3, 4] }],
    });
    expect([await state("tags"), await state("email")]).toEqual(["writeOnly", "writeOnly"]);
  });
});

describe("another build", () => {
  test.each([
    ["with other indexes", ["tags"], {}],
    ["in another order", ["tags", "tally"], { from: "value" }],
  ] as const)("%s does not go on where one stands, but may begin anew", async (_, indexes, options) => {
    await toBuild(store, "tags", "tally");
    await giveUp(store.indexes.build("Doc", ["tags", "tally"], { ...FEW, onProgress }));
    await expect(store.indexes.build("Doc", indexes, { ...FEW, ...options })).rejects.toMatchObject({
      code: "INDEX_BUILD_MISMATCH",
    });
    await store.indexes.build("Doc", indexes, { ...FEW, ...options, clearFirst: true });
    await expectRight(store, "tags");
  });

  test("that begins anew ends the one that is under way", async () => {
    await toBuild(store, "tags", "tally");
    let other: Promise<unknown> | null = null;
    const run = store.indexes.build("Doc", ["tags", "tally"], {
      ...FEW,
      lease: false,
      onProgress: () => {
        other ??= store.indexes.build("Doc", "tags", { clearFirst: true, lease: false });
      },
    });
    await expect(run).rejects.toMatchObject({
      code: expect.stringMatching(/^(INDEX_BUILD_MISMATCH|ILLEGAL_INDEX_STATE)$/),
    });
    await other;
    await expectRight(store, "tags");
    expect(await state("tally")).toBe("writeOnly");
  });

  test("of the same waits for the lease of the first, and finds nothing to do", async () => {
    await toBuild(store, "tags");
    const both = await Promise.all([1, 2].map(() => store.indexes.build("Doc", "tags", FEW)));
    expect(both.map(({ items }) => items).sort()).toEqual([0, 23]);
    await expectRight(store, "tags");
  });
});

describe("from an index", () => {
  test.each([
    ["group", "tally", "rows"],
    ["forward", "backward", "rows"],
    ["value", "tally", "items"],
    ["value", "tags", "items"],
    ["value", "big", "rows"],
    ["big", "tally", "it is partial and lacks items"],
    ["tags", "tally", "it goes through a list and has an item several times, or not at all"],
    ["tally", "tags", 'it is of kind "com.example.tally" and has not one row for each item'],
    ["tags", "tags", "it goes through a list and has an item several times, or not at all"],
    ["value", "value", "it is to be built itself"],
  ] as const)("%s builds %s: %s", async (from, index, expected) => {
    const { catalogues, kinds } = store.shared;
    const catalogue = await database.read((reader) => catalogues.peek(reader));
    const named = (name: string): StoredIndex =>
      catalogue.collections.get("Doc")?.indexes.find((one) => one.name === name) as StoredIndex;
    const use = sourceUse(named(from), [named(index)], kinds);
    expect(use.use === "none" ? use.why : use.use).toBe(expected);
    if (use.use !== "none") {
      await toBuild(store, index);
      expect(await store.indexes.build("Doc", index, { ...FEW, from })).toMatchObject({ items: 23 });
      await expectRight(store, index);
    } else if (from !== index) {
      await toBuild(store, index);
      await expect(store.indexes.build("Doc", index, { ...FEW, from })).rejects.toMatchObject({
        code: "INDEX_SOURCE_UNSUITABLE",
      });
    }
  });

  test("that is not readable, or is rebuilt meanwhile, is refused", async () => {
    await toBuild(store, "value", "tally");
    await expect(store.indexes.build("Doc", "tally", { from: "value" })).rejects.toMatchObject({
      code: "INDEX_SOURCE_UNSUITABLE",
    });
    await store.indexes.build("Doc", "value");
    await giveUp(store.indexes.build("Doc", "tally", { ...FEW, from: "value", onProgress }));
    await store.indexes.rebuild("Doc", "value");
    await store.collection("Doc").put(document(4, 0));
    await expect(store.indexes.build("Doc", "tally", { ...FEW, from: "value" })).rejects.toMatchObject({
      code: "INDEX_BUILD_MISMATCH",
    });
    await store.indexes.build("Doc", "tally", { ...FEW, from: "value", clearFirst: true });
    await expectRight(store, "tally");
  });
});

describe("a mirrored pair", () => {
  test("is built together, and found to agree", async () => {
    await toBuild(store, "forward", "backward");
    await store.indexes.buildMutual("Doc", ["forward", "backward"], FEW);
    await expectRight(store, "forward");
    await expectRight(store, "backward");
  });

  test.each([
    ["forward", "backward"],
    ["backward", "forward"],
  ] as const)("stays write-only when %s lacks a row that the other has", async (damaged, sound) => {
    await toBuild(store, "forward", "backward");
    let isDamaged = false;
    const run = store.indexes.buildMutual("Doc", ["forward", "backward"], {
      ...FEW,
      // Waits between batches let others in.
      throttle: { ...FEW.throttle, firstDelayMs: 100 },
      onProgress: () => {
        isDamaged = true;
      },
    });
    // After the first batch.
    while (!isDamaged) await new Promise((resolve) => setImmediate(resolve));
    const id = damaged === "forward" ? 5 : 6;
    await database.transact(async (transaction) => {
      const space = store.shared.root.subspace(2, id, 1);
      const { begin, end } = space.range();
      const [row] = await transaction.getRangeAll(begin, end, { limit: 1 });
      if (row !== undefined) transaction.clear(row[0]);
    });
    await expect(run).rejects.toMatchObject({ code: "INDEX_INCONSISTENT", index: damaged });
    expect(await state(sound)).toBe("writeOnly");
  });

  test("is refused where the two do not mirror each other", async () => {
    await toBuild(store, "forward", "value");
    await expect(store.indexes.buildMutual("Doc", ["forward", "value"])).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });
});

test("whoever listens is told of progress and states", async () => {
  const events: IndexEvent[] = [];
  const heard = await RecordStore.open(database, SCHEMA, virtualWorld(), {
    kinds: [TALLY],
    events: { isHeard: true, publish: (event) => events.push(event as IndexEvent) },
  });
  await toBuild(heard, "tags");
  await heard.indexes.build("Doc", "tags", FEW);
  const told = events.map((event) => (event.type === "build-progress" ? event.itemsDone : event.state));
  expect(told).toEqual(["disabled", "writeOnly", 5, 10, 15, 20, 23, "readable"]);
});

test("a store that is closed stops its builds, and the next one goes on", async () => {
  await toBuild(store, "tally");
  const running = store.indexes.build("Doc", "tally", {
    ...FEW,
    throttle: { ...FEW.throttle, firstDelayMs: 100 },
  });
  running.catch(() => {});
  await new Promise((resolve) => setImmediate(resolve));
  await store.close();
  await expect(running).rejects.toMatchObject({ code: "OPERATION_CANCELLED" });
  store = await openDocs(database, virtualWorld());
  await store.indexes.build("Doc", "tally", FEW);
  await expectRight(store, "tally");
});
