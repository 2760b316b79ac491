/**
 * What people read after a run: a table of everything that happened (and of what never did), and for each failure one
 * line that reproduces it, the broken promise, and the options in full. Pure text.
 */
import type { ProbeSite, ProbeSites } from "../coverage/sites.js";
import { FAULT_KINDS } from "../disk/counters.js";
import { FAULT_ROWS } from "../disk/fault-table.js";
import { limitsOfMutants } from "../mutants/catalogue.js";
import { ORACLE_IDS, ORACLES, type OracleId } from "../oracles/failure.js";
import { ALL_LIMITS, TRANSACTION_LIMITS } from "../workload/options.js";
import { TRANSACTION_FAMILY } from "../workload/transaction-workloads.js";
import { WORLD_FAULT_KINDS } from "../world/faults.js";
import type { EnsembleResult } from "./ensemble.js";
import type { SeedConfig, SeedResult } from "./seed.js";

/** `sites`: every probe that exists, reached or not. */
export function formatSummary(result: EnsembleResult, sites: ProbeSites): string {
  const { counts, seeds, elapsedMs, failures } = result;
  const seconds = Math.max(elapsedMs / 1000, 1e-3);
  const crashes = counts.processKills + counts.powerLosses;
  const lines = [
    row("seeds", `${number(seeds)}   ${rate(seeds, seconds)} on ${result.config.jobs} thread(s)`),
    row("operations", number(counts.operations)),
    row("commits", `${number(counts.commits)}   ${number(counts.acknowledged)} acknowledged`),
    row(
      "crashes",
      `${number(crashes)}   ${number(counts.powerLosses)} power loss, ${number(counts.processKills)} process kill`,
    ),
    row("crash states", number(counts.crashStates)),
    row("recoveries", `${number(counts.recoveries)}   ${rate(counts.recoveries, seconds)}`),
    row("virtual time", `${number(Math.round(counts.virtualMs / 1000))} s in ${seconds.toFixed(1)} s`),
    row("steps, VFS calls", `${number(counts.steps)}, ${number(counts.vfsCalls)}`),
    row("refused for damage", number(counts.refusals)),
    "",
    "faults injected",
    ...columns(FAULT_KINDS.map((kind) => [kind, counts.faults[kind]] as const)),
    "",
    "faults of time and process",
    ...columns(WORLD_FAULT_KINDS.map((kind) => [kind, counts.worldFaults[kind]] as const)),
    "",
    "faults that are off",
    ...FAULT_ROWS.flatMap(({ id, name, off }) =>
      off === null ? [] : [`  ${`${id} ${name}`.padEnd(32)}${off}`],
    ),
    "",
    "oracles evaluated",
    ...columns(ORACLE_IDS.map((id) => [id, counts.oracles[id]] as const)),
    "",
    ...reachLines("crash points hit", counts.crashPointHits, sites.crashPoints),
    ...reachLines("marks reached", counts.marks, sites.marks),
    ...reachLines("buggify sites fired", counts.buggifySites, sites.buggify),
    "",
    failures.length === 0 ? "no promise was broken" : `${failures.length} seeds failed`,
  ];
  return lines.join("\n");
}

/** How many of the sites were reached, and which of those that are not rare were not. */
function reachLines(
  what: string,
  hits: Readonly<Record<string, number>>,
  all: readonly ProbeSite[],
): string[] {
  const missed = all.filter(({ id }) => hits[id] === undefined);
  const lines = [`${what}: ${all.length - missed.length} of ${all.length}`];
  const worthALook = missed.filter(({ rare }) => rare === null).map(({ id }) => id);
  if (worthALook.length > 0) lines.push(`  never: ${worthALook.join(", ")}`);
  return lines;
}

/** One failure, ready to be pasted into a report. */
export function formatFailure(result: SeedResult, config: SeedConfig): string {
  const { failure } = result;
  if (failure === null) return `seed ${result.seed} passed`;
  const broken =
    failure.oracle === null ? "the simulator itself failed" : `${failure.oracle}: ${ORACLES[failure.oracle]}`;
  return [
    `FAILED  seed ${result.seed}  (${failure.class})`,
    `  broken     ${broken}`,
    `  because    ${failure.message}`,
    `  reproduce  ${reproduceLine(result.seed, config, failure.oracle)}`,
    `  node       ${process.version} ${process.platform} ${process.arch}`,
    `  options    ${JSON.stringify(result.options)}`,
    indent(failure.stack),
  ].join("\n");
}

/** The one command that runs this seed again in the same way. */
export function reproduceLine(seed: string, config: SeedConfig, oracle: OracleId | null = null): string {
  const { workloads, faults } = config.limits;
  const parts = ["stillwater sim replay", /^[\w+./-]+$/.test(seed) ? seed : JSON.stringify(seed)];
  if (workloads.join() !== limitsOfMutants(config.mutants).workloads.join())
    parts.push("--workload", workloadsText(workloads));
  if (faults.join() !== ALL_LIMITS.faults.join())
    parts.push("--faults", faults.length === 0 ? "none" : faults.join(","));
  if (oracle === "O21") parts.push("--metamorphic");
  for (const id of config.mutants) parts.push("--mutant", id);
  return parts.join(" ");
}

function workloadsText(names: readonly string[]): string {
  return names.join() === TRANSACTION_LIMITS.workloads.join() ? TRANSACTION_FAMILY : names.join();
}

function row(name: string, value: string): string {
  return `${name.padEnd(20)}${value}`;
}

/** Name and number in three columns; a zero is worth a look, so it says so. */
function columns(entries: readonly (readonly [string, number])[]): string[] {
  const cells = entries.map(([name, value]) =>
    `${name.padEnd(26)}${value === 0 ? "never" : number(value)}`.padEnd(38),
  );
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += 3) lines.push(`  ${cells.slice(i, i + 3).join("")}`.trimEnd());
  return lines;
}

function rate(count: number, seconds: number): string {
  return `${number(Math.round(count / seconds))}/s`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}
