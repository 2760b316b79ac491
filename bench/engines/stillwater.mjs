// Stillwater as built in dist. Durable is its default, `sync`; not durable is `buffered`: written to the log before the answer,
// synced within 100 ms.
import { join } from "node:path";
import { Batch, openDatabase, open as openStore } from "../../dist/src/index.js";

export const settings = {
  durable: 'durability: "sync"',
  buffered: 'durability: "buffered" (survives the process; a power cut may take the last 100 ms)',
};

export async function open(directory, { durable, cacheBytes }) {
  const durability = durable ? "sync" : "buffered";
  const options = { durability, blockCacheBytes: cacheBytes };
  const store = await openStore(join(directory, "store"), options);
  let database;
  return {
    hasSyncReads: true,
    writeBatch(count, keyAt, valueAt) {
      const batch = new Batch();
      for (let i = 0; i < count; i++) batch.put(keyAt(i), valueAt(i));
      return store.write(batch);
    },
    put: (key, value) => store.put(key, value),
    putSync(key, value) {
      const batch = new Batch();
      batch.put(key, value);
      store.writeSync(batch);
    },
    deleteBatch(count, keyAt) {
      const batch = new Batch();
      for (let i = 0; i < count; i++) batch.delete(keyAt(i));
      return store.write(batch);
    },
    getSync: (key) => store.getSync(key),
    get: (key) => store.get(key),
    getMany: (keys) => store.getMany(keys),
    scan(reverse, onRow) {
      for (const [key, value] of store.scan({ reverse })) onRow(key, value);
    },
    /** Nothing is copied: only what the iterator stands on is moved. */
    scanCursor(reverse, onRow) {
      const iterator = store.iterator({ reverse });
      try {
        while (iterator.next()) onRow();
      } finally {
        iterator.close();
      }
    },
    range(from, rows, onRow) {
      for (const [key, value] of store.scan({ gte: from, limit: rows })) onRow(key, value);
    },
    async settle() {
      await store.flush();
      while (store.inspect().backgroundBusy) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    compact: () => store.compact(),
    async transact(body) {
      database ??= await openDatabase(join(directory, "transactions"), { store: options });
      return database.transact(body);
    },
    async close() {
      await store.close();
      await database?.close();
    },
  };
}
