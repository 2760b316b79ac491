import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type ItemRangeOptions, items } from "../../../src/record/pipeline/item-range.js";
import { clearItem, PART_BYTES, readItem, writeItem } from "../../../src/record/pipeline/large-values.js";
import type { StorageDatabase } from "../../../src/transaction/database.js";
import type {
  KeyValue,
  RangeOptions,
  ReadTransaction,
  Transaction,
} from "../../../src/transaction/transaction.js";
import { memoryDatabase } from "../../collection/fixtures.js";

let database: StorageDatabase;
beforeAll(async () => {
  database = await memoryDatabase();
});
afterAll(() => database.close());
beforeEach(() => database.transact((transaction) => transaction.clearRange(Buffer.of(0), Buffer.of(0xff))));

/** Beside each other, and so that the bytes behind one look like parts of another. */
const KEYS = ["b\u0001", "b\u0002", "c", "c\u00ff1", "d"].map((text) => Buffer.from(text, "latin1"));
const BOUNDS = [
  "a",
  "b",
  "b\u0001",
  "b\u0001\u0001",
  "b\u0002\u0002",
  "c",
  "c\0",
  "c\u0002",
  "c\u00ff1",
  "d\u0001",
  "e",
].map((text) => Buffer.from(text, "latin1"));
const LENGTHS = [1, 100, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 2 * PART_BYTES + 7];
const FAR = Buffer.from("z");
const DAMAGED = expect.objectContaining({ code: "ITEM_CORRUPT" }) as Error;

const bytesOf = (length: number, seed: number): Uint8Array => {
  const bytes = new Uint8Array(length).fill(seed);
  bytes[0] = 1;
  return bytes;
};

async function put(transaction: Transaction, key: Uint8Array, bytes: Uint8Array | null): Promise<void> {
  const former = (await readItem(transaction, key))?.parts ?? 0;
  if (bytes === null) clearItem(transaction, key, former);
  else writeItem(transaction, key, bytes, former);
}

/** As a backend far away reads: so many rows at a time, before the first of them is asked for. */
function fetching(reader: ReadTransaction, rows: number): ReadTransaction {
  async function* getRange(
    begin: Uint8Array,
    end: Uint8Array,
    { reverse = false }: RangeOptions,
  ): AsyncGenerator<KeyValue> {
    let [from, to] = [begin, end];
    for (;;) {
      const batch = await reader.getRangeAll(from, to, { limit: rows, reverse });
      yield* batch;
      const last = batch.at(-1)?.[0];
      if (last === undefined || batch.length < rows) return;
      if (reverse) to = Buffer.from(last);
      else from = Buffer.concat([last, Buffer.of(0)]);
    }
  }
  return {
    get: (key) => reader.get(key),
    getRangeAll: (begin, end, options) => reader.getRangeAll(begin, end, options),
    getRange: (begin, end, options = {}) => getRange(begin as Uint8Array, end as Uint8Array, options),
    getKey: (selector) => reader.getKey(selector),
    getReadVersion: () => reader.getReadVersion(),
  };
}

interface Found {
  readonly key: string;
  readonly bytes: Uint8Array;
}

async function read(
  reader: ReadTransaction,
  begin: Uint8Array = Buffer.from("a"),
  end: Uint8Array = FAR,
  options: ItemRangeOptions = {},
): Promise<Found[]> {
  const found: Found[] = [];
  for await (const { key, bytes, parts } of items(reader, begin, end, options)) {
    expect(parts).toBe(bytes.length <= PART_BYTES ? 0 : Math.ceil(bytes.length / PART_BYTES));
    found.push({ key: Buffer.from(key).toString("latin1"), bytes });
  }
  return found;
}

/** Compared by their bytes, not one by one, which would take seconds. */
function expectSame(found: readonly Found[], due: readonly Found[]): void {
  expect(found.map(({ key }) => key)).toEqual(due.map(({ key }) => key));
  for (const [i, { bytes }] of found.entries()) expect(Buffer.compare(bytes, due[i]?.bytes ?? bytes)).toBe(0);
}

