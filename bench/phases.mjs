// The workloads, in phases: each runs in a process of its own over the directory that the one before has left. A phase gets
// { engine, directory, entries, keys, valueOf, emit } and emits named numbers; what they mean and which way is better is in rows.mjs.
import { KEY_BYTES, shuffled, uniform, VALUE_BYTES, zipfian } from "./data.mjs";
import {
  bytesWritten,
  diskBytes,
  Latencies,
  logBytes,
  longestStall,
  mebibytes,
  peakMemoryMib,
  rate,
  rateSync,
  turn,
} from "./measure.mjs";

const BATCH = 1000;
const CACHE_BYTES = 256 * 1024 * 1024;
const SMALL_CACHE_BYTES = 8 * 1024 * 1024;

export const PHASES = {
  sequential: { cacheBytes: CACHE_BYTES, durable: false, isFresh: true, run: fillSequential },
  chained: { cacheBytes: CACHE_BYTES, durable: false, isFresh: true, run: fillChained },
  random: { cacheBytes: CACHE_BYTES, durable: false, isFresh: true, run: fillRandom },
  reads: { cacheBytes: CACHE_BYTES, durable: false, run: reads },
  "small cache": { cacheBytes: SMALL_CACHE_BYTES, durable: false, run: readsWithSmallCache },
  mixed: { cacheBytes: CACHE_BYTES, durable: false, run: mixed },
  compaction: { cacheBytes: CACHE_BYTES, durable: false, run: compaction },
  deletes: { cacheBytes: CACHE_BYTES, durable: false, run: deletes },
  durable: { cacheBytes: CACHE_BYTES, durable: true, isFresh: true, run: durable },
  transactions: { cacheBytes: CACHE_BYTES, durable: false, isFresh: true, run: transactions },
  crash: { cacheBytes: CACHE_BYTES, durable: false, isFresh: true, run: crash },
  recovery: { cacheBytes: CACHE_BYTES, durable: false, opens: true, run: recovery },
  open: { cacheBytes: CACHE_BYTES, durable: false, opens: true, run: cleanOpen },
};

/** Rows beyond `entries` that workloads insert, at most. */
export const INSERTED_MAX = 10_000;

async function fill({ engine, entries, keys, valueOf, write }, order) {
  const latencies = new Latencies(Math.ceil(entries / BATCH));
  const stallMs = await longestStall(async () => {
    for (let start = 0; start < entries; start += BATCH) {
      const count = Math.min(BATCH, entries - start);
      const keyAt = (i) => keys.at(order[start + i]);
      const valueAt = (i) => valueOf(order[start + i]);
      await latencies.time(() => (write ?? engine.writeBatch)(count, keyAt, valueAt));
      await turn();
    }
  });
  return { latencies, stallMs };
}

async function fillSequential(bench) {
  const order = Uint32Array.from({ length: bench.entries }, (_, i) => i);
  bench.emit("fill sequential", await rate(bench.entries, () => fill(bench, order)));
}

async function fillChained(bench) {
  if (bench.engine.writeChained === undefined) return;
  const order = Uint32Array.from({ length: bench.entries }, (_, i) => i);
  const write = bench.engine.writeChained;
  bench.emit("fill sequential, chained", await rate(bench.entries, () => fill({ ...bench, write }, order)));
}

async function fillRandom(bench) {
  const { engine, directory, entries, emit } = bench;
  const order = shuffled(entries);
  const before = bytesWritten();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const { latencies, stallMs } = await fill(bench, order);
  emit("fill random", entries / ((performance.now() - start) / 1000));
  await engine.settle();
  emit("fill random, settled", entries / ((performance.now() - start) / 1000));
  const { user, system } = process.cpuUsage(cpuBefore);
  emit("fill random, CPU s", (user + system) / 1e6);
  emit("batch p50 ms", latencies.percentile(0.5));
  emit("batch p99 ms", latencies.percentile(0.99));
  emit("batch p999 ms", latencies.percentile(0.999));
  emit("longest stall ms", stallMs);
  const written = bytesWritten();
  const userBytes = entries * (KEY_BYTES + VALUE_BYTES);
  if (before !== null && written > before) emit("bytes written per byte", (written - before) / userBytes);
  emit("peak memory of filling MiB", peakMemoryMib());
  if (directory !== null) emit("disk after filling", diskBytes(directory) / userBytes);
}

function mustBe(value, what) {
  if (value === undefined || value === null || value.length !== VALUE_BYTES)
    throw new Error(`${what} is lost`);
}

async function reads(bench) {
  const { engine, entries, keys, emit } = bench;
  const count = Math.min(entries, 200_000);
  const anywhere = uniform(entries, count, 1);
  const skewed = zipfian(entries, count, 2);
  const hot = Uint32Array.from(uniform(1000, count, 3), (n) => anywhere[n]);
  const getAll = (order) => {
    for (let i = 0; i < count; i++) mustBe(engine.getSync(keys.at(order[i])), `key ${order[i]}`);
  };
  for (const n of shuffled(entries)) engine.getSync(keys.at(n));
  for (const [name, order] of [
    ["get, uniform", anywhere],
    ["get, Zipfian", skewed],
    ["get, hot 1,000", hot],
  ]) {
    getAll(order);
    emit(
      name,
      rateSync(count, () => getAll(order)),
    );
  }
  const missing = Array.from(anywhere, (n) => keys.missing(n));
  const miss = () => {
    for (const key of missing) if ((engine.getSync(key) ?? null) !== null) throw new Error("found");
  };
  miss();
  emit("get, missing", rateSync(count, miss));
  await asyncReads(bench, anywhere);
  await scans(bench);
  emit("peak memory of reading MiB", peakMemoryMib());
}

