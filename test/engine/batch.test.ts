/** Batches: one commit, later operations over earlier ones, limits at the door, nothing shared with the caller. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BATCH_BYTES_MAX, Batch } from "../../src/engine/batch.js";
import { KEY_BYTES_MAX, VALUE_BYTES_MAX } from "../../src/engine/format/operation.js";
import { Store } from "../../src/engine/store.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes, Model, type ModelOperation, reverseRowsOf, rowsOf, text } from "./fixtures/model.js";
import { PlainVFS } from "./fixtures/plain-vfs.js";

async function opened(): Promise<{ store: Store; platform: ManualPlatform; vfs: PlainVFS }> {
  const scheduler = new ManualScheduler();
  const vfs = new PlainVFS(scheduler);
  const platform = manualPlatform(vfs, scheduler);
  const store = await platform.settle(Store.open("/store", { memtableBytes: 4096 }, platform));
  return { store, platform, vfs };
}

const key = fc.constantFrom("", "a", "a\0", "ab", "b", "b\xff", "c", "\x80", "\xff", "\xff\xff");
const operation: fc.Arbitrary<ModelOperation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("put" as const), key, value: fc.constantFrom("", "1", "22") }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("delete" as const), key }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("deleteRange" as const), begin: key, end: key }) },
);

function batchOf(operations: readonly ModelOperation[]): Batch {
  const batch = new Batch();
  for (const one of operations) {
    if (one.kind === "put") batch.put(bytes(one.key), bytes(one.value));
    else if (one.kind === "delete") batch.delete(bytes(one.key));
    else batch.deleteRange(bytes(one.begin), bytes(one.end));
  }
  return batch;
}

test("[FS-defect 13] operations of a batch take effect in their order, in memory, in tables and after replay", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(operation, { maxLength: 12 }), { maxLength: 4 }), async (batches) => {
      const { store, platform, vfs } = await opened();
      const model = new Model();
      for (const operations of batches) {
        const version = await platform.settle(store.write(batchOf(operations)));
        model.commit(version, operations);
      }
      const expected = model.rows(store.version);
      const check = (one: Store): void => {
        expect(rowsOf(one)).toEqual(expected);
        expect(reverseRowsOf(one)).toEqual(expected.toReversed());
        for (const probe of ["", "a", "a\0", "ab", "b", "b\xff", "c", "\x80", "\xff", "\xff\xff", "zz"]) {
          const value = one.getSync(bytes(probe));
          expect(value === undefined ? undefined : text(value)).toBe(model.get(probe, store.version));
        }
      };
      check(store);
      const other = manualPlatform(new PlainVFS(platform.scheduler, vfs.files()), platform.scheduler);
      const replayed = await other.settle(Store.open("/store", {}, other));
      check(replayed);
      await platform.settle(store.flush());
      check(store);
      await platform.settle(store.compact());
      check(store);
      await platform.settle(store.close());
      await other.settle(replayed.close());
    }),
    { numRuns: 60 },
  );
});

test("[FS-defect 13] two keys are swapped, and a key that was freed is taken again, in one batch", async () => {
  const { store, platform } = await opened();
  await platform.settle(store.write(new Batch().put(bytes("x"), bytes("1")).put(bytes("y"), bytes("2"))));
  const swap = new Batch()
    .delete(bytes("x"))
    .delete(bytes("y"))
    .put(bytes("y"), bytes("1"))
    .put(bytes("x"), bytes("2"));
  await platform.settle(store.write(swap));
  expect(rowsOf(store)).toEqual([
    ["x", "2"],
    ["y", "1"],
  ]);
  await platform.settle(
    store.write(new Batch().deleteRange(bytes("a"), bytes("z")).put(bytes("x"), bytes("3"))),
  );
  expect(rowsOf(store)).toEqual([["x", "3"]]);
  await platform.settle(store.close());
});

test("[D46] keys and values are copied when they are given: the caller may overwrite them at once", async () => {
  const { store, platform } = await opened();
  const buffer = Buffer.from("key1value1");
  const put = store.put(buffer.subarray(0, 4), buffer.subarray(4));
  buffer.fill(0xee);
  await platform.settle(put);
  const batch = new Batch();
  const begin = Buffer.from("a");
  const end = Buffer.from("b");
  batch.deleteRange(begin, end);
  begin.fill(0x6b);
  end.fill(0xff);
  const written = store.write(batch);
  batch.clear();
  batch.put(bytes("other"), bytes("never written"));
  await platform.settle(written);
  expect(rowsOf(store)).toEqual([["key1", "value1"]]);
  await platform.settle(store.close());
});

test("[D46] bounds of a scan are copied when it is made, although its rows are read later", async () => {
  const { store, platform } = await opened();
  await platform.settle(store.write(new Batch().put(bytes("a"), bytes("1")).put(bytes("b"), bytes("2"))));
  const bound = Buffer.from("b");
  const scan = store.scan({ gte: bound });
  const iterator = store.iterator({ gte: bound });
  bound.fill(0);
  expect(scan.toArray().map(([found]) => text(found))).toEqual(["b"]);
  expect(iterator.next()).toBe(true);
  expect(text(iterator.key)).toBe("b");
  iterator.close();
  await platform.settle(store.close());
});

test("[D45] views into shared buffers are taken as they are, and a returned value can be overwritten", async () => {
  const { store, platform } = await opened();
  const pool = Buffer.from("..key.value..");
  const shared = new Uint8Array(pool.buffer, pool.byteOffset, pool.length);
  await platform.settle(store.put(shared.subarray(2, 5), shared.subarray(6, 11)));
  await platform.settle(store.put(bytes("key2"), bytes("value2")));
  for (let round = 0; round < 2; round++) {
    const first = store.getSync(bytes("key")) as Uint8Array;
    const second = store.getSync(bytes("key2")) as Uint8Array;
    const [[scannedKey, scannedValue]] = store.scan().toArray() as [[Uint8Array, Uint8Array]];
    expect([text(first), text(second), text(scannedKey), text(scannedValue)]).toEqual([
      "value",
      "value2",
      "key",
      "value",
    ]);
    first.fill(0);
    scannedKey.fill(0);
    scannedValue.fill(0);
    expect(text(second)).toBe("value2");
    expect(text(store.getSync(bytes("key")) as Uint8Array)).toBe("value");
    await platform.settle(store.flush());
  }
  await platform.settle(store.close());
});

test("[D44] bytes above 0x7f order and round-trip as unsigned, in keys that differ late as well", async () => {
  const { store, platform } = await opened();
  const keys: string[] = [];
  for (let byte = 0; byte < 256; byte += 5) {
    keys.push(
      String.fromCharCode(byte),
      `prefix${String.fromCharCode(byte, 0x80)}`,
      `\xff\xfe${String.fromCharCode(byte)}`,
    );
  }
  const shuffled = keys.toSorted(
    (a, b) => ((a.charCodeAt(0) * 7919) % 251) - ((b.charCodeAt(0) * 7919) % 251),
  );
  for (const one of shuffled) await platform.settle(store.put(bytes(one), bytes(one)));
  const expected = [...new Set(keys)].sort().map((one) => [one, one]);
  expect(rowsOf(store)).toEqual(expected);
  await platform.settle(store.compact());
  expect(rowsOf(store)).toEqual(expected);
  for (const one of keys) expect(text(store.getSync(bytes(one)) as Uint8Array)).toBe(one);
  await platform.settle(store.close());
});

test("[D47] every kind of Uint8Array is taken alike, and nothing else is", async () => {
  class Own extends Uint8Array {}
  const { store, platform } = await opened();
  const kinds = [Buffer.from("key"), new Uint8Array(Buffer.from("key")), Own.from(Buffer.from("key"))];
  for (const kind of kinds) {
    await platform.settle(store.put(kind, kind));
    expect(text(store.getSync(kind) as Uint8Array)).toBe("key");
  }
  const others: unknown[] = [
    "key",
    5,
    null,
    undefined,
    [1],
    new DataView(new ArrayBuffer(2)),
    new Uint16Array(2),
    new ArrayBuffer(2),
    {},
  ];
  for (const other of others) {
    const wrong = other as Uint8Array;
    const batch = new Batch();
    for (const call of [
      () => batch.put(wrong, bytes("v")),
      () => batch.put(bytes("k"), wrong),
      () => batch.delete(wrong),
      () => batch.deleteRange(wrong, bytes("z")),
      () => batch.deleteRange(bytes("a"), wrong),
      () => store.getSync(wrong),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
    }
    expect(batch.count).toBe(0);
    for (const promise of [
      store.put(wrong, bytes("v")),
      store.put(bytes("k"), wrong),
      store.delete(wrong),
      store.get(wrong),
    ]) {
      expect(await platform.outcome(promise as Promise<unknown>)).toMatchObject({
        error: { code: "INVALID_ARGUMENT" },
      });
    }
  }
  expect(rowsOf(store)).toEqual([["key", "key"]]);
  await platform.settle(store.close());
});

test("[D48] views of resizable and shared memory are copied, not kept", async () => {
  const { store, platform } = await opened();
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer & { resize(length: number): void };
  const buffer = new Resizable(3, { maxByteLength: 64 });
  const tracking = new Uint8Array(buffer);
  tracking.set(bytes("abc"));
  const shared = new Uint8Array(new SharedArrayBuffer(3));
  shared.set(bytes("xyz"));
  const first = store.put(tracking, shared);
  buffer.resize(0);
  shared.fill(0);
  await platform.settle(first);
  expect(rowsOf(store)).toEqual([["abc", "xyz"]]);
  await platform.settle(store.close());
});

describe("limits", () => {
  test("the largest key and value are stored, read, flushed and replayed; one byte more is a typed error", async () => {
    const { store, platform } = await opened();
    const largest = new Uint8Array(KEY_BYTES_MAX).fill(0xab);
    const value = new Uint8Array(1024 * 1024).fill(7);
    await platform.settle(store.put(largest, value));
    expect(store.getSync(largest)).toHaveLength(value.length);
    await platform.settle(store.compact());
    expect(store.getSync(largest)).toHaveLength(value.length);
    expect(store.scan({ reverse: true }).toArray()).toHaveLength(1);
    const tooLong = new Uint8Array(KEY_BYTES_MAX + 1);
    const batch = new Batch().put(bytes("kept"), bytes("1"));
    for (const call of [
      () => batch.put(tooLong, bytes("v")),
      () => batch.delete(tooLong),
      () => batch.deleteRange(bytes("a"), tooLong),
      () => store.getSync(tooLong),
      () => store.scan({ gte: tooLong }),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: "KEY_TOO_LARGE" }));
    }
    expect(batch.count).toBe(1);
    await platform.settle(store.close());
  });

  test("a value over the limit and a batch over the limit are typed errors, and leave the batch as it was", () => {
    const large = new Uint8Array(VALUE_BYTES_MAX);
    const batch = new Batch().put(bytes("1"), large);
    expect(() => batch.put(bytes("2"), new Uint8Array(VALUE_BYTES_MAX + 1))).toThrow(
      expect.objectContaining({ code: "VALUE_TOO_LARGE" }),
    );
    expect(() => batch.put(bytes("2"), large)).toThrow(expect.objectContaining({ code: "BATCH_TOO_LARGE" }));
    expect(batch.count).toBe(1);
    expect(batch.byteLength).toBeLessThanOrEqual(BATCH_BYTES_MAX);
  });

  test("[FS-defect 10] an empty value is a value, and the empty key is a key", async () => {
    const { store, platform } = await opened();
    await platform.settle(store.put(bytes(""), bytes("")));
    await platform.settle(store.put(bytes("k"), bytes("")));
    const check = (): void => {
      expect(store.getSync(bytes(""))).toEqual(Buffer.alloc(0));
      expect(rowsOf(store)).toEqual([
        ["", ""],
        ["k", ""],
      ]);
    };
    check();
    await platform.settle(store.flush());
    check();
    await platform.settle(store.compact());
    check();
    await platform.settle(store.close());
  });

  test("an empty or inverted range delete and an empty batch commit nothing and take no version", async () => {
    const { store, platform } = await opened();
    const before = await platform.settle(store.put(bytes("k"), bytes("v")));
    expect(await platform.settle(store.deleteRange(bytes("k"), bytes("k")))).toBe(before);
    expect(await platform.settle(store.deleteRange(bytes("z"), bytes("a")))).toBe(before);
    expect(await platform.settle(store.write(new Batch()))).toBe(before);
    expect(store.writeSync(new Batch())).toBe(before);
    expect(rowsOf(store)).toEqual([["k", "v"]]);
    await platform.settle(store.close());
  });

  test("a batch larger than a memtable commits as one, and is there after a crash", async () => {
    const { store, platform, vfs } = await opened();
    const batch = new Batch();
    for (let i = 0; i < 500; i++) batch.put(bytes(`key${i}`), new Uint8Array(100).fill(i));
    await platform.settle(store.put(bytes("small"), bytes("1")));
    const version = await platform.settle(store.write(batch));
    expect(version).toBe(11);
    const other = manualPlatform(new PlainVFS(platform.scheduler, vfs.files()), platform.scheduler);
    const replayed = await other.settle(Store.open("/store", {}, other));
    expect(replayed.scan().toArray()).toHaveLength(501);
    await other.settle(replayed.close());
    await platform.settle(store.close());
  });
});

test("[FS-defect 5] a batch that is refused, or whose building failed midway, leaves nothing behind", async () => {
  const { store, platform } = await opened();
  await platform.settle(store.put(bytes("k"), bytes("v")));
  const refused = new Batch().put(bytes("a"), bytes("1")).delete(bytes("k"));
  const outcome = await platform.outcome(store.write(refused, { requireVersionAtLeast: 1000 }));
  expect(outcome).toMatchObject({ kind: "rejected", error: { code: "VERSION_TOO_LOW" } });
  const broken = new Batch().put(bytes("b"), bytes("1"));
  expect(() => broken.put(bytes("c"), "no bytes" as never)).toThrow();
  expect(broken.count).toBe(1);
  expect(rowsOf(store)).toEqual([["k", "v"]]);
  expect(store.version).toBe(10);
  await platform.settle(store.write(broken));
  expect(rowsOf(store)).toEqual([
    ["b", "1"],
    ["k", "v"],
  ]);
  await platform.settle(store.close());
});
