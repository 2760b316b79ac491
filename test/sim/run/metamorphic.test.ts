import { expect, test } from "vitest";
import { OracleFailure, OracleLedger } from "../../../sim/oracles/failure.js";
import { historyOf } from "../../../sim/run/history.js";
import { checkMetamorphic } from "../../../sim/run/metamorphic.js";
import { RecordedOperations } from "../../../sim/workload/generator.js";
import type { Operation } from "../../../sim/workload/operation.js";
import { DEFAULT_LIMITS } from "../../../sim/workload/options.js";
import { PLAIN_OPTIONS } from "../../../sim/workload/plain-options.js";

test("operations of several seeds have the same history under other options", async () => {
  const ledger = new OracleLedger();
  for (let seed = 1; seed <= 5; seed++) await checkMetamorphic(String(seed), DEFAULT_LIMITS, 2, [], ledger);
  expect(ledger.evaluations.O21).toBe(10);
});

test("a planted bug that only some options bring out makes the histories differ", async () => {
  const found = async (): Promise<string | null> => {
    for (let seed = 1; seed <= 80; seed++) {
      try {
        const mutants = ["C5-tombstone-ignored-by-reads"];
        await checkMetamorphic(String(seed), DEFAULT_LIMITS, 2, mutants, new OracleLedger());
      } catch (error) {
        if (error instanceof OracleFailure) return error.oracle;
        throw error;
      }
    }
    return null;
  };
  expect(await found()).toBe("O21");
});

test("a history holds every answer: versions, values, rows, errors of misuse", async () => {
  const operations: Operation[] = [
    { kind: "write", call: "single", mutations: [["put", "a", 1, 3]] },
    { kind: "get", key: "a" },
    { kind: "get", key: "b" },
    { kind: "openSnapshot", id: 3 },
    { kind: "write", call: "batch", mutations: [["delete", "a"]], requireAhead: 1 },
    { kind: "write", call: "batch", mutations: [["delete", "a"]] },
    { kind: "scan" },
    { kind: "scan", snapshot: 3 },
    { kind: "reopen", settles: true },
    { kind: "checkpoint", restores: true },
  ];
  const { answers } = await historyOf(PLAIN_OPTIONS, new RecordedOperations(operations), "1", []);
  const value = /^1 get: (3:[0-9a-f]+)$/.exec(answers[1] ?? "")?.[1];
  expect(answers).toEqual([
    "0 write: 10",
    `1 get: ${value}`,
    "2 get: absent",
    "3 openSnapshot: 10",
    "4 write: VERSION_TOO_LOW",
    "5 write: 11",
    "6 scan: 0 rows ",
    `7 scan: 1 rows "a"=${value}`,
    "8 reopen: 11",
    "9 checkpoint: 11 0 rows ",
    "at the end: 0 rows ",
  ]);
});
