/** What people read after an exploration: its bounds, what was covered within them, and each broken promise. Pure text. */
import { ORACLE_IDS, ORACLES } from "../oracles/failure.js";
import { COMPLETE_MAX } from "./crash-answers.js";
import type { ExplorationResult } from "./exploration.js";
import type { ExploredFailure } from "./unit.js";
import { PROFILES, stepsOf } from "./workloads.js";

export function formatExploration(result: ExplorationResult): string {
  const { config, counts, oracles, failures, elapsedMs, processorMs } = result;
  const seconds = Math.max(elapsedMs / 1000, 1e-3);
  const processorSeconds = Math.max(processorMs / 1000, 1e-3);
  const perSecond = (count: number): string =>
    `${number(Math.round(count / processorSeconds))} per second of processor`;
  const bounded = counts.instants - counts.completeInstants;
  const covered =
    bounded === 0
      ? "all of them"
      : `${number(counts.completeInstants)} completely, ${number(bounded)} at corners`;
  const asked = ORACLE_IDS.filter((id) => oracles[id] > 0).map((id) => `${id} ${number(oracles[id])}`);
  return [
    ...formatAlphabet(),
    "",
    row(
      "bounds",
      `up to ${config.stepsMax} steps, ${config.depth === 1 ? "one crash" : "a crash, and one in its recovery"}`,
    ),
    row("workloads", number(counts.workloads)),
    row(
      "instants",
      `${number(counts.instants)}   ${covered} (complete up to ${number(COMPLETE_MAX)} combinations)`,
    ),
    row("crash states", `${number(counts.states)}   ${number(counts.distinctStates)} distinct`),
    ...(config.depth === 1 ? [] : [row("of these in recovery", number(counts.statesInRecovery))]),
    row("recoveries", `${number(counts.recoveries)}   ${perSecond(counts.recoveries)}`),
    row(
      "time",
      `${seconds.toFixed(1)} s, ${processorSeconds.toFixed(1)} s of processor on ${Math.max(config.jobs, 1)} thread(s)`,
    ),
    row("oracles", asked.join(", ")),
    "",
    verdict(result, failures.length),
  ].join("\n");
}

function verdict({ config, counts, isFinished }: ExplorationResult, failures: number): string {
  if (failures > 0) {
    const rest = isFinished ? "" : ", then the exploration was ended";
    return `${failures} states break a promise${rest}`;
  }
  const bounded = counts.instants - counts.completeInstants;
  return bounded === 0
    ? `no promise is broken: proven for every workload of up to ${config.stepsMax} of these steps`
    : `no promise is broken: proven for ${number(counts.completeInstants)} of ${number(counts.instants)} instants`;
}

function formatAlphabet(): string[] {
  return PROFILES.flatMap((profile) => [
    `steps of a store with durability ${profile}`,
    ...stepsOf(profile).map(({ id, about }) => `  ${id.padEnd(18)}${about}`),
  ]);
}

/** `path`: where the case was saved, if it was. */
export function formatExploredFailure(failure: ExploredFailure, path: string | null): string {
  const { workload, crashes, oracle, message } = failure;
  const places = crashes.map(({ how, at, answers }) => {
    const where =
      "calls" in at ? `before VFS call ${at.calls}` : "point" in at ? `at crash point ${at.hits}` : "";
    return `${how} ${where}${answers.some((answer) => answer !== 0) ? `, survivors ${answers.join(" ")}` : ""}`;
  });
  return [
    `FAILED  ${workload}`,
    `  broken     ${oracle}: ${ORACLES[oracle]}`,
    `  because    ${message}`,
    `  crashes    ${places.length === 0 ? "none" : places.join("; then ")}`,
    ...(path === null ? [] : [`  reproduce  stillwater sim replay ${path}`]),
  ].join("\n");
}

function row(name: string, value: string): string {
  return `${name.padEnd(22)}${value}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
