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
    expect(result.failure?.oracle ?? null, result.failure?.message).toBe(one.expect.oracle);
  });

  if (one.mutants.length === 0) continue;
  test(`${one.name}: passes without its planted bug`, async () => {
    const { result } = await replayCase({ ...one, mutants: [], expect: { oracle: null } });
    expect(result.failure?.message ?? null).toBeNull();
  });
}
