/** Queries as users write them, over the engine on files in memory: what is planned for them, pages and tokens, refusals. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import type { SharedStore } from "../../src/collection/shared-store.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import type { Clock } from "../../src/platform/platform.js";
import { queryCollection } from "../../src/query/collection-view.js";
import { Execution } from "../../src/query/execute.js";
import { plan } from "../../src/query/planner.js";
import { EVERYTHING_ASKED, query } from "../../src/query/query.js";
import { collection } from "../../src/record/declaration.js";
import { indexSpace } from "../../src/record/keyspace.js";
import { s } from "../../src/record/schema-builder.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const Book = collection("Book", {
  schema: s.object({
    id: s.number(),
    title: s.string(),
    year: s.optional(s.number()),
    author: s.object({ name: s.string(), born: s.optional(s.number()) }),
    tags: s.array(s.string()),
    isSold: s.boolean(),
  }),
  primaryKey: "id",
  indexes: [
    scalar(["author.name", "year"], { name: "byAuthor", covering: ["title"] }),
    scalar("year", { name: "soldByYear", where: { op: "==", field: "isSold", value: true } }),
    scalar("tags[]", { name: "byTag" }),
    scalar("author.born", { name: "byBirth", sparse: true }),
  ],
});

let database: StorageDatabase;
let store: RecordStore<readonly [typeof Book]>;
let nowMs = 0;

beforeEach(async () => {
  database = await memoryDatabase();
  const clock: Clock = { nowMs: () => nowMs, wallMs: () => nowMs };
  store = await RecordStore.open(database, schema({ version: "1.0.0", collections: [Book] }), {
    ...memoryWorld(),
    clock,
  });
  await store.transact(async (transaction) => {
    for (let id = 0; id < 60; id++) await transaction.collection("Book").put(book(id));
  });
});

afterEach(async () => {
  await store.close();
  await database.close();
});

function book(id: number) {
  return {
    id,
    title: `title ${id % 7}`,
    author: { name: "abc"[id % 3] as string, ...(id % 2 === 0 ? { born: 1900 + (id % 5) } : {}) },
    ...(id % 4 === 0 ? {} : { year: 2000 + (id % 10) }),
    tags: ["x", `t${id % 6}`],
    isSold: id % 5 === 0,
  };
}

const all = Array.from({ length: 60 }, (_, id) => book(id));
const ids = (books: readonly { readonly id: number }[]) => books.map(({ id }) => id);

describe("a query", () => {
  const books = () => store.collection("Book").query();

  test("uses the index with the longest prefix of equalities and a range, and its order both ways", async () => {
    const found = books().where("author.name", "==", "a").where("year", ">", 2003).orderBy("year", "desc");
    const { text, tree } = await found.explain();
    expect(text).toBe(
      [
        'filter (author.name == "a" and year > 2003)',
        "└─ fetch documents, several at a time",
        '   └─ index scan byAuthor: author.name = "a", year in (2003, ∞), from the end',
      ].join("\n"),
    );
    expect(tree.of[0]?.of[0]?.index).toBe("byAuthor");
    const years = (await found.all()).map(({ year = 0 }) => year);
    expect(years).toEqual(years.toSorted((a, b) => b - a));
    expect(years).toHaveLength(
      all.filter(({ author, year }) => author.name === "a" && year !== undefined && year > 2003).length,
    );
  });

  test("reads no document when the index has all that is asked for", async () => {
    const found = books().where("author.name", "==", "b").orderBy("year").select("year", "title", "id");
    expect((await found.explain()).text).toContain("index-only scan byAuthor");
    // The first entry decides what integer keys are; no other document is looked at.
    await database.transact((transaction) => {
      const { root } = store.shared;
      const { begin, end } = root.subspace(1).range();
      transaction.clearRange(begin, end);
    });
    const rows = await found.limit(2).all();
    expect(rows).toEqual([
      { year: null, title: "title 4", id: 4 },
      { year: null, title: "title 2", id: 16 },
    ]);
    expect(await books().where("author.name", "==", "b").count()).toBe(20);
  });

  test("answers in by seeks in one order, or by the union of indexes, each document once", async () => {
    const inOrder = books().where("author.name", "in", ["c", "a"]).orderBy("year").orderBy("id");
    expect((await inOrder.explain()).text).toContain("merge union");
    const alternatives = books().where((c) =>
      c.or(c.field("tags[]", "in", ["t1", "x"]), c.field("id", "<", 3)),
    );
    expect((await alternatives.explain()).text).toMatch(/union[^]*byTag[^]*collection scan id in/);
    expect(ids(await alternatives.all())).toEqual(ids(all));
    const tag = books().where("tags[]", "in", ["t1", "x"]);
    expect(ids(await tag.all())).toEqual(ids(all));
    expect(await tag.count()).toBe(60);
  });

  test("uses a partial index only for what it holds, a sparse one only where null is excluded", async () => {
    const uses = async (asked: { explain(): Promise<{ readonly text: string }> }, index: string) =>
      (await asked.explain()).text.includes(index);
    const recent = books().where("year", ">=", 2005);
    expect(await uses(recent, "soldByYear")).toBe(false);
    expect(await uses(recent.where("isSold", "==", true), "soldByYear")).toBe(true);
    expect(await uses(books().where("author.born", "<", 1902), "byBirth")).toBe(false);
    expect(
      await uses(books().where("author.born", "<", 1902).where("author.born", "isNotNull"), "byBirth"),
    ).toBe(true);
    expect(await books().where("author.born", "<", 1902).count()).toBe(
      all.filter(({ author }) => (author.born ?? 0) < 1902).length,
    );
  });

  test("runs within a transaction and sees what that has written", async () => {
    await store.transact(async (transaction) => {
      const own = transaction.collection("Book");
      await own.put({ ...book(1), author: { name: "new" } });
      expect(ids(await own.query().where("author.name", "==", "new").all())).toEqual([1]);
      expect(await own.query().where("author.name", "hasPrefix", "n").first()).toMatchObject({ id: 1 });
    });
    expect(await books().where("author.name", "==", "none").first()).toBeUndefined();
  });

  test("goes on behind the last document of a page, also when that is gone, in both directions", async () => {
    for (const direction of ["asc", "desc"] as const) {
      const found = books().where("author.name", "==", "c").orderBy("year", direction);
      const whole = await found.all();
      const first = await found.page({ size: 7 });
      expect(first.stopped).toBe("limit");
      await store.collection("Book").delete(first.items.at(-1)?.id as number);
      const rest = await found.page({ size: 100, token: first.token });
      expect(ids([...first.items, ...rest.items])).toEqual(ids(whole));
      expect([rest.token, rest.stopped]).toEqual([null, "exhausted"]);
    }
  });

  test("ends a page by size, time or bytes, and says which; the limit of the query counts over all pages", async () => {
    const some = books().where("isSold", "==", true);
    expect((await some.page({ size: 3 })).stopped).toBe("limit");
    const byBytes = await some.page({ size: 100, scannedBytes: 500 });
    expect(byBytes.stopped).toBe("bytes");
    expect(byBytes.items.length).toBeLessThan(12);
    nowMs = 0;
    const timed = store.shared.world.clock as { nowMs(): number };
    timed.nowMs = () => ++nowMs;
    const byTime = await some.page({ size: 100, timeMs: 10 });
    expect(byTime.stopped).toBe("time");
    expect(byTime.token).not.toBeNull();

    const limited = books().offset(5).limit(10);
    const found: number[] = [];
    for (let token: string | null = null; ; ) {
      const page: Awaited<ReturnType<typeof limited.page>> = await limited.page({ size: 4, token });
      found.push(...ids(page.items));
      token = page.token;
      if (token === null) break;
    }
    expect(found).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
  });

  test("goes through everything with for await, sorted or not", async () => {
    for (const found of [books(), books().orderBy("title", "desc").orderBy("id")]) {
      const walked: number[] = [];
      for await (const { id } of found) walked.push(id);
      expect(walked).toEqual(ids(await found.all()));
      expect(walked).toHaveLength(60);
    }
  });

  test("refuses the token of any other query, and one that is damaged", async () => {
    const found = books().where("year", ">", 2003).orderBy("title");
    const { token } = await found.page({ size: 2 });
    const others = [
      books().where("year", ">", 2004).orderBy("title"),
      books().where("year", ">=", 2003).orderBy("title"),
      books().where("year", ">", 2003).orderBy("title", "desc"),
      found.limit(50),
      found.offset(1),
      found.select("id"),
      found.where("isSold", "==", true),
    ];
    for (const other of others) {
      await expect(other.page({ size: 2, token })).rejects.toMatchObject({ code: "CONTINUATION_MISMATCH" });
    }
    const same = books()
      .where((c) => c.and(c.field("year", ">", 2003)))
      .orderBy("title")
      .orderBy("title");
    await expect(same.page({ size: 2, token })).resolves.toMatchObject({ stopped: "limit" });
    const text = token as string;
    const changed = `${text.slice(0, 20)}${text[20] === "A" ? "B" : "A"}${text.slice(21)}`;
    for (const damaged of ["", "?", "AAAA", text.slice(0, -1), `${text}=`, changed, 5 as unknown as string]) {
      await expect(found.page({ size: 2, token: damaged })).rejects.toMatchObject({
        code: "INVALID_CONTINUATION",
      });
    }
  });

  test("is refused when it names a field that documents have not, or asks what has no meaning", async () => {
    const untyped = books() as unknown as Record<string, (...given: unknown[]) => ReturnType<typeof books>>;
    const call = (name: string, ...given: unknown[]) => (untyped[name] as (typeof untyped)[string])(...given);
    for (const wrong of [
      call("where", "yeer", "==", 1),
      call("where", "tags", "==", "x"),
      call("orderBy", "author.nam"),
      call("select", "author"),
    ]) {
      await expect(wrong.all()).rejects.toMatchObject({ code: "UNKNOWN_FIELD", collection: "Book" });
    }
    for (const wrong of [
      call("where", "year", "~", 1),
      call("where", "year", "==", Number.NaN),
      call("where", "year", "in", 5),
      call("where", "title", "hasPrefix", 5),
      call("orderBy", "tags[]"),
    ]) {
      await expect(wrong.all()).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    }
    for (const make of [
      () => call("limit", -1),
      () => call("offset", 1.5),
      () => call("orderBy", "year", "up"),
      () => books().page({ size: 0 }),
      () => books().page({ size: 1, timeMs: -1 }),
    ]) {
      expect(make).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
    expect(() => books().page({ size: 1, sise: 1 } as never)).toThrow(
      expect.objectContaining({ code: "UNKNOWN_OPTION" }),
    );
  });
});

test("a sort in little memory reads again and gives the same", async () => {
  const { shared } = store as { readonly shared: SharedStore };
  const sorted = await database.read(async (reader) => {
    const catalogue = await shared.catalogues.peek(reader);
    const { catalogued, items } = shared.collectionIn(catalogue, "Book");
    const asked = query("Book", "id", {
      ...EVERYTHING_ASKED,
      orderBy: [
        { field: "title", descending: true },
        { field: "id", descending: false },
      ],
    });
    const source = {
      reader,
      items,
      indexSpace: (id: number, generation: number) => indexSpace(shared.root, id, generation),
    };
    const execution = new Execution(plan(asked, queryCollection(catalogued)), source, { sortBytesMax: 700 });
    const found: unknown[] = [];
    for await (const { row } of execution.rows()) found.push((row.document as { id: number }).id);
    // More than one pass over about 60 times 150 bytes.
    expect(execution.scannedBytes).toBeGreaterThan(50_000);
    return found;
  });
  expect(sorted).toEqual(
    ids(all.toSorted((a, b) => (a.title < b.title ? 1 : a.title > b.title ? -1 : a.id - b.id))),
  );
});
