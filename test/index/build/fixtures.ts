/**
 * What the tests of builds share: a collection with indexes of an idempotent and of a non-idempotent kind, a database whose
 * transactions stop at a gate before they commit, and what each index must hold according to the documents.
 */
import { expect } from "vitest";
import { z } from "zod";
import { ReferenceDatabase } from "../../../sim/model/database/reference-database.js";
import { RecordStore } from "../../../src/collection/record-store.js";
import { schema } from "../../../src/collection/schema.js";
import type { RecordWorld } from "../../../src/collection/shared-store.js";
import { catalogued, storedIndex } from "../../../src/index/environment.js";
import type { IndexContext, IndexKind, IndexMaintainer } from "../../../src/index/kind.js";
import { count } from "../../../src/index/kinds/count.js";
import { scalar } from "../../../src/index/kinds/scalar.js";
import { sum } from "../../../src/index/kinds/sum.js";
import { indexCopy, selected } from "../../../src/index/maintenance.js";
import { installProbes } from "../../../src/platform/probes.js";
import { collection } from "../../../src/record/declaration.js";
import type { RecordItem } from "../../../src/record/item.js";
import type { Database, Transaction } from "../../../src/transaction/transaction.js";

/** Counts items and adds up a field, by group: wrong as soon as it is told of an item twice, or never. */
export const TALLY: IndexKind = {
  identifier: "com.example.tally",
  structure: "aggregation",
  canBeUnique: false,
  canCover: false,
  looksAtFieldsOnly: true,
  check() {},
  maintainer: tallyMaintainer,
};

function tallyMaintainer(context: IndexContext): IndexMaintainer {
  const add = (transaction: Transaction, { document }: RecordItem, sign: 1 | -1): void => {
    const { group, value } = document as { group: string; value: number };
    for (const [name, amount] of [
      ["count", sign],
      ["sum", sign * value],
    ] as const) {
      const operand = Buffer.alloc(8);
      operand.writeBigInt64LE(BigInt(amount));
      transaction.atomic("add", context.space.pack([group, name]), operand);
    }
  };
  return {
    context,
    isIdempotent: false,
    update(transaction, before, after) {
      if (before !== null) add(transaction, before, -1);
      if (after !== null) add(transaction, after, 1);
    },
  };
}

const tally = {
  kind: TALLY.identifier,
  fields: ["group", "value"],
  name: "tally",
} as const;

export const Doc = collection("Doc", {
  schema: z.object({
    id: z.number(),
    email: z.string(),
    group: z.string(),
    value: z.number(),
    tags: z.array(z.string()),
  }),
  primaryKey: "id",
  indexes: [
    scalar("email", { name: "email", unique: true }),
    scalar("group", { name: "group", covering: ["value"] }),
    scalar(["value", "id"], { name: "value" }),
    scalar(["group", "value"], { name: "forward" }),
    scalar(["value", "group"], { name: "backward" }),
    scalar("tags[]", { name: "tags" }),
    scalar("value", { name: "big", where: { op: ">=", field: "value", value: 5 } }),
    tally,
    count({ by: ["group"], name: "count" }),
    sum("value", { by: ["group"], name: "sum" }),
  ],
});
export const SCHEMA = schema({ version: "1.0.0", collections: [Doc] });
export type DocStore = RecordStore<readonly [typeof Doc]>;
export type IndexName =
  | "email"
  | "group"
  | "value"
  | "forward"
  | "backward"
  | "tags"
  | "big"
  | "tally"
  | "count"
  | "sum";
export type Document = { id: number; email: string; group: string; value: number; tags: string[] };

export function document(id: number, value = id % 7): Document {
  return { id, email: `${id}@x`, group: `g${value % 3}`, value, tags: [`t${value % 2}`, `u${id % 3}`] };
}

/**
 * Time that passes only as somebody waits for it. A timer that nobody waits for, such as a time limit or a renewal, runs when the
 * others have brought its time.
 */
export function virtualWorld(): RecordWorld & { pass(ms: number): void } {
  let nowMs = 0;
  let state = 1;
  const idle = new Set<{ readonly atMs: number; readonly task: () => void }>();
  const advance = (toMs: number): void => {
    nowMs = Math.max(nowMs, toMs);
    for (const timer of [...idle].sort((a, b) => a.atMs - b.atMs)) {
      if (timer.atMs > nowMs || !idle.delete(timer)) continue;
      timer.task();
    }
  };
  return {
    pass: (ms) => advance(nowMs + ms),
    clock: { nowMs: () => nowMs, wallMs: () => 1_700_000_000_000 + nowMs },
    random: {
      nextUint32: () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return state;
      },
    },
    scheduler: {
      defer: (task) => setImmediate(task),
      after: (delayMs, task, keepsAlive = false) => {
        const timer = { atMs: nowMs + delayMs, task };
        if (!keepsAlive) {
          idle.add(timer);
          return { cancel: () => idle.delete(timer) };
        }
        const turn = setImmediate(() => {
          advance(timer.atMs);
          task();
        });
        return { cancel: () => clearImmediate(turn) };
      },
    },
  };
}

