// LevelDB. Durable is `sync: true`; not durable is its default, `sync: false`: handed to the system, never synced by a commit.
// Without compression, as ours: the same bytes are written and read. `cacheSize` is given, for its own 8 MiB are few.
import { join } from "node:path";
import { ClassicLevel } from "classic-level";

export const settings = { durable: "sync: true", buffered: "sync: false (its default)" };

export async function open(directory, { durable, cacheBytes }) {
  const db = new ClassicLevel(join(directory, "db"), {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    cacheSize: cacheBytes,
    compression: false,
  });
  await db.open();
  const sync = { sync: durable };
  const operations = (count, of) => Array.from({ length: count }, (_, i) => of(i));
  const scan = async (options, onRow) => {
    const iterator = db.iterator(options);
    try {
      for (;;) {
        const rows = await iterator.nextv(1000);
        if (rows.length === 0) return;
        for (const [key, value] of rows) onRow(key, value);
      }
    } finally {
      await iterator.close();
    }
  };
  return {
    hasSyncReads: true,
    writeBatch: (count, keyAt, valueAt) =>
      db.batch(
        operations(count, (i) => ({ type: "put", key: keyAt(i), value: valueAt(i) })),
        sync,
      ),
    writeChained(count, keyAt, valueAt) {
      const batch = db.batch();
      for (let i = 0; i < count; i++) batch.put(keyAt(i), valueAt(i));
      return batch.write(sync);
    },
    put: (key, value) => db.put(key, value, sync),
    deleteBatch: (count, keyAt) =>
      db.batch(
        operations(count, (i) => ({ type: "del", key: keyAt(i) })),
        sync,
      ),
    getSync: (key) => db.getSync(key),
    get: (key) => db.get(key),
    getMany: (keys) => db.getMany(keys),
    scan: (reverse, onRow) => scan({ reverse }, onRow),
    async range(from, rows, onRow) {
      const iterator = db.iterator({ gte: from, limit: rows });
      for (const [key, value] of await iterator.nextv(rows)) onRow(key, value);
      await iterator.close();
    },
    /** It has no way to wait for compactions. */
    async settle() {},
    compact: () => db.compactRange(Buffer.alloc(0), Buffer.alloc(32, 255)),
    close: () => db.close(),
  };
}
