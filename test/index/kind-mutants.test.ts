/** The planted bugs of kinds are seen by the suite that kinds must pass: a suite that passes with one of them proves nothing. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { installProbes } from "../../src/platform/probes.js";
import { CASES } from "./kind-cases.js";
import { checkAllHistories, closeSuite, openSuite } from "./kind-suite.js";

beforeAll(openSuite);
afterAll(closeSuite);
afterEach(() => {
  installProbes(null);
});

test.each([
  ["I1-entry-not-removed-on-overwrite", "scalar"],
  ["I1-entry-not-removed-on-overwrite", "min"],
  ["I20-group-not-left-on-update", "count"],
  ["I20-group-not-left-on-update", "sum"],
  ["I21-empty-group-kept", "count"],
  ["I22-retention-keeps-one-less", "versions, the last two"],
  ["R14-entry-kept-after-same-value-overwrite", "scalar"],
])("%s is seen in an index of kind %s", async (mutant, name) => {
  const kind = CASES.find((one) => one.name === name);
  if (kind === undefined) expect.unreachable();
  const quiet = { crashPoint: () => undefined, sometimes: () => undefined, buggify: () => false };
  installProbes({ ...quiet, mutant: (id) => id === mutant });
  await expect(checkAllHistories(kind)).rejects.toThrow();
});
