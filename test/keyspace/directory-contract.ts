/**
 * What directories must do on every backend of transactions: FoundationDB's documented behaviour, case by case. The
 * contract of `Database` runs it; the parts are in `directory/`.
 */
import { expect } from "vitest";
import type { DirectorySubspace } from "../../src/keyspace/directory-subspace.js";
import { keyAfterPrefix } from "../../src/keyspace/subspace.js";
import type { ContractBackend } from "../transaction/contract/backend.js";
import { b, fails, s } from "../transaction/contract/support.js";
import { defineAllocationContract } from "./directory/allocation.js";
import { defineMisuseContract } from "./directory/misuse.js";
import { definePartitionContract } from "./directory/partitions.js";
import { directoryCasesOn, hex, keysFrom, layerOf } from "./directory/support.js";

export function defineDirectoryContract(backend: ContractBackend): void {
  const test = directoryCasesOn(backend);

  test("a directory that was created is opened with the same prefix, whoever asks", async (db) => {
    const created = await layerOf(1).createOrOpen(db, ["app", "users"]);
    await db.transact((tx) => tx.set(created.pack([7]), b("seven")));
    for (const opened of [
      await layerOf(2).createOrOpen(db, ["app", "users"]),
      await layerOf(2).open(db, ["app", "users"]),
      await (await layerOf(2).open(db, ["app"])).open(db, ["users"]),
    ]) {
      expect(hex(opened.prefix)).toBe(hex(created.prefix));
      expect(opened.path).toEqual(["app", "users"]);
      expect(s(await db.read((tx) => tx.get(opened.pack([7]))))).toBe("seven");
      expect(opened.unpack(opened.pack([7, "x"]))).toEqual([7, "x"]);
    }
  });

  test("create makes the parents that are missing, and lists are in the order of names", async (db) => {
    const layer = layerOf(1);
    await layer.create(db, ["a", "b", "c"]);
    await layer.create(db, ["a", "é"]);
    await layer.create(db, ["a", ""]);
    await layer.create(db, ["a", "b "]);
    expect(await layer.list(db)).toEqual(["a"]);
    expect(await layer.list(db, ["a"])).toEqual(["", "b", "b ", "é"]);
    expect(await layer.list(db, ["a", "b", "c"])).toEqual([]);
    expect((await layer.open(db, ["a", "b"])).layer).toEqual(new Uint8Array(0));
    expect(await layer.exists(db, ["a", "b"])).toBe(true);
    expect(await layer.exists(db, ["b"])).toBe(false);
    expect(await layer.exists(db)).toBe(true);
  });

  test("what is done in a transaction is seen in it, and happens with its commit", async (db) => {
    const layer = layerOf(1);
    const tx = db.createTransaction();
    const directory = await layer.create(tx, ["a", "b"]);
    expect(await layer.list(tx, ["a"])).toEqual(["b"]);
    expect(await directory.exists(tx)).toBe(true);
    expect(hex((await layer.open(tx, ["a", "b"])).prefix)).toBe(hex(directory.prefix));
    expect(await layer.exists(db, ["a"])).toBe(false);
    await tx.commit();
    expect(await layer.exists(db, ["a", "b"])).toBe(true);
    const undone = db.createTransaction();
    await layer.remove(undone, ["a"]);
    expect(await layer.exists(undone, ["a", "b"])).toBe(false);
    undone.cancel();
    expect(await layer.exists(db, ["a", "b"])).toBe(true);
  });

  test("reading directories needs no more than a reading transaction", async (db) => {
    const layer = layerOf(1);
    await layer.create(db, ["a"], { layer: "x" });
    const seen = await db.read(async (tx) => [
      await layer.list(tx),
      await layer.exists(tx, ["a"]),
      (await layer.open(tx, ["a"], { layer: "x" })).path,
    ]);
    expect(seen).toEqual([["a"], true, ["a"]]);
  });

  test("the layer is kept with the directory and compared when it is opened with one", async (db) => {
    const layer = layerOf(1);
    const created = await layer.create(db, ["q"], { layer: "queue" });
    expect(s(created.layer)).toBe("queue");
    await layer.open(db, ["q"]);
    await layer.open(db, ["q"], { layer: "" });
    await layer.createOrOpen(db, ["q"], { layer: b("queue") });
    for (const path of [["q"], ["plain"]]) {
      await layer.createOrOpen(db, path);
      await expect(layer.open(db, path, { layer: "graph" })).rejects.toEqual(
        fails("DIRECTORY_LAYER_MISMATCH"),
      );
      await expect(layer.createOrOpen(db, path, { layer: "graph" })).rejects.toEqual(
        fails("DIRECTORY_LAYER_MISMATCH"),
      );
    }
  });

  test("a move changes paths and nothing else: prefixes, contents, layers and children go along", async (db) => {
    const layer = layerOf(1);
    const [old, child] = [
      await layer.create(db, ["a"], { layer: "x" }),
      await layer.create(db, ["a", "b", "c"]),
    ];
    await layer.create(db, ["new"]);
    await db.transact((tx) => tx.set(child.pack(["k"]), b("v")));
    const moved = await layer.move(db, ["a"], ["new", "name"]);
    expect([moved.path, hex(moved.prefix), s(moved.layer)]).toEqual([["new", "name"], hex(old.prefix), "x"]);
    expect(await layer.list(db)).toEqual(["new"]);
    const found = await layer.open(db, ["new", "name", "b", "c"]);
    expect(s(await db.read((tx) => tx.get(found.pack(["k"]))))).toBe("v");
    // Who has it open goes on using it, and finds nothing more by its path.
    await db.transact((tx) => tx.set(old.pack([1]), b("")));
    expect(await old.exists(db)).toBe(false);
    await expect(old.list(db)).rejects.toEqual(fails("DIRECTORY_NOT_FOUND"));
  });

  test("moves are from path to path below the directory that is asked, or to an absolute path", async (db) => {
    const layer = layerOf(1);
    const top = await layer.create(db, ["top"]);
    await top.create(db, ["a", "x"]);
    expect((await top.move(db, ["a"], ["b"])).path).toEqual(["top", "b"]);
    const inner = await top.open(db, ["b", "x"]);
    expect((await inner.moveTo(db, ["out"])).path).toEqual(["out"]);
    expect(await layer.list(db)).toEqual(["out", "top"]);
    expect(await top.list(db, ["b"])).toEqual([]);
  });

  test("a removal takes the contents and all that is below, and nothing beside it", async (db) => {
    const layer = layerOf(1);
    const names = Array.from({ length: 8 }, (_, i) => String(i));
    const all: DirectorySubspace[] = [];
    for (const name of names) all.push(await layer.create(db, [name]));
    all.push(await layer.create(db, ["3", "x", "y"]));
    await db.transact((tx) => {
      for (const { prefix } of all) tx.set(Uint8Array.of(...prefix, 0xff, 0xff), b("last"));
      for (const directory of all) tx.set(directory.prefix, b("first"));
    });
    const third = await layer.open(db, ["3"]);
    await third.remove(db);
    expect(await layer.list(db)).toEqual(names.filter((name) => name !== "3"));
    for (const [index, { prefix }] of all.entries()) {
      const left = await keysFrom(db, prefix, keyAfterPrefix(prefix));
      expect(left.length).toBe(index === 3 || index === 8 ? 0 : 2);
    }
    await expect(third.remove(db)).rejects.toEqual(fails("DIRECTORY_NOT_FOUND"));
    expect(await third.removeIfExists(db)).toBe(false);
    expect(await layer.removeIfExists(db, ["4"])).toBe(true);
    expect(await layer.exists(db, ["4"])).toBe(false);
  });

  test("trees under different prefixes know nothing of each other", async (db) => {
    const one = layerOf(1, { nodePrefix: b("one"), contentPrefix: b("1") });
    const two = layerOf(1, { nodePrefix: b("two"), contentPrefix: b("2") });
    const [a, z] = [await one.create(db, ["a"]), await two.create(db, ["z"])];
    expect([await one.list(db), await two.list(db), await layerOf(1).list(db)]).toEqual([["a"], ["z"], []]);
    expect([s(a.prefix.subarray(0, 1)), s(z.prefix.subarray(0, 1))]).toEqual(["1", "2"]);
  });

  definePartitionContract(backend);
  defineAllocationContract(backend);
  defineMisuseContract(backend);
}
