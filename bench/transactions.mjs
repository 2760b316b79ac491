// Part of `npm run bench`: what the transaction layer costs beside the raw engine, both over stores of the same options in
// one process, in turns; medians and ratios. And how long the largest legal transactions keep the event loop.
//   node bench/transactions.mjs [--rounds 7] [--json FILE]
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { Batch, open, openDatabase } from "../dist/src/index.js";

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, json: { type: "string" } },
});
const rounds = Number(values.rounds);
const ROWS = 10_000;
const folder = mkdtempSync(join(tmpdir(), "stillwater-bench-"));
const store = await open(join(folder, "raw"));
const db = await openDatabase(join(folder, "transactions"));
const value = new Uint8Array(100).fill(7);
const keys = Array.from({ length: ROWS }, (_, i) => Buffer.from(`key/${String(i).padStart(12, "0")}`));
const end = Buffer.from("key0");
const begin = Buffer.from("key/");

let turn = 0;
const nextKeys = (count) => Array.from({ length: count }, () => keys[(turn = (turn * 7919 + 12_345) % ROWS)]);

/** `clients` of them at once, `each` times each. */
async function concurrently(clients, each, body) {
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let i = 0; i < each; i++) await body(client, i);
    }),
  );
}

const writeBatch = (size, durability) => () => {
  const batch = new Batch();
  for (const key of nextKeys(size)) batch.put(key, value);
  return store.write(batch, { durability });
};
const transactBatch = (size, durability) => () => {
  const all = nextKeys(size);
  return db.transact(
    (transaction) => {
      for (const key of all) transaction.set(key, value);
    },
    { durability },
  );
};
const rewriteRaw = (durability) => async (client) => {
  const key = keys[client];
  const old = store.getSync(key);
  const changed = old.slice();
  changed[0]++;
  await store.put(key, changed, { durability });
};
const rewrite = (durability) => (client) =>
  db.transact(
    async (transaction) => {
      const old = await transaction.get(keys[client]);
      const changed = old.slice();
      changed[0]++;
      transaction.set(keys[client], changed);
    },
    { durability },
  );

async function readAllRows() {
  let bytes = 0;
  for await (const [key, row] of store.scan({ gte: begin, lt: end })) bytes += key.length + row.length;
  return bytes;
}
async function readAllRaw() {
  let bytes = 0;
  const iterator = store.iterator({ gte: begin, lt: end });
  while (iterator.next()) bytes += iterator.key.length + iterator.value.length;
  iterator.close();
  return bytes;
}
async function readAll() {
  let bytes = 0;
  await db.read(async (transaction) => {
    for await (const [key, row] of transaction.getRange(begin, end)) bytes += key.length + row.length;
  });
  return bytes;
}
async function readAllAtOnce() {
  let bytes = 0;
  for (const [key, row] of await db.read((transaction) => transaction.getRangeAll(begin, end)))
    bytes += key.length + row.length;
  return bytes;
}

const load = new Batch();
for (const key of keys) load.put(key, value);
await store.write(load);
await db.transact((transaction) => {
  for (const key of keys) transaction.set(key, value);
});

