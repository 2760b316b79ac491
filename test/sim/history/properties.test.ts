/** The checker against histories that a serial executor made: no false positives, and each corruption gets its name. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { checkHistory } from "../../../sim/history/check.js";
import type { HistoryOperation, HistoryTransaction, List } from "../../../sim/history/history.js";
import { formatHistory, parseHistory } from "../../../sim/history/json-lines.js";
import { type AnomalyName, MODELS } from "../../../sim/history/models.js";
import { recipes, runSerially } from "./serial.js";

const RUNS = { numRuns: 200 };

test("a history that a serial executor made fits every model", () => {
  fc.assert(
    fc.property(recipes, (all) => {
      const { history } = runSerially(all);
      for (const model of MODELS) expect(checkHistory(history, { model }).anomalies).toEqual([]);
    }),
    RUNS,
  );
});

test("and fits it without times, processes, and in any order of its lines", () => {
  fc.assert(
    fc.property(recipes, fc.func(fc.integer()), (all, rank) => {
      const { history } = runSerially(all);
      const bare = history
        .map(({ outcome, operations }) => ({ outcome, operations }))
        .map((one, index) => ({ one, by: rank(index) }))
        .sort((a, b) => a.by - b.by)
        .map(({ one }) => one);
      expect(checkHistory(bare, { model: "serializable" }).anomalies).toEqual([]);
    }),
    RUNS,
  );
});

test("a history survives being written to a file and read again", () => {
  fc.assert(
    fc.property(recipes, (all) => {
      const { history } = runSerially(all);
      expect(parseHistory(formatHistory(history))).toEqual(history);
    }),
    { numRuns: 50 },
  );
});

/** Changes a history that is right; null when this one does not lend itself to it. */
type Corruption = (history: HistoryTransaction[], pick: number) => HistoryTransaction[] | null;

/** Later transactions with ready-made evidence, after all others. */
function after(
  history: readonly HistoryTransaction[],
  ...more: (readonly HistoryOperation[])[]
): HistoryTransaction[] {
  const now = Math.max(0, ...history.map(({ end }) => end ?? 0));
  const added = more.map(
    (operations, i): HistoryTransaction => ({
      outcome: "ok",
      process: `late ${i}`,
      start: now + 1,
      end: now + 2,
      operations,
    }),
  );
  return [...history, ...added];
}

const append = (key: string, value: string): HistoryOperation => ({ kind: "append", key, value });
const read = (key: string, list: List): HistoryOperation => ({ kind: "read", key, list });

/** The index of some committed transaction that reads a list of at least `length`, and which operation that is. */
function findRead(
  history: readonly HistoryTransaction[],
  length: number,
  pick: number,
): [number, number] | null {
  const places = history.flatMap(({ outcome, operations }, index) =>
    outcome === "ok"
      ? operations.flatMap((operation, at): [number, number][] => {
          if (operation.kind !== "read" || operation.isSnapshot === true) return [];
          const isOwn = operations.some((one) => one.kind === "append" && one.key === operation.key);
          return !isOwn && (operation.list?.length ?? 0) >= length ? [[index, at]] : [];
        })
      : [],
  );
  return places.length === 0 ? null : (places[pick % places.length] as [number, number]);
}

function replaceRead(
  history: readonly HistoryTransaction[],
  [index, at]: readonly [number, number],
  change: (list: List) => List,
): HistoryTransaction[] {
  return history.map((one, i) => {
    if (i !== index) return one;
    const operations = one.operations.map((operation, j) =>
      j === at && operation.kind === "read"
        ? { ...operation, list: change(operation.list ?? []) }
        : operation,
    );
    return { ...one, operations };
  });
}

const changeRead =
  (length: number, change: (list: List) => List): Corruption =>
  (history, pick) => {
    const place = findRead(history, length, pick);
    return place === null ? null : replaceRead(history, place, change);
  };

