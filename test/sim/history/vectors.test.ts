/**
 * One history at least for each name, after the definitions of Adya's thesis and of Elle. Histories are written as JSON lines,
 * as a stranger would write them.
 */
import { describe, expect, test } from "vitest";
import { explain } from "../../../sim/history/anomaly.js";
import { checkHistory } from "../../../sim/history/check.js";
import { parseHistory } from "../../../sim/history/json-lines.js";
import { ANOMALY_NAMES, type AnomalyName, forbids, MODELS, type Model } from "../../../sim/history/models.js";

interface Vector {
  readonly name: AnomalyName;
  readonly what: string;
  /** Transactions by their operations; all overlap unless they have times. */
  readonly lines: readonly string[];
  /** What the explanation says. */
  readonly says: RegExp;
  /** Where the weakest model that forbids it does not look at it. */
  readonly model?: Model;
}

const ok = (operations: string): string =>
  `{"outcome":"ok","start":0,"end":100,"operations":[${operations}]}`;
const timed = (start: number, end: number, operations: string, more = ""): string =>
  `{"outcome":"ok","start":${start},"end":${end}${more},"operations":[${operations}]}`;
const failed = (operations: string): string =>
  `{"outcome":"failed","start":0,"end":100,"operations":[${operations}]}`;

const VECTORS: readonly Vector[] = [
  {
    name: "G0",
    what: "two transactions write x and y in two orders",
    lines: [
      ok('["append","x",1],["append","y",1]'),
      ok('["append","x",2],["append","y",2]'),
      ok('["read","x",[1,2]]'),
      ok('["read","y",[2,1]]'),
    ],
    says: /T1 → T2 \(ww\): T1 appended 1 to "x", and the 2 of T2 came after it/,
  },
  {
    name: "G1a",
    what: "what a failed transaction appended is read",
    lines: [failed('["append","x",1]'), ok('["read","x",[1]]')],
    says: /T2 read 1 in "x", which T1 appended, and T1 failed/,
  },
  {
    name: "G1b",
    what: "the first of two appends is read without the second",
    lines: [ok('["append","x",1],["append","x",2]'), ok('["read","x",[1]]'), ok('["read","x",[1,2]]')],
    says: /ends in 1, but T1 appended more/,
  },
  {
    name: "G1c",
    what: "each of two reads what the other wrote",
    lines: [ok('["append","x",1],["read","y",[2]]'), ok('["append","y",2],["read","x",[1]]')],
    says: /T1 → T2 \(wr\): T2 read "x" as \[1\], where T1 had appended 1/,
  },
  {
    name: "G-single",
    what: "x is read before and y after a transaction that writes both",
    lines: [ok('["append","x",1],["append","y",1]'), ok('["read","x",[]],["read","y",[1]]')],
    says: /T2 → T1 \(rw\): T2 read "x" as \[\], before the 1 of T1/,
  },
  {
    name: "G-single",
    what: "an append that is in no read comes after what was read",
    lines: [ok('["append","x",1],["append","y",1],["append","z",1]'), ok('["read","x",[]],["read","y",[1]]')],
    says: /the 1 of T1, which is in no list that was read/,
  },
  {
    name: "G-nonadjacent",
    what: "two readers see two writers in two orders (the long fork)",
    lines: [
      ok('["append","x",1]'),
      ok('["append","y",1]'),
      ok('["read","x",[1]],["read","y",[]]'),
      ok('["read","x",[]],["read","y",[1]]'),
    ],
    says: /T3 → T2 \(rw\)/,
  },
  {
    name: "G2-item",
    what: "write skew: each reads what the other writes",
    lines: [
      ok('["read","x",[]],["append","y",1]'),
      ok('["read","y",[]],["append","x",1]'),
      ok('["read","x",[1]],["read","y",[1]]'),
    ],
    says: /T1 → T2 \(rw\)[\s\S]*T2 → T1 \(rw\)/,
  },
  {
    name: "G2-item",
    what: "a chain of two missed writes and a read, which snapshots allow",
    lines: [
      ok('["read","x",[]],["read","z",[1]]'),
      ok('["append","x",1],["read","y",[]]'),
      ok('["append","y",1],["append","z",1]'),
      ok('["read","x",[1]],["read","y",[1]]'),
    ],
    says: /T1 → T2 \(rw\)[\s\S]*T2 → T3 \(rw\)[\s\S]*T3 → T1 \(wr\)/,
  },
  {
    name: "G2",
    what: "each reads a range in which the other inserts a key",
    lines: [
      ok('["range","p/",[]],["append","p/a",1]'),
      ok('["range","p/",[]],["append","p/b",2]'),
      ok('["range","p/",[["p/a",[1]],["p/b",[2]]]]'),
    ],
    says: /read a range in which "p\/b" was absent, before the 2 of T2/,
  },
  {
    name: "dirty-update",
    what: "a committed append lies on top of one that failed",
    lines: [failed('["append","x",1]'), ok('["append","x",2]'), ok('["read","x",[1,2]]')],
    says: /T2 appended 2 to "x" after the 1 of T1, which failed/,
  },
  {
    name: "duplicate-elements",
    what: "a list has a value twice",
    lines: [ok('["append","x",1]'), ok('["read","x",[1,1]]')],
    says: /with 1 twice/,
  },
  {
    name: "incompatible-order",
    what: "two reads are no beginnings of each other",
    lines: [ok('["append","x",1]'), ok('["append","x",2]'), ok('["read","x",[1]]'), ok('["read","x",[2]]')],
    says: /is no beginning of/,
  },
  {
    name: "incompatible-order",
    what: "one transaction's appends are seen the wrong way around",
    lines: [ok('["append","x",1],["append","x",2],["append","x",3]'), ok('["read","x",[2,1,3]]')],
    says: /T1 appended 1 earlier than that/,
  },
  {
    name: "garbage-read",
    what: "a value that nobody appended is read",
    lines: [ok('["append","x",1]'), ok('["read","x",[1,"?"]]')],
    says: /read "\?" in "x", which nobody appended/,
  },
  {
    name: "internal",
    what: "a transaction does not see its own append",
    lines: [ok('["append","x",1],["read","x",[]]')],
    says: /after it had appended \[1\]/,
  },
  {
    name: "internal",
    what: "a transaction reads a key twice with two results",
    lines: [ok('["append","x",1]'), ok('["read","x",[]],["read","x",[1]]')],
    says: /first as \[\] and then as \[1\]/,
  },
  {
    name: "internal",
    what: "a transaction sees what it appends only later",
    lines: [ok('["read","x",[1]],["append","x",1]')],
    says: /before it appended it/,
  },
  {
    name: "internal",
    what: "a range lacks what the transaction has appended",
    lines: [ok('["append","p/x",1],["range","p/",[]]')],
    says: /after it had appended \[1\]/,
  },
  {
    name: "lost-update",
    what: "two transactions append after reading the same list",
    lines: [
      ok('["read","x",[]],["append","x",1]'),
      ok('["read","x",[]],["append","x",2]'),
      ok('["read","x",[1,2]]'),
    ],
    says: /both read "x" as \[\] and then appended/,
  },
  {
    name: "lost-write",
    what: "the final read lacks an acknowledged append",
    lines: [timed(0, 1, '["append","x",1]'), timed(2, 3, '["read","x",[]]', ',"final":true')],
    says: /T1 was acknowledged when it had appended 1 to "x"/,
  },
  {
    name: "lost-write",
    what: "what was read once is gone at the end",
    lines: [
      timed(0, 1, '["append","x",1]'),
      timed(2, 3, '["read","x",[1]]'),
      timed(4, 5, '["range","",[]]', ',"final":true'),
    ],
    says: /T3 read \[\] at the end/,
  },
  {
    name: "lost-write",
    what: "an acknowledged append is in no read, though one began later",
    lines: [timed(0, 1, '["append","x",1]'), timed(2, 3, '["read","x",[]]')],
    says: /no list ever shows it/,
    model: "strict-serializable",
  },
  {
    name: "G0-process",
    what: "one process's later transaction lies below another's, and the other above",
    lines: [
      '{"outcome":"ok","process":"p","operations":[["append","x",1]]}',
      '{"outcome":"ok","process":"p","operations":[["append","x",2]]}',
      ok('["read","x",[2,1]]'),
    ],
    says: /T1 → T2 \(process\): the same process ran T2 after T1/,
  },
  {
    name: "G1c-process",
    what: "a process reads what it writes only later, by way of another",
    lines: [
      '{"outcome":"ok","process":"p","operations":[["read","y",[1]]]}',
      '{"outcome":"ok","process":"p","operations":[["append","x",1]]}',
      ok('["read","x",[1]],["append","y",1]'),
    ],
    says: /T1 → T2 \(process\)/,
  },
  {
    name: "G-single-process",
    what: "a process does not see what it has written before",
    lines: [
      '{"outcome":"ok","process":"p","operations":[["append","x",1]]}',
      '{"outcome":"ok","process":"p","operations":[["read","x",[]]]}',
      ok('["read","x",[1]]'),
    ],
    says: /T2 → T1 \(rw\)/,
  },
  {
    name: "G-nonadjacent-process",
    what: "two processes write, and each then misses what the other wrote",
    lines: [
      '{"outcome":"ok","process":"p","operations":[["append","x",1]]}',
      '{"outcome":"ok","process":"p","operations":[["read","y",[]]]}',
      '{"outcome":"ok","process":"q","operations":[["append","y",1]]}',
      '{"outcome":"ok","process":"q","operations":[["read","x",[]]]}',
    ],
    says: /process[\s\S]*rw[\s\S]*process[\s\S]*rw/,
  },
  {
    name: "G2-item-process",
    what: "a chain of two missed writes that one process's order closes",
    lines: [
      '{"outcome":"ok","process":"p","operations":[["append","y",1]]}',
      '{"outcome":"ok","process":"p","operations":[["read","x",[]]]}',
      ok('["read","y",[]],["append","x",1]'),
      ok('["read","x",[1]],["read","y",[1]]'),
    ],
    says: /T1 → T2 \(process\)/,
  },
  {
    name: "G2-process",
    what: "the same with a range in which a key appears",
    lines: [
      '{"outcome":"ok","process":"p","operations":[["append","y",1]]}',
      '{"outcome":"ok","process":"p","operations":[["range","p/",[]]]}',
      ok('["read","y",[]],["append","p/x",1]'),
      ok('["read","p/x",[1]],["read","y",[1]]'),
    ],
    says: /read a range in which "p\/x" was absent/,
  },
  {
    name: "G0-realtime",
    what: "a write that began later lies below",
    lines: [
      timed(0, 1, '["append","x",1]'),
      timed(2, 3, '["append","x",2]'),
      timed(4, 5, '["read","x",[2,1]]'),
    ],
    says: /T1 → T2 \(realtime\): T1 had ended before T2 began/,
  },
  {
    name: "G1c-realtime",
    what: "what is read had not begun",
    lines: [timed(0, 1, '["read","x",[1]]'), timed(2, 3, '["append","x",1]')],
    says: /T2 → T1 \(wr\)/,
  },
  {
    name: "G-single-realtime",
    what: "a stale read: what was acknowledged before is missed, and seen later",
    lines: [timed(0, 1, '["append","x",1]'), timed(2, 3, '["read","x",[]]'), timed(4, 5, '["read","x",[1]]')],
    says: /T2 → T1 \(rw\)/,
  },
  {
    name: "G-nonadjacent-realtime",
    what: "two readers see two writers in two orders, one by real time alone",
    lines: [
      timed(0, 1, '["append","x",1]'),
      timed(2, 9, '["read","y",[]]'),
      timed(0, 9, '["append","y",1]'),
      timed(0, 9, '["read","x",[]],["read","y",[1]]'),
    ],
    says: /T4 → T1 \(rw\)/,
  },
  {
    name: "G2-item-realtime",
    what: "a chain of two missed writes that real time closes",
    lines: [
      timed(0, 1, '["append","y",1]'),
      timed(2, 9, '["read","x",[]]'),
      timed(0, 9, '["read","y",[]],["append","x",1]'),
      timed(10, 11, '["read","x",[1]],["read","y",[1]]'),
    ],
    says: /T1 → T2 \(realtime\)/,
  },
  {
    name: "G2-realtime",
    what: "the same with a range in which a key appears",
    lines: [
      timed(0, 1, '["append","y",1]'),
      timed(2, 9, '["range","p/",[]]'),
      timed(0, 9, '["read","y",[]],["append","p/x",1]'),
      timed(10, 11, '["read","p/x",[1]],["read","y",[1]]'),
    ],
    says: /read a range in which "p\/x" was absent/,
  },
];

