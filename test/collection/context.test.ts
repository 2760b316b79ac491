/** Units of work over the engine on files in memory; timers are fired by hand. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { RecordStore } from "../../src/collection/record-store.js";
import { schema } from "../../src/collection/schema.js";
import { scalar } from "../../src/index/kinds/scalar.js";
import type { Scheduler } from "../../src/platform/platform.js";
import { collection } from "../../src/record/declaration.js";
import type { StorageDatabase } from "../../src/transaction/database.js";
import { memoryDatabase, memoryWorld } from "./fixtures.js";

const Task = collection("Task", {
  schema: z.object({
    id: z.string(),
    title: z.string(),
    labels: z.array(z.string()),
    state: z.string().default("open"),
  }),
  primaryKey: "id",
  indexes: [scalar("title", { unique: true }), scalar("labels[]")],
});
const Note = collection("Note", { schema: z.object({ id: z.number(), text: z.string() }), primaryKey: "id" });

let database: StorageDatabase;
let store: RecordStore<readonly [typeof Task, typeof Note]>;
/** What autosaves wait for. */
let timers: Set<() => void>;

beforeEach(async () => {
  database = await memoryDatabase();
  timers = new Set();
  const world = memoryWorld();
  const scheduler: Scheduler = {
    defer: (task) => world.scheduler.defer(task),
    after: (_delayMs, task) => {
      timers.add(task);
      return { cancel: () => void timers.delete(task) };
    },
  };
  const declared = schema({ version: "1.0.0", collections: [Task, Note] });
  store = await RecordStore.open(database, declared, { ...world, scheduler });
});

afterEach(async () => {
  await store.close();
  await database.close();
});

const task = (id: string) => ({ id, title: `title of ${id}`, labels: ["new"], state: "open" });

describe("a context", () => {
  test("gives one object for each primary key, however it is fetched", async () => {
    await store.collection("Task").putMany([task("a"), task("b")]);
    const tasks = store.context().collection("Task");
    const a = await tasks.get("a");
    expect((await tasks.fetch())[0]).toBe(a);
    expect((await tasks.byIndex("Task_title", ["title of a"]))[0]).toBe(a);
    expect(await tasks.get("a")).toBe(a);
    expect(await tasks.get("none")).toBeUndefined();
  });

  test("saves new, changed and deleted documents of all collections in one transaction, and nothing else", async () => {
    await store.collection("Task").putMany([task("changed"), task("gone"), task("same")]);
    const seen: unknown[] = [];
    store.addHook({
      before: ({ changes, collections, metadata }) => void seen.push(collections, changes("Task"), metadata),
    });
    await using context = store.context({ metadata: { who: "test" } });
    const tasks = context.collection("Task");
    for (const one of await tasks.fetch()) {
      if (one.id === "changed") one.labels.push("deep");
      if (one.id === "gone") tasks.delete(one.id);
    }
    tasks.insert(task("new"));
    context.collection("Note").insert({ id: 1, text: "x" });
    expect(context.hasChanges).toBe(true);
    await context.save();
    expect(context.hasChanges).toBe(false);
    expect(seen).toEqual([
      ["Note", "Task"],
      {
        inserted: [task("new")],
        updated: [
          {
            before: task("changed"),
            after: { ...task("changed"), labels: ["new", "deep"] },
            fields: ["labels"],
          },
        ],
        deleted: [task("gone")],
      },
      { who: "test" },
    ]);
    expect(await store.collection("Task").byIndex("Task_labels[]", ["deep"])).toHaveLength(1);
    expect(await store.collection("Task").byIndex("Task_title", ["title of gone"])).toEqual([]);
    const version = await store.lastVersion();
    await context.save();
    expect(await store.lastVersion()).toBe(version);
  });

  test("shows what is pending in it, and others what is saved", async () => {
    await store.collection("Task").putMany([task("a"), task("b")]);
    const context = store.context();
    const tasks = context.collection("Task");
    tasks.insert(task("c"));
    tasks.delete("a");
    expect(await tasks.get("c")).toEqual(task("c"));
    expect(await tasks.get("a")).toBeUndefined();
    expect((await tasks.fetch()).map(({ id }) => id)).toEqual(["b"]);
    expect(await store.collection("Task").count()).toBe(2);
    expect(() => tasks.insert(task("c"))).toThrow(expect.objectContaining({ code: "DOCUMENT_EXISTS" }));
    tasks.insert({ ...task("a"), title: "again" });
    await context.save();
    expect(await store.collection("Task").get("a")).toMatchObject({ title: "again" });
    expect(await store.collection("Task").count()).toBe(3);
  });

  test("deletes all, and walks all while it holds only what was changed", async () => {
    await store.collection("Note").putMany(Array.from({ length: 600 }, (_, id) => ({ id, text: "x" })));
    const context = store.context();
    const notes = context.collection("Note");
    let seen = 0;
    await notes.enumerate((note) => {
      seen++;
      if (note.id % 100 === 0) note.text = "y";
    });
    expect(seen).toBe(600);
    await context.save();
    expect(
      (await store.collection("Note").scan({ limit: 1000 })).filter(({ text }) => text === "y"),
    ).toHaveLength(6);
    notes.insert({ id: 1000, text: "new" });
    await notes.deleteAll();
    await context.save();
    expect(await store.collection("Note").count()).toBe(0);
    expect(context.hasChanges).toBe(false);
  });
});

