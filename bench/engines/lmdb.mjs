// LMDB by lmdb-js. Durable is `transactionSync` and `putSync` with its default of one sync a transaction; for many committers its
// own queue, `put`, awaited until flushed. Not durable is `noSync`. Pages come from the system's cache by mmap: it has no cache of its own.
import { join } from "node:path";
import { open as openLmdb } from "lmdb";

export const settings = {
  durable: "overlappingSync: false, one sync a transaction",
  buffered: "noSync: true",
};

export async function open(directory, { durable }) {
  const db = openLmdb({
    path: join(directory, "data.mdb"),
    keyEncoding: "binary",
    encoding: "binary",
    compression: false,
    mapSize: 4 * 1024 ** 3,
    ...(durable ? { overlappingSync: false } : { noSync: true, overlappingSync: false }),
  });
  const rows = (options, onRow) => {
    for (const { key, value } of db.getRange(options)) onRow(key, value);
  };
  return {
    hasSyncReads: true,
    async writeBatch(count, keyAt, valueAt) {
      db.transactionSync(() => {
        for (let i = 0; i < count; i++) db.putSync(keyAt(i), valueAt(i));
      });
    },
    put: (key, value) => db.put(key, value),
    putSync: (key, value) => db.putSync(key, value),
    async deleteBatch(count, keyAt) {
      db.transactionSync(() => {
        for (let i = 0; i < count; i++) db.removeSync(keyAt(i));
      });
    },
    getSync: (key) => db.getBinaryFast(key),
    get: async (key) => db.getBinary(key),
    getMany: (keys) => db.getMany(keys),
    scan: (reverse, onRow) => rows({ reverse }, onRow),
    range: (from, limit, onRow) => rows({ start: from, limit }, onRow),
    async settle() {},
    async compact() {},
    close: () => db.close(),
  };
}
