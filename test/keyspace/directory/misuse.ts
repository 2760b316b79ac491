/** What directories refuse, with which code, and that the transaction goes on. Part of the directories' contract. */
import { expect } from "vitest";
import type { DirectoryPath } from "../../../src/keyspace/directory.js";
import type { DirectoryLayer } from "../../../src/keyspace/directory-layer.js";
import type { Transaction } from "../../../src/transaction/transaction.js";
import type { ContractBackend } from "../../transaction/contract/backend.js";
import { b, fails } from "../../transaction/contract/support.js";
import { directoryCasesOn, layerOf } from "./support.js";

type Misuse = readonly [
  what: string,
  code: string,
  call: (layer: DirectoryLayer, tx: Transaction) => Promise<unknown>,
];

/** On a tree of /a/b and /c. */
const MISUSES: readonly Misuse[] = [
  ["creating what is there", "DIRECTORY_EXISTS", (layer, tx) => layer.create(tx, ["a", "b"])],
  ["opening what is not there", "DIRECTORY_NOT_FOUND", (layer, tx) => layer.open(tx, ["a", "x"])],
  ["removing what is not there", "DIRECTORY_NOT_FOUND", (layer, tx) => layer.remove(tx, ["x"])],
  ["listing what is not there", "DIRECTORY_NOT_FOUND", (layer, tx) => layer.list(tx, ["c", "x"])],
  ["moving what is not there", "DIRECTORY_NOT_FOUND", (layer, tx) => layer.move(tx, ["x"], ["y"])],
  ["moving to what is there", "DIRECTORY_EXISTS", (layer, tx) => layer.move(tx, ["c"], ["a", "b"])],
  [
    "moving to a parent that is not there",
    "DIRECTORY_PARENT_NOT_FOUND",
    (layer, tx) => layer.move(tx, ["c"], ["x", "c"]),
  ],
  [
    "moving below itself",
    "DIRECTORY_MOVE_INTO_ITSELF",
    (layer, tx) => layer.move(tx, ["a"], ["a", "b", "x"]),
  ],
  ["moving to itself", "DIRECTORY_MOVE_INTO_ITSELF", (layer, tx) => layer.move(tx, ["a"], ["a"])],
  ["moving to the root", "DIRECTORY_EXISTS", (layer, tx) => layer.move(tx, ["a"], [])],
  ["moving the root", "DIRECTORY_IS_ROOT", (layer, tx) => layer.move(tx, [], ["x"])],
  ["moving the root by itself", "DIRECTORY_IS_ROOT", (layer) => layer.moveTo()],
  ["removing the root", "DIRECTORY_IS_ROOT", (layer, tx) => layer.remove(tx)],
  ["removing the root, if it exists", "DIRECTORY_IS_ROOT", (layer, tx) => layer.removeIfExists(tx, [])],
  ["opening the root", "DIRECTORY_IS_ROOT", (layer, tx) => layer.open(tx, [])],
  ["creating the root", "DIRECTORY_IS_ROOT", (layer, tx) => layer.createOrOpen(tx, [])],
  [
    "a path that is a text",
    "INVALID_ARGUMENT",
    (layer, tx) => layer.create(tx, "x" as unknown as DirectoryPath),
  ],
  [
    "a name that is no text",
    "INVALID_ARGUMENT",
    (layer, tx) => layer.create(tx, ["x", 1] as unknown as DirectoryPath),
  ],
  ["a name with half of a surrogate pair", "INVALID_ARGUMENT", (layer, tx) => layer.create(tx, ["\ud800"])],
  [
    "a layer that is no text",
    "INVALID_ARGUMENT",
    (layer, tx) => layer.create(tx, ["x"], { layer: 1 as unknown as string }),
  ],
  [
    "a prefix that is no bytes",
    "INVALID_ARGUMENT",
    (layer, tx) => layer.create(tx, ["x"], { prefix: "x" as unknown as Uint8Array }),
  ],
  [
    "an option that there is not",
    "UNKNOWN_OPTION",
    (layer, tx) => layer.open(tx, ["a"], { prefix: b("x") } as object),
  ],
];

