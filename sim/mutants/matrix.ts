/**
 * The kill matrix (N7, O27): every planted bug and every automatic mutant, hunted from several start seeds. Says of each
 * whether it was killed, after how many seeds, at what cost and by which oracle. A survivor without a proof of being
 * equivalent is a blind spot: of a workload, or of an oracle. The canary goes first, for a simulator that cannot report
 * a failure kills nothing. Does not own: printing (`matrix-report.ts`), comparing with earlier runs (`baseline.ts`).
 */
import { StillwaterError } from "../../src/platform/errors.js";
import type { OracleId } from "../oracles/failure.js";
import { type FailureClass, seedAt } from "../run/seed.js";
import { CANARY } from "./canary.js";
import { killByCase } from "./case-kill.js";
import { PLANTED_MUTANTS, plantedMutant } from "./catalogue.js";
import { type HuntResult, hunt } from "./hunt.js";
import { redundancyOf } from "./redundant-syncs.js";
import { automaticIds, parseAutomatic } from "./sabotage.js";
import { shareOut, type Task } from "./tasks.js";

export interface MatrixConfig {
  /** Ids, or beginnings of ids with a star behind them; null: all. */
  readonly only: readonly string[] | null;
  /** Series of seeds that each mutant is hunted in. */
  readonly starts: number;
  /** Seeds of a series after which a mutant has survived it. */
  readonly budget: number;
  /** Threads; 0 is the calling one. */
  readonly jobs: number;
  /** First seed of the first series. */
  readonly from: string;
  /** Directory of saved cases, for mutants that no series kills. */
  readonly cases: string;
}

export type Verdict = "killed" | "equivalent" | "survived" | "refuted";

/** Plain data: it is written to files and read back. */
export interface MatrixRow {
  readonly id: string;
  readonly sort: "planted" | "automatic";
  /** `refuted`: killed although there is a proof that it could not be. */
  readonly verdict: Verdict;
  /** Series in which it was killed. */
  readonly kills: number;
  /** Over the series; null when more than half of them did not see it. */
  readonly seedsMedian: number | null;
  readonly cpuMsMedian: number;
  /** The oracle that killed it most often, and the others that did. */
  readonly oracle: OracleId | null;
  readonly otherOracles: readonly OracleId[];
  readonly class: FailureClass | null;
  readonly killingSeeds: readonly string[];
  /** The saved case that kills it, where no series does. */
  readonly killingCase: string | null;
  /** Seeds in which its place was reached, of all that were run. */
  readonly reached: number;
  readonly seeds: number;
  readonly unclear: readonly string[];
}

export interface Matrix {
  readonly format: 1;
  readonly node: string;
  readonly config: MatrixConfig;
  /** Syncs by site in one run, on average; empty when no automatic mutant was asked for. */
  readonly syncsPerRun: Readonly<Record<string, number>>;
  readonly rows: readonly MatrixRow[];
  readonly elapsedMs: number;
  readonly cpuMs: number;
}

/** Series are this far apart, so that none runs into the next. */
const SERIES_APART = 1_000_000;
/** Seeds by which the places that sync are found, and in how many tasks. */
const SITE_SEEDS = 240;
const SITE_TASKS = 8;

export interface MatrixProgress {
  readonly done: number;
  readonly all: number;
  readonly survivors: number;
}

/** Throws `INVALID_ARGUMENT` when `only` names nothing, and `ASSERTION` when the canary is not reported. */
export async function runMatrix(
  config: MatrixConfig,
  onProgress: (progress: MatrixProgress) => void,
): Promise<Matrix> {
  const started = performance.now();
  await requireCanary(config.from);
  const wanted = (id: string): boolean => config.only === null || config.only.some((one) => matches(one, id));
  const planted = PLANTED_MUTANTS.map(({ id }) => id).filter(wanted);
  const asksForSites = config.only === null || config.only.some((one) => /^(drop|swap|\*)/.test(one));
  const syncsPerRun = asksForSites ? await countSyncs(config) : {};
  const automatic = automaticIds(Object.keys(syncsPerRun).sort()).filter(wanted);
  const ids = [...planted, ...automatic];
  for (const one of config.only ?? []) requireMatch(one, ids);
  const hunts = new Map<string, HuntResult[]>(ids.map((id) => [id, []]));
  let done = 0;
  let survivors = 0;
  const tasks = huntsFor(ids, config);
  await shareOut(tasks, config.jobs, (answer) => {
    if (!("hunted" in answer)) return;
    hunts.get(answer.hunted.mutant)?.push(answer.hunted);
    done++;
    if (answer.hunted.kill === null) survivors++;
    onProgress({ done, all: tasks.length, survivors });
  });
  const rows: MatrixRow[] = [];
  for (const [id, results] of hunts) rows.push(await withCase(rowOf(id, results), config.cases));
  const cpuMs = [...hunts.values()].flat().reduce((sum, one) => sum + one.cpuMs, 0);
  const elapsedMs = Math.round(performance.now() - started);
  return { format: 1, node: process.version, config, syncsPerRun, rows, elapsedMs, cpuMs };
}