describe("a save that fails", () => {
  test("has written nothing, and leaves everything pending", async () => {
    await store.collection("Task").put(task("a"));
    const context = store.context();
    const tasks = context.collection("Task");
    tasks.insert(task("b"));
    tasks.insert({ ...task("c"), title: "title of a" });
    await expect(context.save()).rejects.toMatchObject({ code: "UNIQUE_VIOLATION" });
    expect(await store.collection("Task").count()).toBe(1);
    expect(context.hasChanges).toBe(true);
    const c = await tasks.get("c");
    if (c !== undefined) c.title = "free";
    await context.save();
    expect(await store.collection("Task").count()).toBe(3);
  });

  test("because somebody else has changed the document overwrites nothing; after a refresh it goes", async () => {
    await store.collection("Task").put(task("a"));
    const context = store.context();
    const tasks = context.collection("Task");
    const a = await tasks.get("a");
    if (a === undefined) return expect.unreachable();
    a.title = "mine";
    await store.collection("Task").update("a", { title: "theirs" });
    await expect(context.save()).rejects.toMatchObject({
      code: "DOCUMENT_CHANGED",
      collection: "Task",
      value: "a",
    });
    expect(await store.collection("Task").get("a")).toMatchObject({ title: "theirs" });
    expect(await tasks.refresh("a")).toBe(a);
    expect(a.title).toBe("theirs");
    a.title += " and mine";
    await context.save();
    expect(await store.collection("Task").get("a")).toMatchObject({ title: "theirs and mine" });
    tasks.delete("a");
    await store.collection("Task").update("a", { title: "theirs" });
    await expect(context.save()).rejects.toMatchObject({ code: "DOCUMENT_CHANGED" });
    await store.collection("Task").delete("a");
    await context.save();
  });

  test("because a primary key was changed, or a document is no longer one, says so", async () => {
    await store.collection("Task").put(task("a"));
    const context = store.context();
    const a = await context.collection("Task").get("a");
    if (a === undefined) return expect.unreachable();
    a.id = "b";
    await expect(context.save()).rejects.toMatchObject({
      code: "PRIMARY_KEY_CHANGED",
      field: "id",
      value: "b",
    });
    a.id = "a";
    a.labels = 7 as never;
    await expect(context.save()).rejects.toMatchObject({ code: "VALIDATION_FAILED", field: "labels" });
    context.rollback();
    expect(context.hasChanges).toBe(false);
    expect(await context.collection("Task").get("a")).toEqual(task("a"));
  });

  test("of a new document whose key is taken leaves the other one, also when it is deleted meanwhile", async () => {
    await store.collection("Task").put(task("a"));
    const context = store.context();
    const tasks = context.collection("Task");
    tasks.insert({ ...task("a"), title: "other" });
    const saving = context.save();
    tasks.delete("a");
    await expect(saving).rejects.toMatchObject({ code: "DOCUMENT_EXISTS" });
    await context.save();
    expect(await store.collection("Task").get("a")).toEqual(task("a"));
    expect(context.hasChanges).toBe(false);
  });
});

