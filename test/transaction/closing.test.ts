/** What is under way when a database is closed: commits are made or refused, and nobody waits for ever. */
import { beforeEach, expect, test } from "vitest";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import { b, fails, s } from "./contract/support.js";
import { type ShiftedPlatform, shiftedPlatform } from "./fixtures/shifted-platform.js";

let platform: ShiftedPlatform;
let database: StorageDatabase;
const open = () => openEngineDatabase("/store", {}, platform);

beforeEach(async () => {
  platform = await shiftedPlatform();
  database = await open();
});

test("a commit that is under way is made or refused, whenever the close comes, and its watch ends", async () => {
  const outcomes = new Set<string>();
  for (let steps = 0; steps < 12; steps++) {
    const tx = database.createTransaction();
    const watch = tx.watch(b("w"));
    tx.set(b("k"), b(`${steps}`));
    const commit = tx.commit().then(
      () => "made",
      (error: { code: string }) => error.code,
    );
    for (let i = 0; i < steps; i++) await Promise.resolve();
    await database.close();
    const outcome = await commit;
    outcomes.add(outcome);
    const ends = await watch.changed.catch((error: { code: string }) => error.code);
    expect(ends).toBe(outcome === "made" ? "OPERATION_CANCELLED" : outcome);
    database = await open();
    const value = s(await database.read((again) => again.get(b("k"))));
    expect(value === `${steps}`).toBe(outcome === "made");
  }
  await database.close();
  expect(outcomes).toEqual(new Set(["CLOSED", "made"]));
});

test("a watch that waits ends with the database", async () => {
  const watch = await database.transact((tx) => tx.watch(b("w")));
  await database.close();
  await expect(watch.changed).rejects.toEqual(fails("OPERATION_CANCELLED"));
});

test("sixty-four commits at once are all made, or refused as closed, and the store says the same when it is opened again", async () => {
  const commits = Array.from({ length: 64 }, (_, i) => {
    const tx = database.createTransaction();
    tx.set(b(`k${i}`), b("v"));
    return tx.commit().then(
      () => "made",
      (error: { code: string }) => error.code,
    );
  });
  await database.close();
  const outcomes = await Promise.all(commits);
  database = await open();
  const found = await database.read((tx) => tx.getRangeAll(b("k"), b("l")));
  expect(new Set(outcomes.filter((outcome) => outcome !== "made" && outcome !== "CLOSED"))).toEqual(
    new Set(),
  );
  expect(found.length).toBe(outcomes.filter((outcome) => outcome === "made").length);
  await database.close();
});

test("transactions of a closed database fail as closed: those that had read, and those that had not", async () => {
  const [fresh, reader] = [database.createTransaction(), database.createTransaction()];
  await reader.get(b("k"));
  const rows = reader.getRange(b(""), b("\xff"))[Symbol.asyncIterator]();
  await database.close();
  const closed = fails("CLOSED");
  await expect(fresh.get(b("k"))).rejects.toEqual(closed);
  await expect(reader.get(b("k"))).rejects.toEqual(closed);
  await expect(rows.next()).rejects.toEqual(closed);
  expect(() => database.createTransaction()).toThrow(closed);
  await expect(database.transact((tx) => tx.set(b("k"), b("v")))).rejects.toEqual(closed);
  await expect(database.read((tx) => tx.get(b("k")))).rejects.toEqual(closed);
  reader.cancel();
  const writer = fresh;
  writer.reset();
  writer.set(b("k"), b("v"));
  await expect(writer.commit()).rejects.toEqual(closed);
});

test("a transaction that is ended after the database is closed does no harm", async () => {
  const [one, two] = [database.createTransaction(), database.createTransaction()];
  await one.get(b("k"));
  await two.get(b("k"));
  const rows = two.getRange(b(""), b("\xff"))[Symbol.asyncIterator]();
  await rows.next();
  await database.close();
  one.cancel();
  await rows.return?.();
  two.reset();
  await database.close();
});
