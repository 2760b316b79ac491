// A full and an incremental backup of a store of about 1 GB, and what commits feel of them.
// Usage: npm run build, then node bench/backups.mjs [megabytes] [links|copies]
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import { Batch, createBackup, open, restoreBackup, verifyBackup } from "../dist/src/index.js";

const megabytes = Number(process.argv[2] ?? 1024);
const copies = process.argv[3] === "copies";
const folder = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), "stillwater-backups-"));
const repository = join(folder, "repository");
const VALUE_BYTES = 1000;
const value = Buffer.alloc(VALUE_BYTES);

function fillValue(seed) {
  let state = seed * 2654435761 + 1;
  for (let at = 0; at < VALUE_BYTES; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    value.writeUInt32LE(state, at);
  }
  return value;
}

const store = await open(join(folder, "store"), { durability: "buffered" });
const rows = Math.floor((megabytes * 1e6) / VALUE_BYTES);
const batch = new Batch();
for (let at = 0; at < rows; ) {
  batch.clear();
  for (let n = 0; n < 500 && at < rows; n++, at++)
    batch.put(Buffer.from(String((at * 7919) % rows).padStart(12, "0")), fillValue(at));
  for (;;) {
    try {
      await store.write(batch);
      break;
    } catch (error) {
      if (error.code !== "BUSY") throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
await store.flush();
while (store.inspect().backgroundBusy) await new Promise((resolve) => setTimeout(resolve, 100));
const { levels } = store.stats();
const sum = (name) => levels.reduce((total, level) => total + level[name], 0);
console.log(`store: ${(sum("bytes") / 1e6).toFixed(0)} MB in ${sum("tables")} tables`);

/** Runs `work` beside a writer of one small durable commit after the other. */
async function measured(name, work) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const latencies = [];
  let isDone = false;
  const writing = (async () => {
    while (!isDone) {
      const before = performance.now();
      await store.put(Buffer.from(`beside ${latencies.length}`), Buffer.from("x".repeat(100)));
      latencies.push(performance.now() - before);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  const cpu = process.cpuUsage();
  const begin = performance.now();
  delay.enable();
  const result = work === null ? await new Promise((resolve) => setTimeout(resolve, 3000)) : await work();
  delay.disable();
  const seconds = (performance.now() - begin) / 1000;
  const used = process.cpuUsage(cpu);
  isDone = true;
  await writing;
  latencies.sort((a, b) => a - b);
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
  console.log(
    `${name}: ${seconds.toFixed(2)} s, CPU ${((used.user + used.system) / 1e6).toFixed(2)} s; event loop p50 ` +
      `${(delay.percentile(50) / 1e6).toFixed(1)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms, ` +
      `max ${(delay.max / 1e6).toFixed(1)} ms; ${latencies.length} commits, p50 ${at(0.5).toFixed(2)} ms, ` +
      `p99 ${at(0.99).toFixed(2)} ms, max ${at(1).toFixed(2)} ms`,
  );
  return result;
}

const shown = ({ bytes, newBytes, tables }) =>
  console.log(
    `  ${tables} tables, ${(bytes / 1e6).toFixed(1)} MB, of which new ${(newBytes / 1e6).toFixed(2)} MB`,
  );
await measured("nothing beside", null);
const first = await measured("first backup", () => createBackup(store, repository, { copies }));
shown(first);
for (let n = 0; n < 10_000; n++) void store.put(Buffer.from(`late ${n}`), fillValue(n));
await store.flush();
const second = await measured("second backup", () => createBackup(store, repository, { copies }));
shown(second);
shown(await measured("third backup, nothing to do", () => createBackup(store, repository, { copies })));
await measured("verify", () => verifyBackup(repository, first.id));
await measured("restore", () => restoreBackup(repository, first.id, join(folder, "restored")));
await store.close();
rmSync(folder, { recursive: true });
