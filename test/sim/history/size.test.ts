/** The checker's work is linear where helper nodes stand for edges: counted, not timed. */
import { expect, test } from "vitest";
import { checkHistory } from "../../../sim/history/check.js";
import type { HistoryTransaction } from "../../../sim/history/history.js";

const COUNT = 1000;

test("appends that nobody reads and reads that see none of them make few dependencies", () => {
  const history = Array.from(
    { length: COUNT },
    (_, i): HistoryTransaction => ({
      outcome: "ok",
      start: 0,
      end: 1,
      operations:
        i % 2 === 0 ? [{ kind: "append", key: "x", value: i }] : [{ kind: "read", key: "x", list: [] }],
    }),
  );
  const report = checkHistory(history);
  expect(report.anomalies).toEqual([]);
  expect(report.dependencies).toBeLessThan(COUNT * 10);
});

test("transactions one after the other make few dependencies of real time", () => {
  const history = Array.from(
    { length: COUNT },
    (_, i): HistoryTransaction => ({
      outcome: "ok",
      start: 2 * i,
      end: 2 * i + 1,
      operations: [],
    }),
  );
  expect(checkHistory(history).dependencies).toBeLessThan(COUNT * 4);
});

test("of several who read and then append what nobody reads, each comes after all others but not after himself", () => {
  const history = Array.from(
    { length: 5 },
    (_, i): HistoryTransaction => ({
      outcome: "ok",
      operations: [
        { kind: "read", key: "x", list: [] },
        { kind: "append", key: i < 3 ? "x" : "y", value: i },
      ],
    }),
  );
  const report = checkHistory(history, { model: "serializable" });
  expect(report.anomalies.map(({ name, transactions }) => [name, transactions])).toEqual([
    ["lost-update", [0, 1]],
    ["lost-update", [0, 2]],
  ]);
  const [first, , , ...others] = history;
  expect(checkHistory([first as HistoryTransaction, ...others], { model: "serializable" }).anomalies).toEqual(
    [],
  );
});

test("a thousand transactions that are all entangled are searched within the budget, and one cycle tells of them", () => {
  const history = Array.from(
    { length: COUNT },
    (_, i): HistoryTransaction => ({
      outcome: "ok",
      operations: [
        { kind: "append", key: `k${i}`, value: 1 },
        { kind: "read", key: `k${(i + 1) % COUNT}`, list: [1] },
      ],
    }),
  );
  const { anomalies, isExhaustive } = checkHistory(history, { model: "serializable" });
  expect(anomalies.map(({ name, transactions }) => [name, transactions.length])).toEqual([["G1c", COUNT]]);
  expect(isExhaustive).toBe(true);
});
