/** Long reads let others have a turn, as a scan of the store does: they would hold up timers and sockets. */
import { beforeEach, expect, test } from "vitest";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Transaction } from "../../src/transaction/transaction.js";
import { b } from "./contract/support.js";
import { type ShiftedPlatform, shiftedPlatform } from "./fixtures/shifted-platform.js";

const ROWS = 3000;
let platform: ShiftedPlatform;
let database: StorageDatabase;

beforeEach(async () => {
  platform = await shiftedPlatform();
  database = await openEngineDatabase("/store", {}, platform);
  await database.transact((tx) => {
    for (let i = 0; i < ROWS; i++) tx.set(b(`k${i}`), b("v"));
  });
  return () => database.close();
});

/** How many turns of the event loop others got while `work` was under way. */
async function turnsDuring(work: (tx: Transaction) => Promise<number>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    if (isOver) return;
    turns++;
    platform.scheduler.defer(turn);
  };
  platform.scheduler.defer(turn);
  const tx = database.createTransaction();
  expect(await work(tx)).toBe(ROWS);
  isOver = true;
  tx.cancel();
  return turns;
}

test.each([false, true])("a range read row by row, reverse: %s", async (reverse) => {
  const turns = await turnsDuring(async (tx) => {
    let rows = 0;
    for await (const _ of tx.getRange(b(""), b("\xff"), { reverse })) rows++;
    return rows;
  });
  expect(turns).toBeGreaterThanOrEqual(5);
});
