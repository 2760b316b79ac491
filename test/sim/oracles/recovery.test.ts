import { describe, expect, test } from "vitest";
import { Model } from "../../../sim/model/model.js";
import { OracleFailure, type OracleId, OracleLedger } from "../../../sim/oracles/failure.js";
import { judgeRecovery } from "../../../sim/oracles/recovery.js";
import { valueBytes } from "../../../sim/workload/bytes.js";
import { type Mutation, writerOfMutation } from "../../../sim/workload/operation.js";
import type { Durability } from "../../../src/engine/options.js";

const LENGTH = 8;

/** Operation number n puts its number under each of these keys. */
function puts(operation: number, ...keys: string[]): Mutation[] {
  return keys.map((key, index) => ["put", key, writerOfMutation(operation, index), LENGTH] as const);
}

interface Step {
  readonly mutations: readonly Mutation[];
  readonly durability?: Durability;
  readonly acknowledged?: boolean;
}

/** A model after these commits; operation numbers count from 1. */
function modelOf(...steps: readonly Step[]): Model {
  const model = new Model();
  steps.forEach(({ mutations, durability = "sync", acknowledged = true }, i) => {
    const commit = model.submit(i + 1, mutations, durability);
    if (acknowledged) model.acknowledge(commit, 10 + i, 0);
  });
  return model;
}

/** What the store holds: for each key the operation and the place of the mutation that wrote it. */
function found(values: Readonly<Record<string, readonly [operation: number, index: number]>>) {
  return Object.keys(values)
    .sort()
    .map((key) => {
      const [operation, index] = values[key] as readonly [number, number];
      return { key, value: valueBytes(writerOfMutation(operation, index), LENGTH) };
    });
}

function brokenBy(model: Model, rows: ReturnType<typeof found>, cacheLost = true): OracleId | null {
  try {
    judgeRecovery(new OracleLedger(), model, rows, cacheLost);
    return null;
  } catch (error) {
    if (error instanceof OracleFailure) return error.oracle;
    throw error;
  }
}

describe("a recovery", () => {
  test("that brings back everything passes, and every oracle was asked", () => {
    const model = modelOf({ mutations: puts(1, "a") }, { mutations: puts(2, "a", "b") });
    const ledger = new OracleLedger();
    const rows = found({ a: [2, 0], b: [2, 1] });
    expect(judgeRecovery(ledger, model, rows, true)).toEqual({ shortest: 2, longest: 2 });
    for (const id of ["O1", "O2", "O3", "O4", "O12", "O23"] as const) expect(ledger.evaluations[id]).toBe(1);
  });

  test("may lose what was buffered when the power fails, not when the process ends", () => {
    const model = modelOf({ mutations: puts(1, "a") }, { mutations: puts(2, "a"), durability: "buffered" });
    expect(brokenBy(model, found({ a: [1, 0] }), true)).toBeNull();
    expect(brokenBy(model, found({ a: [1, 0] }), false)).toBe("O1");
  });

  test("may apply a commit without an answer, or not", () => {
    const model = modelOf({ mutations: puts(1, "a") }, { mutations: puts(2, "a"), acknowledged: false });
    expect(brokenBy(model, found({ a: [1, 0] }))).toBeNull();
    expect(brokenBy(model, found({ a: [2, 0] }))).toBeNull();
  });

  test("tells the prefixes apart only where they differ", () => {
    const model = modelOf(
      { mutations: puts(1, "a") },
      { mutations: [["delete", "nothing there"]], acknowledged: false },
    );
    const judged = judgeRecovery(new OracleLedger(), model, found({ a: [1, 0] }), true);
    expect(judged).toEqual({ shortest: 1, longest: 2 });
  });
});

describe("a broken promise is called by its name:", () => {
  test("O1, a durable commit is lost", () => {
    const model = modelOf({ mutations: puts(1, "a") }, { mutations: puts(2, "b") });
    expect(brokenBy(model, found({ a: [1, 0] }))).toBe("O1");
    expect(brokenBy(model, [])).toBe("O1");
  });

  test("O1, a key is gone though other commits are there", () => {
    const model = modelOf({ mutations: puts(1, "a") });
    model.resolve(1, 10);
    model.resolve(1, 10);
    model.submit(2, puts(2, "b"), "sync");
    expect(brokenBy(model, found({ b: [2, 0] }))).toBe("O1");
  });

  test("O2, a commit is there in part", () => {
    const model = modelOf(
      { mutations: puts(1, "a", "b") },
      { mutations: puts(2, "a", "b"), acknowledged: false },
    );
    expect(brokenBy(model, found({ a: [2, 0], b: [1, 1] }))).toBe("O2");
  });

  test("O3, there is a hole", () => {
    const model = modelOf(
      { mutations: puts(1, "a") },
      { mutations: puts(2, "b"), durability: "buffered" },
      { mutations: puts(3, "c"), durability: "buffered" },
    );
    expect(brokenBy(model, found({ a: [1, 0], c: [3, 0] }))).toBe("O3");
  });

  test("O4, a commit that was found lost comes back", () => {
    const model = modelOf({ mutations: puts(1, "a") }, { mutations: puts(2, "b"), acknowledged: false });
    model.resolve(1, 10);
    expect(brokenBy(model, found({ a: [1, 0], b: [2, 0] }))).toBe("O4");
  });

  test("O4, a commit that was found there vanishes", () => {
    const model = modelOf({ mutations: puts(1, "a") }, { mutations: puts(2, "b"), acknowledged: false });
    model.resolve(2, 11);
    expect(brokenBy(model, found({ a: [1, 0] }))).toBe("O4");
  });

  test("O12, a value comes back that was overwritten long ago", () => {
    const model = modelOf({ mutations: puts(1, "a") }, { mutations: puts(2, "a") });
    model.resolve(2, 11);
    model.resolve(2, 11);
    model.submit(3, puts(3, "b"), "sync");
    expect(brokenBy(model, found({ a: [1, 0], b: [3, 0] }))).toBe("O12");
  });

  test("O23, bytes that nobody stored, or a key that nobody wrote", () => {
    const model = modelOf({ mutations: puts(1, "a") });
    const rows = found({ a: [1, 0] });
    const [row] = rows;
    if (row !== undefined) row.value[6] = (row.value[6] as number) ^ 1;
    expect(brokenBy(model, [{ key: "a", value: new Uint8Array(3) }])).toBe("O23");
    expect(brokenBy(model, found({ a: [1, 0], z: [1, 1] }))).toBe("O23");
  });
});

test("a failure says the promise in words, and what broke it", () => {
  const model = modelOf({ mutations: puts(1, "a") });
  try {
    judgeRecovery(new OracleLedger(), model, [], true);
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(OracleFailure);
    expect((error as OracleFailure).message).toMatch(
      /^O1 broken \(every commit acknowledged as durable is there after a crash\): .*commit 1 \(operation 1, sync, version 10\) is lost$/,
    );
  }
});