export function referenceDatabase(world: RecordWorld): Database {
  return new ReferenceDatabase(world, { timeoutMs: 0, retryLimit: -1 });
}

/** Transactions of `database` that wait for `gate` between their last call and their commit. */
export function gated(database: Database, gate: () => Promise<void>): Database {
  return {
    createTransaction: (options) => database.createTransaction(options),
    read: (body, options) => database.read(body, options),
    close: () => database.close(),
    [Symbol.asyncDispose]: () => database.close(),
    async transact(body, options) {
      const transaction = database.createTransaction(options);
      for (;;) {
        try {
          const result = await body(transaction);
          await gate();
          await transaction.commit();
          return result;
        } catch (error) {
          try {
            await transaction.onError(error);
          } catch (final) {
            transaction.cancel();
            throw final;
          }
        }
      }
    },
  };
}

export function openDocs(database: Database, world: RecordWorld): Promise<DocStore> {
  return RecordStore.open(database, SCHEMA, world, { kinds: [TALLY] });
}

/** As if the index had been added to a collection that is in use. */
export async function toBuild(store: DocStore, ...indexes: readonly IndexName[]): Promise<void> {
  for (const index of indexes) {
    await store.indexes.disable("Doc", index);
    await store.indexes.enable("Doc", index);
  }
}

/** What is in the copy in use, or in the shadow, against what the documents say. */
export async function expectRight(
  store: DocStore,
  index: IndexName,
  copy: "own" | "shadow" = "own",
): Promise<void> {
  if (index === "count" || index === "sum") return expectSame(store, index, copy);
  const { database, catalogues, maintenance } = store.shared;
  const { rows, items, maintainer, stored } = await database.read(async (reader) => {
    const found = catalogued(await catalogues.peek(reader), "Doc");
    const stored = storedIndex(found, index);
    const generation = copy === "own" ? stored.generation : (stored.shadow?.generation ?? -1);
    const { maintainer } = indexCopy(found, stored, generation, false, maintenance);
    const { begin, end } = maintainer.context.space.range();
    const items: RecordItem[] = [];
    const itemStore = store.shared.itemsOf(found);
    for await (const item of itemStore.scan(reader, itemStore.space.range())) items.push(item);
    return { rows: await reader.getRangeAll(begin, end), items, maintainer, stored };
  });
  const held = items.filter((item) => selected(stored, item) !== null);
  if (index === "tally") {
    const sums = new Map<string, bigint>();
    for (const [key, value] of rows) {
      const sum = Buffer.from(value).readBigInt64LE();
      if (sum !== 0n) sums.set(maintainer.context.space.unpack(key).join(), sum);
    }
    expect(Object.fromEntries(sums)).toEqual(expectedTally(held));
  } else {
    const expected = held.flatMap((item) => [...(maintainer.entries?.of(item) ?? [])]);
    const text = (key: Uint8Array, value: Uint8Array) =>
      `${Buffer.from(key).toString("hex")} ${Buffer.from(value).toString("hex")}`;
    expect(rows.map(([key, value]) => text(key, value))).toEqual(
      expected.map(({ key, value }) => text(key, value)).sort(),
    );
  }
}

/** The copy in use against a shadow that nobody has disturbed, or a shadow against the copy that has been there from the first. */
async function expectSame(store: DocStore, index: "count" | "sum", copy: "own" | "shadow"): Promise<void> {
  if (copy === "own") await store.indexes.buildShadow("Doc", index);
  const { database, catalogues, maintenance } = store.shared;
  const [own, shadow] = await database.read(async (reader) => {
    const found = catalogued(await catalogues.peek(reader), "Doc");
    const stored = storedIndex(found, index);
    const generations = [stored.generation, stored.shadow?.generation ?? -1];
    return Promise.all(
      generations.map(async (generation) => {
        const { space } = indexCopy(found, stored, generation, false, maintenance).maintainer.context;
        const { begin, end } = space.range();
        const rows = await reader.getRangeAll(begin, end);
        return rows.map(([key, value]) => [space.unpack(key), Buffer.from(value).toString("hex")]);
      }),
    );
  });
  expect(own).toEqual(shadow);
  if (copy === "own") await store.indexes.dropShadow("Doc", index);
}

function expectedTally(items: readonly RecordItem[]): Record<string, bigint> {
  const sums = new Map<string, bigint>();
  for (const { document } of items) {
    const { group, value } = document as Document;
    sums.set(`${group},count`, (sums.get(`${group},count`) ?? 0n) + 1n);
    sums.set(`${group},sum`, (sums.get(`${group},sum`) ?? 0n) + BigInt(value));
  }
  return Object.fromEntries([...sums].filter(([, sum]) => sum !== 0n));
}

/** Runs `body` with one planted bug on. */
export async function withMutant<T>(id: string, body: () => Promise<T>): Promise<T> {
  const former = installProbes({
    crashPoint() {},
    sometimes() {},
    buggify: () => false,
    mutant: (name) => name === id,
  });
  try {
    return await body();
  } finally {
    installProbes(former);
  }
}