/** Name, operations a round, the raw engine's way, the transaction's way. */
const workloads = [
  // First, while both hold the same rows and nothing else.
  [
    "range of 10,000 keys, for await",
    40,
    () => concurrently(1, 40, readAllRows),
    () => concurrently(1, 40, readAll),
  ],
  [
    "range of 10,000 keys, getRangeAll",
    40,
    () => concurrently(1, 40, readAllRaw),
    () => concurrently(1, 40, readAllAtOnce),
  ],
  [
    "commit of 1 key, buffered, 64 at once",
    6_400,
    () => concurrently(64, 100, writeBatch(1, "buffered")),
    () => concurrently(64, 100, transactBatch(1, "buffered")),
  ],
  [
    "commit of 10 keys, buffered, 64 at once",
    3_200,
    () => concurrently(64, 50, writeBatch(10, "buffered")),
    () => concurrently(64, 50, transactBatch(10, "buffered")),
  ],
  [
    "commit of 1,000 keys, buffered",
    40,
    () => concurrently(1, 40, writeBatch(1_000, "buffered")),
    () => concurrently(1, 40, transactBatch(1_000, "buffered")),
  ],
  [
    "commit of 10 keys, durable, 64 at once",
    1_280,
    () => concurrently(64, 20, writeBatch(10, "sync")),
    () => concurrently(64, 20, transactBatch(10, "sync")),
  ],
  [
    "read-modify-write of 1 key, durable, alone",
    200,
    () => concurrently(1, 200, rewriteRaw("sync")),
    () => concurrently(1, 200, rewrite("sync")),
  ],
  [
    "read-modify-write of 1 key, durable, 64 at once",
    2_560,
    () => concurrently(64, 40, rewriteRaw("sync")),
    () => concurrently(64, 40, rewrite("sync")),
  ],
];

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
/** The time of the process beside that of the clock: on a machine that others use, it says more. */
async function timeOf(body) {
  const start = performance.now();
  const cpu = process.cpuUsage();
  await body();
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000 };
}
const table = [];
for (const [workload, operations, raw, layered] of workloads) {
  const times = { raw: [], layered: [] };
  for (let round = -1; round < rounds; round++) {
    const order = round % 2 === 0 ? ["raw", "layered"] : ["layered", "raw"];
    for (const which of order) {
      const time = await timeOf(which === "raw" ? raw : layered);
      if (round >= 0) times[which].push(time); // the first round warms up
    }
  }
  const of = (which, clock) => median(times[which].map((time) => time[clock]));
  const [rawMs, layeredMs] = [of("raw", "wallMs"), of("layered", "wallMs")];
  table.push({
    workload,
    "raw engine/s": Math.round((operations / rawMs) * 1000),
    "transactions/s": Math.round((operations / layeredMs) * 1000),
    "times the raw time": Number((layeredMs / rawMs).toFixed(2)),
    "CPU time": Number((of("layered", "cpuMs") / of("raw", "cpuMs")).toFixed(2)),
  });
}
console.log(
  `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}; ${ROWS} keys, median of ${rounds}`,
);
console.table(table);

/** The longest stretch without a turn of the event loop while `body` runs. */
async function longestStretchMs(body) {
  let longest = 0;
  let longestCpu = 0;
  let last = performance.now();
  let cpu = process.cpuUsage();
  let ends = false;
  const look = () => {
    const now = performance.now();
    const { user, system } = process.cpuUsage(cpu);
    longest = Math.max(longest, now - last);
    longestCpu = Math.max(longestCpu, (user + system) / 1000);
    last = now;
    cpu = process.cpuUsage();
    if (!ends) setImmediate(look);
  };
  setImmediate(look);
  const start = performance.now();
  await body();
  ends = true;
  await new Promise(setImmediate);
  return {
    "whole ms": Math.round(performance.now() - start),
    "longest stretch ms": Number(longest.toFixed(1)),
    "its CPU time ms": Number(longestCpu.toFixed(1)),
  };
}
/** The body gives way now and then, as it must: only what the commit does is ours. */
async function inSteps(count, step) {
  for (let i = 0; i < count; i++) {
    step(i);
    if (i % 1_000 === 999) await new Promise(setImmediate);
  }
}
const big = new Uint8Array(99_000).fill(3);
const large = {
  "10 MB in 100 values": (transaction) => inSteps(100, (i) => transaction.set(Buffer.from(`big/${i}`), big)),
  "10 MB in 60,000 small values": (transaction) =>
    inSteps(60_000, (i) => transaction.set(Buffer.from(`small/${i}`), value.subarray(0, 80))),
  "100,000 read conflict ranges": (transaction) => {
    transaction.set(keys[0], value);
    return inSteps(100_000, (i) => {
      const from = Buffer.from(`range/${String(i).padStart(9, "0")}`);
      transaction.addReadConflictRange(from, Buffer.concat([from, Buffer.of(1)]));
    });
  },
  "100,000 write conflict ranges": (transaction) =>
    inSteps(100_000, (i) => {
      const from = Buffer.from(`range/${String((i * 7919) % 100_000).padStart(9, "0")}`);
      transaction.addWriteConflictRange(from, Buffer.concat([from, Buffer.of(1)]));
    }),
};
const stretches = [];
for (const [transaction, body] of Object.entries(large)) {
  const runs = [];
  for (let round = 0; round < 5; round++) {
    runs.push(
      await longestStretchMs(() =>
        db.transact(
          async (t) => {
            await t.getReadVersion();
            await body(t);
          },
          { timeoutMs: 0 },
        ),
      ),
    );
  }
  const worst = runs.toSorted((a, b) => a["longest stretch ms"] - b["longest stretch ms"]);
  stretches.push({ transaction, ...worst[2], "worst of 5 ms": worst[4]["longest stretch ms"] });
}
console.table(stretches);
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ node: process.version, table, stretches }, null, 2)}\n`);
await db.close();
await store.close();
rmSync(folder, { recursive: true, force: true });
