/**
 * Every plan gives what looking at all documents gives, in the order that it promises, whole and page by page: over random documents,
 * indexes of every sort, some of them not readable, and random queries, on the engine and on the reference model of databases.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ReferenceDatabase } from "../../sim/model/database/reference-database.js";
import { MetricCounters } from "../../src/collection/metrics.js";
import { RecordQuery } from "../../src/collection/query.js";
import { RecordReader } from "../../src/collection/record-reader.js";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { Subspace } from "../../src/keyspace/subspace.js";
import { installProbes } from "../../src/platform/probes.js";
import type { Explanation, PlanStep } from "../../src/query/explain.js";
import { EVERYTHING_ASKED, type QueryParts } from "../../src/query/query.js";
import { type IndexState, withIndex } from "../../src/record/catalogue.js";
import type { CollectionDeclaration } from "../../src/record/declaration.js";
import type { Database } from "../../src/transaction/transaction.js";
import { memoryDatabase, memoryWorld } from "../collection/fixtures.js";
import { aCase, type Case } from "./arbitraries.js";
import { answer, type Document } from "./brute-force.js";

/** Any document: what this is about are queries. */
const ANY: CollectionDeclaration["schema"] = {
  "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) },
};

const EVERY_STEP = [
  "limit",
  "project",
  "sort",
  "filter",
  "fetch",
  "nothing",
  "collection scan",
  "collection seek",
  "index scan",
  "index-only scan",
  "merge union",
  "union",
  ", from the end",
];

let engine: Database;
let model: Database;
let stores = 0;
const steps = new Set<string>();

beforeAll(async () => {
  engine = await memoryDatabase();
  model = new ReferenceDatabase(memoryWorld());
});

afterAll(async () => {
  await engine.close();
  await model.close();
});

async function openedCase(database: Database, { documents, indexes }: Case) {
  const items: CollectionDeclaration = {
    name: "Item",
    schema: ANY,
    primaryKey: "id",
    indexes: indexes.map(({ declaration }, at) => ({ ...declaration, name: `index${at}` })),
  };
  const store = await RecordStore.open(
    database,
    schema({ version: "1.0.0", collections: [items] }),
    memoryWorld(),
    { root: Subspace.of("query", stores++) },
  );
  // One that is built lacks what was written before: whoever reads it finds nothing.
  await setStates(store, (at) => (indexes[at]?.state === "readable" ? "readable" : "disabled"));
  await store.transact(async (transaction) => {
    for (const document of documents) await transaction.collection("Item").put(document as never);
  });
  await setStates(store, (at) => indexes[at]?.state ?? "disabled");
  return store;
}

type Store = Awaited<ReturnType<typeof openedCase>>;

async function setStates({ shared }: Store, stateOf: (at: number) => IndexState): Promise<void> {
  await shared.database.transact(async (transaction) => {
    const before = await shared.catalogues.read(transaction);
    const indexes = before.collections.get("Item")?.indexes ?? [];
    const after = indexes.reduce(
      (catalogue, index, at) => withIndex(catalogue, { ...index, state: stateOf(at) }),
      before,
    );
    shared.catalogues.write(transaction, before, after);
  });
}

function asked({ shared }: Store, parts: QueryParts): RecordQuery<Document, unknown> {
  const access: ConstructorParameters<typeof RecordQuery>[1] = {
    metrics: new MetricCounters(),
    turn: () => shared.turn(),
    read: (body) =>
      shared.database.read((reader) =>
        body(new RecordReader(shared, reader, () => shared.catalogues.peek(reader))),
      ),
  };
  return new RecordQuery("Item", access, parts);
}

async function check(database: Database, given: Case): Promise<void> {
  const store = await openedCase(database, given);
  for (const parts of given.queries) {
    const query = asked(store, parts);
    const explained = await query.explain();
    note(explained);
    const expected = answer(given.documents, parts, explained.plan.order);
    expect(await query.all(), explained.text).toEqual(expected);
    expect(await query.count()).toBe(expected.length);
    expect(await pages(query, { size: given.pageSize })).toEqual(expected);
    expect(await pages(query, { size: 100, scannedBytes: 1 })).toEqual(expected);
  }
  if (given.losesIndexes) await checkWithoutIndexes(store, given);
}

