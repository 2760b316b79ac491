import { describe, expect, test } from "vitest";
import { FAULT_KINDS, type FaultKind } from "../../../sim/disk/counters.js";
import { Commit } from "../../../sim/model/commit.js";
import { checkSameRun, type RunFingerprint } from "../../../sim/oracles/determinism.js";
import { ErrorHonesty, type InjectedCauses } from "../../../sim/oracles/error-honesty.js";
import { FailStop } from "../../../sim/oracles/fail-stop.js";
import { failureClass, ORACLE_IDS, OracleLedger } from "../../../sim/oracles/failure.js";
import { IdempotentRecovery } from "../../../sim/oracles/idempotent-recovery.js";
import { checkNoLeaks } from "../../../sim/oracles/leaks.js";
import { checkAtRest, checkSettled, stuckFailure } from "../../../sim/oracles/liveness.js";
import type { StoreInspection } from "../../../src/engine/store-types.js";
import { CorruptionError, StillwaterError } from "../../../src/platform/errors.js";

const ledger = new OracleLedger();

describe("O13, recovering twice", () => {
  const rows = (text: string) => [{ key: "a", value: Buffer.from(text) }];

  test("must give the same rows at no lower a version, unless something was written between", () => {
    const oracle = new IdempotentRecovery(ledger);
    oracle.recovered(rows("x"), 10);
    expect(() => oracle.recovered(rows("x"), 12)).not.toThrow();
    expect(() => oracle.recovered(rows("x"), 11)).toThrow(/^O13/);
    expect(() => oracle.recovered(rows("y"), 12)).toThrow(/^O13.*"a"/);
    expect(() => oracle.recovered([], 12)).toThrow(/^O13/);
    oracle.written();
    expect(() => oracle.recovered(rows("y"), 12)).not.toThrow();
  });
});

test("O14: runs that differ in anything fail", () => {
  const print: RunFingerprint = {
    traceHash: "a",
    traceLength: 1,
    durableHash: "b",
    clockUs: 2,
    streams: { crash: [1, 5] },
  };
  expect(() => checkSameRun(ledger, print, { ...print, streams: { crash: [1, 5] } })).not.toThrow();
  const others: Partial<RunFingerprint>[] = [
    { traceHash: "x" },
    { traceLength: 2 },
    { durableHash: "x" },
    { clockUs: 3 },
    { streams: { crash: [1, 6] } },
  ];
  for (const other of others) {
    expect(() => checkSameRun(ledger, print, { ...print, ...other })).toThrow(/^O14/);
  }
});

describe("O15", () => {
  const resting = { backgroundBusy: false, immutableMemtables: 0 } as StoreInspection;

  test("a stuck life says what it was waiting for", () => {
    expect(stuckFailure("nothing left to run", ["flush", "commit 7"]).message).toContain(
      "flush\n    commit 7",
    );
  });

  test("calls without an answer, endless background work and forgotten memtables fail", () => {
    expect(() => checkSettled(ledger, [])).not.toThrow();
    expect(() => checkSettled(ledger, ["flush"])).toThrow(/^O15.*flush/);
    expect(() => checkAtRest(ledger, resting, 100)).not.toThrow();
    expect(() => checkAtRest(ledger, { ...resting, backgroundBusy: true }, 100)).toThrow(/^O15/);
    expect(() => checkAtRest(ledger, { ...resting, immutableMemtables: 1 }, 100)).toThrow(/^O15/);
  });
});

