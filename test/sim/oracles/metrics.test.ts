import { describe, expect, test } from "vitest";
import { OracleFailure, OracleLedger } from "../../../sim/oracles/failure.js";
import { MetricsWatch, type ObservedStore } from "../../../sim/oracles/metrics.js";

/** A store that has done one commit of two puts, and one flush. */
function truth() {
  return {
    version: 11,
    counters: {
      commits_total: 1,
      commit_groups_total: 1,
      puts_total: 2,
      deletes_total: 0,
      range_deletes_total: 0,
      flushes_total: 1,
      compactions_total: 0,
      trivial_moves_total: 0,
    } as Record<string, number>,
    observations: { commit_latency_ms: 1, commit_group_size: 1, flush_ms: 1, compaction_ms: 0 } as Record<
      string,
      number
    >,
    editNumber: 4,
  };
}

const zero = Object.fromEntries(Object.keys(truth().counters).map((name) => [name, 0]));

function storeOf({ version, counters, observations, editNumber }: ReturnType<typeof truth>): ObservedStore {
  return {
    version,
    metrics: () => ({
      counters,
      gauges: { 'level_tables{level="0"}': 1 },
      histograms: Object.fromEntries(
        Object.entries(observations).map(([name, count]) => [name, { count, sum: 0 }]),
      ),
    }),
    inspect: () => ({ editNumber, manifestNumber: 2, levels: [[{}]] }),
  };
}

function watched(): MetricsWatch {
  const watch = new MetricsWatch(new OracleLedger());
  watch.opened(storeOf({ ...truth(), version: 10, counters: zero, editNumber: 3 }));
  watch.acknowledged({ puts: 2, deletes: 0, rangeDeletes: 0 });
  return watch;
}

describe("O43", () => {
  test("accepts what is true", () => {
    expect(() => watched().check(storeOf(truth()))).not.toThrow();
  });

  test.each(Object.keys(truth().counters).filter((name) => name !== "commit_groups_total"))(
    "objects to one too many of %s",
    (name) => {
      const lie = truth();
      lie.counters[name] = (lie.counters[name] as number) + 1;
      expect(() => watched().check(storeOf(lie))).toThrow(OracleFailure);
    },
  );

  test.each(Object.keys(truth().observations))("objects to one too many observation of %s", (name) => {
    const lie = truth();
    lie.observations[name] = (lie.observations[name] as number) + 1;
    expect(() => watched().check(storeOf(lie))).toThrow(OracleFailure);
  });

  test("objects to a counter that goes down", () => {
    const watch = watched();
    const before = truth();
    before.counters["gets_total"] = 5;
    watch.check(storeOf(before));
    const after = truth();
    after.counters["gets_total"] = 4;
    expect(() => watch.check(storeOf(after))).toThrow(/gone down from 5 to 4/);
  });
});
