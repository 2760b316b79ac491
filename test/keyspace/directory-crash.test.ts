/**
 * Directories over crashes: several programs create, move and remove, the power fails in the middle of it, again and again.
 * What had been acknowledged is there with its prefix, the tree is whole, and no prefix is ever given twice.
 */
import { expect, test } from "vitest";
import { openEngineDatabase } from "../../src/transaction/engine-database.js";
import type { Database } from "../../src/transaction/transaction.js";
import { CrashMachine } from "../engine/fixtures/crash-machine.js";
import type { ManualPlatform } from "../engine/fixtures/manual-platform.js";
import { checkTree } from "./directory/check.js";
import { hex, layerOf, seededRandom } from "./directory/support.js";

const STORE = { memtableBytes: 1 << 20, blockCacheBytes: 1 << 20 };
const WORKERS = 4;
const LIVES = 4;

/** What the programs know, over all lives. */
class Known {
  /** Acknowledged and not touched since. */
  readonly there = new Map<string, string>();
  readonly gone = new Set<string>();
  /** Every prefix that anybody was told of. */
  readonly given = new Set<string>();
  nextName = 0;
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])("crashes leave what was acknowledged, seed %i", async (seed) => {
  const machine = new CrashMachine(seed);
  const random = seededRandom(seed);
  const known = new Known();
  let acknowledged = 0;
  for (let life = 0; life <= LIVES; life++) {
    const platform = machine.boot();
    if (life < LIVES) machine.crashAtCall(20 + (random.nextUint32() % 120), "power-loss");
    const before = known.given.size;
    const program = live(platform, known, seed * 100 + life, life === LIVES ? 3 : Number.POSITIVE_INFINITY);
    const finished = await machine.run(platform, program);
    expect(finished).toBe(life === LIVES);
    program.catch(() => undefined);
    acknowledged += known.given.size - before;
  }
  expect(machine.shutdown()).toEqual([]);
  expect(acknowledged).toBeGreaterThan(10);
});

async function live(platform: ManualPlatform, known: Known, seed: number, rounds: number): Promise<void> {
  const db = await openEngineDatabase("/db", { store: STORE }, platform);
  await check(db, known);
  await Promise.all(
    Array.from({ length: WORKERS }, (_, number) => work(db, known, number, seed * WORKERS + number, rounds)),
  );
  await check(db, known);
  await db.close();
}

async function check(db: Database, known: Known): Promise<void> {
  const { directories, faults } = await checkTree(db);
  expect(faults).toEqual([]);
  const found = new Map(directories.map(({ path, prefix }) => [path.join("/"), prefix]));
  for (const [path, prefix] of known.there) expect(found.get(path), path).toBe(prefix);
  for (const path of known.gone) expect(found.has(path), path).toBe(false);
}

/** In a directory of its own; that the workers share the root and the allocator is enough to meet. */
async function work(db: Database, known: Known, number: number, seed: number, rounds: number): Promise<void> {
  const layer = layerOf(seed);
  const random = seededRandom(seed + 1);
  const own = `worker ${number}`;
  const mine: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const choice = random.nextUint32() % 4;
    const old = mine[random.nextUint32() % Math.max(1, mine.length)];
    const name = `n${known.nextName++}`;
    if (choice >= 2 || old === undefined) {
      const { prefix } = await db.transact(async (tx) => {
        const directory = await layer.create(tx, [own, name]);
        tx.set(directory.pack(["row"]), Buffer.from(name));
        return directory;
      });
      expect(known.given.has(hex(prefix)), `${hex(prefix)} is given again`).toBe(false);
      known.given.add(hex(prefix));
      known.there.set(`${own}/${name}`, hex(prefix));
      mine.push(name);
      continue;
    }
    const prefix = known.there.get(`${own}/${old}`) as string;
    known.there.delete(`${own}/${old}`);
    mine.splice(mine.indexOf(old), 1);
    if (choice === 0) {
      await layer.remove(db, [own, old]);
    } else {
      await layer.move(db, [own, old], [own, name]);
      known.there.set(`${own}/${name}`, prefix);
      mine.push(name);
    }
    known.gone.add(`${own}/${old}`);
  }
}
