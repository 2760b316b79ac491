/** The record suite's cases of indexes: kinds, unique values, states and builds, scrubs, queries. */
import { expect } from "vitest";
import { fails } from "../../transaction/contract/support.js";
import type { SuiteCase } from "./record-suite.js";
import { type AccountStore, account } from "./suite-schema.js";

const ids = (documents: readonly { readonly id: string }[]): string[] => documents.map(({ id }) => id);

export function defineIndexCases(on: SuiteCase): void {
  on("every index follows its documents: compound, of lists, sparse, partial", async (store) => {
    const accounts = store.collection("Account");
    await accounts.put(account("a", { city: "Rome", balance: 3, tags: ["x", "y", "x"] }));
    await accounts.put(account("b", { city: "Rome", balance: -1, tags: ["x\0"] }));
    await accounts.put(account("c", { balance: -2, tags: ["x"] }));
    expect(ids(await accounts.byIndex("byCity", ["Rome"]))).toEqual(["b", "a"]);
    expect(ids(await accounts.byIndex("byCity", [null]))).toEqual(["c"]);
    expect(ids(await accounts.byIndex("Account_tags[]", ["x"]))).toEqual(["a", "c"]);
    expect(ids(await accounts.byIndex("withCity", []))).toEqual(["a", "b"]);
    expect(ids(await accounts.byIndex("inDebt", [], { reverse: true }))).toEqual(["b", "c"]);
    await accounts.put(account("a", { balance: -3, tags: [] }));
    await accounts.delete("b");
    expect(ids(await accounts.byIndex("byCity", ["Rome"]))).toEqual([]);
    expect(ids(await accounts.byIndex("Account_tags[]", ["x"]))).toEqual(["c"]);
    expect(ids(await accounts.byIndex("withCity", []))).toEqual([]);
    expect(ids(await accounts.byIndex("inDebt", []))).toEqual(["a", "c"]);
  });

  on("a unique value is one document's; two may swap theirs in one transaction", async (store) => {
    const accounts = store.collection("Account");
    await accounts.putMany([account("a"), account("b")]);
    await expect(accounts.put(account("b", { email: "a@x" }))).rejects.toMatchObject({
      code: "UNIQUE_VIOLATION",
      index: "Account_email",
      value: "a@x",
    });
    expect(await accounts.get("b")).toEqual(account("b"));
    await store.transact(async (transaction) => {
      const own = transaction.collection("Account");
      await own.put(account("a", { email: "b@x" }));
      await own.put(account("b", { email: "a@x" }));
    });
    expect(ids(await accounts.byIndex("Account_email", ["a@x"]))).toEqual(["b"]);
  });

  on("of several that bring one unique value at once one succeeds", async (store) => {
    const accounts = store.collection("Account");
    const tries = ["a", "b", "c", "d"].map((id) => accounts.put(account(id, { email: "same@x" })));
    const results = await Promise.allSettled(tries);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results)
      if (result.status === "rejected") expect(result.reason).toEqual(fails("UNIQUE_VIOLATION"));
    expect(await accounts.scan()).toHaveLength(1);
  });

  on(
    "counts, sums and extremes are those of the documents, and groups end with their last one",
    async (store) => {
      const accounts = store.collection("Account");
      await Promise.all(
        [3, 4, 5].map((balance) => accounts.put(account(`r${balance}`, { city: "Rome", balance }))),
      );
      await accounts.put(account("n", { balance: 7 }));
      await accounts.put(account("r3", { city: "Rome", balance: 1 }));
      expect(await accounts.aggregate("countByCity", ["Rome"])).toBe(3);
      expect(await accounts.aggregate("sumByCity", ["Rome"])).toMatchObject({ sum: 10, count: 3 });
      expect(await accounts.aggregate("least", ["Rome"])).toBe(1);
      expect(await accounts.aggregate("most", [])).toBe(7);
      for (const id of ["r3", "r4", "r5", "n"]) await accounts.delete(id);
      expect(await accounts.aggregate("countByCity", ["Rome"])).toBeUndefined();
      expect(await accounts.aggregate("sumByCity", ["Rome"])).toBeUndefined();
      expect(await accounts.aggregate("most", [])).toBeUndefined();
    },
  );

  on("a history has the versions that are kept, in the order of their commits", async (store) => {
    const accounts = store.collection("Account");
    for (const balance of [1, 2, 3]) await accounts.put(account("a", { balance }));
    await accounts.delete("a");
    const kept = await accounts.history("a");
    expect(kept.map(({ document }) => document?.balance ?? null)).toEqual([3, null]);
  });

  on("an index is built again beside writers: nothing is lost or counted twice", async (store) => {
    const accounts = store.collection("Account");
    for (let i = 0; i < 12; i++)
      await accounts.put(account(`a${i}`, { city: i % 2 ? "Rome" : "Oslo", balance: i }));
    const names = ["byCity", "countByCity", "sumByCity"] as const;
    for (const name of names) await store.indexes.disable("Account", name);
    await expect(accounts.byIndex("byCity", [])).rejects.toEqual(fails("INDEX_NOT_READABLE"));
    await accounts.put(account("a0", { city: "Rome", balance: 100 }));
    for (const name of names) await store.indexes.enable("Account", name);
    const options = { inlineItems: 0, throttle: { firstItems: 2, minItems: 1, maxItems: 2 } };
    const writes = [
      accounts.put(account("a3", { city: "Oslo", balance: 3 })),
      accounts.delete("a11"),
      accounts.put(account("b", { city: "Rome", balance: 50 })),
    ];
    await Promise.all([
      store.indexes.build("Account", names, options),
      store.indexes.build("Account", names, options),
      ...writes,
    ]);
    await expectRight(store);
  });

  on("a unique index becomes readable only when no value is there twice", async (store) => {
    const accounts = store.collection("Account");
    await store.indexes.disable("Account", "Account_email");
    await accounts.putMany([account("a", { email: "same@x" }), account("b", { email: "same@x" })]);
    await store.indexes.enable("Account", "Account_email");
    await expect(store.indexes.build("Account", "Account_email")).rejects.toEqual(
      fails("INDEX_BUILD_VIOLATIONS"),
    );
    expect(await store.indexes.get("Account", "Account_email")).toMatchObject({ state: "writeOnly" });
    await accounts.put(account("b"));
    await store.indexes.build("Account", "Account_email");
    expect(ids(await accounts.byIndex("Account_email", ["same@x"]))).toEqual(["a"]);
    await expect(accounts.put(account("c", { email: "same@x" }))).rejects.toEqual(fails("UNIQUE_VIOLATION"));
  });

  on("an index is rebuilt and scrubbed without being unreadable", async (store) => {
    const accounts = store.collection("Account");
    await accounts.putMany(["a", "b", "c"].map((id, balance) => account(id, { city: "Rome", balance })));
    await Promise.all([
      store.indexes.rebuild("Account", "sumByCity"),
      accounts.put(account("d", { city: "Rome", balance: 7 })),
      accounts.byIndex("byCity", ["Rome"]),
    ]);
    for (const name of ["byCity", "sumByCity"] as const) {
      const { findings } = await store.indexes.scrub("Account", name, { repair: true });
      expect(findings).toEqual([]);
    }
    await expectRight(store);
  });

  on("a query gives what a look at every document gives, in pages too", async (store) => {
    const accounts = store.collection("Account");
    await accounts.putMany(
      Array.from({ length: 9 }, (_, i) =>
        account(`a${i}`, { city: ["Rome", "Oslo"][i % 2] ?? "", balance: i - 3 }),
      ),
    );
    const asked = accounts
      .query()
      .where("city", "==", "Rome")
      .where("balance", ">=", -1)
      .orderBy("balance", "desc");
    expect(ids(await asked.all())).toEqual(["a8", "a6", "a4", "a2"]);
    const first = await asked.page({ size: 3 });
    expect(ids(first.items)).toEqual(["a8", "a6", "a4"]);
  });
}

/** Counts, sums and rows against all documents. */
async function expectRight(store: AccountStore): Promise<void> {
  const accounts = store.collection("Account");
  const all = await accounts.scan();
  for (const city of ["Rome", "Oslo"]) {
    const own = all.filter((document) => document.city === city);
    const sum = own.reduce((total, { balance }) => total + balance, 0);
    const inOrder = own.sort((a, b) => a.balance - b.balance || (a.id < b.id ? -1 : 1));
    expect(await accounts.byIndex("byCity", [city])).toEqual(inOrder);
    expect(await accounts.aggregate("countByCity", [city])).toBe(own.length === 0 ? undefined : own.length);
    const found = await accounts.aggregate("sumByCity", [city]);
    expect(found?.sum).toBe(own.length === 0 ? undefined : sum);
  }
}
