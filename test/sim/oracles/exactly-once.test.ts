import { describe, expect, test } from "vitest";
import { ExactlyOnce } from "../../../sim/oracles/exactly-once.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { textOf } from "../../../sim/transactions/atomics.js";
import { COUNTER_BYTES, onceKey } from "../../../sim/transactions/places.js";
import { keyBytes } from "../../../sim/workload/bytes.js";

const WINDOW_MS = 1000;

/** One key that adds 5 to a counter, taken as version 7 at 100 ms. */
function taken(): ExactlyOnce {
  const once = new ExactlyOnce(new OracleLedger(), WINDOW_MS);
  once.sends("a", [["increment", 0, 5]]);
  once.taken("a", 7, 100);
  return once;
}

const counter = (value: number) => [
  { key: onceKey(0), value: keyBytes(textOf(BigInt(value), COUNTER_BYTES)) },
];

describe("the oracle of idempotency keys", () => {
  test("objects to a key that is taken twice within the window, and not after it", () => {
    expect(() => taken().taken("a", 9, 1099)).toThrow(/taken as version 9/);
    expect(() => taken().taken("a", 9, 1100)).not.toThrow();
    expect(() => taken().taken("b", 9, 101)).not.toThrow();
  });

  test("takes a key again that a crash has lost", () => {
    const once = taken();
    once.lost(6);
    expect(() => once.taken("a", 7, 150)).not.toThrow();
    expect(() => once.checkRows(counter(5), 7, "now")).not.toThrow();
  });

  test("objects to counters that hold more or less than was added, as of the version that is looked at", () => {
    expect(() => taken().checkRows(counter(5), 7, "now")).not.toThrow();
    expect(() => taken().checkRows([], 6, "before")).not.toThrow();
    expect(() => taken().checkRows([], 7, "now")).toThrow(/is 0, but 5/);
    expect(() => taken().checkRows(counter(10), 7, "now")).toThrow(/is 10, but 5/);
  });

  test("objects to a success whose key was never taken", () => {
    expect(() => taken().acknowledged("a", "client")).not.toThrow();
    expect(() => taken().acknowledged("b", "client")).toThrow(/nothing was under it/);
  });

  test("objects to a key that is not found in the window, or found where it was not taken", () => {
    expect(() => taken().checkFound("a", 7, 7, 200)).not.toThrow();
    expect(() => taken().checkFound("a", undefined, 6, 200)).not.toThrow();
    expect(() => taken().checkFound("a", undefined, 7, 1100)).not.toThrow();
    expect(() => taken().checkFound("a", undefined, 7, 1099)).toThrow(/not found/);
    expect(() => taken().checkFound("a", 6, 7, 200)).toThrow(/not taken then/);
    expect(() => taken().checkFound("b", 7, 7, 200)).toThrow(/not taken then/);
  });

  test("a key does what it did the first time", () => {
    expect(taken().sends("a", [["increment", 1, 9]])).toEqual([["increment", 0, 5]]);
  });
});