/** Names that come in company: what else the same history shows. */
const COMPANY: Partial<Record<AnomalyName, readonly AnomalyName[]>> = {
  "dirty-update": ["G1a"],
  internal: ["G-single"],
};

function check(lines: readonly string[], model: Model) {
  const history = parseHistory(`${lines.join("\n")}\n`);
  return { history, report: checkHistory(history, { model }) };
}

const weakest = (name: AnomalyName): Model => MODELS.find((model) => forbids(model, name)) as Model;

describe("each anomaly is reported under its name, by the weakest model that forbids it", () => {
  test.each(VECTORS)("$name: $what", ({ name, lines, says, model }) => {
    const { history, report } = check(lines, model ?? weakest(name));
    const found = report.anomalies.filter((anomaly) => anomaly.name === name);
    expect(report.anomalies.map((anomaly) => anomaly.name)).toContain(name);
    const others = report.anomalies.filter((anomaly) => anomaly.name !== name);
    for (const other of others) expect(COMPANY[name] ?? []).toContain(other.name);
    expect(found.map((anomaly) => explain(anomaly, history)).join("\n")).toMatch(says);
    expect(report.isExhaustive).toBe(true);
  });

  test.each(VECTORS.filter(({ name, model }) => (model ?? weakest(name)) !== MODELS[0]))(
    "$name is not reported by the next weaker model: $what",
    ({ name, lines, model }) => {
      const weaker = MODELS[MODELS.indexOf(model ?? weakest(name)) - 1] as Model;
      expect(check(lines, weaker).report.anomalies).toEqual([]);
    },
  );

  test("every name has a history", () => {
    const missing = ANOMALY_NAMES.filter((name) => !VECTORS.some((vector) => vector.name === name));
    expect(missing).toEqual([]);
  });
});