/** Every page but the first, of one row whether it is an answer or not, is read when there are no indexes any more. */
async function checkWithoutIndexes(store: Store, given: Case): Promise<void> {
  const begun = [];
  for (const parts of given.queries) {
    const query = asked(store, parts);
    const expected = answer(given.documents, parts, (await query.explain()).plan.order);
    begun.push({ query, expected, first: await query.page({ size: given.pageSize, scannedBytes: 1 }) });
  }
  await setStates(store, () => "disabled");
  for (const { query, expected, first } of begun) {
    const others = first.token === null ? [] : await pages(query, { size: given.pageSize }, first.token);
    expect([...first.items, ...others]).toEqual(expected);
  }
}

async function pages(
  query: RecordQuery<Document, unknown>,
  limits: { readonly size: number; readonly scannedBytes?: number },
  from: string | null = null,
): Promise<unknown[]> {
  const items: unknown[] = [];
  let token = from;
  // Documents, entries of a merge or of a list, and the end.
  for (let count = 0; count < 100; count++) {
    const page = await query.page({ ...limits, token });
    items.push(...page.items);
    token = page.token;
    if (token === null) return items;
  }
  return expect.unreachable("pages come to an end");
}

function note({ tree, text }: Explanation): void {
  const visit = ({ step, of }: PlanStep): void => {
    steps.add(step);
    of.forEach(visit);
  };
  visit(tree);
  if (text.includes(", from the end")) steps.add(", from the end");
}

/** Runs for each property; more with STILLWATER_QUERY_RUNS. */
const RUNS = Number(process.env["STILLWATER_QUERY_RUNS"] ?? 40);

describe("a planned query", () => {
  test("gives what a look at every document gives, on the engine; every kind of step is reached", async () => {
    // Rare steps may take some rounds.
    for (let round = 0; round === 0 || (round < 20 && EVERY_STEP.some((step) => !steps.has(step))); round++) {
      await fc.assert(
        fc.asyncProperty(aCase, (given) => check(engine, given)),
        { numRuns: RUNS },
      );
    }
    for (const step of EVERY_STEP) expect(steps).toContain(step);
  });

  test.each([false, true])(
    "goes on behind a row that was no answer, in an order without the field that told it (index lost: %s)",
    async (losesIndexes) => {
      const documents = [-300, 3].map((id) => ({ id, a: "a", ...(id < 0 ? { b: 2 } : {}) }));
      const bIsTwo = { op: "in", field: "b", values: [2] } as const;
      for (const descending of [false, true]) {
        await check(engine, {
          documents: [...documents, { id: 0, a: "a", b: 3 }, { id: 2, a: "a", b: 2 }, { id: 7, b: 2 }],
          indexes: [{ declaration: { kind: "scalar", fields: ["a", "b"] }, state: "readable" }],
          queries: [
            {
              ...EVERYTHING_ASKED,
              where: [{ op: "isNotNull", field: "a" }, bIsTwo],
              orderBy: [{ field: "a", descending }],
            },
          ],
          pageSize: 1,
          losesIndexes,
        });
      }
    },
  );

  test("gives the same on the reference model of databases", async () => {
    await fc.assert(
      fc.asyncProperty(aCase, (given) => check(model, given)),
      { numRuns: RUNS / 4 },
    );
  });

  test.each([
    "R8-multi-predicate-truncated",
    "Q1-page-begins-with-the-last-item",
    "Q2-partial-index-not-implied",
    "Q3-sparse-index-answers-null",
    "Q4-union-gives-a-document-twice",
    "Q5-write-only-index-read",
    "Q6-page-goes-on-in-an-order-of-its-own",
  ])("is found wrong with %s planted", async (id) => {
    const before = installProbes({
      crashPoint: () => {},
      sometimes: () => {},
      buggify: () => false,
      mutant: (one) => one === id,
    });
    try {
      const details = await fc.check(
        fc.asyncProperty(aCase, (given) => check(engine, given)),
        { numRuns: 1_000, endOnFailure: true },
      );
      expect(details.failed).toBe(true);
    } finally {
      installProbes(before);
    }
  });
});