async function requireCanary(from: string): Promise<void> {
  const { kill } = await hunt({ mutant: CANARY, from, seedsMax: 1 });
  if (kill?.oracle === "O28") return;
  throw new StillwaterError(
    "ASSERTION",
    `the canary did not fail at seed ${from}, so failures are not reported, and a kill matrix would say nothing.`,
  );
}

function matches(one: string, id: string): boolean {
  return one.endsWith("*") ? id.startsWith(one.slice(0, -1)) : id === one;
}

function requireMatch(one: string, ids: readonly string[]): void {
  if (ids.some((id) => matches(one, id))) return;
  throw new StillwaterError(
    "INVALID_ARGUMENT",
    `there is no mutant "${one}". \`stillwater sim mutants --list\` shows them all.`,
  );
}

async function countSyncs(config: MatrixConfig): Promise<Record<string, number>> {
  const seeds = SITE_SEEDS / SITE_TASKS;
  const tasks: Task[] = Array.from({ length: SITE_TASKS }, (_, n) => ({
    count: { from: seedAt(config.from, n * seeds), seeds },
  }));
  const sum: Record<string, number> = {};
  await shareOut(tasks, config.jobs, (answer) => {
    if (!("calls" in answer)) return;
    for (const [site, times] of Object.entries(answer.calls)) sum[site] = (sum[site] ?? 0) + times;
  });
  return Object.fromEntries(
    Object.entries(sum)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([site, times]) => [site, Math.round((times / SITE_SEEDS) * 100) / 100]),
  );
}

/** Those that are known to survive first: they take longest, and a long task at the end keeps threads idle. */
function huntsFor(ids: readonly string[], { starts, budget, from }: MatrixConfig): Task[] {
  const tasks: Task[] = [];
  const ordered = [...ids].sort((a, b) => Number(proofOf(b) !== null) - Number(proofOf(a) !== null));
  for (const mutant of ordered) {
    // What is proven not to be killed is tried once, in case the proof is wrong.
    for (let n = 0; n < (proofOf(mutant) === null ? starts : 1); n++) {
      tasks.push({ hunt: { mutant, from: seedAt(from, n * SERIES_APART), seedsMax: budget } });
    }
  }
  return tasks;
}

/** Why no promise can tell the mutant from the original; null when it is to be killed. */
export function proofOf(id: string): string | null {
  return parseAutomatic(id) === null ? (plantedMutant(id)?.equivalent ?? null) : redundancyOf(id);
}

async function withCase(row: MatrixRow, cases: string): Promise<MatrixRow> {
  const kill = row.verdict === "survived" ? await killByCase(cases, row.id) : null;
  if (kill === null) return row;
  return { ...row, verdict: "killed", oracle: kill.oracle, class: kill.class, killingCase: kill.name };
}

function rowOf(id: string, results: readonly HuntResult[]): MatrixRow {
  const kills = results.flatMap(({ kill }) => (kill === null ? [] : [kill]));
  const byOracle = new Map<OracleId, number>();
  for (const { oracle } of kills) byOracle.set(oracle, (byOracle.get(oracle) ?? 0) + 1);
  const oracles = [...byOracle].sort(([, a], [, b]) => b - a).map(([oracle]) => oracle);
  const isProven = proofOf(id) !== null;
  const seeds = results.map((one) => (one.kill === null ? Number.POSITIVE_INFINITY : one.seeds));
  const seedsMedian = median(seeds);
  return {
    id,
    sort: parseAutomatic(id) === null ? "planted" : "automatic",
    verdict: kills.length > 0 ? (isProven ? "refuted" : "killed") : isProven ? "equivalent" : "survived",
    kills: kills.length,
    seedsMedian: Number.isFinite(seedsMedian) ? seedsMedian : null,
    cpuMsMedian: median(results.map(({ cpuMs }) => cpuMs)),
    oracle: oracles[0] ?? null,
    otherOracles: oracles.slice(1),
    class: kills.find(({ oracle }) => oracle === oracles[0])?.class ?? null,
    killingSeeds: kills.map(({ seed }) => seed),
    killingCase: null,
    reached: results.reduce((sum, one) => sum + one.reached, 0),
    seeds: results.reduce((sum, one) => sum + one.seeds, 0),
    unclear: results.flatMap(({ unclear }) => unclear),
  };
}

/** The middle one, or the lower of the two in the middle. 0 for nothing. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[(sorted.length - 1) >> 1] ?? 0;
}