async function asyncReads({ engine, keys, emit }, anywhere) {
  const count = Math.min(50_000, anywhere.length);
  const one = async () => {
    for (let i = 0; i < count; i++) mustBe(await engine.get(keys.at(anywhere[i])), "a key");
  };
  await one();
  emit("get, awaited", await rate(count, one));
  emit(
    "get, 64 in flight",
    await rate(count, async () => {
      let next = 0;
      const reader = async () => {
        while (next < count) mustBe(await engine.get(keys.at(anywhere[next++])), "a key");
      };
      await Promise.all(Array.from({ length: 64 }, reader));
    }),
  );
  emit(
    "getMany of 1,000",
    await rate(count, async () => {
      for (let i = 0; i < count; i += BATCH) {
        const asked = Array.from({ length: Math.min(BATCH, count - i) }, (_, j) => keys.at(anywhere[i + j]));
        for (const value of await engine.getMany(asked)) mustBe(value, "a key");
      }
    }),
  );
}

async function scans({ engine, entries, keys, emit }) {
  let rows = 0;
  const seen = (key, value) => {
    rows += key.length === KEY_BYTES && value.length === VALUE_BYTES ? 1 : 0;
  };
  const all = async (name, scan) => {
    await scan();
    rows = 0;
    emit(name, await rate(entries, scan));
    if (rows !== entries) throw new Error(`${name} gave ${rows} rows`);
  };
  await all("scan", () => engine.scan(false, seen));
  await all("scan in reverse", () => engine.scan(true, seen));
  if (engine.scanCursor !== undefined) {
    const count = () => void rows++;
    await all("scan by cursor", () => engine.scanCursor(false, count));
  }
  for (const length of [10, 100]) {
    const starts = uniform(entries - length, length === 10 ? 20_000 : 5_000, 4);
    const ranges = async () => {
      for (const start of starts) await engine.range(keys.at(start), length, seen);
    };
    await ranges();
    rows = 0;
    emit(`range of ${length}`, await rate(starts.length, ranges));
    if (rows !== starts.length * length) throw new Error("a range is short");
  }
}

async function readsWithSmallCache({ engine, entries, keys, emit }) {
  const count = Math.min(entries, 200_000);
  for (const [name, order] of [
    ["get, uniform, small cache", uniform(entries, count, 5)],
    ["get, Zipfian, small cache", zipfian(entries, count, 6)],
  ]) {
    const all = () => {
      for (let i = 0; i < count; i++) mustBe(engine.getSync(keys.at(order[i])), "a key");
    };
    all();
    emit(name, rateSync(count, all));
  }
  emit("peak memory with small cache MiB", peakMemoryMib());
}

/** YCSB's core workloads: share of reads, updates, inserts, scans, read-modify-writes; D reads what was written last. */
const YCSB = {
  A: { read: 0.5, update: 0.5 },
  B: { read: 0.95, update: 0.05 },
  C: { read: 1 },
  D: { read: 0.95, insert: 0.05, latest: true },
  E: { scan: 0.95, insert: 0.05 },
  F: { read: 0.5, modify: 0.5 },
};

async function mixed(bench) {
  const { engine, entries, keys, valueOf, emit } = bench;
  const count = Math.min(entries, 50_000);
  const write = engine.putSync ?? engine.put;
  emit(
    "put, one by one",
    await rate(count / 2, async () => {
      const order = uniform(entries, count / 2, 7);
      for (const n of order) await engine.put(keys.at(n), valueOf(n + 1));
    }),
  );
  emit(
    "put, 64 in flight",
    await rate(count, async () => {
      const order = uniform(entries, count, 8);
      let next = 0;
      const writer = async () => {
        while (next < count) {
          const n = order[next++];
          await engine.put(keys.at(n), valueOf(n + 2));
        }
      };
      await Promise.all(Array.from({ length: 64 }, writer));
    }),
  );
  let inserted = entries;
  for (const [name, shares] of Object.entries(YCSB)) {
    const order = zipfian(entries, count, 9);
    const dice = uniform(1000, count, 10);
    const operations = name === "E" ? count / 5 : count;
    const work = async () => {
      for (let i = 0; i < operations; i++) {
        let share = dice[i] / 1000;
        const n = shares.latest ? Math.max(0, inserted - 1 - (order[i] % 1000)) : order[i];
        const key = keys.at(n);
        share -= shares.read ?? 0;
        if (share < 0) {
          mustBe(engine.getSync(key), "a key");
          continue;
        }
        share -= shares.scan ?? 0;
        if (share < 0) {
          await engine.range(key, 1 + (order[i] % 100), () => {});
          continue;
        }
        if (shares.modify !== undefined) mustBe(engine.getSync(key), "a key");
        const at = shares.insert === undefined ? n : inserted++;
        await write(keys.at(at), valueOf(i));
      }
    };
    emit(`YCSB ${name}`, await rate(operations, work));
  }
  emit(
    "overwrite random",
    await rate(entries, () => fill({ ...bench, valueOf: (n) => valueOf(n + 7) }, shuffled(entries))),
  );
  await engine.settle();
}

