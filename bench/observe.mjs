// What looking on costs: CPU a call, of one build with nobody listening, with a listener to every channel, and of another build
// (`--baseline DIR`, the `dist` of an earlier commit). Rounds alternate, each in a process of its own, files in memory; what is
// reported are medians and ratios.
//   node bench/observe.mjs [--baseline DIR] [--rounds 7]
import { spawnSync } from "node:child_process";
import { join, resolve } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { parseArgs } from "node:util";

const DIST = join(import.meta.dirname, "..", "dist");
const { values } = parseArgs({
  options: {
    baseline: { type: "string" },
    rounds: { type: "string", default: "7" },
    worker: { type: "string" },
    listen: { type: "boolean", default: false },
  },
});
if (values.worker === undefined) compare();
else console.log(JSON.stringify(await measure(values.worker, values.listen)));

function compare() {
  const variants = new Map([["nobody listens", [DIST]]]);
  if (values.baseline !== undefined) variants.set("baseline", [resolve(values.baseline)]);
  variants.set("all listen", [DIST, "--listen"]);
  const results = new Map([...variants.keys()].map((name) => [name, []]));
  for (let round = 0; round < Number(values.rounds); round++) {
    const order = [...variants];
    for (const [name, [dist, ...flags]] of round % 2 === 0 ? order : order.toReversed()) {
      const child = spawnSync(process.execPath, [import.meta.filename, "--worker", dist, ...flags], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "inherit"],
      });
      if (child.status !== 0) throw new Error(`a round of "${name}" ended with status ${child.status}`);
      results.get(name).push(JSON.parse(child.stdout));
    }
  }
  const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
  const of = (name, work) => median(results.get(name).map((round) => round[work]));
  const works = Object.keys(results.get("nobody listens")[0]);
  console.log("CPU of one call in microseconds; ratios to nobody listening");
  console.table(
    works.map((work) => {
      const row = { work, "nobody listens": Number(of("nobody listens", work).toFixed(3)) };
      for (const name of variants.keys()) {
        if (name !== "nobody listens")
          row[name] = Number((of(name, work) / of("nobody listens", work)).toFixed(3));
      }
      return row;
    }),
  );
}

async function measure(dist, listens) {
  const from = (path) => import(join(dist, path));
  const { nodePlatform } = await from("src/index.js");
  const { Store } = await from("src/engine/store.js");
  const { Batch } = await from("src/engine/batch.js");
  const { openEngineDatabase } = await from("src/transaction/engine-database.js");
  const { createMemoryVFS } = await from("src/platform/memory-vfs.js");
  if (listens) await listenToAll(from);
  const key = (i) => Buffer.from(`key ${String(i % 10_000).padStart(12)}`);
  const keys = Array.from({ length: 10_000 }, (_, i) => key(i));
  const value = Buffer.alloc(100, 1);
  const results = {};
  const timed = async (name, count, work) => {
    await work(Math.floor(count / 5));
    const start = process.cpuUsage();
    await work(count);
    const { user, system } = process.cpuUsage(start);
    results[name] = (user + system) / count;
  };
  const vfs = await createMemoryVFS();
  const platform = nodePlatform({ vfs });
  const store = await Store.open("/store", { durability: "buffered" }, platform);
  await timed("put, 64 at a time", 100_000, async (count) => {
    for (let i = 0; i < count; i += 64)
      await Promise.all(Array.from({ length: 64 }, (_, j) => store.put(keys[(i + j) % 10_000], value)));
  });
  await timed("writeSync of one put", 50_000, async (count) => {
    const batch = new Batch();
    for (let i = 0; i < count; i++) {
      batch.clear();
      store.writeSync(batch.put(keys[i % 10_000], value));
      if (i % 1000 === 0) await turn();
    }
  });
  await store.compact();
  await timed("getSync from tables", 400_000, async (count) => {
    for (let i = 0; i < count; i++) store.getSync(keys[(i * 7919) % 10_000]);
  });
  await timed("row of a scan", 1_000_000, async (count) => {
    for (let done = 0; done < count; ) {
      const iterator = store.iterator();
      while (iterator.next()) done++;
    }
  });
  await timed("iterator of one row", 50_000, async (count) => {
    for (let i = 0; i < count; i++) {
      const iterator = store.iterator({ gte: keys[i % 10_000], limit: 1 });
      iterator.next();
      iterator.close();
    }
  });
  await store.close();
  const database = await openEngineDatabase(
    "/database",
    { store: { durability: "buffered" } },
    nodePlatform({ vfs }),
  );
  await timed("transaction of a read and a write, 64 at a time", 30_000, async (count) => {
    for (let i = 0; i < count; i += 64) {
      await Promise.all(
        Array.from({ length: 64 }, (_, j) =>
          database.transact(async (transaction) => {
            await transaction.get(keys[(i + j) % 10_000]);
            transaction.set(keys[(i + j) % 10_000], value);
          }),
        ),
      );
    }
  });
  await database.close();
  return results;
}

async function listenToAll(from) {
  const { subscribe, tracingChannel } = await import("node:diagnostics_channel");
  const { STORE_CHANNELS, STORE_TRACES, TRANSACTION_TRACE } = await from("src/index.js");
  const ignore = () => undefined;
  for (const name of Object.values(STORE_CHANNELS)) subscribe(name, ignore);
  for (const name of [...Object.values(STORE_TRACES), TRANSACTION_TRACE])
    tracingChannel(name).subscribe({
      start: ignore,
      end: ignore,
      asyncStart: ignore,
      asyncEnd: ignore,
      error: ignore,
    });
}
