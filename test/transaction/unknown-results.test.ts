/**
 * Unknown results as they come on our own engine: a disk that fails calls stops the store with commits under way, the program opens
 * it again and sends what it knows nothing of once more, under the same idempotency keys, through crashes. In the end
 * everything has been applied exactly once, and the change feed says the same.
 */
import { expect, test } from "vitest";
import { NO_FAULTS } from "../../sim/disk/options.js";
import { simulate } from "../../sim/harness/simulate.js";
import { hasCode, StillwaterError } from "../../src/platform/errors.js";
import type { Platform } from "../../src/platform/platform.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { b, rows, u64 } from "./contract/support.js";
import { FeedReplica } from "./fixtures/feed-replica.js";

const FEED = "counters";
const RANGE = { begin: b("n"), end: b("o") };
const PARTS = 8;
const COUNTERS = 2;
const OPENINGS_MAX = 100;
/** Over all seeds: that there are some is what this is about. */
let unknownCount = 0;

/** A client that comes to an end on a failing disk: what did not end well is sent again after the next opening. */
class Client {
  readonly #platform: Platform;
  readonly #directory: string;
  #database: StorageDatabase | null = null;
  #openings = 0;

  constructor(platform: Platform, directory: string) {
    this.#platform = platform;
    this.#directory = directory;
  }

  async run<T>(task: (database: StorageDatabase) => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await task(await this.#open());
      } catch (error) {
        if (hasCode(error, "COMMIT_UNKNOWN_RESULT")) unknownCount++;
        // Bugs, and the end of the simulated process.
        if (!(error instanceof StillwaterError) || error.code === "ASSERTION") throw error;
        if (++this.#openings > OPENINGS_MAX) throw error;
        await this.close();
      }
    }
  }

  async close(): Promise<void> {
    const database = this.#database;
    this.#database = null;
    await database?.close().catch((error: unknown) => {
      if (hasCode(error, "ASSERTION")) throw error;
    });
  }

  async #open(): Promise<StorageDatabase> {
    this.#database ??= await openEngineDatabase(this.#directory, {}, this.#platform);
    return this.#database;
  }
}

const increment = (part: number) => (database: StorageDatabase) =>
  database.transact((tx) => tx.atomic("add", b(`n${part % COUNTERS}`), u64(1)), {
    idempotencyKey: b(`part ${part}`),
  });

test("with idempotency keys everything is applied once, through failing disks, reopening and crashes", async () => {
  unknownCount = 0;
  const report = await simulate<number>({
    seeds: 40,
    disk: { faults: { ...NO_FAULTS, syncError: 0.05, writeError: 0.01 } },
    scenario: async ({ platform, directory, acknowledge }) => {
      const client = new Client(platform, `${directory}/db`);
      await client.run((database) => database.changeFeeds.create(FEED, RANGE));
      acknowledge(-1);
      for (let first = 0; first < PARTS; first += 2) {
        const both = [first, first + 1].map((part) => increment(part));
        await client.run((database) => Promise.all(both.map(async (run) => run(database))));
        acknowledge(first);
        acknowledge(first + 1);
      }
      await client.close();
    },
    check: async ({ platform, directory, acknowledged }) => {
      const client = new Client(platform, `${directory}/db`);
      await client.run((database) => database.changeFeeds.create(FEED, RANGE));
      await client.run(async (database) => {
        for (const part of acknowledged) {
          if (part >= 0 && (await database.findCommit(b(`part ${part}`))) === undefined) {
            throw new Error(`part ${part} is forgotten`);
          }
        }
      });
      for (let part = 0; part < PARTS; part++) await client.run(increment(part));
      const expected = Array.from(
        { length: COUNTERS },
        (_, i) => `n${i}=${String.fromCharCode(PARTS / COUNTERS)}`,
      );
      const stored = await client.run((database) =>
        database.read((tx) => tx.getRangeAll(RANGE.begin, RANGE.end)),
      );
      const counts = rows(stored).map((row) => row.replace(/\0+$/, ""));
      if (counts.join() !== expected.join()) throw new Error(`counted ${counts.join()}`);
      const replica = new FeedReplica();
      await client.run((database) =>
        replica.follow(database.changeFeeds.read(FEED, { from: replica.version + 1 })),
      );
      if (acknowledged.includes(-1) && replica.rows().join() !== rows(stored).join()) {
        throw new Error(`the feed says ${replica.rows().join()}`);
      }
      await client.close();
    },
  });
  expect(report.crashStates).toBeGreaterThan(10);
  expect(unknownCount).toBeGreaterThan(10);
});
