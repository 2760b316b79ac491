import { expect, test } from "vitest";
import { Choices } from "../../../sim/choices/choices.js";
import { simulate } from "../../../sim/run/simulation.js";
import { RecordedOperations } from "../../../sim/workload/generator.js";
import type { Operation } from "../../../sim/workload/operation.js";
import { PLAIN_OPTIONS } from "../../../sim/workload/plain-options.js";

const put = (key: string, writer: number): Operation => ({
  kind: "write",
  call: "single",
  mutations: [["put", key, writer, 700]],
});

/** Leaves tables, a sealed segment and an open one behind, with commits that are durable and some that are not. */
const BEFORE: readonly Operation[] = [
  ...["a", "b", "c", "d", "e", "f", "g"].map((key, n) => put(key, 64 * n)),
  { kind: "flush", waits: true },
  ...["a", "c", "e", "h", "i", "j"].map((key, n) => put(key, 64 * (n + 8))),
  { kind: "write", call: "batch", mutations: [["deleteRange", "b", "d"]], durability: "buffered" },
  put("k", 64 * 15),
];

for (const how of ["power-loss", "process-kill"] as const) {
  test(`[O13] a ${how} at every single VFS call of a recovery, and recovering again, keeps every promise`, async () => {
    const struck: number[] = [];
    for (let calls = 1; calls <= 300; calls++) {
      const operations: Operation[] = [
        ...BEFORE,
        { kind: "crash", how: "power-loss", at: { calls: 2 }, nested: [{ how, at: { calls } }] },
        put("l", 64 * 17),
        put("m", 64 * 18),
        { kind: "settle" },
        { kind: "checkAll" },
      ];
      const { failure, counts } = await simulate({
        options: PLAIN_OPTIONS,
        choices: Choices.fromSeed(`recovery ${how} ${calls}`),
        source: new RecordedOperations(operations),
        mutants: [],
        recording: false,
      });
      expect(failure?.message ?? null, `crash at call ${calls} of recovery`).toBeNull();
      if (counts.powerLosses + counts.processKills > 1) struck.push(calls);
    }
    // One after the other, from the first call of an opening on.
    expect(struck.length).toBeGreaterThan(40);
    expect(struck.slice(0, 40)).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  });
}
