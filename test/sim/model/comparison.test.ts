import { describe, expect, test } from "vitest";
import { nextLiveIndex, StoreContent, scanMismatch } from "../../../sim/model/comparison.js";
import { Model } from "../../../sim/model/model.js";
import { valueBytes } from "../../../sim/workload/bytes.js";

function modelOf(...keys: string[]): Model {
  const model = new Model();
  model.submit(
    1,
    keys.map((key, i) => ["put", key, i, 8] as const),
    "sync",
  );
  return model;
}

function row(key: string, writer: number) {
  return { key, value: valueBytes(writer, 8) };
}

describe("a scan", () => {
  const model = modelOf("a", "b", "c", "d");

  test("within bounds, in either direction, up to its limit, matches", () => {
    expect(scanMismatch(model, 1, { gt: "a", lte: "c" }, 9, [row("b", 1), row("c", 2)])).toBeNull();
    expect(
      scanMismatch(model, 1, { gte: "b", lt: "d", reverse: true }, 9, [row("c", 2), row("b", 1)]),
    ).toBeNull();
    expect(scanMismatch(model, 1, {}, 2, [row("a", 0), row("b", 1)])).toBeNull();
    expect(scanMismatch(model, 1, {}, 0, [])).toBeNull();
  });

  test("that misses a row, adds one, or shows another value does not", () => {
    expect(scanMismatch(model, 1, {}, 9, [row("a", 0), row("c", 2), row("d", 3)])).toContain('"b"');
    expect(scanMismatch(model, 1, { lt: "c" }, 9, [row("a", 0), row("b", 1), row("c", 2)])).toContain('"c"');
    expect(scanMismatch(model, 1, { lt: "b" }, 9, [row("a", 7)])).toContain("write 7");
    expect(scanMismatch(model, 1, {}, 9, [row("a", 0), row("b", 1)])).toContain("ends before");
  });
});

describe("the next row of an iterator", () => {
  const model = modelOf("a", "c", "e");
  const next = (reverse: boolean, key: string | null, inclusive = false): string | undefined =>
    model.histories[nextLiveIndex(model, 1, { reverse }, key === null ? null : { key, inclusive })]?.key;

  test("comes after the one where it stands, or at it after a seek", () => {
    expect([next(false, null), next(false, "a"), next(false, "b"), next(false, "e")]).toEqual([
      "a",
      "c",
      "c",
      undefined,
    ]);
    expect([next(false, "c", true), next(false, "d", true)]).toEqual(["c", "e"]);
  });

  test("comes the other way round in reverse", () => {
    expect([next(true, null), next(true, "e"), next(true, "d"), next(true, "a")]).toEqual([
      "e",
      "c",
      "c",
      undefined,
    ]);
    expect([next(true, "c", true), next(true, "d", true)]).toEqual(["c", "c"]);
  });
});

test("a key that nobody wrote is a stranger, and no prefix explains it", () => {
  const content = new StoreContent(modelOf("a"), [row("a", 0), row("b", 1)]);
  expect(content.stranger?.key).toBe("b");
  expect(content.longestPrefix(0)).toBeNull();
});
