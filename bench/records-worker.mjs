// One engine's part of `bench/records.mjs`, in a process of its own: loads, reads, builds an index while somebody writes, and
// prints one line of JSON. Both engines make every commit durable (sync; WAL with synchronous=FULL).
//   node bench/records-worker.mjs ENGINE DIRECTORY DOCUMENTS
import { performance } from "node:perf_hooks";
import { cities, cityOf, emailOf, idOf, randomOf, userOf } from "./records-data.mjs";

const [engine, directory, count] = [process.argv[2], process.argv[3], Number(process.argv[4])];
const BATCH = 1_000;
const ROWS = 100;
const lookups = Math.min(20_000, count);
const ranges = Math.min(2_000, count / 10);
const WRITER_PAUSE_MS = 2;

let peakBytes = 0;
const sampler = setInterval(() => {
  peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
}, 20);

/** Seconds of the clock and of the processor; on a machine that others use, the second says more. */
async function timed(body) {
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  const value = await body();
  const { user, system } = process.cpuUsage(cpu);
  return { s: (performance.now() - startMs) / 1000, cpuS: (user + system) / 1e6, value };
}

const usersOf = (first) =>
  Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => userOf(first + i));

async function measure(store) {
  const random = randomOf(88_172_645);
  const result = {};
  result.load = await timed(async () => {
    for (let first = 0; first < count; first += BATCH) {
      await store.load(usersOf(first));
      if (first % 100_000 === 0) process.stderr.write(`${engine}: ${first} loaded\n`);
    }
  });
  await store.settle();
  // Once without being measured: code and caches are warm in both.
  for (const which of ["warm", "unique"]) {
    result[which] = await timed(async () => {
      for (let i = 0; i < lookups; i++) {
        const number = random(count);
        const user = await store.byEmail(emailOf(number));
        if (user?.id !== idOf(number)) throw new Error(`${engine} has lost ${idOf(number)}`);
      }
    });
  }
  result.range = await timed(async () => {
    for (let i = 0; i < ranges; i++) {
      const city = cityOf(random(cities));
      for (const user of await store.byCity(city, ROWS)) {
        if (user.city !== city) throw new Error(`${engine} gives ${user.city} for ${city}`);
      }
    }
  });
  result.peakBeforeBuildBytes = peakBytes;
  result.build = await store.build(random);
  return result;
}

async function stillwater() {
  const { collection, openRecords, scalar, schema } = await import("../dist/src/index.js");
  // A schema that takes everything: what validation costs is its library's.
  const anything = { "~standard": { version: 1, vendor: "none", validate: (value) => ({ value }) } };
  const User = collection("User", {
    schema: anything,
    primaryKey: "id",
    indexes: [scalar("email", { unique: true }), scalar("city"), scalar("age"), scalar("joinedMs")],
  });
  // Where others use the machine as well, a batch may wait for compaction longer than the usual five seconds.
  const database = { transactions: { timeoutMs: 60_000 } };
  const store = await openRecords(directory, schema({ version: "1.0.0", collections: [User] }), { database });
  // Not maintained while documents are loaded: the index that is added later.
  await store.indexes.disable("User", "User_joinedMs");
  const users = store.collection("User");
  const measured = await measure({
    load: (documents) => users.putMany(documents),
    // What compaction has left to do goes on beside everything.
    settle: async () => {},
    byEmail: async (email) => (await users.byIndex("User_email", [email]))[0],
    byCity: (city, limit) => users.byIndex("User_city", [city], { limit }),
    build: (random) => buildBesideWriter(store, users, random),
  });
  measured.scrub = await timed(async () => {
    for (const index of ["User_email", "User_city", "User_age", "User_joinedMs"]) {
      await verified(store, index);
    }
  });
  measured.documents = await users.count();
  await store.close();
  return measured;
}

/** Writes documents one after the other, each a durable commit, until the index is built. */
async function buildBesideWriter(store, users, random) {
  let isBuilt = false;
  let writes = 0;
  await store.indexes.enable("User", "User_joinedMs");
  const writer = (async () => {
    while (!isBuilt) {
      const number = random(count);
      await users.put({ ...userOf(number), joinedMs: writes });
      writes++;
      await new Promise((resolve) => setTimeout(resolve, WRITER_PAUSE_MS));
    }
  })();
  const time = await timed(() => store.indexes.build("User", "User_joinedMs"));
  isBuilt = true;
  await writer;
  return { ...time, writes };
}

async function verified(store, index) {
  if (typeof store.indexes.scrub !== "function") return;
  const report = await store.indexes.scrub("User", index);
  process.stderr.write(`scrubbed ${index}: ${JSON.stringify(report)}\n`);
}

async function sqlite() {
  const { default: Database } = await import("better-sqlite3");
  const { join } = await import("node:path");
  const db = new Database(join(directory, "bench.db"));
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = FULL");
  db.exec(
    "CREATE TABLE user (id TEXT PRIMARY KEY, email TEXT, name TEXT, age INTEGER, city TEXT, score REAL, joinedMs INTEGER, " +
      "biography TEXT, isActive INTEGER) WITHOUT ROWID; CREATE UNIQUE INDEX email ON user (email); " +
      "CREATE INDEX city ON user (city); CREATE INDEX age ON user (age)",
  );
  const put = db.prepare(
    "INSERT OR REPLACE INTO user VALUES (@id, @email, @name, @age, @city, @score, @joinedMs, @biography, @isActive)",
  );
  const load = db.transaction((documents) => {
    for (const user of documents) put.run({ ...user, isActive: user.isActive ? 1 : 0 });
  });
  const byEmail = db.prepare("SELECT * FROM user WHERE email = ?");
  const byCity = db.prepare("SELECT * FROM user WHERE city = ? ORDER BY id LIMIT ?");
  const measured = await measure({
    // So that the sampler has a turn.
    load: async (documents) => {
      load(documents);
      await new Promise(setImmediate);
    },
    settle: async () => db.pragma("wal_checkpoint(TRUNCATE)"),
    byEmail: (email) => byEmail.get(email),
    byCity: (city, limit) => byCity.all(city, limit),
    // Nobody writes meanwhile: SQLite holds the lock, and this thread.
    build: async () => timed(async () => db.exec("CREATE INDEX joined ON user (joinedMs)")),
  });
  measured.documents = db.prepare("SELECT count(*) AS count FROM user").get().count;
  db.close();
  return measured;
}

const result = await (engine === "stillwater" ? stillwater() : sqlite());
clearInterval(sampler);
// The kernel's own account, in KiB.
const peakRssBytes = Math.max(peakBytes, process.resourceUsage().maxRSS * 1024);
process.stdout.write(`${JSON.stringify({ ...result, lookups, ranges, rows: ROWS, peakRssBytes })}\n`);
