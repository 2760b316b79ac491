import { describe, expect, test } from "vitest";
import { Model, type PrefixSpan } from "../../../sim/model/model.js";
import { checkCheckpoint } from "../../../sim/oracles/checkpoint.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkDeletedKeys } from "../../../sim/oracles/resurrection.js";
import { checkGet, checkScan, checkStep } from "../../../sim/oracles/snapshot-stability.js";
import { keyText, valueBytes } from "../../../sim/workload/bytes.js";
import { writerOfMutation } from "../../../sim/workload/operation.js";

const LENGTH = 8;

/** Commit n puts "a" and "b"; commit 3 deletes "b". */
function model(): Model {
  const made = new Model();
  for (let n = 1; n <= 4; n++) {
    made.submit(
      n,
      n === 3
        ? [["delete", "b"]]
        : [
            ["put", "a", writerOfMutation(n, 0), LENGTH],
            ["put", "b", writerOfMutation(n, 1), LENGTH],
          ],
      "sync",
    );
  }
  return made;
}

function value(commit: number, index: number): Uint8Array {
  return valueBytes(writerOfMutation(commit, index), LENGTH);
}

function get(span: PrefixSpan, key: string, got: Uint8Array | undefined): void {
  checkGet(new OracleLedger(), model(), span, key, got, "get");
}

describe("a point read", () => {
  test("of the due value passes and narrows what the version can mean", () => {
    const span = { low: 1, high: 4 };
    get(span, "a", value(2, 0));
    expect(span).toEqual({ low: 2, high: 3 });
    get(span, "b", undefined);
    expect(span).toEqual({ low: 3, high: 3 });
  });

  test("that agrees with no state left by earlier reads fails", () => {
    const span = { low: 2, high: 3 };
    get(span, "b", undefined);
    expect(() => get(span, "b", value(2, 1))).toThrow(/^O12/);
  });

  test("of an older value, of a newer one, of nothing, or of noise fails", () => {
    const span = () => ({ low: 2, high: 2 });
    expect(() => get(span(), "a", value(1, 0))).toThrow(/^O12/);
    expect(() => get(span(), "a", value(4, 0))).toThrow(/^O6/);
    expect(() => get(span(), "a", undefined)).toThrow(/^O6/);
    expect(() => get(span(), "a", value(900, 0))).toThrow(/^O23/);
    expect(() => get(span(), "nobody wrote this", value(1, 0))).toThrow(/broken/);
  });
});

describe("a scan", () => {
  const scan = (reverse: boolean, rows: { key: string; value: Uint8Array }[]) => () =>
    checkScan(new OracleLedger(), model(), { low: 2, high: 2 }, { reverse }, 9, rows, "scan");
  const a = { key: "a", value: value(2, 0) };
  const b = { key: "b", value: value(2, 1) };

  test("of the due rows passes in both directions", () => {
    expect(scan(false, [a, b])).not.toThrow();
    expect(scan(true, [b, a])).not.toThrow();
  });

  test("in the wrong order, with a row missing, or with a stale value fails", () => {
    expect(scan(true, [a, b])).toThrow(/^O6/);
    expect(scan(false, [a])).toThrow(/^O6/);
    expect(scan(false, [a, { key: "b", value: value(1, 1) }])).toThrow(/^O6/);
  });
});

describe("a step of an iterator", () => {
  const step = (key: string | null, from: string | null) => () =>
    checkStep(
      new OracleLedger(),
      model(),
      { low: 3, high: 3 },
      {},
      from === null ? null : { key: from, inclusive: false },
      key === null ? null : { key, value: value(2, key === "a" ? 0 : 1) },
      "iterator",
    );

  test("to the next live key passes, and so does the end when it is due", () => {
    expect(step("a", null)).not.toThrow();
    expect(step(null, "a")).not.toThrow();
  });

  test("to a deleted key, or to the end too early, fails", () => {
    expect(step("b", "a")).toThrow(/^O12/);
    expect(step(null, null)).toThrow(/^O6/);
  });
});

test("O12: a deleted key that reads as something fails", () => {
  const check = (got: Uint8Array | undefined) => () =>
    checkDeletedKeys(new OracleLedger(), model(), 3, (key) => (keyText(key) === "b" ? got : value(2, 0)));
  expect(check(undefined)).not.toThrow();
  expect(check(value(2, 1))).toThrow(/^O12/);
});

test("O20: a checkpoint with another state than that of its version fails", () => {
  const check = (commit: number) => () =>
    checkCheckpoint(new OracleLedger(), model(), { low: 2, high: 2 }, [
      { key: "a", value: value(commit, 0) },
      { key: "b", value: value(commit, 1) },
    ]);
  expect(check(2)).not.toThrow();
  expect(check(1)).toThrow(/^O20/);
});
