// memory-level: a balanced tree in memory, in JavaScript. It keeps nothing, so it has no durable setting and no file.
import { MemoryLevel } from "memory-level";

export const settings = { durable: null, buffered: "nothing is kept" };

export async function open() {
  const db = new MemoryLevel({ keyEncoding: "buffer", valueEncoding: "buffer" });
  await db.open();
  const operations = (count, of) => Array.from({ length: count }, (_, i) => of(i));
  return {
    hasSyncReads: true,
    writeBatch: (count, keyAt, valueAt) =>
      db.batch(operations(count, (i) => ({ type: "put", key: keyAt(i), value: valueAt(i) }))),
    put: (key, value) => db.put(key, value),
    deleteBatch: (count, keyAt) => db.batch(operations(count, (i) => ({ type: "del", key: keyAt(i) }))),
    getSync: (key) => db.getSync(key),
    get: (key) => db.get(key),
    getMany: (keys) => db.getMany(keys),
    async scan(reverse, onRow) {
      const iterator = db.iterator({ reverse });
      for (let rows = await iterator.nextv(1000); rows.length > 0; rows = await iterator.nextv(1000))
        for (const [key, value] of rows) onRow(key, value);
      await iterator.close();
    },
    async range(from, rows, onRow) {
      const iterator = db.iterator({ gte: from, limit: rows });
      for (const [key, value] of await iterator.nextv(rows)) onRow(key, value);
      await iterator.close();
    },
    async settle() {},
    async compact() {},
    close: () => db.close(),
  };
}
