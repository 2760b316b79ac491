/** Prefixes: short, never given twice, by whatever number of transactions at a time. Part of the directories' contract. */
import { expect } from "vitest";
import type { DirectorySubspace } from "../../../src/keyspace/directory-subspace.js";
import type { ContractBackend } from "../../transaction/contract/backend.js";
import { b, fails } from "../../transaction/contract/support.js";
import { directoryCasesOn, hex, layerOf } from "./support.js";

const NONE = new Uint8Array(0);

export function defineAllocationContract(backend: ContractBackend): void {
  const test = directoryCasesOn(backend);

  test("eight at a time create 200 directories: prefixes are short, and none begins with another", async (db) => {
    const all: DirectorySubspace[] = [];
    const worker = async (number: number): Promise<void> => {
      const layer = layerOf(number + 1);
      for (let i = 0; i < 25; i++) all.push(await layer.create(db, [`${number}/${i}`]));
    };
    await Promise.all(Array.from({ length: 8 }, (_, number) => worker(number)));
    expectApart(all);
    expect(all.length).toBe(200);
    expect(all.every(({ prefix }) => prefix.length <= 3)).toBe(true);
    expect((await layerOf(9).list(db)).length).toBe(200);
  });

  test("many created in one transaction, started together, are apart; their parent is made once", async (db) => {
    const layer = layerOf(1);
    const names = Array.from({ length: 40 }, (_, i) => String(i).padStart(2, "0"));
    const all = await db.transact((tx) =>
      Promise.all(names.map((name) => layer.createOrOpen(tx, ["parent", name]))),
    );
    expectApart([...all, await layer.open(db, ["parent"])]);
    expect(await layer.list(db, ["parent"])).toEqual(names);
    const same = await db.transact((tx) =>
      Promise.all(names.map(() => layer.createOrOpen(tx, ["parent", "same"]))),
    );
    expect(new Set(same.map(({ prefix }) => hex(prefix))).size).toBe(1);
  });

  test("of two that create the same directory, one opens what the other made", async (db) => {
    const both = await Promise.all([1, 2].map((seed) => layerOf(seed).createOrOpen(db, ["a", "b"])));
    expect(hex((both[0] as DirectorySubspace).prefix)).toBe(hex((both[1] as DirectorySubspace).prefix));
    const results = await Promise.allSettled([1, 2].map((seed) => layerOf(seed).create(db, ["c"])));
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { code: "DIRECTORY_EXISTS" },
    });
  });

  test("a prefix is not given again after its directory is gone", async (db) => {
    const layer = layerOf(1);
    const seen = new Set<string>();
    for (let round = 0; round < 5; round++) {
      await db.transact(async (tx) => {
        for (let i = 0; i < 30; i++) {
          const { prefix } = await layer.create(tx, [String(i)]);
          expect(seen.has(hex(prefix))).toBe(false);
          seen.add(hex(prefix));
        }
      });
      await db.transact(async (tx) => {
        for (const name of await layer.list(tx)) await layer.remove(tx, [name]);
      });
    }
    expect(seen.size).toBe(150);
  });

  test("transactions that create different directories do not conflict, but for the same number drawn", async (db) => {
    await layerOf(1).create(db, ["first"]);
    const transactions = [db.createTransaction(), db.createTransaction()];
    for (const [i, tx] of transactions.entries()) await layerOf(i + 1).create(tx, [`d${i}`]);
    for (const tx of transactions) await tx.commit();
    const same = [db.createTransaction(), db.createTransaction()];
    for (const [i, tx] of same.entries()) await layerOf(77).create(tx, [`e${i}`]);
    await same[0]?.commit();
    await expect(same[1]?.commit()).rejects.toEqual(fails("NOT_COMMITTED"));
  });

  test("a prefix given by hand is taken as it is, where that is allowed and it is free", async (db) => {
    const layer = layerOf(1, { allowManualPrefixes: true });
    const directory = await layer.create(db, ["a"], { prefix: b("mine") });
    expect(directory.prefix).toEqual(b("mine"));
    expect((await layerOf(1).open(db, ["a"])).prefix).toEqual(b("mine"));
    for (const prefix of [b("mine"), b("min"), b("mine!"), b("\xfe"), b("\xfe\x01"), b("\xff"), NONE]) {
      await expect(layer.create(db, ["b"], { prefix })).rejects.toEqual(fails("DIRECTORY_PREFIX_IN_USE"));
    }
    await layer.create(db, ["b"], { prefix: b("mind") });
    const refused = layerOf(1).create(db, ["c"], { prefix: b("other") });
    await expect(refused).rejects.toEqual(fails("DIRECTORY_PREFIX_NOT_ALLOWED"));
    await layer.create(db, ["p"], { layer: "partition" });
    const within = layer.create(db, ["p", "c"], { prefix: b("other") });
    await expect(within).rejects.toEqual(fails("DIRECTORY_PREFIX_NOT_ALLOWED"));
  });

  test("an allocated prefix that meets keys or prefixes given by hand is refused", async (db) => {
    await db.transact((tx) => tx.set(b("\x15\x05key"), b("")));
    const drawing = (number: number): ReturnType<typeof layerOf> => layerOf(0, {}, number);
    await expect(drawing(5).create(db, ["a"])).rejects.toEqual(fails("DIRECTORY_PREFIX_IN_USE"));
    await layerOf(1, { allowManualPrefixes: true }).create(db, ["m"], { prefix: b("\x15\x06m") });
    await expect(drawing(6).create(db, ["a"])).rejects.toEqual(fails("DIRECTORY_PREFIX_IN_USE"));
    await drawing(7).create(db, ["a"]);
    expect(await layerOf(1).list(db)).toEqual(["a", "m"]);
  });

  test("a prefix given by hand conflicts with the allocation of it at the same time", async (db) => {
    const hand = layerOf(1, { allowManualPrefixes: true });
    await hand.create(db, ["there"]);
    for (const [round, first] of ["hand", "allocator"].entries()) {
      const number = 20 + round;
      const [byHand, allocated] = [db.createTransaction(), db.createTransaction()];
      await hand.create(byHand, [`hand ${first}`], { prefix: Uint8Array.of(0x15, number, 0x61) });
      await layerOf(0, {}, number).create(allocated, [`allocated ${first}`]);
      await (first === "hand" ? byHand : allocated).commit();
      const second = (first === "hand" ? allocated : byHand).commit();
      await expect(second).rejects.toEqual(fails("NOT_COMMITTED"));
    }
  });
}

function expectApart(all: readonly DirectorySubspace[]): void {
  const sorted = all.map(({ prefix }) => hex(prefix)).sort();
  for (const [i, prefix] of sorted.slice(1).entries())
    expect(prefix.startsWith(sorted[i] as string)).toBe(false);
}
