// `npm run build && node bench/level.mjs`: stillwater/level beside classic-level, through the same interface, in one process.
// Time is that of the processor (`process.cpuUsage`, all threads of the process), which other programs do not disturb much; the
// ratio of two engines in one run is what counts. Memory is warm: nothing here waits for a disk.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ClassicLevel } from "classic-level";
import { StillwaterLevel } from "../dist/src/level/index.js";

const ROWS = 100_000;
const READS = 100_000;
const ROUNDS = 5;
const VALUE = "v".repeat(100);
const keyOf = (row) => `key ${String(row).padStart(12, "0")}`;

/** Rows in an order that looks random, the same for both. */
const rowAt = (at) => (at * 48_271) % ROWS;

const TASKS = {
  async "batch of 100, not synced"(db) {
    for (let row = 0; row < ROWS; row += 100) {
      const operations = Array.from({ length: 100 }, (_, i) => ({
        type: "put",
        key: keyOf(rowAt(row + i)),
        value: VALUE,
      }));
      await db.batch(operations, { sync: false });
    }
    return ROWS;
  },
  async get(db) {
    for (let at = 0; at < READS; at++)
      if ((await db.get(keyOf(rowAt(at)))) !== VALUE) throw new Error("wrong");
    return READS;
  },
  async getSync(db) {
    for (let at = 0; at < READS; at++) if (db.getSync(keyOf(rowAt(at))) !== VALUE) throw new Error("wrong");
    return READS;
  },
  async "iterator nextv(1000)"(db) {
    const iterator = db.iterator();
    let rows = 0;
    for (;;) {
      const entries = await iterator.nextv(1000);
      if (entries.length === 0) break;
      rows += entries.length;
    }
    await iterator.close();
    return rows;
  },
};

async function measure(db, task) {
  const before = process.cpuUsage();
  const done = await task(db);
  const { user, system } = process.cpuUsage(before);
  return done / ((user + system) / 1e6);
}

const root = mkdtempSync(join(tmpdir(), "stillwater-bench-level-"));
const rates = new Map();
try {
  for (let round = 0; round < ROUNDS; round++) {
    const databases = {
      stillwater: new StillwaterLevel(join(root, `stillwater-${round}`)),
      "classic-level": new ClassicLevel(join(root, `classic-${round}`)),
    };
    for (const [task, run] of Object.entries(TASKS)) {
      // Who goes first alternates.
      const engines = Object.entries(databases);
      if (round % 2 === 1) engines.reverse();
      for (const [engine, db] of engines) {
        const rate = await measure(db, run);
        const name = `${task}|${engine}`;
        rates.set(name, [...(rates.get(name) ?? []), rate]);
      }
      // What was written lies in tables, as it does in a database of some age.
      if (task.startsWith("batch")) for (const db of Object.values(databases)) await db.compactRange("", "~");
    }
    for (const db of Object.values(databases)) await db.close();
  }
} finally {
  rmSync(root, { recursive: true });
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
console.log("operations a second of processor | stillwater/level | classic-level | ratio");
for (const task of Object.keys(TASKS)) {
  const [ours, theirs] = ["stillwater", "classic-level"].map((engine) =>
    median(rates.get(`${task}|${engine}`)),
  );
  const shown = [ours, theirs].map((rate) => Math.round(rate).toLocaleString("en").padStart(11));
  console.log([task.padEnd(24), ...shown, (ours / theirs).toFixed(2)].join(" | "));
}