describe("what may have happened is no anomaly", () => {
  const unknown = (operations: string): string =>
    `{"outcome":"unknown","start":0,"operations":[${operations}]}`;

  test.each([
    ["an unknown append that is read", [unknown('["append","x",1]'), timed(5, 6, '["read","x",[1]]')]],
    ["an unknown append that is never read", [unknown('["append","x",1]'), timed(5, 6, '["read","x",[]]')]],
    [
      "an unknown append that takes effect late",
      [unknown('["append","x",1]'), timed(5, 6, '["read","x",[]]'), timed(7, 8, '["read","x",[1]]')],
    ],
    ["a failed append that is not there", [failed('["append","x",1]'), ok('["read","x",[]]')]],
    ["a failed transaction that read nonsense", [failed('["read","x",["?"]]'), ok('["append","x",1]')]],
    ["an unknown transaction that read nonsense", [unknown('["read","x",["?"]]'), ok('["append","x",1]')]],
    [
      "two unknown updates of one list",
      [unknown('["read","x",[]],["append","x",1]'), unknown('["read","x",[]],["append","x",2]')],
    ],
    [
      "a snapshot read of what another writes",
      [
        ok('["snapshot-read","x",[]],["append","y",1]'),
        ok('["snapshot-read","y",[]],["append","x",1]'),
        ok('["read","x",[1]],["read","y",[1]]'),
      ],
    ],
    [
      "a transaction that reads its own append",
      [ok('["append","x",1],["read","x",[1]],["append","x",2],["read","x",[1,2]]')],
    ],
    [
      "own appends that nobody reads, after a read",
      [ok('["read","x",[]],["append","x",1]'), ok('["append","y",1]')],
    ],
    [
      "an append that is in no read, and a read that begins as it ends",
      [timed(0, 5, '["append","x",1]'), timed(5, 6, '["read","x",[]]')],
    ],
    [
      "ends and beginnings at one time",
      [timed(0, 5, '["append","x",1]'), timed(5, 6, '["read","x",[]]'), timed(7, 8, '["read","x",[1]]')],
    ],
  ])("%s", (_, lines) => {
    expect(check(lines, "strict-serializable").report.anomalies).toEqual([]);
  });

  test("an unknown transaction of which something was read is committed as a whole", () => {
    const lines = [unknown('["append","x",1],["append","y",1]'), ok('["read","x",[1]],["read","y",[]]')];
    expect(check(lines, "serializable").report.anomalies.map(({ name }) => name)).toEqual(["G-single"]);
  });
});
