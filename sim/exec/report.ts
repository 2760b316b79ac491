/** What `sim exec` says: for people, and as JSON. */
import type { CrashTestOptions, CrashTestResult } from "./crash-test.js";
import type { Finding, Matter } from "./findings.js";

/** `reproduce` is the line that shows this finding again. */
export function formatFinding(finding: Finding, reproduce: string): string {
  const { crash, after, message, lost, kept, cause, acknowledged, others, position } = finding;
  const moment =
    after === null
      ? "before the first step"
      : `after step ${after.step}: ${after.call} ${after.path}\n              ${after.site}`;
  const promised =
    acknowledged.length === 0 ? "nothing" : `${acknowledged.length} lines, the last: ${acknowledged.at(-1)}`;
  const lines = [
    `FAILED  ${crash}, ${moment}`,
    `  check       ${printable(message)}`,
    `  promised    ${promised}`,
    ...lost.map((matter) => `  ${matter.fate.padEnd(11)} ${formatMatter(matter)}`),
    ...kept.map((matter) => `  needs kept  ${formatMatter(matter)}`),
    `  cause       ${cause}`,
    `  reproduce   ${reproduce}`,
  ];
  if (others > 0) lines.push(`  and         ${others} more crash states like it, from event ${position} on`);
  return lines.join("\n");
}

export function formatResult({ tape, exploration, unconfirmed, elapsedMs }: CrashTestResult): string {
  const { steps, moments, states, checked, checks, failed, sampledMoments, hash, findings } = exploration;
  const rate = Math.round(checks / (elapsedMs / 1000));
  const lines = [
    `program       ${steps} steps that change something, ${tape.events.length - countSteps(tape)} acknowledgements${
      tape.end.cut === null ? "" : `; stopped because ${tape.end.cut}`
    }`,
    `crashes       ${moments} moments, ${states} crash states${
      sampledMoments === 0
        ? ", all there are"
        : `; at ${sampledMoments} moments only a part of what is possible`
    }`,
    `checked       ${checked} different states; ${checks} runs of the check in ${(elapsedMs / 1000).toFixed(1)} s, ${rate}/s`,
    `failed        ${failed} states, ${findings.length} root causes`,
    `hash          ${hash}`,
  ];
  if (unconfirmed.length > 0) {
    lines.push(
      `unconfirmed   ${unconfirmed.length} failures that a fresh process did not repeat: does the check keep something in a module?`,
    );
  }
  return lines.join("\n");
}

export function jsonOf(options: CrashTestOptions, result: CrashTestResult, cases: readonly string[]): string {
  const { exploration, unconfirmed, tape, elapsedMs } = result;
  const { program, parameters, check, seed, personality, mount } = options;
  const report = {
    format: 1,
    node: process.version,
    program,
    parameters,
    check,
    mount,
    seed,
    personality,
    end: tape.end,
    events: tape.events.length,
    elapsedMs: Math.round(elapsedMs),
    ...exploration,
    unconfirmed,
    cases,
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

function formatMatter({ what, site, steps }: Matter): string {
  return `${what}\n              step ${steps.join(", ")}: ${site}`;
}

function countSteps({ events }: CrashTestResult["tape"]): number {
  return events.filter(({ kind }) => kind === "step").length;
}

/** Without characters that a terminal would take as commands. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}]/gu, (character) =>
    character === "\n" ? "\n              " : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
