/** Migrations: what may be declared, which way is taken, what becomes of the store, and that an interruption changes nothing of it. */
import { isDeepStrictEqual } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { MigrationContext } from "../../src/collection/migration-context.js";
import {
  lightweight,
  type MigrationStage,
  migration,
  migrationPath,
} from "../../src/collection/migrations.js";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { installProbes } from "../../src/platform/probes.js";
import { collection } from "../../src/record/declaration.js";
import { KEYSPACE } from "../../src/record/keyspace.js";
import { s } from "../../src/record/schema-builder.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import type { Database, KeyValue } from "../../src/transaction/transaction.js";
import { latch } from "../latch.js";
import { memoryDatabase } from "./fixtures.js";
import { Died, hastyWorld, mortal } from "./interrupted.js";

let database: StorageDatabase;

beforeEach(async () => {
  database = await memoryDatabase();
});

afterEach(async () => {
  await database.close();
});

const open = <const Schema extends Parameters<typeof RecordStore.open>[1]>(
  given: Schema,
  on: Database = database,
) => RecordStore.open<Schema["collections"]>(on, given as never, hastyWorld());

describe("a list of migrations", () => {
  const refused = expect.objectContaining({ code: "INVALID_MIGRATION" });
  const listed =
    (...migrations: MigrationStage[]) =>
    () =>
      schema({ version: "3.0.0", collections: [], migrations });

  test("refuses a downgrade, a circle, a stage twice, a wrong order, a stage behind the declared version", () => {
    expect(() => lightweight("2.0.0", "1.0.0")).toThrow(refused);
    expect(() => lightweight("1.0.0", "1.0.0")).toThrow(refused);
    expect(() => migration("1.0.0", "2.0.0", { didmigrate: async () => {} } as never)).toThrow(refused);
    expect(() => migration("1.0.0", "2.0.0", { didMigrate: "x" as never })).toThrow(refused);
    expect(listed(lightweight("1.0.0", "2.0.0"), migration("1.0.0", "2.0.0"))).toThrow(refused);
    expect(listed(lightweight("2.0.0", "3.0.0"), lightweight("1.0.0", "2.0.0"))).toThrow(refused);
    expect(listed(lightweight("3.0.0", "4.0.0"))).toThrow(refused);
    expect(() => lightweight("1.0", "2.0.0")).toThrow(expect.objectContaining({ code: "INVALID_SCHEMA" }));
  });

  test("gives the way with the fewest stages, or says that there is none", () => {
    const stages = [
      lightweight("1.0.0", "1.1.0"),
      lightweight("1.0.0", "1.2.0"),
      lightweight("1.1.0", "2.0.0"),
      lightweight("1.2.0", "2.0.0"),
      lightweight("2.0.0", "3.0.0"),
    ];
    const way = (from: string, to: string) => migrationPath(from, to, stages).map((stage) => stage.to);
    expect(way("1.0.0", "3.0.0")).toEqual(["1.2.0", "2.0.0", "3.0.0"]);
    expect(way("1.1.0", "2.0.0")).toEqual(["2.0.0"]);
    expect(() => way("0.9.0", "3.0.0")).toThrow(expect.objectContaining({ code: "SCHEMA_TOO_NEW" }));
    expect(() => way("1.0.0", "2.5.0")).toThrow(expect.objectContaining({ code: "SCHEMA_TOO_NEW" }));
  });
});

const OldUser = collection("User", {
  schema: s.object({ id: s.integer(), name: s.string(), age: s.integer() }),
  primaryKey: "id",
  indexes: [scalar("name"), scalar("age", { name: "byAge" })],
});
const Legacy = collection("Legacy", { schema: s.object({ id: s.string() }), primaryKey: "id" });
const OLD = schema({ version: "1.0.0", collections: [OldUser, Legacy] });

const User = collection("User", {
  schema: s.object({
    id: s.integer(),
    first: s.string(),
    last: s.string(),
    age: s.integer(),
    touched: s.integer(),
  }),
  primaryKey: "id",
  indexes: [scalar("last"), scalar(["age", "last"], { name: "byAge" }), scalar("first", { unique: true })],
});
const Tally = collection("Tally", {
  schema: s.object({ decade: s.integer(), people: s.integer() }),
  primaryKey: "decade",
  indexes: [scalar("people")],
});

/** More than a batch. */
const PEOPLE = 110;

function split(document: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { id, age, name, touched = 0 } = document as Record<string, number | string>;
  const [first, last] = String(name).split(" ");
  return { id, age, first, last, touched: Number(touched) + 1 };
}

