/** What an open refuses, and what it says then. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lightweight, type MigrationStage, migration } from "../../src/collection/migrations.js";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import { Subspace } from "../../src/keyspace/subspace.js";
import {
  type CollectionDeclaration,
  collection,
  type IndexDeclaration,
} from "../../src/record/declaration.js";
import { JSON_CODEC } from "../../src/record/pipeline/json-codec.js";
import { s } from "../../src/record/schema-builder.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase } from "./fixtures.js";
import { hastyWorld } from "./interrupted.js";

const fields = { id: s.string(), email: s.string() };
let database: StorageDatabase;

beforeEach(async () => {
  database = await memoryDatabase();
  const store = await open("1.0.0", [user([scalar("email")])]);
  await store.transact(async (t) => {
    for (const id of ["a", "b"]) await t.collection("User").put({ id, email: "same" } as never);
  });
});

afterEach(() => database.close());

function user(indexes: readonly IndexDeclaration[], more: Parameters<typeof s.object>[0] = {}) {
  const declared = s.object({ ...fields, ...more });
  return collection("User", { schema: declared, primaryKey: "id" as never, indexes: indexes as never });
}

function open(
  version: string,
  collections: readonly CollectionDeclaration[],
  migrations: MigrationStage[] = [],
) {
  return RecordStore.open(database, schema({ version, collections, migrations }), hastyWorld());
}

const refusal = (opened: Promise<unknown>) =>
  opened.then(
    () => expect.unreachable("it was opened"),
    (error: { code: string; message: string }) => error,
  );

describe("an open", () => {
  test("with another schema under the same version names what differs and the migration that it needs", async () => {
    const added = await refusal(open("1.0.0", [user([scalar("email"), scalar("id")])]));
    expect(added).toMatchObject({ code: "SCHEMA_CHANGED", collection: "User", index: "User_id" });
    expect(added.message).toContain("add a lightweight migration");
    const required = await refusal(open("1.0.0", [user([scalar("email")], { age: s.integer() })]));
    expect(required).toMatchObject({ code: "SCHEMA_CHANGED", collection: "User", field: "age" });
    expect(required.message).toContain("add a custom migration");
  });

  test("with an older schema, or a newer one without a way or with too little of one, is refused", async () => {
    expect(await refusal(open("0.9.0", []))).toMatchObject({ code: "SCHEMA_TOO_OLD" });
    const Narrow = user([scalar("email")], { age: s.integer() });
    expect(await refusal(open("1.1.0", [Narrow]))).toMatchObject({ code: "SCHEMA_TOO_NEW" });
    const stages = (stage: MigrationStage) => [stage];
    expect(await refusal(open("1.1.0", [Narrow], stages(lightweight("1.0.0", "1.1.0"))))).toMatchObject({
      code: "SCHEMA_CHANGED",
      field: "age",
    });
    const custom = migration("1.0.0", "1.1.0");
    expect(await refusal(open("1.1.0", [], [custom]))).toMatchObject({ code: "SCHEMA_CHANGED" });
    const Rekeyed = collection("User", { schema: s.object(fields), primaryKey: "email" });
    expect(await refusal(open("1.1.0", [Rekeyed], [custom]))).toMatchObject({ code: "SCHEMA_CHANGED" });
    // Nothing of these was begun.
    await open("1.0.0", [user([scalar("email")])]);
  });

  test("takes a name that was in use for something else only when a stage says so", async () => {
    await open("1.1.0", [user([])], [lightweight("1.0.0", "1.1.0")]);
    const back = user([scalar("email")]);
    const refused = await refusal(open("1.2.0", [back], [lightweight("1.1.0", "1.2.0")]));
    expect(refused.message).toContain('reuseNames: ["User_email"]');
    const store = await open(
      "1.2.0",
      [back],
      [lightweight("1.1.0", "1.2.0", { reuseNames: ["User_email"] })],
    );
    expect(await store.collection("User").byIndex("User_email" as never, ["same"] as never)).toHaveLength(2);
  });

  test("that ends with violated values goes on when a later release repairs them", async () => {
    const unique = user([scalar("email", { unique: true, name: "one" })]);
    const broken = migration("1.0.0", "2.0.0");
    expect(await refusal(open("2.0.0", [unique], [broken]))).toMatchObject({
      code: "INDEX_BUILD_VIOLATIONS",
    });
    const repaired = migration("1.0.0", "2.0.0", {
      willMigrate: async (context) => {
        await context.batchUpdate("User", (document) => ({ ...document, email: document["id"] }));
      },
    });
    const store = await open("2.0.0", [unique], [repaired]);
    expect(await store.collection("User").byIndex("one" as never, ["a"] as never)).toHaveLength(1);
  });

  test("refuses code of a migration that changes primary keys, breaks the schema, or makes other calls than before", async () => {
    const all = [user([scalar("email")])];
    const run = (didMigrate: NonNullable<MigrationStage["didMigrate"]>) =>
      refusal(open("2.0.0", all, [migration("1.0.0", "2.0.0", { didMigrate })]));
    const update = (change: (document: Readonly<Record<string, unknown>>) => unknown) =>
      run(async (context) => void (await context.batchUpdate("User", change)));
    expect(await update((document) => ({ ...document, id: "x" }))).toMatchObject({
      code: "PRIMARY_KEY_CHANGED",
    });
    expect(await update(() => ({ id: "a" }))).toMatchObject({ code: "VALIDATION_FAILED", field: "email" });
    const stop = new Error("stop");
    const first = await run(async (context) => {
      await context.batchUpdate("User", () => undefined);
      throw stop;
    });
    expect(first).toBe(stop);
    expect(await run(async (context) => context.rebuildIndex("User", "User_email"))).toMatchObject({
      code: "INVALID_MIGRATION",
    });
  });

  test("of a format that this program does not know is refused; of one that it may only read, writes are", async () => {
    const head = Subspace.of("stillwater records").pack([0, "head"]);
    const change = (format: object) =>
      database.transact(async (transaction) => {
        const row = JSON_CODEC.decode((await transaction.get(head)) as Uint8Array) as object;
        transaction.set(head, JSON_CODEC.encode({ ...row, ...format }));
      });
    const again = () => open("1.0.0", [user([scalar("email")])]);
    await change({ format: 9, readableFrom: 1, writableFrom: 9 });
    const store = await again();
    expect(await store.collection("User").scan()).toHaveLength(2);
    const refused = expect.objectContaining({ code: "UNSUPPORTED_FORMAT" });
    await expect(store.collection("User").put({ id: "c", email: "c" } as never)).rejects.toEqual(refused);
    await change({ readableFrom: 9 });
    await expect(again()).rejects.toEqual(refused);
    await change({ format: 0, readableFrom: 0, writableFrom: 0 });
    await expect(again()).rejects.toEqual(refused);
  });
});
