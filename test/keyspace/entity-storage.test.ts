/** Entity storage over a database and in memory: one conformance suite, and what only a database promises. */
import { describe, expect, test } from "vitest";
import { DatabaseEntityStorage } from "../../src/keyspace/entity-database.js";
import { entityKey } from "../../src/keyspace/entity-key.js";
import { MemoryEntityStorage } from "../../src/keyspace/entity-memory.js";
import { Subspace } from "../../src/keyspace/subspace.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { layerOf } from "./directory/support.js";
import { defineEntityConformance } from "./entity-conformance.js";

const b = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const platform = async (): Promise<ReturnType<typeof nodePlatform>> =>
  nodePlatform({ vfs: await createMemoryVFS() });

describe("in memory", () => defineEntityConformance((body) => body(new MemoryEntityStorage())));

describe("over a database", () => {
  defineEntityConformance(async (body) => {
    await using db = await openEngineDatabase("/db", {}, await platform());
    await body(new DatabaseEntityStorage(db));
  });
});

describe("over a directory of a database", () => {
  defineEntityConformance(async (body) => {
    await using db = await openEngineDatabase("/db", {}, await platform());
    await body(new DatabaseEntityStorage(db, await layerOf(1).create(db, ["entities"])));
  });
});

test("keyspaces of a database are subspaces of their names, beside each other and beside other data", async () => {
  await using db = await openEngineDatabase("/db", {}, await platform());
  const storage = new DatabaseEntityStorage(db, Subspace.of("tidal"));
  const key = entityKey(1, "meta");
  await storage.backend("item").put(key, b("v"));
  await storage.flush();
  await db.transact((tx) => tx.set(b("zebra"), b("")));
  const rows = await db.read((tx) => tx.getRangeAll(b(""), b("\xff")));
  const expected = Uint8Array.of(...Subspace.of("tidal", "items").prefix, ...key);
  expect(rows.map(([k]) => Buffer.from(k).toString("hex"))).toEqual([
    Buffer.from(expected).toString("hex"),
    Buffer.from("zebra").toString("hex"),
  ]);
});

test("what was written is there after closing and opening again", async () => {
  const host = await platform();
  {
    await using db = await openEngineDatabase("/db", {}, host);
    const storage = new DatabaseEntityStorage(db);
    await storage.writeBatch([
      { kind: "item", type: "put", key: entityKey(1, "evt"), value: b("i") },
      { kind: "creator", type: "put", key: entityKey(1, "evt"), value: b("c") },
    ]);
    await storage.flush();
  }
  await using db = await openEngineDatabase("/db", {}, host);
  const storage = new DatabaseEntityStorage(db);
  expect(await storage.backend("item").get(entityKey(1, "evt"))).toEqual(b("i"));
  expect(await storage.backend("user").get(entityKey(1, "evt"))).toBeUndefined();
  expect(await storage.backend("creator").get(entityKey(1, "evt"))).toEqual(b("c"));
});