/** True: it has closed the engine. */
async function compaction({ engine, directory, entries, emit }) {
  await engine.compact();
  await engine.settle();
  await engine.close();
  // Of what the mixed workloads inserted, some 3,000 rows, is said nothing: it makes the number a little worse.
  emit("disk after compaction", diskBytes(directory) / (entries * (KEY_BYTES + VALUE_BYTES)));
  return true;
}

/** True: it has closed the engine. */
async function deletes({ engine, directory, entries, keys, emit }) {
  const half = Math.floor(entries / 2);
  const order = shuffled(entries);
  emit(
    "delete",
    await rate(half, async () => {
      for (let start = 0; start < half; start += BATCH) {
        await engine.deleteBatch(Math.min(BATCH, half - start), (i) => keys.at(order[start + i]));
        await turn();
      }
    }),
  );
  await engine.compact();
  await engine.settle();
  if (directory === null) return false;
  await engine.close();
  // What was inserted by the mixed workloads counts as well: some 5,000 rows.
  emit("disk after deleting half", diskBytes(directory) / ((entries - half) * (KEY_BYTES + VALUE_BYTES)));
  return true;
}

async function durable(bench) {
  const { engine, keys, valueOf, entries, emit } = bench;
  const rows = Math.min(entries, 200_000);
  emit("durable batches of 1,000", await rate(rows, () => fill({ ...bench, entries: rows }, shuffled(rows))));
  const single = 1000;
  const alone = new Latencies(single);
  emit(
    "durable put, 1 committer",
    await rate(single, async () => {
      for (let i = 0; i < single; i++) await alone.time(() => engine.put(keys.at(i), valueOf(i + 1)));
    }),
  );
  emit("durable put p99 ms", alone.percentile(0.99));
  if (engine.putSync !== undefined) {
    const all = () => {
      for (let i = 0; i < single; i++) engine.putSync(keys.at(i), valueOf(i + 2));
    };
    emit("durable putSync", rateSync(single, all));
  }
  const many = 20_000;
  emit(
    "durable put, 64 committers",
    await rate(many, async () => {
      let next = 0;
      const committer = async () => {
        while (next < many) {
          const n = next++;
          await engine.put(keys.at(n % rows), valueOf(n + 3));
        }
      };
      await Promise.all(Array.from({ length: 64 }, committer));
    }),
  );
}

/** Five reads and five writes of anywhere, one transaction after the other; only what has transactions over the same keys. */
async function transactions({ engine, entries, keys, valueOf, emit }) {
  if (engine.transact === undefined) return;
  const rows = Math.min(entries, 10_000);
  for (let start = 0; start < rows; start += BATCH)
    await engine.transact((transaction) => {
      for (let n = start; n < start + BATCH; n++) transaction.set(keys.at(n), valueOf(n));
    });
  const count = 20_000;
  const order = uniform(rows, count * 10, 11);
  const all = async () => {
    for (let i = 0; i < count; i++) {
      await engine.transact(async (transaction) => {
        for (let j = 0; j < 5; j++) mustBe(await transaction.get(keys.at(order[i * 10 + j])), "a key");
        for (let j = 5; j < 10; j++) transaction.set(keys.at(order[i * 10 + j]), valueOf(i));
      });
    }
  };
  await all();
  emit("transactions of 5 reads and 5 writes", await rate(count, all));
}

/** Bytes of rows whose log is just short of what ours flushes at. */
const LOGGED_BYTES = 14 * 1024 * 1024;

/** Leaves a log behind, as a killed process does. */
async function crash({ engine, entries, keys, valueOf }) {
  const rows = Math.min(entries, Math.floor(LOGGED_BYTES / (KEY_BYTES + VALUE_BYTES)));
  await fill({ engine, entries: rows, keys, valueOf }, shuffled(rows));
  process.kill(process.pid, "SIGKILL");
  await new Promise(() => {});
}

async function recovery(bench) {
  const log = mebibytes(logBytes(bench.directory));
  const ms = await openingMs(bench);
  bench.emit("open after a crash ms", ms);
  bench.emit("log at the crash MiB", log);
  if (log > 1) bench.emit("recovery ms per MiB of log", ms / log);
}

async function cleanOpen(bench) {
  bench.emit("open ms", await openingMs(bench));
}

/** Until the first value is there. */
async function openingMs({ open, keys }) {
  const start = performance.now();
  const engine = await open();
  mustBe(engine.getSync(keys.at(1)), "a key");
  const ms = performance.now() - start;
  await engine.close();
  return ms;
}
