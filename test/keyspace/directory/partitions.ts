/** Partitions: everything in one shares its prefix, and nothing leaves it. Part of the directories' contract. */
import { expect } from "vitest";
import { keyAfterPrefix } from "../../../src/keyspace/subspace.js";
import type { ContractBackend } from "../../transaction/contract/backend.js";
import { b, fails, s } from "../../transaction/contract/support.js";
import { directoryCasesOn, hex, keysFrom, layerOf } from "./support.js";

const LAST = b("\xff");

export function definePartitionContract(backend: ContractBackend): void {
  const test = directoryCasesOn(backend);

  test("everything in a partition has its prefix: directories, their keys, and the tree", async (db) => {
    const layer = layerOf(1);
    const partition = await layer.create(db, ["p"], { layer: "partition" });
    await layer.create(db, ["beside"]);
    const before = await keysFrom(db, b(""), LAST);
    const [prefix] = (await layerOf(3).list(db)).includes("p") ? await prefixOf(db) : [];
    const inner = await partition.create(db, ["a", "b"]);
    await db.transact((tx) => tx.set(inner.pack([1]), b("v")));
    const added = (await keysFrom(db, b(""), LAST)).filter((key) => !before.includes(key));
    expect(added.length).toBeGreaterThan(6);
    expect(added.every((key) => key.startsWith(prefix as string))).toBe(true);
    expect(inner.path).toEqual(["p", "a", "b"]);
    expect(s(partition.layer)).toBe("partition");
  });

  test("paths lead into a partition from outside as from inside", async (db) => {
    const layer = layerOf(1);
    const partition = await layer.create(db, ["x", "p"], { layer: "partition" });
    const inner = await layer.create(db, ["x", "p", "a"], { layer: "tag" });
    expect(hex((await partition.open(db, ["a"], { layer: "tag" })).prefix)).toBe(hex(inner.prefix));
    expect(hex((await layer.createOrOpen(db, ["x", "p", "a"])).prefix)).toBe(hex(inner.prefix));
    expect(await layer.list(db, ["x", "p"])).toEqual(["a"]);
    expect(await partition.list(db)).toEqual(["a"]);
    expect(await layer.list(db, ["x"])).toEqual(["p"]);
    expect(await layer.exists(db, ["x", "p", "b"])).toBe(false);
    expect(await partition.exists(db)).toBe(true);
    expect((await inner.moveTo(db, ["x", "p", "b"])).path).toEqual(["x", "p", "b"]);
    expect((await layer.move(db, ["x", "p", "b"], ["x", "p", "c"])).path).toEqual(["x", "p", "c"]);
    await layer.remove(db, ["x", "p", "c"]);
    expect(await partition.list(db)).toEqual([]);
  });

  test("partitions may lie in partitions, and are trees of their own each", async (db) => {
    const layer = layerOf(1);
    const outer = await layer.create(db, ["p"], { layer: "partition" });
    const middle = await outer.create(db, ["d", "q"], { layer: "partition" });
    const inner = await middle.create(db, ["r"]);
    expect(inner.path).toEqual(["p", "d", "q", "r"]);
    const found = await layer.open(db, ["p", "d", "q", "r"]);
    expect(hex(found.prefix)).toBe(hex(inner.prefix));
    expect(hex(inner.prefix).startsWith(hex((await outer.open(db, ["d"])).prefix).slice(0, 4))).toBe(true);
    expect(await found.exists(db)).toBe(true);
    expect((await found.moveTo(db, ["p", "d", "q", "s"])).path).toEqual(["p", "d", "q", "s"]);
    expect(await layer.list(db, ["p", "d", "q"])).toEqual(["s"]);
  });

  test("a partition moves and vanishes as a whole", async (db) => {
    const layer = layerOf(1);
    const partition = await layer.create(db, ["p"], { layer: "partition" });
    const inner = await partition.create(db, ["a"]);
    await db.transact((tx) => tx.set(inner.pack([1]), b("v")));
    const moved = await partition.moveTo(db, ["z"]);
    const found = await moved.open(db, ["a"]);
    expect([found.path, hex(found.prefix)]).toEqual([["z", "a"], hex(inner.prefix)]);
    const [prefix] = await prefixOf(db);
    await moved.remove(db);
    expect(await layer.list(db)).toEqual([]);
    const begin = new Uint8Array(Buffer.from(prefix as string, "hex"));
    expect(await keysFrom(db, begin, keyAfterPrefix(begin))).toEqual([]);
  });

  test("removing a directory above takes partitions with it", async (db) => {
    const layer = layerOf(1);
    const partition = await layer.create(db, ["x", "p"], { layer: "partition" });
    await partition.create(db, ["a", "b"]);
    await layer.remove(db, ["x"]);
    await layer.create(db, ["y"]);
    const kept = (await keysFrom(db, b(""), b("\xfe"))).length;
    expect(kept).toBe(0);
  });

  test("nothing is moved into, out of, or between partitions", async (db) => {
    const layer = layerOf(1);
    const [p, q] = [
      await layer.create(db, ["p"], { layer: "partition" }),
      await layer.create(db, ["q"], { layer: "partition" }),
    ];
    const inP = await p.create(db, ["a"]);
    await q.create(db, ["b"]);
    const outside = await layer.create(db, ["d"]);
    const across = fails("DIRECTORY_ACROSS_PARTITIONS");
    await expect(layer.move(db, ["d"], ["p", "d"])).rejects.toEqual(across);
    await expect(layer.move(db, ["p", "a"], ["a"])).rejects.toEqual(across);
    await expect(layer.move(db, ["p", "a"], ["q", "a"])).rejects.toEqual(across);
    await expect(layer.move(db, ["p"], ["q", "p"])).rejects.toEqual(across);
    await expect(inP.moveTo(db, ["a"])).rejects.toEqual(across);
    await expect(inP.moveTo(db, ["q", "a"])).rejects.toEqual(across);
    await expect(inP.moveTo(db, [])).rejects.toEqual(across);
    await expect(outside.moveTo(db, ["q", "d"])).rejects.toEqual(across);
    await expect(p.move(db, [], ["a"])).rejects.toEqual(fails("DIRECTORY_IS_ROOT"));
    await expect(inP.moveTo(db, ["p"])).rejects.toEqual(fails("DIRECTORY_EXISTS"));
    expect([await p.list(db), await q.list(db)]).toEqual([["a"], ["b"]]);
  });

  test("the root of a partition is no subspace", async (db) => {
    const partition = await layerOf(1).create(db, ["p"], { layer: "partition" });
    const uses: readonly (() => unknown)[] = [
      () => partition.prefix,
      () => partition.pack([1]),
      () => partition.unpack(b("a")),
      () => partition.contains(b("a")),
      () => partition.range(),
      () => partition.range([1]),
      () => partition.subspace(1),
    ];
    for (const use of uses) expect(use).toThrow(fails("DIRECTORY_PARTITION_ROOT") as Error);
  });

  /** The prefix of the one partition of the tree. */
  async function prefixOf(db: Parameters<typeof keysFrom>[0]): Promise<string[]> {
    const rows = await db.read((tx) => tx.getRangeAll(b("\xfe"), LAST));
    const layers = rows.filter(([, value]) => s(value) === "partition");
    // fe 01 prefix 00 01 "layer" 00
    return layers.map(([key]) => hex(key).slice(4, -2 * "\0\x01layer\0".length));
  }
}
