/** Which backups the rules keep. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keptBy } from "../../../src/engine/backup/prune.js";
import type { BackupInfo } from "../../../src/engine/backup/types.js";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

function at(...times: readonly number[]): BackupInfo[] {
  return times.map((createdAt, index) => ({
    id: String(index),
    createdAt,
    note: "",
    version: index,
    bytes: 0,
    tables: 0,
    newBytes: 0,
  }));
}

describe("keep", () => {
  it("last keeps the newest", () => {
    expect([...keptBy(at(1, 2, 3, 4), { last: 2 })].sort()).toEqual(["2", "3"]);
  });

  it("daily keeps the newest of each of the last days that have one", () => {
    const backups = at(0, DAY, DAY + 5 * HOUR, 3 * DAY, 3 * DAY + 1);
    expect([...keptBy(backups, { daily: 2 })].sort()).toEqual(["2", "4"]);
    expect([...keptBy(backups, { daily: 9 })].sort()).toEqual(["0", "2", "4"]);
  });

  it("weeks begin on Monday: 1970-01-04 was a Sunday, 1970-01-05 another week", () => {
    expect([...keptBy(at(0, 3 * DAY, 4 * DAY), { weekly: 9 })].sort()).toEqual(["1", "2"]);
  });

  it("rules add up: what any of them keeps stays; the newest always does", () => {
    const count = fc.nat({ max: 4 });
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 60 * DAY }), { minLength: 1, maxLength: 30 }),
        fc.record({ last: count, hourly: count, daily: count, weekly: count }),
        (times, rules) => {
          const backups = at(...times);
          const together = keptBy(backups, rules);
          const apart = new Set(
            Object.entries(rules).flatMap(([name, value]) => [...keptBy(backups, { [name]: value })]),
          );
          expect(together).toEqual(apart);
          const sum = rules.last + rules.hourly + rules.daily + rules.weekly;
          expect(together.size).toBeLessThanOrEqual(sum);
          if (sum > 0) expect(together.has(String(times.length - 1))).toBe(true);
        },
      ),
    );
  });
});