describe("O16, an error", () => {
  const nothing: InjectedCauses = { faults: {}, damage: 0, lossShows: false };
  const after = (...kinds: FaultKind[]) => ({ faults: Object.fromEntries(kinds.map((kind) => [kind, 1])) });
  const judge = (error: unknown, causes: Partial<InjectedCauses> = {}, legal: ("BUSY" | "CLOSED")[] = []) =>
    new ErrorHonesty(ledger, () => ({ ...nothing, ...causes })).judge(error, "put", legal);
  const of = (code: "IO" | "BUSY" | "FAILED_STOP" | "NO_SPACE" | "CLOSED", cause?: unknown) =>
    new StillwaterError(code, "because", { cause });

  test("with a cause is honest, and says how to go on", () => {
    expect(judge(of("IO"), after("S13 read error"))).toBe("failed");
    expect(judge(of("NO_SPACE"), after("S24 no space"))).toBe("failed");
    expect(judge(of("FAILED_STOP"), after("S22 sync error"))).toBe("stopped");
    expect(judge(of("BUSY"), {}, ["BUSY"])).toBe("refused");
    expect(judge(new CorruptionError("bad", { path: "/x" }), { damage: 1 })).toBe("damage");
  });

  test("without a cause is not", () => {
    expect(() => judge(of("IO"))).toThrow(/^O16/);
    expect(() => judge(of("FAILED_STOP"))).toThrow(/^O16/);
    expect(() => judge(of("BUSY"))).toThrow(/^O16/);
    expect(() => judge(of("CLOSED"), after("S13 read error"))).toThrow(/^O16/);
    expect(() => judge(new CorruptionError("bad", { path: "/x" }), after("S13 read error"))).toThrow(/^O16/);
  });

  test("of another family, or with a bug behind it, never is", () => {
    const everything = { ...after(...FAULT_KINDS), damage: 1 };
    expect(() => judge(new TypeError("x is not a function"), everything)).toThrow(/^O16/);
    expect(() => judge("a text", everything)).toThrow(/^O16/);
    const assertion = new StillwaterError("ASSERTION", "internal assertion failed: x");
    expect(() => judge(assertion, everything)).toThrow(/^O16.*assertion/);
    expect(() => judge(of("FAILED_STOP", assertion), everything)).toThrow(/^O16.*bug/);
    expect(() => judge(of("FAILED_STOP", new TypeError("x")), everything)).toThrow(/^O16.*bug/);
  });
});

describe("O17, an acknowledgement", () => {
  const commit = (sequence: number) => new Commit(sequence, sequence, [], "sync");

  test("of a commit handed in after the stop fails, one of an earlier commit does not", () => {
    const oracle = new FailStop(ledger);
    oracle.acknowledged(commit(1), 1);
    oracle.stop("commit 2 failed", 3);
    expect(oracle.stopped).toBe(true);
    expect(() => oracle.acknowledged(commit(3), 2)).not.toThrow();
    expect(() => oracle.acknowledged(commit(4), 2)).toThrow(/^O17.*commit 2 failed/);
    oracle.newLife();
    expect(() => oracle.acknowledged(commit(5), 3)).not.toThrow();
  });

  test("of any commit, in a later step than the failed sync of the log, fails", () => {
    const oracle = new FailStop(ledger);
    oracle.syncFailed("/store/000002.wal", 7);
    expect(oracle.logIsLost).toBe(true);
    expect(() => oracle.acknowledged(commit(1), 7)).not.toThrow();
    expect(() => oracle.acknowledged(commit(2), 8)).toThrow(/^O17.*000002\.wal/);
  });
});

test("O18: whatever is left after close fails", () => {
  expect(() => checkNoLeaks(ledger, [], 0, 0)).not.toThrow();
  expect(() => checkNoLeaks(ledger, ["open file /store/000001.wal"], 0, 0)).toThrow(/^O18.*000001/);
  expect(() => checkNoLeaks(ledger, [], 1, 0)).toThrow(/^O18.*timer/);
  expect(() => checkNoLeaks(ledger, [], 0, 1)).toThrow(/^O18.*task/);
});

test("each oracle has a class for the exit code", () => {
  const classes = new Set(ORACLE_IDS.map(failureClass));
  expect([...classes].sort()).toEqual(["determinism", "liveness", "safety"]);
});