export function defineMisuseContract(backend: ContractBackend): void {
  const test = directoryCasesOn(backend);

  for (const [what, code, call] of MISUSES) {
    test(`${what} is refused with ${code}, and the transaction goes on`, async (db) => {
      const layer = layerOf(1);
      await layer.create(db, ["a", "b"]);
      await layer.create(db, ["c"]);
      const tx = db.createTransaction();
      const [misuse, waiting] = [call(layer, tx), layer.create(tx, ["d"])];
      await expect(misuse).rejects.toEqual(fails(code));
      await waiting;
      await tx.commit();
      expect([await layer.list(db), await layer.list(db, ["a"])]).toEqual([["a", "c", "d"], ["b"]]);
    });
  }

  test("a tree of a higher minor version is read and not written, of another major one neither", async (db) => {
    const layer = layerOf(1);
    await layer.create(db, ["a"]);
    const setVersion = (...parts: number[]): Promise<void> =>
      db.transact((tx) => tx.set(VERSION_KEY, new Uint8Array(Uint32Array.from(parts).buffer)));
    await setVersion(1, 1, 0);
    expect([await layer.list(db), await layer.exists(db, ["a"])]).toEqual([["a"], true]);
    await layer.open(db, ["a"]);
    await layer.createOrOpen(db, ["a"]);
    const readOnly = fails("DIRECTORY_READ_ONLY");
    await expect(layer.create(db, ["b"])).rejects.toEqual(readOnly);
    await expect(layer.createOrOpen(db, ["b"])).rejects.toEqual(readOnly);
    await expect(layer.move(db, ["a"], ["b"])).rejects.toEqual(readOnly);
    await expect(layer.remove(db, ["a"])).rejects.toEqual(readOnly);
    await expect(layer.removeIfExists(db, ["x"])).rejects.toEqual(readOnly);
    await setVersion(2, 0, 0);
    const unsupported = fails("DIRECTORY_VERSION_UNSUPPORTED");
    await expect(layer.list(db)).rejects.toEqual(unsupported);
    await expect(layer.open(db, ["a"])).rejects.toEqual(unsupported);
    await expect(layer.exists(db, ["a"])).rejects.toEqual(unsupported);
    await expect(layer.createOrOpen(db, ["a"])).rejects.toEqual(unsupported);
    await expect(layer.move(db, ["a"], ["b"])).rejects.toEqual(unsupported);
    await setVersion(1, 0);
    await expect(layer.list(db)).rejects.toEqual(fails("DIRECTORY_DAMAGED"));
  });

  test("a transaction that failed fails what was waiting in it, and a new try begins from nothing", async (db) => {
    const layer = layerOf(1);
    await layer.create(db, ["a"]);
    let tries = 0;
    await db.transact(async (tx) => {
      tries++;
      const all = ["x", "y", "z"].map((name) => layer.create(tx, ["a", name]));
      // The first try loses to another transaction while its operations are under way.
      if (tries === 1) {
        const lost = Promise.allSettled(all);
        await layer.remove(db, ["a"]);
        await layer.create(db, ["a"]);
        await Promise.all(all);
        await lost;
      }
      await Promise.all(all);
    });
    expect(tries).toBe(2);
    expect(await layer.list(db, ["a"])).toEqual(["x", "y", "z"]);
    const tx = db.createTransaction();
    const all = Promise.allSettled(["p", "q", "r"].map((name) => layer.create(tx, [name])));
    tx.cancel();
    for (const result of await all) {
      expect(result).toMatchObject({ status: "rejected", reason: { code: "TRANSACTION_CANCELLED" } });
    }
  });
}

/** 0xFE, 0xFE as a byte string, "version" as a byte string. */
const VERSION_KEY = b("\xfe\x01\xfe\0\x01version\0");
