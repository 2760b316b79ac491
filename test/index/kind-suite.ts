/**
 * What every kind of index owes, whatever it keeps: after any history of documents it holds what somebody who looks at the documents
 * alone would say, and what building it from them would give. A kind brings a declaration and `expected`, its meaning computed
 * without its code; the suite brings the histories.
 */
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { RecordReader } from "../../src/collection/record-reader.js";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import type { IndexKind } from "../../src/index/kind.js";
import { indexCopy, updateIndex } from "../../src/index/maintenance.js";
import { UniquenessChecks } from "../../src/index/uniqueness.js";
import { Subspace } from "../../src/keyspace/subspace.js";
import { collection, type IndexDeclaration } from "../../src/record/declaration.js";
import type { FieldPath } from "../../src/record/field-path.js";
import { indexSpace } from "../../src/record/keyspace.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "../collection/fixtures.js";

export interface Thing {
  readonly id: string;
  readonly city?: string | null | undefined;
  readonly age: number;
  readonly price: number;
  readonly tags: readonly string[];
}

const THING = z.object({
  id: z.string(),
  city: z.string().nullish(),
  age: z.number(),
  price: z.number(),
  tags: z.array(z.string()),
});

/** What has been committed. */
export interface Committed {
  readonly documents: readonly Thing[];
  /** Of each document, what each commit that wrote it left. */
  readonly histories: ReadonlyMap<string, readonly (Thing | null)[]>;
}

export interface KindCase {
  readonly name: string;
  readonly declaration: IndexDeclaration<FieldPath<Thing>>;
  readonly kinds?: readonly IndexKind[];
  /** What the index says through its public reads, as plain data. */
  read(reader: RecordReader, index: string): Promise<unknown>;
  /** The same from the documents. */
  expected(committed: Committed): unknown;
  /** What an index that is built now would say; by default as `expected`. */
  expectedOfBuild?(committed: Committed): unknown;
}

type Write = { readonly put: Thing } | { readonly delete: string };
type Step = { readonly writes: readonly Write[]; readonly isRolledBack: boolean };

const london: Thing = { id: "a", city: "London", age: 30, price: 1.5, tags: ["x", "y"] };
const other: Thing = { id: "b", city: "Rome", age: -2, price: 0.25, tags: ["y"] };
const nowhere: Thing = { id: "c", city: null, age: 30, price: -1.5, tags: [] };

const put = (...things: Thing[]): Step => ({
  writes: things.map((thing) => ({ put: thing })),
  isRolledBack: false,
});
const remove = (...ids: string[]): Step => ({
  writes: ids.map((id) => ({ delete: id })),
  isRolledBack: false,
});
const rolledBack = (step: Step): Step => ({ ...step, isRolledBack: true });

const HISTORIES: readonly (readonly [promise: string, steps: readonly Step[]])[] = [
  ["says nothing of an empty collection", []],
  ["knows one document", [put(london)]],
  ["knows several, of one transaction or of many", [put(london, other), put(nowhere)]],
  ["keeps groups apart", [put(london), put({ ...london, id: "d", city: "Rome" }), put(other)]],
  ["stays the same when a document is written again as it was", [put(london), put(london)]],
  ["follows a change of values", [put(london, other), put({ ...london, city: "Rome", age: 7, tags: ["z"] })]],
  ["follows a change within a group", [put(london), put({ ...london, age: 31, price: 2 })]],
  ["forgets what is deleted", [put(london, other), remove("a")]],
  ["is empty again when all is deleted", [put(london, other), remove("a", "b")]],
  [
    "takes documents in and out of what a partial or sparse index holds",
    [put(london), put({ ...london, city: null, age: -1 }), put(london), put({ ...london, city: undefined })],
  ],
  [
    "sees several writes of one document in one transaction",
    [put(london, { ...london, city: "Rome" }, other)],
  ],
  [
    "sees a document deleted and put again in one transaction",
    [
      put(london),
      { ...remove("a"), writes: [{ delete: "a" }, { put: other }, { put: { ...london, age: 1 } }] },
    ],
  ],
  [
    "knows nothing of what was rolled back",
    [put(london), rolledBack(put({ ...london, city: "Rome" }, nowhere)), rolledBack(remove("a"))],
  ],
  [
    "is right when a value is written again after it was rolled back",
    [
      put(london),
      rolledBack(put({ ...london, city: "Rome", age: 5 })),
      put({ ...london, city: "Rome", age: 5 }),
    ],
  ],
];

const thing: fc.Arbitrary<Thing> = fc.record({
  id: fc.constantFrom("a", "b", "c", "d"),
  city: fc.constantFrom("London", "Rome", "", null, undefined),
  age: fc.integer({ min: -3, max: 3 }),
  price: fc.integer({ min: -300, max: 300 }).map((cents) => cents / 100),
  tags: fc.array(fc.constantFrom("x", "y", "z"), { maxLength: 3 }),
});
const step: fc.Arbitrary<Step> = fc.record({
  writes: fc.array(
    fc.oneof(
      { weight: 3, arbitrary: thing.map((one) => ({ put: one })) },
      { weight: 1, arbitrary: fc.constantFrom("a", "b", "c", "d").map((id) => ({ delete: id })) },
    ),
    { minLength: 1, maxLength: 3 },
  ),
  isRolledBack: fc.boolean(),
});

