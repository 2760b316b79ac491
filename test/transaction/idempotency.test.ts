/** Idempotency keys: how long a commit is remembered, and what becomes of results that nobody knows. */
import { beforeEach, describe, expect, test } from "vitest";
import { simulate } from "../../sim/harness/simulate.js";
import { Store } from "../../src/engine/store.js";
import { StillwaterError } from "../../src/platform/errors.js";
import { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { EngineStorage } from "../../src/transaction/engine-storage.js";
import { TransactionError } from "../../src/transaction/errors.js";
import type { CommitRequest, CommitResult, TransactionStorage } from "../../src/transaction/storage.js";
import type { Transaction } from "../../src/transaction/transaction.js";
import { b, fails, u64 } from "./contract/support.js";
import { type ShiftedPlatform, shiftedPlatform } from "./fixtures/shifted-platform.js";

const WINDOW_MS = 60_000;

const addOne = (tx: Transaction): void => tx.atomic("add", b("n"), u64(1));
const options = (key: string) => ({ idempotencyKey: b(key) });

let platform: ShiftedPlatform;

beforeEach(async () => {
  platform = await shiftedPlatform();
});

const open = (): Promise<StorageDatabase> =>
  openEngineDatabase("/db", { idempotencyWindowMs: WINDOW_MS }, platform);

async function count(database: StorageDatabase): Promise<number> {
  const value = await database.read((tx) => tx.get(b("n")));
  return value?.[0] ?? 0;
}

async function records(database: StorageDatabase): Promise<number> {
  const all = database.read((tx) => tx.getRangeAll(b("\xff/idempotency/key/"), b("\xff/idempotency/key0")), {
    accessSystemKeys: true,
  });
  return (await all).length;
}

describe("a commit with an idempotency key", () => {
  test("is remembered for the window at least, and forgotten with a clear of a range after two", async () => {
    const database = await open();
    const run = (key: string): Promise<void> => database.transact(addOne, options(key));
    await run("a");
    platform.pass(WINDOW_MS - 5_000);
    await run("a");
    expect(await count(database)).toBe(1);
    await run("b");
    platform.pass(WINDOW_MS);
    await run("c"); // begins the second epoch; a and b are in the first
    await run("a");
    expect(await count(database)).toBe(3);
    platform.pass(WINDOW_MS);
    await run("d"); // begins the third, and clears the first
    expect(await records(database)).toBe(2);
    await run("a");
    expect(await count(database)).toBe(5);
    await database.close();
  });

  test("is remembered over a restart, however long the database was closed", async () => {
    const database = await open();
    await database.transact(addOne, options("a"));
    const version = await database.findCommit(b("a"));
    await database.close();
    platform.pass(100 * WINDOW_MS);
    const again = await open();
    expect(await again.findCommit(b("a"))).toBe(version);
    expect(await again.findCommit(b("b"))).toBeUndefined();
    await again.transact(addOne, options("a"));
    expect(await count(again)).toBe(1);
    await again.close();
  });

  test("is not remembered when it wrote nothing", async () => {
    const database = await open();
    await database.transact((tx) => tx.get(b("n")), options("a"));
    await database.transact(addOne, options("a"));
    expect(await count(database)).toBe(1);
    await database.close();
  });
});

test("a window shorter than transactions live, and a key for a whole database, are refused", async () => {
  for (const settings of [{ idempotencyWindowMs: 9_999 }, { transactions: options("a") }]) {
    await expect(openEngineDatabase("/db", settings, platform)).rejects.toEqual(
      fails("INVALID_OPTION_VALUE"),
    );
  }
});

/** A network that loses answers: `before` commits are lost on the way there, the next answer on the way back. */
class LossyStorage implements TransactionStorage {
  readonly #storage: TransactionStorage;
  lose: "request" | "answer" | null = null;
  /** No answers any more once one is lost. */
  isCutOff = false;
  /** Commits that were sent and lost, to arrive late. */
  readonly late: (() => Promise<CommitResult>)[] = [];

  constructor(storage: TransactionStorage) {
    this.#storage = storage;
  }

  openView(version: number | null) {
    if (this.isCutOff && this.lose === null) throw new StillwaterError("IO", "there is no connection.");
    return this.#storage.openView(version);
  }

  watch(key: Uint8Array, value: Uint8Array | undefined, version: number) {
    return this.#storage.watch(key, value, version);
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    const { lose } = this;
    this.lose = null;
    if (lose === "request") this.late.push(() => this.#storage.commit(request));
    else {
      const result = await this.#storage.commit(request);
      if (lose === null) return result;
    }
    throw new TransactionError("COMMIT_UNKNOWN_RESULT", "no answer came.");
  }
}

describe("a result that is not known", () => {
  let storage: LossyStorage;
  let database: StorageDatabase;
  let store: Store;

  beforeEach(async () => {
    store = await Store.open("/db", {}, platform);
    storage = new LossyStorage(new EngineStorage(store, platform.clock));
    const { clock, scheduler, random } = platform;
    database = new StorageDatabase({ storage, clock, scheduler, random, close: () => store.close() });
    return () => database.close();
  });

  test("is success with what the body returned in the run that took effect", async () => {
    let runs = 0;
    storage.lose = "answer";
    const result = database.transact((tx) => (addOne(tx), ++runs), options("a"));
    expect(await result).toBe(1);
    expect(await count(database)).toBe(1);
  });

  test("runs the body again when it had no effect, and a late arrival then has none either", async () => {
    let runs = 0;
    storage.lose = "request";
    const result = database.transact((tx) => (addOne(tx), ++runs), options("a"));
    expect(await result).toBe(2);
    expect(await count(database)).toBe(1);
    const late = storage.late.map((commit) => commit());
    await expect(Promise.all(late)).rejects.toEqual(fails("NOT_COMMITTED"));
    expect(await count(database)).toBe(1);
  });

  test("stays unknown, with its code, while nobody can be asked", async () => {
    storage.lose = "answer";
    storage.isCutOff = true;
    const result = database.transact(addOne, options("a"));
    await expect(result).rejects.toEqual(fails("COMMIT_UNKNOWN_RESULT"));
    storage.isCutOff = false;
    expect(await database.findCommit(b("a"))).toBeGreaterThan(0);
  });

  test("is passed on without a key", async () => {
    storage.lose = "answer";
    await expect(database.transact(addOne)).rejects.toEqual(fails("COMMIT_UNKNOWN_RESULT"));
  });

  test("is tried again by who does the loop himself, and found", async () => {
    storage.lose = "answer";
    const tx = database.createTransaction(options("a"));
    addOne(tx);
    await expect(tx.commit()).rejects.toEqual(fails("COMMIT_UNKNOWN_RESULT"));
    await tx.onError(new TransactionError("COMMIT_UNKNOWN_RESULT", ""));
    addOne(tx);
    await tx.commit();
    expect(await count(database)).toBe(1);
    expect(tx.getCommittedVersion()).toBe(await database.findCommit(b("a")));
  });
});

test("every increment is applied exactly once, whenever the machine goes down and whoever tries again", async () => {
  const COUNTERS = 3;
  const PARTS = 6;
  const increment = (database: StorageDatabase, part: number, counter: number): Promise<void> =>
    database.transact((tx) => tx.atomic("add", b(`n${counter}`), u64(1)), options(`part ${part}`));
  const report = await simulate<number>({
    seeds: 60,
    scenario: async ({ platform: machine, directory, acknowledge }) => {
      const database = await openEngineDatabase(`${directory}/db`, {}, machine);
      const all = Array.from({ length: PARTS }, async (_, part) => {
        await increment(database, part, part % COUNTERS);
        acknowledge(part);
      });
      await Promise.all(all);
      await database.close();
    },
    check: async ({ platform: machine, directory, acknowledged }) => {
      const database = await openEngineDatabase(`${directory}/db`, {}, machine);
      for (const part of acknowledged) {
        if ((await database.findCommit(b(`part ${part}`))) === undefined)
          throw new Error(`part ${part} is forgotten`);
      }
      // The client does not know what became of any of them: it sends all again.
      for (let part = 0; part < PARTS; part++) await increment(database, part, part % COUNTERS);
      for (let counter = 0; counter < COUNTERS; counter++) {
        const value = await database.read((tx) => tx.get(b(`n${counter}`)));
        if (value?.[0] !== PARTS / COUNTERS) throw new Error(`counter ${counter} is ${value?.[0]}`);
      }
      await database.close();
    },
  });
  expect(report.crashStates).toBeGreaterThan(10);
});
