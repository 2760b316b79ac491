/** The example as a test: our transactions are strictly serializable to their clients, and the toy is found out. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkHistory } from "../../sim/history/check.js";
import { parseHistory } from "../../sim/history/json-lines.js";

const EXAMPLE = join(import.meta.dirname, "../../examples/check-history.mjs");
const record = (database: string) =>
  parseHistory(execFileSync(process.execPath, [EXAMPLE, database], { encoding: "utf8" }));

test("a history of Stillwater's transactions has no anomaly", () => {
  const { anomalies, committed } = checkHistory(record("stillwater"));
  expect(anomalies).toEqual([]);
  expect(committed).toBeGreaterThan(50);
});

test("a toy that forgets to look at what was read has write skew, and nothing that snapshots forbid", () => {
  const history = record("toy");
  expect(checkHistory(history, { model: "snapshot-isolation" }).anomalies).toEqual([]);
  const { anomalies } = checkHistory(history, { model: "serializable" });
  expect(new Set(anomalies.map(({ name }) => name))).toEqual(new Set(["G2-item"]));
});
