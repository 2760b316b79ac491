/** Scrubs of flat indexes: they find exactly the damage that was planted below the records, and repair it beside live writers. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { installProbes } from "../../../src/platform/probes.js";
import { gated, referenceDatabase, virtualWorld } from "../build/fixtures.js";
import {
  bytes,
  type DocStore,
  document,
  FLAT,
  type Flat,
  hex,
  openDocs,
  rowsOf,
  spaceOf,
} from "./fixtures.js";

const world = virtualWorld();

afterEach(() => {
  installProbes(null);
});

function withMutant(id: string): void {
  const quiet = { crashPoint: () => undefined, sometimes: () => undefined, buggify: () => false };
  installProbes({ ...quiet, mutant: (one) => one === id });
}

type Damage =
  | { readonly type: "removeRow" | "changeRow" | "moveRow"; readonly at: number }
  | { readonly type: "removeItem" | "addRow"; readonly at: number };

const damage: fc.Arbitrary<Damage> = fc.record({
  type: fc.constantFrom("removeRow", "changeRow", "moveRow", "removeItem", "addRow"),
  at: fc.nat({ max: 50 }),
});

async function plant(store: DocStore, index: Flat, { type, at }: Damage): Promise<void> {
  const { items, index: space } = await spaceOf(store, index);
  const rows = [...(await rowsOf(store, index)).actual];
  const [key, value] = rows[at % Math.max(1, rows.length)] ?? [];
  await store.shared.database.transact((transaction) => {
    if (type === "removeItem") transaction.clear(items.keyOf(at % 20));
    else if (type === "addRow") transaction.set(space.pack(["beside", at]), Uint8Array.of(at));
    else if (key !== undefined && value !== undefined) {
      if (type !== "changeRow") transaction.clear(bytes(key));
      if (type === "changeRow") transaction.set(bytes(key), Buffer.concat([bytes(value), Uint8Array.of(at)]));
      if (type === "moveRow") transaction.set(bytes(`${key}1501`), bytes(value));
    }
  });
}

async function problemsOf(store: DocStore, index: Flat): Promise<string[]> {
  const { actual, expected } = await rowsOf(store, index);
  const found: string[] = [];
  for (const [key, value] of actual) {
    if (!expected.has(key)) found.push(`dangling ${key}`);
    else if (expected.get(key) !== value) found.push(`wrong ${key}`);
  }
  for (const key of expected.keys()) if (!actual.has(key)) found.push(`missing ${key}`);
  return found.sort();
}

describe("a scrub", () => {
  test.each(FLAT)(
    "of a sound index of kind %s finds nothing, and looks at all rows and items",
    async (index) => {
      const store = await openDocs(referenceDatabase(world), world, 20);
      const { actual } = await rowsOf(store, index);
      const result = await store.indexes.scrub("Doc", index, { entriesPerTransaction: 3 });
      expect(result).toEqual({
        scanned: actual.size + 20,
        dangling: 0,
        missing: 0,
        wrong: 0,
        sharedValues: 0,
        repaired: 0,
        findings: [],
      });
    },
  );

  test("finds exactly the planted damage, changes nothing without repair, and with it restores every row", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...FLAT),
        fc.array(damage, { maxLength: 6 }),
        fc.integer({ min: 1, max: 9 }),
        async (index, damages, entriesPerTransaction) => {
          const store = await openDocs(referenceDatabase(world), world, 20);
          for (const one of damages) await plant(store, index, one);
          const problems = await problemsOf(store, index);
          const { actual } = await rowsOf(store, index);
          const seen = await store.indexes.scrub("Doc", index, { entriesPerTransaction });
          // What has another value is met from both sides.
          const found = new Set(seen.findings.map(({ problem, key }) => `${problem} ${hex(key)}`));
          expect([...found].sort()).toEqual(problems);
          expect((await rowsOf(store, index)).actual).toEqual(actual);
          const mended = await store.indexes.scrub("Doc", index, { entriesPerTransaction, repair: true });
          expect(mended.repaired).toBe(problems.length);
          const after = await rowsOf(store, index);
          expect(after.actual).toEqual(after.expected);
          expect((await store.indexes.scrub("Doc", index)).findings).toEqual([]);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("counts the values of a unique index that two items have", async () => {
    const store = await openDocs(referenceDatabase(world), world, 6);
    const { index: space, items } = await spaceOf(store, "email");
    await store.shared.database.transact(async (transaction) => {
      for (const id of [1, 2, 5]) {
        const former = await items.read(transaction, id);
        items.write(transaction, { primaryKey: id, document: { ...document(id), email: "0@x" } }, former);
        transaction.set(space.pack(["0@x", id]), new Uint8Array(0));
        transaction.clear(space.pack([`${id}@x`, id]));
      }
    });
    for (const entriesPerTransaction of [1, 2, 100]) {
      const result = await store.indexes.scrub("Doc", "email", { entriesPerTransaction });
      expect(result).toMatchObject({ sharedValues: 1, dangling: 0, missing: 0, wrong: 0 });
    }
  });

  test("goes on in the transaction where it was cut off, and counts nothing twice", async () => {
    const store = await openDocs(referenceDatabase(world), world, 20);
    const { index: space, items } = await spaceOf(store, "group");
    await store.shared.database.transact((transaction) => {
      transaction.set(space.pack(["g0", 777]), new Uint8Array(0));
      transaction.clear(items.keyOf(4));
      transaction.clear(space.pack(["g2", 19]));
    });
    const whole = await store.indexes.scrub("Doc", "group", { entriesPerTransaction: 3 });
    let steps = 0;
    let last: unknown = null;
    while (last === null) {
      const running = store.indexes.scrub("Doc", "group", { entriesPerTransaction: 3 }, () => {
        steps++;
        if (steps % 2 === 0 && steps < 20) throw new Error("the process ends");
      });
      last = await running.catch(() => null);
    }
    const { findings: _, ...totals } = whole;
    expect(last).toMatchObject(totals);
    // Cut off once more, and begun anew.
    await expect(
      store.indexes.scrub("Doc", "group", { entriesPerTransaction: 3 }, () => {
        throw new Error("the process ends");
      }),
    ).rejects.toThrow("the process ends");
    expect(await store.indexes.scrub("Doc", "group", { restart: true })).toMatchObject(totals);
  });

  test("reads no more in a transaction than it is allowed, and still comes to the end", async () => {
    const store = await openDocs(referenceDatabase(world), world, 20);
    let steps = 0;
    const result = await store.indexes.scrub("Doc", "group", { bytesPerTransaction: 200 }, () => steps++);
    expect(result.scanned).toBe(40);
    expect(steps).toBeGreaterThan(10);
  });

  test("of an index that is not readable, of histories, and with unknown options is refused", async () => {
    const store = await openDocs(referenceDatabase(world), world, 1);
    await expect(store.indexes.scrub("Doc", "history")).rejects.toMatchObject({ code: "WRONG_INDEX_KIND" });
    await store.indexes.disable("Doc", "tags");
    await expect(store.indexes.scrub("Doc", "tags")).rejects.toMatchObject({ code: "INDEX_NOT_READABLE" });
    await expect(store.indexes.scrub("Doc", "group", { fix: true } as never)).rejects.toMatchObject({
      code: "UNKNOWN_OPTION",
    });
    await expect(store.indexes.scrub("Doc", "group", { entriesPerTransaction: 0 })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
    });
  });

  test("ends before its next transaction when it is stopped", async () => {
    const store = await openDocs(referenceDatabase(world), world, 20);
    const stop = new AbortController();
    const running = store.indexes.scrub(
      "Doc",
      "group",
      { entriesPerTransaction: 1, signal: stop.signal },
      () => stop.abort(),
    );
    await expect(running).rejects.toMatchObject({ code: "OPERATION_CANCELLED" });
  });
});

describe("a repair beside live writers", () => {
  interface Race {
    /** Planted before the scrub. */
    readonly damaged: (store: DocStore) => Promise<void>;
    /** Done between the last call of the transaction that is to repair it, and its commit. */
    readonly write: (store: DocStore) => Promise<unknown>;
    readonly phase: "entries" | "items";
  }

  const RACES: readonly (readonly [what: string, race: Race])[] = [
    [
      "a row of no document, which then is written",
      {
        damaged: plantRow99,
        write: (store) => store.collection("Doc").put({ ...document(99), group: "g1", value: 1 }),
        phase: "entries",
      },
    ],
    [
      "a row of what a document was, which it then is again",
      {
        damaged: plantRowOf4,
        write: (store) => store.collection("Doc").put({ ...document(4), group: "g2", value: 2 }),
        phase: "entries",
      },
    ],
    [
      "a row that is missing, of a document that then is deleted",
      { damaged: removeRowsOfG1, write: (store) => store.collection("Doc").delete(4), phase: "items" },
    ],
    [
      "a row that is missing, of a document that then changes",
      {
        damaged: removeRowsOfG1,
        write: (store) => store.collection("Doc").put({ ...document(4), group: "g0" }),
        phase: "items",
      },
    ],
  ];

  /** A scrub that ends after the transaction that the writer came before. */
  async function run({ damaged, write, phase }: Race): Promise<DocStore> {
    const database = referenceDatabase(world);
    const writer = await openDocs(database, world, 10);
    await damaged(writer);
    // The first transaction begins the scrub, the second is all of the first phase, the third all of the other.
    let left = Number.POSITIVE_INFINITY;
    const gate = async (): Promise<void> => {
      if (--left === 0) await write(writer);
    };
    const scrubber = await openDocs(gated(database, gate), world, 0);
    left = phase === "entries" ? 2 : 3;
    const stop = new AbortController();
    const scrubbing = scrubber.indexes.scrub(
      "Doc",
      "group",
      { repair: true, signal: stop.signal },
      (step) => {
        if (step.phase === phase) stop.abort();
      },
    );
    await scrubbing.catch((error: unknown) => expect(error).toMatchObject({ code: "OPERATION_CANCELLED" }));
    expect(left).toBeLessThanOrEqual(0);
    return writer;
  }

  test.each(RACES)("leaves what a writer makes of it: %s", async (_, race) => {
    const { actual, expected } = await rowsOf(await run(race), "group");
    expect(actual).toEqual(expected);
  });

  test.each(RACES)("would undo the live write, did it not guard what it reads: %s", async (_, race) => {
    withMutant("I5-scrubber-repairs-a-live-write-away");
    const { actual, expected } = await rowsOf(await run(race), "group");
    expect(actual).not.toEqual(expected);
  });
});