const NEW = schema({
  version: "2.0.0",
  collections: [User, Tally],
  migrations: [
    lightweight("1.0.0", "1.1.0"),
    migration("1.1.0", "2.0.0", {
      removeCollections: ["Legacy"],
      async willMigrate(context) {
        await context.batchUpdate("User", split);
        await context.batchDelete("User", ({ id }) => Number(id) % 10 === 0);
      },
      async didMigrate(context) {
        await context.rebuildIndex("User", "User_last");
        await context.batchUpdate("User", async (document, writes) => {
          const decade = Math.floor(Number(document["age"]) / 10);
          const tally = (await writes.get("Tally", decade)) as { people: number } | undefined;
          await writes.put("Tally", { decade, people: (tally?.people ?? 0) + 1 });
          return { ...document, touched: Number(document["touched"]) + 1 };
        });
      },
    }),
  ],
});

async function fill(): Promise<void> {
  const store = await open(OLD);
  await store.transact(async (t) => {
    for (let id = 0; id < PEOPLE; id++) {
      await t.collection("User").put({ id, name: `F${id} L${id % 7}`, age: id % 50 });
    }
    await t.collection("Legacy").put({ id: "x" });
  });
  await store.close();
}

/** All that readers can see, and what the catalogue says, but for its stamp; and that nothing else is left below the root. */
async function stateOf(store: RecordStore<readonly [typeof User, typeof Tally]>): Promise<unknown> {
  const users = store.collection("User");
  const { shared } = store;
  return database.read(async (reader) => {
    const catalogue = await shared.catalogues.peek(reader);
    const { begin, end } = shared.root.range();
    const rows = await reader.getRangeAll(begin, end);
    return {
      // How often an index was begun to be built anew is a matter of interruptions.
      catalogue: JSON.stringify(
        { ...catalogue, version: "", collections: [...catalogue.collections.values()] },
        (name, value: unknown) => (/generation$/i.test(name) ? 0 : value),
      ),
      users: await users.scan({ limit: 1000 }),
      byAge: await users.byIndex("byAge", [7]),
      byFirst: await users.byIndex("User_first", ["F33"]),
      tallies: await store.collection("Tally").scan(),
      // The lease of a build whose owner died right after its end stays until somebody takes it: it is a name, not data.
      spaces: rows
        .map(([key]) => shared.root.unpack(key).slice(0, 2))
        .filter(([space, name]) => space !== KEYSPACE.leases || name === "migration")
        .map((parts) => parts.join(" ")),
    };
  });
}