const CORRUPTIONS: readonly (readonly [AnomalyName, string, Corruption])[] = [
  [
    "duplicate-elements",
    "the last value of a read is there twice",
    changeRead(1, (list) => [...list, list.at(-1) as number]),
  ],
  ["garbage-read", "a read ends in what nobody appended", changeRead(0, (list) => [...list, "garbage"])],
  [
    "incompatible-order",
    "the first and last value of a read change places, and another reads as it was",
    (history, pick) => {
      const place = findRead(history, 2, pick);
      if (place === null) return null;
      const operation = history[place[0]]?.operations[place[1]];
      const changed = replaceRead(history, place, (list) => [
        list.at(-1) as number,
        ...list.slice(1, -1),
        list[0] as number,
      ]);
      return operation?.kind === "read" ? after(changed, [operation]) : null;
    },
  ],
  [
    "G1a",
    "the last writer of what was read failed",
    (history, pick) => {
      const place = findRead(history, 1, pick);
      if (place === null) return null;
      const operation = history[place[0]]?.operations[place[1]];
      const last = operation?.kind === "read" ? operation.list?.at(-1) : undefined;
      const writer = history.findIndex(({ operations }) =>
        operations.some((one) => one.kind === "append" && one.value === last),
      );
      return history.map((one, i) => (i === writer ? { ...one, outcome: "failed" as const } : one));
    },
  ],
  [
    "G1b",
    "half of a transaction is read",
    (history) => after(history, [append("z", "z1"), append("z", "z2")], [read("z", ["z1"])]),
  ],
  [
    "G0",
    "the writes of two transactions interleave",
    (history) =>
      after(
        history,
        [append("y", "y1"), append("z", "z1")],
        [append("y", "y2"), append("z", "z2")],
        [read("y", ["y1", "y2"])],
        [read("z", ["z2", "z1"])],
      ),
  ],
  [
    "G1c",
    "two transactions read each other",
    (history) =>
      after(history, [append("y", "y1"), read("z", ["z1"])], [append("z", "z1"), read("y", ["y1"])]),
  ],
  [
    "G-single",
    "a transaction is read in part",
    (history) => after(history, [append("y", "y1"), append("z", "z1")], [read("y", []), read("z", ["z1"])]),
  ],
  [
    "G2-item",
    "write skew",
    (history) => after(history, [read("y", []), append("z", "z1")], [read("z", []), append("y", "y1")]),
  ],
  [
    "lost-update",
    "two transactions update the same state",
    (history) => after(history, [read("z", []), append("z", "z1")], [read("z", []), append("z", "z2")]),
  ],
  [
    "internal",
    "a transaction does not find what it has appended",
    (history) => after(history, [append("z", "z1"), read("z", [])]),
  ],
  [
    "lost-write",
    "an acknowledged append is taken out of every list",
    (history) => {
      const ofOk = history.flatMap(({ outcome, operations }) => (outcome === "ok" ? operations : []));
      const lost = ofOk.find((operation) => operation.kind === "append");
      if (lost?.kind !== "append") return null;
      const now = Math.max(0, ...history.map(({ end }) => end ?? 0));
      const seen = ofOk.flatMap((operation) =>
        operation.kind === "read" && operation.key === lost.key ? [operation.list ?? []] : [],
      );
      const longest = seen.reduce<List>((a, b) => (b.length > a.length ? b : a), []);
      const list = longest.filter((value) => value !== lost.value);
      return [
        ...history,
        { outcome: "ok", start: now + 1, end: now + 2, isFinal: true, operations: [read(lost.key, list)] },
      ];
    },
  ],
  [
    "G-single-realtime",
    "a later transaction reads what the lists were before",
    (history, pick) => {
      const place = findRead(history, 1, pick);
      const operation = place === null ? undefined : history[place[0]]?.operations[place[1]];
      if (operation?.kind !== "read") return null;
      const writer = history.find(({ operations }) =>
        operations.some((one) => one.kind === "append" && one.value === operation.list?.at(-1)),
      );
      // Of one append only, or half of the transaction would be read.
      const count = writer?.operations.filter(
        (one) => one.kind === "append" && one.key === operation.key,
      ).length;
      if (writer?.outcome !== "ok" || count !== 1) return null;
      // Appends that the list lacks would be lost writes.
      const isWhole = history.every(({ outcome, operations }) =>
        operations.every(
          (one) =>
            one.kind !== "append" ||
            one.key !== operation.key ||
            outcome !== "ok" ||
            operation.list?.includes(one.value) === true,
        ),
      );
      if (!isWhole) return null;
      return after(history, [read(operation.key, operation.list?.slice(0, -1) ?? [])]);
    },
  ],
];

test.each(CORRUPTIONS)("%s: %s", (name, _, corrupt) => {
  fc.assert(
    fc.property(recipes, fc.nat(), (all, pick) => {
      const changed = corrupt(runSerially(all).history, pick);
      fc.pre(changed !== null);
      const { anomalies } = checkHistory(changed);
      expect(anomalies.map((anomaly) => anomaly.name)).toContain(name);
    }),
    { numRuns: 50 },
  );
});