const writes = fc.array(
  fc.record({
    key: fc.nat(KEYS.length - 1),
    length: fc.option(fc.constantFrom(...LENGTHS), { freq: 4 }),
    seed: fc.nat(255),
  }),
  { minLength: 1, maxLength: 8 },
);
const question = fc.record({
  begin: fc.constantFrom(...BOUNDS),
  end: fc.constantFrom(...BOUNDS),
  reverse: fc.boolean(),
  limit: fc.option(fc.integer({ min: 0, max: 4 })),
  rows: fc.integer({ min: 1, max: 5 }),
});

describe("the items of a range", () => {
  test("are those of a model after any overwrites and removals, from both ends, with any limit, however rows are fetched", async () => {
    await fc.assert(
      fc.asyncProperty(
        writes,
        fc.array(question, { minLength: 3, maxLength: 6 }),
        async (changes, questions) => {
          await database.transact((transaction) => transaction.clearRange(Buffer.of(0), Buffer.of(0xff)));
          const model = new Map<number, Uint8Array>();
          for (const { key, length, seed } of changes) {
            const bytes = length === null ? null : bytesOf(length, seed);
            if (bytes === null) model.delete(key);
            else model.set(key, bytes);
            // Up to two large ones: a transaction has 10 MB.
            await database.transact((transaction) => put(transaction, KEYS[key] as Uint8Array, bytes));
          }
          const all = [...model]
            .sort(([a], [b]) => a - b)
            .map(([key, bytes]) => ({ at: KEYS[key] as Buffer, bytes }));
          for (const { begin, end, reverse, limit, rows } of questions) {
            const within = all.filter(
              ({ at }) => Buffer.compare(at, begin) >= 0 && Buffer.compare(at, end) < 0,
            );
            const due = (reverse ? within.reverse() : within)
              .slice(0, limit ?? all.length)
              .map(({ at, bytes }) => ({ key: at.toString("latin1"), bytes }));
            const options = { reverse, ...(limit === null ? {} : { limit }) };
            await database.read(async (reader) => {
              expectSame(await read(reader, begin, end, options), due);
              expectSame(await read(fetching(reader, rows), begin, end, options), due);
            });
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  test("are whole while the same transaction writes them anew, wherever the read is", async () => {
    const change = fc.record({
      key: fc.nat(KEYS.length - 1),
      length: fc.option(fc.constantFrom(...LENGTHS)),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...LENGTHS), { minLength: KEYS.length, maxLength: KEYS.length }),
        fc.array(change, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        async (lengths, changes, rows, reverse) => {
          await database.transact(async (transaction) => {
            for (const [i, length] of lengths.entries())
              await put(transaction, KEYS[i] as Uint8Array, bytesOf(length, 1));
          });
          await database.transact(async (transaction) => {
            const left = [...changes];
            const reader = fetching(transaction, rows);
            for await (const { bytes } of items(reader, Buffer.from("a"), FAR, { reverse })) {
              const [first = 1, second = 1] = bytes.subarray(0, 2);
              expect([first, second === 1 || second === 2]).toEqual([1, true]);
              expect(Buffer.compare(bytes, bytesOf(bytes.length, second))).toBe(0);
              const next = left.pop();
              if (next === undefined) continue;
              const to = next.length === null ? null : bytesOf(next.length, 2);
              await put(transaction, KEYS[next.key] as Uint8Array, to);
            }
          });
        },
      ),
      { numRuns: 40 },
    );
  });

  test("are read in one pass: nothing is asked for again, nor outside of the range", async () => {
    await database.transact(async (transaction) => {
      for (const key of KEYS) await put(transaction, key, distinct(1));
    });
    await database.read(async (reader) => {
      const once = {
        ...fetching(reader, 2),
        get: () => expect.unreachable(),
        getRangeAll: () => expect.unreachable(),
      };
      for (const reverse of [false, true]) {
        expect(await read(once, Buffer.from("a"), FAR, { reverse })).toHaveLength(KEYS.length);
        expect(
          await read(once, Buffer.from("b\u0001\u0002", "latin1"), Buffer.from("c"), { reverse }),
        ).toHaveLength(1);
      }
    });
  });

  test("behind a limit are not read: another may write them", async () => {
    await database.transact(async (transaction) => {
      for (const key of KEYS) await put(transaction, key, bytesOf(PART_BYTES + 1, 1));
    });
    const reading = database.createTransaction();
    expect(await read(reading, KEYS[0], FAR, { limit: 2 })).toHaveLength(2);
    reading.set(Buffer.from("y"), Buffer.of(1));
    await database.transact((transaction) => put(transaction, KEYS[2] as Uint8Array, null));
    await reading.commit();
  });

  const part = (number: number): Uint8Array => Buffer.concat([KEYS[2] as Uint8Array, Buffer.of(number)]);
  const value = (transaction: Transaction, number: number): Promise<Uint8Array> =>
    transaction.get(part(number)).then((found) => Uint8Array.from(found ?? []));
  test.each<[string, (transaction: Transaction) => unknown]>([
    ["a missing first part", (transaction) => transaction.clear(part(1))],
    ["a missing middle part", (transaction) => transaction.clear(part(2))],
    ["a missing last part", (transaction) => transaction.clear(part(3))],
    ["no head", (transaction) => transaction.clear(KEYS[2] as Uint8Array)],
    ["no part at all", (transaction) => transaction.clearRange(part(1), part(4))],
    ["a part more", async (transaction) => transaction.set(part(4), await value(transaction, 3))],
    ["a part twice", async (transaction) => transaction.set(part(2), await value(transaction, 1))],
    [
      "parts in another order",
      async (transaction) => {
        const [one, two] = [await value(transaction, 1), await value(transaction, 2)];
        transaction.set(part(1), two);
        transaction.set(part(2), one);
      },
    ],
    [
      "a part of what was there before",
      async (transaction) => {
        const old = await value(transaction, 2);
        await put(transaction, KEYS[2] as Uint8Array, distinct(4));
        transaction.set(part(2), old);
      },
    ],
    [
      "a part that is cut off",
      async (transaction) => transaction.set(part(2), (await value(transaction, 2)).subarray(1)),
    ],
    [
      "a part that is longer",
      async (transaction) =>
        transaction.set(part(3), Buffer.concat([await value(transaction, 3), Buffer.of(0)])),
    ],
    ["an item where a part was", (transaction) => transaction.set(part(2), bytesOf(90_001, 1))],
    [
      "an item that is one value over its parts",
      (transaction) => transaction.set(KEYS[2] as Uint8Array, bytesOf(5, 1)),
    ],
    ["a head that is cut off", (transaction) => transaction.set(KEYS[2] as Uint8Array, Buffer.of(2, 0))],
    [
      "a head of too many parts",
      (transaction) => transaction.set(KEYS[2] as Uint8Array, Buffer.of(2, 0, 0, 0, 0, 255, 0, 0, 0, 0)),
    ],
    [
      "a bit of a part turned",
      async (transaction) =>
        transaction.set(
          part(2),
          (await value(transaction, 2)).map((byte, i) => (i === 77 ? byte ^ 4 : byte)),
        ),
    ],
  ])("with %s are damaged, from both ends and alone", async (what, damage) => {
    await database.transact(async (transaction) => {
      await put(transaction, KEYS[1] as Uint8Array, bytesOf(9, 1));
      await put(transaction, KEYS[2] as Uint8Array, distinct(3));
      await put(transaction, KEYS[4] as Uint8Array, bytesOf(9, 1));
    });
    await database.transact(async (transaction) => {
      await damage(transaction);
    });
    for (const reverse of [false, true]) {
      const all = database.read((reader) => read(fetching(reader, 2), KEYS[0], FAR, { reverse }));
      await expect(all).rejects.toEqual(DAMAGED);
    }
    const alone = database.read((reader) => readItem(reader, KEYS[2] as Uint8Array));
    // Of these nothing shows at the key itself.
    if (what === "no head") expect(await alone).toBeUndefined();
    else if (what.startsWith("an item that is one value")) expect((await alone)?.bytes).toHaveLength(5);
    else await expect(alone).rejects.toEqual(DAMAGED);
  });

  test("tell where the damage is", async () => {
    await database.transact((transaction) => put(transaction, KEYS[2] as Uint8Array, distinct(3)));
    await database.transact((transaction) => transaction.clear(part(2)));
    await expect(database.read((reader) => read(reader))).rejects.toThrow(
      "the item at key 0x63 is damaged: it has 2 parts, but was written in 3. Restore it from a backup.",
    );
  });
});

/** Of three parts, no two alike. */
function distinct(seed: number): Uint8Array {
  const bytes = new Uint8Array(2 * PART_BYTES + 50);
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 31 + (i >> 8) * seed + seed) & 0xff;
  bytes[0] = 1;
  return bytes;
}
