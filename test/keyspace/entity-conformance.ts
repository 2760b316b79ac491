/** What every `EntityStorage` must do, as one set of cases (features TD-18 to TD-25). */
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ENTITY_TAGS,
  type EntityTag,
  entityKey,
  entityPrefix,
  entityTagPrefix,
} from "../../src/keyspace/entity-key.js";
import {
  ENTITY_KEY_BYTES_MAX,
  ENTITY_KINDS,
  type EntityBatchOperation,
  type EntityKind,
  type EntityStorage,
} from "../../src/keyspace/entity-storage.js";

const b = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const hex = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString("hex");
const fails = (code: string): unknown => expect.objectContaining({ code });

async function scan(storage: EntityStorage, kind: EntityKind, prefix: Uint8Array): Promise<string[]> {
  const rows: string[] = [];
  for await (const [key, value] of storage.backend(kind).scanPrefix(prefix)) {
    rows.push(`${hex(key)}=${Buffer.from(value).toString("latin1")}`);
  }
  return rows;
}

/** `run` gives a storage in which there is nothing. */
export function defineEntityConformance(
  run: (body: (storage: EntityStorage) => Promise<void>) => Promise<void>,
): void {
  test("what is put is read, what is deleted is not, and deleting nothing is no error", () =>
    run(async (storage) => {
      const items = storage.backend("item");
      const key = entityKey(1, "meta");
      expect(await items.get(key)).toBeUndefined();
      await items.put(key, b("one"));
      expect(await items.get(key)).toEqual(b("one"));
      await items.put(key, b(""));
      expect(await items.get(key)).toEqual(b(""));
      await items.delete(key);
      await items.delete(key);
      expect(await items.get(key)).toBeUndefined();
    }));

  test("the same key in the keyspace of another kind is another", () =>
    run(async (storage) => {
      const key = entityKey(7, "sig", b("x"));
      for (const kind of ENTITY_KINDS) {
        expect(await storage.backend(kind).get(key)).toBeUndefined();
        await storage.backend(kind).put(key, b(kind));
      }
      for (const kind of ENTITY_KINDS) {
        expect(await scan(storage, kind, b(""))).toEqual([`${hex(key)}=${kind}`]);
      }
      await storage.backend("user").delete(key);
      expect(await storage.backend("item").get(key)).toEqual(b("item"));
      expect(await storage.backend("creator").get(key)).toEqual(b("creator"));
    }));

  test("a scan finds exactly the keys with the prefix, in order", () =>
    run(async (storage) => {
      const users = storage.backend("user");
      const at = (id: number | bigint, tag: EntityTag, suffix = ""): string =>
        hex(entityKey(id, tag, b(suffix))) as string;
      const put = [
        at(1, "meta"),
        at(2, "evt", "\xff"),
        at(2, "evt"),
        at(2, "evt", "\0"),
        at(2, "idx"),
        at(3, "evt"),
      ];
      put.push(at(2n ** 64n - 1n, "idx", "\xff\xff"), at(258, "evt"));
      await users.writeBatch(
        put.map((key) => ({ type: "put", key: new Uint8Array(Buffer.from(key, "hex")), value: b("") })),
      );
      const keysOf = async (prefix: Uint8Array): Promise<string[]> =>
        (await scan(storage, "user", prefix)).map((row) => row.slice(0, -1));
      expect(await keysOf(entityTagPrefix(2, "evt"))).toEqual([
        at(2, "evt"),
        at(2, "evt", "\0"),
        at(2, "evt", "\xff"),
      ]);
      expect((await keysOf(entityPrefix(2))).length).toBe(4);
      expect(await keysOf(entityPrefix(2n ** 64n - 1n))).toEqual([at(2n ** 64n - 1n, "idx", "\xff\xff")]);
      expect(await keysOf(b("\xff"))).toEqual([at(2n ** 64n - 1n, "idx", "\xff\xff")]);
      expect(await keysOf(entityPrefix(4))).toEqual([]);
      expect(await keysOf(b(""))).toEqual([...put].sort());
    }));

  test("a scan shows the rows as they were when it began, and may be left early", () =>
    run(async (storage) => {
      const items = storage.backend("item");
      await items.writeBatch(["a", "b", "c"].map((name) => ({ type: "put", key: b(name), value: b("old") })));
      const seen: string[] = [];
      for await (const [key, value] of items.scanPrefix(b(""))) {
        seen.push(`${Buffer.from(key)}=${Buffer.from(value)}`);
        await items.put(b("b"), b("new"));
        await items.put(b("bb"), b("new"));
        await items.delete(b("c"));
      }
      expect(seen).toEqual(["a=old", "b=old", "c=old"]);
      for await (const _row of items.scanPrefix(b(""))) break;
      expect((await scan(storage, "item", b(""))).length).toBe(3);
    }));

  test("a batch over several kinds happens whole, and the last change of a key counts", () =>
    run(async (storage) => {
      await storage.backend("creator").put(b("gone"), b("1"));
      await storage.writeBatch([
        { kind: "item", type: "put", key: b("k"), value: b("first") },
        { kind: "user", type: "put", key: b("k"), value: b("user") },
        { kind: "creator", type: "delete", key: b("gone") },
        { kind: "item", type: "delete", key: b("k") },
        { kind: "item", type: "put", key: b("k"), value: b("last") },
        { kind: "user", type: "put", key: b("x"), value: b("") },
        { kind: "user", type: "delete", key: b("x") },
      ]);
      expect(await scan(storage, "item", b(""))).toEqual(["6b=last"]);
      expect(await scan(storage, "user", b(""))).toEqual(["6b=user"]);
      expect(await scan(storage, "creator", b(""))).toEqual([]);
      await storage.writeBatch([]);
      await storage.flush();
      await storage.backend("item").flush();
      expect(await scan(storage, "item", b(""))).toEqual(["6b=last"]);
    }));

  test.each([
    [
      "a kind that there is not",
      "INVALID_ARGUMENT",
      { kind: "thing", type: "put", key: b("k"), value: b("") },
    ],
    ["an operation that there is not", "INVALID_ARGUMENT", { kind: "item", type: "merge", key: b("k") }],
    ["a key that is no bytes", "INVALID_ARGUMENT", { kind: "item", type: "delete", key: "k" }],
    ["a value that is no bytes", "INVALID_ARGUMENT", { kind: "item", type: "put", key: b("k"), value: "v" }],
    [
      "a key that is too large",
      "KEY_TOO_LARGE",
      {
        kind: "item",
        type: "delete",
        key: new Uint8Array(ENTITY_KEY_BYTES_MAX + 1),
      },
    ],
    [
      "a value that is too large",
      "VALUE_TOO_LARGE",
      {
        kind: "item",
        type: "put",
        key: b("k"),
        value: new Uint8Array(100_001),
      },
    ],
  ])("a batch with %s is refused with %s and does nothing", (_what, code, operation) =>
    run(async (storage) => {
      const good: EntityBatchOperation = { kind: "user", type: "put", key: b("good"), value: b("") };
      const batch = [good, operation as unknown as EntityBatchOperation];
      await expect(storage.writeBatch(batch)).rejects.toEqual(fails(code));
      for (const kind of ENTITY_KINDS) expect(await scan(storage, kind, b(""))).toEqual([]);
    }),
  );

  test("what is asked with bad arguments is refused", () =>
    run(async (storage) => {
      expect(() => storage.backend("thing" as EntityKind)).toThrow(fails("INVALID_ARGUMENT") as Error);
      const items = storage.backend("item");
      const text = "k" as unknown as Uint8Array;
      await expect(items.get(text)).rejects.toEqual(fails("INVALID_ARGUMENT"));
      await expect(items.put(text, b(""))).rejects.toEqual(fails("INVALID_ARGUMENT"));
      await expect(items.writeBatch({} as [])).rejects.toEqual(fails("INVALID_ARGUMENT"));
      const scanning = items.scanPrefix(text)[Symbol.asyncIterator]().next();
      await expect(scanning).rejects.toEqual(fails("INVALID_ARGUMENT"));
      await items.put(new Uint8Array(ENTITY_KEY_BYTES_MAX), new Uint8Array(100_000));
      expect((await scan(storage, "item", b(""))).length).toBe(1);
    }));

  test("memory that callers use again changes nothing that is stored, nor what they were given", () =>
    run(async (storage) => {
      const items = storage.backend("item");
      const [key, value] = [Buffer.from("key"), Buffer.from("value")];
      await items.put(key, value);
      key.fill(0);
      value.fill(0);
      for await (const [k, v] of items.scanPrefix(b(""))) {
        k.fill(1);
        v.fill(1);
      }
      (await items.get(b("key")))?.fill(2);
      expect(await items.get(b("key"))).toEqual(b("value"));
    }));

  test("random batches leave what a map of maps has", async () => {
    const operation: fc.Arbitrary<EntityBatchOperation> = fc
      .record({
        kind: fc.constantFrom(...ENTITY_KINDS),
        id: fc.constantFrom(0, 1, 255, 256),
        tag: fc.constantFrom(...(Object.keys(ENTITY_TAGS) as EntityTag[])),
        suffix: fc.array(fc.constantFrom(0, 255), { maxLength: 2 }),
        value: fc.option(fc.uint8Array({ maxLength: 3 })),
      })
      .map(({ kind, id, tag, suffix, value }) => {
        const key = entityKey(id, tag, Uint8Array.from(suffix));
        return value === null ? { kind, type: "delete", key } : { kind, type: "put", key, value };
      });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 8 }), { maxLength: 6 }), (batches) =>
        run(async (storage) => {
          const expected = new Map(ENTITY_KINDS.map((kind) => [kind, new Map<string, string>()]));
          for (const batch of batches) {
            await storage.writeBatch(batch);
            for (const one of batch) {
              const keyspace = expected.get(one.kind) as Map<string, string>;
              if (one.type === "delete") keyspace.delete(hex(one.key) as string);
              else keyspace.set(hex(one.key) as string, Buffer.from(one.value).toString("latin1"));
            }
          }
          for (const [kind, rows] of expected) {
            const keys = [...rows.keys()].sort();
            const sorted = keys.map((key) => `${key}=${rows.get(key)}`);
            expect(await scan(storage, kind, b(""))).toEqual(sorted);
            for (const prefix of [entityPrefix(1), entityTagPrefix(255, "sig")]) {
              const within = sorted.filter((row) => row.startsWith(hex(prefix) as string));
              expect(await scan(storage, kind, prefix)).toEqual(within);
            }
          }
        }),
      ),
      { numRuns: 15 },
    );
  });
}
