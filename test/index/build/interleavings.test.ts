/**
 * Builders and writers at once, in every order that fast-check thinks of: transactions stop before their commits, and who goes on
 * first is drawn. Over the reference database, which knows nothing of timing.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { IndexBuildOptions } from "../../../src/collection/index-manager.js";
import {
  type DocStore,
  document,
  expectRight,
  gated,
  type IndexName,
  openDocs,
  referenceDatabase,
  toBuild,
  virtualWorld,
  withMutant,
} from "./fixtures.js";

interface Scene {
  readonly index: IndexName;
  readonly from: IndexName | null;
  readonly items: number;
  readonly batchItems: number;
  readonly builders: number;
  readonly copy: "own" | "shadow";
  /** Of each writer: what it does, one transaction after the other. */
  readonly writers: readonly (readonly Write[])[];
}

interface Write {
  readonly id: number;
  /** Null: a delete. */
  readonly value: number | null;
  /** Written in the same transaction. */
  readonly other: number | null;
}

const IDS = 10;
const write = fc.record({
  id: fc.nat(IDS - 1),
  value: fc.option(fc.nat(8), { freq: 4 }),
  other: fc.option(fc.nat(IDS - 1)),
});

const scene: fc.Arbitrary<Scene> = fc.record({
  index: fc.constantFrom<IndexName>("tally", "email", "tags", "big", "count", "sum"),
  from: fc.constantFrom<IndexName | null>(null, null, "value", "forward", "group"),
  items: fc.nat(IDS),
  batchItems: fc.integer({ min: 1, max: 4 }),
  builders: fc.integer({ min: 1, max: 2 }),
  copy: fc.constantFrom("own" as const, "own" as const, "shadow" as const),
  writers: fc.array(fc.array(write, { maxLength: 5 }), { minLength: 1, maxLength: 3 }),
});

async function play(s: fc.Scheduler, given: Scene): Promise<void> {
  const world = virtualWorld();
  const database = referenceDatabase(world);
  const setUp = await openDocs(database, world);
  for (let id = 0; id < given.items; id++) await setUp.collection("Doc").put(document(id));
  if (given.copy === "own") await toBuild(setUp, given.index);
  const store = await s.waitFor(
    openDocs(
      gated(database, async () => {
        // A turn for those who wait before they try again: else whoever lost once would come last.
        await new Promise((resolve) => setImmediate(resolve));
        await s.schedule(Promise.resolve());
      }),
      world,
    ),
  );
  const options: IndexBuildOptions = {
    throttle: { firstItems: given.batchItems, maxItems: given.batchItems },
    inlineItems: 0,
    lease: false,
    ...(given.from === null ? {} : { from: given.from }),
  };
  const tasks = Array.from({ length: given.builders }, () =>
    given.copy === "own"
      ? store.indexes.build("Doc", given.index, options)
      : store.indexes.buildShadow("Doc", given.index, options),
  );
  const writers = given.writers.map(async (writes) => {
    for (const one of writes) await apply(store, one);
  });
  await s.waitFor(Promise.all([...tasks, ...writers]));
  await expectRight(setUp, given.index, given.copy);
  if (given.copy === "shadow") await setUp.indexes.swapShadow("Doc", given.index);
  expect(await setUp.indexes.get("Doc", given.index)).toMatchObject({ state: "readable", build: null });
  // What writers do afterwards is kept as well.
  await apply(setUp, { id: 1, value: 8, other: 2 });
  await apply(setUp, { id: 3, value: null, other: null });
  await expectRight(setUp, given.index);
}

function apply(store: DocStore, { id, value, other }: Write): Promise<void> {
  return store.transact(async (transaction) => {
    const docs = transaction.collection("Doc");
    if (value === null) await docs.delete(id);
    else await docs.put(document(id, value));
    if (other === null || other === id) return;
    await docs.put(document(other, (value ?? 0) + 1));
  });
}

function explore(numRuns: number, seed: number, limits: Partial<Scene> = {}): Promise<void> {
  return fc.assert(
    fc.asyncProperty(fc.scheduler(), scene, (s, given) => play(s, { ...given, ...limits })),
    { numRuns, seed, endOnFailure: true },
  );
}

describe("builders and writers at once", () => {
  test("leave every index as if it were built anew, whoever commits first", async () => {
    await explore(60, 1);
  });

  test("leave a count and a sum right, from items and in the order of an index", async () => {
    await explore(60, 2, { index: "tally" });
  });

  test.each([
    ["I2-double-count-during-build", { index: "tally", from: null }],
    ["I3-progress-ahead-of-entries", {}],
    ["I6-build-position-read-without-conflict", { index: "tally" }],
    ["I7-position-taken-for-a-primary-key", { index: "tally", from: "value" }],
    ["I8-batch-reads-without-conflict", { index: "tags", from: null }],
  ] as const)("find %s", async (mutant, limits) => {
    await expect(withMutant(mutant, () => explore(200, 4, limits))).rejects.toThrow("Property failed");
  });
});