describe("a migration", () => {
  test("changes documents once each, builds and removes indexes, and opens what was declared", async () => {
    await fill();
    const store = await open(NEW);
    const people = await store.collection("User").scan({ limit: 1000 });
    expect(people).toHaveLength(PEOPLE - PEOPLE / 10);
    expect(people.every(({ touched }) => touched === 2)).toBe(true);
    expect(await store.collection("User").byIndex("User_last", ["L3"], { limit: 1000 })).toHaveLength(
      people.filter(({ last }) => last === "L3").length,
    );
    expect(await store.collection("User").byIndex("byAge", [7, "L1"])).toEqual(
      people.filter(({ age, last }) => age === 7 && last === "L1"),
    );
    const tallies = await store.collection("Tally").scan();
    expect(tallies.reduce((sum, one) => sum + one.people, 0)).toBe(people.length);
    const catalogue = await database.read((reader) => store.shared.catalogues.peek(reader));
    expect(catalogue.formers).toMatchObject([
      { type: "index", name: "User_name", removedIn: "2.0.0" },
      { type: "collection", name: "Legacy", removedIn: "2.0.0" },
    ]);
    await open(NEW);
  });

  test("that is interrupted at any transaction or crash point goes on, and the end is the same", async () => {
    await fill();
    const filled = await rows();
    const counted = mortal(database);
    const points: string[] = [];
    const before = installProbes({ ...QUIET, crashPoint: (id) => void points.push(id) });
    const whole = await stateOf(await open(NEW, counted)).finally(() => installProbes(before));
    for (const step of ["begun", "prepared", "restructured", "built", "finished"])
      expect(points).toContain(`migration.stage-${step}`);
    expect(points.filter((point) => point === "migration.batch-written").length).toBeGreaterThan(4);

    // Every crash point follows a transaction, so these are all places to die in, but for the one before the first.
    for (let at = 1; at <= counted.transactions; at++) {
      await restore(filled);
      await expect(open(NEW, mortal(database, at))).rejects.toThrow(Died);
      expect(await stateOf(await open(NEW)), `after transaction ${at}`).toEqual(whole);
    }
  });

  test("whose position is stored behind its batch does not go on as it should, and is found out", async () => {
    await fill();
    const filled = await rows();
    const whole = await stateOf(await open(NEW));
    const id = "I50-migration-progress-behind-its-batch";
    const before = installProbes({ ...QUIET, mutant: (one) => one === id });
    try {
      await restore(filled);
      const counted = mortal(database);
      await open(NEW, counted);
      const ends: unknown[] = [];
      for (let at = 1; at <= counted.transactions; at++) {
        await restore(filled);
        await open(NEW, mortal(database, at)).catch(() => {});
        ends.push(await open(NEW).then(stateOf, (error: unknown) => error));
      }
      expect(ends.filter((end) => !isDeepStrictEqual(end, whole)).length).toBeGreaterThan(0);
    } finally {
      installProbes(before);
    }
  }, 30_000);

  test("that two processes run is run by one of them, and both see it done", async () => {
    await fill();
    const [one, other] = await Promise.all([open(NEW), open(NEW)]);
    const people = await one.collection("User").scan({ limit: 1000 });
    expect(people.every(({ touched }) => touched === 2)).toBe(true);
    expect(await other.collection("User").scan({ limit: 1000 })).toEqual(people);
  });

  test("whose process stands still is gone on with by another, and commits nothing any more", async () => {
    await fill();
    const began = latch();
    const goesOn = latch();
    const codes: unknown[] = [];
    const declared = (willMigrate: (context: MigrationContext) => Promise<void>) =>
      schema({
        version: "2.0.0",
        collections: [OldUser, Legacy],
        migrations: [migration("1.0.0", "2.0.0", { willMigrate })],
      });
    const still = open(
      declared(async (context) => {
        began.open();
        await goesOn.opened;
        for (const late of [
          () => context.batchUpdate("Legacy", () => null),
          () => context.rebuildIndex("User", "User_name"),
        ]) {
          codes.push(await late().catch((error: { code: string }) => error.code));
        }
        await context.batchUpdate("Legacy", () => null);
      }),
    );
    await began.opened;
    const other = await open(
      declared(async (context) => {
        await context.batchUpdate("User", (document) => ({ ...document, age: 7 }));
      }),
    );
    goesOn.open();
    const opened = await still;
    expect(codes).toEqual(["LEASE_LOST", "LEASE_LOST"]);
    expect(await other.collection("Legacy").scan()).toEqual([{ id: "x" }]);
    expect(await opened.collection("User").get(1)).toMatchObject({ id: 1, age: 7 });
  });

  test("shuts out programs with the former schema, in a custom stage from its begin", async () => {
    await fill();
    const old = await open(OLD);
    const during: unknown[] = [];
    const stage = (options: Parameters<typeof migration>[2]) =>
      schema({
        version: "2.0.0",
        collections: [OldUser, Legacy],
        migrations: [migration("1.0.0", "2.0.0", options)],
      });
    const attempt = () => old.collection("User").put({ id: 1, name: "a", age: 1 });
    await attempt();
    await open(
      stage({
        async willMigrate() {
          during.push(await attempt().catch((error: { code: string }) => error.code));
          during.push(await open(OLD).catch((error: { code: string }) => error.code));
        },
      }),
    );
    expect(during).toEqual(["SCHEMA_TOO_OLD", "SCHEMA_TOO_OLD"]);
    await expect(old.collection("User").get(1)).rejects.toMatchObject({ code: "SCHEMA_TOO_OLD" });
    await expect(open(OLD)).rejects.toMatchObject({ code: "SCHEMA_TOO_OLD" });
  });

  test("may be one of the version alone, where nothing is asked of documents", async () => {
    await fill();
    const Wider = collection("User", {
      schema: s.object({
        id: s.integer(),
        name: s.string(),
        age: s.number(),
        nick: s.optional(s.string()),
      }),
      primaryKey: "id",
      indexes: OldUser.indexes,
    });
    const wider = schema({ version: "1.0.1", collections: [Wider, Legacy] });
    const store = await open(wider);
    await store.collection("User").put({ id: 1, name: "a", age: 0.5, nick: "b" });
    await open(wider);
  });

  test("gives its code the documents as they are stored, page after page", async () => {
    await fill();
    let seen: unknown[] = [];
    let count = 0;
    const Sibling = collection("Sibling", { schema: User.schema, primaryKey: "id" });
    await open(
      schema({
        version: "1.1.0",
        collections: [OldUser, Legacy, Sibling],
        migrations: [
          migration("1.0.0", "1.1.0", {
            async didMigrate(context) {
              seen = [];
              for await (const document of context.enumerate("User")) seen.push(document);
              count = await context.count("User");
            },
          }),
        ],
      }),
    );
    expect(count).toBe(PEOPLE);
    expect(seen[12]).toEqual({ id: 12, name: "F12 L5", age: 12 });
  });
});

const QUIET = { crashPoint() {}, sometimes() {}, buggify: () => false, mutant: () => false };

function rows(): Promise<KeyValue[]> {
  return database.read((reader) => reader.getRangeAll(new Uint8Array(0), Uint8Array.of(0xff)));
}

async function restore(all: readonly KeyValue[]): Promise<void> {
  await database.transact((transaction) => {
    transaction.clearRange(new Uint8Array(0), Uint8Array.of(0xff));
    for (const [key, value] of all) transaction.set(key, value);
  });
}