export function kindSuite(kind: KindCase): void {
  describe(`an index of kind ${kind.name}`, () => {
    beforeAll(openSuite);
    afterAll(closeSuite);

    test.each(HISTORIES)("%s", (_, steps) => checkHistory(kind, steps));

    test("holds after any history what the documents that are left say, and what a build of it gives", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 8 }), (steps) => checkHistory(kind, steps)),
        { numRuns: 15 },
      );
    });
  });
}

let database: StorageDatabase;
let historyNumber = 0;

/** Before the first check. One database for all: each history has a root of its own. */
export async function openSuite(): Promise<void> {
  database = await memoryDatabase();
}

export function closeSuite(): Promise<void> {
  return database.close();
}

/** The histories that have a name, one after another. */
export async function checkAllHistories(kind: KindCase): Promise<void> {
  for (const [, steps] of HISTORIES) await checkHistory(kind, steps);
}

class RolledBack extends Error {}

async function checkHistory(kind: KindCase, steps: readonly Step[]): Promise<void> {
  const things = collection("Thing", {
    schema: THING,
    primaryKey: "id",
    indexes: [{ ...kind.declaration, name: "index" }],
  });
  const store = await RecordStore.open(
    database,
    schema({ version: "1.0.0", collections: [things] }),
    memoryWorld(),
    { kinds: kind.kinds ?? [], root: Subspace.of("history", historyNumber++) },
  );
  const documents = new Map<string, Thing>();
  const histories = new Map<string, (Thing | null)[]>();
  for (const { writes, isRolledBack } of steps) {
    const after = new Map(documents);
    const written = new Set<string>();
    const running = store.transact(async (transaction) => {
      const own = transaction.collection("Thing");
      for (const write of writes) {
        if ("put" in write) await own.put(write.put as Thing & { tags: string[] });
        else await own.delete(write.delete);
        if (isRolledBack) continue;
        if ("put" in write) after.set(write.put.id, write.put);
        if ("put" in write) written.add(write.put.id);
        else if (after.delete(write.delete)) written.add(write.delete);
      }
      if (isRolledBack) throw new RolledBack();
    });
    await running.catch((error: unknown) => expect(error).toBeInstanceOf(RolledBack));
    if (isRolledBack) continue;
    documents.clear();
    for (const [id, document] of after) documents.set(id, document);
    for (const id of written) histories.set(id, [...(histories.get(id) ?? []), documents.get(id) ?? null]);
  }
  const committed = { documents: [...documents.values()].sort((a, b) => (a.id < b.id ? -1 : 1)), histories };
  const read = () =>
    database.read((reader) =>
      kind.read(new RecordReader(store.shared, reader, () => store.shared.catalogues.peek(reader)), "index"),
    );
  expect(await read()).toEqual(kind.expected(committed));
  const rows = await rowsOf(store, 0);
  await buildCopy(store, 0);
  const built = await rowsOf(store, 0);
  if (kind.expectedOfBuild === undefined) expect(built).toEqual(rows);
  expect(await read()).toEqual((kind.expectedOfBuild ?? kind.expected)(committed));
}

type Store = RecordStore<readonly []>;

/** Throws the rows of a copy away and tells it of every item, as a builder does. */
async function buildCopy(store: unknown, generation: number): Promise<void> {
  const { shared } = store as Store;
  const space = await spaceOf(store as Store, generation);
  await shared.database.transact(async (transaction) => {
    const { catalogued, items } = shared.collectionIn(await shared.catalogues.read(transaction), "Thing");
    const [stored] = catalogued.indexes;
    if (stored === undefined) throw new Error("no index");
    transaction.clearRange(space.range().begin, space.range().end);
    const copy = indexCopy(catalogued, stored, generation, true, shared.maintenance);
    for await (const item of items.scan(transaction, items.space.range())) {
      await updateIndex(transaction, copy, null, item, new UniquenessChecks(shared.root));
    }
  });
}

async function rowsOf(store: unknown, generation: number): Promise<string[]> {
  const space = await spaceOf(store as Store, generation);
  const { begin, end } = space.range();
  const rows = await (store as Store).shared.database.read((reader) => reader.getRangeAll(begin, end));
  return rows.map(
    ([key, value]) => `${Buffer.from(key).toString("hex")} ${Buffer.from(value).toString("hex")}`,
  );
}

async function spaceOf({ shared }: Store, generation: number) {
  const catalogue = await shared.database.read((reader) => shared.catalogues.peek(reader));
  return indexSpace(shared.root, catalogue.collections.get("Thing")?.indexes[0]?.id ?? 0, generation);
}
