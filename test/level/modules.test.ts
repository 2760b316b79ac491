/** Published modules on top: an RDF store, streams, libp2p's datastore, an encoding; and a time to live by hooks, as level-ttl had it. */
import { createRequire } from "node:module";
import { LevelDatastore } from "datastore-level";
import { Key } from "interface-datastore";
import { Quadstore } from "quadstore";
import { DataFactory } from "rdf-data-factory";
import { expect, it } from "vitest";
import { StillwaterLevel } from "../../src/level/index.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";

const require = createRequire(import.meta.url);

async function options() {
  return { platform: nodePlatform({ vfs: await createMemoryVFS(), workers: false }), memtableBytes: 65_536 };
}

it("quadstore keeps, matches and removes quads", async () => {
  const dataFactory = new DataFactory();
  const backend = new StillwaterLevel("/quads", await options());
  const store = new Quadstore({ backend: backend as never, dataFactory });
  await store.open();
  const { namedNode, literal, quad } = dataFactory;
  const call = (name: string) => namedNode.call(dataFactory, `ex://${name}`);
  const quads = Array.from({ length: 60 }, (_, i) =>
    quad.call(
      dataFactory,
      call(`s${i % 6}`),
      call(`p${i % 4}`),
      literal.call(
        dataFactory,
        `value ${i}`,
        namedNode.call(dataFactory, "http://www.w3.org/2001/XMLSchema#string"),
      ),
      call(`g${i % 2}`),
    ),
  );
  await store.multiPut(quads as never);
  const { items } = (await store.get({})) as { items: unknown[] };
  expect(items).toHaveLength(60);
  const bySubject = (await store.get({ subject: call("s3") } as never)) as { items: unknown[] };
  expect(bySubject.items).toHaveLength(10);
  await store.del(quads[3] as never);
  const after = (await store.get({ subject: call("s3") } as never)) as { items: unknown[] };
  expect(after.items).toHaveLength(9);
  await store.close();
});

it("level-read-stream streams entries of a range", async () => {
  const { EntryStream, KeyStream } = require("level-read-stream") as {
    EntryStream: new (db: unknown, options?: object) => AsyncIterable<{ key: string; value: string }>;
    KeyStream: new (db: unknown, options?: object) => AsyncIterable<string>;
  };
  const db = new StillwaterLevel("/stream", await options());
  await db.batch(
    Array.from({ length: 3000 }, (_, i) => ({ type: "put", key: String(10_000 + i), value: `${i}` })),
  );
  const entries: string[] = [];
  for await (const { key, value } of new EntryStream(db, { gte: "12000", limit: 3 }))
    entries.push(`${key}=${value}`);
  expect(entries).toEqual(["12000=2000", "12001=2001", "12002=2002"]);
  let keys = 0;
  for await (const _ of new KeyStream(db)) keys++;
  expect(keys).toBe(3000);
  await db.close();
});

it("datastore-level of libp2p stores, queries and batches", async () => {
  const db = new StillwaterLevel<string, Uint8Array>("/datastore", {
    ...(await options()),
    keyEncoding: "utf8",
    valueEncoding: "view",
  });
  const datastore = new LevelDatastore(db as never);
  await datastore.open();
  const batch = datastore.batch();
  for (let i = 0; i < 20; i++) batch.put(new Key(`/group/${i % 2}/${i}`), Uint8Array.of(i));
  batch.delete(new Key("/group/0/4"));
  await batch.commit();
  expect(await datastore.has(new Key("/group/0/4"))).toBe(false);
  expect([...(await datastore.get(new Key("/group/1/7")))]).toEqual([7]);
  const found: string[] = [];
  for await (const { key } of datastore.query({ prefix: "/group/0" })) found.push(key.toString());
  expect(found).toHaveLength(9);
  await expect(async () => datastore.get(new Key("/nothing"))).rejects.toThrow(/not found/i);
  await datastore.close();
});

it("charwise as the encoding of keys keeps numbers and arrays in order", async () => {
  const charwise = require("charwise") as never;
  const db = new StillwaterLevel<unknown, string>("/charwise", {
    ...(await options()),
    keyEncoding: charwise,
  });
  for (const key of [10, 9, -1, [1, "b"], [1, "a"], "text", true]) await db.put(key, "x");
  expect(await db.keys().all()).toEqual([true, -1, 9, 10, "text", [1, "a"], [1, "b"]]);
  expect(await db.keys({ gte: 0, lt: 10 }).all()).toEqual([9]);
  await db.close();
});

it("a time to live by a prewrite hook is one commit with what it is about, and is swept by range", async () => {
  const db = new StillwaterLevel("/ttl", await options());
  const due = db.sublevel("due");
  const data = db.sublevel("data");
  data.hooks.prewrite.add((operation, batch) => {
    const { ttl } = operation as { ttl?: number };
    if (operation.type === "put" && ttl !== undefined)
      batch.add({
        type: "put",
        key: `${String(ttl).padStart(8, "0")} ${operation.key}`,
        value: operation.key,
        sublevel: due as never,
      });
  });
  const { version } = await db.open().then(() => db.store);
  await data.put("short", "1", { ttl: 10 } as object);
  expect(db.store.version).toBe(version + 1);
  await data.put("long", "2", { ttl: 1000 } as object);
  const sweep = async (now: number): Promise<void> => {
    const range = { lte: `${String(now).padStart(8, "0")} \uffff` };
    const gone = await due.iterator(range).all();
    await db.batch(
      gone.flatMap(([row, key]) => [
        { type: "del" as const, key: row, sublevel: due as never },
        { type: "del" as const, key, sublevel: data as never },
      ]),
    );
  };
  await sweep(500);
  expect(await data.iterator().all()).toEqual([["long", "2"]]);
  expect(await due.values().all()).toEqual(["long"]);
  await db.close();
});
