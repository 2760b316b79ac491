import { describe, expect, test } from "vitest";
import { checkFeed } from "../../../sim/oracles/change-feeds.js";
import { OracleLedger } from "../../../sim/oracles/failure.js";
import { VersionedMap } from "../../../sim/transactions/versioned-map.js";
import { keyBytes } from "../../../sim/workload/bytes.js";
import type { ChangeFeedMutation } from "../../../src/transaction/change-feed-format.js";
import type { ChangeFeedCommit } from "../../../src/transaction/change-feeds.js";
import { versionstampOf } from "../../../src/transaction/versionstamp.js";

const set = (key: string, value: string): ChangeFeedMutation => ({
  type: "set",
  key: keyBytes(key),
  value: keyBytes(value),
});
const clearRange = (begin: string, end: string): ChangeFeedMutation => ({
  type: "clearRange",
  begin: keyBytes(begin),
  end: keyBytes(end),
});
const commit = (version: number, ...mutations: ChangeFeedMutation[]): ChangeFeedCommit => ({
  version,
  versionstamp: versionstampOf(version),
  mutations,
});

/** Version 1 sets k1 and k2, 2 sets what is outside, 3 changes k1, 4 clears all. */
function check(from: number, visible: number, commits: readonly ChangeFeedCommit[]): void {
  const model = new VersionedMap();
  const states: readonly [string, string | undefined][][] = [
    [
      ["k1", "a"],
      ["k2", "b"],
    ],
    [["z", "c"]],
    [["k1", "d"]],
    [
      ["k1", undefined],
      ["k2", undefined],
    ],
  ];
  states.forEach((effects, index) => {
    const [version, sequence] = [index + 1, index + 1];
    model.add({ version, sequence, effects: new Map(effects), conflicts: [], isSilent: false, atMs: 0 });
  });
  checkFeed(new OracleLedger(), model, { name: "f", begin: "k", end: "l", from, visible, commits });
}

const FIRST = commit(1, set("k1", "a"), set("k2", "b"));
const THIRD = commit(3, set("k1", "d"));
const FOURTH = commit(4, clearRange("k", "l"));

describe("the oracle of change feeds", () => {
  test("takes a feed that holds every change, from any version on, and what came while it was read or did not", () => {
    expect(() => check(1, 4, [FIRST, THIRD, FOURTH])).not.toThrow();
    expect(() => check(2, 4, [THIRD, FOURTH])).not.toThrow();
    expect(() => check(4, 4, [FOURTH])).not.toThrow();
    expect(() => check(1, 2, [FIRST, THIRD])).not.toThrow();
    expect(() => check(1, 2, [FIRST])).not.toThrow();
  });

  test("objects to a change that is missing, at the end, in the middle, or in part", () => {
    expect(() => check(1, 4, [FIRST, THIRD])).toThrow(/after version 4/);
    expect(() => check(1, 4, [FIRST, FOURTH])).toThrow(/after version 3/);
    expect(() => check(1, 1, [commit(1, set("k1", "a"))])).toThrow(/k2/);
  });

  test("objects to what comes twice, in another order, or was never committed", () => {
    expect(() => check(1, 1, [FIRST, FIRST])).toThrow(/comes again/);
    expect(() => check(1, 3, [THIRD, FIRST])).toThrow(/after version 1/);
    expect(() => check(1, 1, [FIRST, commit(9, set("k1", "x"))])).toThrow(/never committed|another/);
    expect(() => check(3, 3, [FIRST, THIRD])).toThrow(/not in order/);
  });

  test("objects to another value, another key, and a key outside of the range", () => {
    expect(() => check(3, 3, [commit(3, set("k1", "x"))])).toThrow(/k1/);
    expect(() => check(3, 3, [commit(3, set("k1", "d"), set("k3", "x"))])).toThrow(/k3/);
    expect(() => check(3, 3, [commit(3, set("k1", "d"), set("z", "x"))])).toThrow(/not in its range/);
  });
});
