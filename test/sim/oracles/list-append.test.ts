/** The oracle over what clients of lists were told: it names what no serial order explains, and knows what a crash may take. */
import { expect, test } from "vitest";
import type { Row } from "../../../sim/model/comparison.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { type ListClient, ListHistory } from "../../../sim/oracles/list-append.js";
import { AttemptLog, type LoggedCall } from "../../../sim/transactions/attempt-log.js";
import { elementOf, LISTS, LISTS_END, listKey } from "../../../sim/transactions/places.js";
import { keyBytes } from "../../../sim/workload/bytes.js";

const [X, Y] = [listKey(0), listKey(1)];
const list = (...ids: number[]): string => ids.map(elementOf).join("");
const append = (key: string, id: number): LoggedCall => ({
  kind: "atomic",
  operation: "appendIfFits",
  key,
  operand: elementOf(id),
});
const read = (key: string, ...ids: number[]): LoggedCall => ({
  kind: "get",
  isSnapshot: false,
  key,
  answer: { value: ids.length === 0 ? undefined : list(...ids) },
});
const row = (key: string, ...ids: number[]): Row => ({ key, value: keyBytes(list(...ids)) });
const histories = (): ListHistory => new ListHistory(new OracleLedger());

/** A client that has made these calls; the store took its commit as `version`. */
function client(history: ListHistory, what: string, version: number, ...calls: LoggedCall[]): ListClient {
  const log = new AttemptLog(true);
  log.calls.push(...calls);
  log.accepted = version;
  const one = history.client(what);
  one.begins(log);
  return one;
}

test("write skew is named, with the operations and why each must come before the other", () => {
  const history = histories();
  const one = client(history, "operation 1", 1, read(X), append(Y, 1));
  const two = client(history, "operation 2", 2, read(Y), append(X, 2));
  one.ends("ok");
  two.ends("ok");
  history.client("idle");
  const last = client(history, "operation 3", 3, read(X, 2), read(Y, 1));
  last.ends("ok");
  expect(() => history.check("at rest")).toThrow(
    /O5 broken.*at rest, clients have seen G2-item.*T1 → T2 \(rw\).*T1 is operation 1; T2 is operation 2/,
  );
});

test("an acknowledged append that a recovery has not brought back is a lost write", () => {
  const history = histories();
  client(history, "operation 1", 1, append(X, 1)).ends("ok");
  history.recovered([row(X, 1)], null, "recovery 1");
  expect(() => history.recovered([], null, "recovery 2")).toThrow(/lost-write|G-single-realtime/);
});

test("one that was acknowledged with less durability may be lost, and a new history begins with what is left", () => {
  const history = histories();
  client(history, "operation 1", 1, append(X, 1)).ends("ok");
  const buffered = client(history, "operation 2", 2, append(X, 2));
  buffered.mayBeLost = true;
  buffered.ends("ok");
  client(history, "operation 3", 0, read(X, 1, 2)).ends("ok");
  history.recovered([row(X, 1)], 2, "the recovery");
  client(history, "operation 4", 2, read(X, 1), append(X, 4)).ends("ok");
  client(history, "operation 5", 0, read(X, 1, 4)).ends("ok");
  history.check("at rest");
  client(history, "operation 6", 0, read(X, 1)).ends("ok");
  expect(() => history.check("at rest")).toThrow(/G-single-realtime/);
});

test("a commit without an answer may be there after a recovery or not, but not in part", () => {
  const whole = histories();
  client(whole, "operation 1", 1, append(X, 1), append(Y, 2));
  whole.recovered([row(X, 1), row(Y, 2)], null, "the recovery");
  const none = histories();
  client(none, "operation 1", 1, append(X, 1), append(Y, 2));
  none.recovered([], 1, "the recovery");
  const part = histories();
  client(part, "operation 1", 1, append(X, 1), append(Y, 2));
  expect(() => part.recovered([row(X, 1)], null, "the recovery")).toThrow(/clients have seen G-single/);
});

test("a range over all lists counts as a read of those that are not there", () => {
  const history = histories();
  client(history, "operation 1", 1, append(X, 1)).ends("ok");
  client(history, "operation 2", 0, {
    kind: "range",
    isSnapshot: false,
    begin: LISTS,
    end: LISTS_END,
    reverse: true,
    answer: { rows: [], isWhole: true },
  }).ends("ok");
  expect(() => history.check("at rest")).toThrow(/lost-write/);
});
