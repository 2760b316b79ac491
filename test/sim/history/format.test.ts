/** What a history file may hold, and that a wrong line is named. */
import { expect, test } from "vitest";
import { checkHistory } from "../../../sim/history/check.js";
import { parseHistory } from "../../../sim/history/json-lines.js";
import { HistoryRecorder } from "../../../sim/history/recorder.js";

const GOOD = '{"outcome":"ok","start":0,"end":1,"operations":[["append","x",1]]}';
const one = (operation: string): string => `{"outcome":"ok","start":0,"end":1,"operations":[${operation}]}`;

test.each([
  ["{", /line 2 of the history: .*JSON/],
  ["", /line 2 of the history/],
  ["[]", /a transaction is an object with outcome and operations; found \[\]/],
  ['{"operations":[]}', /the outcome is ok, failed or unknown; found nothing/],
  ['{"outcome":"committed","operations":[]}', /found "committed"/],
  ['{"outcome":"ok"}', /the operations are an array/],
  ['{"outcome":"ok","operations":[],"proces":1}', /a transaction has the fields .*found "proces"/],
  ['{"outcome":"ok","operations":[],"start":"now"}', /start is a number; found "now"/],
  ['{"outcome":"ok","operations":[],"process":[]}', /a process is a number or a text/],
  ['{"outcome":"ok","operations":[],"final":1}', /final is true or false/],
  [one('["append","x"]'), /an array of its kind, its key and its value/],
  [one('["write","x",1]'), /one of append, read, range.*found "write"/],
  [one('["append",1,1]'), /a key or prefix is a text/],
  [one('["append","x",null]'), /a value is a number or a text; found null/],
  [one('["read","x",1]'), /a read has an array of values, or null/],
  [one('["range","p/",[["x",[]]]]'), /begins with "p\/"; found "x"/],
  [one('["range","p",[["p",[]],["p",[]]]]'), /each key once; found "p"/],
  [one('["range","p",[["p",null]]]'), /a row has a list/],
])("a line of %s is refused with its number", (line, message) => {
  const failing = (): unknown => parseHistory(`${GOOD}\n${line}\n${GOOD}`);
  expect(failing).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  expect(failing).toThrow(message);
  expect(failing).toThrow(/^line 2 of the history: /);
});

test.each([
  [
    "appends a value twice",
    [one('["append","x",1]'), one('["append","x",1]')],
    /T2 \(line 2\) appends 1 to "x", as T1 does/,
  ],
  [
    "ends before it starts",
    ['{"outcome":"ok","start":2,"end":1,"operations":[]}'],
    /ends at 1, before it starts at 2/,
  ],
  [
    "has no times",
    ['{"outcome":"ok","operations":[]}'],
    /has no start or no end, which real time is judged by/,
  ],
  [
    "overlaps with one of its own process",
    [
      '{"outcome":"ok","process":1,"start":0,"end":5,"operations":[]}',
      '{"outcome":"ok","process":1,"start":4,"end":9,"operations":[]}',
    ],
    /T2 \(line 2\) starts at 4, while T1 of the same process ends at 5/,
  ],
  [
    "is final and not the last",
    [
      '{"outcome":"ok","start":0,"end":5,"final":true,"operations":[]}',
      '{"outcome":"ok","start":4,"end":9,"operations":[]}',
    ],
    /T1 \(line 1\) is final, but starts at 0, before another ends at 9/,
  ],
])("a transaction that %s is refused", (_, lines, message) => {
  const failing = (): unknown => checkHistory(parseHistory(lines.join("\n")));
  expect(failing).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT" }));
  expect(failing).toThrow(message);
});

test("a process may go on after a transaction whose outcome it does not know", () => {
  const history = parseHistory(
    [
      '{"outcome":"unknown","process":1,"start":0,"operations":[["append","x",1]]}',
      '{"outcome":"ok","process":1,"start":4,"end":9,"operations":[["read","x",[]]]}',
      '{"outcome":"ok","process":2,"start":10,"end":11,"operations":[["read","x",[1]]]}',
    ].join("\n"),
  );
  expect(checkHistory(history).anomalies).toEqual([]);
});

test("a recorder gives each transaction its times, and leaves unknown what has not ended", () => {
  const recorder = new HistoryRecorder();
  const [one, other] = [recorder.begin("a"), recorder.begin("b")];
  one.append("x", recorder.nextValue());
  one.end("ok");
  other.read("x", []);
  other.range("", [["x", [1]]], true);
  const last = recorder.begin("c", { isFinal: true });
  last.read("x", [1]);
  last.end("ok");
  expect(recorder.history()).toEqual([
    {
      outcome: "ok",
      process: "a",
      start: 1,
      end: 3,
      operations: [{ kind: "append", key: "x", value: 1 }],
    },
    {
      outcome: "unknown",
      process: "b",
      start: 2,
      operations: [
        { kind: "read", key: "x", list: [] },
        { kind: "range", prefix: "", rows: [["x", [1]]], isSnapshot: true },
      ],
    },
    {
      outcome: "ok",
      process: "c",
      start: 4,
      end: 5,
      isFinal: true,
      operations: [{ kind: "read", key: "x", list: [1] }],
    },
  ]);
});
