import { describe, expect, test } from "vitest";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { checkInvariants } from "../../../sim/oracles/invariants.js";
import { checkReads, checkRefused, checkTaken } from "../../../sim/oracles/transactions.js";
import { textOf } from "../../../sim/transactions/atomics.js";
import { AttemptLog } from "../../../sim/transactions/attempt-log.js";
import { afterKey, VersionedMap } from "../../../sim/transactions/versioned-map.js";
import { keyBytes } from "../../../sim/workload/bytes.js";

const LEDGER = new OracleLedger();

/** a = 1 at version 1, b = 1 at version 2. */
function model(): VersionedMap {
  const map = new VersionedMap();
  ["a", "b"].forEach((key, index) => {
    const version = index + 1;
    map.add({
      version,
      sequence: version,
      effects: new Map([[key, "1"]]),
      conflicts: [[key, afterKey(key)]],
      isSilent: false,
      atMs: version,
    });
  });
  return map;
}

function readOf(key: string, value: string | undefined, version: number, isSnapshot = false): AttemptLog {
  const log = new AttemptLog(true);
  log.read = { version, atMs: 0 };
  log.calls.push({ kind: "get", isSnapshot, key, answer: { value } });
  return log;
}

const taken = (log: AttemptLog) => () => checkTaken(LEDGER, model(), log, 3, "\0".repeat(10), "t");
const refused =
  (log: AttemptLog, nowMs = 10) =>
  () =>
    checkRefused(LEDGER, model(), log, "NOT_COMMITTED", nowMs, "t");

describe("O5 on transactions", () => {
  test("a read answers as the state at its version", () => {
    expect(() => checkReads(LEDGER, model(), readOf("b", undefined, 1), "t")).not.toThrow();
    expect(() => checkReads(LEDGER, model(), readOf("b", "1", 1), "t")).toThrow(/^O5.*absent/);
  });

  test("who has read what was written since must be refused, and nobody else", () => {
    expect(taken(readOf("b", undefined, 1))).toThrow(/^O5/);
    expect(refused(readOf("b", undefined, 1))).not.toThrow();
    expect(taken(readOf("b", "1", 2))).not.toThrow();
    expect(refused(readOf("b", "1", 2))).toThrow(/^O5.*nothing/);
    expect(taken(readOf("b", undefined, 1, true))).not.toThrow();
  });

  test("a read of an own write is no read, one of an own atomic operation is", () => {
    const set = readOf("b", undefined, 1);
    set.calls[0] = { kind: "set", key: "b", value: "x" };
    set.calls.push({ kind: "get", isSnapshot: false, key: "b", answer: { value: "x" } });
    expect(taken(set)).not.toThrow();
    const added = readOf("b", undefined, 1);
    added.calls[0] = { kind: "atomic", operation: "add", key: "b", operand: textOf(1n, 1) };
    added.calls.push({ kind: "get", isSnapshot: false, key: "b", answer: { value: textOf(1n, 1) } });
    expect(taken(added)).toThrow(/^O5/);
  });

  test("too old is only who has read before the window", () => {
    const check = (nowMs: number) => () =>
      checkRefused(LEDGER, model(), readOf("a", "1", 1), "TRANSACTION_TOO_OLD", nowMs, "t");
    expect(check(4000)).toThrow(/^O5.*too old/);
    expect(check(6000)).not.toThrow();
  });
});

describe("O31", () => {
  const check = (rows: Record<string, string>) => () =>
    checkInvariants(
      LEDGER,
      Object.entries(rows).map(([key, value]) => ({ key, value: keyBytes(value) })),
      "now",
    );

  test("holds for what the workloads leave", () => {
    expect(check({})).not.toThrow();
    expect(check({ "ring/0000": "2", "ring/0001": "0", "ring/0002": "1" })).not.toThrow();
    expect(check({ "bank/0000": "150", "bank/0001": "50" })).not.toThrow();
    expect(check({ "duty/0000/0": "off", "duty/0001/0": "off" })).not.toThrow();
    expect(check({ "\x15\x01!name": "1", "\x15\x02!name": "2" })).not.toThrow();
  });

  test("is broken by a ring in two, a lost sum, an empty post, a number twice, a prefix within another", () => {
    expect(check({ "ring/0000": "0", "ring/0001": "1" })).toThrow(/^O31.*ring/);
    expect(check({ "bank/0000": "150", "bank/0001": "51" })).toThrow(/^O31.*201/);
    expect(check({ "duty/0000/0": "off", "duty/0000/1": "off" })).toThrow(/^O31.*pair 0000/);
    expect(check({ "count/0000": textOf(3n, 8), "log/0000/000001": textOf(2n, 8) })).toThrow(/^O31.*counter/);
    const one = textOf(1n, 8);
    expect(check({ "filed/a": one, "filed/b": one, "last-number": one })).toThrow(/^O31.*entry 2/);
    expect(check({ "\x15\x01!name": "1", "\x15\x01\x02!name": "2" })).toThrow(/^O31.*prefix/);
  });
});
