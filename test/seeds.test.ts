/** Replays every case in `seeds/`: failures that were found once and must never come back. */
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { listCases, readCase } from "../sim/cases/files.js";
import { replayCase } from "../sim/cases/replay.js";

const cases = listCases(join(import.meta.dirname, "../seeds"));

test("the folder of regression cases can be read", () => {
  for (const path of cases) expect(readCase(path).name).toBe(basename(path, ".json"));
});

for (const path of cases) {
  const one = readCase(path);
  test(`${one.name}: ${one.note}`, async () => {
    const { result } = await replayCase(one);
    // Where none may fail, the simulator itself may not either, which is a failure without an oracle.
    const failed = result.failure === null ? null : (result.failure.oracle ?? "the simulator itself");
    expect(failed, result.failure?.message).toBe(one.expect.oracle);
  });

  if (one.mutants.length === 0) continue;
  test(`${one.name}: passes without its planted bug`, async () => {
    const { result } = await replayCase({ ...one, mutants: [], expect: { oracle: null } });
    expect(result.failure?.message ?? null).toBeNull();
  });
}
