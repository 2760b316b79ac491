import { expect, test } from "vitest";
import { firstDifference, type SeedFingerprint } from "../../../sim/commands/determinism.js";

function one(seed: string, changes: Partial<SeedFingerprint["fingerprint"]> = {}): SeedFingerprint {
  return {
    seed,
    fingerprint: {
      traceHash: "aa",
      traceLength: 200,
      durableHash: "bb",
      clockUs: 5,
      streams: { crash: [1, 2] },
      ...changes,
    },
    traceMarks: { every: 64, hashes: ["1", "2", changes.traceHash === undefined ? "3" : "x"] },
  };
}

test("equal fingerprints have no difference", () => {
  expect(firstDifference([one("1"), one("2")], [one("2"), one("1"), one("3")])).toBeNull();
});

test("the first seed that differs is named, with the field and the events between which the runs parted", () => {
  const difference = firstDifference([one("1"), one("2", { traceHash: "ff" })], [one("1"), one("2")]);
  expect(difference).toMatch(/^seed 2: two runs of one seed differ in traceHash/);
  expect(difference).toMatch(/agree up to event 128, and no more at event 192/);
  expect(difference).toMatch(/stillwater sim replay 2 --trace/);
  expect(firstDifference([one("1", { clockUs: 6 })], [one("1")])).toMatch(/differ in clockUs/);
  expect(firstDifference([one("9")], [one("1")])).toMatch(/^seed 9 is not among those/);
});
