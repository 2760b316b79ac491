/** One builder: sizes, states, going on after a crash, violations. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { BuildProgressEvent } from "../../../src/index/build/build-events.js";
import type { BuildViolationsError } from "../../../src/index/build/online-builder.js";
import type { StorageDatabase } from "../../../src/transaction/database.js";
import { memoryDatabase } from "../../collection/fixtures.js";
import {
  type DocStore,
  document,
  expectRight,
  type IndexName,
  openDocs,
  toBuild,
  virtualWorld,
  withMutant,
} from "./fixtures.js";

let database: StorageDatabase;
let store: DocStore;

beforeEach(async () => {
  database = await memoryDatabase();
  store = await openDocs(database, virtualWorld());
});

afterEach(async () => {
  await store.close();
  await database.close();
});

async function fill(count: number): Promise<void> {
  for (let from = 0; from < count; from += 250) {
    await store.transact(async (transaction) => {
      for (let id = from; id < Math.min(count, from + 250); id++) {
        await transaction.collection("Doc").put(document(id));
      }
    });
  }
}

const INDEXES: readonly IndexName[] = ["email", "tags", "big", "tally", "count", "sum"];

describe("a build", () => {
  test.each([0, 1, 99, 100, 101, 400])(
    "of %i items makes each kind of index complete and readable",
    async (count) => {
      await fill(count);
      for (const index of INDEXES) {
        await toBuild(store, index);
        expect(await store.indexes.get("Doc", index)).toMatchObject({ state: "writeOnly", build: null });
        expect(await store.indexes.build("Doc", index)).toMatchObject({ items: count, isOwnEnd: true });
        expect(await store.indexes.get("Doc", index)).toMatchObject({ state: "readable", build: null });
        await expectRight(store, index);
      }
    },
  );

  test("takes one transaction for a small collection, and batches of a hundred that grow for a large one", async () => {
    await fill(199);
    await toBuild(store, "group");
    expect(await store.indexes.build("Doc", "group")).toMatchObject({ batches: 1 });
    await fill(1_000);
    await toBuild(store, "group");
    const done: number[] = [];
    const onProgress = ({ itemsDone }: BuildProgressEvent) => done.push(itemsDone);
    await store.indexes.build("Doc", "group", { onProgress });
    expect(done).toEqual([100, 200, 300, 450, 600, 750, 975, 1_000]);
  });

  test("tells how far it is, from nothing to all", async () => {
    await fill(300);
    await toBuild(store, "group");
    const events: BuildProgressEvent[] = [];
    await store.indexes.build("Doc", "group", { onProgress: (event) => events.push(event) });
    for (const event of events) expect(event).toMatchObject({ collection: "Doc", index: "group" });
    const fractions = events.map(({ fraction }) => fraction);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions[0]).toBeCloseTo(1 / 3, 1);
    expect(fractions.at(-1)).toBe(1);
  });

  test.each(INDEXES)("of %s goes on where it was given up, after every batch of it", async (index) => {
    await fill(40);
    await toBuild(store, index);
    const options = { throttle: { firstItems: 3, maxItems: 3 }, inlineItems: 0 } as const;
    let starts = 0;
    for (let finished = false; !finished; starts++) {
      try {
        await store.indexes.build("Doc", index, {
          ...options,
          onProgress: () => {
            throw new Error("given up");
          },
        });
        finished = true;
      } catch (error) {
        expect(error).toMatchObject({ message: "given up" });
        expect(await store.indexes.get("Doc", index)).toMatchObject({ state: "writeOnly" });
        await store.collection("Doc").put(document((starts * 7) % 50, starts));
        await store.collection("Doc").delete((starts * 11) % 50);
      }
    }
    expect(starts).toBeGreaterThan(12);
    await expectRight(store, index);
    expect(await store.indexes.get("Doc", index)).toMatchObject({ state: "readable" });
  });

  test("that begins anew throws away what there is", async () => {
    await fill(40);
    await toBuild(store, "tally");
    const options = { throttle: { firstItems: 10, maxItems: 10 }, inlineItems: 0 } as const;
    const stop = new AbortController();
    const onProgress = () => stop.abort();
    await expect(
      store.indexes.build("Doc", "tally", { ...options, onProgress, signal: stop.signal }),
    ).rejects.toMatchObject({ code: "OPERATION_CANCELLED" });
    expect(await store.indexes.get("Doc", "tally")).toMatchObject({
      build: { itemsDone: 10, isComplete: false },
    });
    expect(await store.indexes.build("Doc", "tally", { ...options, clearFirst: true })).toMatchObject({
      items: 40,
    });
    await expectRight(store, "tally");
  });

  test("is refused for a disabled index, has nothing to do for a readable one, and knows its names", async () => {
    expect(await store.indexes.build("Doc", "group")).toEqual({ items: 0, batches: 0, isOwnEnd: false });
    await store.indexes.disable("Doc", "group");
    await expect(store.indexes.build("Doc", "group")).rejects.toMatchObject({
      code: "ILLEGAL_INDEX_STATE",
      collection: "Doc",
      index: "group",
    });
    // @ts-expect-error An index that is not declared.
    await expect(store.indexes.build("Doc", "none")).rejects.toMatchObject({ code: "UNKNOWN_INDEX" });
    // @ts-expect-error A collection that is not declared.
    await expect(store.indexes.build("None", "group")).rejects.toMatchObject({ code: "UNKNOWN_COLLECTION" });
    await expect(store.indexes.build("Doc", [])).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    await expect(store.indexes.build("Doc", "group", { throttle: { firstItems: 0 } })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  test("of a unique index names the values that several items have, and ends well once they are changed", async () => {
    await fill(250);
    await store.indexes.disable("Doc", "email");
    for (const id of [7, 130, 249]) await store.collection("Doc").put({ ...document(id), email: "same@x" });
    await store.indexes.enable("Doc", "email");
    const failed = async (): Promise<BuildViolationsError> =>
      store.indexes.build("Doc", "email").then(
        () => expect.unreachable(),
        (error) => error,
      );
    const first = await failed();
    expect(first).toMatchObject({ code: "INDEX_BUILD_VIOLATIONS", index: "email", value: "same@x" });
    expect(first.violations).toEqual([{ index: "email", values: ["same@x"], primaryKeys: [7, 130, 249] }]);
    expect(await store.indexes.get("Doc", "email")).toMatchObject({
      state: "writeOnly",
      build: { isComplete: true },
    });
    await store.collection("Doc").delete(130);
    expect((await failed()).violations).toEqual([
      { index: "email", values: ["same@x"], primaryKeys: [7, 249] },
    ]);
    await store.collection("Doc").put(document(249));
    expect(await store.indexes.build("Doc", "email")).toMatchObject({ items: 0, isOwnEnd: true });
    await expectRight(store, "email");
  });

  test("of a unique index finds I9-violations-not-looked-at", async () => {
    const attempt = async (): Promise<unknown> => {
      await store.indexes.disable("Doc", "email");
      for (const id of [1, 2]) await store.collection("Doc").put({ ...document(id), email: "same@x" });
      await store.indexes.enable("Doc", "email");
      return store.indexes.build("Doc", "email").catch((error) => error.code);
    };
    expect(await attempt()).toBe("INDEX_BUILD_VIOLATIONS");
    expect(await withMutant("I9-violations-not-looked-at", attempt)).toMatchObject({ isOwnEnd: true });
  });

  test("ends in time that is given it: no more items a second than asked for", async () => {
    await fill(300);
    await toBuild(store, "group");
    const { clock } = store.shared.world;
    const begunMs = clock.nowMs();
    await store.indexes.build("Doc", "group", { itemsPerSecondMax: 100 });
    expect(clock.nowMs() - begunMs).toBeGreaterThanOrEqual(2_900);
  });
});

describe("states", () => {
  test("of an index change in the legal ways only", async () => {
    const { indexes } = store;
    await expect(indexes.enable("Doc", "group")).rejects.toMatchObject({ code: "ILLEGAL_INDEX_STATE" });
    await indexes.disable("Doc", "group");
    await expect(indexes.disable("Doc", "group")).rejects.toMatchObject({ code: "ILLEGAL_INDEX_STATE" });
    await indexes.enable("Doc", "group");
    await expect(indexes.enable("Doc", "group")).rejects.toMatchObject({ code: "ILLEGAL_INDEX_STATE" });
    await expect(store.collection("Doc").byIndex("group", ["g1"])).rejects.toMatchObject({
      code: "INDEX_NOT_READABLE",
    });
    await indexes.disable("Doc", "group");
    await indexes.enable("Doc", "group");
    await indexes.build("Doc", "group");
    expect(await store.collection("Doc").byIndex("group", ["g1"])).toEqual([]);
  });

  test("leave no rows behind: a disabled index is empty, and comes back in a copy of its own", async () => {
    await fill(20);
    const before = await store.indexes.get("Doc", "tags");
    await store.indexes.disable("Doc", "tags");
    await store.collection("Doc").delete(3);
    await store.collection("Doc").put(document(4, 6));
    await store.indexes.enable("Doc", "tags");
    expect((await store.indexes.get("Doc", "tags")).generation).toBeGreaterThan(before.generation);
    await store.indexes.build("Doc", "tags");
    await expectRight(store, "tags");
  });
});

describe("a rebuild", () => {
  test.each(INDEXES)("of %s leaves it readable all the time, and right at the end", async (index) => {
    await fill(120);
    const states = new Set<string>();
    const options = {
      throttle: { firstItems: 10, maxItems: 10 },
      inlineItems: 0,
      onProgress: async () => {},
    } as const;
    let writes = 0;
    const running = store.indexes.rebuild("Doc", index, options);
    const pending = running.then(() => true);
    while (!(await Promise.race([pending, Promise.resolve(false)]))) {
      states.add((await store.indexes.get("Doc", index)).state);
      await store.collection("Doc").put(document((writes * 13) % 140, writes % 9));
      writes++;
    }
    expect([...states]).toEqual(["readable"]);
    expect(await store.indexes.get("Doc", index)).toMatchObject({ shadow: null, generation: 1 });
    await expectRight(store, index);
  });

  test("repairs a damaged index, and goes on with the copy that was begun", async () => {
    await fill(30);
    const generation = (await store.indexes.get("Doc", "group")).generation;
    await database.transact((transaction) => {
      const space = store.shared.root.subspace(2, 3, generation);
      const { begin, end } = space.range();
      transaction.clearRange(begin, end);
    });
    await store.indexes.buildShadow("Doc", "group");
    await expectRight(store, "group", "shadow");
    await store.collection("Doc").put(document(31));
    await expectRight(store, "group", "shadow");
    await store.indexes.rebuild("Doc", "group");
    await expectRight(store, "group");
  });

  test("swaps a complete shadow only, and drops any", async () => {
    await expect(store.indexes.swapShadow("Doc", "group")).rejects.toMatchObject({
      code: "ILLEGAL_INDEX_STATE",
    });
    await store.indexes.buildShadow("Doc", "group");
    await store.indexes.dropShadow("Doc", "group");
    await store.indexes.dropShadow("Doc", "group");
    expect(await store.indexes.get("Doc", "group")).toMatchObject({ shadow: null, generation: 0 });
    await store.indexes.buildShadow("Doc", "group");
    await store.indexes.swapShadow("Doc", "group");
    // 1 was dropped, and is not used again.
    expect(await store.indexes.get("Doc", "group")).toMatchObject({ shadow: null, generation: 2 });
  });
});
