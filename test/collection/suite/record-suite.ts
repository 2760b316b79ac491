/**
 * What records promise on every database: the same cases on the engine, its simulation, the reference model, etcd and FoundationDB.
 * A backend runs bodies on an empty database, with time and chance that fit it; in a body nothing is awaited but promises of
 * records. Does not own: what only one part promises (tests beside it).
 */
import { describe, expect, test } from "vitest";
import { RecordStore } from "../../../src/collection/record-store.js";
import type { RecordWorld } from "../../../src/collection/shared-store.js";
import type { Database } from "../../../src/transaction/transaction.js";
import { fails } from "../../transaction/contract/support.js";
import { defineIndexCases } from "./index-cases.js";
import { ACCOUNTS, type AccountStore, account, LARGE } from "./suite-schema.js";

export type RecordBody = (database: Database, world: RecordWorld) => Promise<void>;

export interface RecordBackend {
  readonly name: string;
  /** Runs a body on a database without user keys. */
  run(body: RecordBody): Promise<void>;
}

/** A case on an open store; the database is beside it for what no collection does. */
export type SuiteCase = (
  name: string,
  body: (store: AccountStore, database: Database, world: RecordWorld) => Promise<void>,
) => void;

export function defineRecordSuite(backend: RecordBackend): void {
  const on: SuiteCase = (name, body) => {
    test(name, () =>
      backend.run(async (database, world) => {
        const store = await RecordStore.open(database, ACCOUNTS, world);
        await body(store, database, world);
        await store.close();
      }),
    );
  };
  describe(`records on ${backend.name}`, () => {
    defineDocumentCases(on);
    defineIndexCases(on);
  });
}

function defineDocumentCases(on: SuiteCase): void {
  on("a document is what was put last, and gone when it is deleted", async (store) => {
    const accounts = store.collection("Account");
    await accounts.put(account("a", { balance: 1 }));
    await accounts.put(account("a", { balance: 2 }));
    expect(await accounts.get("a")).toEqual(account("a", { balance: 2 }));
    expect(await accounts.get("b")).toBeUndefined();
    expect(await accounts.delete("a")).toBe(true);
    expect(await accounts.delete("a")).toBe(false);
    expect(await accounts.scan()).toEqual([]);
  });

  on("a scan goes in the order of primary keys, either way, whatever is in them", async (store) => {
    const accounts = store.collection("Account");
    const ids = ["a", "a\0", "a\0b", "a\u0001", "ab", "b", "\u00e9", "\uffee", "\u{1f600}"];
    for (const id of ids.toReversed()) await accounts.put(account(id));
    expect((await accounts.scan()).map(({ id }) => id)).toEqual(ids);
    const last = await accounts.scan({ reverse: true, limit: 3 });
    expect(last.map(({ id }) => id)).toEqual(ids.toReversed().slice(0, 3));
  });

  on(
    "a large document takes the place of a small one and the other way round, and leaves nothing",
    async (store) => {
      const accounts = store.collection("Account");
      await accounts.put(account("b"));
      for (const text of ["x", LARGE, "y", LARGE + LARGE, LARGE]) {
        await accounts.put(account("a", { text }));
        expect((await accounts.get("a"))?.text).toBe(text);
        expect((await accounts.scan()).map(({ id }) => id)).toEqual(["a", "b"]);
        expect((await accounts.scan({ reverse: true })).map(({ id }) => id)).toEqual(["b", "a"]);
      }
      await accounts.delete("a");
      expect(await accounts.scan()).toEqual([account("b")]);
    },
  );

  on("a transaction sees its own writes, and others see all of them or none", async (store) => {
    await store.collection("Account").put(account("a", { balance: 5 }));
    const abandoned = store.transact(async (transaction) => {
      const own = transaction.collection("Account");
      await own.put(account("b"));
      await own.delete("a");
      expect((await own.scan()).map(({ id }) => id)).toEqual(["b"]);
      expect(await own.byIndex("Account_email", ["a@x"])).toEqual([]);
      throw new Error("given up");
    });
    await expect(abandoned).rejects.toThrow("given up");
    expect(await store.collection("Account").scan()).toEqual([account("a", { balance: 5 })]);
    await store.transact(async (transaction) => {
      await transaction.collection("Account").put(account("b"));
      await transaction.collection("Entry").put({ id: 1, account: "b" });
    });
    expect(await store.collection("Entry").byIndex("Entry_account", ["b"])).toEqual([
      { id: 1, account: "b" },
    ]);
  });

  on("transactions that change one document at once lose nothing", async (store) => {
    await store.collection("Account").put(account("a", { balance: 0 }));
    const add = () =>
      store.transact(async (transaction) => {
        const own = transaction.collection("Account");
        const found = await own.get("a");
        await own.put(account("a", { balance: (found?.balance ?? 0) + 1 }));
      });
    await Promise.all(Array.from({ length: 6 }, add));
    expect((await store.collection("Account").get("a"))?.balance).toBe(6);
    expect((await store.collection("Account").byIndex("byCity", [null, 6])).map(({ id }) => id)).toEqual([
      "a",
    ]);
  });

  on("an error of one write leaves nothing of its transaction, whoever has caught it", async (store) => {
    const accounts = store.collection("Account");
    await accounts.put(account("a"));
    await expect(accounts.put({ ...account("b"), balance: "much" } as never)).rejects.toEqual(
      fails("VALIDATION_FAILED"),
    );
    const caught = store.transact(async (transaction) => {
      const own = transaction.collection("Account");
      await own.put(account("b"));
      await own.put(account("c", { tags: ["fine", "x".repeat(20_000)] })).catch(() => undefined);
    });
    await expect(caught).rejects.toEqual(fails("INDEX_ENTRY_TOO_LARGE"));
    await expect(accounts.insert(account("a", { balance: 9 }))).rejects.toEqual(fails("DOCUMENT_EXISTS"));
    expect(await accounts.scan()).toEqual([account("a")]);
    expect(await accounts.byIndex("Account_tags[]", ["fine"])).toEqual([]);
  });

  on(
    "a store opens again with the same schema, and refuses another under the same version",
    async (store, db, world) => {
      await store.collection("Account").put(account("a"));
      const again = await RecordStore.open(db, ACCOUNTS, world);
      expect(await again.collection("Account").get("a")).toEqual(account("a"));
      const [, entries] = ACCOUNTS.collections;
      const other = { version: ACCOUNTS.version, collections: [{ ...entries, indexes: [] }] };
      await expect(RecordStore.open(db, other, world)).rejects.toMatchObject({ code: "SCHEMA_CHANGED" });
    },
  );
}
