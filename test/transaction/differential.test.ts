/**
 * Random programs of up to four interleaved transactions do the same on the engine as on the reference model: every answer,
 * every error, every conflict and its ranges, every watch, and the rows in the end. Reads may be left without waiting for
 * them while more is written. `STILLWATER_PROGRAMS=20000` runs more of them; the seed is printed with a failure.
 */
import { setImmediate } from "node:timers";
import * as fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { ReferenceDatabase } from "../../sim/model/database/reference-database.js";
import { Store } from "../../src/engine/store.js";
import { createMemoryVFS } from "../../src/platform/memory-vfs.js";
import { nodePlatform } from "../../src/platform/node/node-platform.js";
import type { Platform } from "../../src/platform/platform.js";
import { StorageDatabase } from "../../src/transaction/database.js";
import { EngineStorage } from "../../src/transaction/engine-storage.js";
import type { TransactionStorage } from "../../src/transaction/storage.js";
import type { Database } from "../../src/transaction/transaction.js";
import { LateStorage } from "./differential/late-storage.js";
import { programs, type Step } from "./differential/program.js";
import { runProgram } from "./differential/run.js";

const PROGRAMS = Number(process.env["STILLWATER_PROGRAMS"] ?? 300);
const seed = process.env["STILLWATER_SEED"];

/** Time stands still, and who waits for a moment waits for a turn. */
const base = nodePlatform({ vfs: await createMemoryVFS() });
const platform: Platform = {
  ...base,
  clock: { nowMs: () => 0, wallMs: () => 0 },
  scheduler: {
    defer: (task) => base.scheduler.defer(task),
    after: (delayMs, task) => {
      const immediate = delayMs < 100 ? setImmediate(task) : null;
      return { cancel: () => immediate !== null && clearImmediate(immediate) };
    },
  },
};

const opened: Database[] = [];

async function engine(
  path: string,
  over: (storage: TransactionStorage) => TransactionStorage,
): Promise<Database> {
  const store = await Store.open(path, {}, platform);
  const { clock, scheduler, random } = platform;
  const storage = new EngineStorage(store, clock);
  const db = new StorageDatabase({
    storage: over(storage),
    clock,
    scheduler,
    random,
    close: () => store.close(),
  });
  opened.push(db);
  return db;
}

afterAll(async () => {
  for (const db of opened) await db.close();
});

/** Programs that once gave another answer, as they were shrunk. */
const FOUND: readonly (readonly Step[])[] = [
  // The copy of the writes that a late read sees did not know of stamped keys.
  [
    { of: 1, operation: { kind: "stampKey", prefix: "s", value: "" }, late: false },
    {
      of: 1,
      operation: { kind: "getKey", selector: { key: "", orEqual: false, offset: 1 }, snapshot: false },
      late: true,
    },
    { of: 1, operation: { kind: "clearRange", begin: "", end: "" }, late: false },
  ],
  // A range read that was left while a row was under way took the row away.
  [
    { of: 1, operation: { kind: "get", key: "", snapshot: false }, late: false },
    {
      of: 1,
      operation: { kind: "iterate", begin: "", end: "s", limit: null, reverse: false, snapshot: false },
      late: false,
    },
    { of: 1, operation: { kind: "set", key: "", value: "" }, late: false },
    { of: 1, operation: { kind: "next" }, late: true },
    { of: 1, operation: { kind: "leave" }, late: false },
  ],
];

async function sameAsReference(db: Database): Promise<void> {
  const model = new ReferenceDatabase(platform);
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      expect(await runProgram(db, program)).toEqual(await runProgram(model, program));
    }),
    {
      numRuns: PROGRAMS,
      examples: FOUND.map((program) => [program]),
      ...(seed === undefined ? {} : { seed: Number(seed) }),
    },
  );
}

test("the engine does what the reference model does", async () => {
  await sameAsReference(await engine("/at-once", (storage) => storage));
}, 600_000);

test("and so do transactions over a storage that answers nothing at once", async () => {
  await sameAsReference(await engine("/late", (storage) => new LateStorage(storage)));
}, 600_000);