async function plantRow99(store: DocStore): Promise<void> {
  const { index: space, items } = await spaceOf(store, "group");
  await store.shared.database.transact((transaction) => {
    transaction.clear(items.keyOf(99));
    transaction.set(space.pack(["g1", 99]), new Uint8Array(0));
  });
}

async function plantRowOf4(store: DocStore): Promise<void> {
  const { index: space } = await spaceOf(store, "group");
  await store.shared.database.transact((transaction) => {
    transaction.set(space.pack(["g2", 4]), new Uint8Array(0));
  });
}

async function removeRowsOfG1(store: DocStore): Promise<void> {
  const { index: space } = await spaceOf(store, "group");
  await store.shared.database.transact((transaction) => {
    const { begin, end } = space.range(["g1"]);
    transaction.clearRange(begin, end);
  });
}

describe("planted bugs of the scrub", () => {
  test("a position ahead of what was looked at misses damage", async () => {
    withMutant("I23-scrub-position-ahead");
    const store = await openDocs(referenceDatabase(world), world, 20);
    const rows = [...(await rowsOf(store, "group")).actual.keys()];
    await store.shared.database.transact((transaction) => {
      for (const key of rows) transaction.set(bytes(key), Uint8Array.of(1));
    });
    const result = await store.indexes.scrub("Doc", "group", { entriesPerTransaction: 3 });
    const seen = new Set(
      result.findings.filter(({ problem }) => problem === "wrong").map(({ key }) => hex(key)),
    );
    expect(result.wrong).toBeLessThan(2 * rows.length);
    expect(seen.size).toBe(rows.length);
  });

  test("a forgotten condition takes rows for missing", async () => {
    withMutant("I24-scrub-forgets-the-condition");
    const store = await openDocs(referenceDatabase(world), world, 20);
    expect((await store.indexes.scrub("Doc", "big")).missing).toBeGreaterThan(0);
  });
});
