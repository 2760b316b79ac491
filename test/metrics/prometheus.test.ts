import { describe, expect, it } from "vitest";
import { prometheusText } from "../../src/metrics/prometheus.js";
import { Histogram } from "../../src/metrics/registry.js";

describe("prometheusText", () => {
  it("writes families together, with help and type, times in seconds", () => {
    const latency = new Histogram([0.5, 10]);
    latency.observe(0.25);
    latency.observe(20, 2);
    const text = prometheusText({
      counters: { puts_total: 3 },
      gauges: { 'level_tables{level="0"}': 1, debt_bytes: 7, 'level_tables{level="1"}': 2 },
      histograms: { commit_latency_ms: latency.snapshot() },
    });
    expect(text).toBe(
      [
        "# HELP stillwater_puts_total Keys set by these commits.",
        "# TYPE stillwater_puts_total counter",
        "stillwater_puts_total 3",
        "# HELP stillwater_level_tables Tables of a level.",
        "# TYPE stillwater_level_tables gauge",
        'stillwater_level_tables{level="0"} 1',
        'stillwater_level_tables{level="1"} 2',
        "# HELP stillwater_debt_bytes Bytes that compaction still has to rewrite.",
        "# TYPE stillwater_debt_bytes gauge",
        "stillwater_debt_bytes 7",
        "# HELP stillwater_commit_latency_seconds From the call of a commit to its acknowledgement.",
        "# TYPE stillwater_commit_latency_seconds histogram",
        'stillwater_commit_latency_seconds_bucket{le="0.0005"} 1',
        'stillwater_commit_latency_seconds_bucket{le="0.01"} 1',
        'stillwater_commit_latency_seconds_bucket{le="+Inf"} 3',
        "stillwater_commit_latency_seconds_sum 0.04025",
        "stillwater_commit_latency_seconds_count 3",
        "",
      ].join("\n"),
    );
  });

  it("gives the same for a snapshot that has been JSON", () => {
    const latency = new Histogram([1]);
    latency.observe(5);
    const snapshot = { counters: {}, gauges: {}, histograms: { commit_latency_ms: latency.snapshot() } };
    expect(prometheusText(JSON.parse(JSON.stringify(snapshot)))).toBe(prometheusText(snapshot));
  });

  it("escapes labels that are given to all, and refuses names that cannot be", () => {
    const snapshot = { counters: { puts_total: 1 }, gauges: {}, histograms: {} };
    expect(prometheusText(snapshot, { labels: { store: 'a"\\\n' } })).toContain(
      'stillwater_puts_total{store="a\\"\\\\\\n"} 1\n',
    );
    expect(() => prometheusText(snapshot, { labels: { le: "1" } })).toThrow(/cannot be the name of a label/);
    expect(() => prometheusText(snapshot, { label: {} } as never)).toThrow(/no option "label"/);
  });
});