describe("at the same time", () => {
  test("a second save and a rollback are refused, and what is changed during a save stays pending", async () => {
    const context = store.context();
    const tasks = context.collection("Task");
    const a = task("a");
    tasks.insert(a);
    tasks.insert(task("b"));
    const saving = context.save();
    await expect(context.save()).rejects.toMatchObject({ code: "SAVE_IN_PROGRESS" });
    expect(() => context.rollback()).toThrow(expect.objectContaining({ code: "SAVE_IN_PROGRESS" }));
    a.title = "later";
    tasks.delete("b");
    await saving;
    expect(await store.collection("Task").scan()).toEqual([task("a"), task("b")]);
    await context.save();
    expect(await store.collection("Task").scan()).toEqual([{ ...task("a"), title: "later" }]);
  });

  test("a document that is clean follows what is stored when it is fetched again, a dirty one does not", async () => {
    await store.collection("Task").putMany([task("a"), task("b")]);
    const tasks = store.context().collection("Task");
    const [a, b] = await tasks.fetch();
    if (a === undefined || b === undefined) return expect.unreachable();
    a.title = "mine";
    await store.collection("Task").update("a", { title: "theirs" });
    await store.collection("Task").update("b", { title: "theirs too" });
    await tasks.fetch();
    expect([a.title, b.title]).toEqual(["mine", "theirs too"]);
  });
});

describe("perform and save", () => {
  test("saves what the body did, or rolls all back when it throws", async () => {
    const context = store.context();
    const id = await context.performAndSave((own) => {
      own.collection("Task").insert(task("a"));
      return "a";
    });
    expect(await store.collection("Task").get(id)).toEqual(task("a"));
    const problem = new Error("no");
    await expect(
      context.performAndSave((own) => {
        own.collection("Task").insert(task("b"));
        throw problem;
      }),
    ).rejects.toBe(problem);
    expect(context.hasChanges).toBe(false);
  });
});

describe("autosave", () => {
  async function fire(): Promise<void> {
    const due = [...timers];
    timers.clear();
    for (const timer of due) timer();
    while (timers.size === 0) await new Promise(setImmediate);
  }

  test("saves what is pending, tells of failures, goes on, and leaves no timer behind", async () => {
    const failures: unknown[] = [];
    const context = store.context({ autosave: { intervalMs: 100, failed: (error) => failures.push(error) } });
    const tasks = context.collection("Task");
    tasks.insert(task("a"));
    await fire();
    expect(await store.collection("Task").get("a")).toEqual(task("a"));
    const wrong = { ...task("b"), title: "title of a" };
    tasks.insert(wrong);
    await fire();
    expect(failures).toMatchObject([{ code: "UNIQUE_VIOLATION" }]);
    wrong.title = "free";
    await fire();
    expect(await store.collection("Task").get("b")).toEqual(wrong);
    await store.close();
    expect(timers.size).toBe(0);
    await expect(context.save()).rejects.toMatchObject({ code: "CLOSED" });
    expect(() => tasks.insert(task("c"))).toThrow(expect.objectContaining({ code: "CLOSED" }));
  });

  test("saves nothing while a body is performed", async () => {
    const context = store.context({ autosave: { intervalMs: 100, failed: () => expect.unreachable() } });
    await context.performAndSave(async (own) => {
      own.collection("Task").insert(task("a"));
      await fire();
      expect(await store.collection("Task").get("a")).toBeUndefined();
    });
    expect(await store.collection("Task").get("a")).toEqual(task("a"));
  });

  test("must be told how often and who hears of failures", () => {
    for (const autosave of [{ intervalMs: 0, failed: () => {} }, { intervalMs: 1 }]) {
      expect(() => store.context({ autosave } as never)).toThrow(
        expect.objectContaining({ code: "INVALID_ARGUMENT" }),
      );
    }
    expect(() => store.context({ save: true } as never)).toThrow(
      expect.objectContaining({ code: "UNKNOWN_OPTION" }),
    );
  });
});
