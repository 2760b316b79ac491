/** Reports for machines: JSON with everything, JUnit XML for CI servers. Pure text; the caller writes it. */
import { coverageRows, missedRows } from "../coverage/coverage.js";
import type { ProbeSites } from "../coverage/sites.js";
import { ORACLES } from "../oracles/failure.js";
import type { EnsembleResult } from "./ensemble.js";
import { reproduceLine } from "./summary.js";

/** Format 1. Choices and operations of failing seeds are in their case files, not here. */
export function jsonReport(result: EnsembleResult, sites: ProbeSites): string {
  const { config, seeds, counts, failures, elapsedMs } = result;
  const report = {
    format: 1,
    node: process.version,
    platform: process.platform,
    config,
    seeds,
    elapsedMs: Math.round(elapsedMs),
    seedsPerSecond: perSecond(seeds, elapsedMs),
    recoveriesPerSecond: perSecond(counts.recoveries, elapsedMs),
    counts,
    neverReached: missedRows(coverageRows(counts, sites, false)).map(({ kind, id }) => `${kind} ${id}`),
    failures: failures.map(({ seed, failure, options, fingerprint }) => ({
      seed,
      failure,
      reproduce: reproduceLine(seed, config, failure?.oracle ?? null),
      options,
      fingerprint,
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** One test case for each failing seed, and one for all that passed. */
export function junitReport(result: EnsembleResult): string {
  const { config, seeds, failures, elapsedMs } = result;
  const cases = failures.map(({ seed, failure }) => {
    const oracle = failure?.oracle ?? null;
    const promise = oracle === null ? "the simulator itself failed" : ORACLES[oracle];
    return [
      `    <testcase classname="stillwater.sim" name="seed ${escapeXml(seed)}">`,
      `      <failure type="${oracle ?? "harness"}" message="${escapeXml(promise)}">`,
      escapeXml(`${failure?.message ?? ""}\n${reproduceLine(seed, config, oracle)}\n${failure?.stack ?? ""}`),
      "      </failure>",
      "    </testcase>",
    ].join("\n");
  });
  const passed = `    <testcase classname="stillwater.sim" name="${seeds - failures.length} seeds passed"/>`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites>",
    `  <testsuite name="stillwater sim" tests="${failures.length + 1}" failures="${failures.length}" time="${(elapsedMs / 1000).toFixed(3)}">`,
    passed,
    ...cases,
    "  </testsuite>",
    "</testsuites>",
    "",
  ].join("\n");
}

function perSecond(count: number, elapsedMs: number): number {
  return Math.round((count / Math.max(elapsedMs, 1)) * 100_000) / 100;
}

/** Characters that XML 1.0 cannot hold become question marks. */
function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd]/g, "?");
}
