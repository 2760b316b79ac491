// SQLite: one table of blobs WITHOUT ROWID, in WAL mode. Durable is `synchronous = FULL`; `NORMAL` is not durable, for it syncs at
// checkpoints only.
import { join } from "node:path";
import Sqlite from "better-sqlite3";

export const settings = {
  durable: "journal_mode = WAL, synchronous = FULL",
  buffered: "journal_mode = WAL, synchronous = NORMAL",
};

export async function open(directory, { durable, cacheBytes }) {
  const db = new Sqlite(join(directory, "data.db"));
  db.pragma("journal_mode = WAL");
  db.pragma(`synchronous = ${durable ? "FULL" : "NORMAL"}`);
  db.pragma(`cache_size = ${-Math.floor(cacheBytes / 1024)}`);
  db.exec("CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, value BLOB) WITHOUT ROWID");
  const put = db.prepare("INSERT OR REPLACE INTO rows (key, value) VALUES (?, ?)");
  const remove = db.prepare("DELETE FROM rows WHERE key = ?");
  const get = db.prepare("SELECT value FROM rows WHERE key = ?").pluck();
  const forward = db.prepare("SELECT key, value FROM rows ORDER BY key").raw();
  const backward = db.prepare("SELECT key, value FROM rows ORDER BY key DESC").raw();
  const range = db.prepare("SELECT key, value FROM rows WHERE key >= ? ORDER BY key LIMIT ?").raw();
  const putAll = db.transaction((count, keyAt, valueAt) => {
    for (let i = 0; i < count; i++) put.run(keyAt(i), valueAt(i));
  });
  const removeAll = db.transaction((count, keyAt) => {
    for (let i = 0; i < count; i++) remove.run(keyAt(i));
  });
  const each = (rows, onRow) => {
    for (const [key, value] of rows) onRow(key, value);
  };
  return {
    hasSyncReads: true,
    writeBatch: async (count, keyAt, valueAt) => putAll(count, keyAt, valueAt),
    put: async (key, value) => void put.run(key, value),
    putSync: (key, value) => void put.run(key, value),
    deleteBatch: async (count, keyAt) => removeAll(count, keyAt),
    getSync: (key) => get.get(key),
    get: async (key) => get.get(key),
    getMany: async (keys) => keys.map((key) => get.get(key)),
    scan: (reverse, onRow) => each((reverse ? backward : forward).iterate(), onRow),
    range: (from, rows, onRow) => each(range.all(from, rows), onRow),
    async settle() {
      db.pragma("wal_checkpoint(TRUNCATE)");
    },
    compact: async () => void db.exec("VACUUM"),
    close: async () => void db.close(),
  };
}
