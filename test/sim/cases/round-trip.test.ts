import { deepStrictEqual } from "node:assert/strict";
import { describe, expect, test } from "vitest";
import { caseOf, formatCase, parseCase, type SimulationCase } from "../../../sim/cases/case.js";
import { defineCase } from "../../../sim/cases/literal-case.js";
import { shortOptions } from "../../../sim/cases/short-options.js";
import { Choices } from "../../../sim/choices/choices.js";
import { runSeed } from "../../../sim/run/seed.js";
import { OperationGenerator, type WorkloadState } from "../../../sim/workload/generator.js";
import type { Operation } from "../../../sim/workload/operation.js";
import { ALL_LIMITS, drawOptions, TRANSACTION_LIMITS } from "../../../sim/workload/options.js";
import { PLAIN_OPTIONS } from "../../../sim/workload/plain-options.js";
import { RECORD_STEP_FIELDS } from "../../../sim/workload/record-steps.js";
import { STEP_FIELDS } from "../../../sim/workload/transaction-steps.js";
import type { WorkloadName } from "../../../sim/workload/workloads.js";

const IDLE: WorkloadState = {
  openSnapshots: [],
  openIterators: [],
  failedStop: false,
  crashArmed: false,
  spaceLimited: false,
  crashPointsSeen: ["wal_append", "recovery.done"],
};
const BUSY: WorkloadState = { ...IDLE, openSnapshots: [1, 2], openIterators: [3], spaceLimited: true };
/** Those of the store, of transactions and of records. */
const WORKLOADS = ALL_LIMITS.workloads;

/** Format and parse, as a file and as a literal of a test; the options of a store may say more afterwards, not other things. */
function expectSame(one: SimulationCase, what: string): void {
  const { options, ...rest } = one;
  const short = shortOptions(options);
  const { options: full, ...read } = parseCase(formatCase(one), what);
  // Many large ones: vitest's own comparison would take ten times as long.
  deepStrictEqual({ ...read, options: shortOptions(full) }, { ...rest, options: short });
  const { seed, operations, choices, mutants } = one;
  const literal = defineCase({ seed, options: short, operations, choices, mutants });
  deepStrictEqual([literal.operations, literal.choices, literal.options], [operations, choices, full]);
}

function generated(seed: string, workload: WorkloadName, state: WorkloadState): Operation[] {
  const choices = Choices.fromSeed(seed);
  const options = drawOptions(choices.stream("options"), { ...ALL_LIMITS, workloads: [workload] });
  const generator = new OperationGenerator(options, choices.stream("workload"));
  const operations: Operation[] = [];
  for (let next = generator.next(state, 0); next !== null; next = generator.next(state, operations.length)) {
    operations.push(next);
  }
  return operations;
}

describe("a case that is written down is the same case when it is read", () => {
  test("after a run of every workload", async () => {
    expect(WORKLOADS).toEqual(expect.arrayContaining([...TRANSACTION_LIMITS.workloads]));
    for (const workload of WORKLOADS) {
      const limits = { ...ALL_LIMITS, workloads: [workload] };
      const result = await runSeed("7", { limits, mutants: [], repeatShare: 0, recording: false });
      expectSame(caseOf(result, [], "run", ""), workload);
    }
  });

  test("with whatever operations and steps the generators draw", () => {
    const steps = new Set<string>();
    const recordSteps = new Set<string>();
    const plain = {
      format: 2,
      name: "",
      note: "",
      mutants: [],
      expect: { oracle: null },
      choices: {},
    } as const;
    for (const workload of WORKLOADS) {
      for (let i = 0; i < 16; i++) {
        const operations = generated(String(i), workload, i % 2 === 0 ? IDLE : BUSY);
        for (const operation of operations) {
          if (operation.kind === "transact") for (const [kind] of operation.steps) steps.add(kind);
          if (operation.kind === "records") for (const [kind] of operation.steps) recordSteps.add(kind);
        }
        expectSame({ ...plain, seed: String(i), options: PLAIN_OPTIONS, operations }, `${workload} ${i}`);
      }
    }
    expect([...steps].sort()).toEqual(Object.keys(STEP_FIELDS).sort());
    expect([...recordSteps].sort()).toEqual(Object.keys(RECORD_STEP_FIELDS).sort());
  });
});
