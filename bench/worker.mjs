// One engine, one round: prints { workload: operations per second } as JSON. Run by main.mjs.
const [engineName, directory, entriesText] = process.argv.slice(2);
const ENTRIES = Number(entriesText);
const BATCH = 1000;

/** Random order without repeats: a full-period permutation of 0…2^20 or more. */
function permuted(i) {
  const bits = Math.ceil(Math.log2(ENTRIES));
  const mask = 2 ** bits - 1;
  let x = i;
  do {
    x = (Math.imul(x, 0x9e3779b1) + 0x7f4a7c15) & mask;
    x ^= x >>> (bits >> 1);
    x = Math.imul(x, 0x85ebca6b | 1) & mask;
  } while (x >= ENTRIES);
  return x;
}

const keyOf = (n) => Buffer.from(String(n).padStart(16, "0"));
const valueBytes = Buffer.alloc(4196);
for (let i = 0; i < valueBytes.length; i++)
  valueBytes[i] = (Math.imul(i, 2654435761) >>> 13) & (i % 2 ? 0xff : 0x0f);
const valueOf = (n) => valueBytes.subarray(n % 4000, (n % 4000) + 100);

async function openStillwater() {
  const { open, Batch } = await import("../dist/src/index.js");
  const store = await open(directory, { durability: "buffered", blockCacheBytes: 256 * 1024 * 1024 });
  return {
    writeBatch: (items) => {
      const batch = new Batch();
      for (const [key, value] of items) batch.put(key, value);
      return store.write(batch);
    },
    settle: () => store.flush(),
    getSync: (key) => store.getSync(key),
    get: (key) => store.get(key),
    scan: async () => {
      let rows = 0;
      for (const [key, value] of store.scan()) rows += key.length + value.length > 0 ? 1 : 0;
      return rows;
    },
    durablePut: (key, value) => store.put(key, value, { durability: "sync" }),
    close: () => store.close(),
  };
}

async function openClassicLevel() {
  const { ClassicLevel } = await import("classic-level");
  const db = new ClassicLevel(directory, {
    keyEncoding: "buffer",
    valueEncoding: "buffer",
    cacheSize: 256 * 1024 * 1024,
    compression: false,
  });
  await db.open();
  return {
    writeBatch: (items) => db.batch(items.map(([key, value]) => ({ type: "put", key, value }))),
    settle: async () => {},
    getSync: (key) => db.getSync(key),
    get: (key) => db.get(key),
    scan: async () => {
      let rows = 0;
      const iterator = db.iterator();
      for (;;) {
        const page = await iterator.nextv(1000);
        if (page.length === 0) break;
        rows += page.length;
      }
      await iterator.close();
      return rows;
    },
    durablePut: (key, value) => db.put(key, value, { sync: true }),
    close: () => db.close(),
  };
}

async function timed(operations, work) {
  const start = performance.now();
  await work();
  return operations / ((performance.now() - start) / 1000);
}

const engine = engineName === "stillwater" ? await openStillwater() : await openClassicLevel();
const result = {};
result["fill random, batches of 1000"] = await timed(ENTRIES, async () => {
  for (let i = 0; i < ENTRIES; i += BATCH) {
    const items = [];
    for (let j = i; j < i + BATCH; j++) {
      const n = permuted(j);
      items.push([keyOf(n), valueOf(n)]);
    }
    await engine.writeBatch(items);
  }
});
await engine.settle();
const READS = Math.min(ENTRIES, 200_000);
for (let i = 0; i < READS; i++) engine.getSync(keyOf(permuted(i)));
result["get random, sync"] = await timed(READS, () => {
  for (let i = 0; i < READS; i++) {
    const n = permuted(i);
    const value = engine.getSync(keyOf(n));
    if (value === undefined || value.length !== 100) throw new Error(`key ${n} is lost`);
  }
});
result["get random, await"] = await timed(READS / 4, async () => {
  for (let i = 0; i < READS / 4; i++)
    if ((await engine.get(keyOf(permuted(i)))) === undefined) throw new Error("lost");
});
result["get missing, sync"] = await timed(READS, () => {
  for (let i = 0; i < READS; i++) {
    if (engine.getSync(Buffer.from(`${String(permuted(i)).padStart(15, "0")}x`)) !== undefined)
      throw new Error("found");
  }
});
result["full scan"] = await timed(ENTRIES, async () => {
  const rows = await engine.scan();
  if (rows !== ENTRIES) throw new Error(`the scan gave ${rows} rows`);
});
const DURABLE = 20_000;
result["durable puts, 64 committers"] = await timed(DURABLE, async () => {
  let next = 0;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      while (next < DURABLE) {
        const n = next++;
        await engine.durablePut(keyOf(ENTRIES + n), valueOf(n));
      }
    }),
  );
});
result["durable puts, 1 committer"] = await timed(1000, async () => {
  for (let n = 0; n < 1000; n++) await engine.durablePut(keyOf(ENTRIES + n), valueOf(n));
});
result["memory: resident at the end"] = process.memoryUsage().rss / 1024 / 1024;
await engine.close();
console.log(JSON.stringify(result));
