/** Rows as text: of one version, and back to the same bytes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { exportRows } from "../../src/engine/exported-rows.js";
import { Store } from "../../src/engine/store.js";
import { type ManualPlatform, ManualScheduler, manualPlatform } from "./fixtures/manual-platform.js";
import { bytes } from "./fixtures/model.js";
import { PlainVFS } from "./fixtures/plain-vfs.js";

async function opened(): Promise<{ store: Store; platform: ManualPlatform }> {
  const scheduler = new ManualScheduler();
  const platform = manualPlatform(new PlainVFS(scheduler), scheduler);
  return { store: await platform.settle(Store.open("/store", {}, platform)), platform };
}

test("every byte string comes back from hex and base64", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.uint8Array({ maxLength: 40 }), {
        selector: (key) => Buffer.from(key).toString("hex"),
      }),
      fc.constantFrom("hex" as const, "base64" as const),
      async (keys, encoding) => {
        const { store, platform } = await opened();
        for (const key of keys) await platform.settle(store.put(key, key.toReversed()));
        const text = [...exportRows(store, { encoding })].join("");
        const rows = text
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line) as { key: string; value: string });
        const sorted = keys.map((key) => Buffer.from(key)).sort(Buffer.compare);
        expect(rows.map(({ key }) => Buffer.from(key, encoding))).toEqual(sorted);
        expect(rows.map(({ value }) => Buffer.from(value, encoding))).toEqual(
          sorted.map((key) => Buffer.from(key.toReversed())),
        );
      },
    ),
    { numRuns: 30 },
  );
});

test("the rows are those of one version, or of the snapshot, whatever is committed between two pieces", async () => {
  const { store, platform } = await opened();
  const long = "x".repeat(40_000);
  for (const key of ["a", "b", "c", "d"]) await platform.settle(store.put(bytes(key), bytes(long)));
  const snapshot = store.snapshot();
  const pieces = exportRows(store, { encoding: "text" });
  let text = pieces.next().value ?? "";
  await platform.settle(store.deleteRange(bytes("a"), bytes("z")));
  for (const piece of pieces) text += piece;
  expect(text.split("\n")).toHaveLength(5);
  expect([...exportRows(store)]).toEqual([]);
  expect([...exportRows(store, { encoding: "text", snapshot })].join("")).toBe(text);
});

test("bytes that are no text are refused in the encoding text, and unknown encodings and options always", async () => {
  const { store, platform } = await opened();
  await platform.settle(store.put(Uint8Array.of(0xff), bytes("x")));
  expect(() => [...exportRows(store, { encoding: "text" })]).toThrow("is not UTF-8 text");
  expect(() => [...exportRows(store, { encoding: "latin1" as "text" })]).toThrow("encoding must be one of");
  expect(() => [...exportRows(store, { form: 1 } as object)]).toThrow("has no option");
});
