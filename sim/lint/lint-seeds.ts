/**
 * The durability lint over many seeds: ordinary runs of the swarm, without crashes and without faults, since neither is
 * needed to see that something was acknowledged too early. Adds up what was found by kind of acknowledgement and place.
 */
import { assert } from "../../src/platform/assert.js";
import { Choices } from "../choices/choices.js";
import { seedAt } from "../run/seed.js";
import { type SimulationSetup, simulate } from "../run/simulation.js";
import { OperationGenerator } from "../workload/generator.js";
import { drawOptions } from "../workload/options.js";
import { WORKLOADS, type WorkloadName } from "../workload/workloads.js";
import { type AcknowledgementKind, type LintFinding, StoreLint } from "./store-lint.js";

export interface LintConfig {
  readonly from: string;
  readonly seeds: number;
  readonly mutants: readonly string[];
}

/** All findings of one kind at one place. */
export interface LintGroup {
  readonly kind: AcknowledgementKind;
  readonly place: string;
  readonly times: number;
  /** The first one. */
  readonly seed: string;
  readonly what: string;
  readonly missing: string;
}

export interface LintResult {
  readonly config: LintConfig;
  readonly looked: Readonly<Record<AcknowledgementKind, number>>;
  readonly groups: readonly LintGroup[];
  /** Runs that broke a promise on their own. */
  readonly failed: readonly { readonly seed: string; readonly message: string }[];
}

export async function lintSeeds(
  config: LintConfig,
  onProgress: (seeds: number) => void,
): Promise<LintResult> {
  const looked: Record<AcknowledgementKind, number> = {
    commit: 0,
    flush: 0,
    checkpoint: 0,
    close: 0,
    CURRENT: 0,
  };
  const groups = new Map<string, LintGroup>();
  const failed: { seed: string; message: string }[] = [];
  for (let index = 0; index < config.seeds; index++) {
    const seed = seedAt(config.from, index);
    const { looked: lookedAt, failure, findings } = await lintSeed(seed, config.mutants);
    for (const [kind, times] of lookedAt) looked[kind] += times;
    if (failure !== null) failed.push({ seed, message: failure });
    for (const finding of findings) addFinding(groups, seed, finding);
    onProgress(index + 1);
  }
  return { config, looked, groups: [...groups.values()], failed };
}

/** What the lint finds in one run. */
export interface LintedRun {
  readonly looked: ReadonlyMap<AcknowledgementKind, number>;
  readonly findings: readonly LintFinding[];
  /** What the run broke on its own, in words. */
  readonly failure: string | null;
}

/** Lints any run of the store; crashes in it are of no use to the lint, and faults may explain what it finds. */
export async function lintRun(setup: SimulationSetup): Promise<LintedRun> {
  const lints: StoreLint[] = [];
  const { failure } = await simulate({
    ...setup,
    onSession: (session) => lints.push(new StoreLint(session)),
  });
  const [lint] = lints;
  assert(lint !== undefined, "a run has a session");
  const findings = await lint.examine();
  return { looked: lint.looked, findings, failure: failure?.message ?? null };
}

function lintSeed(seed: string, mutants: readonly string[]): Promise<LintedRun> {
  const choices = Choices.fromSeed(seed);
  const workloads = Object.keys(WORKLOADS) as WorkloadName[];
  const drawn = drawOptions(choices.stream("options"), { workloads, faults: [] });
  const options = { ...drawn, crashes: { ...drawn.crashes, everyOperations: 0 } };
  const source = new OperationGenerator(options, choices.stream("workload"));
  return lintRun({ options, choices, source, mutants, recording: false });
}

function addFinding(
  groups: Map<string, LintGroup>,
  seed: string,
  { kind, what, missing }: LintFinding,
): void {
  for (const { place, text } of missing) {
    const key = `${kind} ${place}`;
    const known = groups.get(key);
    groups.set(key, { kind, place, seed, what, missing: text, ...known, times: (known?.times ?? 0) + 1 });
  }
}
