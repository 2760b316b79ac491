import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { ReferenceDatabase } from "../../../sim/model/database/reference-database.js";
import { nodePlatform } from "../../../src/platform/node/node-platform.js";
import { clearItem, PART_BYTES, readItem, writeItem } from "../../../src/record/pipeline/large-values.js";
import type { Database } from "../../../src/transaction/transaction.js";

const database: Database = new ReferenceDatabase(nodePlatform(), {});
afterAll(() => database.close());
const KEY = Buffer.from("item");
const fails = (code: string): unknown => expect.objectContaining({ code });
const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i === 0 ? 1 : i * 31));
const partsNow = (): Promise<number> =>
  database.read(async (transaction) => (await readItem(transaction, KEY))?.parts ?? 0);
const rows = (): Promise<number> =>
  database.read(async (transaction) => (await transaction.getRangeAll(KEY, Buffer.from("itemz"))).length);

test("an item of any size is read as it was written, and an overwrite leaves nothing of what was there", async () => {
  const length = fc.constantFrom(1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES, 3 * PART_BYTES + 5, 700_000);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(length), { maxLength: 6 }), async (lengths) => {
      for (const one of lengths) {
        const former = await partsNow();
        await database.transact((transaction) => {
          if (one === null) clearItem(transaction, KEY, former);
          else writeItem(transaction, KEY, bytesOf(one), former);
        });
        const found = await database.read((transaction) => readItem(transaction, KEY));
        const parts = one === null || one <= PART_BYTES ? 0 : Math.ceil(one / PART_BYTES);
        expect(await rows()).toBe(one === null ? 0 : 1 + parts);
        expect(found === undefined ? null : Buffer.compare(found.bytes, bytesOf(one ?? 0))).toBe(
          one === null ? null : 0,
        );
      }
    }),
    { numRuns: 12 },
  );
});

test("a part that is missing, too short or too many is an error, not other data", async () => {
  const write = async (damage: (part: (number: number) => Uint8Array) => void): Promise<void> => {
    await database.transact((transaction) => transaction.clearRange(KEY, Buffer.from("itemz")));
    await database.transact((transaction) => {
      writeItem(transaction, KEY, bytesOf(3 * PART_BYTES), 0);
    });
    damage((number) => Buffer.concat([KEY, Buffer.of(number)]));
  };
  const damages = [
    (part: (number: number) => Uint8Array) => database.transact((tx) => tx.clear(part(2))),
    (part: (number: number) => Uint8Array) => database.transact((tx) => tx.set(part(3), bytesOf(5))),
    (part: (number: number) => Uint8Array) =>
      database.transact((tx) => tx.set(part(1), bytesOf(PART_BYTES + 1))),
    () => database.transact((tx) => tx.set(KEY, Buffer.of(2, 0))),
  ];
  for (const damage of damages) {
    let damaged: Promise<void> = Promise.resolve();
    await write((part) => {
      damaged = damage(part);
    });
    await damaged;
    await expect(database.read((tx) => readItem(tx, KEY))).rejects.toEqual(fails("ITEM_CORRUPT"));
  }
});

test("an item of more than 254 parts is refused before anything is written", async () => {
  const write = database.transact((transaction) => {
    writeItem(transaction, KEY, new Uint8Array(255 * PART_BYTES), 0);
  });
  await expect(write).rejects.toEqual(fails("ITEM_TOO_LARGE"));
});
