/**
 * A failing state as a case: the operations up to the crash, the crash where it strikes, and what survives it, so that
 * `sim replay` runs it and the shrinker can take over. Every case is replayed before it is given away: the oracle that it
 * expects is the one that fails then. Owns the translation only.
 */
import { CASE_FORMAT, type SimulationCase } from "../cases/case.js";
import { replayCase } from "../cases/replay.js";
import type { ChoiceAddress } from "../choices/choices.js";
import { crashSegment } from "../run/segments.js";
import type { Operation } from "../workload/operation.js";
import type { SimulationOptions } from "../workload/options.js";
import type { CrashRequest } from "../world/crash-plan.js";
import { EXPLORE_SEED, exploreOptions } from "./setting.js";
import type { ExploredFailure } from "./unit.js";

export interface ExploreCase {
  readonly one: SimulationCase;
  /** The replay breaks a promise too. If not, explorer and replay disagree, which is the simulator's fault. */
  readonly reproduced: boolean;
}

export async function caseOfFailure(
  failed: ExploredFailure,
  mutants: readonly string[],
  name: string,
): Promise<ExploreCase> {
  const { options, operations, armedBy, ordinal } = scriptOf(exploreOptions(failed.profile), failed);
  const crash = failed.crashes.flatMap(({ answers }, index) => {
    const segment = crashSegment(armedBy, ordinal + index);
    return answers.map((answer, at): [ChoiceAddress, number] => [`${segment}:${at}`, answer]);
  });
  const one: SimulationCase = {
    format: CASE_FORMAT,
    name,
    note: `${failed.workload}: ${failed.message}`,
    seed: EXPLORE_SEED,
    options,
    operations,
    choices: { crash: crash.filter(([, answer]) => answer !== 0) },
    mutants,
    expect: { oracle: failed.oracle },
  };
  const { result } = await replayCase(one);
  const { failure, fingerprint } = result;
  const expect = { oracle: failure?.oracle ?? null };
  const { traceHash, traceLength } = fingerprint;
  const saved = { ...one, expect, traceHash, traceLength, traceMarks: result.trace.marks() };
  return { one: saved, reproduced: expect.oracle !== null };
}

interface Script {
  readonly options: SimulationOptions;
  readonly operations: readonly Operation[];
  /** The operation that requests the crashes, -1 for the options; and which of its crashes is the first explored one. */
  readonly armedBy: number;
  readonly ordinal: number;
}

/** Puts the requests for the crashes where the first one is counted from. */
function scriptOf(options: SimulationOptions, { operations, crashes, begun }: ExploredFailure): Script {
  const requests: CrashRequest[] = crashes.map(({ how, at }) => ({ how, at }));
  const [first, ...nested] = requests;
  if (first === undefined) return { options, operations, armedBy: 0, ordinal: 1 };
  if (begun === 0) {
    return { options: { ...options, firstCrashes: requests }, operations: [], armedBy: -1, ordinal: 1 };
  }
  const carriedOut = operations.slice(0, begun);
  const kill = carriedOut.findLastIndex(({ kind }) => kind === "crash");
  const scripted = carriedOut.map((operation, index): Operation => {
    if (index === kill && operation.kind === "crash") return { ...operation, nested: requests };
    return index === 0 && kill < 0 ? { kind: "crash", ...first, nested } : operation;
  });
  // The kill itself is the first crash of its operation.
  return { options, operations: scripted, armedBy: Math.max(kill, 0), ordinal: kill < 0 ? 1 : 2 };
}
