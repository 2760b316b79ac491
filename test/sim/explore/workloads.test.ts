/** Which workloads are explored. */
import { describe, expect, test } from "vitest";
import { listUnits, operationsOf, workloadText } from "../../../sim/explore/workloads.js";
import { OPERATION_KINDS } from "../../../sim/workload/operation.js";

const ALL = listUnits(3).flatMap(({ workloads }) => workloads);

describe("the workloads", () => {
  test("are each there once, the shorter ones first, and opening alone is one of them", () => {
    expect(new Set(ALL.map(workloadText)).size).toBe(ALL.length);
    const lengths = ALL.map(({ steps }) => steps.length);
    expect(lengths).toEqual([...lengths].sort());
    expect(ALL.slice(0, 2).map(workloadText)).toEqual(["(open only)", "durability none: (open only)"]);
  });

  test("leave out what another one does under other names", () => {
    const texts = new Set(ALL.map(workloadText));
    expect(texts).toContain("put-a, flush-unawaited, put-b");
    expect(texts).not.toContain("put-b");
    expect(texts).not.toContain("delete-a");
    expect(texts).not.toContain("put-a, flush-unawaited");
    expect(texts).toContain("put-a, snapshot, compact");
  });

  test("do the same as their parents up to their last step, under the same numbers", () => {
    for (const workload of ALL) {
      if (workload.steps.length === 0) continue;
      const { operations, lastStepAt } = operationsOf(workload);
      const parent = operationsOf({ ...workload, steps: workload.steps.slice(0, -1) });
      expect(parent.operations.slice(0, -1)).toEqual(operations.slice(0, lastStepAt));
    }
  });

  test("reach every kind of operation that makes something durable", () => {
    const kinds = new Set(
      ALL.flatMap((workload) => operationsOf(workload).operations.map(({ kind }) => kind)),
    );
    const durable = ["write", "flush", "compact", "checkpoint", "reopen", "crash", "openSnapshot"];
    expect([...kinds]).toEqual(expect.arrayContaining(durable));
    for (const kind of kinds) expect(OPERATION_KINDS).toContain(kind);
  });
});
